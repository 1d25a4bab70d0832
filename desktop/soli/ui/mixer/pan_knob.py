"""A small knob that places a strip between left and right."""

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from soli.ui.mixer.keys import ENTER, wants_return
from soli.ui.theme import Theme

PERCENT = 100
WAY_PX = 90.0  # a drag over that many pixels goes from the centre to one side
FINE = 0.1
HOLD = 0.04  # a coarse drag holds on to the centre that near to it
SWEEP_DEGREES = 135.0
SIZE = QSize(22, 22)
PAUSE_MS = 700  # steps that follow each other faster are one


def spoken_pan(pan: float) -> str:
    """A pan from -1 to 1 as "L 30", "C" or "R 30", in percent."""
    percent = round(PERCENT * pan)
    return "C" if percent == 0 else f"{'L' if percent < 0 else 'R'} {abs(percent)}"


class PanKnob(QSlider):
    """Drag up or right pans right, Ctrl-drag finely; double-click, Shift-click or Return centres.

    Arrows and wheel go by 5 %, arrows with Ctrl by 1 %.
    """

    pan_moved = Signal(float)
    let_go = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme, self._pan = theme, 0.0
        self._drag: tuple[QPointF, float] | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.let_go)
        self.setRange(-PERCENT, PERCENT)
        self.setFixedSize(SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_pan(0.0)
        theme.changed.connect(self.update)

    @property
    def pan(self) -> float:
        return self._pan

    def show_pan(self, pan: float) -> None:
        """Take over a pan without telling of it."""
        self._pan = pan
        self.blockSignals(True)
        self.setValue(round(PERCENT * pan))
        self.blockSignals(False)
        self.setAccessibleDescription(spoken_pan(pan))
        self.setToolTip(f"Pan {spoken_pan(pan)}: drag; Ctrl-drag for fine steps; double-click for the centre")
        self.update()

    def event(self, event: QEvent) -> bool:
        return wants_return(event) or super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, middle = self._theme, QPointF(self.width() / 2, self.height() / 2)
        radius = self.width() / 2 - 2.5
        box = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
        shown = "ink" if self.isEnabled() else "faint"
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            pen = QPen(theme.colour("accent" if self.hasFocus() else "faint", 255 if self.hasFocus() else 130), 2.2)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            # Qt counts sixteenths of a degree, counter-clockwise from three o'clock.
            painter.drawArc(box, round(16 * (90 - SWEEP_DEGREES)), round(16 * 2 * SWEEP_DEGREES))
            pen.setColor(theme.colour("dim"))
            painter.setPen(pen)
            painter.drawArc(box, 16 * 90, round(-16 * SWEEP_DEGREES * self._pan))
            turn = math.radians(SWEEP_DEGREES * self._pan)
            way = QPointF(math.sin(turn), -math.cos(turn))
            pen.setColor(theme.colour(shown))
            pen.setWidthF(2.0)
            painter.setPen(pen)
            painter.drawLine(middle + way * (0.15 * radius), middle + way * (0.95 * radius))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._centre()
        else:
            self._drag = (event.position(), self._pan)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            return
        at, place = self._drag
        way = event.position() - at
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        place = min(1.0, max(-1.0, place + (FINE if fine else 1.0) * (way.x() - way.y()) / WAY_PX))
        self._drag = (event.position(), place)
        self._move(0.0 if abs(place) < HOLD and not fine else place)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = None
            self.let_go.emit()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._drag = None
        self._centre()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, fine = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in {Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up}:
            step = 1 if fine else 5
            self._step(step if key in {Qt.Key.Key_Right, Qt.Key.Key_Up} else -step)
        elif key in ENTER:
            self._centre()
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that only passes by scrolls the strips.
        if self.hasFocus():
            self._step(5 * event.angleDelta().y() / 120)
            event.accept()
        else:
            event.ignore()

    def _step(self, percent: float) -> None:
        self._move(min(1.0, max(-1.0, round(PERCENT * self._pan + percent) / PERCENT)))
        self._pause.start()

    def _centre(self) -> None:
        self._move(0.0)
        self.let_go.emit()

    def _move(self, pan: float) -> None:
        if pan != self._pan:
            self.show_pan(pan)
            self.pan_moved.emit(pan)
