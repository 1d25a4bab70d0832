"""The spectrum of a template over pitch, with its partials: how far each may reach can be dragged."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from soli.decompose.templates import bands_hz
from soli.score.notes import Times
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid
from soli.ui.theme import Theme

FLOOR_DB = -60.0
LEFT, RIGHT, TOP, BOTTOM = 10.0, 10.0, 10.0, 20.0
REACH_PX = 5.0
LEAST_CENTS, MOST_CENTS = 10.0, 100.0
NATURAL_CENTS = 35.0  # about how wide partials are where nothing limits them
BELOW, ABOVE = 0.75, 1.25  # how far the axis goes beyond the first and the last partial
DRUM_HZ = (30.0, 16_000.0)  # the axis of what has no partials
TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What is shown: templates over the bins of `grid`, each float32 of shape (K,), and the partials of the pitch.

    `learnt` is None before there is a decomposition; `centres_hz` are all partials below half the sampling rate, float64;
    the first `harmonics` of them are allowed (None: all), each with a half-width of `cents` (None: as the recording has it).
    A drum has no partials.
    """

    grid: Grid
    begun: FloatArray
    learnt: FloatArray | None
    centres_hz: Times
    harmonics: int | None
    cents: float | None
    colour: str


class SpectrumView(QWidget):
    """Draws a Spectrum. Dragging the edge of a partial asks for another width; a double click there for none."""

    width_dragged = Signal(float)  # cents, while the edge is dragged
    width_chosen = Signal(float)  # cents, 0 for none

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._spectrum: Spectrum | None = None
        self._hint = ""
        self._held: int | None = None  # the partial whose edge is dragged
        self._cents: float | None = None  # its width meanwhile
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(200, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip("Drag the edge of a partial to say how wide all of them may be; double-click it to let the sound decide")
        theme.changed.connect(self.update)

    def show_spectrum(self, spectrum: Spectrum | None, *, hint: str = "") -> None:
        """Show a spectrum, or a `hint` why there is none. A drag that goes on is forgotten."""
        self._spectrum, self._hint = spectrum, hint
        self._held = self._cents = None
        self.update()

    @property
    def dragging(self) -> bool:
        return self._held is not None

    def edge_px(self, partial: int) -> tuple[float, float]:
        """Where a partial (from 0) begins and ends in the widget. There must be a spectrum."""
        low, high = self._bands()
        return self._x(float(low[partial])), self._x(float(high[partial]))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, area = self._theme, self._area()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(theme.colour("border"))
            painter.setBrush(theme.colour("canvas"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            spectrum = self._spectrum
            if spectrum is None:
                painter.setFont(theme.font(9))
                painter.setPen(theme.colour("dim"))
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
                return
            self._paint_ticks(painter, area)
            painter.setClipRect(area)
            self._paint_bands(painter, area, spectrum)
            self._paint_curve(painter, area, spectrum.begun, None)
            if spectrum.learnt is not None:
                self._paint_curve(painter, area, spectrum.learnt, QColor(spectrum.colour))
            self._paint_cut(painter, area, spectrum)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = self._edge_at(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        spectrum = self._spectrum
        if self._held is None or spectrum is None:
            near = self._edge_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
            return
        centre, hertz = float(spectrum.centres_hz[self._held]), self._hertz(event.position().x())
        cents = float(np.clip(abs(1200 * np.log2(hertz / centre)), LEAST_CENTS, MOST_CENTS))
        self._cents = float(round(cents))
        self.width_dragged.emit(self._cents)
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        cents, self._held, self._cents = self._cents, None, None
        if cents is not None:
            self.width_chosen.emit(cents)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._edge_at(event.position()) is not None:
            self._held = self._cents = None
            self.width_chosen.emit(0.0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.dragging:
            self._held = self._cents = None
            self.width_dragged.emit(0.0)
            self.update()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.unsetCursor()
        super().leaveEvent(event)

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)

    def _ends(self) -> tuple[float, float]:
        """The first and the last frequency of the axis."""
        spectrum = self._spectrum
        assert spectrum is not None
        if not len(spectrum.centres_hz):
            return DRUM_HZ[0], min(DRUM_HZ[1], spectrum.grid.rate / 2)
        first = float(spectrum.centres_hz[0])
        shown = max(8, (spectrum.harmonics or 0) + 4)
        # What lies above 24 partials is of interest only where so many are asked for.
        last = float(spectrum.centres_hz[: max(shown, 24)][-1])
        return BELOW * first, min(ABOVE * last, spectrum.grid.rate / 2)

    def _x(self, hertz: float) -> float:
        low, high = self._ends()
        area = self._area()
        return float(area.left() + area.width() * np.log(max(hertz, 1e-3) / low) / np.log(high / low))

    def _hertz(self, x: float) -> float:
        low, high = self._ends()
        area = self._area()
        return float(low * (high / low) ** ((x - area.left()) / max(1.0, area.width())))

    def _allowed(self) -> int:
        """How many partials are allowed."""
        spectrum = self._spectrum
        assert spectrum is not None
        count = len(spectrum.centres_hz)
        return count if spectrum.harmonics is None else min(count, spectrum.harmonics)

    def _bands(self) -> tuple[Times, Times]:
        spectrum = self._spectrum
        assert spectrum is not None
        cents = self._cents or spectrum.cents or NATURAL_CENTS
        return bands_hz(spectrum.centres_hz[: self._allowed()], cents, spectrum.grid)

    def _edge_at(self, at: QPointF) -> int | None:
        """The partial one of whose edges lies under the pointer, the nearest one."""
        if self._spectrum is None or not self._area().adjusted(-REACH_PX, -REACH_PX, REACH_PX, REACH_PX).contains(at):
            return None
        low, high = self._ends()
        edges = np.stack(self._bands())
        places = self._area().left() + self._area().width() * np.log(np.maximum(edges, 1e-3) / low) / np.log(high / low)
        away = np.abs(places - at.x()).min(axis=0)
        return int(away.argmin()) if away.size and away.min() <= REACH_PX else None

    def _paint_ticks(self, painter: QPainter, area: QRectF) -> None:
        theme, (low, high) = self._theme, self._ends()
        painter.setFont(theme.font(7.5, figures=True))
        for hertz in TICKS_HZ:
            if low <= hertz <= high:
                x = round(self._x(hertz)) + 0.5
                painter.setPen(QPen(theme.colour("faint", 60), 1))
                painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
                painter.setPen(theme.colour("faint"))
                name = f"{hertz} Hz" if hertz < 1000 else f"{hertz // 1000} kHz"
                painter.drawText(QRectF(x - 30, area.bottom() + 3, 60, 14), Qt.AlignmentFlag.AlignCenter, name)

    def _paint_bands(self, painter: QPainter, area: QRectF, spectrum: Spectrum) -> None:
        """The partials that are allowed: a band each, with edges to hold; dotted where the sound decides how wide they are."""
        theme, bound = self._theme, self._cents is not None or spectrum.cents is not None
        colour = theme.colour("accent") if bound else theme.colour("dim", 110)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(theme.font(7, figures=True))
        free = -np.inf
        for number, (low, high) in enumerate(zip(*(edge.tolist() for edge in self._bands()), strict=True), 1):
            left, right = self._x(low), self._x(high)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), theme.colour("accent", 34 if bound else 12))
            painter.setPen(QPen(colour, 1, Qt.PenStyle.SolidLine if bound else Qt.PenStyle.DotLine))
            if right - left > 4:
                painter.drawLine(QLineF(round(left), area.top(), round(left), area.bottom()))
                painter.drawLine(QLineF(round(right), area.top(), round(right), area.bottom()))
            centre = (left + right) / 2
            if centre - 9 > free:
                painter.setPen(theme.colour("dim"))
                painter.drawText(QRectF(centre - 12, area.top(), 24, 12), Qt.AlignmentFlag.AlignCenter, str(number))
                free = centre + 9

    def _paint_curve(self, painter: QPainter, area: QRectF, template: FloatArray, colour: QColor | None) -> None:
        """A template in decibels below its loudest; filled in a colour, or as the line of where it begins."""
        spectrum = self._spectrum
        assert spectrum is not None
        low, high = self._ends()
        bin_hz = spectrum.grid.rate / spectrum.grid.window_length
        first, last = max(1, int(low / bin_hz)), min(len(template), int(high / bin_hz) + 2)
        part = template[first:last]
        loudest = float(part.max(initial=0.0))
        if loudest <= 0:
            return
        level = np.clip(1 - 20 * np.log10(loudest / np.maximum(part, loudest * 1e-6)) / -FLOOR_DB, 0, 1)
        hertz = np.arange(first, last) * bin_hz
        x = area.left() + area.width() * np.log(hertz / low) / np.log(high / low)
        y = area.bottom() - level * (area.height() - 14)
        line = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if colour is None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.colour("dim", 150), 1, Qt.PenStyle.DashLine))
            painter.drawPolyline(QPolygonF(line))
            return
        painter.setPen(QPen(colour, 1.4))
        colour.setAlphaF(0.35)
        painter.setBrush(colour)
        ends = [QPointF(line[0].x(), area.bottom() + 2), QPointF(line[-1].x(), area.bottom() + 2)]
        painter.drawPolygon(QPolygonF([ends[0], *line, ends[1]]))

    def _paint_cut(self, painter: QPainter, area: QRectF, spectrum: Spectrum) -> None:
        """What lies above the last partial that is allowed is hatched."""
        allowed = self._allowed()
        if spectrum.harmonics is None or allowed >= len(spectrum.centres_hz):
            return
        theme = self._theme
        x = self._x(float(np.sqrt(spectrum.centres_hz[allowed - 1] * spectrum.centres_hz[allowed])))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        cut = QRectF(x, area.top(), area.right() - x, area.height())
        painter.fillRect(cut, QBrush(theme.colour("bad", 110), Qt.BrushStyle.BDiagPattern))
        painter.setPen(QPen(theme.colour("bad", 200), 1))
        painter.drawLine(QLineF(round(x), area.top(), round(x), area.bottom()))
