"""A spectrogram as a picture of bytes that can be looked at while it is made: first all of it coarsely, then frame by frame.

The frames that somebody looks at are made before the others. The number of frames is bounded, and with it the memory, however
long the recording is: those of long ones lie further apart.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray, mean_of_channels
from soli.signal.spectrogram import Grid, cut, transform

ByteArray: TypeAlias = NDArray[np.uint8]
Edges: TypeAlias = NDArray[np.float64]

RANGE_DB = 66.0
QUIETEST_DB = -80.0  # what is quieter than this all the time is drawn as the silence it is
SILENT_DB = -180.0
SHORTEST_HOP_S = 0.01
COARSE = 32  # frames that one of the first look stands for
COARSE_FROM = 4096  # shorter pictures are made in a moment
_BLOCK = 256
_PROBES = 24


@dataclass(eq=False)
class Picture:
    """`values`: uint8, shape (rows, frames), row 0 the lowest, frame n the sound around n * hop_s.

    Row r reaches from `lowest` + r / `rows_per_unit` over 1 / `rows_per_unit`, in the unit of the axis. The first `ready`
    frames show something. `filled`: from and to which frame it was filled, in this order; it only ever grows.
    """

    values: ByteArray
    hop_s: float
    lowest: float
    rows_per_unit: float
    ready: int = 0
    filled: list[tuple[int, int]] = field(default_factory=list)


P = TypeVar("P", bound=Picture)


@dataclass(frozen=True, eq=False)
class Rows:
    """How the bins of one window length become rows: interpolated where a row is narrower than a bin, the largest elsewhere.

    below: int64, (rows,): the bin under the centre of each row; fraction: float32, (rows, 1): how far the centre is above it.
    wide: the rows that take the largest of several bins, (n,); edges: from and to which bin each of these, (2 n,); int64.
    """

    grid: Grid
    below: NDArray[np.int64]
    fraction: FloatArray
    wide: NDArray[np.int64]
    edges: NDArray[np.int64]

    @classmethod
    def between(cls, grid: Grid, low_hz: Edges, centre_hz: Edges, high_hz: Edges) -> "Rows":
        """Rows from `low_hz` to `high_hz`, one each; those above half the sampling rate show what is just below it."""

        def bins(hertz: Edges) -> Edges:
            return np.minimum(hertz * (grid.window_length / grid.rate), grid.bins - 2.0)

        centre, low, high = bins(centre_hz), np.ceil(bins(low_hz)), np.floor(bins(high_hz))
        wide = np.flatnonzero(high > low)
        edges = np.stack([low[wide], high[wide] + 1], axis=1).astype(np.int64).reshape(-1)
        below = np.floor(centre).astype(np.int64)
        return cls(grid, below, (centre - below).astype(np.float32)[:, None], wide, edges)

    def of_frames(self, samples: FloatArray, start: int, stop: int) -> FloatArray:
        """Frames of the mean of the channels, a full-scale sine being 1; float32, shape (rows, stop - start).

        `samples` have the shape (length, channels).
        """
        grid = self.grid
        if grid.hop_length > grid.window_length:
            # Frames with gaps between them: what lies in a gap need not be touched.
            stretch = np.concatenate([cut(samples, grid, n, n + 1) for n in range(start, stop)])
            grid = replace(grid, hop_length=grid.window_length)
        else:
            stretch = cut(samples, grid, start, stop)
        spectra = transform(mean_of_channels(stretch), grid)
        return np.asarray(self.of_spectra(np.abs(spectra)) / np.float32(self.grid.window_length / 4), np.float32)

    def of_spectra(self, spectra: FloatArray) -> FloatArray:
        """Magnitude spectra (K, n), or templates, with the rows of the picture in place of their bins; (rows, n)."""
        rows = spectra[self.below] * (1 - self.fraction) + spectra[self.below + 1] * self.fraction
        if len(self.wide):
            rows[self.wide] = np.maximum.reduceat(spectra, self.edges, axis=0)[::2]
        return np.asarray(rows, np.float32)


class PictureMaker(ABC, Generic[P]):
    """Fills a Picture block by block. A subclass says which frequencies the rows show."""

    picture: P

    def __init__(self, recording: Audio, *, most_frames: int) -> None:
        self._samples, self._rate, self._length = recording.samples, recording.rate, recording.length
        self._hop = max(1, round(SHORTEST_HOP_S * recording.rate), -(-recording.length // most_frames))
        self._frames = self.grid(SHORTEST_HOP_S).frames
        self._middle = 0
        self._loudest_db = QUIETEST_DB

    def grid(self, window_s: float, *, coarse: bool = False) -> Grid:
        """Frames of a window of about this length; with `coarse`, one in COARSE of them."""
        window = max(64, 2 ** round(np.log2(window_s * self._rate)))
        return Grid(self._rate, self._length, window, self._hop * (COARSE if coarse else 1))

    def look_at(self, start_s: float, end_s: float) -> None:
        """Make the frames around this stretch first. May be called from another thread while the steps run."""
        self._middle = round((start_s + end_s) / 2 * self._rate / self._hop)

    def steps(self) -> Steps[P]:
        """Fill the picture; each step makes some of it ready, or finer."""
        for n in self._loud_places():
            loud = self.decibels(n, min(n + 4, self._frames), coarse=False)
            self._loudest_db = max(self._loudest_db, float(loud.max()))
        blocks = list(range(0, self._frames, _BLOCK))
        if self._frames >= COARSE_FROM:
            few = -(-(self._frames + COARSE // 2) // COARSE)
            for start in range(0, few, _BLOCK):
                stop = min(start + _BLOCK, few)
                first, last = self._columns(start), self._columns(stop) if stop < few else self._frames
                levels = np.repeat(self._levels(start, stop, coarse=True), COARSE, axis=1)
                skipped = first - (start * COARSE - COARSE // 2)
                self._fill(first, last, levels[:, skipped : skipped + last - first])
                self.picture.ready = last
                yield Progress(0, self._frames, "Drawing the spectrogram")
        made = 0
        while blocks:
            wanted = self._middle - _BLOCK // 2 if self.picture.ready == self._frames else 0
            start = blocks.pop(min(range(len(blocks)), key=lambda i: abs(blocks[i] - wanted)))
            stop = min(start + _BLOCK, self._frames)
            self._fill(start, stop, self._levels(start, stop, coarse=False))
            self.picture.ready = max(self.picture.ready, stop)
            made += stop - start
            yield Progress(made, self._frames, "Drawing the spectrogram")
        return self.picture

    @abstractmethod
    def decibels(self, start: int, stop: int, *, coarse: bool) -> FloatArray:
        """Frames `start` to `stop` of the grid, or of the coarse one, as they are drawn; float32, shape (rows, stop - start)."""

    def _columns(self, coarse_frame: int) -> int:
        """The first frame that a coarse one stands for."""
        return max(0, coarse_frame * COARSE - COARSE // 2)

    def _levels(self, start: int, stop: int, *, coarse: bool) -> ByteArray:
        level = 1.0 + (self.decibels(start, stop, coarse=coarse) - self._loudest_db) / RANGE_DB
        levels: ByteArray = np.clip(level * 255, 0, 255).astype(np.uint8)
        return levels

    def _fill(self, first: int, last: int, levels: ByteArray) -> None:
        self.picture.values[:, first:last] = levels
        self.picture.filled.append((first, last))

    def _loud_places(self) -> list[int]:
        """One frame in each part of the recording, there where it is loudest."""
        length = self._hop * max(1, self._frames // _PROBES)
        parts = (self._samples[start : start + length] for start in range(0, self._length, length))
        return [(i * length + int(np.abs(mean_of_channels(part)).argmax())) // self._hop for i, part in enumerate(parts)]


def to_decibels(rows: FloatArray) -> FloatArray:
    """Magnitudes of any shape in dB, float32, none below SILENT_DB."""
    decibels: FloatArray = 20 * np.log10(np.maximum(rows, np.float32(10 ** (SILENT_DB / 20))))
    return decibels
