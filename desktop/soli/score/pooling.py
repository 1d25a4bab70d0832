"""Rows pooled over stretches of them, a little at a time: at once, hours of sound hold the interpreter and the window with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = 2**13  # pooled at a time: some milliseconds


def pooled_rows(ufunc: np.ufunc, rows: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """`ufunc.reduceat(rows, starts, axis=0)` for `starts` that do not fall: the stretches begin there and end at the next one."""
    result = np.empty((len(starts), *rows.shape[1:]), rows.dtype)
    a_time = max(1, _ROWS * len(starts) // max(1, len(rows)))
    for first in range(0, len(starts), a_time):
        here = starts[first : first + a_time]
        end = starts[first + a_time] if first + a_time < len(starts) else len(rows)
        part = rows[here[0] : max(int(end), int(here[-1]) + 1)]
        ufunc.reduceat(part, here - here[0], axis=0, out=result[first : first + a_time])
    return result
