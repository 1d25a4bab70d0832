"""Pooling a little at a time gives what pooling at once gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.score import pooling
from soli.score.pooling import pooled_rows


@pytest.mark.parametrize("ufunc", [np.add, np.maximum])
@given(data=st.data())
def test_it_is_the_same_as_at_once(ufunc, data):
    count = data.draw(st.integers(1, 300))
    starts = np.array(sorted(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=200))), np.int64)
    rows = np.random.default_rng(count).standard_normal((count, 3)).astype(np.float32)
    before = pooling._ROWS
    pooling._ROWS = data.draw(st.integers(1, 64))
    try:
        np.testing.assert_array_equal(pooled_rows(ufunc, rows, starts), ufunc.reduceat(rows, starts, axis=0))
    finally:
        pooling._ROWS = before
