"""What some frames add to an update of the templates."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.divergence import damping
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


@dataclass(eq=False)
class Sums:
    """What some frames add to the update of the templates `rows` (int64, (n,)): above and below the line, and the loss.

    above: float32 (n, K). below: the same, or (n, 1) with beta 1. empty: nothing has been added yet. Unlike all else in
    `decompose` it is altered, by `add`.
    """

    rows: IntArray
    above: FloatArray
    below: FloatArray
    loss: float = 0.0
    empty: bool = False

    @classmethod
    def zero(cls, rows: IntArray, bins: int, beta: float) -> "Sums":
        """A sum of nothing yet for the templates numbered by `rows`, int64 (n,)."""
        # With beta 1 what is below the line is the same for all bins.
        below = np.zeros((len(rows), 1 if beta == 1.0 else bins), np.float32)
        return cls(rows, np.zeros((len(rows), bins), np.float32), below, empty=True)

    def add(self, part: "Sums") -> None:
        """Add what `part` has, which is not to be used after it."""
        everywhere = len(part.rows) == len(self.rows)
        if self.empty and everywhere:
            self.above, self.below = part.above, part.below
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                self.above[slice(None) if everywhere else part.rows] += part.above
                self.below[slice(None) if everywhere else self._below_of(part)] += part.below
        self.loss += part.loss
        self.empty = False

    def _below_of(self, part: "Sums") -> Any:
        """Where in `below` the rows of `part` are."""
        return part.rows

    def slope(self) -> FloatArray:
        """The gradient with respect to the templates, float32 (n, K)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.below - self.above

    def updated(self, Wt: FloatArray, beta: float) -> FloatArray:
        """Templates as rows, float32 (n, K), after one multiplicative update; those without any activation stay."""
        silent = self.below <= _TINY
        factor = np.divide(self.above, np.maximum(self.below, _TINY), dtype=np.float32)
        if damping(beta) != 1.0:
            factor **= np.float32(damping(beta))
        factor *= Wt
        np.copyto(factor, Wt, where=silent)
        return factor
