"""When the file of a project counts as written by somebody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.ui.safekeeping_hold import _differ

TIMES_NS = st.integers(min_value=0, max_value=2**62)


@given(time_ns=TIMES_NS, after_ns=st.integers(min_value=1, max_value=10**10))
def test_a_file_written_again_differs_however_soon_and_alike_in_length(time_ns, after_ns):
    exact = time_ns // 100 * 100 + 1, after_ns // 100 * 100 + 100  # a disk that keeps nanoseconds
    assert _differ((exact[0], 4096), (exact[0] + exact[1], 4096))


@given(time_ns=TIMES_NS, step=st.sampled_from([2 * 10**9, 10**9, 10**6, 10**3, 100]), up=st.booleans())
def test_a_time_that_a_place_rounds_is_the_same_time(time_ns, step, up):
    rounded = (time_ns + up * (step - 1)) // step * step
    assert not _differ((time_ns, 1), (rounded, 1))
    assert not _differ((rounded, 1), (time_ns, 1))
    assert _differ((time_ns, 1), (rounded, 2))


@pytest.mark.parametrize("stamps", [(None, None), (None, (5, 1)), ((5, 1), None), ((5, 1), (5, 1))])
def test_what_is_gone_or_the_same_was_written_by_nobody(stamps):
    assert not _differ(*stamps)
