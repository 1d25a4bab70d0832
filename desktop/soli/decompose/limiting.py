"""Templates that are there already, brought within other limits of their pitches."""

from collections.abc import Mapping, Sequence

import numpy as np

from soli.decompose import templates
from soli.decompose.bodies import BoolArray, IntArray
from soli.decompose.constraints import Components, Constraint, Kind
from soli.decompose.growth import Spectra, some
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.signal.spectrogram import Grid

_TINY = np.float32(1e-30)


def sounding(constraint: Constraint, pitches: Sequence[int], frames: IntArray) -> BoolArray:
    """In which of the frames a tone of one of the pitches may sound, shape (len(frames),)."""
    tones = np.flatnonzero(np.isin(constraint.components.pitch, pitches) & (constraint.components.kind == Kind.SUSTAIN))
    return np.asarray((constraint.H[np.ix_(tones, frames)] > 0).any(axis=0))


def limited_spectra(
    spectra: Spectra,
    known: Spectra,
    components: Components,
    grid: Grid,
    *,
    pitches: Sequence[int],
    before: Mapping[int, TemplateLimit],
    limits: Mapping[int, TemplateLimit],
    settings: ModelSettings,
    solved: int,
) -> Spectra:
    """Spectra with the tones of some pitches within `limits`, made of what was learnt within the limits `before`.

    spectra: those of all components, in which the tones of `pitches` are replaced; known: what was learnt of the first of them.
    What both limits allow is kept; what only the new ones do begins as the prior of the pitch has it, as loud as the rest.
    Columns of W sum to one over the lower bins, `solved`. Nothing is altered.
    """
    count = known.W.shape[1]
    tones = np.flatnonzero(np.isin(components.pitch, pitches) & (components.kind == Kind.SUSTAIN))
    tones = tones[tones < count]
    if len(tones) == 0:
        return spectra
    W = spectra.W.copy(order="K")
    side = None if spectra.side is None else spectra.side.copy(order="K")
    encoder = None if spectra.encoder is None else spectra.encoder.copy()
    prior = templates.initial(some(components, tones), grid, settings, limits=limits)
    then, now = (templates.limited(components, grid, settings, bounds) for bounds in (before, limits))
    everything = np.ones(grid.bins, bool)
    for at, r in enumerate(tones.tolist()):
        pitch = int(components.pitch[r])
        if before.get(pitch) == limits.get(pitch):
            W[:, r] = known.W[:, r]
            if side is not None and known.side is not None:
                side[:, r] = known.side[:, r]
            if encoder is not None and known.encoder is not None:
                encoder[r] = known.encoder[r]
            continue
        was, may = then.get(r, everything), now.get(r, everything)
        new = may & ~was
        both = np.flatnonzero(may & was)
        row = np.where(may, known.W[:, r], 0)
        row[new] = prior[new, at] * (row[both].sum() / max(prior[both, at].sum(), _TINY))
        scale = max(row[:solved].sum(), _TINY)
        W[:, r] = row / scale
        if side is not None and known.side is not None:
            share = known.side[:, r].sum() / max(known.W[:, r].sum(), _TINY)
            side[:, r] = np.where(new, share * row, np.where(may, known.side[:, r], 0)) / scale
        if encoder is not None and known.encoder is not None:
            likely = W[:, r] / np.maximum(W.sum(axis=1), _TINY)
            likely[solved:] = 0
            likely *= max(known.encoder[r, both].sum(), 0) / max(likely[both].sum(), _TINY)
            encoder[r] = np.where(new, likely, np.where(may, known.encoder[r], 0))
    return Spectra(W, side, encoder)
