"""Every command of the window as an action: its name, its key, what it does. Menus and buttons share them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from soli.ui.clicks import COUNT_INS, LEVELS_DB
from soli.ui.keymap import FIXED, PORTABLE, Command, Keymap, native
from soli.ui.menu_tips import MenuTips
from soli.ui.refusals import LAYER_KEYS
from soli.ui.roll.opacity import CHOICES
from soli.ui.roll.snapping import MODES
from soli.ui.roll.toolbox import TOOLS
from soli.ui.theme import Theme


@dataclass(frozen=True)
class Spec:
    """One command: key of the action, words in the menu, default keys, tooltip (without the keys), icon."""

    key: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    checkable: bool = False


SPECS = (
    Spec("new", "&New project", ("Ctrl+N",)),
    Spec("open", "&Open…", ("Ctrl+O",), "Open a recording, its score, or a project"),
    Spec("open_recording", "Open &recording…", ("Ctrl+I",)),
    Spec("open_score", "Open &score…", ("Ctrl+Shift+I",)),
    Spec("save", "&Save", ("Ctrl+S",)),
    Spec("save_as", "Save &as…", ("Ctrl+Shift+S",)),
    Spec(
        "embed",
        "&Keep the recording in the project",
        (),
        "Save the sound itself in the project file, which then opens anywhere; otherwise it names the file of the recording",
        checkable=True,
    ),
    Spec("export", "&Export layers…", ("Ctrl+Shift+E",), "Write layers, residual and mix as files"),
    Spec("export_notes", "Export &notes…", (), "Write the notes at their places in the recording, as MIDI or as a list (CSV)"),
    Spec("export_picture", "Export pict&ure…", (), "Write the roll as a picture (PNG), or as a drawing to restyle (SVG)"),
    Spec("export_factors", "Export &W and H…", (), "Write the templates and activations of the last run as NumPy arrays (.npz)"),
    Spec("demo", "Open the &demo", ()),
    Spec("quit", "&Quit", ("Ctrl+Q",)),
    Spec("undo", "&Undo", ("Ctrl+Z",), icon="undo"),
    Spec("redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo"),
    Spec("select_all", "Select &all notes", ("Ctrl+A",)),
    Spec("select_none", "Select &none", ("Ctrl+Shift+A",)),
    Spec("select_pitch", "Select all of this &pitch", ("Shift+P",), "Add all notes of the pitches of the selected ones"),
    Spec(
        "select_pitch_class",
        "Select all of this pitch &class",
        ("Ctrl+Shift+P",),
        "Add all notes of the pitches of the selected ones in any octave: every C sharp",
    ),
    Spec("select_layer", "Select all of this la&yer", ("Shift+L",), "Add all notes of the layers of the selected ones"),
    Spec(
        "select_voice", "Select all of this &voice", ("Shift+V",), "Add all notes of the tracks and channels of the selected ones"
    ),
    Spec("select_unsure", "Select all &unsure notes", ("Shift+U",), "The notes that the sound does not bear out"),
    Spec("find_notes", "&Find notes…", ("Ctrl+F",), "Open the note table, and say which notes to show there"),
    Spec("invert_selection", "&Invert the selection", ("I",)),
    Spec("cut", "Cu&t notes", ("Ctrl+X",)),
    Spec("copy", "&Copy notes", ("Ctrl+C",)),
    Spec("paste", "Pa&ste notes", ("Ctrl+V",), "Put the copied notes at the playhead"),
    Spec("repeat_notes", "&Repeat notes", ("Ctrl+R",), "The selected notes once more, where they end"),
    Spec("split_notes", "Split at the pla&yhead", ("Ctrl+E",), "Cut the selected notes, or all that sound there"),
    Spec("snap_notes", "S&nap notes", ("Q",), "Move the onset of each selected note to where times snap"),
    Spec("snap_next", "Snap to the &next of these", ("G",)),
    Spec("snap_previous", "Snap to the &one before", ("Shift+G",)),
    *(Spec(f"snap_{mode.key}", mode.name, (), mode.tip, checkable=True) for mode in MODES),
    Spec("delete", "&Delete notes", ("Del", "Backspace")),
    Spec(
        "leave_out", "&Leave out of the decomposition", ("X",), "What sounds of these notes goes to the residual and to no layer"
    ),
    Spec("bring_back", "&Bring back into the decomposition", ("Shift+X",)),
    Spec("zoom_in", "Zoom &in", ("=", "+", "Ctrl++", "Ctrl+=")),
    Spec("zoom_out", "Zoom &out", ("-", "Ctrl+-")),
    Spec("zoom_selection", "Zoom to &selection", ("Z",)),
    Spec("fit", "&Fit the whole piece", ("F", "Ctrl+0")),
    Spec("follow", "Follow the &playhead", ("Shift+F",), checkable=True),
    Spec("drawer_model", "De&composition", ("V",), "Templates, activations, the recording and the model", checkable=True),
    Spec("drawer_tempo", "&Tempo curve", ("T",), "Tempo of the performance, and the anchors that hold it", checkable=True),
    Spec("drawer_doubtful", "&Doubtful notes", ("D",), "Notes that the sound does not bear out", checkable=True),
    Spec("note_table", "&Note table", ("N",), "Every note as a row beside the roll: sort, filter and edit", checkable=True),
    Spec("linear", "Linear fre&quency", ("H",), "Hertz at equal distances instead of pitches", checkable=True),
    Spec("drawer_template", "Te&mplate of a pitch", ("Shift+T",), "Partials of a pitch, how wide they may be", checkable=True),
    Spec("drawer_history", "&History", ("Ctrl+H",), "Every step that can be undone or redone, by name", checkable=True),
    Spec("brighter", "&Brighter", ("Ctrl+]",), "Let more of the spectrogram be seen"),
    Spec("darker", "&Darker", ("Ctrl+[",), "Let only the louder parts of the spectrogram be seen"),
    Spec("more_contrast", "&More contrast", ("Alt+]",), "Set off loud from quiet in the spectrogram"),
    Spec("less_contrast", "&Less contrast", ("Alt+[",), "Bring loud and quiet in the spectrogram together"),
    Spec("sound_light", "Brightness and &contrast…", ("B",), "Set the light of the spectrogram with two sliders"),
    *(Spec(f"opacity_{choice.key}", choice.name, (), choice.tip, checkable=True) for choice in CHOICES),
    Spec("dark", "&Dark theme", (), checkable=True),
    Spec("light", "&Light theme", (), checkable=True),
    Spec("system", "As the &system", (), "Dark or light, as the system is", checkable=True),
    Spec("next_pane", "Next &pane", ("F6",)),
    Spec("play", "&Play / pause", ("Space",), "Play or pause", "play", checkable=True),
    Spec("play_selection", "Play the sele&ction", ("Shift+Space",), "Play what is selected once; without a selection, the loop"),
    Spec("stop", "S&top", ("Shift+Return", "Shift+Enter"), "End play, and go back to where it began"),
    Spec("return", "&Return to start", ("Home",), "Return to the start", "return"),
    Spec("end", "Go to &end", ("End",)),
    Spec("loop", "&Loop", ("L",), "Loop on or off; drag on the ruler to choose it", "loop", checkable=True),
    Spec("loop_selection", "Loop the &selection", ("]",)),
    Spec(
        "loop_exact",
        "Loop from and t&o…",
        ("Ctrl+Shift+L",),
        "Type beginning and end, in bars and beats or in seconds",
    ),
    Spec("slower", "Slo&wer", (",",), "Play 5 % slower, at the same pitch"),
    Spec("faster", "Fas&ter", (".",), "Play 5 % faster, at the same pitch"),
    Spec("full_speed", "F&ull speed", ("/",), "Play as fast as the recording is"),
    Spec("metronome", "&Metronome", ("K",), "Click on the beats of the performance", "metronome", checkable=True),
    *(Spec(f"click_{level}", f"{level.capitalize()} clicks", (), checkable=True) for level in LEVELS_DB),
    *(Spec(f"count_in_{bars}", text, (), checkable=True) for bars, text in enumerate(COUNT_INS)),
    Spec(
        "hear",
        "&Hear the selected notes alone",
        ("Return", "Enter"),
        "Play the separated sound of the selected notes, as fast as they were played",
    ),
    Spec("compare", "&Compare with the original", ("A",), "A / B: the mix, or the original recording", checkable=True),
    Spec("decompose", "&Decompose", ("Ctrl+D", "Ctrl+Return"), "Separate the recording by the notes on the roll"),
    Spec(
        "decompose_anew",
        "Decompose from s&cratch",
        ("Ctrl+Shift+D",),
        "Forget what the last run found and learn all templates anew",
    ),
    Spec("model", "Decomposition se&ttings…", ()),
    Spec("save_encoder", "Save the e&ncoder…", (), "Keep what the autoencoder learnt, for other recordings"),
    Spec("apply_encoder", "A&pply an encoder…", (), "Activations in one product, without a run"),
    Spec("align", "&Align the score again", ()),
    Spec("layers_track", "By &track", (), "A layer of each track of the score"),
    Spec("layers_channel", "By &channel", (), "A layer of each channel of the score"),
    Spec("layers_hand", "By &hand", (), "Two layers by the score's two tracks, or by following the hands through one"),
    Spec(
        "layers_pitch",
        "At a &pitch…",
        ("Y",),
        "Two layers at a line on the roll: of all notes, of the active layer or of the selected ones",
    ),
    Spec("layers_one", "All in &one layer", ()),
    Spec("new_layer", "&New layer of the selection", ("Ctrl+L",)),
    Spec("rename_layer", "&Rename the active layer", ("F2",)),
    Spec("hide_layer", "H&ide or show the active layer", ("Shift+H",), "Its notes on the roll; they are heard all the same"),
    Spec("lock_layer", "Loc&k or unlock the active layer", ("Shift+K",), "No edit reaches the notes of a locked layer"),
    Spec("solo", "&Solo the active layer", ("S",)),
    Spec("mute", "&Mute the active layer", ("M",)),
    Spec("layer_above", "Layer abo&ve", ("Alt+Up",)),
    Spec("layer_below", "La&yer below", ("Alt+Down",)),
    Spec("move_layer_up", "Move the layer &up", ("Alt+Shift+Up",), "Put the active layer before the one above it"),
    Spec("move_layer_down", "Move the layer do&wn", ("Alt+Shift+Down",), "Put the active layer after the one below it"),
    Spec("solo_only", "Hear &only the active layer", ("Shift+S",)),
    Spec("all_but", "Hear all &but the active layer", ("Shift+M",)),
    Spec("preferences", "Pre&ferences…", ("Ctrl+,",), "Sound, appearance, keys, and what new projects begin with"),
    Spec("keys", "&Keyboard shortcuts", ("F1",), "What each key does, and other keys for it"),
    Spec("about", "&About Soli", ()),
)


class Actions:
    """The window's actions by key. `tools` and `assign` are those of the tools and of Alt+1 to Alt+9.

    `keymap` says which keys call them, first the defaults with what is in `stored`; after a change there, `show_keys`.
    """

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        *,
        stored: Mapping[str, Sequence[str]] | None = None,
        fixed: Mapping[str, str] = FIXED,
    ) -> None:
        self._theme = theme
        self._playing = False
        self._tips: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._explained: list[tuple[QWidget, str, str]] = []
        self.menu_tips = MenuTips(parent, self.remark)
        commands: list[Command] = []
        self.by_key: dict[str, QAction] = {}
        for spec in SPECS:
            plain = spec.text.replace("&", "").rstrip("…")
            action = QAction(spec.text, parent)
            action.setCheckable(spec.checkable)
            action.setIconText(plain)
            self._tips[spec.key] = spec.tip or plain
            self.by_key[spec.key] = action
            commands.append(Command(spec.key, plain, spec.keys))
        self.tools: list[QAction] = []
        group = QActionGroup(parent)
        for tool in TOOLS:
            action = QAction(tool.name, parent)
            action.setCheckable(True)
            group.addAction(action)
            self.tools.append(action)
            name = "tool_" + tool.name.lower().replace(" ", "_")
            self._tips[name] = tool.hint
            commands.append(Command(name, f"{tool.name} tool", (tool.key,)))
        self.tools[0].setChecked(True)
        self.assign: list[QAction] = []
        for number in range(1, LAYER_KEYS + 1):
            self.assign.append(QAction(f"Move selected notes to layer &{number}", parent))
            self._tips[f"assign_{number}"] = f"Move selected notes to layer {number}"
            commands.append(Command(f"assign_{number}", f"Move selected notes to layer {number}", (f"Alt+{number}",)))
        self.all = dict(zip((c.id for c in commands), (*self.by_key.values(), *self.tools, *self.assign), strict=True))
        for action in self.all.values():
            parent.addAction(action)
        self.keymap = Keymap(commands, stored or {}, fixed=fixed)
        self.show_keys()
        theme.changed.connect(self.retheme)
        self.retheme()

    def __getitem__(self, key: str) -> QAction:
        return self.by_key[key]

    def on(self, key: str, act: Callable[[], object]) -> None:
        self.by_key[key].triggered.connect(lambda _=False: act())

    def retheme(self) -> None:
        for spec in SPECS:
            if spec.icon:
                self.by_key[spec.key].setIcon(self._theme.icon(spec.icon))
        self.by_key["play"].setIcon(self._theme.icon("pause" if self._playing else "play"))
        for tool, action in zip(TOOLS, self.tools, strict=True):
            action.setIcon(self._theme.icon(tool.name.lower().replace(" ", "-")))

    def show_playing(self, playing: bool) -> None:
        """The play button offers what it would do: pause while the music runs."""
        action = self.by_key["play"]
        action.setChecked(playing)
        if playing != self._playing:
            self._playing = playing
            action.setIcon(self._theme.icon("pause" if playing else "play"))

    def show_keys(self) -> None:
        """Give the actions the keys of the keymap; menus and tooltips say them."""
        for name, action in self.all.items():
            keys = self.keymap.keys(name)
            action.setShortcuts([QKeySequence(key, PORTABLE) for key in keys])
            self._show_tips(name)

    def refuse(self, name: str, why: str) -> None:
        """Disable a command and say `why` where it is pointed at; enable it where that is ""."""
        if why != self._refused.get(name, ""):
            self._refused[name] = why
            self._show_tips(name)
        self.all[name].setEnabled(not why)

    def refusal_of(self, combination: QKeyCombination) -> str:
        """Why the command of a key does nothing now; "" where it does, or where no command has the key."""
        keys = QKeySequence(combination)
        refused = (why for name, why in self._refused.items() if why and keys in self.all[name].shortcuts())
        return next(refused, "")

    def remark(self, action: QAction) -> str:
        """What there is to say of a command beyond its words in the menu."""
        name = next((name for name, other in self.all.items() if other is action), None)
        if name is None:
            return ""
        tip = self._tips[name]
        return "\n".join(part for part in (tip if tip != action.iconText() else "", self._refused.get(name, "")) if part)

    def explain(self, widget: QWidget, name: str, tip: str = "") -> None:
        """Let the tooltip of a control say what it does (by default what its action does), and always the keys for it."""
        self._explained.append((widget, tip or self._tips[name], name))
        self._show_tips(name)

    def _show_tips(self, name: str) -> None:
        self.all[name].setToolTip(self._tip(self._tips[name], name))
        for widget, tip, explained in self._explained:
            if explained == name:
                widget.setToolTip(self._tip(tip, name))

    def _tip(self, tip: str, name: str) -> str:
        keys = ", ".join(native(key) for key in self.keymap.keys(name))
        why = self._refused.get(name, "")
        return (f"{tip} ({keys})" if keys else tip) + (f"\n{why}" if why else "")
