"""Additive gradient descent, projected on request: at a fixed rate, or one that adapts to each entry (Adam)."""

from abc import ABC, abstractmethod

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.settings import ModelSettings
from soli.signal.audio import FloatArray

_FIRST, _SECOND = 0.9, 0.999


class Descent(ABC):
    """Moves one matrix against its gradient, step by step.

    like: the matrix to begin with, float32; it is not altered. Its entries that are zero stay zero. Unless `signed`, what would
    become negative becomes zero and may rise again. rate: how far a row moves in the first step, in parts of the mean size of
    its entries.
    """

    def __init__(self, like: FloatArray, rate: float, *, signed: bool = False) -> None:
        self.free = like != 0
        count = np.maximum(self.free.sum(axis=1, keepdims=True), 1)
        self.size = (rate * np.abs(like).sum(axis=1, keepdims=True) / count).astype(np.float32)
        self.signed, self.steps = signed, 0

    def begin(self) -> None:
        """Begin the next step; `moved` may then be called once for each part of the matrix, from any thread."""
        self.steps += 1

    def moved(
        self, values: FloatArray, gradient: FloatArray, rows: IntArray | slice = slice(None), columns: slice = slice(None)
    ) -> FloatArray:
        """`values`, the part of the matrix at `rows` and `columns`, one step further down; float32, a new array of its shape.

        Steps that are too long overflow without a warning; the loss tells.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self._moved(values, gradient, rows, columns)

    @abstractmethod
    def _moved(self, values: FloatArray, gradient: FloatArray, rows: IntArray | slice, columns: slice) -> FloatArray: ...


def descent(like: FloatArray, settings: ModelSettings, *, signed: bool = False) -> Descent:
    """The descent of the settings for the matrix `like`; see Descent."""
    kind = Adam if settings.rate == "adaptive" else FixedRate
    return kind(like, settings.learning_rate, signed=signed)


class Adam(Descent):
    """A rate that adapts to each entry: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015."""

    def __init__(self, like: FloatArray, rate: float, *, signed: bool = False) -> None:
        super().__init__(like, rate, signed=signed)
        self.first, self.second = np.zeros_like(like), np.zeros_like(like)

    def _moved(self, values: FloatArray, gradient: FloatArray, rows: IntArray | slice, columns: slice) -> FloatArray:
        first = _FIRST * self.first[rows, columns] + np.float32(1 - _FIRST) * gradient
        second = _SECOND * self.second[rows, columns] + np.float32(1 - _SECOND) * np.square(gradient)
        self.first[rows, columns], self.second[rows, columns] = first, second
        mean, spread = first / (1 - _FIRST**self.steps), np.sqrt(second / (1 - _SECOND**self.steps))
        down = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 1e-20)
        result: FloatArray = np.where(self.free[rows, columns], values - self.size[rows] * down, np.float32(0))
        return result if self.signed else np.maximum(result, 0)


class FixedRate(Descent):
    """The plain gradient (Smaragdis and Venkataramani, ICASSP 2017).

    The rate of each row is fixed in the first step, in which its entries move by `rate` times their mean size on average.
    """

    def __init__(self, like: FloatArray, rate: float, *, signed: bool = False) -> None:
        super().__init__(like, rate, signed=signed)
        self.rate = np.zeros_like(like)

    def _moved(self, values: FloatArray, gradient: FloatArray, rows: IntArray | slice, columns: slice) -> FloatArray:
        free = self.free[rows, columns]
        if self.steps == 1:
            steepness = np.abs(gradient * free).sum(axis=1, keepdims=True) / np.maximum(free.sum(axis=1, keepdims=True), 1)
            self.rate[rows, columns] = np.divide(
                self.size[rows], steepness, out=np.zeros_like(steepness, np.float32), where=steepness > 1e-20, casting="unsafe"
            )
        result: FloatArray = np.where(free, values - self.rate[rows, columns] * gradient, np.float32(0))
        return result if self.signed else np.maximum(result, 0)
