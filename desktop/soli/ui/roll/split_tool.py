"""The split tool: scissors."""

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.project import commands
from soli.score.notes import Note
from soli.ui.roll.painting import rectangle
from soli.ui.roll.tools import Desk, Pointer, Tool


class SplitTool(Tool):
    """Cuts the note under the pointer; where it is one of several selected notes, or none is there, all selected ones."""

    name = "Split"
    key = "3"
    hint = "Split: click to cut a note in two · of several selected notes all that sound there are cut · Alt ignores the grid"
    cursor = Qt.CursorShape.SplitHCursor

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._at: Pointer | None = None
        self._at_s = 0.0

    def press(self, at: Pointer) -> None:
        super().press(at)
        self._look(at)

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        self._look(at)

    def finish(self) -> None:
        now, document = self.now, self.desk.document
        if now is None:
            return
        state, notes = document.state, self._notes(now)
        document.do(commands.split_notes(state, [note.id for note in notes], self._at_s))
        made = document.state.notes.keys() - state.notes.keys()
        if made and {note.id for note in notes} <= self.desk.selection.ids:
            self.desk.selection.set(self.desk.selection.ids | made)

    def cancel(self) -> None:
        super().cancel()
        self._at = None

    def hover(self, at: Pointer | None) -> bool:
        if at is not None:
            self._look(at)
        else:
            self._at = None
        return True

    def paint(self, painter: QPainter) -> None:
        if self._at is None:
            return
        view, theme = self.desk.view, self.desk.theme
        x = view.x_of(self._at_s)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(theme.colour("ink", 90), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(x, 0, x, view.height))
        painter.setPen(QPen(theme.colour("accent"), 2))
        for note in self._notes(self._at):
            box = rectangle(view, note.pitch, note.onset_s, note.sounding_offset_s)
            painter.drawLine(QLineF(x, box.top() - 2, x, box.bottom() + 2))

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        note = self.note_at(at)
        return Qt.CursorShape.ForbiddenCursor if note is not None and self.refuses(note.layer) else self.cursor

    def says(self, at: Pointer) -> str:
        note = self.note_at(at)
        return (self.refuses(note.layer) if note is not None else "") or self.hint

    def reads(self, at: Pointer) -> str:
        del at
        return f"cut at {self._at_s:.3f} s"

    def _look(self, at: Pointer) -> None:
        self._at, self._at_s = at, self.desk.snap(at.time_s, bypass=at.alt)

    def _notes(self, at: Pointer) -> list[Note]:
        """The notes that a click would cut, at the place that the line shows."""
        state, selected, note = self.desk.document.state, self.desk.selection.ids, self.note_at(at)
        if note is not None and note.id not in selected:
            meant = [note]
        else:
            sounding = self.desk.field.notes_in(self._at_s, self._at_s, 0, 127)
            meant = [state.notes[i] for i in selected.intersection(sounding)]
        least_s = commands.SHORTEST_NOTE_S
        return [
            n for n in meant if n.onset_s + least_s <= self._at_s <= n.sounding_offset_s - least_s and not self.refuses(n.layer)
        ]
