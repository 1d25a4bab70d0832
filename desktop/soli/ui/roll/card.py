"""A small card beside the note under the pointer that says what it is, a moment after the pointer came to rest there."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QPainter, QPen

from soli.ui.roll.view import View
from soli.ui.theme import Theme

DELAY_MS = 250
HEIGHT = 48.0


class NoteCard(QObject):
    """Which note has its card shown: `note` is its id, or None."""

    changed = Signal()

    def __init__(self, note_there: Callable[[], int | None]) -> None:
        super().__init__()
        self.note: int | None = None
        self._note_there = note_there
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self._show)

    def hover(self) -> None:
        """The pointer has moved."""
        note = self._note_there()
        if note != self.note:
            self.hide()
            if note is not None:
                self._timer.start()

    def hide(self) -> None:
        self._timer.stop()
        if self.note is not None:
            self.note = None
            self.changed.emit()

    def _show(self) -> None:
        self.note = self._note_there()
        self.changed.emit()


def draw_card(painter: QPainter, view: View, theme: Theme, near: QRectF, title: str, details: str) -> None:
    """A card above or below a box of the roll."""
    title_font, detail_font = theme.font(9.5, weight=theme.font().Weight.DemiBold), theme.font(8.5, figures=True)
    painter.setFont(title_font)
    width = painter.fontMetrics().horizontalAdvance(title)
    painter.setFont(detail_font)
    width = max(width, painter.fontMetrics().horizontalAdvance(details)) + 26
    left = min(max(6.0, near.left()), view.width - width - 6.0)
    top = near.top() - HEIGHT - 10 if near.top() > HEIGHT + 16 else near.bottom() + 10
    box = QRectF(left, top, width, HEIGHT)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(theme.colour("border"), 1))
    painter.setBrush(theme.colour("surface", 238))
    painter.drawRoundedRect(box, 7, 7)
    painter.setFont(title_font)
    painter.setPen(theme.colour("ink"))
    painter.drawText(QPointF(left + 13, top + 20), title)
    painter.setFont(detail_font)
    painter.setPen(theme.colour("dim"))
    painter.drawText(QPointF(left + 13, top + 37), details)
