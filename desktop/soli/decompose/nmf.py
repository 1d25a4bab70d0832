"""Nonnegative matrix factorisation V ~ WH by multiplicative updates on the support of H.

Zeros stay zero under multiplicative updates, so the support survives every step and only what is alive is computed.
"""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from soli.decompose import compiled
from soli.decompose.blocks import Block, Workers, chunks, partition
from soli.decompose.descent import Descent, descent
from soli.decompose.divergence import damping, divergence, halves
from soli.decompose.hidden import Hidden
from soli.decompose.settings import ModelSettings
from soli.decompose.sums import Sums
from soli.decompose.timbre import Timbre
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)
# Below this, relative to the mean, an entry is nothing; left alone it would sink into denormal numbers, which are slow.
_NOTHING = 1e-12
_INFINITE_BITS = 0x7F800000
# Templates for the rest of the sound are learnt when the prior of the first ones has faded already.
_FADED = 14


@dataclass(frozen=True, eq=False)
class Solution:
    """W (K, R), columns sum to one, and H (R, N), float32; the loss after each iteration; encoder and hidden layers of a NAE."""

    W: FloatArray
    H: FloatArray
    losses: tuple[float, ...]
    encoder: FloatArray | None = None
    hidden: Hidden | None = None


def factorize(
    V: FloatArray,
    W: FloatArray,
    H: FloatArray,
    *,
    settings: ModelSettings | None = None,
    timbre: Timbre | None = None,
    fixed_templates: bool = False,
) -> Steps[Solution]:
    """Factorise V (K, N) ~ W (K, R) H (R, N), all float32 and nonnegative; none of them is altered.

    Multiplicative updates, H before W: Lee and Seung (2000) for beta 2 and 1, Févotte and Idier (2011) for the others.
    Where W or H is zero it stays zero. With the updates `gradient` steps against the gradient follow the first one. With
    `timbre` (beta 1, multiplicative) W is updated under its prior. Frames without support are left out. Yields Progress
    several times an iteration, with the last loss known, and after each with the Solution so far.

    Raises InputError when shapes do not fit, or values are negative or no numbers.
    """
    settings = settings or ModelSettings()
    check(V, W, H)
    Vt, H = _frame_by_frame(V), H.copy(order="C")
    Wt, total = rows_to_one(np.ascontiguousarray(W.T))
    H *= total[:, None]
    work = chunks(partition(H))
    scale = mean_sounding(Vt, work)
    if scale <= 0:
        # Nothing sounds, and every template stays what it was.
        return Solution(Wt.T, np.zeros_like(H), (0.0,))
    heard = (
        scale * Vt.shape[1] * sum(block.stop - block.start for chunk in work for block in chunk) if settings.beta == 1.0 else 0.0
    )
    prior = timbre if settings.beta == 1.0 and settings.updates == "multiplicative" else None
    additive = settings.updates == "gradient"
    slopes: tuple[Descent, Descent] | None = None
    parts, begin = _iteration(Vt, H, work, scale=scale, beta=settings.beta, by_kernels=not additive)
    pool, losses = Workers(), list[float]()
    try:
        for iteration in range(settings.iterations):
            former = H.copy() if settings.stop == "change" else H
            step = begin(Wt, pool, templates=not fixed_templates)
            if additive and iteration == 1:
                # One multiplicative step has set the scale, which additive ones would take long to find.
                slopes = descent(Wt, settings), descent(H, settings)
            if slopes is not None:
                step.slope = slopes[1]
                for slope in slopes:
                    slope.begin()
            for done in step.passes(parts):
                at = iteration * len(parts) + done
                yield Progress(at, settings.iterations * len(parts), "Decomposing", losses[-1] if losses else None)
            sums = step.sums
            losses.append(sums.loss - heard)
            check_finite(losses[-1])
            so_far = Solution(Wt.T, H, tuple(losses))
            yield Progress((iteration + 1) * len(parts), settings.iterations * len(parts), "Decomposing", losses[-1], so_far)
            previous = Wt
            if slopes is not None and not fixed_templates:
                Wt = slopes[0].moved(Wt, sums.slope())
            elif prior is not None and not fixed_templates:
                Wt, _ = rows_to_one(prior.update(Wt * sums.above, iteration), otherwise=Wt)
            elif not fixed_templates:
                Wt, total = step.moved(sums)
                H *= total[:, None]
            if settled(settings, losses, (previous, former), (Wt, H)):
                break
    finally:
        pool.close()
    with np.errstate(over="ignore", invalid="ignore"):
        Wt, total = rows_to_one(Wt, otherwise=Wt)
        H *= total[:, None]
    check_finite(Wt, total, H)
    return Solution(Wt.T, H, tuple(losses))


