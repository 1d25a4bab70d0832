"""The time ruler: bars and beats of the score above, seconds of the recording below, the loop and the playhead."""

from enum import Enum, auto

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
EDGE_PX = 5  # how near to an edge of the loop takes hold of it
BRACE_PX = 8  # how much of the ruler's top moves the loop
HANDLE_PX = 14  # of the playhead, wide and high


def clock(time_s: float, *, decimals: int = 0) -> str:
    """7.412 as "0:07.412": minutes, seconds, and as many decimals as asked for."""
    sign = "-" if time_s < 0 else ""
    whole = round(abs(time_s) * 10**decimals)
    seconds, part = divmod(whole, 10**decimals)
    text = f"{sign}{seconds // 60}:{seconds % 60:02d}"
    return f"{text}.{part:0{decimals}d}" if decimals else text


class Grip(Enum):
    """What of the ruler a press takes hold of."""

    NEW_LOOP = auto()
    LOOP_START = auto()
    LOOP_END = auto()
    LOOP = auto()
    PLAYHEAD = auto()


CURSORS = {
    Grip.LOOP_START: Qt.CursorShape.SizeHorCursor,
    Grip.LOOP_END: Qt.CursorShape.SizeHorCursor,
    Grip.LOOP: Qt.CursorShape.OpenHandCursor,
    Grip.PLAYHEAD: Qt.CursorShape.PointingHandCursor,
}


