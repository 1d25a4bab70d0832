"""Where a factorisation starts: from what the score says, or warm, from what an earlier run found."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.amendment import matching_parts
from soli.decompose.bodies import BoolArray, IntArray
from soli.decompose.constraints import Components, Constraint
from soli.decompose.encoding import first_rows
from soli.decompose.template_limit import changed_pitches
from soli.signal.audio import FloatArray

# So much of what the score foretells is left where nothing was found, so that it may come back.
_SPARK = np.float32(1e-3)
# How many times over a template forgets the part of it that was learnt where edits have changed what may sound.
_DOUBT = np.float32(2.0)


@dataclass(frozen=True, eq=False)
class Start:
    """Templates W (K, R) and activations H (R, N) to begin with, float32, and an encoder (R, K) where there was one.

    known: the components that an earlier run has found already, former: what they were in that run (int64, indices).
    """

    W: FloatArray
    H: FloatArray
    known: IntArray
    former: IntArray
    encoder: FloatArray | None = None


def warm(
    W: FloatArray,
    constraint: Constraint,
    *,
    before: Constraint,
    found: tuple[FloatArray, FloatArray],
    encoder: FloatArray | None = None,
) -> Start:
    """Start from the factors `found`, W (K, R) and H (R, N), of the constraint `before`, on the same grid; nothing is altered.

    W is what templates would begin with. A component takes over template, activations and row of the encoder of the one of its
    part, pitch, kind and copy, where W and the constraint allow them. In frames where something else may sound than before, H
    begins as the score foretells, as loud as what was found there: what others took for themselves would be hard to win back. A
    template goes back towards W by twice the part of it that sounded in such frames, where it may have learnt what is not its.
    """
    here, there = _matching(constraint, before)
    changed = _changed(constraint, before, here, there)
    begin, old = constraint.H, found[1]
    loud = old[there]
    mass = loud.sum(axis=1, dtype=np.float64)
    doubt = np.divide(loud[:, changed].sum(axis=1, dtype=np.float64), mass, out=np.ones(len(mass)), where=mass > 0)
    doubt = np.minimum(_DOUBT * doubt, 1).astype(np.float32)
    templates = W.copy(order="K")
    kept = np.where(W[:, here] > 0, found[0][:, there], 0)
    total = np.maximum(W[:, here].sum(axis=0), np.float32(1e-30))
    templates[:, here] = (1 - doubt) * kept + doubt * W[:, here] * (kept.sum(axis=0) / total)
    dead = ~templates.any(axis=0)
    templates[:, dead] = W[:, dead]

    heard, foretold = old.sum(axis=0, dtype=np.float64), begin.sum(axis=0, dtype=np.float64)
    whole = heard.sum() / foretold.sum() if foretold.sum() > 0 else 1.0
    level = np.divide(heard, foretold, out=np.full(len(heard), whole), where=(foretold > 0) & (heard > 0))
    H = begin * level.astype(np.float32)
    as_found = np.ix_(here, ~changed)
    H[as_found] = np.where(begin[as_found] > 0, np.maximum(loud[:, ~changed], _SPARK * H[as_found]), 0)
    rows = None
    if encoder is not None:
        rows = first_rows(templates.T, begin)
        rows[here] = encoder[there]
    return Start(templates, H, here, there, rows)


def changed_part(constraint: Constraint, before: Constraint) -> float:
    """In which part of the frames that sound something else may sound than `before`, on the same grid: 0 to 1."""
    changed = _changed(constraint, before, *_matching(constraint, before))
    sounding = constraint.H.any(axis=0) | before.H.any(axis=0)
    return float(changed[sounding].mean()) if sounding.any() else 0.0


def _changed(constraint: Constraint, before: Constraint, here: IntArray, there: IntArray) -> BoolArray:
    """The frames in which something else may sound than before, shape (N,)."""
    now, was = constraint.H > 0, before.H > 0
    new, gone = np.setdiff1d(np.arange(len(now)), here), np.setdiff1d(np.arange(len(was)), there)
    changed: BoolArray = (now[here] != was[there]).any(axis=0) | now[new].any(axis=0) | was[gone].any(axis=0)
    return changed


def _matching(now: Constraint, before: Constraint) -> tuple[IntArray, IntArray]:
    """Components of `now`, and those of `before` that they continue."""
    part = matching_parts(before, now.bodies)
    old = {name: n for n, name in enumerate(_names(before.components, np.arange(len(before.components.parts))))}
    # A pitch under another limit begins afresh: where it had to be zero nothing is known of it.
    others = changed_pitches(before.bodies.limits, now.bodies.limits)
    names = _names(now.components, part)
    pairs = [(n, old[name]) for n, name in enumerate(names) if name in old and name[1] not in others]
    here, there = np.array(pairs, np.int64).reshape(-1, 2).T
    return here, there


def _names(components: Components, part: IntArray) -> list[tuple[int, ...]]:
    columns = (part[components.part], components.pitch, components.kind, components.copy)
    return list(zip(*(column.tolist() for column in columns), strict=True))
