"""Compiles the kernels before they are waited for."""

import numpy as np

from soli.decompose.nmf import factorize
from soli.decompose.settings import ModelSettings
from soli.progress import finish


def prepare() -> None:
    """Compile the kernels and keep the result for every later run; where there is no numba, nothing is to be done."""
    V = np.asfortranarray(np.ones((3, 2), np.float32))
    for beta in (1.0, 2.0):
        finish(factorize(V, V[:, :1], V[:1], settings=ModelSettings(beta=beta, iterations=1)))
