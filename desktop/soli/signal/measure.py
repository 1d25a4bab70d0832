"""How close a signal is to another."""

import math

import numpy as np

from soli.signal.audio import FloatArray


def sdr_db(truth: FloatArray, estimate: FloatArray) -> float:
    """Signal to distortion ratio, 10 log10(|s|^2 / |s - e|^2), of the channels' means; no gain or filter is fitted.

    Both float32, shape (length, channels), of one length. Infinite when they agree.
    """
    mono = truth.mean(axis=1, dtype=np.float64)
    error = mono - estimate.mean(axis=1, dtype=np.float64)
    power, distortion = float(mono @ mono), float(error @ error)
    if distortion == 0.0:
        return math.inf
    return 10 * math.log10(power / distortion) if power > 0 else -math.inf
