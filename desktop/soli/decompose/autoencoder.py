"""The nonnegative autoencoder V ~ W_D ((W_E V) * M_H), trained on the support.

Multiplicative updates: Oezer, Hansen, Zunner, Mueller, Investigating Nonnegative Autoencoders for Efficient Audio
Decomposition, EUSIPCO 2022. Rectified layers: Smaragdis and Venkataramani, ICASSP 2017. Structured dropout M_H: Ewert
and Sandler, ICASSP 2017. Further layers that are steps of NMF: Hershey, Le Roux, Weninger, Deep unfolding, 2014.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from soli.decompose.blocks import Block, Workers, chunks, partition
from soli.decompose.bodies import IntArray
from soli.decompose.descent import Descent, descent
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
    encoder: FloatArray | None = None,
) -> Steps[Solution]:
    """Train an encoder W_E (R, K) and a decoder W_D (K, R) so that V (K, N) ~ W_D H' with H' = (W_E V) * M_H.

    All float32 and nonnegative; none is altered. W is the decoder to begin with, H the structured dropout M_H: activations
    are weighed by it, and removed where it is zero. The encoder starts as `encoder`, or as each bin's likelihood of belonging
    to a component; `encoder_steps` further layers refine what it says. Returns H' as the solution's H, and the nonnegative
    part of a decoder with signed weights as its W. Progress and errors as in `nmf.factorize`.
    """
    settings = settings or ModelSettings(method="nae")
    check(V, W, H)
    Vt = V.T
    if settings.dropout == "binary":
        H = (H > 0).astype(np.float32)
    decoder, _ = rows_to_one(np.ascontiguousarray(W.T))
    work = chunks(partition(H))
    scale = mean_sounding(Vt, work)
    encoder = decoder / np.maximum(decoder.sum(axis=0), _TINY) if encoder is None else encoder
    if scale <= 0:
        return Solution(decoder.T, np.zeros_like(H), (0.0,), encoder)
    signed, additive = settings.updates == "relu", settings.updates != "multiplicative"
    slopes: tuple[Descent, Descent] | None = None
    prior = timbre if settings.beta == 1.0 and not additive else None
    pool, losses = Workers(), list[float]()
    latest = np.zeros_like(H)
    total = 2 * settings.iterations * len(work)
    try:
        for iteration in range(settings.iterations):
            previous = decoder, encoder
            if additive and iteration == 1:
                # One multiplicative step has set the scale, which additive ones would take long to find.
                encoder_slope, decoder_slope = (descent(rows, settings, signed=signed) for rows in previous[::-1])
                slopes = encoder_slope, decoder_slope
            step = _Step(Vt, decoder, encoder, H, scale=scale, settings=settings, latest=latest)
            for half, run in enumerate((step.encoder_sums, step.decoder_sums)):
                sums = Sums.zero(np.arange(len(decoder)), Vt.shape[1], 0.0 if half == 0 else settings.beta)
                for done, part in enumerate(pool.map(run, work)):
                    sums.add(part)
                    at = (2 * iteration + half) * len(work) + done
                    yield Progress(at, total, "Decomposing", losses[-1] if losses else None)
                if slopes is not None:
                    slopes[half].begin()
                if half == 0:
                    encoder = (
                        sums.updated(encoder, settings.beta)
                        if slopes is None
                        else slopes[0].moved(encoder, sums.below - sums.above)
                    )
                    step.encoder = encoder
            losses.append(sums.loss)
            so_far = Solution(decoder.T, step.latest, tuple(losses), encoder)
            yield Progress(2 * (iteration + 1) * len(work), total, "Decomposing", losses[-1], so_far)
            if slopes is not None:
                decoder = slopes[1].moved(decoder, sums.below - sums.above)
            elif prior is not None:
                decoder, _ = rows_to_one(prior.update(decoder * sums.above, iteration), otherwise=decoder)
            else:
                decoder, gain = rows_to_one(sums.updated(decoder, settings.beta), otherwise=decoder)
                encoder = encoder * gain[:, None]
            if settled(settings, losses, previous, (decoder, encoder)):
                break
        templates, gain = rows_to_one(np.maximum(decoder, 0), otherwise=np.full_like(decoder, 1 / Vt.shape[1]))
        step = _Step(Vt, decoder, encoder, H, scale=scale, settings=settings, latest=latest)
        for _ in pool.map(step.encode, work):
            yield Progress(total, total, "Decomposing", losses[-1])
        latest *= gain[:, None]
    finally:
        pool.close()
    # Scaled as the activations are, so that the encoder's product under the mask is H also where the decoder was not normal.
    return Solution(templates.T, latest, tuple(losses), encoder * gain[:, None])


def encoded(
    V: FloatArray,
    decoder: FloatArray,
    encoder: FloatArray,
    mask: FloatArray,
    *,
    settings: ModelSettings,
    layers: int | None = None,
) -> FloatArray:
    """The activations H' (R, n) of frames V (K, n): max(0, W_E V) * M_H, refined by `layers` (None: by the settings).

    decoder (K, R), encoder (R, K) and mask (R, n) are of the components that may be alive there; all float32.
    """
    depth = settings if layers is None else replace(settings, encoder_steps=layers)
    if settings.dropout == "binary":
        mask = (mask > 0).astype(np.float32)
    Wt, code = np.ascontiguousarray(decoder.T), np.zeros_like(mask)
    step = _Step(V.T, Wt, encoder, mask, scale=float(V.mean()), settings=depth, latest=code)
    step.encode([Block(0, V.shape[1], np.arange(len(Wt)))])
    return np.maximum(code, 0, out=code)


class _Step:
    """One iteration's work on a chunk of frames, first for the encoder, then for the decoder."""

    def __init__(
        self,
        Vt: FloatArray,
        decoder: FloatArray,
        encoder: FloatArray,
        mask: FloatArray,
        *,
        scale: float,
        settings: ModelSettings,
        latest: FloatArray,
    ) -> None:
        self.latest = latest
        self.Vt, self.decoder, self.encoder, self.mask, self.beta = Vt, decoder, encoder, mask, settings.beta
        self.tiny = max(np.float32(1e-7 * scale), _TINY)
        self.rectified = settings.updates == "relu"
        self.layers = 0 if self.rectified else settings.encoder_steps

    def code(self, block: Block, *, deep: bool = False) -> FloatArray:
        """H' of the components alive in the block, after the first layer, or `deep` after all."""
        V = self.Vt[block.start : block.stop]
        code: FloatArray = self.encoder[block.alive] @ V.T
        if self.rectified:
            np.maximum(code, 0, out=code)
        code *= self.mask[block.alive, block.start : block.stop]
        if deep and self.layers:
            W = self.decoder[block.alive]
            for _ in range(self.layers):
                model = self._model(code, W)
                above, below = halves(V, model, self.beta, np.empty_like(model))
                under = W.sum(axis=1, keepdims=True) if below is None else W @ below.T
                code *= (W @ above.T) / np.maximum(under, _TINY)
            np.copyto(code, 0.0, where=code < self.tiny)
        return code

    def encode(self, chunk: Sequence[Block]) -> None:
        for block in chunk:
            self.latest[block.alive, block.start : block.stop] = self.code(block, deep=True)

    def encoder_sums(self, chunk: Sequence[Block]) -> Sums:
        def add(sums: Sums, at: IntArray, block: Block) -> None:
            V, W, code = self.Vt[block.start : block.stop], self.decoder[block.alive], self.code(block)
            mask = self.mask[block.alive, block.start : block.stop]
            model = self._model(code, W)
            above, below = self._halves(V, model)
            if self.rectified:
                mask = mask * (code > 0)
            sums.above[at] += ((W @ above.T) * mask) @ V
            under = W.sum(axis=1, keepdims=True) if below is None else W @ below.T
            sums.below[at] += (under * mask) @ V

        return self._sums(chunk, 0.0, add)

    def decoder_sums(self, chunk: Sequence[Block]) -> Sums:
        def add(sums: Sums, at: IntArray, block: Block) -> None:
            V, code = self.Vt[block.start : block.stop], self.code(block, deep=True)
            self.latest[block.alive, block.start : block.stop] = code
            model = self._model(code, self.decoder[block.alive])
            sums.loss += divergence(V, model, self.beta)
            above, below = self._halves(V, model)
            sums.above[at] += code @ above
            sums.below[at] += code.sum(axis=1, keepdims=True) if below is None else code @ below

        return self._sums(chunk, self.beta, add)

    def _sums(self, chunk: Sequence[Block], beta: float, add: Callable[[Sums, IntArray, Block], None]) -> Sums:
        rows = np.unique(np.concatenate([block.alive for block in chunk]))
        sums = Sums.zero(rows, self.Vt.shape[1], beta)
        for block in chunk:
            add(sums, np.searchsorted(rows, block.alive), block)
        return sums

    def _model(self, code: FloatArray, W: FloatArray) -> FloatArray:
        model: FloatArray = code.T @ W
        if self.rectified:
            np.maximum(model, 0, out=model)
        model += self.tiny
        return model

    def _halves(self, V: FloatArray, model: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        above, below = halves(V, model, self.beta, np.empty_like(model))
        if self.rectified and below is not None:
            # Where the output is rectified away no gradient comes back.
            alive = model > self.tiny
            return above * alive, below * alive
        return above, below
