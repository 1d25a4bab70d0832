"""The nonnegative autoencoder V ~ W_D ((W_E V) * M_H), trained by multiplicative updates on the support.

Oezer, Hansen, Zunner, Mueller, Investigating Nonnegative Autoencoders for Efficient Audio Decomposition, EUSIPCO 2022;
structured dropout M_H: Ewert and Sandler, ICASSP 2017.
"""

from collections.abc import Sequence

import numpy as np

from soli.decompose.blocks import Block, Workers, chunks, partition
from soli.decompose.divergence import divergence, halves
from soli.decompose.nmf import Solution, Sums, check, mean_sounding, rows_to_one, settled
from soli.decompose.settings import ModelSettings
from soli.decompose.timbre import Timbre
from soli.progress import Progress, Steps
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


def factorize(
    V: FloatArray,
    W: FloatArray,
    H: FloatArray,
    *,
    settings: ModelSettings | None = None,
    timbre: Timbre | None = None,
) -> Steps[Solution]:
    """Train an encoder W_E (R, K) and a decoder W_D (K, R) so that V (K, N) ~ W_D H' with H' = (W_E V) * M_H.

    All float32 and nonnegative; none is altered. W is the decoder to begin with, H the structured dropout M_H: activations
    are weighed by it, and removed where it is zero. The encoder starts as each bin's likelihood of belonging to a component.
    Returns H' as the solution's H. Progress and errors as in `nmf.factorize`.
    """
    settings = settings or ModelSettings(method="nae")
    check(V, W, H)
    Vt = V.T
    decoder, _ = rows_to_one(np.ascontiguousarray(W.T))
    work = chunks(partition(H))
    scale = mean_sounding(Vt, work)
    encoder = decoder / np.maximum(decoder.sum(axis=0), _TINY)
    if scale <= 0:
        return Solution(decoder.T, np.zeros_like(H), (0.0,), encoder)
    prior = timbre if settings.beta == 1.0 else None
    pool, losses = Workers(), list[float]()
    total = 2 * settings.iterations * len(work)
    try:
        for iteration in range(settings.iterations):
            previous = decoder, encoder
            step = _Step(Vt, decoder, encoder, H, scale=scale, beta=settings.beta)
            for half, run in enumerate((step.encoder_sums, step.decoder_sums)):
                sums = Sums.zero(np.arange(len(decoder)), Vt.shape[1], 0.0 if half == 0 else settings.beta)
                for done, part in enumerate(pool.map(run, work)):
                    sums.add(part)
                    at = (2 * iteration + half) * len(work) + done
                    yield Progress(at, total, "Decomposing", losses[-1] if losses else None)
                if half == 0:
                    encoder = step.encoder = sums.updated(encoder, settings.beta)
            losses.append(sums.loss)
            if prior is not None:
                decoder, _ = rows_to_one(prior.update(decoder * sums.above, iteration), otherwise=decoder)
            else:
                decoder, gain = rows_to_one(sums.updated(decoder, settings.beta), otherwise=decoder)
                encoder = encoder * gain[:, None]
            if settled(settings, losses, previous, (decoder, encoder)):
                break
        code = np.zeros_like(H)
        step = _Step(Vt, decoder, encoder, H, scale=scale, beta=settings.beta)
        for _ in pool.map(lambda chunk: [step.code(block, out=code) for block in chunk], work):
            yield Progress(total, total, "Decomposing", losses[-1])
    finally:
        pool.close()
    return Solution(decoder.T, code, tuple(losses), encoder)


class _Step:
    """One iteration's work on a chunk of frames, first for the encoder, then for the decoder."""

    def __init__(
        self, Vt: FloatArray, decoder: FloatArray, encoder: FloatArray, mask: FloatArray, *, scale: float, beta: float
    ) -> None:
        self.Vt, self.decoder, self.encoder, self.mask, self.beta = Vt, decoder, encoder, mask, beta
        self.tiny = np.float32(1e-7 * scale)

    def code(self, block: Block, *, out: FloatArray | None = None) -> FloatArray:
        """H' of the components alive in the block."""
        code: FloatArray = self.encoder[block.alive] @ self.Vt[block.start : block.stop].T
        code *= self.mask[block.alive, block.start : block.stop]
        if out is not None:
            out[block.alive, block.start : block.stop] = code
        return code

    def encoder_sums(self, chunk: Sequence[Block]) -> Sums:
        rows = np.unique(np.concatenate([block.alive for block in chunk]))
        sums = Sums.zero(rows, self.Vt.shape[1], 0.0)
        for block in chunk:
            V, mask = self.Vt[block.start : block.stop], self.mask[block.alive, block.start : block.stop]
            W, at = self.decoder[block.alive], np.searchsorted(rows, block.alive)
            model = self.code(block).T @ W + self.tiny
            above, below = halves(V, model, self.beta, np.empty_like(model))
            sums.above[at] += ((W @ above.T) * mask) @ V
            under = mask if below is None else (W @ below.T) * mask
            sums.below[at] += under @ V
        return sums

    def decoder_sums(self, chunk: Sequence[Block]) -> Sums:
        rows = np.unique(np.concatenate([block.alive for block in chunk]))
        sums = Sums.zero(rows, self.Vt.shape[1], self.beta)
        for block in chunk:
            V, code = self.Vt[block.start : block.stop], self.code(block)
            model = code.T @ self.decoder[block.alive] + self.tiny
            sums.loss += divergence(V, model, self.beta)
            above, below = halves(V, model, self.beta, np.empty_like(model))
            at = np.searchsorted(rows, block.alive)
            sums.above[at] += code @ above
            sums.below[at] += code.sum(axis=1, keepdims=True) if below is None else code @ below
        return sums
