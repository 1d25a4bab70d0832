"""The rectangle: allows or forbids all pitches of a stretch of time at once."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import MaskEdit
from soli.project import commands
from soli.ui.roll.boxes import box_of, fill
from soli.ui.roll.chip import draw_chip
from soli.ui.roll.painting import draw_forbidden
from soli.ui.roll.tools import Pointer, Tool


class RectangleTool(Tool):
    """Drag from corner to corner; the right button or Shift forbids."""

    name = "Rectangle"
    key = "7"
    hint = "Rectangle: drag over times and pitches to allow them in the active layer · right-drag or Shift forbids"
    cursor = Qt.CursorShape.CrossCursor
    both_buttons = True

    def press(self, at: Pointer) -> None:
        if self._forbids(at) or not self.refuses(self.desk.selection.layer):
            super().press(at)

    def finish(self) -> None:
        strokes = self._strokes()
        if strokes:
            self.desk.document.do(commands.paint_mask(self.desk.document.state, strokes))

    def paint(self, painter: QPainter) -> None:
        strokes, now = self._strokes(), self.now
        if not strokes or now is None:
            return
        view, theme = self.desk.view, self.desk.theme
        start_s, end_s, low, high = strokes[0].start_s, strokes[0].end_s, strokes[0].pitch, strokes[-1].pitch
        left, top = max(-2.0, view.x_of(start_s)), view.edge_of(high + 0.5)
        box = QRectF(left, top, min(view.x_of(end_s), view.width + 2.0) - left, view.edge_of(low - 0.5) - top)
        if strokes[0].allow:
            colour = self.desk.layer_colour(self.desk.selection.layer)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(colour, 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            colour.setAlphaF(0.3)
            painter.drawRect(box)
            fill(painter, box_of(box), colour)
        else:
            draw_forbidden(painter, view, box, theme)
        spell = self.desk.document.state.pitch_name
        names = "–".join(spell(pitch, start_s) for pitch in dict.fromkeys((low, high)))
        draw_chip(painter, view, theme, now.x, now.y, f"{end_s - start_s:.2f} s, {names}")

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        refused = not at.shift and self.refuses(self.desk.selection.layer)
        return Qt.CursorShape.ForbiddenCursor if refused else self.cursor

    def says(self, at: Pointer) -> str:
        return ("" if at.shift else self.refuses(self.desk.selection.layer)) or self.hint

    def _forbids(self, at: Pointer) -> bool:
        return at.right or at.shift

    def _strokes(self) -> list[MaskEdit]:
        """One a pitch, from the lowest up; none while nothing is spanned."""
        start, now = self.start, self.now
        if start is None or now is None or not self.moved:
            return []
        # Shift counts as it is now: who has begun with it may think better of it.
        allow = not (start.right or now.shift)
        times = sorted(self.desk.snap(at.time_s, bypass=at.alt) for at in (start, now))
        start_s, end_s = max(0.0, times[0]), times[1]
        low, high = sorted((start.pitch, now.pitch))
        if end_s <= start_s or (allow and self.refuses(self.desk.selection.layer)):
            return []
        layer = self.desk.selection.layer if allow else None
        return [MaskEdit(p, start_s, end_s, allow=allow, layer=layer) for p in range(max(0, low), min(127, high) + 1)]
