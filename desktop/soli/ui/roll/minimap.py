"""The whole piece in a strip: notes above, loudness below, and the window on it that can be dragged."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from soli.project.document import Document
from soli.signal.audio import Audio
from soli.ui.roll.view import View
from soli.ui.theme import Theme

HEIGHT = 58
NOTES_PART = 0.64
COLUMNS = 2048


def loudness(recording: Audio) -> NDArray[np.float32]:
    """Peak of the recording in COLUMNS equal stretches, float32 from 0 to 1."""
    edges = np.linspace(0, recording.length, COLUMNS + 1).astype(np.int64)[:-1]
    mono = np.abs(recording.mono())
    peaks: NDArray[np.float32] = np.maximum.reduceat(mono, np.minimum(edges, recording.length - 1))
    return peaks / max(float(peaks.max()), 1e-9)


class Minimap(QWidget):
    """Click or drag moves the roll there. The picture is drawn once a change, not once a paint."""

    seek_requested = Signal(float)

    def __init__(self, document: Document, view: View, theme: Theme) -> None:
        super().__init__()
        self._document, self._view, self._theme = document, view, theme
        self._loudness: NDArray[np.float32] | None = None
        self._pixmap = QPixmap()
        self._playhead_s: float | None = None
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Overview of the whole piece")
        self.setToolTip("Drag to move through the piece")
        document.subscribe(self._follow)
        view.changed.connect(self.update)
        theme.changed.connect(self._redraw)

    def set_loudness(self, loudness: NDArray[np.float32] | None) -> None:
        self._loudness = loudness
        self._redraw()

    def set_playhead(self, time_s: float | None) -> None:
        moved = self._playhead_s is None or time_s is None or abs(self._x(time_s) - self._x(self._playhead_s)) >= 1
        if moved and time_s != self._playhead_s:
            self._playhead_s = time_s
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("ground"))
            if self._pixmap.isNull():
                self._draw()
            painter.drawPixmap(0, 0, self._pixmap)
            if self._view.duration_s > 0:
                box = QRectF(self._x(max(0.0, self._view.start_s)), 1.5, 0, HEIGHT - 4)
                box.setRight(max(self._x(min(self._view.end_s, self._view.duration_s)), box.left() + 6))
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(theme.colour("dim", 150), 1))
                painter.setBrush(theme.colour("ink", 22))
                painter.drawRoundedRect(box, 3, 3)
            if self._playhead_s is not None:
                painter.setPen(QPen(theme.colour("accent"), 1.2))
                x = self._x(self._playhead_s)
                painter.drawLine(QLineF(x, 2, x, HEIGHT - 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._redraw()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._centre(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._centre(event.position().x())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.seek_requested.emit(max(0.0, self._time(event.position().x())))

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._view.zoom_time(1.25**turn)
        else:
            self._view.scroll(seconds=-turn * 0.1 * self._view.span_s)
        event.accept()

    def _centre(self, x: float) -> None:
        self._view.scroll(seconds=self._time(x) - (self._view.start_s + self._view.span_s / 2))

    def _x(self, time_s: float) -> float:
        return time_s / max(self._view.duration_s, 1e-9) * self.width()

    def _time(self, x: float) -> float:
        return x / max(1, self.width()) * self._view.duration_s

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"recording", "notes", "layers"}:
            self._redraw()

    def _redraw(self) -> None:
        self._pixmap = QPixmap()
        self.update()

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._pixmap = QPixmap(round(self.width() * ratio), round(HEIGHT * ratio))
        self._pixmap.setDevicePixelRatio(ratio)
        self._pixmap.fill(self._theme.colour("ground"))
        state = self._document.state
        if state.duration_s <= 0:
            return
        with QPainter(self._pixmap) as painter:
            if self._loudness is not None:
                self._draw_loudness(painter)
            notes = state.notes.values()
            lowest = min((n.pitch for n in notes), default=40) - 2
            highest = max((n.pitch for n in notes), default=80) + 2
            height = NOTES_PART * HEIGHT / (highest - lowest)
            for layer in state.layers:
                boxes = [
                    QRectF(
                        self._x(n.onset_s),
                        (highest - n.pitch) * height,
                        max(1.0, self._x(n.offset_s) - self._x(n.onset_s)),
                        max(1.2, height * 0.9),
                    )
                    for n in notes
                    if n.layer == layer.id
                ]
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(layer.colour))
                painter.drawRects(boxes)

    def _draw_loudness(self, painter: QPainter) -> None:
        assert self._loudness is not None
        base, height = HEIGHT - 3.0, (1 - NOTES_PART) * HEIGHT
        columns = max(1, min(self.width(), COLUMNS))
        peaks = np.maximum.reduceat(self._loudness, np.arange(columns) * COLUMNS // columns)
        outline = [QPointF(i * self.width() / columns, base - height * float(p)) for i, p in enumerate(peaks)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("faint", 120))
        painter.drawPolygon(QPolygonF([QPointF(0, base), *outline, QPointF(self.width(), base)]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
