"""A signal with parts replaced reads as one that was written over, and as one that was resampled whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.signal.audio import resample
from soli.signal.patchwork import BLOCK_LENGTH, Patchwork, resampled_stretch


def noise(length: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((length, channels))).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3 * BLOCK_LENGTH),
    st.lists(st.tuples(st.integers(0, 3 * BLOCK_LENGTH), st.integers(0, 2 * BLOCK_LENGTH)), max_size=4),
    st.integers(0, 3 * BLOCK_LENGTH),
    st.integers(0, 3 * BLOCK_LENGTH),
)
def test_a_patchwork_is_the_signal_written_over_and_leaves_the_older_one_as_it_was(
    length: int, where: list[tuple[int, int]], start: int, stop: int
) -> None:
    whole = noise(length, 1)
    expected, patchwork = whole.copy(), Patchwork(whole)
    former = patchwork
    for seed, (first, count) in enumerate(where):
        piece = noise(count, 1, seed=seed)
        patchwork = patchwork.patched([(first, piece)])
        expected[first : first + count] = piece[: max(0, length - first)]
    start, stop = sorted((min(start, length), min(stop, length)))
    np.testing.assert_array_equal(np.concatenate([*patchwork.cut(start, stop), whole[:0]]), expected[start:stop])
    np.testing.assert_array_equal(np.concatenate(former.cut(0, length)), noise(length, 1))


@pytest.mark.parametrize(("rate", "to_rate"), [(44100, 48000), (48000, 44100), (96000, 44100), (22050, 48000), (44100, 47999)])
@pytest.mark.parametrize("where", [(0, 10), (60_000, 80_000), (139_990, 140_000)])
def test_a_stretch_is_resampled_as_the_whole_would_be(rate: int, to_rate: int, where: tuple[int, int]) -> None:
    first, end = where
    whole = noise(140_000)
    patched = whole.copy()
    patched[first:end] = noise(end - first, seed=8)
    result = Patchwork(resample(whole, rate, to_rate)).patched(
        [resampled_stretch(Patchwork(patched), first, end, rate=rate, to_rate=to_rate)]
    )
    expected = resample(patched, rate, to_rate)
    np.testing.assert_allclose(np.concatenate(result.cut(0, len(expected))), expected, atol=1e-5)


def test_blocks_that_nothing_replaces_are_shared() -> None:
    whole = noise(4 * BLOCK_LENGTH)
    once = Patchwork(whole).patched([(BLOCK_LENGTH + 5, noise(10, seed=1))])
    twice = once.patched([(3 * BLOCK_LENGTH + 5, noise(10, seed=2))])
    for number, is_of in enumerate((whole, once.cut(BLOCK_LENGTH, BLOCK_LENGTH + 1)[0], whole)):
        [piece] = twice.cut(number * BLOCK_LENGTH, number * BLOCK_LENGTH + 100)
        assert np.shares_memory(piece, is_of)
    assert not np.shares_memory(twice.cut(3 * BLOCK_LENGTH, 3 * BLOCK_LENGTH + 1)[0], whole)
    assert Patchwork(whole).joined() is whole
    np.testing.assert_array_equal(twice.joined(), twice.stretch(-5, 9 * BLOCK_LENGTH))
