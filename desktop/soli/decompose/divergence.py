"""The beta-divergence between a spectrogram V and its model, and the two halves of its gradient.

beta 2 is half the squared Euclidean distance, 1 the Kullback-Leibler divergence, 0 the Itakura-Saito divergence
(Févotte and Idier, Algorithms for nonnegative matrix factorization with the beta-divergence, Neural Computation 23(9), 2011).
"""

import numpy as np

from soli.signal.audio import FloatArray

_TINY = np.float32(1e-30)


def divergence(V: FloatArray, model: FloatArray, beta: float) -> float:
    """The sum of d_beta(V | model) over all entries; float32 of one shape, V nonnegative and `model` positive."""
    if beta == 1.0:
        ratio = np.maximum(V / model, _TINY)
        np.log(ratio, out=ratio)
        return float(np.vdot(V, ratio)) - float(V.sum(dtype=np.float64)) + float(model.sum(dtype=np.float64))
    if beta == 0.0:
        # V = 0 is infinitely far; it counts as the least positive value instead.
        ratio = np.maximum(V / model, np.float32(1e-12))
        return float((ratio - np.log(ratio) - 1).sum(dtype=np.float64))
    if beta == 2.0:
        difference = (V - model).ravel()
        return 0.5 * float(difference @ difference)
    powers = np.power(V, beta) + (beta - 1) * np.power(model, beta) - beta * V * np.power(model, beta - 1)
    return float(powers.sum(dtype=np.float64)) / (beta * (beta - 1))


def halves(V: FloatArray, model: FloatArray, beta: float, out: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """V model^(beta - 2) and model^(beta - 1), None where that is one everywhere (beta 1).

    The gradient of the divergence with respect to the model is the second less the first. All float32, of one shape; the
    first is written to `out` (with beta 2 the two are V and `model` themselves).
    """
    if beta == 2.0:
        return V, model
    np.divide(V, model, out=out)
    if beta == 1.0:
        return out, None
    below: FloatArray = np.reciprocal(model) if beta == 0.0 else np.power(model, np.float32(beta - 1))
    out *= below
    return out, below


def damping(beta: float) -> float:
    """The exponent of the multiplicative update under which the divergence never rises."""
    if beta < 1:
        return 1 / (2 - beta)
    return 1.0
