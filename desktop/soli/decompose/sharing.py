"""How the sound of one block of frames is shared among layers: by their model spectra, and by where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soli.decompose.channels import root_mean_square
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import ComplexArray

_TINY = np.float32(1e-20)
# A model that fits is right within 6 dB; held tighter, layers would lose what is theirs.
EXPLAINED = np.float32(2.0)


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
    heard = [_explained(model, V, sounds.exponent) for model, V in zip(models, seen, strict=False)]
    explained = [channel * heard[min(number, len(heard) - 1)] for number, channel in enumerate(channels)]
    leans = _leans(sounds, activations, models) if len(channels) == 2 and sounds.cross is not None else None
    totals = [shared(model, sounds.exponent) for model in models]
    if leans is None:
        return [
            None if g not in sounding else [_share(models, number, g) * x for number, x in enumerate(explained)]
            for g in range(len(activations))
        ]
    return _filtered(models, leans, totals, explained)


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


def shared(models: Sequence[FloatArray | None], exponent: float) -> FloatArray | None:
    """Each model over the sum of all, to the power of the exponent, in place; that sum. Nothing where nothing sounds."""
    sounding = [_powers(model, exponent) for model in models if model is not None]
    if not sounding:
        return None
    total: FloatArray = sounding[0] + _TINY
    for model in sounding[1:]:
        total += model
    for model in sounding:
        np.divide(model, total, out=model)
    return total


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
    totals: Sequence[FloatArray | None],
    explained: Sequence[ComplexArray],
) -> list[list[ComplexArray] | None]:
    """The Wiener filter of two channels, from each group's shares of their power and its coherence.

    With A and B the power of all in middle and side, the covariance of a group is [[a A, k C], [k* C, b B]], C = sqrt(A B),
    a and b its shares, k its coherence times sqrt(a b).
    """
    middle_power, side_power = totals
    assert middle_power is not None
    assert side_power is not None
    bins = next(lean.shape[1] for lean in leans if lean is not None)
    low = slice(0, bins)
    ratio = np.sqrt(middle_power[:, low] / side_power[:, low])
    crosses: list[ComplexArray | None] = []
    whole = np.zeros((len(ratio), bins), np.complex64)
    for a, b, lean in zip(*shares, leans, strict=True):
        if a is None or b is None or lean is None:
            crosses.append(None)
            continue
        cross = lean * np.sqrt(a[:, low] * b[:, low])
        whole += cross
        crosses.append(cross)
    middle, side = explained
    left = 1 - np.square(whole.real) - np.square(whole.imag)
    m, s = middle[:, low], side[:, low] * ratio
    seen_middle, seen_side = (m - whole * s) / left, (s - whole.conj() * m) / left
    result: list[list[ComplexArray] | None] = []
    for a, b, known in zip(*shares, crosses, strict=True):
        if a is None or b is None or known is None:
            result.append(None)
            continue
        own_middle, own_side = a * middle, b * side
        own_middle[:, low] = a[:, low] * seen_middle + known * seen_side
        own_side[:, low] = (b[:, low] * seen_side + known.conj() * seen_middle) / ratio
        result.append([own_middle, own_side])
    return result


def _explained(models: Sequence[FloatArray | None], V: FloatArray, exponent: float) -> FloatArray:
    """The part of V (n, K) that the model has, 0 to 1; it does not depend on how notes are sorted into groups."""
    sounding = [model for model in models if model is not None]
    whole = sounding[0].copy()
    for model in sounding[1:]:
        whole += model
    explained, unexplained = _powers(whole, exponent), _powers(np.maximum(V - EXPLAINED * whole, 0), exponent)
    unexplained += explained
    explained /= np.maximum(unexplained, _TINY, out=unexplained)
    return explained


def _powers(model: FloatArray, exponent: float) -> FloatArray:
    """Magnitudes to the power of the mask exponent, in place."""
    result: FloatArray = np.square(model, out=model) if exponent == 2 else np.power(model, np.float32(exponent), out=model)
    return result
