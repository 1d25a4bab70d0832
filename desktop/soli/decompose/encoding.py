"""What an encoder is before it is trained: rows that say how much of each bin belongs to each component."""

import numpy as np

from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


def first_rows(Wt: FloatArray, mask: FloatArray) -> FloatArray:
    """Rows (R, K) of an encoder for the templates Wt (R, K) under the mask M_H (R, N), all float32.

    Under the mask their product with V is the first multiplicative step (Lee and Seung 2000) from the mask itself, with all
    that sounds along with a component taken by its mean over the frames in which the component may sound. Where it may in
    none, all others are taken to sound along.
    """
    together, total = mask @ mask.T, mask.sum(axis=1, keepdims=True)
    rows: FloatArray = np.divide(together, total, out=np.ones_like(together), where=total > 0) @ Wt
    return np.divide(Wt, np.maximum(rows, _TINY, out=rows), out=rows)


def further_rows(Wt: FloatArray, known: FloatArray) -> FloatArray:
    """Rows (n, K) for the last n templates of Wt (R + n, K), beside those `known` (R, K), which may be signed; all float32.

    How likely each bin belongs to the template, on the scale that the known rows have for theirs.
    """
    likely = Wt / np.maximum(Wt.sum(axis=0), _TINY)
    count = len(known)
    scale = np.maximum(known, 0).sum(dtype=np.float64) / max(float(likely[:count].sum(dtype=np.float64)), 1e-30)
    rows: FloatArray = likely[count:] * np.float32(scale)
    return rows
