"""A small label beside the pointer that reads out what a drag measures."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.ui.roll.view import View
from soli.ui.theme import Theme

GAP_PX = 14.0


def draw_chip(painter: QPainter, view: View, theme: Theme, x: float, y: float, text: str) -> None:
    """`text` right above a point, moved so that it stays in the window."""
    painter.setFont(theme.font(9, figures=True))
    size = painter.fontMetrics().size(Qt.TextFlag.TextSingleLine, text)
    width, height = size.width() + 18.0, size.height() + 8.0
    left = min(max(4.0, x + GAP_PX), max(4.0, view.width - width - 4.0))
    top = y - height - GAP_PX if y - height - GAP_PX > 4.0 else y + GAP_PX
    box = QRectF(left, top, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(theme.colour("border"), 1))
    painter.setBrush(theme.colour("surface", 240))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(theme.colour("ink"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
