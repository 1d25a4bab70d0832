"""From factors to sound: soft masks over the recording's own spectra, one signal a layer, and what is left over."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

import numpy as np

from soli.decompose.blocks import Workers
from soli.decompose.bodies import BoolArray
from soli.decompose.channels import spectra as analyse_channels
from soli.decompose.channels import synthesise_channels
from soli.decompose.model import Factors
from soli.decompose.sharing import Sounds, models_of, shared, shared_spectra
from soli.errors import InputError
from soli.progress import Progress, Steps, finish
from soli.signal import maps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray

# Frames at a time: few enough that an edit of one note is heard at once.
_BLOCK = 16
# Signals are rounded to the grid of 24-bit samples: float32 then adds and subtracts them without any error.
_STEPS = np.float32(2**23)
_PART = 2**20  # samples that are made whole together


def separate_steps(audio: Audio, factors: Factors, layers: Sequence[int]) -> Steps[dict[int, FloatArray]]:
    """One signal a layer: layer id -> float32, shape (length, channels), on the grid of 24-bit samples.

    Soft masks (the layers' model spectra to the power of `mask_exponent`, over the sum of all layers') weigh the complex
    spectra, block by block; in two channels layers are told apart by where they stand too. What the model does not explain
    (more than sharing.EXPLAINED times as much as it has) stays in the residual, so that a pitch that was forbidden is heard in
    no layer; a layer without notes is silent.
    Raises InputError when the recording is another than the one decomposed.
    """
    _, signals = yield from resynthesised_steps(audio, factors, layers, 0, factors.grid.frames)
    return signals


def resynthesised_steps(
    audio: Audio, factors: Factors, layers: Sequence[int], start: int, stop: int
) -> Steps[tuple[int, dict[int, FloatArray]]]:
    """What `separate_steps` gives, to the last bit, in those samples only that frames start to stop have a part in.

    Returns the first of these samples, and layer id -> float32, shape (length, channels).
    Raises InputError when the recording is another than the one decomposed.
    """
    check_recording(audio, factors)
    grid, bodies = factors.grid, factors.constraint.bodies
    groups = [bodies.of_layers(layer) for layer in layers]
    groups.append(~np.isin(bodies.layer, layers))
    half, overlap = grid.window_length // 2, grid.window_length // grid.hop_length
    low, high = max(0, start * grid.hop_length - half), min(audio.length, (stop - 1) * grid.hop_length + half)
    signals = [maps.zeros((max(high - low, 0), audio.channels)) for _ in layers]
    # Other frames sound in these samples too. Blocks begin at the same frames whatever is asked for: their sums round alike.
    starts = range(max(start - overlap + 1, 0) // _BLOCK * _BLOCK, min(stop + overlap - 1, grid.frames), _BLOCK)
    pool, whole = Workers(), 0
    try:
        work = partial(_pieces, audio, factors, _sounds(factors), groups)
        for done, (first, pieces) in enumerate(pool.map(work, starts)):
            for signal, piece in zip(signals, pieces, strict=True):
                if piece is not None:
                    _add(signal, piece, first - low)
            following = first + _BLOCK * grid.hop_length - low
            if following - whole >= _PART:
                _to_grid(signals, whole, following)
                whole = following
            yield Progress(done, len(starts), "Separating")
    finally:
        pool.close()
    _to_grid(signals, whole, high - low)
    yield Progress(len(starts), len(starts), "Separating")
    return low, dict(zip(layers, signals, strict=True))


def residual_steps(audio: Audio, signals: Collection[FloatArray]) -> Steps[FloatArray]:
    """The recording less its layers, float32, shape (length, channels).

    With recordings of up to 24 bits, layers and residual sum to the recording to the last bit, in any order.
    """
    rest = maps.zeros(audio.samples.shape)
    for start in range(0, audio.length, _PART):
        part = slice(start, start + _PART)
        rest[part] = audio.samples[part]
        for signal in signals:
            rest[part] -= signal[part]
            maps.release(signal[part])
        maps.release(rest[part])
        yield Progress(start, audio.length, "Adding up")
    return rest


def residual(audio: Audio, signals: Collection[FloatArray]) -> FloatArray:
    """See `residual_steps`."""
    return finish(residual_steps(audio, signals))


def note_alone(audio: Audio, factors: Factors, ids: Sequence[int]) -> tuple[int, FloatArray]:
    """The sound of the notes `ids` on their own: first sample, and float32 samples of shape (length, channels).

    From the factors that are there. Each layer's mask is shared among its notes, so that all notes of a layer sum to the layer.
    Notes that have no place in the recording give zero samples.
    Raises InputError when the recording is another than the one decomposed.
    """
    check_recording(audio, factors)
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
        work: Callable[[int], tuple[int, FloatArray | None]] = partial(
            _note_piece, audio, factors, _sounds(factors), selected, stop
        )
        for at, piece in pool.map(work, range(start, stop, _BLOCK)):
            if piece is not None:
                _add(samples, piece, at - first)
    finally:
        pool.close()
    _to_grid([samples], 0, len(samples))
    return first, samples


def _pieces(
    audio: Audio, factors: Factors, sounds: Sounds, groups: Sequence[BoolArray], start: int
) -> tuple[int, list[FloatArray | None]]:
    """What each group but the last sounds in one block of frames, and the sample it begins at."""
    stop = min(start + _BLOCK, factors.grid.frames)
    first = start * factors.grid.hop_length - factors.grid.window_length // 2
    sounding = [_activations(factors, group, start, stop) for group in groups]
    if all(H is None for H in sounding[:-1]):
        return first, [None] * (len(groups) - 1)
    spectra = shared_spectra(sounds, sounding, analyse_channels(audio, factors.grid, start, stop))
    return first, [None if own is None else _synthesised(own, factors, start) for own in spectra[:-1]]


def _note_piece(
    audio: Audio, factors: Factors, sounds: Sounds, selected: BoolArray, end: int, start: int
) -> tuple[int, FloatArray | None]:
    stop = min(start + _BLOCK, end)
    first = start * factors.grid.hop_length - factors.grid.window_length // 2
    bodies, entries = factors.constraint.bodies, factors.constraint.entries
    sounding = np.unique(entries.body[entries.first[start] : entries.first[stop]])
    layers = np.unique(bodies.layer[sounding]).tolist()
    if not selected[sounding].any():
        return first, None
    layer_H = [_activations(factors, bodies.of_layers(layer), start, stop) for layer in layers]
    rows = np.arange(len(bodies))
    analysed = analyse_channels(audio, factors.grid, start, stop)
    total = [np.zeros((stop - start, factors.grid.bins), np.complex64) for _ in (analysed[0], *analysed[1])]
    for layer, whole in zip(layers, shared_spectra(sounds, layer_H, analysed), strict=True):
        here = sounding[bodies.layer[sounding] == layer]
        if whole is None or not selected[here].any():
            continue
        if selected[here].all():
            for sound, channel in zip(total, whole, strict=True):
                np.add(sound, channel, out=sound)
            continue
        note_H = [_activations(factors, rows == body, start, stop) for body in here.tolist()]
        parts = [_part(W, note_H, selected[here], sounds.exponent) for W in sounds.templates]
        for number, (sound, channel) in enumerate(zip(total, whole, strict=True)):
            np.add(sound, channel * parts[min(number, len(parts) - 1)], out=sound)
    return first, _synthesised(total, factors, start)


def _part(W: FloatArray, activations: Sequence[FloatArray | None], selected: BoolArray, exponent: float) -> FloatArray:
    """Which part of a layer its selected notes are, (n, K)."""
    models = models_of(W, activations)
    shared(models, exponent)
    chosen = [share for share, mine in zip(models, selected.tolist(), strict=True) if mine and share is not None]
    return np.sum(chosen, axis=0, dtype=np.float32) if chosen else np.zeros((1, 1), np.float32)


def _sounds(factors: Factors) -> Sounds:
    return Sounds.of(factors.W, factors.side, factors.coherence, exponent=factors.settings.mask_exponent)


def _activations(factors: Factors, group: BoolArray, start: int, stop: int) -> FloatArray | None:
    """What of H some bodies sound in frames start to stop; None where they are silent."""
    if not group.any():
        return None
    mine: FloatArray = factors.H[:, start:stop] * factors.constraint.shares(group, start, stop)
    return mine if mine.any() else None


def _synthesised(channels: Sequence[ComplexArray], factors: Factors, start: int) -> FloatArray:
    return synthesise_channels(channels[0].T, [channel.T for channel in channels[1:]], factors.grid, start)


def _add(signal: FloatArray, piece: FloatArray, first: int) -> None:
    """Overlap-add `piece` from sample `first` on; what lies outside the signal is dropped."""
    low, high = max(first, 0), min(first + len(piece), len(signal))
    if high > low:
        signal[low:high] += piece[low - first : high - first]


def _to_grid(signals: Iterable[FloatArray], first: int, end: int) -> None:
    for signal in signals:
        part = signal[first:end]
        part *= _STEPS
        np.rint(part, out=part)
        part /= _STEPS
        maps.release(part)


def check_recording(audio: Audio, factors: Factors) -> None:
    """Raise InputError unless `audio` is as long as what was decomposed."""
    if (audio.rate, audio.length) != (factors.grid.rate, factors.grid.length):
        raise InputError("The recording is not the one that was decomposed; decompose it again")
