"""Additive gradient descent with a rate that adapts to each entry (Kingma and Ba, Adam, ICLR 2015), projected on request."""

import numpy as np

from soli.decompose.bodies import IntArray
from soli.signal.audio import FloatArray

_FIRST, _SECOND = 0.9, 0.999


class Adam:
    """Moves one matrix against its gradient, `rate` times the mean size of each of its rows to begin with a step.

    Entries that begin as zero stay zero. Unless `signed`, what would become negative becomes zero and may rise again.
    `like` is the matrix to begin with; it is not altered.
    """

    def __init__(self, like: FloatArray, rate: float, *, signed: bool = False) -> None:
        self.free = like != 0
        count = np.maximum(self.free.sum(axis=1, keepdims=True), 1)
        self.size = (rate * np.abs(like).sum(axis=1, keepdims=True) / count).astype(np.float32)
        self.first, self.second = np.zeros_like(like), np.zeros_like(like)
        self.signed, self.steps = signed, 0

    def begin(self) -> None:
        """Begin the next step; `moved` may then be called once for each part of the matrix, from any thread."""
        self.steps += 1

    def moved(
        self, values: FloatArray, gradient: FloatArray, rows: IntArray | slice = slice(None), columns: slice = slice(None)
    ) -> FloatArray:
        """`values`, the part of the matrix at `rows` and `columns`, one step further down."""
        first = _FIRST * self.first[rows, columns] + np.float32(1 - _FIRST) * gradient
        second = _SECOND * self.second[rows, columns] + np.float32(1 - _SECOND) * np.square(gradient)
        self.first[rows, columns], self.second[rows, columns] = first, second
        mean, spread = first / (1 - _FIRST**self.steps), np.sqrt(second / (1 - _SECOND**self.steps))
        down = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 1e-20)
        result: FloatArray = np.where(self.free[rows, columns], values - self.size[rows] * down, np.float32(0))
        return result if self.signed else np.maximum(result, 0)
