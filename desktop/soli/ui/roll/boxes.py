"""Boxes of stretches in pixels, and boxes with rounded corners that are put together from small pictures.

A rounded box that is filled and outlined anew is work for each of its lines of pixels. Here its corners are worked out once for
each ink; a box is then its left end, its right end, and one column of pixels drawn wide, whatever its size.
"""

from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from soli.ui.roll.stretches import IntArray, Stretches, Times
from soli.ui.roll.view import View

LEAST_PX = 3.0
FAR_PX = 50.0
MIDDLE = 64  # pixels: most notes are no longer
SHARED_PX = 90  # from about this many lines on, Qt paints with threads

Pixels = NDArray[np.uint32]


class Boxes(NamedTuple):
    """Left, top, width and height of each, in device-independent pixels; float64, shape (n,)."""

    left: Times
    top: Times
    width: Times
    height: Times

    def grown(self, across: float, down: float = 0.0) -> "Boxes":
        """Each wider by `across` to either side, and higher by `down`."""
        return Boxes(self.left - across, self.top - down, self.width + 2 * across, self.height + 2 * down)

    def rectangles(self) -> list[QRectF]:
        return [QRectF(*box) for box in zip(*(column.tolist() for column in self), strict=True)]


def boxes(view: View, pitch: IntArray, start_s: Times, end_s: Times, *, inset: float, part: float = 1.0) -> Boxes:
    """Where a view has stretches, at least LEAST_PX wide and 2 high.

    They lie `inset` within their pitch above and below, but no more than `part` of its height.
    """
    # Far beyond the window coordinates lose their precision in the paint engine.
    left = np.maximum((start_s - view.start_s) * view.px_per_s, -FAR_PX)
    right = np.minimum((end_s - view.start_s) * view.px_per_s, view.width + FAR_PX)
    places = pitch.astype(np.float64)
    top = view.edges_of(places + 0.5)
    height = view.edges_of(places - 0.5) - top
    air = np.minimum(inset, part * height)
    return Boxes(left, top + air, np.maximum(LEAST_PX, right - left), np.maximum(2.0, height - 2 * air))


def boxes_of(view: View, field: Stretches, rows: IntArray, *, inset: float, part: float = 1.0) -> Boxes:
    return boxes(view, field.pitch[rows], field.start_s[rows], field.end_s[rows], inset=inset, part=part)


def fill(painter: QPainter, many: Boxes, colour: QColor) -> None:
    """Fill boxes, on whole pixels of the screen.

    Qt shares tall ones that can be seen through out among threads, and waits for them: those are drawn as a pixel made large.
    """
    ratio = painter.device().devicePixelRatioF()
    tall = many.height * ratio >= SHARED_PX
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if not tall.all():
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRects(Boxes(*(column[~tall] for column in many)).rectangles())
    if tall.any():
        ink = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
        ink.fill(colour)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for box in Boxes(*(column[tall] for column in many)).rectangles():
            painter.drawImage(box, ink)


def box_of(rectangle: QRectF) -> Boxes:
    """One box alone."""
    return Boxes(*(np.array([side]) for side in (rectangle.x(), rectangle.y(), rectangle.width(), rectangle.height())))


class _Shape(NamedTuple):
    """A rounded box of no particular size, in pixels of the screen; colours as 0xAARRGGBB, a fill of 0 is none.

    `end` is how much of the box a corner takes up, either way.
    """

    radius: float
    line: float
    edge: int
    fill: int
    end: int

    def within(self, end: int) -> "_Shape":
        """The same with corners that have room in a box of twice that width or height."""
        line = min(self.line, float(end))
        return self._replace(radius=min(self.radius, end - line / 2), line=line, end=end)


def draw_rounded(
    painter: QPainter, many: Boxes, *, radius: float, line_px: float, edge: QColor, fill: QColor | None = None
) -> None:
    """Boxes with a line around each and its corners rounded, on whole pixels of the screen."""
    ratio = painter.device().devicePixelRatioF()
    end = ceil((radius + line_px / 2) * ratio)
    full = _Shape(radius * ratio, line_px * ratio, edge.rgba(), fill.rgba() if fill is not None else 0, end)
    outer = many.grown(line_px / 2, line_px / 2)
    # Halves always go up: a box that is scrolled by whole pixels keeps its size.
    left, top, right, bottom = (
        np.floor(places * ratio + 0.5).astype(np.int64)
        for places in (outer.left, outer.top, outer.left + outer.width, outer.top + outer.height)
    )
    widths, heights = np.maximum(right - left, 2), np.maximum(bottom - top, 2)
    ends = np.minimum(full.end, np.minimum(widths, heights) // 2)
    patterns = {
        (end, height): _pattern(full if end == full.end else full.within(end), height)
        for end, height in set(zip(ends.tolist(), heights.tolist(), strict=True))
    }
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    draw = painter.drawImage
    for x, y, width, height, end in zip(*(c.tolist() for c in (left, top, widths, heights, ends)), strict=True):
        pattern, rest = patterns[end, height], width - 2 * end
        if rest <= MIDDLE:
            draw(x, y, pattern, 0, 0, end + rest, height)
        else:
            draw(x, y, pattern, 0, 0, end, height)
            draw(QRect(x + end, y, rest, height), pattern, QRect(end, 0, 1, height))
        draw(x + end + rest, y, pattern, end + MIDDLE, 0, end, height)
    painter.restore()


@lru_cache(maxsize=256)
def _pattern(shape: _Shape, height: int) -> QImage:
    """A box of a height, MIDDLE pixels wider than its ends."""
    pixels, end = _smallest(shape), shape.end
    rows, columns = (np.r_[0:end, np.full(between, end), end + 1 : len(pixels)] for between in (height - 2 * end, MIDDLE))
    box = np.ascontiguousarray(pixels[rows][:, columns])
    return QImage(box.data, len(columns), height, 4 * len(columns), QImage.Format.Format_ARGB32_Premultiplied).copy()


@lru_cache(maxsize=256)
def _smallest(shape: _Shape) -> Pixels:
    """Four corners and one pixel between them; premultiplied, uint32, shape (side, side)."""
    side, inset = 2 * shape.end + 1, shape.line / 2
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor.fromRgba(shape.edge), shape.line))
        painter.setBrush(QColor.fromRgba(shape.fill) if shape.fill else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(0, 0, side, side).adjusted(inset, inset, -inset, -inset), shape.radius, shape.radius)
    return np.frombuffer(image.constBits(), np.uint32).reshape(side, side).copy()
