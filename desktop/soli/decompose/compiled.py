"""An iteration of `nmf` by compiled kernels, where numba is installed: a group of four frames has its own components alive.

The numbers are those of the blocks in `nmf` but for rounding; what changes is the time, by a factor of two and more.
"""

from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

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


class _Squares(Sums):
    """Sums for beta 2: below the line HH' (rows, rows), of which W (HH') is made when the templates move."""

    def _below_of(self, part: Sums) -> Any:
        return np.ix_(part.rows, part.rows)


class CompiledUpdates:
    """What stays the same from iteration to iteration for beta 1 and 2; `step` begins one. H is updated in place."""

    def __init__(self, compiled: ModuleType, Vt: FloatArray, H: FloatArray, *, beta: float, tiny: float, nothing: float) -> None:
        self.kernels, self.H, self.beta = compiled, H, beta
        self.stride, self.bins = Vt.strides[0] // Vt.itemsize if len(Vt) > 1 else 0, Vt.shape[1]
        length = (len(Vt) - 1) * self.stride + self.bins
        self.V = np.lib.stride_tricks.as_strided(Vt, (length,), (Vt.itemsize,), writeable=False)
        self.tiny, self.nothing = np.float32(tiny), np.float32(nothing)
        # The templates that an update gave out, and the same with the last row of zeros that the kernels ask for.
        self._given: FloatArray | None = None
        self._padded = np.zeros((len(H) + 1, self.bins), np.float32)

    def step(self, Wt: FloatArray, pool: Workers, *, templates: bool = True, activations: bool = True) -> "CompiledStep":
        """An iteration from the templates Wt (R, K) on."""
        if Wt is not self._given:
            self._padded[:-1] = Wt
        return CompiledStep(self, self._padded, pool, templates=templates, activations=activations)

    def fresh(self) -> FloatArray:
        """Templates (R, K) to be written by an update; given to `step` as they are, they are not copied."""
        self._padded = np.empty_like(self._padded)
        self._padded[-1] = 0
        self._given = self._padded[:-1]
        return self._given


class CompiledStep:
    """One iteration's work, chunk by chunk, for beta 1 and 2; see `nmf` for what happens to H and what is summed."""

    def __init__(self, run: CompiledUpdates, Wt: FloatArray, pool: Workers, *, templates: bool, activations: bool) -> None:
        self._run, self._Wt, self._pool, self._what = run, Wt, pool, (run.nothing, activations, templates)
        self._total, self._gram = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
        if run.beta == 1.0:
            self._total = Wt.sum(axis=1)
        else:
            self._gram = self._products(Wt)

    def nothing_yet(self) -> Sums:
        components, bins = self._Wt.shape[0] - 1, self._Wt.shape[1]
        if self._run.beta == 1.0:
            return Sums.zero(np.arange(components), bins, 1.0)
        below = np.zeros((components, components), np.float32)
        return _Squares(np.arange(components), np.zeros((components, bins), np.float32), below, empty=True)

    def run(self, chunk: Groups) -> Sums:
        run, rows = self._run, chunk.rows
        with_none = np.append(rows, len(self._Wt) - 1)
        W = self._Wt if len(with_none) == len(self._Wt) else self._Wt[with_none]
        above = np.zeros_like(W)
        spectra, place = (run.V, run.stride, run.bins, W), (run.H, rows, chunk.starts, chunk.counts, chunk.first, chunk.alive)
        if run.beta == 1.0:
            below = np.zeros(len(rows) + 1, np.float32)
            loss = run.kernels.kullback_leibler(*spectra, self._total[with_none], *place, above, below, run.tiny, *self._what)
            return Sums(rows, above[:-1], below[:-1, None], loss)
        gram, below = self._gram[np.ix_(with_none, with_none)], np.zeros((len(rows) + 1, len(rows) + 1), np.float32)
        less, square = run.kernels.euclidean(*spectra, gram, *place, above, below, *self._what)
        loss = square + less
        if loss < _ROUNDING / np.sqrt(len(chunk.alive)) * square:
            loss = run.kernels.distance(*spectra, *place)
        return _Squares(rows, above[:-1], below[:-1, :-1], loss)

    def moved(self, sums: Sums, *, to_one: bool = True) -> tuple[FloatArray, FloatArray]:
        """The templates (R, K) after their update, and what their rows sum to (R,); with `to_one` scaled to sum to one."""
        Wt, new, total = self._Wt[:-1], self._run.fresh(), np.empty(len(self._Wt) - 1, np.float32)

        def strip(edges: tuple[int, int]) -> None:
            rows = slice(*edges)
            below = sums.below[rows] if self._run.beta == 1.0 else sums.below[rows] @ Wt
            self._run.kernels.templates(Wt[rows], sums.above[rows], below, new[rows], total[rows], to_one)

        cuts = np.linspace(0, len(Wt), self._pool.threads + 1).round().astype(int).tolist()
        for _ in self._pool.map(strip, pairwise(cuts)):
            pass
        return new, total

    def _products(self, A: FloatArray) -> FloatArray:
        """AA', in two parts of equal work: of a square BLAS computes one half, and of the rest only what is below it."""
        made, cut = np.empty((len(A), len(A)), np.float32), round(0.73 * len(A))

        def part(rows: slice) -> None:
            np.matmul(A[rows], A[: rows.stop].T, out=made[rows, : rows.stop])

        for _ in self._pool.map(part, (slice(0, cut), slice(cut, len(A)))):
            pass
        made[:cut, cut:] = made[cut:, :cut].T
        return made
