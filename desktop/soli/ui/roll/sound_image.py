"""Paints the log spectrogram: a resolution pyramid, coloured by a table for what is in view alone."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from soli.signal.log_spectrogram import LOWEST_PITCH, ROWS, ROWS_PER_SEMITONE, LogSpectrogram
from soli.ui.roll.view import View
from soli.ui.theme import Colours

# The coloured tile reaches this many times the view's width to either side, so that scrolling seldom colours anew.
TILE_MARGIN = 0.5
SHADES_AT = (0.22, 0.55, 1.0)  # where the ground ends, the quiet ink stands, the loud ink is reached
SHADES_AT = (0.22, 0.55, 1.0)  # loudness of ground, of the quiet ink and of the loud ink


def shades(colours: Colours, *, brightness: float = 0.0, contrast: float = 1.0) -> NDArray[np.uint32]:
    """The colour of each loudness from 0 to 255, as 0xffRRGGBB; uint32, shape (256,)."""
    level = np.clip((np.linspace(0, 1, 256) - 0.5 + 0.5 * brightness) * contrast + 0.5, 0, 1)
    stops = [QColor(colours.canvas), QColor(colours.sound_low), QColor(colours.sound_high)]
    channels = zip(*((c.red(), c.green(), c.blue()) for c in stops), strict=True)
    red, green, blue = (np.interp(level, SHADES_AT, channel).astype(np.uint32) for channel in channels)
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, np.uint32)


class SoundImage:
    """The picture of one recording. Memory: the uint8 picture, its halves (together as much again), and one coloured tile."""

    def __init__(self, picture: LogSpectrogram) -> None:
        self._picture = picture
        self._levels = [picture.values]
        while self._levels[-1].shape[1] > 2048:
            self._levels.append(np.zeros((ROWS, self._levels[-1].shape[1] // 2), np.uint8))
        self._ready = 0
        self._table: NDArray[np.uint32] = np.zeros(256, np.uint32)
        self._tile = QImage()
        self._tile_pixels: NDArray[np.uint32] = np.zeros((0, 0), np.uint32)
        self._tile_of: tuple[int, int, int, int] = (-1, 0, 0, 0)  # level, first and last column, columns that were ready

    def colour(self, colours: Colours, *, brightness: float = 0.0, contrast: float = 1.0) -> None:
        """Choose the ink; brightness from -1 to 1, contrast from 0.2 to 5."""
        self._table = shades(colours, brightness=brightness, contrast=contrast)
        self._tile_of = (-1, 0, 0, 0)

    def columns(self, start_s: float, end_s: float, most: int) -> NDArray[np.uint8]:
        """What is heard in a stretch of time, as `LogSpectrogram.columns` has it."""
        return self._picture.columns(start_s, end_s, most)

    def grow(self) -> None:
        """Take over the frames that became ready since the last call."""
        done, ready = self._ready, self._picture.ready
        self._ready = ready
        for finer, coarser in zip(self._levels, self._levels[1:], strict=False):
            done, ready = done // 2, min(ready // 2, coarser.shape[1])
            pairs = finer[:, 2 * done : 2 * ready]
            np.maximum(pairs[:, ::2], pairs[:, 1::2], out=coarser[:, done:ready])

    def paint(self, painter: QPainter, view: View, pixel_ratio: float) -> None:
        """Paint what the view shows."""
        hop_s = self._picture.hop_s
        frames_per_px = view.span_s / hop_s / (view.width * pixel_ratio)
        level = min(max(0, int(np.log2(max(frames_per_px, 1e-9)))), len(self._levels) - 1)
        column_s = hop_s * 2**level
        # Column i is the sound around i * hop, so it is drawn from half a hop before to half a hop after.
        first, last = view.start_s / column_s - 1, view.end_s / column_s + 2
        self._colour_tile(level, first, last)
        _, start, stop, _ = self._tile_of
        if stop <= start:
            return
        lowest = LOWEST_PITCH - 0.5
        top_row, rows = (lowest + ROWS / ROWS_PER_SEMITONE - view.top) * ROWS_PER_SEMITONE, view.semitones * ROWS_PER_SEMITONE
        source = QRectF((view.start_s / column_s + 0.5) - start, top_row, view.span_s / column_s, rows)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(QRectF(0, 0, view.width, view.height), self._tile, source)

    def _colour_tile(self, level: int, first: float, last: float) -> None:
        values = self._levels[level]
        columns = values.shape[1]
        held_level, start, stop, ready = self._tile_of
        wanted = max(0, int(first)), min(columns, int(last) + 1)
        if held_level == level and start <= wanted[0] and stop >= wanted[1] and (ready == self._ready or stop <= ready >> level):
            return
        margin = int((last - first) * TILE_MARGIN)
        start, stop = max(0, int(first) - margin), min(columns, int(last) + 1 + margin)
        self._tile_of = (level, start, stop, self._ready)
        if stop <= start:
            return
        # Row 0 of the values is the lowest pitch, row 0 of an image its top.
        self._tile_pixels = np.take(self._table, values[::-1, start:stop])
        self._tile = QImage(self._tile_pixels.data, stop - start, ROWS, (stop - start) * 4, QImage.Format.Format_RGB32)
