"""Paints a spectrogram: a resolution pyramid, coloured by a table for what is in view alone."""

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from soli.signal.picture import Picture
from soli.ui.roll.boxes import SHARED_PX
from soli.ui.roll.view import View
from soli.ui.theme import Colours

# The coloured tile reaches this many times the view's width to either side, so that scrolling seldom colours anew.
TILE_MARGIN = 0.5
MOST_TILE_COLUMNS = 12_000  # 31 MB of the tallest picture, whatever the screen
MOST_STILL_BYTES = 24 * 2**20
COARSEST_COLUMNS = 2048
SMALL_PX = 300_000
SHADES_AT = (0.22, 0.55, 1.0)  # loudness of ground, of the quiet ink and of the loud ink


def shades(colours: Colours, *, brightness: float = 0.0, contrast: float = 1.0) -> NDArray[np.uint32]:
    """The colour of each loudness from 0 to 255, as 0xffRRGGBB; uint32, shape (256,)."""
    level = np.clip((np.linspace(0, 1, 256) - 0.5 + 0.5 * brightness) * contrast + 0.5, 0, 1)
    stops = [QColor(colours.canvas), QColor(colours.sound_low), QColor(colours.sound_high)]
    channels = zip(*((c.red(), c.green(), c.blue()) for c in stops), strict=True)
    red, green, blue = (np.interp(level, SHADES_AT, channel).astype(np.uint32) for channel in channels)
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, np.uint32)


class SoundImage:
    """The picture of one recording on one axis.

    Memory: the bytes of the picture, its halves (together as much again), and one coloured tile; `nbytes` says how much.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._levels = [picture.values]
        while self._levels[-1].shape[1] > COARSEST_COLUMNS:
            self._levels.append(np.zeros((len(picture.values), -(-self._levels[-1].shape[1] // 2)), np.uint8))
        self._taken = 0  # how many of the filled stretches are in the pyramid
        self._table = [0] * 256
        self._tile = QImage()
        self._tile_of: tuple[int, int, int] = (-1, 0, 0)  # level, first and last column

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self._levels) + self._tile.sizeInBytes()

    def rest(self) -> None:
        """Let go of what is kept for painting alone: another axis is shown."""
        self._forget_tile()
        self._tile = QImage()

    def colour(self, colours: Colours, *, brightness: float = 0.0, contrast: float = 1.0) -> None:
        """Choose the ink; brightness from -1 to 1, contrast from 0.2 to 5."""
        self._table = shades(colours, brightness=brightness, contrast=contrast).tolist()
        self._forget_tile()

    def grow(self) -> list[tuple[float, float]]:
        """Take over what was filled since the last call; says from and to which second it looks different now."""
        fresh = self.picture.filled[self._taken :]
        self._taken += len(fresh)
        for start, stop in fresh:
            first, last = start, stop
            for finer, coarser in zip(self._levels, self._levels[1:], strict=False):
                first, last = first // 2, -(-last // 2)
                pairs = finer[:, 2 * first : 2 * last]
                even = pairs[:, ::2]
                coarser[:, first:last] = even
                odd = pairs[:, 1::2]
                np.maximum(even[:, : odd.shape[1]], odd, out=coarser[:, first : first + odd.shape[1]])
            level, begin, end = self._tile_of
            if level >= 0 and start >> level < end and stop >> level >= begin:
                self._forget_tile()
        return [((start - 1) * self.picture.hop_s, stop * self.picture.hop_s) for start, stop in fresh]

    def covers(self, view: View) -> bool:
        """Whether nothing of the ground is seen in the view."""
        columns_s = (self.picture.values.shape[1] - 1) * self.picture.hop_s
        low, high = (edge - self.picture.lowest for edge in view.extent)
        inside = low >= 0 and high * self.picture.rows_per_unit <= len(self.picture.values)
        return inside and view.start_s >= 0 and view.end_s <= columns_s

    def paint(self, painter: QPainter, view: View, pixel_ratio: float, *, smooth: bool = True) -> None:
        """Paint what the view shows; the picture must be one of the view's axis. `smooth` costs five times as much."""
        picture = self.picture
        frames_per_px = view.span_s / picture.hop_s / (view.width * pixel_ratio)
        level = min(max(0, int(np.log2(max(frames_per_px, 1e-9)))), len(self._levels) - 1)
        column_s = picture.hop_s * 2**level
        # Column i is the sound around i * hop, so it is drawn from half a hop before to half a hop after.
        first, last = view.start_s / column_s - 1, view.end_s / column_s + 2
        self._colour_tile(level, first, last)
        _, start, stop = self._tile_of
        if stop <= start:
            return
        low, high = view.extent
        top_row = len(picture.values) - (high - picture.lowest) * picture.rows_per_unit
        shift = 0.5 * picture.hop_s / column_s
        width, height = view.span_s / column_s, (high - low) * picture.rows_per_unit
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        source = QRectF(view.start_s / column_s + shift - start, top_row, width, height)
        target = QRectF(0, 0, view.width, view.height)
        if not smooth or view.width * view.height * pixel_ratio**2 > SMALL_PX:
            painter.drawImage(target, self._tile, source)
            return
        # Lines so few that Qt does not share them out among threads, and wait for them: much for a narrow strip.
        step = SHARED_PX / pixel_ratio
        for i in range(ceil(view.height / step)):
            painter.save()
            painter.setClipRect(QRectF(0, i * step, view.width, step), Qt.ClipOperation.IntersectClip)
            painter.drawImage(target, self._tile, source)
            painter.restore()

    def _forget_tile(self) -> None:
        self._tile_of = (-1, 0, 0)

    def _colour_tile(self, level: int, first: float, last: float) -> None:
        values = self._levels[level]
        columns = values.shape[1]
        held, start, stop = self._tile_of
        if held == level and start <= max(0, int(first)) and stop >= min(columns, int(last) + 1):
            return
        margin = min(int((last - first) * TILE_MARGIN), max(0, (MOST_TILE_COLUMNS - int(last - first)) // 2))
        start, stop = max(0, int(first) - margin), min(columns, int(last) + 1 + margin)
        self._tile_of = (level, start, stop)
        if stop <= start:
            return
        # Row 0 of the values is the lowest, row 0 of an image its top.
        shown = np.ascontiguousarray(values[::-1, start:stop])
        width, height = stop - start, len(values)
        indexed = QImage(shown.data, width, height, width, QImage.Format.Format_Indexed8)
        indexed.setColorTable(self._table)
        self._tile = indexed.convertToFormat(QImage.Format.Format_RGB32)
