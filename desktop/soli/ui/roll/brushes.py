"""The mask brushes: paint where a pitch may, or may not, sound."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import MaskEdit
from soli.project import commands
from soli.ui.roll.painting import draw_forbidden, rectangle
from soli.ui.roll.tools import Desk, Pointer, Tool

CLICKED_STROKE_S = 0.1


class MaskBrush(Tool):
    """Paints where a pitch may, or may not, sound. The right button does the opposite of the left one."""

    cursor = Qt.CursorShape.CrossCursor
    both_buttons = True

    def __init__(self, desk: Desk, *, allow: bool) -> None:
        super().__init__(desk)
        self._allow = allow
        self._rows: list[list[float]] = []  # pitch, from and to in seconds, one a visit of the pitch

    @property
    def _allows(self) -> bool:
        return self._allow != bool(self.start and self.start.right)

    def press(self, at: Pointer) -> None:
        super().press(at)
        self._rows = [[at.pitch, at.time_s, at.time_s]]

    def drag(self, at: Pointer) -> None:
        former = self.now or at
        super().drag(at)
        # A fast hand skips rows: each pitch on the way gets its part of it.
        steps = abs(at.pitch - former.pitch)
        direction = 1 if at.pitch > former.pitch else -1
        for i in range(steps + 1):
            pitch = former.pitch + direction * i
            start_s, end_s = (former.time_s + (at.time_s - former.time_s) * part / (steps + 1) for part in (i, i + 1))
            if self._rows[-1][0] != pitch:
                self._rows.append([pitch, start_s, start_s])
            row = self._rows[-1]
            row[1], row[2] = min(row[1], start_s, end_s), max(row[2], start_s, end_s)

    def cancel(self) -> None:
        super().cancel()
        self._rows = []

    def finish(self) -> None:
        strokes = self._strokes()
        if strokes:
            self.desk.document.do(commands.paint_mask(self.desk.document.state, strokes))

    def paint(self, painter: QPainter) -> None:
        for stroke in self._strokes() if self._rows else ():
            box = rectangle(self.desk.view, stroke.pitch, stroke.start_s, stroke.end_s)
            if stroke.allow:
                colour = self.desk.layer_colour(self.desk.selection.layer)
                painter.setPen(QPen(colour, 1.2))
                colour.setAlphaF(0.4)
                painter.setBrush(colour)
                painter.drawRect(box)
            else:
                draw_forbidden(painter, box, self.desk.theme)

    def _strokes(self) -> list[MaskEdit]:
        strokes = []
        for pitch, start_s, end_s in self._rows:
            low, high = max(0.0, start_s), end_s
            if high - low < CLICKED_STROKE_S and len(self._rows) == 1 and not self.moved:
                low, high = max(0.0, low - CLICKED_STROKE_S / 2), low + CLICKED_STROKE_S / 2
            if high > low and 0 <= pitch <= 127:
                layer = self.desk.selection.layer if self._allows else None
                strokes.append(MaskEdit(int(pitch), low, high, allow=self._allows, layer=layer))
        return strokes


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
