"""The menu bar, made of the window's actions."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QMenuBar

from soli.ui.actions import Actions

MENUS: dict[str, tuple[str, ...]] = {
    "&File": (
        "new", "open", "*recent", "", "open_recording", "open_score", "demo", "", "save", "save_as", "", "export", "export_notes",
        "", "quit",
    ),
    "&Edit": (
        "undo", "redo", "", "select_all", "select_none", "select_pitch", "select_layer", "find_notes", "", "delete", "", "leave_out", "bring_back", "", "*assign", "",
        "preferences",
    ),
    "&View": (
        "zoom_in", "zoom_out", "zoom_selection", "fit", "follow", "", "drawer_model", "drawer_tempo", "drawer_doubtful", "note_table", "",
        "brighter", "darker", "dark", "light", "", "next_pane",
    ),
    "&Layers": (
        "new_layer", "rename_layer", "", "layers_track", "layers_channel", "layers_hand", "layers_pitch", "layers_one",
        "", "solo", "mute", "solo_only", "all_but", "", "layer_above", "layer_below",
    ),
    "&Transport": ("play", "return", "end", "", "loop", "loop_selection", "", "hear", "compare"),
    "&Decompose": ("decompose", "model", "", "save_encoder", "apply_encoder", "", "align"),
    "&Help": ("keys", "about"),
}  # fmt: skip


def menu_keys() -> dict[str, str]:
    """The keys that open the menus, and what they do."""
    return {f"Alt+{title[title.index('&') + 1].upper()}": f"Opens the menu {title.replace('&', '')}" for title in MENUS}


def place_of(name: str) -> str:
    """The menu of a command; "" for one that is in none."""
    if name.startswith("tool_"):
        return "Tools"
    key = "*assign" if name.startswith("assign_") else name
    return next((title.replace("&", "") for title, keys in MENUS.items() if key in keys), "")


def build_menus(
    bar: QMenuBar, actions: Actions, fill_recent: Callable[[QMenu], None], fill_layers: Callable[[QMenu], None]
) -> None:
    """Fill `bar`. The menus of recent files and of layers are filled each time they open."""
    for title, keys in MENUS.items():
        menu = bar.addMenu(title)
        for key in keys:
            if key == "":
                menu.addSeparator()
            elif key.startswith("*"):
                submenu = menu.addMenu("Open &recent" if key == "*recent" else "Move to &layer")
                submenu.aboutToShow.connect(lambda m=submenu, fill=fill_recent if key == "*recent" else fill_layers: fill(m))
            else:
                menu.addAction(actions[key])
        _spread_mnemonics(menu)


def _spread_mnemonics(menu: QMenu) -> None:
    """Underline another letter in each entry of a menu, the first that is free."""
    taken: set[str] = set()
    for action in menu.actions():
        text = action.text().replace("&", "")
        place = next((i for i, letter in enumerate(text) if letter.isalpha() and letter.casefold() not in taken), None)
        if place is not None:
            taken.add(text[place].casefold())
            action.setText(f"{text[:place]}&{text[place:]}")
