"""The erase tool."""

from dataclasses import replace

from PySide6.QtCore import Qt

from soli.project import commands
from soli.ui.roll.tools import Desk, Pointer, Tool

STEP_PX = 3.0


class EraseTool(Tool):
    """Deletes the notes it is dragged over, as one step."""

    name = "Erase"
    key = "4"
    hint = "Erase: click or drag over notes to delete them"
    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._ids: set[int] = set()

    @property
    def hidden(self) -> frozenset[int]:
        return frozenset(self._ids)

    def press(self, at: Pointer) -> None:
        super().press(at)
        self.drag(at)

    def drag(self, at: Pointer) -> None:
        former = self.now or at
        super().drag(at)
        # A fast hand skips notes: look at every few pixels of the way.
        steps = max(1, int(max(abs(at.x - former.x), abs(at.y - former.y)) / STEP_PX))
        for i in range(steps + 1):
            part = i / steps
            time_s = former.time_s + (at.time_s - former.time_s) * part
            pitch = self.desk.view.pitch_at(former.y + (at.y - former.y) * part)
            note = self.note_at(replace(at, time_s=time_s, pitch=pitch))
            if note is not None and not self.refuses(note.layer):
                self._ids.add(note.id)

    def finish(self) -> None:
        ids = self._ids & self.desk.document.state.notes.keys()
        if ids:
            self.desk.document.do(commands.delete_notes(self.desk.document.state, ids))

    def cancel(self) -> None:
        super().cancel()
        self._ids = set()

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        note = self.note_at(at)
        return Qt.CursorShape.ForbiddenCursor if note is not None and self.refuses(note.layer) else self.cursor

    def reads(self, at: Pointer) -> str:
        del at
        return f"delete {commands.count(len(self._ids), 'note')}" if self._ids else "no note yet"

    def says(self, at: Pointer) -> str:
        note = self.note_at(at)
        return (self.refuses(note.layer) if note is not None else "") or self.hint
