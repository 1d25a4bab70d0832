"""The select tool: choose notes, move and copy them, stretch them, drag their tolerances."""

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.settings import RANGES
from soli.project import commands
from soli.score.notes import Note
from soli.ui.roll.boxes import box_of, fill
from soli.ui.roll.chip import draw_chip
from soli.ui.roll.ghost import Ghost, draw_ghost
from soli.ui.roll.handles import Handle, Handles
from soli.ui.roll.painting import rectangle
from soli.ui.roll.tools import Desk, Pointer, Tool

EDGE_PX = 6.0

Part = Literal["", "band", "move", "copy", "onset", "offset", "tolerance"]


class SelectTool(Tool):
    """Click and rubber band select; a drag moves notes, their ends stretch them, the ends of their bodies are tolerances."""

    name = "Select"
    key = "1"
    hint = (
        "Select: click a note to hear it · drag to move, Ctrl-drag to copy, its ends to stretch · Shift keeps to one direction"
        " · drag empty ground to select"
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.handles = Handles(desk)
        self._part: Part = ""
        self._before: frozenset[int] = frozenset()  # what was selected when the drag began
        self._grabbed: Note | None = None
        self._handle: Handle | None = None
        self._hovered: Handle | None = None
        self._toggles = False  # a click would take the note out of the selection
        self._ghost: Ghost | None = None

    @property
    def hidden(self) -> frozenset[int]:
        ghost = self._ghost if self.moved and self._part not in {"", "band", "copy"} else None
        return ghost.ids if ghost is not None else frozenset()

    @property
    def carries(self) -> frozenset[int]:
        ghost = self._ghost if self.moved and self._part in {"move", "onset", "offset"} else None
        return ghost.ids if ghost is not None else frozenset()

    @property
    def clicked(self) -> int | None:
        start = self.start
        if start is None or self.moved or start.ctrl or start.shift or self._handle is not None:
            return None
        return self._grabbed.id if self._grabbed is not None else None

    def press(self, at: Pointer) -> None:
        super().press(at)
        selection = self.desk.selection
        self._before, self._hovered, self._toggles = selection.ids, None, False
        self._handle = self.handles.at(at)
        note = self._grabbed = self._handle.note if self._handle is not None else self.note_at(at)
        if note is None:
            self._part = "band"
            if not (at.ctrl or at.shift):
                selection.set(())
            return
        if self._handle is not None:
            self._part = "tolerance"
            return
        if at.ctrl:
            self._toggles = note.id in selection.ids
            selection.set(selection.ids | {note.id})
        elif at.shift:
            selection.set(selection.ids | self._between(note))
        elif note.id not in selection.ids:
            selection.set({note.id})
        selection.set_layer(note.layer)
        self._part = "" if self.refuses(note.layer) else "copy" if at.ctrl else self._zone(at, note)

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        if not self.moved or self.start is None:
            return
        if self._part == "band":
            low, high = sorted((self.start.pitch, at.pitch))
            times = sorted((self.start.time_s, at.time_s))
            inside = frozenset(self.desk.field.notes_in(times[0], times[1], low, high))
            kept = self._before if at.ctrl or at.shift else frozenset()
            self.desk.selection.set(kept ^ inside if at.ctrl else kept | inside)
        elif self._part and self._ghost is None:
            if self._part == "copy" and self._grabbed is not None and self._grabbed.id not in self._before:
                self.desk.selection.set({self._grabbed.id})  # a click would add it to the others; a drag means it alone
            self._ghost = Ghost.of(self.desk.document.state, self.desk.selection.ids)
        if self._part in {"move", "copy", "onset", "offset"}:
            self._way()  # shows where it snaps

    def double_click(self, at: Pointer) -> bool:
        handle = self.handles.at(at)
        if handle is None:
            return False
        state, ids = self.desk.document.state, self.desk.selection.ids
        before = handle.side == "before"
        self.desk.document.do(
            commands.set_tolerances(state, ids, before_s=None) if before else commands.set_tolerances(state, ids, after_s=None)
        )
        return True

    def finish(self) -> None:
        document, selection = self.desk.document, self.desk.selection
        state, ids = document.state, selection.ids
        if not self.moved:
            if self._toggles and self._grabbed is not None:
                selection.toggle({self._grabbed.id})
            return
        if self._part in {"", "band"}:
            return
        if self._part == "tolerance":
            self._set_tolerance()
            return
        seconds, semitones = self._way()
        if self._part == "move":
            document.do(commands.move_notes(state, ids, seconds=seconds, semitones=semitones))
        elif self._part == "copy":
            self._copy(seconds, semitones)
        elif self._part == "onset":
            document.do(commands.stretch_notes(state, ids, onset_s=seconds))
        else:
            document.do(commands.stretch_notes(state, ids, offset_s=seconds))

    def abort(self) -> None:
        if self._part == "band":
            self.desk.selection.set(self._before & self.desk.document.state.notes.keys())
        super().abort()

    def cancel(self) -> None:
        super().cancel()
        self._part, self._ghost, self._grabbed, self._handle = "", None, None, None

    def hover(self, at: Pointer | None) -> bool:
        former, self._hovered = self._hovered, self.handles.at(at) if at is not None else None
        return former != self._hovered

    def paint(self, painter: QPainter) -> None:
        start, now, theme = self.start, self.now, self.desk.theme
        if not (start and now and self.moved and self._part):
            self.handles.paint(painter)
            if self._hovered is not None:
                self._tell(painter, self._hovered, self._hovered.x, self._hovered.tolerance_s)
        elif self._part == "band":
            corner = QPointF(self.desk.view.x_of(start.time_s), start.y)  # the roll may have moved since
            band = QRectF(corner, QPointF(now.x, now.y)).normalized()
            fill(painter, box_of(band), theme.colour("accent", 36))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(band)
        elif self._ghost is not None and self._handle is not None:
            self._paint_tolerance(painter, self._ghost, self._handle)
        elif self._ghost is not None:
            seconds, semitones = self._way()
            if self._part in {"move", "copy"}:
                draw_ghost(painter, self.desk, *self._ghost.placed(seconds=seconds, semitones=semitones))
            elif self._part == "onset":
                draw_ghost(painter, self.desk, *self._ghost.placed(onset_s=seconds))
            else:
                draw_ghost(painter, self.desk, *self._ghost.placed(offset_s=seconds))

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        if self.handles.at(at) is not None:
            return Qt.CursorShape.SplitHCursor
        note = self.note_at(at)
        if note is None:
            return Qt.CursorShape.ArrowCursor
        if self.refuses(note.layer):
            return Qt.CursorShape.ForbiddenCursor
        if at.ctrl:
            return Qt.CursorShape.DragCopyCursor
        return Qt.CursorShape.SizeAllCursor if self._zone(at, note) == "move" else Qt.CursorShape.SizeHorCursor

    def says(self, at: Pointer) -> str:
        handle = self.handles.at(at)
        if handle is not None:
            return f"{handle.says(handle.tolerance_s)} · drag to change, double-click for the instrument's own"
        note = self.note_at(at)
        return (self.refuses(note.layer) if note is not None else "") or self.hint

    def reads(self, at: Pointer) -> str:
        note = self._grabbed
        if self._handle is not None:
            return self._handle.says(self._tolerance(), several=self._ghost is not None and len(self._ghost.ids) > 1)
        if note is None or self._part in {"", "band"}:
            return (self.refuses(note.layer) if note is not None else "") or super().reads(at)
        seconds, semitones = self._way()
        name = self.desk.document.state.pitch_name(note.pitch + semitones, note.onset_s + seconds)
        if self._part in {"move", "copy"}:
            return f"{name}   ·   {semitones:+d} semitones   ·   {seconds:+.3f} s   ·   onset {note.onset_s + seconds:.3f} s"
        if self._part == "onset":
            return f"{name}   ·   {seconds:+.3f} s   ·   onset {note.onset_s + seconds:.3f} s"
        return f"{name}   ·   {seconds:+.3f} s   ·   end {note.sounding_offset_s + seconds:.3f} s"

    def _zone(self, at: Pointer, note: Note) -> Part:
        box = rectangle(self.desk.view, note.pitch, note.onset_s, note.sounding_offset_s)
        edge = min(EDGE_PX, box.width() / 4)
        return "onset" if at.x < box.left() + edge else "offset" if at.x > box.right() - edge else "move"

    def _way(self) -> tuple[float, int]:
        """How far the drag goes, in seconds and semitones: the grabbed end of the grabbed note snaps."""
        start, now, note = self.start, self.now, self._grabbed
        if start is None or now is None or note is None:
            return 0.0, 0
        across, down = abs(now.x - start.x), abs(now.y - start.y)
        free = self._part in {"move", "copy"}
        # A hand that means another pitch does not mean another time.
        seconds = now.time_s - start.time_s if across > 3.0 and not (free and now.shift and down > across) else 0.0
        semitones = now.pitch - start.pitch if free and not (now.shift and down <= across) else 0
        if seconds:
            from_s = note.sounding_offset_s if self._part == "offset" else note.onset_s
            seconds = self.desk.snap(from_s + seconds, bypass=now.alt) - from_s
        return self._ghost.way(seconds, semitones) if free and self._ghost is not None else (seconds, semitones)

    def _copy(self, seconds: float, semitones: int) -> None:
        document = self.desk.document
        state, ids = document.state, self.desk.selection.ids
        notes = commands.copy_notes(state, state.editable(ids))
        if notes:
            edit = commands.paste_notes(state, notes, notes[0].onset_s + seconds, semitones)
            document.do(replace(edit, name=f"copy {commands.count(len(notes), 'note')}"))
            self.desk.selection.set(document.state.notes.keys() - state.notes.keys())

    def _tolerance(self) -> float:
        start, now, handle = self.start, self.now, self._handle
        assert start is not None
        assert now is not None
        assert handle is not None
        outwards = (start.time_s - now.time_s) if handle.side == "before" else (now.time_s - start.time_s)
        low, high = RANGES["before_s" if handle.side == "before" else "after_s"]
        return min(max(low, handle.tolerance_s + outwards), high)

    def _set_tolerance(self) -> None:
        document, handle, tolerance_s = self.desk.document, self._handle, self._tolerance()
        assert handle is not None
        state, ids = document.state, self.desk.selection.ids
        if handle.side == "before":
            edit = commands.set_tolerances(state, ids, before_s=tolerance_s)
        else:
            edit = commands.set_tolerances(state, ids, after_s=tolerance_s)
        what = "widen tolerance" if tolerance_s > handle.tolerance_s else "narrow tolerance"
        document.do(replace(edit, name=commands.of_notes(what, len(state.editable(ids)))))

    def _paint_tolerance(self, painter: QPainter, ghost: Ghost, handle: Handle) -> None:
        tolerance_s = self._tolerance()
        before = tolerance_s if handle.side == "before" else None
        draw_ghost(painter, self.desk, *ghost.placed(before_s=before, after_s=None if before is not None else tolerance_s))
        x = handle.x + (tolerance_s - handle.tolerance_s) * self.desk.view.px_per_s * (-1 if before is not None else 1)
        self.handles.draw(painter, handle.note.pitch, self.desk.view.x_of(handle.edge_s), x)
        self._tell(painter, handle, x, tolerance_s, several=len(ghost.ids) > 1)

    def _tell(self, painter: QPainter, handle: Handle, x: float, tolerance_s: float, *, several: bool = False) -> None:
        box = rectangle(self.desk.view, handle.note.pitch, 0.0, 0.0)
        words = handle.says(tolerance_s, several=several)
        draw_chip(painter, self.desk.view, self.desk.theme, x, box.top(), words)

    def _between(self, note: Note) -> frozenset[int]:
        state = self.desk.document.state
        chosen = [state.notes[i] for i in self.desk.selection.ids] or [note]
        first, last = min(n.onset_s for n in chosen), max(n.onset_s for n in chosen)
        pitches = [n.pitch for n in chosen] + [note.pitch]
        times = sorted((min(first, note.onset_s), max(last, note.onset_s)))
        return frozenset(self.desk.field.notes_in(times[0], times[1], min(pitches), max(pitches))) | {note.id}
