"""Any number of channels as their middle (the mean) and how each deviates from it.

The middle is what notes are found in; it keeps phase, which a mean of magnitudes loses. The deviations are masked by
templates of their own, since what is cancelled in one is often loud in the other.
"""

from dataclasses import dataclass

import numpy as np

from soli.decompose.blocks import Workers
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.signal import maps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray, Grid, cut, synthesise, transform

_BLOCK = 64
# A middle this much weaker (in energy) than the channels is one that cancels itself.
_CANCELLED = 0.05
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """Magnitude spectrograms, float32, (K, N), frame order in memory; no side where all channels are the same.

    joined: the channels cancel in their mean, so that the middle is their root mean square instead.
    """

    middle: FloatArray
    side: FloatArray | None
    joined: bool = False


def analyse_steps(audio: Audio, grid: Grid) -> Steps[Magnitudes]:
    """Magnitudes of a recording of any number of channels; the side is the root mean square of the deviations.

    Channels that cancel in the middle are taken by their root mean square instead.
    Raises InputError when the recording holds values that are no numbers.
    """
    middle = maps.zeros((grid.bins, grid.frames), order="F")
    side = maps.zeros(middle.shape, order="F") if audio.channels > 1 else None
    starts = range(0, grid.frames, _BLOCK)

    def work(start: int) -> None:
        stop = min(start + _BLOCK, grid.frames)
        centre, deviations = spectra(audio, grid, start, stop)
        np.abs(centre, out=middle[:, start:stop])
        if side is not None:
            side[:, start:stop] = root_mean_square(deviations)

    pool = Workers()
    try:
        for done, _ in enumerate(pool.map(work, starts)):
            yield Progress(done, len(starts), "Analysing")
    finally:
        pool.close()
    energies = _energy(middle), _energy(side) if side is not None else 0.0
    for spectra_there in (middle, side):
        if spectra_there is not None:
            maps.release(spectra_there)
    if not np.isfinite(energies).all():
        raise InputError("the recording holds values that are no numbers (NaN or infinity); export it again")
    if side is None or energies[1] <= _SAME * energies[0]:
        return Magnitudes(middle, None)
    joined = energies[0] < _CANCELLED * energies[1]
    if joined:
        for start in starts:
            block = slice(start, start + _BLOCK)
            np.hypot(middle[:, block], side[:, block], out=middle[:, block])
            yield Progress(len(starts), len(starts), "Analysing")
    return Magnitudes(middle, side, joined)


def middle_magnitudes(audio: Audio, grid: Grid, start: int, stop: int, *, joined: bool = False) -> FloatArray:
    """What `analyse_steps` finds in the middle of the channels, in frames start to stop alone, (K, stop - start)."""
    centre, deviations = spectra(audio, grid, start, stop) if joined else (centre_spectra(audio, grid, start, stop), [])
    middle: FloatArray = np.abs(centre)
    return np.hypot(middle, root_mean_square(deviations), out=middle) if joined else middle


def centre_spectra(audio: Audio, grid: Grid, start: int, stop: int) -> ComplexArray:
    """Complex spectra of the middle alone, (K, stop - start)."""
    stretch = cut(audio.samples, grid, start, stop)
    return transform(stretch[:, 0] if audio.channels == 1 else stretch.mean(axis=1, dtype=np.float32), grid)


def spectra(audio: Audio, grid: Grid, start: int, stop: int) -> tuple[ComplexArray, list[ComplexArray]]:
    """Complex spectra of the middle, and of the deviations of every channel but the last, each (K, stop - start).

    All deviations sum to zero, so the last is what is missing.
    """
    stretch = cut(audio.samples, grid, start, stop)
    if audio.channels == 1:
        return transform(stretch[:, 0], grid), []
    mean = stretch.mean(axis=1, dtype=np.float32)
    return transform(mean, grid), [transform(stretch[:, c] - mean, grid) for c in range(audio.channels - 1)]


def synthesise_channels(middle: ComplexArray, deviations: list[ComplexArray], grid: Grid, start: int) -> FloatArray:
    """Samples (n, channels) of what `spectra` took apart; the first is at start * hop_length - window_length // 2."""
    mean = synthesise(middle, grid, start)
    if not deviations:
        return mean[:, None]
    signals = np.empty((len(mean), len(deviations) + 1), np.float32)
    signals[:, -1] = mean
    for channel, deviation in enumerate(deviations):
        sound = synthesise(deviation, grid, start)
        np.add(mean, sound, out=signals[:, channel])
        signals[:, -1] -= sound
    return signals


def root_mean_square(deviations: list[ComplexArray]) -> FloatArray:
    """Magnitude of what deviates from the middle, over all channels, float32; as the deviations, complex64 of one shape.

    The last deviation is not among them: it is what is missing from zero.
    """
    if len(deviations) == 1:
        magnitude: FloatArray = np.abs(deviations[0])
        return magnitude
    last = deviations[0].copy()
    for deviation in deviations[1:]:
        last += deviation
    total: FloatArray = np.square(np.abs(last))
    for deviation in deviations:
        total += np.square(np.abs(deviation))
    total /= len(deviations) + 1
    return np.sqrt(total, out=total)


def _energy(V: FloatArray) -> float:
    # Frame by frame in memory: the dot of the flat view takes no copy.
    flat = V.T.reshape(-1)
    return float(np.dot(flat, flat))
