"""The time ruler: bars and beats of the score above, seconds of the recording below, the loop and the playhead."""

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from soli.ui.beats import Beats
from soli.ui.roll import wheel
from soli.ui.roll.view import View
from soli.ui.theme import Theme

HEIGHT = 42
STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
LEAST_STEP_PX = 62
LEAST_BAR_PX = 26
BEATS_IN_ROOM = 2.5  # how much wider than that a bar is before its beats are marked
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
        self.setToolTip("Click to move the playhead, drag to choose a loop; the wheel zooms, with Shift it scrolls")
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
            self._paint_loop(painter)
            self._paint_bars(painter, middle)
            self._paint_seconds(painter, middle)
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

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel.over_ruler(self._view, event)

    def _ask_loop(self, x: float) -> None:
        assert self._pressed_x is not None
        start_s, end_s = sorted(max(0.0, self._view.time_at(at)) for at in (self._pressed_x, x))
        if end_s > start_s:
            self.loop_requested.emit(start_s, end_s)

    def _paint_loop(self, painter: QPainter) -> None:
        if self._loop is None:
            return
        left, right = (self._view.x_of(t) for t in self._loop)
        theme = self._theme
        painter.fillRect(QRectF(left, 0, right - left, HEIGHT - 1), theme.colour("accent", 60 if self._loop_on else 22))
        painter.fillRect(QRectF(left, HEIGHT - 3, right - left, 2), theme.colour("accent", 255 if self._loop_on else 90))

    def _paint_seconds(self, painter: QPainter, top: int) -> None:
        view, theme = self._view, self._theme
        step = next((s for s in STEPS_S if s * view.px_per_s >= LEAST_STEP_PX), STEPS_S[-1])
        painter.setFont(theme.font(7.8, figures=True))
        decimals = 2 if step < 0.1 else 1 if step < 1 else 0
        for i in range(max(0, int(view.start_s / step)), int(view.end_s / step) + 1):
            x = view.x_of(i * step)
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.drawLine(QLineF(x, HEIGHT - 6, x, HEIGHT - 2))
            if i == 0 and x < LEAST_STEP_PX / 2:
                continue  # it would be cut off
            painter.setPen(theme.colour("dim"))
            text = f"{i * step:.{decimals}f} s" if view.end_s < 60 else clock(i * step, decimals=decimals)
            painter.drawText(QRectF(x - 40, top, 80, HEIGHT - top - 6), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bars(self, painter: QPainter, bottom: int) -> None:
        view, theme, beats = self._view, self._theme, self._beats
        painter.setFont(theme.font(8.5, weight=theme.font().Weight.DemiBold, figures=True))
        bars, numbers = beats.time_s[beats.is_bar], beats.bar[beats.is_bar]
        room = view.px_per_s * (float(bars[-1] - bars[0]) / (len(bars) - 1)) if len(bars) > 1 else 1e9
        every = next((n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256) if n * room >= LEAST_BAR_PX), 512)
        first, last = (int(i) for i in np.searchsorted(bars, (view.time_at(-40.0), view.end_s), side="right"))
        # Rooms between beats only where they can be told apart.
        if every == 1 and room >= LEAST_BAR_PX * BEATS_IN_ROOM:
            painter.setPen(QPen(theme.colour("faint", 130), 1))
            low, high = np.searchsorted(beats.time_s, (view.start_s, view.end_s))
            places = beats.time_s[low:high][~beats.is_bar[low:high]]
            painter.drawLines([QLineF(x, bottom - 6, x, bottom - 1) for x in ((places - view.start_s) * view.px_per_s).tolist()])
        for time_s, bar in zip(bars[first:last].tolist(), numbers[first:last].tolist(), strict=True):
            if (bar - 1) % every:
                continue
            x = view.x_of(time_s)
            painter.setPen(QPen(theme.colour("faint"), 1))
            painter.drawLine(QLineF(x, 2, x, bottom - 1))
            painter.setPen(theme.colour("ink"))
            painter.drawText(QRectF(x + 5, 0, 60, bottom), Qt.AlignmentFlag.AlignVCenter, str(bar))
