"""The spectrogram as a picture: one row a quarter of a semitone, so that harmonics and piano keys line up.

Low pitches are seen through a long window, high ones through a short one: bass notes stay narrow and attacks stay sharp.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import Audio, FloatArray
from soli.signal.picture import SILENT_DB, ByteArray, Edges, Picture, PictureMaker, Rows, to_decibels
from soli.signal.spectrogram import Grid

LOWEST_PITCH = 16
HIGHEST_PITCH = 120
ROWS_PER_SEMITONE = 4
ROWS = (HIGHEST_PITCH - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE
TILT_DB_PER_OCTAVE = 2.0  # music falls by about as much; without it the upper half of the picture is black
MOST_FRAMES = 120_000
LONG_WINDOW_S, SHORT_WINDOW_S = 0.186, 0.0929
CROSSOVER_PITCHES = (58, 70)  # one window gives way to the other over an octave


@dataclass(eq=False)
class LogSpectrogram(Picture):
    """A Picture of ROWS rows whose unit is the semitone, from half a semitone below LOWEST_PITCH on."""

    def columns(self, start_s: float, end_s: float, most: int) -> ByteArray:
        """The columns of a stretch of time, or `most` of them spread over it; (ROWS, n), n is 0 where none is filled."""
        first = max(0, round(start_s / self.hop_s))
        end = min(self.ready, max(first, round(end_s / self.hop_s)) + 1)
        return self.values[:, first:end] if end - first <= most else self.values[:, np.linspace(first, end - 1, most).astype(int)]


def log_rows(grid: Grid, rows: NDArray[np.int64]) -> Rows:
    """How spectra on `grid` become the rows numbered `rows`, (n,), of a quarter of a semitone each, counted from LOWEST_PITCH."""

    def hertz(row: Edges) -> Edges:
        pitch = LOWEST_PITCH - 0.5 + row / ROWS_PER_SEMITONE
        return np.asarray(440.0 * 2.0 ** ((pitch - 69) / 12), np.float64)

    places = rows.astype(np.float64)
    return Rows.between(grid, hertz(places), hertz(places + 0.5), hertz(places + 1.0))


class LogSpectrogramMaker(PictureMaker[LogSpectrogram]):
    """Makes the picture over pitch."""

    def __init__(self, recording: Audio) -> None:
        super().__init__(recording, most_frames=MOST_FRAMES)
        rows = np.arange(ROWS)
        self._first, self._last = ((pitch - LOWEST_PITCH) * ROWS_PER_SEMITONE for pitch in CROSSOVER_PITCHES)
        self._parts = {
            coarse: (
                log_rows(self.grid(LONG_WINDOW_S, coarse=coarse), rows[: self._last]),
                log_rows(self.grid(SHORT_WINDOW_S, coarse=coarse), rows[self._first :]),
            )
            for coarse in (False, True)
        }
        self._blend = np.linspace(0, 1, self._last - self._first, dtype=np.float32)[:, None]
        pitch = LOWEST_PITCH - 0.5 + (rows + 0.5) / ROWS_PER_SEMITONE
        self._heard = int(np.searchsorted(pitch, 69 + 12 * np.log2(recording.rate / 2 / 440)))  # below half the sampling rate
        self._tilt_db = (TILT_DB_PER_OCTAVE * np.clip((pitch - 48) / 12, 0, None)).astype(np.float32)[:, None]
        values = np.zeros((ROWS, self._frames), np.uint8)
        self.picture = LogSpectrogram(values, self._hop / self._rate, LOWEST_PITCH - 0.5, ROWS_PER_SEMITONE)

    def decibels(self, start: int, stop: int, *, coarse: bool) -> FloatArray:
        """See `PictureMaker.decibels`."""
        low, high = (part.of_frames(self._samples, start, stop) for part in self._parts[coarse])
        shared = self._last - self._first
        both = low[self._first :] * (1 - self._blend) + high[:shared] * self._blend
        decibels: FloatArray = to_decibels(np.concatenate([low[: self._first], both, high[shared:]])) + self._tilt_db
        decibels[self._heard :] = SILENT_DB
        return decibels
