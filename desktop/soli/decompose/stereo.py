"""Where instruments stand between two channels: how what deviates from the middle goes with the middle, for each pitch."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from soli.decompose.blocks import Workers
from soli.decompose.bodies import IntArray
from soli.decompose.channels import spectra
from soli.decompose.constraints import Constraint
from soli.decompose.sharing import Sounds, models_of, shared_spectra
from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray

_PASSES = 2
# The filter of sounds that are quite coherent has no end; rooms and microphones never are.
_MOST = np.float32(0.99)
# Frames overlap by three quarters: every other one has all that is in the sound, and of a long piece fewer tell enough.
_STEP, _ENOUGH = 2, 4000
_BLOCK = 32
_TINY = np.float32(1e-20)


def coherence_steps(audio: Audio, sounds: Sounds, H: FloatArray, constraint: Constraint, *, bins: int) -> Steps[ComplexArray]:
    """Coherence of middle and side of each component in the lowest `bins`, complex64, (bins, R), of magnitude 0.99 at most.

    Expectation maximisation after Duong, Vincent and Gribonval (Under-determined reverberant audio source separation using a
    full-rank spatial covariance model, 2010), on the layers' present spectra: they are filtered, what each pitch of a part has
    of them says where it stands, and so once more. What few frames tell is believed less: chance makes them coherent too.
    The recording has two channels; `sounds` have a side; H is (R, N).
    """
    components, grid = constraint.components, constraint.grid
    place = np.unique(np.stack([components.part, components.pitch]), axis=1, return_inverse=True)[1].reshape(-1)
    step = max(_STEP, grid.frames // _ENOUGH)
    mass, squares = (np.bincount(place, weights) for weights in (H.sum(axis=1), np.square(H).sum(axis=1)))
    frames = np.maximum(mass**2 / np.maximum(squares, 1e-30) / 2, 1.0).astype(np.float32)[:, None]
    coherence = np.zeros((bins, len(components)), np.complex64)
    starts = range(0, grid.frames, _BLOCK * step)
    for number in range(_PASSES):
        known = Sounds.of(sounds.middle, sounds.side, coherence, exponent=sounds.exponent)
        sums = np.zeros((len(mass), 2, bins), np.float32)
        crossing = np.zeros((len(mass), bins), np.complex64)
        pool = Workers()
        try:
            work = partial(_heard, audio, known, H, constraint, step)
            for done, pieces in enumerate(pool.map(work, starts)):
                for alive, powers, cross in pieces:
                    np.add.at(sums, place[alive], powers)
                    np.add.at(crossing, place[alive], cross)
                yield Progress(number * len(starts) + done, _PASSES * len(starts), "Placing instruments")
        finally:
            pool.close()
        found = crossing / np.sqrt(np.maximum(sums[:, 0] * sums[:, 1], _TINY))
        coherence = _believed(found, frames)[place].T
    return coherence


def _believed(found: ComplexArray, frames: FloatArray) -> ComplexArray:
    """Coherence less what chance makes of so few frames, (places, L) and (places, 1)."""
    size = np.minimum(np.abs(found), 1)
    rest = np.maximum(np.square(size) - 1 / frames, 0) / np.maximum(1 - 1 / frames, np.float32(1e-6))
    result: ComplexArray = found * (np.minimum(np.sqrt(rest), _MOST) / np.maximum(np.abs(found), _TINY))
    return result


def _heard(
    audio: Audio, sounds: Sounds, H: FloatArray, constraint: Constraint, step: int, start: int
) -> list[tuple[IntArray, FloatArray, ComplexArray]]:
    """What one stretch says of the components alive in each layer: powers of middle and side (r, 2, L), and their product."""
    assert sounds.cross is not None
    bodies, bins = constraint.bodies, len(sounds.cross)
    stop = min(start + _BLOCK * step, constraint.grid.frames)
    rows = slice(constraint.entries.first[start], constraint.entries.first[stop])
    layers = np.unique(bodies.layer[constraint.entries.body[rows]]).tolist()
    parts = [(H[:, start:stop] * constraint.shares(bodies.of_layers(layer), start, stop))[:, ::step] for layer in layers]
    sounding: Sequence[FloatArray] = [part for part in parts if part.any()]
    if not sounding:
        return []
    # Every so many frames are the frames of a grid with so much longer a hop.
    coarse = replace(constraint.grid, hop_length=constraint.grid.hop_length * step)
    middle, deviations = spectra(audio, coarse, start // step, start // step + sounding[0].shape[1])
    low = Sounds(sounds.middle[:bins], sounds.side if sounds.side is None else sounds.side[:bins], sounds.cross, sounds.exponent)
    found = shared_spectra(low, sounding, (middle[:bins], [deviation[:bins] for deviation in deviations]))
    pieces: list[tuple[IntArray, FloatArray, ComplexArray]] = []
    for part, own, model in zip(sounding, found, models_of(low.middle, sounding), strict=True):
        if own is None or model is None:
            continue
        alive = np.flatnonzero(part.any(axis=1))
        rows_of: FloatArray = low.middle.T[alive]
        activation: FloatArray = part[alive]
        np.add(model, _TINY, out=model)
        powers = np.stack([(np.square(sound.real) + np.square(sound.imag)) / model for sound in own], axis=1)
        both: ComplexArray = own[0] * own[1].conj() / model
        power: FloatArray = np.matmul(activation, powers.reshape(len(powers), -1), dtype=np.float32).reshape(len(alive), 2, bins)
        power *= rows_of[:, None]
        cross: ComplexArray = (activation @ both.view(np.float32)).view(np.complex64) * rows_of
        pieces.append((alive, power, cross))
    return pieces
