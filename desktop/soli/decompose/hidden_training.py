"""How hidden layers of a decoder are trained: multiplicative updates, or steps against the gradient that stay nonnegative."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.descent import Descent, descent
from soli.decompose.hidden import Hidden
from soli.decompose.settings import ModelSettings
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


@dataclass(eq=False)
class Slopes:
    """The two halves of the gradient of each of the parameters of hidden layers, both nonnegative; see `Hidden.backward`."""

    above: list[FloatArray]
    below: list[FloatArray]

    @classmethod
    def zero(cls, hidden: Hidden) -> "Slopes":
        """A sum of nothing, in arrays of its own."""
        above, below = ([np.zeros_like(matrix) for matrix in hidden.parameters] for _ in range(2))
        return cls(above, below)

    def add(self, other: "Slopes", voices: IntArray | slice = slice(None)) -> None:
        """Add what `other` says of the voices (int64, (n,)) that it was made for, or of all."""
        for mine, its in zip((*self.above, *self.below), (*other.above, *other.below), strict=True):
            mine[voices] += its

    def updated(self, hidden: Hidden) -> Hidden:
        """Layers after a multiplicative update, which zeros survive, as do units that never sound.

        All layers move at once, each by its part of the way only.
        """
        parameters = []
        for n, (values, above, below) in enumerate(zip(hidden.parameters, self.above, self.below, strict=True)):
            up, down = _directed(n, above, below)
            factor = np.divide(up, down, out=np.ones_like(up), where=(up > _TINY) & (down > _TINY))
            factor **= np.float32(1 / len(hidden.weights))
            parameters.append(values * np.clip(factor, np.float32(0.5), np.float32(2)))
        return hidden.with_parameters(parameters)


class HiddenTraining:
    """Trains hidden layers, one step an iteration: the first is multiplicative, or sets the thresholds where there are none."""

    def __init__(self, hidden: Hidden, settings: ModelSettings, *, level: float) -> None:
        self._settings, self._level = settings, level
        self._fresh = hidden.level is None
        self._descents: list[Descent] | None = None
        self._first = True

    def moved(self, hidden: Hidden, slopes: Slopes, H: FloatArray) -> Hidden:
        """Layers after one step; H (R, N): what they said in this iteration."""
        if self._first:
            self._first = False
            return hidden.split(H, self._level) if self._fresh else slopes.updated(hidden)
        if self._settings.updates == "multiplicative":
            return slopes.updated(hidden)
        if self._descents is None:
            self._descents = [descent(_rows(matrix), self._settings) for matrix in hidden.parameters]
        parameters = []
        for n, (values, above, below) in enumerate(zip(hidden.parameters, slopes.above, slopes.below, strict=True)):
            up, down = _directed(n, above, below)
            self._descents[n].begin()
            parameters.append(self._descents[n].moved(_rows(values), _rows(down - up)).reshape(values.shape))
        return hidden.with_parameters(parameters)


def _directed(n: int, above: FloatArray, below: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What raises a parameter and what lowers it: less of a threshold is more sound."""
    return (below, above) if n % 2 else (above, below)


def _rows(matrix: FloatArray) -> FloatArray:
    return matrix.reshape(-1, matrix.shape[2])
