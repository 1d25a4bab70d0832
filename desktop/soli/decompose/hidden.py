"""Hidden layers of a decoder: the code of a pitch goes into units of its own, which sound from different levels on.

With layers x_l = max(0, A_l x_(l-1) - c_l) between the code and the templates (rectified layers: Smaragdis and Venkataramani,
ICASSP 2017) a unit whose threshold is high sounds in loud frames only, so that a pitch may grow brighter with its level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.constraints import Components
from soli.decompose.growth import some
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)
# What of each unit goes into the other units of its voice to begin with.
_MIXED = 0.2
# Thresholds begin spread up to this many times the level at which a voice sounds most of its energy.
_SPREAD = np.float32(1.5)


@dataclass(frozen=True, eq=False)
class Hidden:
    """L hidden layers of P voices, each with M units of its own; float32 and nonnegative.

    slot (R,): where among the P * M units of the last layer the activation of each component is (int64).
    weights: A_1 (P, M, 1), A_2 to A_L (P, M, M). thresholds: c_1 to c_L (P, M, 1), those of the first units zero, so that no
    voice is ever mute. level: the loudness of the recording that the thresholds are for; None before they are set.

    What is silent in the code is silent in all layers, since no threshold is negative: the support is kept. A voice feeds
    units of its own only, so that what layers of the mixer sound still adds up.
    """

    slot: IntArray
    weights: tuple[FloatArray, ...]
    thresholds: tuple[FloatArray, ...]
    level: float | None = None

    @classmethod
    def initial(cls, components: Components, *, layers: int) -> "Hidden":
        """`layers` hidden layers, in which a voice has a unit for each of its components, with thresholds of zero still."""
        voice = np.unique(components.voice, return_inverse=True)[1].reshape(-1)
        P, M = int(voice.max()) + 1, int(components.copy.max()) + 1
        slot = voice * M + components.copy
        there = np.zeros((P, M, 1), np.float32)
        there.ravel()[slot] = 1
        count = there.sum(axis=1, keepdims=True)
        mixed = np.eye(M, dtype=np.float32) * np.float32(1 - _MIXED) + np.float32(_MIXED) / count
        further = mixed * there * there.transpose(0, 2, 1)
        thresholds = tuple(np.zeros((P, M, 1), np.float32) for _ in range(layers))
        return cls(slot, (there / count, *[further] * (layers - 1)), thresholds)

    @property
    def units(self) -> int:
        """M."""
        return int(self.weights[0].shape[1])

    @property
    def voice(self) -> IntArray:
        """Which row of the code feeds each component, (R,)."""
        return self.slot // self.units

    @property
    def first(self) -> IntArray:
        """The first component of each voice, (P,)."""
        return np.unique(self.voice, return_index=True)[1]

    def some(self, components: IntArray) -> tuple[IntArray, "Hidden"]:
        """The voices of these components, int64 and increasing, and the layers of those alone, in the order of `components`."""
        voices, number = np.unique(self.voice[components], return_inverse=True)
        part = replace(
            self,
            slot=number.reshape(-1) * self.units + self.slot[components] % self.units,
            weights=tuple(A[voices] for A in self.weights),
            thresholds=tuple(c[voices] for c in self.thresholds),
        )
        return voices, part

    def forward(self, code: FloatArray) -> list[FloatArray]:
        """The code (P, n) and what each layer makes of it, as (P, units, n)."""
        layers = [code[:, None, :]]
        for A, c in zip(self.weights, self.thresholds, strict=True):
            x = A @ layers[-1]
            x -= c
            layers.append(np.maximum(x, 0, out=x))
        return layers

    def activations(self, layers: Sequence[FloatArray]) -> FloatArray:
        """H (R, n) of the components, from what `forward` gives."""
        last = layers[-1]
        return last.reshape(-1, last.shape[2])[self.slot]

    def backward(self, layers: Sequence[FloatArray], slope: FloatArray, sums: Sequence[FloatArray] = ()) -> FloatArray:
        """The gradient with respect to the code (P, n) from that with respect to H, `slope` (R, n), by the chain rule.

        layers: what `forward` gave. sums: one array a parameter, to which their gradients are added, those of thresholds with
        the opposite sign: all of them are nonnegative where `slope` is.
        """
        P, M, n = layers[-1].shape
        back = np.zeros((P * M, n), slope.dtype)
        back[self.slot] = slope
        back = back.reshape(P, M, n)
        for at in reversed(range(len(self.weights))):
            back = back * (layers[at + 1] > 0)
            if sums:
                sums[2 * at][:] += back @ layers[at].transpose(0, 2, 1)
                sums[2 * at + 1][:] += back.sum(axis=2, keepdims=True)
            back = self.weights[at].transpose(0, 2, 1) @ back
        return back[:, 0]

    @property
    def parameters(self) -> list[FloatArray]:
        """A_1, c_1, A_2, c_2 ...: weights and thresholds by turns, shapes as above."""
        return [matrix for pair in zip(self.weights, self.thresholds, strict=True) for matrix in pair]

    def with_parameters(self, parameters: Sequence[FloatArray]) -> "Hidden":
        """The same slots with other weights and thresholds, in the order of `parameters`."""
        return replace(self, weights=tuple(parameters[0::2]), thresholds=tuple(parameters[1::2]))

    def scaled(self, gain: FloatArray) -> "Hidden":
        """The same with the activation of each component times `gain` (R,)."""
        by = np.ones((len(self.weights[0]), self.units, 1), np.float32)
        by.ravel()[self.slot] = gain
        weights = (*self.weights[:-1], self.weights[-1] * by)
        return replace(self, weights=weights, thresholds=(*self.thresholds[:-1], self.thresholds[-1] * by))

    def at(self, level: float) -> "Hidden":
        """The same for a recording of another loudness: a piece that is turned up is told apart as before."""
        if self.level is None or self.level <= 0 or level <= 0:
            return self
        by = np.float32(level / self.level)
        return replace(self, thresholds=tuple(c * by for c in self.thresholds), level=level)

    def split(self, H: FloatArray, level: float) -> "Hidden":
        """Thresholds to begin with, spread over how loud each voice is in the activations H (R, N); `level` is kept."""
        typical = np.einsum("rn,rn->r", H, H) / np.maximum(H.sum(axis=1), _TINY)
        # The layers are linear still, and their units add up to the code.
        code = np.bincount(self.voice, typical).astype(np.float32)
        share = np.arange(self.units, dtype=np.float32)[:, None] / np.float32(self.units * len(self.weights))
        x, thresholds = _SPREAD * code[:, None, None], list[FloatArray]()
        for A in self.weights:
            x = A @ x
            thresholds.append(share * x)
            x = x - thresholds[-1]
        return replace(self, thresholds=tuple(thresholds), level=level)

    def grown(self, components: Components, mass: FloatArray) -> "Hidden":
        """The layers of all `components`, of which these are those of the first ones.

        A voice that is new gets the mean of those of its part and kind, each weighing as much as it sounds: `mass` (float32, of
        the known components).
        """
        known, P, M = len(self.slot), len(self.weights[0]), self.units
        if known == len(components):
            return self
        _, first, new = np.unique(components.voice[known:], return_index=True, return_inverse=True)
        slot = np.append(self.slot, (P + new.reshape(-1)) * M + components.copy[known:])
        group = components.part * 8 + components.kind
        weight = np.bincount(self.voice, mass, minlength=P)
        blank = Hidden.initial(components, layers=len(self.weights)).some(np.arange(known, len(components)))[1]
        parameters = [np.concatenate(pair) for pair in zip(self.parameters, blank.parameters, strict=True)]
        for voice, component in enumerate(first + known, P):
            like = np.flatnonzero(group[self.first] == group[component])
            if weight[like].sum() > 0:
                for matrix in parameters:
                    matrix[voice] = np.average(matrix[like], axis=0, weights=weight[like])
        return replace(self.with_parameters(parameters), slot=slot)

    def is_like(self, other: "Hidden") -> bool:
        """Whether both have as many layers and units a voice."""
        return len(self.weights) == len(other.weights) and self.units == other.units

    def continued(self, components: Components, here: IntArray, there: IntArray, mass: FloatArray) -> "Hidden":
        """The layers of `components`, of which those at `here`, at least one, are the ones at `there` of these.

        The rest is as in `grown`; mass (float32): how much each of the components that these layers are of sounds.
        """
        order = np.append(here, np.setdiff1d(np.arange(len(components)), here))
        grown = self.some(there)[1].grown(some(components, order), mass[there])
        return grown.some(np.argsort(order))[1]

    def united(self, rows: FloatArray, known: int = 0) -> FloatArray:
        """Rows of an encoder (R, K), of which the components from `known` on get what all of their voice listen to together."""
        voice = self.voice
        result = rows.copy()
        together = np.zeros((len(self.weights[0]), rows.shape[1]), rows.dtype)
        np.add.at(together, voice[known:], rows[known:])
        result[known:] = together[voice[known:]]
        return result


def loudness(V: FloatArray, mask: FloatArray) -> float:
    """The mean magnitude of V (K, N), over all bins, that one voice of the mask M_H (P, N) stands for where it is 1."""
    return float(V.sum(axis=0, dtype=np.float64) @ mask.any(axis=0)) / max(float(mask.sum(dtype=np.float64)), 1e-30)
