"""The menu bar, made of the window's actions."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QMenuBar

from soli.ui.actions import Actions
from soli.ui.clicks import COUNT_INS, LEVELS_DB
from soli.ui.roll.opacity import CHOICES
from soli.ui.roll.snapping import MODES

MENUS: dict[str, tuple[str, ...]] = {
    "&File": (
        "new", "open", "*recent", "", "open_recording", "open_score", "demo", "", "save", "save_as", "embed", "",
        "export", "export_notes", "export_picture", "export_factors", "", "quit",
    ),
    "&Edit": (
        "undo", "redo", "", "cut", "copy", "paste", "repeat_notes", "delete", "", "*select", "find_notes", "",
        "split_notes", "snap_notes", "*snap", "", "leave_out", "bring_back", "*assign", "", "preferences",
    ),
    "&View": (
        "zoom_in", "zoom_out", "zoom_selection", "fit", "follow", "",
        "drawer_model", "drawer_tempo", "drawer_doubtful", "drawer_template", "drawer_history",
        "note_table", "",
        "*spectrogram", "*opacity", "*theme", "", "next_pane",
    ),
    "&Layers": (
        "new_layer", "rename_layer", "*split", "", "hide_layer", "lock_layer", "", "solo", "mute", "solo_only", "all_but", "",
        "layer_above", "layer_below", "move_layer_up", "move_layer_down",
    ),
    "&Transport": (
        "play", "play_selection", "stop", "return", "end", "", "loop", "loop_selection", "loop_exact", "",
        "slower", "faster", "full_speed", "", "metronome", "*clicks", "*count_in", "", "hear", "compare",
    ),
    "&Decompose": ("decompose", "decompose_anew", "model", "", "save_encoder", "apply_encoder", "", "align"),
    "&Help": ("keys", "about"),
}  # fmt: skip

ALIKE = ("select_pitch", "select_pitch_class", "select_layer", "select_voice", "select_unsure")

SUBMENUS: dict[str, tuple[str, tuple[str, ...]]] = {
    "*select": ("&Select", ("select_all", "select_none", "invert_selection", "", *ALIKE)),
    "*split": ("S&plit", ("layers_pitch", "", "layers_hand", "layers_track", "layers_channel", "", "layers_one")),
    "*snap": ("Snap &to", (*(f"snap_{mode.key}" for mode in MODES), "", "snap_next", "snap_previous")),
    "*clicks": ("Metronome l&evel", tuple(f"click_{level}" for level in LEVELS_DB)),
    "*count_in": ("Count-&in", tuple(f"count_in_{bars}" for bars in range(len(COUNT_INS)))),
    "*theme": ("T&heme", ("dark", "light", "system")),
    "*spectrogram": ("&Spectrogram", ("linear", "", "brighter", "darker", "more_contrast", "less_contrast", "", "sound_light")),
    "*opacity": ("Opacity of &notes", tuple(f"opacity_{choice.key}" for choice in CHOICES)),
}
RECENT, ASSIGN = "Open &recent", "Move to &layer"


def menu_keys() -> dict[str, str]:
    """The keys that open the menus, and what they do."""
    return {f"Alt+{title[title.index('&') + 1].upper()}": f"Opens the menu {title.replace('&', '')}" for title in MENUS}


def place_of(name: str) -> str:
    """The menu of a command, and the one in it; "" for one that is in none."""
    if name.startswith("tool_"):
        return "Tools"
    if name.startswith("assign_"):
        return _path("*assign", ASSIGN)
    within = next((sub for sub, (_, keys) in SUBMENUS.items() if name in keys), "")
    return _path(within, SUBMENUS[within][0]) if within else _path(name)


def _path(key: str, *submenu: str) -> str:
    """The titles of the menu that holds `key`, and of those in it, as a user reads them."""
    titles = [title for title, keys in MENUS.items() if key in keys][:1]
    return " › ".join(title.replace("&", "") for title in (*titles, *submenu))


def build_menus(
    bar: QMenuBar, actions: Actions, fill_recent: Callable[[QMenu], None], fill_layers: Callable[[QMenu], None]
) -> None:
    """Fill `bar`. The menus of recent files and of layers are filled each time the menu that holds them opens."""
    for title, keys in MENUS.items():
        menu = bar.addMenu(title)
        menu.installEventFilter(actions.menu_tips)
        for key in keys:
            if key == "":
                menu.addSeparator()
            elif key in SUBMENUS:
                _fill(menu.addMenu(SUBMENUS[key][0]), actions, SUBMENUS[key][1])
            elif key.startswith("*"):
                submenu = menu.addMenu(RECENT if key == "*recent" else ASSIGN)
                submenu.installEventFilter(actions.menu_tips)
                # Not when they open themselves: one that is disabled could never come back.
                menu.aboutToShow.connect(lambda m=submenu, fill=fill_recent if key == "*recent" else fill_layers: fill(m))
            else:
                menu.addAction(actions[key])
        _spread_mnemonics(menu)


def _fill(menu: QMenu, actions: Actions, keys: tuple[str, ...]) -> None:
    menu.installEventFilter(actions.menu_tips)
    for key in keys:
        if key:
            menu.addAction(actions[key])
        else:
            menu.addSeparator()
    _spread_mnemonics(menu)


def _spread_mnemonics(menu: QMenu) -> None:
    """Underline another letter in each entry of a menu, the first that is free."""
    taken: set[str] = set()
    for action in menu.actions():
        text = action.text().replace("&", "")
        place = next((i for i, letter in enumerate(text) if letter.isalpha() and letter.casefold() not in taken), None)
        if place is None:
            action.setText(text)
            continue
        taken.add(text[place].casefold())
        action.setText(f"{text[:place]}&{text[place:]}")
