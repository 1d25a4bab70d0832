"""From factors to sound: soft masks over the recording's own spectra, one signal a layer, and what is left over."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np

from soli.decompose.blocks import Workers
from soli.decompose.bodies import BoolArray
from soli.decompose.model import Factors
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray, analyse, synthesise

_BLOCK = 64
_TINY = np.float32(1e-20)
# Signals are rounded to the grid of 24-bit samples: float32 then adds and subtracts them without any error.
_STEPS = np.float32(2**23)


def separate_steps(audio: Audio, factors: Factors, layers: Sequence[int]) -> Steps[dict[int, FloatArray]]:
    """One signal a layer: layer id -> float32, shape (length, channels), on the grid of 24-bit samples.

    Soft masks (the layers' model spectra to the power of `mask_exponent`, over the sum of all layers') weigh the complex
    spectra of every channel, block by block. Where nothing may sound the sound stays in the residual; a layer without
    notes is silent. Raises InputError when the recording is another than the one decomposed.
    """
    _check(audio, factors)
    grid, bodies = factors.grid, factors.constraint.bodies
    groups = [bodies.of_layers(layer) for layer in layers]
    groups.append(~np.isin(bodies.layer, layers))
    signals = [np.zeros(audio.samples.shape, np.float32) for _ in layers]
    starts = range(0, grid.frames, _BLOCK)
    pool = Workers()
    try:
        work = partial(_pieces, audio, factors, groups)
        for done, (first, pieces) in enumerate(pool.map(work, starts)):
            for signal, piece in zip(signals, pieces, strict=True):
                if piece is not None:
                    _add(signal, piece, first)
            yield Progress(done, len(starts), "Separating")
    finally:
        pool.close()
    for signal in signals:
        _to_grid(signal)
        yield Progress(len(starts), len(starts), "Separating")
    return dict(zip(layers, signals, strict=True))


def residual(audio: Audio, signals: Iterable[FloatArray]) -> FloatArray:
    """The recording less its layers, float32, shape (length, channels).

    With recordings of up to 24 bits, layers and residual sum to the recording to the last bit, in any order.
    """
    rest = audio.samples.copy()
    for signal in signals:
        rest -= signal
    return rest


def note_alone(audio: Audio, factors: Factors, ids: Sequence[int]) -> tuple[int, FloatArray]:
    """The sound of the notes `ids` on their own: first sample, and float32 samples of shape (length, channels).

    From the factors that are there. Each layer's mask is shared among its notes, so that all notes of a layer sum to the layer.
    Notes that have no place in the recording give zero samples.
    """
    _check(audio, factors)
    grid, entries = factors.grid, factors.constraint.entries
    selected = factors.constraint.bodies.of_notes(ids)
    frames = entries.frame[selected[entries.body]]
    if len(frames) == 0:
        return 0, np.zeros((0, audio.channels), np.float32)
    start, stop = int(frames.min()), int(frames.max()) + 1
    half = grid.window_length // 2
    first, last = max(0, start * grid.hop_length - half), min(audio.length, (stop - 1) * grid.hop_length + half)
    samples = np.zeros((last - first, audio.channels), np.float32)
    pool = Workers()
    try:
        work: Callable[[int], tuple[int, FloatArray | None]] = partial(_note_piece, audio, factors, selected, stop)
        for at, piece in pool.map(work, range(start, stop, _BLOCK // 4)):
            if piece is not None:
                _add(samples, piece, at - first)
    finally:
        pool.close()
    _to_grid(samples)
    return first, samples


def _pieces(audio: Audio, factors: Factors, groups: Sequence[BoolArray], start: int) -> tuple[int, list[FloatArray | None]]:
    """What each group but the last sounds in one block of frames, and the sample it begins at."""
    stop = min(start + _BLOCK, factors.grid.frames)
    models = _models(factors, groups, start, stop)
    first = start * factors.grid.hop_length - factors.grid.window_length // 2
    if all(model is None for model in models[:-1]):
        return first, [None] * (len(groups) - 1)
    total = _sum(models)
    masks = [None if model is None else np.divide(model, total, out=model) for model in models[:-1]]
    spectra = [analyse(audio.samples[:, channel], factors.grid, start, stop).T for channel in range(audio.channels)]
    return first, [None if mask is None else _masked(spectra, mask, factors, start) for mask in masks]


def _note_piece(audio: Audio, factors: Factors, selected: BoolArray, end: int, start: int) -> tuple[int, FloatArray | None]:
    stop = min(start + _BLOCK // 4, end)
    first = start * factors.grid.hop_length - factors.grid.window_length // 2
    bodies, entries = factors.constraint.bodies, factors.constraint.entries
    sounding = np.unique(entries.body[entries.first[start] : entries.first[stop]])
    layers = np.unique(bodies.layer[sounding])
    models = _models(factors, [bodies.of_layers(layer) for layer in layers.tolist()], start, stop)
    total = _sum(models)
    mask = np.zeros_like(total)
    rows = np.arange(len(bodies))
    for layer, model in zip(layers.tolist(), models, strict=True):
        here = sounding[bodies.layer[sounding] == layer]
        if model is None or not selected[here].any():
            continue
        if selected[here].all():
            mask += model / total
            continue
        notes = _models(factors, [rows == body for body in here.tolist()], start, stop)
        mine = _sum([note for note, body in zip(notes, here.tolist(), strict=True) if selected[body]], like=total)
        mask += (model / total) * (mine / _sum(notes, like=total))
    if not mask.any():
        return first, None
    spectra = [analyse(audio.samples[:, channel], factors.grid, start, stop).T for channel in range(audio.channels)]
    return first, _masked(spectra, mask, factors, start)


def _models(factors: Factors, groups: Sequence[BoolArray], start: int, stop: int) -> list[FloatArray | None]:
    """Each group's model spectra to the power of the mask exponent, (stop - start, K); None where it does not sound."""
    H = factors.H[:, start:stop]
    models: list[FloatArray | None] = []
    for group in groups:
        if not group.any():
            models.append(None)
            continue
        mine = H * factors.constraint.shares(group, start, stop)
        alive = np.flatnonzero(mine.any(axis=1))
        if len(alive) == 0:
            models.append(None)
            continue
        model = mine[alive].T @ factors.W.T[alive]
        models.append(np.power(model, np.float32(factors.settings.mask_exponent), out=model))
    return models


