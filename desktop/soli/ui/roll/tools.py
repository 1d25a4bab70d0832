"""What the pointer does on the roll: select, draw, allow, forbid, erase. One drag is one edit."""

from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from soli.project import commands
from soli.project.document import Document
from soli.score.notes import Note, pitch_name
from soli.ui.beats import Beats
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.painting import rectangle
from soli.ui.roll.view import View
from soli.ui.selection import Selection
from soli.ui.theme import Theme

EDGE_PX = 6.0
DRAG_PX = 3.0
CLICKED_NOTE_S = 0.25


class Desk(Protocol):
    """What a tool works on: the canvas."""

    document: Document
    selection: Selection
    view: View
    theme: Theme
    field: NoteField
    beats: Beats

    def layer_colour(self, layer: int) -> QColor: ...
    def snap(self, time_s: float, *, bypass: bool = False) -> float: ...
    def anchor(self, score_s: float, recording_s: float) -> None: ...


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is and which keys are held."""

    x: float
    y: float
    time_s: float
    pitch: int
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    right: bool = False


class Tool:
    """A tool sees press, drag and release; `cancel` forgets the drag. `paint` draws what the drag would do."""

    name = ""
    key = ""
    hint = ""
    cursor = Qt.CursorShape.ArrowCursor
    both_buttons = False  # whether the right button works too, doing the opposite of the left one

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.start: Pointer | None = None
        self.now: Pointer | None = None

    @property
    def dragging(self) -> bool:
        return self.start is not None

    @property
    def moved(self) -> bool:
        start, now = self.start, self.now
        return bool(start and now and (abs(now.x - start.x) > DRAG_PX or abs(now.y - start.y) > DRAG_PX))

    @property
    def hidden(self) -> frozenset[int]:
        """Notes that the tool draws in another place while it drags."""
        return frozenset()

    @property
    def clicked(self) -> int | None:
        """The note that a plain click, released now, would mean to hear."""
        return None

    def press(self, at: Pointer) -> None:
        self.start = self.now = at

    def drag(self, at: Pointer) -> None:
        self.now = at

    def release(self, at: Pointer) -> None:
        self.now = at
        self.finish()
        self.cancel()

    def cancel(self) -> None:
        self.start = self.now = None

    def hover(self, at: Pointer | None) -> bool:
        """The pointer moves with no button held, or leaves (None); True where that has to be painted."""
        del at
        return False

    def double_click(self, at: Pointer) -> bool:
        """Whether a double click means something here, and was done."""
        del at
        return False

    def finish(self) -> None: ...
    def paint(self, painter: QPainter) -> None: ...
    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        del at
        return self.cursor

    def _note_at(self, at: Pointer) -> Note | None:
        slack_s = 2.0 / self.desk.view.px_per_s
        note_id = self.desk.field.note_at(at.time_s, at.pitch, slack_s=slack_s)
        return self.desk.document.state.notes.get(note_id) if note_id is not None else None


class SelectTool(Tool):
    """Click and rubber band select; dragging a note moves it, dragging its end stretches it."""

    name = "Select"
    key = "1"
    hint = "Select: click a note to hear it, drag to move it, drag its ends to stretch it · drag empty ground to select"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._part = ""  # "move", "onset", "offset" or "band"
        self._before: frozenset[int] = frozenset()

    @property
    def hidden(self) -> frozenset[int]:
        return self.desk.selection.ids if self._part in {"move", "onset", "offset"} and self.moved else frozenset()

    @property
    def clicked(self) -> int | None:
        start = self.start
        if start is None or self.moved or start.ctrl or start.shift:
            return None
        note = self._note_at(start)
        return note.id if note is not None else None

    def press(self, at: Pointer) -> None:
        super().press(at)
        selection, note = self.desk.selection, self._note_at(at)
        self._before = selection.ids if at.ctrl or at.shift else frozenset()
        if note is None:
            self._part = "band"
            selection.set(self._before)
            return
        if at.ctrl:
            selection.toggle({note.id})
        elif at.shift:
            selection.set(selection.ids | self._between(note))
        elif note.id not in selection.ids:
            selection.set({note.id})
        selection.set_layer(note.layer)
        self._part = self._zone(at, note) if note.id in selection.ids else ""

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        if self._part == "band" and self.moved and self.start:
            pitches = sorted((self.start.pitch, at.pitch))
            times = sorted((self.start.time_s, at.time_s))
            inside = frozenset(self.desk.field.notes_in(times[0], times[1], pitches[0], pitches[1]))
            self.desk.selection.set(self._before ^ inside if at.ctrl else self._before | inside)

    def finish(self) -> None:
        if not self.moved or self._part not in {"move", "onset", "offset"}:
            return
        state, ids = self.desk.document.state, self.desk.selection.ids
        seconds, semitones = self._way()
        if self._part == "move":
            self.desk.document.do(commands.move_notes(state, ids, seconds=seconds, semitones=semitones))
        elif self._part == "onset":
            self.desk.document.do(commands.stretch_notes(state, ids, onset_s=seconds))
        else:
            self.desk.document.do(commands.stretch_notes(state, ids, offset_s=seconds))

    def cancel(self) -> None:
        super().cancel()
        self._part = ""

    def paint(self, painter: QPainter) -> None:
        start, now, view, theme = self.start, self.now, self.desk.view, self.desk.theme
        if not (start and now and self.moved):
            return
        if self._part == "band":
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(theme.colour("accent", 36))
            painter.drawRect(QRectF(QPointF(start.x, start.y), QPointF(now.x, now.y)).normalized())
            return
        seconds, semitones = self._way()
        for note_id in self.hidden:
            note = self.desk.document.state.notes[note_id]
            onset, end, pitch = note.onset_s, note.sounding_offset_s, note.pitch
            if self._part != "offset":
                onset = min(onset + seconds, end - commands.SHORTEST_NOTE_S) if self._part == "onset" else onset + seconds
            if self._part != "onset":
                end = max(end + seconds, onset + commands.SHORTEST_NOTE_S)
            box = rectangle(view, pitch + (semitones if self._part == "move" else 0), onset, end, inset=1.0)
            painter.setPen(QPen(theme.colour("selection"), 1.8))
            painter.setBrush(self.desk.layer_colour(note.layer))
            painter.drawRoundedRect(box, 3, 3)

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        note = self._note_at(at)
        if note is None:
            return Qt.CursorShape.ArrowCursor
        return Qt.CursorShape.SizeAllCursor if self._zone(at, note) == "move" else Qt.CursorShape.SizeHorCursor

    def _zone(self, at: Pointer, note: Note) -> str:
        left, right = self.desk.view.x_of(note.onset_s), self.desk.view.x_of(note.sounding_offset_s)
        edge = min(EDGE_PX, (right - left) / 4)
        return "onset" if at.x < left + edge else "offset" if at.x > right - edge else "move"

    def _way(self) -> tuple[float, int]:
        start, now = self.start, self.now
        assert start is not None
        assert now is not None
        return now.time_s - start.time_s, now.pitch - start.pitch

    def _between(self, note: Note) -> frozenset[int]:
        chosen = [self.desk.document.state.notes[i] for i in self.desk.selection.ids] or [note]
        first, last = min(n.onset_s for n in chosen), max(n.onset_s for n in chosen)
        pitches = [n.pitch for n in chosen] + [note.pitch]
        times = sorted((min(first, note.onset_s), max(last, note.onset_s)))
        return frozenset(self.desk.field.notes_in(times[0], times[1], min(pitches), max(pitches)))


class DrawTool(Tool):
    """Drag from where a note begins to where it ends."""

    name = "Draw"
    key = "2"
    hint = "Draw: drag from where a note begins to where it ends · a click draws a short one · it joins the active layer"
    cursor = Qt.CursorShape.CrossCursor

    def press(self, at: Pointer) -> None:
        note = self._note_at(at)
        if note is None:
            super().press(at)
        else:
            self.desk.selection.set({note.id})  # one note is enough in a place

    def finish(self) -> None:
        start, now = self.start, self.now
        assert start is not None
        assert now is not None
        onset, offset = sorted((start.time_s, now.time_s)) if self.moved else (start.time_s, start.time_s + CLICKED_NOTE_S)
        state = self.desk.document.state
        edit = commands.draw_note(state, pitch=start.pitch, onset_s=onset, offset_s=offset, layer=self.desk.selection.layer)
        self.desk.document.do(edit)
        self.desk.selection.set({state.next_note_id()})

    def paint(self, painter: QPainter) -> None:
        start, now = self.start, self.now
        if start and now:
            onset, offset = sorted((start.time_s, now.time_s))
            painter.setPen(QPen(self.desk.theme.colour("selection"), 1.6))
            painter.setBrush(self.desk.layer_colour(self.desk.selection.layer))
            painter.drawRoundedRect(rectangle(self.desk.view, start.pitch, onset, offset, inset=1.0), 3, 3)


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
        steps = max(1, int(max(abs(at.x - former.x), abs(at.y - former.y)) / 3))
        for i in range(steps + 1):
            part = i / steps
            time_s = former.time_s + (at.time_s - former.time_s) * part
            pitch = self.desk.view.pitch_at(former.y + (at.y - former.y) * part)
            note = self._note_at(replace(at, time_s=time_s, pitch=pitch))
            if note is not None:
                self._ids.add(note.id)

    def finish(self) -> None:
        ids = self._ids & self.desk.document.state.notes.keys()
        if ids:
            self.desk.document.do(commands.delete_notes(self.desk.document.state, ids))

    def cancel(self) -> None:
        super().cancel()
        self._ids = set()


def says(tool: Tool, at: Pointer | None) -> str:
    """The tool's hint, naming the pitch under the pointer."""
    if at is None:
        return tool.hint
    if tool.dragging and tool.start is not None:
        low, high = sorted((tool.start.time_s, at.time_s))
        return f"{pitch_name(at.pitch)}   ·   {at.time_s - tool.start.time_s:+.2f} s   ·   {low:.2f} to {high:.2f} s".replace(
            "-", "−"
        )
    return f"{pitch_name(at.pitch)}   ·   {tool.hint}"
