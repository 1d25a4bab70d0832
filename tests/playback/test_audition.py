"""A sound on its own over the mix: what is heard, and that it never clicks."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.playback.audition import Audition
from soli.playback.controls import LONGEST_AUDITION_S
from soli.playback.mixer import RAMP_S, Strip
from soli.playback.player import FakePlayer
from soli.signal.audio import resample

RATE = 44100
FADE = round(RAMP_S * RATE)
STEEPEST = np.pi / 2 / FADE  # of a raised cosine from 0 to 1, a sample


@pytest.fixture
def player() -> Iterator[FakePlayer]:
    player = FakePlayer(live=False)
    yield player
    player.close()


def level(value: float, seconds: float, channels: int = 2) -> np.ndarray:
    return np.full((round(seconds * RATE), channels), value, np.float32)


def noise(seconds: float, channels: int = 2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((round(seconds * RATE), channels))).astype(np.float32)


def heard_of(signals: list[tuple[int, np.ndarray | None]], length: int, cuts: list[int]) -> np.ndarray:
    """What `Audition` makes of a mix of ones, rendered in blocks that end at `cuts` and at every beginning."""
    audition = Audition(RATE, 2, deque())
    out = np.ones((length, 2), np.float32)
    begins = dict(signals)
    edges = sorted({0, length, *begins, *(cut for cut in cuts if cut < length), *range(0, length, 4096)})
    for start, stop in pairwise(edges):
        if start in begins:
            audition.begin(begins[start])
        audition.mix(out[start:stop])
    return out


@pytest.mark.parametrize("channels", [1, 2])
def test_at_rest_the_signal_is_heard_once_from_its_beginning(player: FakePlayer, channels: int) -> None:
    signal = noise(0.5, channels)
    player.audition(signal, RATE)
    heard = np.concatenate([player.step(n) for n in (1, 100, 5000, 30_000)])
    np.testing.assert_array_equal(heard[FADE : len(signal) - FADE], np.broadcast_to(signal, (len(signal), 2))[FADE:-FADE])
    assert not heard[len(signal) :].any()
    assert (np.abs(heard[: len(signal)]) <= np.abs(signal)).all()


def test_while_the_music_plays_it_is_heard_in_its_place_and_the_position_goes_on(player: FakePlayer, layers: list) -> None:
    strips = [Strip(-3), Strip(), Strip(0, 0.5), Strip()]
    player.load(layers, RATE, strips)
    player.play()
    other = FakePlayer(live=False)
    other.load(layers, RATE, strips)
    other.play()
    signal = noise(0.3)
    np.testing.assert_array_equal(player.step(10_000), other.step(10_000))
    player.audition(signal, RATE)
    heard, without = player.step(20_000), other.step(20_000)
    np.testing.assert_array_equal(heard[FADE : len(signal) - FADE], signal[FADE:-FADE])
    np.testing.assert_array_equal(heard[len(signal) :], without[len(signal) :])
    ours, theirs = player.status(), other.status()
    assert ours.playing
    assert ours.position_s == theirs.position_s
    assert ours.peaks == theirs.peaks
    assert ours.rms == theirs.rms


def test_the_position_at_rest_stays(player: FakePlayer) -> None:
    player.load([level(0.5, 1)], RATE, [Strip()])
    player.seek(0.25)
    player.step(100)
    player.audition(noise(0.1), RATE)
    player.step(20_000)
    assert player.status().position_s == 0.25
    assert not player.status().playing


def test_the_mix_and_the_signal_change_places_without_a_bump(player: FakePlayer) -> None:
    player.load([level(0.5, 2)], RATE, [Strip()])
    player.play()
    player.step(5000)
    player.audition(level(0.5, 0.2), RATE)
    np.testing.assert_allclose(player.step(20_000), 0.5, atol=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6000), st.one_of(st.none(), st.integers(0, 3000))), max_size=6),
    st.lists(st.integers(1, 7999), max_size=6),
)
def test_whatever_replaces_what_it_never_clicks_and_blocks_do_not_matter(
    begins: list[tuple[int, int | None]], cuts: list[int]
) -> None:
    signs = (-1.0, 0.5, 1.0)
    signals = [
        (start, None if length is None else np.full((length, 2), signs[index % 3], np.float32))
        for index, (start, length) in enumerate(dict(begins).items())
    ]
    heard = heard_of(signals, 8000, [])
    np.testing.assert_array_equal(heard_of(signals, 8000, cuts), heard)
    # What leaves may be under three falling fades at once, which is 1.6 times as steep, and the mix answers all of it.
    assert np.abs(np.diff(heard, axis=0, prepend=heard[:1])).max() <= 2 * (1.6 + 1) * STEEPEST
    assert np.abs(heard).max() <= 1 + 1e-6
    over = (
        max((start for start, _ in begins), default=0)
        + len(begins) * FADE
        + max((length or 0 for _, length in begins), default=0)
    )
    assert (heard[over:] == 1).all()


def test_a_newer_one_takes_over_in_ten_milliseconds_with_a_cross_fade(player: FakePlayer) -> None:
    player.audition(level(0.5, 1), RATE)
    player.step(5000)
    newer = level(0.5, 0.5)
    player.audition(newer, RATE)
    heard = player.step(len(newer) + FADE)
    np.testing.assert_allclose(heard[: len(newer) - FADE], 0.5, atol=1e-6)
    assert not heard[len(newer) :].any()
    assert not player.status().auditioning


def test_of_many_asked_at_once_the_newest_is_heard(player: FakePlayer) -> None:
    for value in (0.1, 0.2, 0.3):
        player.audition(level(value, 1), RATE)
    player.step(3 * FADE)
    assert (player.step(1000) == np.float32(0.3)).all()


@pytest.mark.parametrize(
    "end", [FakePlayer.stop, FakePlayer.play, lambda player: player.audition(np.zeros((0, 2), np.float32), RATE)]
)
def test_stop_play_and_an_empty_one_end_it_softly(player: FakePlayer, end: Any) -> None:
    player.load([level(0.0, 5)], RATE, [Strip()])
    player.audition(level(0.5, 2), RATE)
    player.step(5000)
    end(player)
    assert not player.status().auditioning
    heard = player.step(2000)
    assert np.abs(np.diff(heard, axis=0, prepend=np.full((1, 2), 0.5, np.float32))).max() <= 0.5 * STEEPEST * 1.01
    assert not heard[FADE:].any()


def test_pause_and_seek_leave_it_alone(player: FakePlayer) -> None:
    player.load([level(0.25, 5)], RATE, [Strip()])
    player.play()
    player.step(1000)
    player.audition(level(0.5, 1), RATE)
    player.step(1000)
    player.pause()
    player.seek(2.0)
    assert (player.step(10_000) == 0.5).all()
    assert player.status().position_s == 2.0


def test_it_is_told_from_asking_until_the_ear_has_heard_the_end(player: FakePlayer) -> None:
    assert not player.status().auditioning
    player.audition(level(0.5, 0.1), RATE)
    assert player.status().auditioning
    player.step(4000)
    assert player.status().auditioning
    player.step(1000)
    assert not player.status().auditioning


def test_the_master_meter_counts_it_and_the_strips_do_not(player: FakePlayer) -> None:
    player.load([level(0.25, 1)], RATE, [Strip()])
    player.play()
    player.step(5000)
    player.audition(np.tile(np.float32([[0.75, 0.5]]), (9000, 1)), RATE)
    for _ in range(6):
        player.step(1000)
    assert player.status().master_peak == (0.75, 0.5)
    assert player.status().peaks == (0.25,)


def test_at_another_rate_it_is_heard_at_its_pitch(player: FakePlayer) -> None:
    signal = noise(0.3)[:, :1]
    player.audition(signal, 22050)
    expected = resample(signal, 22050, RATE)
    heard = player.step(len(expected))
    np.testing.assert_array_equal(heard[FADE:-FADE, :1], expected[FADE:-FADE])
    player.load([np.zeros((22050, 1), np.float32)], 22050, [Strip()])
    player.audition(signal, 22050)
    fade = round(RAMP_S * 22050)
    np.testing.assert_array_equal(player.step(len(signal))[fade:-fade, 1], signal[fade:-fade, 0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_not_heard(player: FakePlayer, value: float) -> None:
    signal = level(0.5, 0.1)
    signal[77] = value
    player.audition(signal, RATE)
    assert not player.status().auditioning
    assert not player.step(5000).any()


def test_the_caller_may_alter_its_signal_afterwards(player: FakePlayer) -> None:
    signal = level(0.5, 0.1)
    player.audition(signal, RATE)
    signal[:] = np.nan
    assert (player.step(4000)[FADE : 4000 - FADE] == 0.5).all()


def test_six_channels_are_folded_and_half_an_hour_is_cut(player: FakePlayer) -> None:
    player.audition(np.full((1000 * 4410, 6), 0.5, np.float32), 4410)
    player.step(5000)
    np.testing.assert_allclose(player.step(5000), 0.5, atol=1e-3)
    player.step(round(LONGEST_AUDITION_S * RATE))
    assert not player.status().auditioning


@pytest.mark.parametrize("length", [1, 2, FADE, 2 * FADE - 1])
def test_the_shortest_sounds_do_not_click_either(length: int) -> None:
    heard = heard_of([(0, np.zeros((length, 2), np.float32))], 3 * FADE, [])
    assert np.abs(np.diff(heard, axis=0, prepend=1)).max() <= 2 * STEEPEST
    assert (heard[length:] == 1).all()


def test_what_has_been_heard_is_put_away_for_another_thread_to_free() -> None:
    retired: deque[Any] = deque()
    audition = Audition(RATE, 2, retired)
    out = np.zeros((4096, 2), np.float32)
    signals = [level(0.1, 0.05) for _ in range(4)]
    for signal in signals:
        audition.begin(signal)
    for _ in range(3):
        audition.mix(out)
        audition.begin(signals[0])
    audition.begin(None)
    audition.mix(out)
    assert not audition.active
    assert len(retired) == len(signals) + 3
