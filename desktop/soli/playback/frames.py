"""A sound cut into frames, as spectra, and put together again."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray

Spectra: TypeAlias = NDArray[np.complex64]
# Samples [first, end) of a signal, float32 (end - first, channels), zero where there are none.
Read: TypeAlias = Callable[[int, int], FloatArray]


def reader(signal: FloatArray) -> Read:
    """Reads `signal`, float32 (length, channels), with silence around it."""

    def read(first: int, end: int) -> FloatArray:
        part = signal[max(0, first) : max(0, end)]
        before = min(max(0, -first), end - first)
        return np.pad(part, ((before, end - first - before - len(part)), (0, 0)))

    return read


def spectra_of(read: Read, centres: NDArray[np.int64], length: int) -> Spectra:
    """Spectra of Hann windows around samples of a signal, complex64 (centres, bins, channels)."""
    from scipy.fft import rfft

    cut = _cut(read, centres - length // 2, length)
    cut *= _hann(length)[None, :, None]
    return np.asarray(rfft(cut, axis=1), np.complex64)


def _cut(read: Read, starts: NDArray[np.int64], length: int) -> FloatArray:
    """Stretches of `length` samples that begin at `starts`, which rise, float32 (starts, length, channels), a copy."""
    if not len(starts):
        return np.zeros((0, length, read(0, 0).shape[1]), np.float32)
    low = int(starts.min())
    sound = read(low, int(starts.max()) + length)
    windows = np.lib.stride_tricks.sliding_window_view(sound, length, axis=0)
    return np.ascontiguousarray(windows[starts - low].transpose(0, 2, 1))


def power_of(spectra: Spectra) -> FloatArray:
    """Of each frequency of each frame, over all channels, float32 (frames, bins)."""
    return np.asarray((spectra.real**2 + spectra.imag**2).sum(axis=2), np.float32)


def overlap_added(spectra: Spectra, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """Samples [first, end) of frames with a Hann window that begin at `starts`, a quarter of their length apart."""
    from scipy.fft import irfft

    length = 4 * hop
    frames = irfft(spectra, n=length, axis=1)
    # The squares of Hann windows a quarter apart sum to three halves.
    frames *= (_hann(length) / np.float32(1.5))[None, :, None]
    return _put(np.asarray(frames, np.float32), starts, hop, first, end)


def _put(frames: FloatArray, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """The sum of frames that begin at `starts`, `hop` after one another, in samples [first, end)."""
    count, length, channels = frames.shape
    overlap = length // hop
    whole = np.zeros((count + overlap - 1, hop, channels), np.float32)
    for part in range(overlap):
        whole[part : part + count] += frames[:, part * hop : (part + 1) * hop]
    flat = whole.reshape(-1, channels)
    return reader(flat)(first - int(starts[0]), end - int(starts[0]))


def _hann(length: int) -> FloatArray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def power_of_two(samples: float) -> int:
    """The one that is nearest to a number of samples."""
    return max(64, int(2 ** round(np.log2(samples))))
