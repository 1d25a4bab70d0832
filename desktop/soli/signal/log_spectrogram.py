"""The spectrogram as a picture: one row a quarter of a semitone, so that harmonics and piano keys line up.

Low pitches are seen through a long window, high ones through a short one: bass notes stay narrow and attacks stay sharp.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid, analyse

ByteArray: TypeAlias = NDArray[np.uint8]

LOWEST_PITCH = 16
HIGHEST_PITCH = 120
ROWS_PER_SEMITONE = 4
ROWS = (HIGHEST_PITCH - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE
RANGE_DB = 66.0
QUIETEST_DB = -80.0  # what is quieter than this all the time is drawn as the silence it is
TILT_DB_PER_OCTAVE = 2.0  # music falls by about as much; without it the upper half of the picture is black
MOST_FRAMES = 120_000
LONG_WINDOW_S, SHORT_WINDOW_S = 0.186, 0.0929
CROSSOVER_PITCHES = (58, 70)  # one window gives way to the other over an octave
SILENT_DB = -180.0
_BLOCK = 256
_PROBES = 24


@dataclass(eq=False)
class LogSpectrogram:
    """`values`: uint8, shape (ROWS, frames), row 0 the lowest pitch; frames up to `ready` are filled."""

    values: ByteArray
    hop_s: float
    ready: int = 0

    def columns(self, start_s: float, end_s: float, most: int) -> ByteArray:
        """The columns of a stretch of time, or `most` of them spread over it; (ROWS, n), n is 0 where none is filled."""
        first = max(0, round(start_s / self.hop_s))
        end = min(self.ready, max(first, round(end_s / self.hop_s)) + 1)
        return self.values[:, first:end] if end - first <= most else self.values[:, np.linspace(first, end - 1, most).astype(int)]


@dataclass(frozen=True, eq=False)
class LogRows:
    """How the bins of one window length become rows: interpolated where a row is narrower than a bin, the largest elsewhere."""

    grid: Grid
    below: NDArray[np.int64]
    fraction: FloatArray
    wide: NDArray[np.int64]
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, grid: Grid, rows: NDArray[np.int64]) -> "LogRows":
        def bins(row: NDArray[np.floating]) -> NDArray[np.floating]:
            pitch = LOWEST_PITCH - 0.5 + row / ROWS_PER_SEMITONE
            hertz = np.asarray(440.0 * 2.0 ** ((pitch - 69) / 12))
            return np.minimum(hertz * (grid.window_length / grid.rate), grid.bins - 2.0)

        centre, low, high = bins(rows + 0.5), np.ceil(bins(rows + 0.0)), np.floor(bins(rows + 1.0))
        wide = np.flatnonzero(high > low)
        edges = np.stack([low[wide], high[wide] + 1], axis=1).astype(np.int64).reshape(-1)
        below = np.floor(centre).astype(np.int64)
        return cls(grid, below, (centre - below).astype(np.float32)[:, None], wide, edges)

    def of_frames(self, signal: FloatArray, start: int, stop: int) -> FloatArray:
        """Frames of a one-channel signal, a full-scale sine being 1; float32, shape (rows, stop - start)."""
        rows = self.of_spectra(np.abs(analyse(signal, self.grid, start, stop)))
        return np.asarray(rows / np.float32(self.grid.window_length / 4), np.float32)

    def of_spectra(self, spectra: FloatArray) -> FloatArray:
        """Magnitude spectra (K, n), or templates, with the rows of the picture in place of their bins; (rows, n)."""
        rows = spectra[self.below] * (1 - self.fraction) + spectra[self.below + 1] * self.fraction
        if len(self.wide):
            rows[self.wide] = np.maximum.reduceat(spectra, self.edges, axis=0)[::2]
        return np.asarray(rows, np.float32)


class LogSpectrogramMaker:
    """Fills a LogSpectrogram block by block, so that it can be looked at while it grows."""

    def __init__(self, recording: Audio) -> None:
        self._signal = recording.mono()
        rate, length = recording.rate, recording.length
        hop = max(1, round(0.01 * rate), -(-length // MOST_FRAMES))

        def grid(seconds: float) -> Grid:
            return Grid(rate, length, max(64, 2 ** round(np.log2(seconds * rate))), hop)

        rows = np.arange(ROWS)
        self._first, self._last = ((pitch - LOWEST_PITCH) * ROWS_PER_SEMITONE for pitch in CROSSOVER_PITCHES)
        self._low = LogRows.of(grid(LONG_WINDOW_S), rows[: self._last])
        self._high = LogRows.of(grid(SHORT_WINDOW_S), rows[self._first :])
        self._blend = np.linspace(0, 1, self._last - self._first, dtype=np.float32)[:, None]
        pitch = LOWEST_PITCH - 0.5 + (rows + 0.5) / ROWS_PER_SEMITONE
        self._heard = int(np.searchsorted(pitch, 69 + 12 * np.log2(rate / 2 / 440)))  # rows below half the sampling rate
        self._tilt_db = (TILT_DB_PER_OCTAVE * np.clip((pitch - 48) / 12, 0, None)).astype(np.float32)[:, None]
        self._frames = self._low.grid.frames
        self._loudest_db = QUIETEST_DB
        self.picture = LogSpectrogram(np.zeros((ROWS, self._frames), np.uint8), hop / rate)

    def steps(self) -> Steps[LogSpectrogram]:
        """Fill the picture; each step makes some seconds of it ready."""
        for n in self._loud_places():
            self._loudest_db = max(self._loudest_db, float(self._decibels(n, min(n + 4, self._frames)).max()))
        for start in range(0, self._frames, _BLOCK):
            stop = min(start + _BLOCK, self._frames)
            level = 1.0 + (self._decibels(start, stop) - self._loudest_db) / RANGE_DB
            self.picture.values[:, start:stop] = np.clip(level * 255, 0, 255).astype(np.uint8)
            self.picture.ready = stop
            yield Progress(stop, self._frames, "Drawing the spectrogram")
        return self.picture

    def _loud_places(self) -> list[int]:
        """One frame in each part of the recording, there where it is loudest."""
        hop = self._low.grid.hop_length
        length = hop * max(1, self._frames // _PROBES)
        parts = (self._signal[start : start + length] for start in range(0, len(self._signal), length))
        return [i * length // hop + int(np.abs(part).argmax()) // hop for i, part in enumerate(parts)]

    def _decibels(self, start: int, stop: int) -> FloatArray:
        low, high = (part.of_frames(self._signal, start, stop) for part in (self._low, self._high))
        shared = self._last - self._first
        both = low[self._first :] * (1 - self._blend) + high[:shared] * self._blend
        rows = np.concatenate([low[: self._first], both, high[shared:]])
        decibels: FloatArray = 20 * np.log10(np.maximum(rows, 10 ** (SILENT_DB / 20))) + self._tilt_db
        decibels[self._heard :] = SILENT_DB
        return decibels
