"""The layers of an autoencoder over the frames of a recording, and their gradients, in blocks along the support."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from soli.decompose.blocks import Block
from soli.decompose.bodies import IntArray
from soli.decompose.divergence import divergence, halves
from soli.decompose.hidden import Hidden
from soli.decompose.hidden_training import Slopes
from soli.decompose.settings import ModelSettings
from soli.decompose.sums import Sums
from soli.signal.audio import FloatArray

TINY = np.float32(1e-30)
# What the first layer of an encoder says alone counts this part of what all of them say.
_ALONE = np.float32(0.1)
# Steps of training that are too long overflow; the loss tells, once an iteration.
_QUIET = partial(np.errstate, over="ignore", invalid="ignore")


class Network:
    """Encoder, mask, hidden layers and decoder as they are in one iteration; called from worker threads, a chunk each.

    Vt (N, K), decoder (R, K), encoder and mask (P, K) and (P, N), one row a component, or a voice where there are `hidden`
    layers. What is heard of each component is written to `latest` (R, N). steps: how many of the encoder's further layers there
    are so far; None for all.
    """

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
        hidden: Hidden | None = None,
        steps: int | None = None,
    ) -> None:
        self.latest, self.hidden = latest, hidden
        self.Vt, self.decoder, self.encoder, self.mask, self.beta = Vt, decoder, encoder, mask, settings.beta
        self.tiny = max(np.float32(1e-7 * scale), TINY)
        self.rectified = settings.updates == "relu"
        asked = settings.encoder_steps if steps is None else min(steps, settings.encoder_steps)
        self.layers = 0 if self.rectified else asked

    def encode(self, chunk: Sequence[Block]) -> None:
        """Write what all layers of the encoder say to `latest`."""
        with _QUIET():
            for block in chunk:
                here = self._here(block)
                self.latest[block.alive, block.start : block.stop] = self._refined(here, self._code(here)).H

    def encoder_sums(self, chunk: Sequence[Block]) -> tuple[Sums, None]:
        """The two halves of the gradient of the encoder, of which the first layer alone is trained.

        Further layers multiply what it says by factors, which are taken as they are. What it says alone counts a little too,
        so that it is of use without them.
        """
        with _QUIET():
            return self._encoder_sums(chunk), None

    def _encoder_sums(self, chunk: Sequence[Block]) -> Sums:
        places = [self._here(block) for block in chunk]
        sums = self._sums((here.rows for here in places), 0.0)
        for here in places:
            code = self._code(here)
            heard = self._refined(here, code)
            self._add_slope(sums, here, heard, here.mask * (code > 0) if self.rectified else here.mask * _gain(heard.code, code))
            if self.layers:
                self._add_slope(sums, here, self._heard(here, code), _ALONE * here.mask)
        return sums

    def _add_slope(self, sums: Sums, here: "_Here", heard: "_Heard", gain: FloatArray) -> None:
        """Add the gradient of the rows of an encoder whose product with V, times `gain` (P, n), is the code that was heard."""
        above, below = self._halves(here.V, self._model(heard.H, here.W))
        at = np.searchsorted(sums.rows, here.rows)
        sums.above[at] += (heard.back(here.W @ above.T) * gain) @ here.V
        sums.below[at] += (heard.back(here.under(below)) * gain) @ here.V

    def decoder_sums(self, chunk: Sequence[Block]) -> tuple[Sums, Slopes | None]:
        """The two halves of the gradients of the decoder and of its hidden layers, and the loss."""
        with _QUIET():
            return self._decoder_sums(chunk)

    def _decoder_sums(self, chunk: Sequence[Block]) -> tuple[Sums, Slopes | None]:
        sums = self._sums((block.alive for block in chunk), self.beta)
        slopes = None if self.hidden is None else Slopes.zero(self.hidden)
        for block in chunk:
            here = self._here(block)
            heard = self._refined(here, self._code(here))
            self.latest[block.alive, block.start : block.stop] = H = heard.H
            model = self._model(H, here.W)
            sums.loss += divergence(here.V, model, self.beta)
            above, below = self._halves(here.V, model)
            at = np.searchsorted(sums.rows, block.alive)
            sums.above[at] += H @ above
            sums.below[at] += H.sum(axis=1, keepdims=True) if below is None else H @ below
            if slopes is not None and here.net is not None:
                part = Slopes.zero(here.net)
                here.net.backward(heard.layers, here.W @ above.T, part.above)
                here.net.backward(heard.layers, here.under(below), part.below)
                slopes.add(part, here.rows)
        return sums, slopes

    def _here(self, block: Block) -> "_Here":
        frames = slice(block.start, block.stop)
        rows, net = block.alive, None
        if self.hidden is not None:
            rows, net = self.hidden.some(block.alive)
        return _Here(self.Vt[frames], self.decoder[block.alive], self.mask[rows, frames], rows, net)

    def _code(self, here: "_Here") -> FloatArray:
        """What the first layer says."""
        code: FloatArray = self.encoder[here.rows] @ here.V.T
        if self.rectified:
            np.maximum(code, 0, out=code)
        code *= here.mask
        return code

    def _refined(self, here: "_Here", code: FloatArray) -> "_Heard":
        """What all layers of the encoder make of what the first one says."""
        code = code.copy() if self.layers else code
        for _ in range(self.layers):
            heard = self._heard(here, code)
            model = self._model(heard.H, here.W)
            above, below = halves(here.V, model, self.beta, np.empty_like(model))
            code *= heard.back(here.W @ above.T) / np.maximum(heard.back(here.under(below)), TINY)
        if self.layers:
            np.copyto(code, 0.0, where=code < self.tiny)
        return self._heard(here, code)

    def _heard(self, here: "_Here", code: FloatArray) -> "_Heard":
        if here.net is None:
            return _Heard(code, code, [code], lambda slope: slope)
        net, layers = here.net, here.net.forward(code)
        return _Heard(code, net.activations(layers), layers, lambda slope: net.backward(layers, slope))

    def _sums(self, rows: Iterable[IntArray], beta: float) -> Sums:
        return Sums.zero(np.unique(np.concatenate(list(rows))), self.Vt.shape[1], beta)

    def _model(self, H: FloatArray, W: FloatArray) -> FloatArray:
        model: FloatArray = H.T @ W
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


def _gain(refined: FloatArray, code: FloatArray) -> FloatArray:
    """By what further layers have multiplied a code."""
    if refined is code:
        return np.ones((1, 1), np.float32)
    return np.asarray(refined / np.maximum(code, TINY), np.float32)


@dataclass(frozen=True, eq=False)
class _Here:
    """One block: V (n, K), W (R, K) of what is alive, mask (P, n) of the rows of the code, and the hidden layers between."""

    V: FloatArray
    W: FloatArray
    mask: FloatArray
    rows: IntArray
    net: Hidden | None

    def under(self, below: FloatArray | None) -> FloatArray:
        """The lower half of the gradient with respect to H, (R, n)."""
        if below is not None:
            product: FloatArray = self.W @ below.T
            return product
        return np.broadcast_to(self.W.sum(axis=1, keepdims=True), (len(self.W), len(self.V)))


@dataclass(frozen=True, eq=False)
class _Heard:
    """A code (P, n), the activations H (R, n) and the layers made of it, and the way of a gradient back to the code."""

    code: FloatArray
    H: FloatArray
    layers: list[FloatArray]
    back: Callable[[FloatArray], FloatArray]