def _sum(models: Sequence[FloatArray | None], *, like: FloatArray | None = None) -> FloatArray:
    """Sum of those that sound, and a trace, so that it can be divided by."""
    sounding = [model for model in models if model is not None]
    if not sounding:
        return np.full_like(like, _TINY) if like is not None else np.full((1, 1), _TINY, np.float32)
    total = sounding[0] + _TINY
    for model in sounding[1:]:
        total += model
    return total


def _masked(spectra: Sequence[ComplexArray], mask: FloatArray, factors: Factors, start: int) -> FloatArray:
    return np.stack([synthesise((spectrum * mask).T, factors.grid, start) for spectrum in spectra], axis=1)


def _add(signal: FloatArray, piece: FloatArray, first: int) -> None:
    """Overlap-add `piece` from sample `first` on; what lies outside the signal is dropped."""
    low, high = max(first, 0), min(first + len(piece), len(signal))
    if high > low:
        signal[low:high] += piece[low - first : high - first]


def _to_grid(signal: FloatArray) -> None:
    signal *= _STEPS
    np.rint(signal, out=signal)
    signal /= _STEPS


def _check(audio: Audio, factors: Factors) -> None:
    if (audio.rate, audio.length) != (factors.grid.rate, factors.grid.length):
        raise InputError("The recording is not the one that was decomposed; decompose it again")
