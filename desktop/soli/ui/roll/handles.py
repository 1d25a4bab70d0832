"""The handles at the ends of a selected note's body: its tolerances, to be dragged."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import bodies
from soli.score.notes import Note
from soli.ui.roll.painting import rectangle
from soli.ui.roll.tools import Desk, Pointer

Side = Literal["before", "after"]

MOST_NOTES = 60  # of more at once the handles would hide the notes
LEAST_PX_PER_S = 60.0
LEAST_PX_PER_SEMITONE = 7.0
NEAREST_PX = 8.0  # to the note: nearer lies the edge that stretches it
REACH_PX = 4.5
WIDTH_PX = 4.0


@dataclass(frozen=True)
class Handle:
    """One end of a body: how far it reaches, from which edge of the note (seconds), and where it is drawn (pixels)."""

    note: Note
    side: Side
    tolerance_s: float
    edge_s: float
    x: float

    def says(self, tolerance_s: float, *, several: bool = False) -> str:
        where = ("before its onset", "after its end") if not several else ("before their onsets", "after their ends")
        return f"may sound {1000 * tolerance_s:.0f} ms {where[self.side == 'after']}"


class Handles:
    """The handles of what is selected, where there is room to hit them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: tuple[object, ...] = ()
        self._reach: list[tuple[Note, float, float]] = []

    def all(self) -> list[Handle]:
        """Those in the window."""
        view = self._desk.view
        if view.px_per_s < LEAST_PX_PER_S or view.px_per_semitone < LEAST_PX_PER_SEMITONE:
            return []
        found = []
        for note, before_s, after_s in self._reaches():
            if not view.bottom - 1 < note.pitch < view.top + 1:
                continue
            left = view.x_of(note.onset_s) - max(NEAREST_PX, before_s * view.px_per_s)
            right = view.x_of(self._held_s(note)) + max(NEAREST_PX, after_s * view.px_per_s)
            if right >= 0 and left <= view.width:
                found.append(Handle(note, "before", before_s, note.onset_s, left))
                found.append(Handle(note, "after", after_s, self._held_s(note), right))
        return found

    def at(self, at: Pointer) -> Handle | None:
        """The handle under the pointer."""
        near = [handle for handle in self.all() if handle.note.pitch == at.pitch and abs(handle.x - at.x) <= REACH_PX]
        return min(near, key=lambda handle: abs(handle.x - at.x), default=None)

    def paint(self, painter: QPainter) -> None:
        for handle in self.all():
            self.draw(painter, handle.note.pitch, self._desk.view.x_of(handle.edge_s), handle.x)

    def draw(self, painter: QPainter, pitch: float, edge_x: float, x: float) -> None:
        """One handle, tied to the edge of its note."""
        box = rectangle(self._desk.view, pitch, 0.0, 0.0)
        colour, middle = self._desk.theme.colour("selection"), box.center().y()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(edge_x, middle, x, middle))
        painter.setPen(QPen(self._desk.theme.colour("canvas"), 0.8))
        painter.setBrush(colour)
        height = max(6.0, 0.64 * box.height())
        painter.drawRoundedRect(QRectF(x - WIDTH_PX / 2, middle - height / 2, WIDTH_PX, height), 1, 1)

    def _held_s(self, note: Note) -> float:
        return note.onset_s if note.is_drum else note.sounding_offset_s

    def _reaches(self) -> list[tuple[Note, float, float]]:
        """The selected notes that can be edited, each with its tolerances; looked up once for each selection."""
        state, ids = self._desk.document.state, self._desk.selection.ids
        if len(ids) > MOST_NOTES:
            return []
        known = (state.notes, state.settings, state.layers, state.absent, ids)
        if len(known) != len(self._known) or any(a is not b for a, b in zip(known, self._known, strict=True)):
            notes = [state.notes[i] for i in state.editable(ids) if i not in state.absent]
            rows = bodies(notes, (), state.settings)
            before, after = (rows.onset_s - rows.start_s).tolist(), (rows.end_s - rows.offset_s).tolist()
            self._known, self._reach = known, list(zip(notes, before, after, strict=True))
        return self._reach
