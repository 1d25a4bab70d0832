"""The time ruler: seconds of the recording above, bars of the score below, the loop and the playhead."""

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from soli.ui.beats import Beats
from soli.ui.roll.view import View
from soli.ui.theme import Theme

HEIGHT = 42
STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
LEAST_STEP_PX = 62
DRAG_PX = 4


def clock(time_s: float, *, decimals: int = 0) -> str:
    """7.412 as "0:07.412": minutes, seconds, and as many decimals as asked for."""
    sign = "-" if time_s < 0 else ""
    whole = round(abs(time_s) * 10**decimals)
    seconds, part = divmod(whole, 10**decimals)
    text = f"{sign}{seconds // 60}:{seconds % 60:02d}"
    return f"{text}.{part:0{decimals}d}" if decimals else text


class Ruler(QWidget):
    """A click seeks; a drag chooses the loop."""

    seek_requested = Signal(float)
    loop_requested = Signal(float, float)

    def __init__(self, view: View, theme: Theme) -> None:
        super().__init__()
        self._view, self._theme = view, theme
        self._beats = Beats()
        self._loop: tuple[float, float] | None = None
        self._loop_on = False
        self._playhead_s: float | None = None
        self._pressed_x: float | None = None
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Time ruler")
        self.setToolTip("Click to move the playhead, drag to choose a loop")
        view.changed.connect(self.update)
        theme.changed.connect(self.update)

    def set_beats(self, beats: Beats) -> None:
        self._beats = beats
        self.update()

    def set_loop(self, loop: tuple[float, float] | None, *, on: bool) -> None:
        self._loop, self._loop_on = loop, on
        self.update()

    def set_playhead(self, time_s: float | None) -> None:
        if time_s != self._playhead_s:
            self._playhead_s = time_s
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        view, theme = self._view, self._theme
        middle = HEIGHT // 2
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("ground"))
            self._paint_loop(painter, middle)
            step = next((s for s in STEPS_S if s * view.px_per_s >= LEAST_STEP_PX), STEPS_S[-1])
            painter.setFont(theme.font(7.8, figures=True))
            decimals = 2 if step < 0.1 else 1 if step < 1 else 0
            for i in range(max(0, int(view.start_s / step)), int(view.end_s / step) + 1):
                x = view.x_of(i * step)
                painter.setPen(QPen(theme.colour("border"), 1))
                painter.drawLine(QLineF(x, middle - 5, x, middle - 1))
                painter.setPen(theme.colour("faint"))
                if i == 0 and view.start_s >= 0:
                    continue
                text = f"{i * step:.{decimals}f} s" if view.end_s < 60 else clock(i * step, decimals=decimals)
                painter.drawText(QRectF(x - 40, 1, 80, middle - 5), Qt.AlignmentFlag.AlignCenter, text)
            self._paint_bars(painter, middle)
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.drawLine(0, HEIGHT - 1, self.width(), HEIGHT - 1)
            if self._playhead_s is not None:
                x = view.x_of(self._playhead_s)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour("accent"))
                painter.drawPolygon(QPolygonF([QPointF(x - 6, HEIGHT - 10), QPointF(x + 6, HEIGHT - 10), QPointF(x, HEIGHT - 1)]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_x = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_x is not None and abs(event.position().x() - self._pressed_x) > DRAG_PX:
            self._ask_loop(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed_x is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if abs(event.position().x() - self._pressed_x) > DRAG_PX:
            self._ask_loop(event.position().x())
        else:
            self.seek_requested.emit(max(0.0, self._view.time_at(event.position().x())))
        self._pressed_x = None

    def _ask_loop(self, x: float) -> None:
        assert self._pressed_x is not None
        start_s, end_s = sorted(max(0.0, self._view.time_at(at)) for at in (self._pressed_x, x))
        if end_s > start_s:
            self.loop_requested.emit(start_s, end_s)

    def _paint_loop(self, painter: QPainter, middle: int) -> None:
        if self._loop is None:
            return
        left, right = (self._view.x_of(t) for t in self._loop)
        theme = self._theme
        box = QRectF(left, middle, right - left, HEIGHT - middle - 1)
        painter.fillRect(box, theme.colour("accent", 70 if self._loop_on else 26))
        painter.fillRect(QRectF(left, HEIGHT - 3, right - left, 2), theme.colour("accent", 255 if self._loop_on else 90))

    def _paint_bars(self, painter: QPainter, middle: int) -> None:
        view, theme, beats = self._view, self._theme, self._beats
        painter.setFont(theme.font(8.5, weight=theme.font().Weight.DemiBold, figures=True))
        bars = beats.time_s[beats.is_bar]
        room = view.px_per_s * (float(bars[-1] - bars[0]) / (len(bars) - 1)) if len(bars) > 1 else 1e9
        every = next((n for n in (1, 2, 4, 8, 16, 32, 64) if n * room >= 26), 128)
        for time_s, bar in zip(beats.time_s[beats.is_bar].tolist(), beats.bar[beats.is_bar].tolist(), strict=True):
            x = view.x_of(time_s)
            if x > self.width() or x < -40 or (bar - 1) % every:
                continue
            painter.setPen(QPen(theme.colour("faint"), 1))
            painter.drawLine(QLineF(x, middle + 1, x, HEIGHT - 2))
            painter.setPen(theme.colour("ink"))
            painter.drawText(QRectF(x + 5, middle - 1, 60, HEIGHT - middle), Qt.AlignmentFlag.AlignVCenter, str(bar))
