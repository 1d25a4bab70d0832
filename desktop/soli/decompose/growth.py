"""Templates for components that were not in the decomposition: the prior, heard through the instrument as it was learnt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from soli.decompose import templates
from soli.decompose.bodies import NO_LIMITS, IntArray
from soli.decompose.constraints import Components
from soli.decompose.encoding import further_rows
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.decompose.timbre import Timbre
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid

_TINY = np.float32(1e-30)


@dataclass(frozen=True, eq=False)
class Spectra:
    """Templates in all bins, float32: W (K, R), side (K, R) and encoder (R, K) where there are some."""

    W: FloatArray
    side: FloatArray | None
    encoder: FloatArray | None


def grown(
    known: Spectra,
    components: Components,
    mass: FloatArray,
    grid: Grid,
    *,
    settings: ModelSettings,
    solved: int,
    limits: Mapping[int, TemplateLimit] = NO_LIMITS,
) -> Spectra:
    """Spectra of all `components`, of which `known` has the first ones; those are not altered.

    A new template is the prior of its pitch within its `limits`, seen through the equaliser and the partials that the known
    ones of its part and kind have learnt, each weighing as much as it sounds: `mass` (float32, of the known). Its columns sum
    to one over the lower bins, `solved`. For new rows of the encoder see `encoding.further_rows`.
    """
    first, count = known.W.shape[1], len(components)
    if count == first:
        return known
    W, side = known.W.T, None if known.side is None else known.side.T
    W = np.append(W, np.zeros((count - first, grid.bins), np.float32), axis=0)
    if side is not None:
        side = np.append(side, np.zeros((count - first, grid.bins), np.float32), axis=0)
    sounded = np.append(mass, np.zeros(count - first, np.float32))
    group = components.part * 8 + components.kind
    for number in np.unique(group[first:]).tolist():
        members = np.flatnonzero(group == number)
        new = members >= first
        prior = templates.initial(some(components, members), grid, settings, limits=limits)
        prior = prior / np.maximum(prior[:solved].sum(axis=0), _TINY)
        timbre = Timbre.of(prior, some(components, members), grid, strength=1.0)
        weight = sounded[members]
        counts = W[members] * weight[:, None]
        heard = timbre.seen(counts, weight)[new]
        scale = np.maximum(heard[:, :solved].sum(axis=1, keepdims=True), _TINY)
        W[members[new]] = heard / scale
        if side is not None:
            counts = side[members] * weight[:, None]
            side[members[new]] = timbre.seen(counts, weight)[new] / scale if weight.any() else 0
    encoder = known.encoder
    if encoder is not None:
        rows = np.zeros((count - first, grid.bins), np.float32)
        rows[:, :solved] = further_rows(W[:, :solved], encoder[:, :solved])
        encoder = np.append(encoder, rows, axis=0)
    return Spectra(W.T, None if side is None else side.T, encoder)


def some(components: Components, which: IntArray) -> Components:
    """Those of the components that `which`, int64 (n,), numbers, in its order."""
    columns = {name: getattr(components, name)[which] for name in ("part", "pitch", "kind", "copy", "voice")}
    return replace(components, **columns)