def learn_templates(
    V: FloatArray, W: FloatArray, H: FloatArray, *, settings: ModelSettings, timbre: Timbre | None = None, iterations: int = 4
) -> Steps[FloatArray]:
    """Templates (K, R) for V (K, N) from those to begin with and activations H (R, N) that stay as they are; all float32.

    For spectra that H was not found in: the bins above those solved, and what stands out of the middle in stereo. The scale
    of the templates is theirs: V ~ WH.
    """
    Vt, Wt, H = _frame_by_frame(V), np.ascontiguousarray(W.T), np.ascontiguousarray(H)
    work = chunks(partition(H))
    scale = mean_sounding(Vt, work)
    if scale <= 0:
        return np.zeros_like(W)
    parts, begin = _iteration(Vt, H, work, scale=scale, beta=settings.beta)
    pool = Workers()
    try:
        for iteration in range(iterations):
            step = begin(Wt, pool, activations=False)
            for done in step.passes(parts):
                yield Progress(iteration * len(parts) + done, iterations * len(parts), "Listening to the rest")
            sums = step.sums
            if timbre is not None and settings.beta == 1.0:
                Wt = timbre.learnt(Wt * sums.above, sums.below[:, 0], iteration + _FADED)
            else:
                Wt, _ = step.moved(sums, to_one=False)
    finally:
        pool.close()
    return Wt.T


def activations(V: FloatArray, W: FloatArray, H: FloatArray, *, beta: float, iterations: int) -> FloatArray:
    """H (R, n) of a few frames V (K, n) ~ WH with the templates W (K, R) as they are, from H to begin with; all float32.

    The updates of `factorize`. For frames in which the R components are mostly alive: nothing is left out.
    """
    Vt, Wt, H = V.T, np.ascontiguousarray(W.T), H.copy()
    tiny = np.maximum(np.float32(1e-7) * Vt.mean(), _TINY)
    nothing, total = np.float32(_NOTHING) * Vt.mean() * np.float32(Vt.shape[1]), Wt.sum(axis=1, keepdims=True)
    model, ratio = np.empty(Vt.shape, np.float32), np.empty(Vt.shape, np.float32)
    for _ in range(iterations):
        np.matmul(H.T, Wt, out=model)
        model += tiny
        above, below = halves(Vt, model, beta, ratio)
        factor = (Wt @ above.T) / np.maximum(total if below is None else Wt @ below.T, _TINY)
        H *= factor if damping(beta) == 1.0 else factor ** np.float32(damping(beta))
        np.copyto(H, 0.0, where=nothing > H)
    return H


def _frame_by_frame(V: FloatArray) -> FloatArray:
    """V.T, with the bins of a frame beside each other in memory; a copy only where they are not."""
    Vt = V.T
    if Vt.strides[1] == Vt.itemsize and (len(Vt) == 1 or Vt.strides[0] >= Vt.shape[1] * Vt.itemsize):
        return Vt
    return np.ascontiguousarray(Vt)


def _iteration(
    Vt: FloatArray, H: FloatArray, work: Sequence[Sequence[Block]], *, scale: float, beta: float, by_kernels: bool = True
) -> tuple[Sequence[Any], Callable[..., Any]]:
    """What the workers do one by one, and what begins an iteration, with Wt and the workers: by kernels where it can be."""
    fast = compiled.kernels() if by_kernels and beta in (1.0, 2.0) else None
    if fast is None:
        return work, partial(_Step, Vt, H, scale=scale, beta=beta)
    floors = {"tiny": 1e-7 * scale, "nothing": _NOTHING * scale * Vt.shape[1]}
    parts = compiled.grouped(H, group=fast.GROUP, lanes=fast.LANES)
    return parts, compiled.CompiledUpdates(fast, Vt, H, beta=beta, **floors).step


