"""A horizontal fader in decibels."""

import math
from collections.abc import Mapping
from typing import ClassVar

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from soli.ui.mixer.handle import FINE, Handle
from soli.ui.theme import Theme

LOWEST_DB, HIGHEST_DB = -60.0, 12.0
UNITY_AT = 0.78  # where 0 dB lies on the way
KNOB = 6.5


def position_of(gain_db: float) -> float:
    """Place on the way, 0 to 1: half of it for the 20 dB around unity, nothing below LOWEST_DB."""
    if gain_db >= 0:
        return UNITY_AT + (1 - UNITY_AT) * min(1.0, gain_db / HIGHEST_DB)
    return UNITY_AT * (max(0.0, 1 - gain_db / LOWEST_DB)) ** 1.6 if gain_db > LOWEST_DB else 0.0


def gain_at(position: float) -> float:
    """The inverse of `position_of`; the left end is silence (-inf dB)."""
    if position >= UNITY_AT:
        return HIGHEST_DB * (position - UNITY_AT) / (1 - UNITY_AT)
    return LOWEST_DB * (1 - (position / UNITY_AT) ** (1 / 1.6)) if position > 0.0005 else -math.inf


def spoken_gain(gain_db: float) -> str:
    return "−∞ dB" if gain_db == -math.inf else f"{gain_db:+.1f} dB".replace("-", "−").replace("+0.0", "0.0")


class Fader(Handle):
    """Drag moves it, Ctrl-drag finely; double-click, Shift-click or Return goes to 0 dB.

    Arrows and wheel step by half a decibel, arrows with Ctrl by a tenth.
    """

    gain_moved = Signal(float)

    steps: ClassVar[Mapping[Qt.Key, float]] = {
        Qt.Key.Key_Left: -0.5,
        Qt.Key.Key_Down: -0.5,
        Qt.Key.Key_Right: 0.5,
        Qt.Key.Key_Up: 0.5,
        Qt.Key.Key_PageDown: -6.0,
        Qt.Key.Key_PageUp: 6.0,
    }
    fine_step = 0.2  # 0.1 dB by the arrows
    wheel_step = 0.5

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._colour = QColor(theme.colours.dim)
        self._gain_db = 0.0
        self.setRange(round(LOWEST_DB), round(HIGHEST_DB))
        self.setFixedHeight(18)
        self.setToolTip("Gain: drag; Ctrl-drag for fine steps; double-click for 0 dB")

    @property
    def gain_db(self) -> float:
        return self._gain_db

    def show_gain(self, gain_db: float) -> None:
        """Take over a gain without telling of it."""
        self._gain_db = gain_db
        self.setAccessibleDescription(spoken_gain(gain_db))
        self.show_step(round(max(LOWEST_DB, gain_db)))

    def set_colour(self, colour: QColor) -> None:
        self._colour = colour
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, middle = self._theme, self.height() / 2
        x = self._x(position_of(self._gain_db))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(QRectF(KNOB, middle - 1.5, self.width() - 2 * KNOB, 3), 1.5, 1.5)
            painter.setBrush(self._colour)
            painter.drawRoundedRect(QRectF(KNOB, middle - 1.5, max(0.0, x - KNOB), 3), 1.5, 1.5)
            painter.setPen(QPen(theme.colour("faint"), 1))
            unity = self._x(UNITY_AT)
            painter.drawLine(QPointF(unity, middle + 4), QPointF(unity, middle + 7))
            painter.setPen(QPen(theme.colour("accent" if self.hasFocus() else "ground"), 1.5))
            painter.setBrush(theme.colour("ink"))
            painter.drawEllipse(QPointF(x, middle), KNOB - 1, KNOB - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.reset()
            return
        place = position_of(self._gain_db)
        if abs(event.position().x() - self._x(place)) > KNOB + 2:
            place = self._place(event.position().x())
            self.move_to(gain_at(place))
        self._drag = (event.position(), place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            return
        at, place = self._drag
        fine = FINE if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1.0
        place = min(1.0, max(0.0, place + fine * (event.position().x() - at.x()) / max(1.0, self.width() - 2 * KNOB)))
        self._drag = (event.position(), place)
        gain = gain_at(place)
        self.move_to(0.0 if abs(gain) < 0.25 and fine == 1.0 else gain)

    def move_to(self, value: float) -> None:
        """Take over a gain in decibels and tell of it."""
        if value != self._gain_db:
            self.show_gain(value)
            self.gain_moved.emit(value)

    def value_at(self, step: int) -> float:
        return float(step) if step > LOWEST_DB else -math.inf

    def stepped(self, step: float) -> float:
        start = LOWEST_DB if self._gain_db == -math.inf else self._gain_db
        gain = min(HIGHEST_DB, start + step)
        return gain if gain > LOWEST_DB else -math.inf

    def _x(self, place: float) -> float:
        return KNOB + place * (self.width() - 2 * KNOB)

    def _place(self, x: float) -> float:
        return min(1.0, max(0.0, (x - KNOB) / max(1.0, self.width() - 2 * KNOB)))