class Ruler(QWidget):
    """A click seeks; a drag chooses the loop, or changes it by its edges and its bar; the playhead is scrubbed by its handle."""

    seek_requested = Signal(float)
    loop_requested = Signal(float, float)
    loop_moved = Signal(float)  # where the loop is to begin, as long as it is
    scrubbed = Signal(float)
    exact_requested = Signal()

    def __init__(self, view: View, theme: Theme) -> None:
        super().__init__()
        self._view, self._theme = view, theme
        self._beats = Beats()
        self._loop: tuple[float, float] | None = None
        self._loop_on = False
        self._playhead_s: float | None = None
        self._pressed_x: float | None = None
        self._grip = Grip.NEW_LOOP
        self._shown: tuple[float, ...] = ()  # start, span and width that were painted last
        self._held: tuple[float, float] | None = None  # the loop as it was when it was taken hold of
        self.setMouseTracking(True)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Time ruler")
        self.setToolTip(
            "Click: the playhead goes there. Drag: a loop; its edges and its bar on top can be dragged, "
            "a double-click on it types where it is. Drag the playhead, or with Ctrl anywhere: hear what is there. "
            "The wheel zooms, with Shift it scrolls."
        )
        view.changed.connect(self._follow_view)
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
            self._grip, self._held = self._grip_at(event), self._loop
            if self._grip is Grip.LOOP:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_x is None:
            self.setCursor(CURSORS.get(self._grip_at(event), Qt.CursorShape.ArrowCursor))
        elif abs(event.position().x() - self._pressed_x) > DRAG_PX or self._grip is Grip.PLAYHEAD:
            self._drag(event.position().x())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On the loop: type where it is."""
        time_s = self._view.time_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and self._loop is not None and self._loop[0] <= time_s <= self._loop[1]:
            self.exact_requested.emit()
        else:
            self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed_x is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if abs(event.position().x() - self._pressed_x) > DRAG_PX:
            self._drag(event.position().x())
        elif self._grip is not Grip.PLAYHEAD or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.seek_requested.emit(max(0.0, self._view.time_at(event.position().x())))
        self._pressed_x = None
        self.setCursor(CURSORS.get(self._grip_at(event), Qt.CursorShape.ArrowCursor))

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel.over_ruler(self._view, event)

    def _follow_view(self) -> None:
        shown = (self._view.start_s, self._view.span_s, self._view.width)
        if shown != self._shown:
            self._shown = shown
            self.update()

    def _grip_at(self, event: QMouseEvent) -> Grip:
        x, y, view = event.position().x(), event.position().y(), self._view
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return Grip.PLAYHEAD
        if self._playhead_s is not None and y >= HEIGHT - HANDLE_PX and abs(x - view.x_of(self._playhead_s)) <= HANDLE_PX / 2:
            return Grip.PLAYHEAD
        if self._loop is None:
            return Grip.NEW_LOOP
        left, right = (view.x_of(t) for t in self._loop)
        # Where the loop is small both edges are near: the outer side of each is its own.
        if abs(x - right) <= EDGE_PX and x >= (left + right) / 2:
            return Grip.LOOP_END
        if abs(x - left) <= EDGE_PX:
            return Grip.LOOP_START
        return Grip.LOOP if left < x < right and y < BRACE_PX else Grip.NEW_LOOP

    def _drag(self, x: float) -> None:
        assert self._pressed_x is not None
        view = self._view
        if self._grip is Grip.PLAYHEAD:
            self.scrubbed.emit(max(0.0, view.time_at(x)))
        elif self._held is None or self._grip is Grip.NEW_LOOP:
            self._ask_loop(x)
        elif self._grip is Grip.LOOP:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.loop_moved.emit(max(0.0, self._held[0] + view.time_at(x) - view.time_at(self._pressed_x)))
        else:
            fixed_s = self._held[1] if self._grip is Grip.LOOP_START else self._held[0]
            self.loop_requested.emit(*sorted((fixed_s, max(0.0, view.time_at(x)))))

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
        strong = theme.colour("accent", 255 if self._loop_on else 110)
        painter.fillRect(QRectF(left, HEIGHT - 3, right - left, 2), strong)
        # The bar that moves it, and the edges that change it.
        painter.fillRect(QRectF(left, 0, right - left, 3), strong)
        for edge in (left, right):
            painter.fillRect(QRectF(edge - 1, 0, 2, HEIGHT - 1), strong)

    def _paint_seconds(self, painter: QPainter, top: int) -> None:
        view, theme = self._view, self._theme
        step = next((s for s in STEPS_S if s * view.px_per_s >= LEAST_STEP_PX), STEPS_S[-1])
        painter.setFont(theme.font(7.8, figures=True))
        decimals = 2 if step < 0.1 else 1 if step < 1 else 0
        metrics, base = painter.fontMetrics(), (top + HEIGHT - 6 + painter.fontMetrics().capHeight()) / 2
        places = [(i, view.x_of(i * step)) for i in range(max(0, int(view.start_s / step)), int(view.end_s / step) + 1)]
        painter.setPen(QPen(theme.colour("border"), 1))
        painter.drawLines([QLineF(x, HEIGHT - 6, x, HEIGHT - 2) for _, x in places])
        painter.setPen(theme.colour("dim"))
        for i, x in places:
            if i == 0 and x < LEAST_STEP_PX / 2:
                continue  # it would be cut off
            text = f"{i * step:.{decimals}f} s" if view.end_s < 60 else clock(i * step, decimals=decimals)
            painter.drawText(QPointF(x - metrics.horizontalAdvance(text) / 2, base), text)

    def _paint_bars(self, painter: QPainter, bottom: int) -> None:
        view, theme, beats = self._view, self._theme, self._beats
        painter.setFont(theme.font(8.5, weight=theme.font().Weight.DemiBold, figures=True))
        bars, numbers = beats.bars
        room = view.px_per_s * beats.bar_s
        every = next((n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256) if n * room >= LEAST_BAR_PX), 512)
        first, last = (int(i) for i in np.searchsorted(bars, (view.time_at(-40.0), view.end_s), side="right"))
        # Rooms between beats only where they can be told apart.
        if every == 1 and room >= LEAST_BAR_PX * BEATS_IN_ROOM:
            painter.setPen(QPen(theme.colour("faint", 130), 1))
            low, high = np.searchsorted(beats.time_s, (view.start_s, view.end_s))
            places = beats.time_s[low:high][~beats.is_bar[low:high]]
            painter.drawLines([QLineF(x, bottom - 6, x, bottom - 1) for x in ((places - view.start_s) * view.px_per_s).tolist()])
        shown = [i for i in range(first, last) if (numbers[i] - 1) % every == 0]
        lefts = ((bars[shown] - view.start_s) * view.px_per_s).tolist()
        painter.setPen(QPen(theme.colour("faint"), 1))
        painter.drawLines([QLineF(x, 2, x, bottom - 1) for x in lefts])
        painter.setPen(theme.colour("ink"))
        base = (bottom + painter.fontMetrics().capHeight()) / 2
        for x, bar in zip(lefts, numbers[shown].tolist(), strict=True):
            painter.drawText(QPointF(x + 5, base), str(bar))
