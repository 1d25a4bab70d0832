"""Many notes as one picture: a row a pitch, a column a pixel. What it costs grows with the pixels, hardly with the notes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from soli.ui.roll.stretches import IntArray, Stretches, unions
from soli.ui.roll.view import View

LEAST_PX = 2


class Mosaic:
    """Collects stretches, each in one of `colours`; where several lie on one place the last one is seen."""

    def __init__(self, width: int, px_per_s: float, start_s: float, lowest: int, highest: int) -> None:
        self._width, self._px_per_s, self._start_s = max(1, width), px_per_s, start_s
        self.lowest, self.highest = lowest, highest
        self._cells: NDArray[np.uint16] = np.zeros((max(0, highest - lowest) + 1, self._width), np.uint16)
        self._colours: list[int] = [0]

    def add(self, field: Stretches, rows: IntArray, kind: IntArray, colours: Sequence[QColor]) -> None:
        """Stretches `rows` of a field; `kind` is the index of each one's colour, the last of them on top."""
        inside = (field.pitch[rows] >= self.lowest) & (field.pitch[rows] <= self.highest)
        rows, kind = rows[inside], kind[inside]
        if len(rows) == 0:
            return
        left = np.floor((field.start_s[rows] - self._start_s) * self._px_per_s)
        right = np.ceil((field.end_s[rows] - self._start_s) * self._px_per_s)
        right = np.clip(np.maximum(right, left + LEAST_PX), 0, self._width)
        left = np.clip(left, 0, self._width)
        # Ten thousand notes on a spot are as much work as one once they are joined.
        pitches = len(self._cells)
        key, left, right = unions(kind * pitches + field.pitch[rows] - self.lowest, left, right)
        lengths = (right - left).astype(np.int64)
        first = (key % pitches) * self._width + left.astype(np.int64)
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        self._cells.ravel()[np.repeat(first, lengths) + steps] = np.repeat(key // pitches + len(self._colours), lengths)
        self._colours += [premultiplied(colour) for colour in colours]

    def image(self) -> QImage:
        """The cells in their colours, the lowest pitch in the last row."""
        height, width = self._cells.shape
        pixels = np.array(self._colours, np.uint32)[self._cells[::-1]]
        return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()

    def paint(self, painter: QPainter, view: View, *, inset: float) -> None:
        """Paint each pitch where the view has it, `inset` pixels within but no more than a tenth of its height."""
        image = self.image()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        used = np.flatnonzero(self._cells.any(axis=1))
        for row in used.tolist():
            pitch = self.lowest + row
            height = view.height_of(pitch)
            air = min(inset, 0.1 * height)
            box = QRectF(0, view.y_of(pitch) + air, view.width, max(1.0, height - 2 * air))
            painter.drawImage(box, image, QRectF(0, self.highest - pitch, self._width, 1))


def premultiplied(colour: QColor) -> int:
    """A colour as a pixel of the pictures that Qt blends fastest."""
    alpha = colour.alpha()
    red, green, blue = ((part * alpha + 127) // 255 for part in (colour.red(), colour.green(), colour.blue()))
    return alpha << 24 | red << 16 | green << 8 | blue
