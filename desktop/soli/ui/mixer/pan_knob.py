"""A small knob that places a strip between left and right."""

import math
from collections.abc import Mapping
from typing import ClassVar

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from soli.ui.mixer.handle import FINE, Handle
from soli.ui.theme import Theme

PERCENT = 100
WAY_PX = 90.0  # a drag over that many pixels goes from the centre to one side
HOLD = 0.04  # a coarse drag holds on to the centre that near to it
SWEEP_DEGREES = 135.0
SIZE = QSize(22, 22)


def spoken_pan(pan: float) -> str:
    """A pan from -1 to 1 as "L 30", "C" or "R 30", in percent."""
    percent = round(PERCENT * pan)
    return "C" if percent == 0 else f"{'L' if percent < 0 else 'R'} {abs(percent)}"


class PanKnob(Handle):
    """Drag up or right pans right, Ctrl-drag finely; double-click, Shift-click or Return centres.

    Arrows and wheel go by 5 %, arrows with Ctrl by 1 %.
    """

    pan_moved = Signal(float)

    steps: ClassVar[Mapping[Qt.Key, float]] = {
        Qt.Key.Key_Left: -5.0,
        Qt.Key.Key_Down: -5.0,
        Qt.Key.Key_Right: 5.0,
        Qt.Key.Key_Up: 5.0,
    }  # per cent
    fine_step = 0.2
    wheel_step = 5.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._pan = 0.0
        self.setRange(-PERCENT, PERCENT)
        self.setFixedSize(SIZE)
        self.show_pan(0.0)

    @property
    def pan(self) -> float:
        return self._pan

    def show_pan(self, pan: float) -> None:
        """Take over a pan without telling of it."""
        self._pan = pan
        self.setAccessibleDescription(spoken_pan(pan))
        self.setToolTip(f"Pan {spoken_pan(pan)}: drag; Ctrl-drag for fine steps; double-click for the centre")
        self.show_step(round(PERCENT * pan))

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
            self.reset()
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
        self.move_to(0.0 if abs(place) < HOLD and not fine else place)

    def move_to(self, value: float) -> None:
        """Take over a pan and tell of it."""
        if value != self._pan:
            self.show_pan(value)
            self.pan_moved.emit(value)

    def value_at(self, step: int) -> float:
        return step / PERCENT

    def stepped(self, step: float) -> float:
        return min(1.0, max(-1.0, round(PERCENT * self._pan + step) / PERCENT))
