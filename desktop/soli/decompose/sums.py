"""What some frames add to an update of the templates."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.divergence import damping
from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


@dataclass(eq=False)
class Sums:
    """What some frames add to the update of the templates `rows`: above and below the line, and the loss."""

    rows: IntArray
    above: FloatArray
    below: FloatArray
    loss: float = 0.0

    @classmethod
    def zero(cls, rows: IntArray, bins: int, beta: float) -> "Sums":
        # With beta 1 what is below the line is the same for all bins.
        return cls(rows, np.zeros((len(rows), bins), np.float32), np.zeros((len(rows), 1 if beta == 1.0 else bins), np.float32))

    def add(self, part: "Sums") -> None:
        where = part.rows if len(part.rows) < len(self.rows) else slice(None)
        self.above[where] += part.above
        self.below[where] += part.below
        self.loss += part.loss

    def updated(self, Wt: FloatArray, beta: float) -> FloatArray:
        """Templates as rows after one multiplicative update; those without any activation stay."""
        silent = self.below <= _TINY
        factor = np.divide(self.above, np.maximum(self.below, _TINY), dtype=np.float32)
        if damping(beta) != 1.0:
            factor **= np.float32(damping(beta))
        factor *= Wt
        np.copyto(factor, Wt, where=silent)
        return factor
