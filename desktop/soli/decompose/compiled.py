"""An iteration of `nmf` by compiled kernels, where numba is installed: a group of four frames has its own components alive.

The numbers are those of the blocks in `nmf` but for rounding; what changes is the time, by a factor of two and more.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import ModuleType

import numpy as np

from soli.decompose.blocks import Workers
from soli.decompose.bodies import IntArray
from soli.signal.audio import FloatArray

# Where the distance is as small a part of V squared as this over the root of the terms, it is taken from the model itself: a
# difference of sums would show their rounding.
_ROUNDING = 0.02
_LANES = 8  # sums of the templates that are held apart, however many workers there are


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
        of, alive = np.nonzero(union.T)
        found = np.bincount(of, minlength=high - low)
        first = np.append(0, np.cumsum(-(-found // lanes) * lanes))
        filled = np.full(first[-1], len(H), np.int64)
        filled[np.arange(len(alive)) + np.repeat(first[:-1] - (np.cumsum(found) - found), found)] = alive
        made.append(Groups(sounding[begins[low:high]], counts[low:high], first, filled))
    return made


class ChunkSums:
    """What the frames add to the update of the templates, and the loss.

    by_chunk, whose sum is above the line, (lanes, R + 1, K); below (R, 1) for beta 1, and HH' (R, R) for beta 2, of which
    W (HH') is made when the templates move.
    """

    def __init__(self, below: FloatArray) -> None:
        self.by_chunk = np.zeros((0, 0, 0), np.float32)
        self.below, self.loss = below, 0.0

    @property
    def above(self) -> FloatArray:
        """Above the line, (R, K)."""
        total: FloatArray = self.by_chunk[:, :-1].sum(axis=0)
        return total


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
        self._above = np.zeros((0, *self._padded.shape), np.float32)
        self.under = np.empty((len(H), self.bins if beta == 2.0 else 0), np.float32)

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

    def above(self, lanes: int) -> FloatArray:
        """Room for the sums of each lane of chunks, (lanes, R + 1, K), with whatever it had before."""
        if len(self._above) != lanes:
            self._above = np.empty((lanes, *self._padded.shape), np.float32)
        return self._above


class CompiledStep:
    """One iteration's work, chunk by chunk, for beta 1 and 2; see `nmf` for what happens to H and what is summed."""

    def __init__(self, run: CompiledUpdates, Wt: FloatArray, pool: Workers, *, templates: bool, activations: bool) -> None:
        self._run, self._Wt, self._pool, self._what = run, Wt, pool, (run.nothing, activations, templates)
        # The sums of the templates for beta 1, their products W'W for beta 2.
        self._whole = Wt.sum(axis=1) if run.beta == 1.0 else self._products(Wt)
        self._below = np.zeros_like(self._whole)
        self.sums = ChunkSums(self._below[:-1, None] if run.beta == 1.0 else self._below[:-1, :-1])

    def passes(self, chunks: Sequence[Groups]) -> Generator[int, None, None]:
        """Do the chunks one by one; what they add grows in `sums`. Yields how many were done before each.

        Every _LANES-th chunk is added to the same sums, one after the other, so that the order does not depend on the workers.
        """
        lanes = min(len(chunks), _LANES)
        self.sums.by_chunk = self._run.above(lanes)
        for begin in range(0, len(chunks), lanes):
            turn = enumerate(chunks[begin : begin + lanes])
            for done, (loss, below) in enumerate(self._pool.each(partial(self._add, first=begin == 0), turn), start=begin):
                self.sums.loss += loss
                self._below += below
                yield done

    def _add(self, chunk: tuple[int, Groups], *, first: bool) -> tuple[float, FloatArray]:
        """Do a chunk and add to the sums of its lane; the loss, and what is below the line."""
        run, (lane, groups) = self._run, chunk
        above = self.sums.by_chunk[lane]
        if first:
            above[:] = 0
        spectra = (run.V, run.stride, run.bins, self._Wt)
        place = (run.H, groups.starts, groups.counts, groups.first, groups.alive)
        below = np.zeros_like(self._below)
        if run.beta == 1.0:
            loss = run.kernels.kullback_leibler(*spectra, self._whole, *place, above, below, run.tiny, *self._what)
            return loss, below
        less, square = run.kernels.euclidean(*spectra, self._whole, *place, above, below, *self._what)
        loss = square + less
        if loss < _ROUNDING / np.sqrt(len(groups.alive)) * square:
            loss = run.kernels.distance(*spectra, *place)
        return loss, below

    def moved(self, sums: ChunkSums, *, to_one: bool = True) -> tuple[FloatArray, FloatArray]:
        """The templates (R, K) after their update, and what their rows sum to (R,); with `to_one` scaled to sum to one."""
        Wt, new, total = self._Wt[:-1], self._run.fresh(), np.empty(len(self._Wt) - 1, np.float32)

        def strip(edges: tuple[int, int]) -> None:
            rows = slice(*edges)
            below = sums.below[rows]
            if self._run.beta == 2.0:
                below = np.matmul(below, Wt, out=self._run.under[rows])
            self._run.kernels.templates(Wt, sums.by_chunk, below, edges[0], new, total, to_one)

        cuts = np.linspace(0, len(Wt), self._pool.threads + 1).round().astype(int).tolist()
        self._pool.each(strip, pairwise(cuts))
        return new, total

    def _products(self, A: FloatArray) -> FloatArray:
        """AA', in two parts of equal work: of a square BLAS computes one half, and of the rest only what is below it."""
        made, cut = np.empty((len(A), len(A)), np.float32), round(0.73 * len(A))

        def part(rows: slice) -> None:
            np.matmul(A[rows], A[: rows.stop].T, out=made[rows, : rows.stop])

        self._pool.each(part, (slice(0, cut), slice(cut, len(A))))
        made[:cut, cut:] = made[cut:, :cut].T
        return made
