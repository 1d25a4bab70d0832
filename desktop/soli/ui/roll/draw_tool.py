"""The draw tool."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter

from soli.project import commands
from soli.project.edits import Edit
from soli.score.notes import Note
from soli.ui.roll.erase_tool import EraseTool
from soli.ui.roll.ghost import Ghost, draw_ghost
from soli.ui.roll.select_tool import SelectTool
from soli.ui.roll.tools import Desk, Pointer, Tool

CLICKED_NOTE_S = 0.25


class DrawTool(Tool):
    """Draws notes on empty ground; on a note it is the select tool, with the right button the eraser."""

    name = "Draw"
    key = "2"
    hint = "Draw: drag from where a note begins to where it ends, or click · it joins the active layer · right-click erases"
    cursor = Qt.CursorShape.CrossCursor
    both_buttons = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._select, self._erase = SelectTool(desk), EraseTool(desk)
        self._deputy: Tool | None = None
        self._like: Note | None = None  # what is being drawn, wherever it will lie

    @property
    def dragging(self) -> bool:
        return self._deputy.dragging if self._deputy is not None else super().dragging

    @property
    def hidden(self) -> frozenset[int]:
        return self._deputy.hidden if self._deputy is not None else frozenset()

    @property
    def clicked(self) -> int | None:
        return self._deputy.clicked if self._deputy is not None else None

    def press(self, at: Pointer) -> None:
        if at.right:
            self._deputy = self._erase
        elif self._touches(at):
            self._deputy = self._select
        if self._deputy is not None:
            self._deputy.press(at)
        elif not self.refuses(self.desk.selection.layer):
            super().press(at)
            drawn = self._edit().apply(self.desk.document.state).notes
            self._like = drawn[max(drawn)]

    def drag(self, at: Pointer) -> None:
        if self._deputy is not None:
            self._deputy.drag(at)
        else:
            super().drag(at)
            self._stretch()  # shows where it snaps

    def release(self, at: Pointer) -> None:
        if self._deputy is not None:
            self._deputy.release(at)
            self._deputy = None
        else:
            super().release(at)

    def finish(self) -> None:
        state = self.desk.document.state
        self.desk.document.do(self._edit())
        self.desk.selection.set(self.desk.document.state.notes.keys() - state.notes.keys())

    def abort(self) -> None:
        if self._deputy is not None:
            self._deputy.abort()
        super().abort()

    def cancel(self) -> None:
        super().cancel()
        if self._deputy is not None:
            self._deputy.cancel()
            self._deputy = None

    def hover(self, at: Pointer | None) -> bool:
        if at is not None and not self._touches(at) and not self.refuses(self.desk.selection.layer):
            self.desk.snap(at.time_s, bypass=at.alt)  # shows where a note would begin
        return self._select.hover(at) or self.desk.snapping.mode.key != "off"

    def double_click(self, at: Pointer) -> bool:
        return self._select.double_click(at)

    def paint(self, painter: QPainter) -> None:
        if self.start is None:
            (self._deputy or self._select).paint(painter)
            return
        if self._like is not None:
            onset_s, offset_s = self._stretch()
            drawn = replace(self._like, onset_s=max(0.0, onset_s), offset_s=offset_s)
            draw_ghost(painter, self.desk, *Ghost([drawn], self.desk.document.state.settings).placed())

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        if self._touches(at):
            return self._select.shape_at(at)
        return Qt.CursorShape.ForbiddenCursor if self.refuses(self.desk.selection.layer) else self.cursor

    def says(self, at: Pointer) -> str:
        return self._select.says(at) if self._touches(at) else self.refuses(self.desk.selection.layer) or self.hint

    def reads(self, at: Pointer) -> str:
        if self._deputy is not None or self.start is None:
            return (self._deputy or self._select).reads(at)
        onset_s, offset_s = self._stretch()
        name = self.desk.document.state.pitch_name(self.start.pitch, onset_s)
        return f"{name}   ·   {offset_s - onset_s:.3f} s   ·   {onset_s:.3f} to {offset_s:.3f} s"

    def _touches(self, at: Pointer) -> bool:
        """Whether a note, or a handle of one, is here already: one note is enough in a place."""
        return self.note_at(at) is not None or self._select.handles.at(at) is not None

    def _stretch(self) -> tuple[float, float]:
        """From where to where the note would sound, in seconds."""
        start, now, desk = self.start, self.now, self.desk
        assert start is not None
        assert now is not None
        first_s = desk.snap(start.time_s, bypass=start.alt)
        if self.moved:
            low, high = sorted((first_s, desk.snap(now.time_s, bypass=now.alt)))
            if high > low:
                return low, high
        step = desk.snapping.cell(first_s) if not start.alt else None
        return first_s, step[1] if step is not None and step[1] > first_s else first_s + CLICKED_NOTE_S

    def _edit(self) -> Edit:
        onset_s, offset_s = self._stretch()
        start, layer = self.start, self.desk.selection.layer
        assert start is not None
        return commands.draw_note(self.desk.document.state, pitch=start.pitch, onset_s=onset_s, offset_s=offset_s, layer=layer)
