"""How the sound of one block of frames is shared among layers: by their model spectra, and by where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soli.decompose.channels import root_mean_square
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import ComplexArray

_TINY = np.float32(1e-20)
# A model that fits is right within 10 dB; held tighter, layers would lose what is theirs.
EXPLAINED = np.float32(3.0)
_CERTAIN = np.float32(4.0)


@dataclass(frozen=True, eq=False)
class Sounds:
    """What components sound like: templates `middle` (K, R) and `side` (K, R, or None), float32.

    cross (L, R), complex64: how the side goes with the middle in the lowest L bins, at most the geometric mean of both; None
    where the two are shared each by itself. exponent: of the soft masks.
    """

    middle: FloatArray
    side: FloatArray | None
    cross: ComplexArray | None
    exponent: float

    @classmethod
    def of(cls, middle: FloatArray, side: FloatArray | None, coherence: ComplexArray | None, *, exponent: float) -> "Sounds":
        """From templates, and the coherence (L, R) of what they stand for, at most 1."""
        cross = None
        if side is not None and coherence is not None:
            both = np.sqrt(middle.T[:, : len(coherence)])
            both *= np.sqrt(side.T[:, : len(coherence)])
            cross = (coherence.T * both).T
        return cls(middle, side, cross, exponent)

    @property
    def templates(self) -> list[FloatArray]:
        """Of the middle of the channels, and of what deviates from it."""
        return [self.middle] if self.side is None else [self.middle, self.side]


def shared_spectra(
    sounds: Sounds, activations: Sequence[FloatArray | None], spectra: tuple[ComplexArray, list[ComplexArray]]
) -> list[list[ComplexArray] | None]:
    """What each group sounds of some frames: the middle and every deviation, complex64, (n, K) each; None where it is silent.

    activations: those of each group, (R, n), or None. spectra: the recording's own, see `channels.spectra`. All groups together
    have what the model explains of it: of what is more than EXPLAINED times as much as the model has, nothing.
    Of two channels the groups are told apart by a multichannel Wiener filter (Duong, Vincent, Gribonval 2010) where `sounds`
    knows how side and middle go together; else middle and side have soft masks of their own.
    """
    channels = [spectra[0].T, *(deviation.T for deviation in spectra[1])]
    models = [models_of(W, activations) for W in sounds.templates]
    sounding = [g for g, model in enumerate(models[0]) if model is not None]
    if not sounding:
        return [None] * len(activations)
    seen = [np.abs(channels[0])]
    if spectra[1]:
        seen.append(root_mean_square(spectra[1]).T)
    wholes = [_whole(model) for model in models]
    heard = [_explained(whole, V, sounds.exponent) for whole, V in zip(wholes, seen, strict=False)]
    explained = [channel * heard[min(number, len(heard) - 1)] for number, channel in enumerate(channels)]
    leans = _leans(sounds, activations, models) if len(channels) == 2 and sounds.cross is not None else None
    if leans is not None:
        bins = next(lean.shape[1] for lean in leans if lean is not None)
        levels = [_level(model, bins) for model in models]
        # What is far beyond the model of one channel says nothing of the other.
        certain = (
            [
                np.minimum(1, _CERTAIN * whole[:, :bins] / np.maximum(part[:, :bins] * V[:, :bins], _TINY))
                for whole, part, V in zip(wholes, heard, seen, strict=True)
            ]
            if sounds.exponent < 2
            else None
        )
    for model in models:
        shared(model, sounds.exponent)
    if leans is None:
        return [
            None if g not in sounding else [_share(models, number, g) * x for number, x in enumerate(explained)]
            for g in range(len(activations))
        ]
    return _filtered(models, leans, levels[0] / levels[1], explained, certain)


def models_of(W: FloatArray, activations: Sequence[FloatArray | None]) -> list[FloatArray | None]:
    """Model spectra (n, K) of groups with the templates W (K, R), or what else rows of it stand for."""
    models: list[FloatArray | None] = []
    for H in activations:
        if H is None:
            models.append(None)
            continue
        alive = np.flatnonzero(H.any(axis=1))
        models.append(H[alive].T @ W.T[alive])
    return models


def shared(models: Sequence[FloatArray | None], exponent: float) -> None:
    """Each model over the sum of all, to the power of the exponent, in place; nothing where nothing sounds."""
    sounding = [_powers(model, exponent) for model in models if model is not None]
    if not sounding:
        return
    total: FloatArray = sounding[0] + _TINY
    for model in sounding[1:]:
        total += model
    for model in sounding:
        np.divide(model, total, out=model)


def _share(models: Sequence[Sequence[FloatArray | None]], number: int, group: int) -> FloatArray:
    model = models[min(number, len(models) - 1)][group]
    assert model is not None
    return model


def _leans(
    sounds: Sounds, activations: Sequence[FloatArray | None], models: Sequence[Sequence[FloatArray | None]]
) -> list[ComplexArray | None]:
    """The coherence of middle and side of each group, complex64, (n, L)."""
    assert sounds.cross is not None
    bins = len(sounds.cross)
    # Real and imaginary parts beside each other: one real product does both.
    flat = np.ascontiguousarray(sounds.cross.T).view(np.float32).T
    leans: list[ComplexArray | None] = []
    for cross, middle, side in zip(models_of(flat, activations), *models, strict=True):
        if cross is None or middle is None or side is None:
            leans.append(None)
            continue
        lean = cross.view(np.complex64)
        lean /= np.sqrt(middle[:, :bins]) * np.sqrt(side[:, :bins]) + _TINY
        leans.append(lean)
    return leans


def _filtered(
    shares: Sequence[Sequence[FloatArray | None]],
    leans: Sequence[ComplexArray | None],
    ratio: FloatArray,
    explained: Sequence[ComplexArray],
    certain: Sequence[FloatArray] | None,
) -> list[list[ComplexArray] | None]:
    """The Wiener filter of two channels, from each group's shares of their power and its coherence.

    With A and B the levels of all in middle and side, `ratio` A / B (n, L), the covariance of a group is
    [[a A A, k A B], [k* A B, b B B]]: a and b its shares, k its coherence times sqrt(a b). `certain`: the part of each channel
    that is filtered, where it is not all; the rest is shared by a and b alone.
    """
    low = slice(0, ratio.shape[1])
    crosses: list[ComplexArray | None] = []
    whole = np.zeros(ratio.shape, np.complex64)
    for a, b, lean in zip(*shares, leans, strict=True):
        if a is None or b is None or lean is None:
            crosses.append(None)
            continue
        cross = lean * np.sqrt(a[:, low] * b[:, low])
        whole += cross
        crosses.append(cross)
    middle, side = explained
    left = 1 - np.square(whole.real) - np.square(whole.imag)
    m, s = middle[:, low], side[:, low]
    rest = None
    if certain is not None:
        rest = m * (1 - certain[0]), s * (1 - certain[1])
        m, s = m * certain[0], s * certain[1]
    s = s * ratio
    seen_middle, seen_side = (m - whole * s) / left, (s - whole.conj() * m) / left
    result: list[list[ComplexArray] | None] = []
    for a, b, known in zip(*shares, crosses, strict=True):
        if a is None or b is None or known is None:
            result.append(None)
            continue
        own_middle, own_side = a * middle, b * side
        own_middle[:, low] = a[:, low] * seen_middle + known * seen_side
        own_side[:, low] = (b[:, low] * seen_side + known.conj() * seen_middle) / ratio
        if rest is not None:
            own_middle[:, low] += a[:, low] * rest[0]
            own_side[:, low] += b[:, low] * rest[1]
        result.append([own_middle, own_side])
    return result


def _whole(models: Sequence[FloatArray | None]) -> FloatArray:
    sounding = [model for model in models if model is not None]
    whole = sounding[0].copy()
    for model in sounding[1:]:
        whole += model
    return whole


def _level(models: Sequence[FloatArray | None], bins: int) -> FloatArray:
    """The root of the power of all models in the lowest bins."""
    power: FloatArray = np.sum([np.square(model[:, :bins]) for model in models if model is not None], axis=0, dtype=np.float32)
    return np.sqrt(np.maximum(power, _TINY))


def _explained(whole: FloatArray, V: FloatArray, exponent: float) -> FloatArray:
    """The part of V (n, K) that the model has, 0 to 1; it does not depend on how notes are sorted into groups."""
    explained, unexplained = _powers(whole.copy(), exponent), _powers(np.maximum(V - EXPLAINED * whole, 0), exponent)
    unexplained += explained
    explained /= np.maximum(unexplained, _TINY, out=unexplained)
    return explained


def _powers(model: FloatArray, exponent: float) -> FloatArray:
    """Magnitudes to the power of the mask exponent, in place."""
    result: FloatArray = np.square(model, out=model) if exponent == 2 else np.power(model, np.float32(exponent), out=model)
    return result
