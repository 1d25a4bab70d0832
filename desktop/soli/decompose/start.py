"""Where a factorisation starts: from what the score says, or warm, from what an earlier run found."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.amendment import matching_parts
from soli.decompose.bodies import IntArray
from soli.decompose.constraints import Components, Constraint
from soli.decompose.template_limit import changed_pitches
from soli.signal.audio import FloatArray

# So much of what the score foretells is left where nothing was found, so that it may come back.
_SPARK = np.float32(1e-3)


@dataclass(frozen=True, eq=False)
class Start:
    """Templates W (K, R) and activations H (R, N) to begin with, float32, and an encoder (R, K) where there was one.

    known: the components that an earlier run has found already (int64, indices).
    """

    W: FloatArray
    H: FloatArray
    known: IntArray
    encoder: FloatArray | None = None


def warm(
    W: FloatArray,
    constraint: Constraint,
    *,
    before: Constraint,
    found: tuple[FloatArray, FloatArray],
    encoder: FloatArray | None = None,
) -> Start:
    """Start from the factors `found`, W and H, of the constraint `before`, on the same grid; nothing is altered.

    W is what templates would begin with. A component takes over template, activations and row of the encoder of the one of its
    part, pitch, kind and copy, where W and the constraint allow them. What is new begins as the score foretells, as loud as
    what was found beside it.
    """
    here, there = _matching(constraint, before)
    templates = W.copy(order="K")
    templates[:, here] = np.where(W[:, here] > 0, found[0][:, there], 0)
    dead = ~templates.any(axis=0)
    templates[:, dead] = W[:, dead]
    begin, old = constraint.H, found[1]
    H = begin.copy()
    common = np.where(begin[here] > 0, old[there], 0)
    # As loud as the score's beginnings are where both are known, in each frame or at least in the whole piece.
    foretold = np.where(common > 0, begin[here], 0).sum(axis=0, dtype=np.float64)
    heard = common.sum(axis=0, dtype=np.float64)
    whole = heard.sum() / foretold.sum() if foretold.sum() > 0 else 1.0
    H *= np.divide(heard, foretold, out=np.full(len(heard), whole), where=foretold > 0).astype(np.float32)
    H[here] = np.maximum(common, _SPARK * H[here])
    rows = None
    if encoder is not None:
        rows = templates.T / np.maximum(templates.sum(axis=1), np.float32(1e-30))
        rows[here] = encoder[there]
    return Start(templates, H, here, rows)


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