class _Step:
    """One iteration's work on a chunk: H is updated in place (each chunk has frames of its own), then W's sums are taken."""

    def __init__(
        self,
        Vt: FloatArray,
        H: FloatArray,
        Wt: FloatArray,
        pool: Workers,
        *,
        scale: float,
        beta: float,
        templates: bool = True,
        activations: bool = True,
    ) -> None:
        self.Vt, self.H, self.beta = Vt, H, beta
        self._pool, self.templates, self.activations = pool, templates, activations
        self.slope: Descent | None = None
        self.tiny = float(np.float32(1e-7 * scale))
        self.nothing = np.float32(_NOTHING * scale * Vt.shape[1])
        # A last template that is always on keeps the model above zero; added in the product it costs nothing.
        self.Wt = np.concatenate([Wt, np.full((1, Wt.shape[1]), self.tiny, np.float32)])
        self.total = self.Wt.sum(axis=1, dtype=np.float64)
        self.sums = Sums.zero(np.arange(len(H)), Wt.shape[1], beta)

    def passes(self, work: Sequence[Sequence[Block]]) -> Generator[int, None, None]:
        """Do the chunks one by one; what they add grows in `sums`. Yields how many were done before each."""
        for done, part in enumerate(self._pool.map(self.run, work)):
            self.sums.add(part)
            yield done

    def moved(self, sums: Sums, *, to_one: bool = True) -> tuple[FloatArray, FloatArray]:
        """The templates (R, K) after their update, and what their rows sum to (R,); with `to_one` scaled to sum to one."""
        Wt = self.Wt[:-1]
        updated = sums.updated(Wt, self.beta)
        return rows_to_one(updated, otherwise=Wt) if to_one else (updated, updated.sum(axis=1))

    def run(self, chunk: Sequence[Block]) -> Sums:
        # Steps that are too long overflow; the loss tells, once an iteration.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._run(chunk)

    def _run(self, chunk: Sequence[Block]) -> Sums:
        rows = np.unique(np.concatenate([block.alive for block in chunk]))
        bins, floor = self.Wt.shape[1], len(self.Wt) - 1
        sums = Sums.zero(rows, bins, self.beta)
        longest = max(block.stop - block.start for block in chunk)
        scratch = np.empty((2, longest, bins), np.float32)
        for block in chunk:
            V, frames = self.Vt[block.start : block.stop], slice(block.start, block.stop)
            model, ratio = scratch[:, : len(V)]
            with_floor = np.append(block.alive, floor)
            W, H = self.Wt[with_floor], np.ones((len(with_floor), len(V)), np.float32)
            H[:-1] = self.H[block.alive, frames]
            np.matmul(H.T, W, out=model)
            if self.activations:
                above, below = halves(V, model, self.beta, ratio)
                self.H[block.alive, frames] = H[:-1] = self._moved(W[:-1], H[:-1], above, below, block)
                np.matmul(H.T, W, out=model)
            if self.beta != 1.0:
                sums.loss += divergence(V, model, self.beta)
            above, below = halves(V, model, self.beta, ratio)
            if self.beta == 1.0:
                # The divergence, less the sum of V: sum V log(V / WH) + sum WH, from the ratio that is there anyway.
                np.log(np.maximum(ratio, _TINY, out=model), out=model)
                sums.loss += float(np.vdot(V, model)) + float(H.sum(axis=1) @ self.total[with_floor])
            if self.templates:
                at = np.searchsorted(rows, block.alive)
                sums.above[at] += H[:-1] @ above
                sums.below[at] += H[:-1].sum(axis=1, keepdims=True) if below is None else H[:-1] @ below
        return sums

    def _moved(self, W: FloatArray, H: FloatArray, above: FloatArray, below: FloatArray | None, block: Block) -> FloatArray:
        """H of a block after its update, multiplicative or down the slope."""
        up: FloatArray = W @ above.T
        down: FloatArray = self.total[block.alive, None].astype(np.float32) if below is None else W @ below.T
        if self.slope is not None:
            return self.slope.moved(H, down - up, block.alive, slice(block.start, block.stop))
        factor = np.divide(up, np.maximum(down, _TINY), out=up)
        if damping(self.beta) != 1.0:
            factor **= np.float32(damping(self.beta))
        factor *= H
        np.copyto(factor, 0.0, where=self.nothing > factor)
        return factor


