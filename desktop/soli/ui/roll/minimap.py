"""The whole piece in a strip: notes above, loudness below, and the window on it that can be dragged."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from soli.project.document import Document
from soli.signal.audio import Audio, mean_of_channels
from soli.ui.roll import wheel
from soli.ui.roll.boxes import box_of, draw_rounded
from soli.ui.roll.mosaic import Mosaic
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.view import View
from soli.ui.theme import Theme

HEIGHT = 58
NOTES_PART = 0.64
COLUMNS = 2048
LEAST_SLAB_PX = 6.0
NOTES_DELAY_MS = 100


def loudness(recording: Audio) -> NDArray[np.float32]:
    """Peak of the recording in COLUMNS equal stretches, float32 from 0 to 1."""
    edges = np.linspace(0, recording.length, COLUMNS + 1).astype(np.int64).tolist()
    stretches = (recording.samples[min(a, recording.length - 1) : max(a + 1, b)] for a, b in pairwise(edges))
    peaks = np.array([np.abs(mean_of_channels(stretch)).max() for stretch in stretches], np.float32)
    return peaks / np.float32(max(float(peaks.max()), 1e-9))


class Minimap(QWidget):
    """Click or drag moves the roll there. The pictures are drawn once a change, not once a paint.

    `field` gives the notes that the roll shows now.
    """

    seek_requested = Signal(float)

    def __init__(self, document: Document, view: View, theme: Theme, field: Callable[[], NoteField]) -> None:
        super().__init__()
        self._document, self._view, self._theme, self._field = document, view, theme, field
        self._loudness: NDArray[np.float32] | None = None
        self._peaks, self._notes = QPixmap(), QImage()
        self._loop: tuple[tuple[float, float] | None, bool] = (None, False)
        self._playhead_s: float | None = None
        self._shown = (0.0, 0.0, 0.0)  # start, span and duration that were painted last
        # A gesture alters a note at each of its steps; here they are dots.
        self._soon = QTimer(self, singleShot=True, interval=NOTES_DELAY_MS)
        self._soon.timeout.connect(self._draw_anew)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Overview of the whole piece")
        self.setToolTip("Drag to move through the piece; the wheel scrolls, with Ctrl it zooms")
        document.subscribe(self._follow)
        view.changed.connect(self._follow_view)
        theme.changed.connect(self._redraw)

    def set_loudness(self, loudness: NDArray[np.float32] | None) -> None:
        self._loudness = loudness
        self._redraw()

    def set_loop(self, loop: tuple[float, float] | None, *, on: bool) -> None:
        if (loop, on) != self._loop:
            self._loop = (loop, on)
            self.update()

    def set_playhead(self, time_s: float | None) -> None:
        moved = self._playhead_s is None or time_s is None or abs(self._x(time_s) - self._x(self._playhead_s)) >= 1
        if moved and time_s != self._playhead_s:
            self._playhead_s = time_s
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, bright = self._theme, self._theme.colours.name == "light"
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("ground"))
            if self._view.duration_s <= 0:
                return
            # Beyond the piece there is nothing to map: the slab waits at its end.
            left = min(self._x(max(0.0, self._view.start_s)), self.width() - LEAST_SLAB_PX)
            slab = QRectF(left, 1.5, 0, HEIGHT - 4)
            slab.setRight(max(self._x(min(self._view.end_s, self._view.duration_s)), slab.left() + LEAST_SLAB_PX))
            # Under the notes, and lighter than what is out of the window in both themes.
            inside, line = theme.colour("raised", 255 if bright else 190), theme.colour("dim", 170 if bright else 150)
            draw_rounded(painter, box_of(slab), radius=3, line_px=1, edge=inside, fill=inside)
            if self._peaks.isNull():
                self._peaks = self._draw_peaks()
            painter.drawPixmap(0, 0, self._peaks)
            if self._notes.isNull():
                self._notes = self._draw_notes()
            painter.drawImage(QRectF(0, 0, self.width(), NOTES_PART * HEIGHT), self._notes)
            loop, loop_on = self._loop
            if loop is not None:
                left, right = (self._x(t) for t in loop)
                box = QRectF(left, 0, max(1.0, right - left), HEIGHT)
                painter.fillRect(box, theme.colour("accent", 64 if loop_on else 28))
            draw_rounded(painter, box_of(slab), radius=3, line_px=1, edge=line)
            if self._playhead_s is not None:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
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
        wheel.over_map(self._view, event, self._time(event.position().x()))

    def _centre(self, x: float) -> None:
        self._view.scroll(seconds=self._time(x) - (self._view.start_s + self._view.span_s / 2))

    def _x(self, time_s: float) -> float:
        return time_s / max(self._view.duration_s, 1e-9) * self.width()

    def _time(self, x: float) -> float:
        return x / max(1, self.width()) * self._view.duration_s

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"recording", "layers"}:
            self._draw_anew()
        elif "notes" in aspects and not self._soon.isActive():
            self._soon.start()

    def _follow_view(self) -> None:
        shown = (self._view.start_s, self._view.span_s, self._view.duration_s)
        if shown != self._shown:
            self._shown = shown
            self.update()

    def _draw_anew(self) -> None:
        self._notes = QImage()
        self.update()

    def _redraw(self) -> None:
        self._peaks, self._notes = QPixmap(), QImage()
        self.update()

    def _draw_notes(self) -> QImage:
        """A row a pitch, as wide as the screen has pixels."""
        notes, width = self._field().notes, max(1, round(self.width() * self.devicePixelRatioF()))
        lowest, highest = (int(notes.pitch.min()) - 2, int(notes.pitch.max()) + 2) if len(notes) else (38, 82)
        mosaic = Mosaic(width, width / max(self._view.duration_s, 1e-9), 0.0, lowest, highest)
        layers = self._document.state.layers
        places = {layer.id: i for i, layer in enumerate(layers)}
        ids, which = np.unique(notes.layer, return_inverse=True)
        kind = np.array([places.get(i, -1) for i in ids.tolist()], np.int64)[which] if len(ids) else which
        rows = np.flatnonzero(kind >= 0)
        mosaic.add(notes, rows, kind[rows], [QColor(layer.colour) for layer in layers])
        return mosaic.image()

    def _draw_peaks(self) -> QPixmap:
        """The loudness, on nothing."""
        ratio = self.devicePixelRatioF()
        peaks = QPixmap(round(self.width() * ratio), round(HEIGHT * ratio))
        peaks.setDevicePixelRatio(ratio)
        peaks.fill(Qt.GlobalColor.transparent)
        if self._loudness is None:
            return peaks
        base, height = HEIGHT - 3.0, (1 - NOTES_PART) * HEIGHT
        columns = max(1, min(self.width(), COLUMNS))
        levels = np.maximum.reduceat(self._loudness, np.arange(columns) * COLUMNS // columns)
        places = zip((np.arange(columns) * self.width() / columns).tolist(), (base - height * levels).tolist(), strict=True)
        with QPainter(peaks) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("faint", 120))
            outline = [QPointF(x, y) for x, y in places]
            painter.drawPolygon(QPolygonF([QPointF(0, base), *outline, QPointF(self.width(), base)]))
        return peaks
