"""The roll with all that belongs to it: keyboard, ruler, canvas, overview, and the messages over it."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QWidget

from soli.project.document import Document
from soli.ui.banner import Banner
from soli.ui.roll.accessible import Narrator
from soli.ui.roll.canvas import Canvas
from soli.ui.roll.keyboard import Keyboard
from soli.ui.roll.minimap import Minimap
from soli.ui.roll.ruler import Ruler
from soli.ui.roll.split_line import SplitLine
from soli.ui.roll.view import View
from soli.ui.selection import Selection
from soli.ui.theme import Theme
from soli.ui.welcome import Welcome

MOST_SOUNDING = 256
JUMP_S = 1.0  # farther than the music goes from one look at it to the next: somebody has asked for another place


class Roll(QWidget):
    """Lays out the parts and lets them share one View."""

    def __init__(self, document: Document, selection: Selection, theme: Theme, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._document, self._selection, self._theme = document, selection, theme
        self._followed_s: float | None = None  # where the playhead was, while it is followed
        self.view = View()
        self.canvas = Canvas(document, selection, self.view, theme)
        self.keyboard = Keyboard(self.view, theme)
        self.keyboard.spell = self._spell
        self.ruler = Ruler(self.view, theme)
        self.minimap = Minimap(document, self.view, theme, lambda: self.canvas.field)
        self.banner = Banner(theme, self.canvas)
        self.welcome = Welcome(theme, self.canvas, actions)
        self.split_line = SplitLine(self.canvas)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        corner = QWidget()
        corner.setObjectName("rail")
        grid.addWidget(corner, 0, 0)
        grid.addWidget(self.ruler, 0, 1)
        grid.addWidget(self.keyboard, 1, 0)
        grid.addWidget(self.canvas, 1, 1)
        grid.addWidget(self.minimap, 2, 1)
        grid.setRowStretch(1, 1)
        grid.setColumnStretch(1, 1)
        self.narrator = Narrator(document, selection, self.canvas, keyboard=self.keyboard, ruler=self.ruler, minimap=self.minimap)
        self.canvas.installEventFilter(self)
        self.keyboard.pitch_clicked.connect(self.select_pitch)
        self.canvas.pitch_pointed.connect(self.keyboard.set_pointed)
        document.subscribe(self._follow)
        self._show_welcome()

    def set_playhead(self, time_s: float | None, *, follow: bool) -> None:
        if follow and time_s is not None and self._is_followed(time_s):
            self.view.bring_into_view(time_s)
        self._followed_s = time_s if follow else None
        self.canvas.set_playhead(time_s)
        self.ruler.set_playhead(time_s)
        self.minimap.set_playhead(time_s)

    def _is_followed(self, time_s: float) -> bool:
        """Who has scrolled away from the playhead looks at something: the page turns when the music starts or jumps, not else."""
        last_s = self._followed_s
        return last_s is None or abs(time_s - last_s) > JUMP_S or self.view.start_s <= last_s <= self.view.end_s

    def set_loop(self, loop: tuple[float, float] | None, *, on: bool) -> None:
        for part in (self.canvas.scene, self.ruler, self.minimap):
            part.set_loop(loop, on=on)

    def show_sounding(self, time_s: float | None) -> None:
        """Light up the keys that sound at a time."""
        pitches: dict[int, str] = {}
        if time_s is not None:
            notes = self.canvas.field.notes
            rows = notes.within(time_s, time_s, 0, 127)
            for row in rows[-MOST_SOUNDING:].tolist():
                layer = self._document.state.layer(int(notes.layer[row]))
                if layer is not None and layer.id not in self.canvas.audible.silent:
                    pitches[int(notes.pitch[row])] = layer.colour
        self.keyboard.set_sounding(pitches)

    def fit(self) -> None:
        """Show the whole piece."""
        notes = self._document.state.notes.values()
        lowest, highest = min((n.pitch for n in notes), default=36), max((n.pitch for n in notes), default=88)
        self.view.show(0.0, max(self._document.state.duration_s, 1.0), lowest - 4, highest + 6)

    def show_beginning(self) -> None:
        """A quarter of a minute from the start, with all pitches of the score in view."""
        notes = self._document.state.notes.values()
        lowest, highest = min((n.pitch for n in notes), default=36), max((n.pitch for n in notes), default=88)
        self.view.show(0.0, min(max(self._document.state.duration_s, 1.0), 14.0), lowest - 3, highest + 10)

    def zoom_to_selection(self) -> None:
        notes = [self._document.state.notes[i] for i in self._selection.ids]
        if notes:
            self.view.show(
                min(n.onset_s for n in notes),
                max(n.sounding_offset_s for n in notes),
                min(n.pitch for n in notes) - 3,
                max(n.pitch for n in notes) + 3,
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.canvas and event.type() == QEvent.Type.Resize:
            self.welcome.place()
            self.banner.place()
        return super().eventFilter(watched, event)

    def select_pitch(self, pitch: int, adds: bool) -> None:
        hidden = self._document.state.hidden_layers
        ids = {n.id for n in self._document.state.notes.values() if n.pitch == pitch and n.layer not in hidden}
        self._selection.set(self._selection.ids | ids if adds else ids)

    def _follow(self, aspects: frozenset[str]) -> None:
        if "template_limits" in aspects:
            self.keyboard.set_limited(self._document.state.template_limits)
        if aspects & {"score", "alignment", "recording"}:
            self.ruler.set_beats(self.canvas.beats)
            self.show_beginning()
        if aspects & {"recording", "notes"}:
            self._show_welcome()

    def _spell(self, pitch: int) -> str:
        """The name of a pitch in the key that holds in the middle of what is shown."""
        return self._document.state.pitch_name(pitch, (self.view.start_s + self.view.end_s) / 2)

    def _show_welcome(self) -> None:
        state = self._document.state
        self.welcome.setVisible(state.audio is None and not state.notes)
        self.welcome.place()
