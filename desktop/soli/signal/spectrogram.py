"""The STFT grid, analysis and block-wise synthesis.

Frames are centred: frame n looks at the samples around n * hop_length. Spectra are held frame by frame in memory
(Fortran order), so that a block of frames of a K x N matrix is one contiguous piece.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray

ComplexArray: TypeAlias = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the K bins and N frames of a recording lie."""

    rate: int
    length: int
    window_length: int
    hop_length: int

    @classmethod
    def for_recording(cls, rate: int, length: int, *, window_s: float = 4096 / 22050, overlap: int = 4) -> "Grid":
        """Window of about `window_s` seconds, rounded to a power of two so that a bin is as wide at any rate."""
        window = max(64, 2 ** round(np.log2(window_s * rate)))
        return cls(rate, length, window, window // overlap)

    @property
    def bins(self) -> int:
        """K, from 0 Hz to half the sampling rate."""
        return self.window_length // 2 + 1

    @property
    def frames(self) -> int:
        """N: the first is centred on the first sample, the last on the end of the recording or after it."""
        return 1 + -(-self.length // self.hop_length)

    @property
    def hop_s(self) -> float:
        return self.hop_length / self.rate

    def frequencies_hz(self) -> FloatArray:
        """Centre frequency of each bin, float32, shape (K,)."""
        return (np.arange(self.bins) * (self.rate / self.window_length)).astype(np.float32)

    def times_s(self) -> NDArray[np.float64]:
        """Centre of each frame in seconds, shape (N,)."""
        times: NDArray[np.float64] = np.arange(self.frames) * np.float64(self.hop_s)
        return times

    def window(self) -> FloatArray:
        """Periodic Hann window, float32, shape (window_length,), read-only."""
        return _hann(self.window_length)


@lru_cache(maxsize=8)
def _hann(length: int) -> FloatArray:
    window: FloatArray = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    window.flags.writeable = False
    return window


def analyse(signal: FloatArray, grid: Grid, start: int = 0, stop: int | None = None, *, threads: int = 1) -> ComplexArray:
    """Complex spectra of frames `start` to `stop` of a one-channel signal, complex64, shape (K, stop - start)."""
    stop = grid.frames if stop is None else stop
    return transform(cut(signal, grid, start, stop), grid, threads=threads)


def cut(signal: FloatArray, grid: Grid, start: int, stop: int) -> FloatArray:
    """The samples under frames `start` to `stop` of a signal (length,) or (length, channels), with silence outside it."""
    half = grid.window_length // 2
    first, last = start * grid.hop_length - half, (stop - 1) * grid.hop_length + half
    stretch = np.zeros((last - first, *signal.shape[1:]), np.float32)
    inside = slice(max(first, 0), min(last, len(signal)))
    if inside.stop > inside.start:
        stretch[inside.start - first : inside.stop - first] = signal[inside]
    return stretch


def transform(stretch: FloatArray, grid: Grid, *, threads: int = 1) -> ComplexArray:
    """Complex spectra of all the frames in a stretch of samples (see `cut`), complex64, shape (K, n)."""
    from scipy.fft import rfft

    framed = np.lib.stride_tricks.sliding_window_view(stretch, grid.window_length)[:: grid.hop_length]
    spectra: ComplexArray = rfft(framed * grid.window(), axis=1, overwrite_x=True, workers=threads).T
    return spectra


def magnitudes(signal: FloatArray, grid: Grid, *, block: int = 512) -> FloatArray:
    """|STFT| of a one-channel signal, float32, shape (K, N), never holding more than one block of complex spectra."""
    V = np.empty((grid.bins, grid.frames), np.float32, order="F")
    for start in range(0, grid.frames, block):
        stop = min(start + block, grid.frames)
        np.abs(analyse(signal, grid, start, stop, threads=2), out=V[:, start:stop])
    return V


def synthesise(spectra: ComplexArray, grid: Grid, start: int = 0) -> FloatArray:
    """Sound of the frames that begin with frame `start`, by weighted overlap-add; float32, shape (samples,).

    `spectra` is complex64, shape (K, n). The result begins at sample start * hop_length - window_length // 2 of the recording.
    Blocks of frames that together make up the whole grid, each synthesised by itself and all added up, give back the signal
    that was analysed (Griffin and Lim 1984: the least-squares inverse).
    """
    from scipy.fft import irfft

    n, hop, overlap = spectra.shape[1], grid.hop_length, grid.window_length // grid.hop_length
    frames = irfft(spectra.T, n=grid.window_length, axis=1, overwrite_x=True)
    frames *= grid.window()
    stretch = np.zeros((n + overlap - 1, hop), np.float32)
    for part in range(overlap):
        stretch[part : part + n] += frames[:, part * hop : (part + 1) * hop]
    # Near the ends of the recording fewer frames overlap than elsewhere.
    squared = np.square(grid.window()).reshape(overlap, hop)
    first = np.arange(start, start + n + overlap - 1)[:, None] - np.arange(overlap)
    present = ((first >= 0) & (first < grid.frames)).astype(np.float32)
    stretch /= np.maximum(present @ squared, np.float32(1e-6))
    return stretch.ravel()
