"""Spectra drawn from a score."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from soli.score import features


@given(frames=st.integers(0, 90), pole=st.floats(0, 0.999), seed=st.integers(0, 99))
def test_what_fades_is_the_recursion_of_one_pole(frames: int, pole: float, seed: int) -> None:
    impulses = np.random.default_rng(seed).normal(size=(frames, 3)).astype(np.float32)
    expected, last = [], np.zeros(3)
    for row in impulses.astype(np.float64):
        last = row + pole * last
        expected.append(last)
    found = features._faded(impulses.copy(), pole)
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 3)), atol=2e-5)
