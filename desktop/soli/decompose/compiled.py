"""An iteration of `nmf` by compiled kernels, where numba is installed: a group of four frames has its own components alive.

The numbers are those of the blocks in `nmf` but for rounding; what changes is the time, by a factor of two and more.
"""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from soli.decompose.blocks import Workers
from soli.decompose.bodies import IntArray
from soli.decompose.sums import Sums
from soli.signal.audio import FloatArray

# Where the distance is as small a part of V squared as this over the root of the terms, it is taken from the model itself: a
# difference of sums would show their rounding.
_ROUNDING = 0.02


def kernels() -> ModuleType | None:
    """The compiled kernels, or None where numba is not installed or does not fit the NumPy that is."""
    try:
        from soli.decompose import kernels as compiled
    except ImportError:
        return None
    return compiled


def prepare() -> None:
    """Compile the kernels and keep the result for every later run; where there is no numba, nothing is to be done."""
    from soli.decompose.nmf import factorize
    from soli.decompose.settings import ModelSettings
    from soli.progress import finish

    V = np.asfortranarray(np.ones((3, 2), np.float32))
    for beta in (1.0, 2.0):
        finish(factorize(V, V[:, :1], V[:1], settings=ModelSettings(beta=beta, iterations=1)))


@dataclass(frozen=True, eq=False)
class Groups:
    """Neighbouring groups of up to four frames: what one worker does in one go. Columns as in `kernels`, int64."""

    starts: IntArray
    counts: IntArray
    first: IntArray
    alive: IntArray
    rows: IntArray


def grouped(H: FloatArray, *, group: int, lanes: int, frames: int = 2048) -> list[Groups]:
    """The support of H (R, N) in groups of up to `group` frames; these in chunks of about `frames`, an even number of them."""
    support = H > 0
    sounding = np.flatnonzero(support.any(axis=0))
    if len(sounding) == 0:
        return []
    # A run without gaps is cut every `group` frames from its beginning.
    breaks = np.append(0, np.flatnonzero(np.diff(sounding) > 1) + 1)
    within = np.arange(len(sounding)) - np.repeat(breaks, np.diff(np.append(breaks, len(sounding))))
    begins = np.flatnonzero(within % group == 0)
    counts = np.diff(np.append(begins, len(sounding)))
    ends = np.cumsum(counts)
    chunks = min(2 * -(-len(sounding) // (2 * frames)), len(begins))
    which = np.minimum((ends - 1) * chunks // ends[-1], chunks - 1)
    cuts = np.append(np.flatnonzero(np.diff(which, prepend=-1)), len(begins))
    made = []
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        mine = sounding[begins[low] : ends[high - 1]]
        union = np.logical_or.reduceat(support[:, mine], begins[low:high] - begins[low], axis=1)
        rows = np.flatnonzero(union.any(axis=1))
        of, alive = np.nonzero(union[rows].T)
        found = np.bincount(of, minlength=high - low)
        first = np.append(0, np.cumsum(-(-found // lanes) * lanes))
        filled = np.full(first[-1], len(rows), np.int64)
        filled[np.arange(len(alive)) + np.repeat(first[:-1] - (np.cumsum(found) - found), found)] = alive
        made.append(Groups(sounding[begins[low:high]], counts[low:high], first, filled, rows))
    return made


class CompiledStep:
    """One iteration's work, chunk by chunk, for beta 1 and 2; see `nmf` for what happens to H and what is summed."""

    def __init__(
        self,
        compiled: ModuleType,
        Vt: FloatArray,
        H: FloatArray,
        Wt: FloatArray,
        pool: Workers,
        *,
        beta: float,
        tiny: float,
        nothing: float,
        templates: bool = True,
        activations: bool = True,
    ) -> None:
        self._kernels, self._H, self._beta, self._pool = compiled, H, beta, pool
        self._stride, self._bins = Vt.strides[0] // Vt.itemsize if len(Vt) > 1 else 0, Vt.shape[1]
        length = (len(Vt) - 1) * self._stride + self._bins
        self._V = np.lib.stride_tricks.as_strided(Vt, (length,), (Vt.itemsize,), writeable=False)
        self._Wt = np.concatenate([Wt, np.zeros((1, self._bins), np.float32)])
        self._total = self._Wt.sum(axis=1, dtype=np.float64).astype(np.float32)
        self._tiny, self._nothing = np.float32(tiny), np.float32(nothing)
        self._activations, self._templates = activations, templates
        self._gram: NDArray[np.float32] = self._square(self._Wt) if beta == 2.0 else np.zeros((0, 0), np.float32)

    def nothing_yet(self) -> Sums:
        return Sums.zero(np.arange(len(self._H)), self._bins, 1.0)

    def run(self, chunk: Groups) -> Sums:
        rows, bins = chunk.rows, self._bins
        with_none = np.append(rows, len(self._Wt) - 1)
        W = self._Wt if len(with_none) == len(self._Wt) else self._Wt[with_none]
        above, below = np.zeros_like(W), np.zeros(len(rows) + 1, np.float32)
        place = (self._H, rows, chunk.starts, chunk.counts, chunk.first, chunk.alive)
        what = (self._nothing, self._activations, self._templates)
        if self._beta == 1.0:
            loss = self._kernels.kullback_leibler(
                self._V, self._stride, bins, W, self._total[with_none], *place, above, below, self._tiny, *what
            )
            return Sums(rows, above[:-1], below[:-1, None], loss)
        gram = self._gram[np.ix_(with_none, with_none)]
        less, square = self._kernels.euclidean(self._V, self._stride, bins, W, gram, *place, above, *what)
        loss = square + less
        if loss < _ROUNDING / np.sqrt(len(chunk.alive)) * square:
            loss = self._kernels.distance(self._V, self._stride, bins, W, *place)
        return Sums(rows, above[:-1], below[:-1, None], loss)

    def complete(self, sums: Sums) -> None:
        """What is summed over all chunks at once: below the line, W (HH') for beta 2."""
        if self._beta == 2.0 and self._templates:
            sums.below = self._pool.product(self._square(self._H), self._Wt[:-1])

    def _square(self, A: FloatArray) -> FloatArray:
        """AA', of which BLAS computes one half, as fast on one core as all of it on two."""
        return next(iter(self._pool.map(lambda matrix: matrix @ matrix.T, [A])))
