"""The harmonic brush: paint over a line of the spectrogram, and the pitch it belongs to is allowed there."""

from statistics import median

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import MaskEdit
from soli.project import commands
from soli.signal.pitch_finding import FoundPitch, find_pitch, partial_pitches
from soli.ui.roll.brushes import CLICKED_STROKE_S
from soli.ui.roll.chip import draw_chip
from soli.ui.roll.painting import draw_forbidden, rectangle
from soli.ui.roll.tools import Desk, Pointer, Tool

SHOWN_PARTIALS = 16
MOST_COLUMNS = 64
MOST_POINTS = 256


class HarmonicBrush(Tool):
    """Finds the fundamental of the partial under the hand and shows all of its partials; Shift takes the row itself."""

    name = "Harmonic"
    key = "9"
    hint = "Harmonic: paint over any partial in the spectrogram to allow its pitch · right-drag forbids · Shift: this row itself"
    cursor = Qt.CursorShape.CrossCursor
    both_buttons = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._span = (0.0, 0.0)
        self._pitches: list[float] = []  # where the hand has been, with fractions
        self._found: FoundPitch | None = None

    def press(self, at: Pointer) -> None:
        if at.right or not self.refuses(self.desk.selection.layer):
            super().press(at)
            time_s = self.desk.snap(at.time_s, bypass=at.alt)
            self._span, self._pitches = (time_s, time_s), []
            self.drag(at)

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        time_s = self.desk.snap(at.time_s, bypass=at.alt)
        self._span = min(self._span[0], time_s), max(self._span[1], time_s)
        if len(self._pitches) == MOST_POINTS:
            self._pitches = self._pitches[::2]
        self._pitches.append(self.desk.view.fine_pitch_at(at.y))
        self._found = self._find(at)

    def cancel(self) -> None:
        super().cancel()
        self._found = None

    def finish(self) -> None:
        found, start = self._found, self.start
        if found is not None and start is not None:
            allow = not start.right
            layer = self.desk.selection.layer if allow else None
            stroke = MaskEdit(found.pitch, *self._stretch(), allow=allow, layer=layer)
            self.desk.document.do(commands.paint_mask(self.desk.document.state, [stroke]))

    def paint(self, painter: QPainter) -> None:
        found, start, now, view, theme = self._found, self.start, self.now, self.desk.view, self.desk.theme
        if start is None or now is None:
            return
        start_s, end_s = self._stretch()
        if found is None:
            draw_chip(painter, view, theme, now.x, now.y, "no pitch found here")
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        colour = theme.colour("bad") if start.right else self.desk.layer_colour(self.desk.selection.layer)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, pitch in enumerate(partial_pitches(found.pitch, SHOWN_PARTIALS).tolist(), 1):
            if number > 1 and pitch - 0.5 < view.top:
                painter.setPen(QPen(colour, 2.0 if number == found.partial else 1.2))
                painter.drawRoundedRect(self._box(pitch, start_s, end_s), 2, 2)
        box = rectangle(view, found.pitch, start_s, end_s)
        if start.right:
            draw_forbidden(painter, view, box, theme)
        else:
            painter.setPen(QPen(colour, 1.6))
            colour.setAlphaF(0.45)
            painter.setBrush(colour)
            painter.drawRoundedRect(box, 2, 2)
        draw_chip(painter, view, theme, now.x, now.y, f"{self._name(found)}{_partial_of(found)}")

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        del at
        return Qt.CursorShape.ForbiddenCursor if self.refuses(self.desk.selection.layer) else self.cursor

    def says(self, at: Pointer) -> str:
        del at
        return self.refuses(self.desk.selection.layer) or self.hint

    def reads(self, at: Pointer) -> str:
        del at
        found = self._found
        if found is None:
            return "no pitch found here"
        low, high = self._stretch()
        return f"{self._name(found)}{_partial_of(found)}   ·   {low:.2f} to {high:.2f} s"

    def _name(self, found: FoundPitch) -> str:
        return self.desk.document.state.pitch_name(found.pitch, self._stretch()[0])

    def _find(self, at: Pointer) -> FoundPitch | None:
        near = median(self._pitches)
        if at.shift:
            return FoundPitch(min(127, max(0, round(near))), 1, 0.0)
        return find_pitch(self.desk.heard(*self._stretch(), MOST_COLUMNS), near)

    def _stretch(self) -> tuple[float, float]:
        """From where to where the pitch is allowed, in seconds; a click is a short stretch."""
        low, high = self._span
        if high <= low:
            low, high = low - CLICKED_STROKE_S / 2, low + CLICKED_STROKE_S / 2
        return max(0.0, low), max(CLICKED_STROKE_S / 2, high)

    def _box(self, pitch: float, start_s: float, end_s: float) -> QRectF:
        """A partial: half a semitone around its middle."""
        view = self.desk.view
        top, left = view.edge_of(pitch + 0.25), view.x_of(start_s)
        return QRectF(left, top, max(3.0, view.x_of(end_s) - left), max(2.0, view.edge_of(pitch - 0.25) - top))


def _partial_of(found: FoundPitch) -> str:
    """Which partial of the pitch the hand is on, where it is not the fundamental."""
    return "" if found.partial == 1 else f"  ·  partial {found.partial} here"
