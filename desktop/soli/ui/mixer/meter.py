"""Level meters: how loud a strip is, with a peak that holds and a light for clipping."""

import math
import time

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from soli.ui.mixer.keys import ENTER, wants_return
from soli.ui.theme import Theme

FLOOR_DB = -60.0
TOP_DB = 6.0
HOLD_S = 1.5
FALL_DB_PER_S = 24.0
TELL_EVERY_S = 1.0


def spoken_level(level_db: float) -> str:
    return f"{level_db:.1f} dBFS".replace("-", "−") if level_db > -90 else "−∞ dBFS"


def decibels(linear: float) -> float:
    return 20 * math.log10(linear) if linear > 1e-6 else -120.0


class Meter(QWidget):
    """One or two horizontal bars from FLOOR_DB to TOP_DB: RMS filled, peak paler, the held peak as a line.

    A click clears the clip light, and so does Return: while it is lit, Tab comes here; `lit` tells of that. What it shows
    can be read, too: in its tooltip, with `about`, and by those who have the screen read to them. `has_rms`: where it is
    False there are peaks alone.
    """

    lit = Signal()

    def __init__(self, theme: Theme, *, bars: int = 1, bar_height: int = 4, has_rms: bool = True, about: str = "") -> None:
        super().__init__()
        self._theme, self._bars, self._bar_height = theme, bars, bar_height
        self._has_rms, self._about = has_rms, about
        self._rms = [-120.0] * bars
        self._peak = [-120.0] * bars
        self._held = [-120.0] * bars
        self._held_since = [0.0] * bars
        self._at_s = self._told_s = time.perf_counter()
        self.clipped = False
        self.setFixedHeight(bars * bar_height + (bars - 1) * 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def held_db(self) -> float:
        """The loudest peak of the last seconds."""
        return max(self._held)

    def show_levels(self, peaks: list[float], rms: list[float]) -> None:
        """Take over linear levels, one a bar; what falls, falls gently."""
        now_s = time.perf_counter()
        fall, self._at_s = FALL_DB_PER_S * (now_s - self._at_s), now_s
        before = [*self._rms, *self._peak, *self._held]
        for i, (peak, mean) in enumerate(zip(peaks, rms, strict=True)):
            level = decibels(peak)
            self._rms[i] = max(decibels(mean), self._rms[i] - fall)
            self._peak[i] = max(level, self._peak[i] - fall)
            if level >= self._held[i] or now_s - self._held_since[i] > HOLD_S:
                self._held[i], self._held_since[i] = self._peak[i], now_s
            if peak > 1.0 and not self.clipped:
                self._light(on=True)
        if now_s - self._told_s >= TELL_EVERY_S:
            self._tell()
        after = [*self._rms, *self._peak, *self._held]
        if any(max(a, FLOOR_DB) != max(b, FLOOR_DB) for a, b in zip(before, after, strict=True)):
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self.height())

    @property
    def words(self) -> str:
        """What it shows: the loudest peak of the last seconds, how loud it is, and whether it has clipped."""
        words = f"peak {spoken_level(self.held_db)}"
        if self._has_rms:
            words += f", RMS {spoken_level(max(self._rms))}"
        return words + ("; has clipped" if self.clipped else "")

    def clear(self) -> None:
        """Put the clip light out."""
        if self.hasFocus():
            self.focusNextChild()
        self._light(on=False)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.clear()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            words = f"P{self.words[1:]}"
            self.setToolTip(f"{words}. {self._about}" if self._about else words)
        return wants_return(event) or super().event(event)

    def _light(self, *, on: bool) -> None:
        self.clipped = on
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if on else Qt.FocusPolicy.NoFocus)
        self._tell()
        self.update()
        if on:
            self.lit.emit()

    def _tell(self) -> None:
        self._told_s = time.perf_counter()
        if self.words != self.accessibleDescription():
            self.setAccessibleDescription(self.words)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, width = self._theme, self.width()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            for i in range(self._bars):
                top, height = i * (self._bar_height + 2), self._bar_height
                painter.setBrush(theme.colour("canvas"))
                painter.drawRoundedRect(QRectF(0, top, width, height), height / 2, height / 2)
                loud = self._peak[i]
                colour = "bad" if loud > 0 else "warn" if loud > -6 else "good"
                for level, alpha in ((loud, 110), (self._rms[i], 255)):
                    painter.setBrush(theme.colour(colour, alpha))
                    painter.drawRoundedRect(QRectF(0, top, self._x(level), height), height / 2, height / 2)
                if self._held[i] > FLOOR_DB:
                    painter.drawRect(QRectF(self._x(self._held[i]) - 1.5, top, 1.5, height))
            if self.clipped:
                painter.setBrush(theme.colour("bad"))
                painter.drawRect(QRectF(width - 4, 0, 4, self.height()))
            if self.hasFocus():
                painter.setPen(QPen(theme.colour("accent"), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5))

    def _x(self, level_db: float) -> float:
        return self.width() * min(1.0, max(0.0, (level_db - FLOOR_DB) / (TOP_DB - FLOOR_DB)))
