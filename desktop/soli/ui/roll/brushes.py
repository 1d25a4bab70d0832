"""The mask brushes: paint where a pitch may, or may not, sound."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import MaskEdit
from soli.project import commands
from soli.ui.roll.painting import draw_forbidden, rectangle
from soli.ui.roll.sweep import Sweep
from soli.ui.roll.tools import Desk, Pointer, Tool

CLICKED_STROKE_S = 0.1


class StrokeTool(Tool):
    """Collects what a hand passes over, its ends on the grid that times snap to."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._sweep = Sweep()
        self._at: tuple[int, float] = (0, 0.0)  # pitch and snapped seconds of the last point

    def press(self, at: Pointer) -> None:
        super().press(at)
        self._sweep = Sweep()
        self._at = self._point(at)
        self._sweep.go(self._at, self._at)

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        former, self._at = self._at, self._point(at)
        self._sweep.go(former, self._at)

    def cancel(self) -> None:
        super().cancel()
        self._sweep = Sweep()

    def swept(self) -> list[tuple[int, float, float]]:
        """Pitch, from and to in seconds of what was passed over; a click takes a step of the grid, or a short stretch."""
        stretches = [
            (pitch, max(0.0, start_s), end_s)
            for pitch, start_s, end_s in self._sweep.stretches()
            if 0 <= pitch <= 127 and end_s > max(0.0, start_s)
        ]
        start = self.start
        if stretches or start is None or not 0 <= start.pitch <= 127:
            return stretches
        cell = self.desk.snapping.cell(start.time_s) if not start.alt else None
        low, high = cell or (start.time_s - CLICKED_STROKE_S / 2, start.time_s + CLICKED_STROKE_S / 2)
        return [(start.pitch, max(0.0, low), high)] if high > 0 else []

    def _point(self, at: Pointer) -> tuple[int, float]:
        return at.pitch, self.desk.snap(at.time_s, bypass=at.alt)


class MaskBrush(StrokeTool):
    """Paints where a pitch may, or may not, sound. The right button does the opposite of the left one."""

    both_buttons = True

    def __init__(self, desk: Desk, *, allow: bool) -> None:
        super().__init__(desk)
        self._allow = allow

    def press(self, at: Pointer) -> None:
        if not (self._allows(at) and self.refuses(self.desk.selection.layer)):
            super().press(at)

    def finish(self) -> None:
        strokes = self._strokes()
        if strokes:
            self.desk.document.do(commands.paint_mask(self.desk.document.state, strokes))

    def paint(self, painter: QPainter) -> None:
        for stroke in self._strokes():
            draw_stroke(painter, self.desk, stroke)

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        refused = self._allow and self.refuses(self.desk.selection.layer)
        return Qt.CursorShape.ForbiddenCursor if refused else super().shape_at(at)

    def says(self, at: Pointer) -> str:
        return (self.refuses(self.desk.selection.layer) if self._allow else "") or super().says(at)

    def _allows(self, at: Pointer) -> bool:
        return self._allow != at.right

    def _strokes(self) -> list[MaskEdit]:
        if self.start is None:
            return []
        allow = self._allows(self.start)
        layer = self.desk.selection.layer if allow else None
        return [MaskEdit(pitch, start_s, end_s, allow=allow, layer=layer) for pitch, start_s, end_s in self.swept()]


class AllowBrush(MaskBrush):
    name = "Allow"
    key = "5"
    hint = "Allow: drag where a pitch may sound beyond its notes, in the active layer · right-drag forbids"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, allow=True)


class ForbidBrush(MaskBrush):
    name = "Forbid"
    key = "6"
    hint = "Forbid: drag where a pitch may not sound, whatever the notes say · right-drag allows"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, allow=False)


def draw_stroke(painter: QPainter, desk: Desk, stroke: MaskEdit) -> None:
    """A stroke that is being painted: in the colour of its layer, or hatched."""
    view = desk.view
    if stroke.end_s < view.start_s or stroke.start_s > view.end_s:
        return
    box = rectangle(view, stroke.pitch, stroke.start_s, stroke.end_s)
    if not stroke.allow:
        draw_forbidden(painter, view, box, desk.theme)
        return
    colour = desk.layer_colour(desk.selection.layer if stroke.layer is None else stroke.layer)
    painter.setPen(QPen(colour, 1.2))
    colour.setAlphaF(0.4)
    painter.setBrush(colour)
    painter.drawRect(box)