def check(V: FloatArray, W: FloatArray, H: FloatArray) -> None:
    """Raise InputError, in one sentence, unless V (K, N) ~ W (K, R) H (R, N) fit and are finite and nonnegative."""
    if V.ndim != 2 or W.ndim != 2 or H.ndim != 2 or V.shape != (W.shape[0], H.shape[1]) or W.shape[1] != H.shape[0]:
        raise InputError(f"V {V.shape}, W {W.shape} and H {H.shape} do not fit; they must be (K, N), (K, R) and (R, N)")
    for name, matrix in (("V", V), ("W", W), ("H", H)):
        lying = matrix if matrix.flags.c_contiguous else matrix.T
        # The bits of finite numbers from 0 on, read as an integer, are less than those of all others: one look is enough.
        if lying.flags.c_contiguous and lying.dtype == np.float32 and lying.view(np.uint32).max(initial=0) < _INFINITE_BITS:
            continue
        # What is no number is the least and the greatest of all.
        if matrix.size and not (matrix.min() >= 0 and matrix.max() < np.inf):
            raise InputError(f"{name} holds values that are negative or no numbers; give magnitudes")


def check_finite(*values: FloatArray | float) -> None:
    """Raise InputError, in one sentence, where steps that were too long have led to infinities."""
    if not all(np.isfinite(value).all() for value in values):
        raise InputError("the updates ran away to values that are no numbers; choose a lower learning rate")


def rows_to_one(rows: FloatArray, *, otherwise: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Rows (R, K) scaled to sum to one, and their former sums (R,), float32.

    A row of nothing is taken from `otherwise` (R, K), with sum one.
    """
    total = rows.sum(axis=1, dtype=np.float64).astype(np.float32)
    sounding = total > _TINY
    scaled: FloatArray = (rows / np.where(sounding, total, np.float32(1))[:, None]).astype(np.float32, copy=False)
    # Far below any audible ratio; smaller entries would become denormal in products.
    scaled[scaled < np.float32(1e-18)] = 0.0
    if otherwise is not None:
        scaled[~sounding] = otherwise[~sounding]
    return scaled, np.where(sounding, total, np.float32(1 if otherwise is not None else 0)).astype(np.float32)


def mean_sounding(Vt: FloatArray, work: Sequence[Sequence[Block]]) -> float:
    """Mean of V, frame by frame as Vt (N, K), over the frames that have support; 0 where there are none."""
    spans = [slice(block.start, block.stop) for chunk in work for block in chunk]
    frames = sum(span.stop - span.start for span in spans)
    with np.errstate(over="ignore"):
        total = sum(float((Vt[span] @ np.ones(Vt.shape[1], np.float32)).sum(dtype=np.float64)) for span in spans)
    if not math.isfinite(total):
        # Single precision ends at 3e38, and takes a third of the time.
        total = sum(float(Vt[span].sum(dtype=np.float64)) for span in spans)
    return float(total / max(1, frames * Vt.shape[1]))


def settled(
    settings: ModelSettings, losses: Sequence[float], before: tuple[FloatArray, FloatArray], after: tuple[FloatArray, FloatArray]
) -> bool:
    """Whether the stop criterion is met: a small change of W and H (relative, Frobenius), or a small fall of the loss.

    Of additive updates the loss may rise as well; it has settled where it hardly moves.
    """
    if settings.stop == "loss":
        if len(losses) < 2:
            return False
        fall = losses[-2] - losses[-1]
        # Additive steps may lead uphill for a while, above all the first ones; that is not yet the end.
        fall = fall if settings.updates == "multiplicative" else abs(fall)
        return fall <= settings.tolerance * abs(losses[-2])
    if settings.stop == "change":
        pairs = zip(before, after, strict=True)
        return all(float(np.linalg.norm(new - old)) <= settings.tolerance * float(np.linalg.norm(old)) for old, new in pairs)
    return False
