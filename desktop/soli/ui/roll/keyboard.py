"""The piano keys at the left of the roll."""

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from soli.score.notes import pitch_name
from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH
from soli.ui.roll.painting import BLACK_KEYS
from soli.ui.roll.view import View
from soli.ui.theme import Theme

WIDTH = 58
BLACK_WIDTH = 0.62


class Keyboard(QWidget):
    """Piano keys in line with the roll's pitches; a click on one asks for all of its notes."""

    pitch_clicked = Signal(int, bool)

    def __init__(self, view: View, theme: Theme) -> None:
        super().__init__()
        self._view, self._theme = view, theme
        self._sounding: dict[int, str] = {}
        self._hovered: int | None = None
        self.setFixedWidth(WIDTH)
        self.setMouseTracking(True)
        self.setAccessibleName("Piano keys")
        self.setToolTip("Click a key to select all notes of its pitch; Ctrl adds them")
        view.changed.connect(self.update)
        theme.changed.connect(self.update)

    def set_sounding(self, pitches: dict[int, str]) -> None:
        """Light up keys: pitch -> colour of the layer that sounds it now."""
        if pitches != self._sounding:
            self._sounding = pitches
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        view, theme = self._view, self._theme
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("key_white"))
            painter.setFont(theme.font(7.5, weight=theme.font().Weight.DemiBold))
            height = view.px_per_semitone
            pitches = range(max(LOWEST_PITCH, int(view.bottom)), min(HIGHEST_PITCH, int(view.top) + 1) + 1)
            for pitch in pitches:
                y = view.y_of(pitch)
                if pitch in self._sounding and pitch % 12 not in BLACK_KEYS:
                    painter.fillRect(QRectF(0, y, self.width(), height), theme.colour(self._sounding[pitch]))
                if pitch % 12 in {0, 5}:  # no black key lies below C and F
                    painter.setPen(QPen(theme.colour("key_black", 90), 1))
                    painter.drawLine(0, round(y + height), self.width(), round(y + height))
            for pitch in pitches:
                if pitch % 12 in BLACK_KEYS:
                    colour = self._sounding.get(pitch, "key_black")
                    box = QRectF(0, view.y_of(pitch), self.width() * BLACK_WIDTH, height)
                    painter.fillRect(box, theme.colour(colour))
                    painter.setPen(QPen(theme.colour("key_black", 70), 1))
                    middle = round(box.center().y())
                    painter.drawLine(round(box.right()), middle, self.width(), middle)
            painter.setPen(theme.colour("key_black"))
            for pitch in pitches:
                if (pitch % 12 == 0 and height > 3.5) or (pitch == self._hovered and height > 7):
                    box = QRectF(0, view.y_of(pitch) - 4, self.width() - 5, height + 8)
                    painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, pitch_name(pitch))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.pitch_clicked.emit(self._view.pitch_at(event.position().y()), adds)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = self._view.pitch_at(event.position().y())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()
        super().leaveEvent(event)
