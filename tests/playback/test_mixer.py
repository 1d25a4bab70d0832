from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.playback.mixer import BLOCK_LENGTH, Mixer, Read, Strip, channel_gains, fold, mix_offline

STRIPS = st.builds(
    Strip,
    gain_db=st.floats(-60, 12),
    pan=st.floats(-1, 1),
    muted=st.booleans(),
    soloed=st.booleans(),
)
CUTS = st.lists(st.integers(1, 300), min_size=1, max_size=12)


def noise(seed: int, *shapes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def in_blocks(mixer: Mixer, cuts: list[int], turns: dict[int, np.ndarray] | None = None) -> np.ndarray:
    """The mixer's output from sample 0 on, cut as told; `turns` are the gains aimed at from a sample on."""
    turns = turns or {}
    edges = sorted({0, *np.cumsum(cuts).tolist(), *(turn for turn in turns if turn < sum(cuts))})
    out = np.zeros((edges[-1], mixer.channels), np.float32)
    for start, stop in pairwise(edges):
        if start in turns:
            mixer.aim(turns[start])
        mixer.mix([Read(0, stop - start, start)], out[start:stop])
    return out


def test_a_strip_left_alone_changes_nothing() -> None:
    assert (channel_gains([Strip()], 2) == 1).all()
    signal = noise(0, (100, 2))[0]
    np.testing.assert_array_equal(mix_offline([signal], [Strip()]), signal)


@given(st.floats(-1, 1), st.floats(-60, 12))
def test_panning_keeps_the_power(pan: float, gain_db: float) -> None:
    left, right = channel_gains([Strip(gain_db, pan)], 2)[0]
    assert left**2 + right**2 == pytest.approx(2 * 10 ** (gain_db / 10), rel=1e-5)
    assert (left > right) == (pan < 0) or abs(pan) < 1e-5


def test_panning_to_one_side_silences_the_other() -> None:
    gains = channel_gains([Strip(pan=-1.0), Strip(pan=1.0)], 2)
    assert gains[0, 1] == pytest.approx(0, abs=1e-7)
    assert gains[1, 0] == pytest.approx(0, abs=1e-7)


@given(st.lists(STRIPS, min_size=1, max_size=6))
def test_what_sounds_is_soloed_where_anything_is_and_never_muted(strips: list[Strip]) -> None:
    gains = channel_gains(strips, 1)[:, 0]
    any_solo = any(strip.soloed for strip in strips)
    assert [gain > 0 for gain in gains] == [not s.muted and (s.soloed or not any_solo) for s in strips]


@given(st.lists(STRIPS, min_size=1, max_size=4), st.integers(0, 99))
def test_a_mix_is_the_sum_of_the_weighted_signals(strips: list[Strip], seed: int) -> None:
    signals = noise(seed, *((200 - 30 * i, 1 + i % 2) for i in range(len(strips))))
    gains = channel_gains(strips, 2)
    expected = np.zeros((200, 2))
    for signal, gain in zip(signals, gains, strict=True):
        expected[: len(signal)] += signal.astype(np.float64) * gain
    np.testing.assert_allclose(mix_offline(signals, strips, channels=2), expected, atol=1e-4)


@given(st.floats(-40, 6), st.floats(-1, 1), st.integers(0, 99))
def test_a_mix_is_linear_in_the_gains(gain_db: float, pan: float, seed: int) -> None:
    first, second = noise(seed, (64, 2), (64, 2))
    strips = [Strip(gain_db, pan), Strip(-6.0, -pan)]
    apart = mix_offline([first], strips[:1]) + mix_offline([second], strips[1:])
    np.testing.assert_array_equal(mix_offline([first, second], strips), apart)
    louder = [Strip(strip.gain_db + 20, strip.pan) for strip in strips]
    np.testing.assert_allclose(mix_offline([first, second], louder), 10 * apart, rtol=1e-5, atol=1e-5)


@given(CUTS, st.integers(0, 500), st.integers(1, 400), STRIPS)
def test_the_block_size_does_not_matter(cuts: list[int], turn: int, again: int, strip: Strip) -> None:
    signals = noise(1, (400, 2), (700, 1))
    before, after = channel_gains([Strip(), Strip(-3)], 2), channel_gains([strip, Strip(-9, 0.3)], 2)
    turns = {turn: after, turn + again: before}
    total = sum(cuts)
    whole = in_blocks(Mixer(signals, before, ramp_length=150), [total], turns)
    np.testing.assert_array_equal(in_blocks(Mixer(signals, before, ramp_length=150), cuts, turns), whole)


def test_gains_move_over_the_ramp_and_not_at_once() -> None:
    ones = np.ones((1000, 2), np.float32)
    out = in_blocks(Mixer([ones], channel_gains([Strip()]), ramp_length=100), [1000], {300: np.zeros((1, 2), np.float32)})
    assert (out[:300] == 1).all()
    assert (out[400:] == 0).all()
    assert (np.diff(out[:, 0]) <= 0).all()
    assert np.abs(np.diff(out[:, 0])).max() < 0.02


def test_a_ramp_turned_back_half_way_goes_on_from_where_it_is() -> None:
    ones = np.ones((1000, 1), np.float32)
    off, on = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    out = in_blocks(Mixer([ones], on, ramp_length=100), [1000], {300: off, 350: on})
    assert 0.3 < out.min() < 0.7
    assert np.abs(np.diff(out[:, 0])).max() < 0.02
    assert (out[450:] == 1).all()


def test_values_that_are_no_numbers_are_silenced_and_counted() -> None:
    good, bad = noise(2, (100, 2), (100, 2))
    for value in (np.nan, np.inf, -np.inf):
        bad[50] = value
        mixer = Mixer([good, bad], channel_gains([Strip(), Strip(-3)]))
        out = np.empty((100, 2), np.float32)
        mixer.mix([Read(0, 100, 0)], out)
        np.testing.assert_array_equal(out, good)
        assert mixer.silenced == {1}
        assert mixer.peaks[1] == 0


def test_levels_are_those_after_the_fader() -> None:
    signal = noise(3, (500, 2))[0]
    mixer = Mixer([signal, signal], channel_gains([Strip(-6.0), Strip(muted=True)]))
    mixer.mix([Read(0, 500, 0)], np.empty((500, 2), np.float32))
    gain = 10 ** (-6 / 20)
    assert mixer.peaks == pytest.approx([gain * np.abs(signal).max(), 0], rel=1e-5)
    assert mixer.mean_squares == pytest.approx([gain**2 * np.mean(signal**2, axis=0).max(), 0], rel=1e-4)


@pytest.mark.parametrize("pan", [-1.0, 0.0, 0.3])
def test_a_sine_reads_three_decibels_less_than_its_peak_wherever_it_is_panned(pan: float) -> None:
    sine = 0.5 * np.sin(2 * np.pi * np.arange(441) / 44.1).astype(np.float32)[:, None]
    mixer = Mixer([sine], channel_gains([Strip(0.0, pan)]))
    mixer.mix([Read(0, 441, 0)], np.empty((441, 2), np.float32))
    assert mixer.mean_squares[0] / mixer.peaks[0] ** 2 == pytest.approx(0.5, rel=0.01)


def test_mixing_reads_and_never_writes_the_signals() -> None:
    signal = noise(4, (BLOCK_LENGTH + 10, 2))[0]
    signal.flags.writeable = False
    kept = signal.copy()
    mix_offline([signal, signal], [Strip(), Strip(-3, 0.5)])
    np.testing.assert_array_equal(signal, kept)


def test_an_export_may_be_longer_or_shorter_than_the_signals() -> None:
    signal = noise(5, (100, 1))[0]
    assert mix_offline([signal], [Strip()], length=40).shape == (40, 1)
    longer = mix_offline([signal], [Strip()], length=140, channels=3)
    np.testing.assert_array_equal(longer[:100], np.repeat(signal, 3, axis=1))
    assert not longer[100:].any()
    assert mix_offline([], []).shape == (0, 1)


@given(st.integers(3, 8), st.integers(0, 9))
def test_folding_cannot_clip_and_loses_no_side(channels: int, seed: int) -> None:
    signal = np.clip(noise(seed, (50, channels))[0], -1, 1)
    folded = fold(signal)
    assert folded.shape == (50, 2)
    assert folded.dtype == np.float32
    assert np.abs(folded).max() <= 1 + 1e-6
    ones = np.ones((1, channels), np.float32)
    np.testing.assert_allclose(fold(ones), 1, atol=1e-6)


def test_strips_and_signals_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="as many strips"):
        Mixer(noise(6, (10, 2)), channel_gains([Strip(), Strip()]))
