"""Stretches replaced while the music plays: heard as a load of the patched signals would be, without a click."""

import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playback.processes import NOWHERE
from playback.waiting import eventually

from soli.playback import segments
from soli.playback.mixer import RAMP_S, Strip
from soli.playback.player import FakePlayer, ProcessPlayer

RATE = 44100
FADE = round(RAMP_S * RATE)
STRIPS = [Strip(-3, 0.25), Strip(0, 0.5), Strip(-10, -0.2), Strip(-1)]


@pytest.fixture
def player() -> Iterator[FakePlayer]:
    player = FakePlayer(live=False)
    yield player
    player.close()


@pytest.fixture
def process() -> Iterator[ProcessPlayer]:
    player = ProcessPlayer(NOWHERE)
    yield player
    player.close()


def noise(length: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((length, channels))).astype(np.float32)


def level(value: float, length: int, channels: int = 2) -> np.ndarray:
    return np.full((length, channels), value, np.float32)


def written_over(signals: list[np.ndarray], pieces: list[tuple[int, int, np.ndarray]]) -> list[np.ndarray]:
    """Copies of `signals` with the pieces in them, sample by sample."""
    copies = [whole.copy() for whole in signals]
    for index, first, piece in pieces:
        for at in range(max(0, -first), min(len(piece), len(copies[index]) - first)):
            copies[index][first + at] = piece[at]
    return copies


def played(signals: list[np.ndarray], *, start_s: float, blocks: list[int]) -> np.ndarray:
    """What is heard of these signals when they are loaded at once."""
    player = FakePlayer(live=False)
    player.load(signals, RATE, STRIPS[: len(signals)])
    player.seek(start_s)
    player.play()
    return np.concatenate([player.step(n) for n in blocks])


stretches = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-3000, 72_000), st.integers(0, 40_000)),  # signal, first, length
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(stretches, st.lists(st.integers(1, 9000), min_size=3, max_size=8), st.integers(0, 30_000))
def test_all_is_as_after_a_load_of_the_patched_signals_outside_of_the_cross_fade(
    where: list[tuple[int, int, int]], blocks: list[int], start: int
) -> None:
    signals = [noise(70_000), noise(50_000, 1, seed=1), noise(70_000, seed=2)]
    pieces = [(i, first, noise(length, signals[i].shape[1], seed=9 + n)) for n, (i, first, length) in enumerate(where)]
    before, after = played(signals, start_s=start / RATE, blocks=blocks), None
    player = FakePlayer(live=False)
    player.load(signals, RATE, STRIPS[:3])
    player.seek(start / RATE)
    player.play()
    heard = [player.step(n) for n in blocks[:2]]
    player.patch(pieces)
    heard += [player.step(n) for n in blocks[2:]]
    after = played(written_over(signals, pieces), start_s=start / RATE, blocks=blocks)
    patched_at = sum(blocks[:2])
    result = np.concatenate(heard)
    np.testing.assert_array_equal(result[:patched_at], before[:patched_at])
    np.testing.assert_array_equal(result[patched_at + FADE :], after[patched_at + FADE :])
    between = slice(patched_at, patched_at + FADE)
    lower, upper = np.minimum(before, after)[between], np.maximum(before, after)[between]
    assert ((lower - 1e-6 <= result[between]) & (result[between] <= upper + 1e-6)).all()


def test_a_patch_under_the_playhead_does_not_click(player: FakePlayer) -> None:
    player.load([level(0.5, RATE)], RATE, [Strip()])
    player.play()
    last = player.step(5000)[-1:]
    player.patch([(0, 0, level(-0.5, RATE))])
    heard = player.step(2000)
    assert np.abs(np.diff(heard, axis=0, prepend=last)).max() <= np.pi / 2 / FADE
    assert (heard[FADE:] == -0.5).all()


@pytest.mark.parametrize("block", [64, 441, 4096])
def test_patches_and_loads_that_come_at_once_follow_each_other_without_a_click(player: FakePlayer, block: int) -> None:
    player.load([level(0.0, 2 * RATE)], RATE, [Strip()])
    player.play()
    last = player.step(5000)[-1:]
    player.patch([(0, 0, level(0.5, 2 * RATE))])
    player.patch([(0, 0, level(-0.5, 2 * RATE))])
    player.load([level(0.25, 2 * RATE)], RATE, [Strip()])
    player.patch([(0, 0, level(0.5, 2 * RATE))])
    heard = np.concatenate([player.step(block) for _ in range(30_000 // block)])
    assert np.abs(np.diff(heard, axis=0, prepend=last)).max() <= 1.01 * np.pi / 2 / FADE
    assert (heard[-1] == 0.5).all()


def test_gains_that_move_go_on_moving(player: FakePlayer) -> None:
    player.load([level(0.5, RATE)], RATE, [Strip()])
    player.play()
    player.step(5000)
    player.set_strips([Strip(-20)])
    first = player.step(200)
    player.patch([(0, 0, level(0.5, RATE))])
    heard = np.concatenate([first, player.step(1000)])
    same = FakePlayer(live=False)
    same.load([level(0.5, RATE)], RATE, [Strip()])
    same.play()
    same.step(5000)
    same.set_strips([Strip(-20)])
    np.testing.assert_allclose(heard, same.step(1200), atol=1e-7)


def test_at_rest_it_is_there_at_once(player: FakePlayer) -> None:
    player.load([level(0.5, RATE)], RATE, [Strip()])
    player.step(100)
    player.patch([(0, 0, level(0.25, RATE))])
    player.play()
    assert player.step(2000).max() == 0.25


def test_position_and_strips_stay(player: FakePlayer) -> None:
    player.load([level(0.5, RATE)], RATE, [Strip(-6)])
    player.play()
    player.step(5000)
    player.patch([(0, 20_000, level(0.25, 5))])
    player.step(1000)
    status = player.status()
    assert status.position_s == pytest.approx(6000 / RATE)
    assert status.playing
    assert status.peaks == pytest.approx((0.5 * 10 ** (-6 / 20),))


def test_nothing_that_was_handed_in_is_altered_or_kept(player: FakePlayer) -> None:
    whole, piece = noise(RATE), noise(5000, seed=3)
    copy = whole.copy()
    player.load([whole], RATE, [Strip()])
    player.patch([(0, 1000, piece)])
    expected = written_over([copy], [(0, 1000, piece)])[0]
    piece[:] = 1.0
    np.testing.assert_array_equal(whole, copy)
    player.play()
    np.testing.assert_array_equal(player.step(RATE)[FADE:], expected[FADE:])


def test_a_mono_piece_is_heard_on_both_sides_and_six_channels_are_folded(player: FakePlayer) -> None:
    six = noise(RATE, 6)
    player.load([noise(RATE), six], RATE, [Strip(), Strip()])
    mono, surround = noise(30_000, 1, seed=4), noise(30_000, 6, seed=5)
    player.patch([(0, 0, mono), (1, 0, surround)])
    player.play()
    heard = player.step(30_000)
    other = FakePlayer(live=False)
    other.load([mono, surround], RATE, [Strip(), Strip()])
    other.play()
    np.testing.assert_array_equal(heard[FADE:], other.step(30_000)[FADE:])


def test_values_that_are_no_numbers_silence_the_signal_until_the_next_load(player: FakePlayer) -> None:
    quiet = noise(RATE)
    player.load([quiet, noise(RATE, seed=1)], RATE, [Strip(), Strip()])
    player.patch([(1, 10, level(np.nan, 5))])
    player.patch([(1, 10, level(0.5, 5))])
    player.play()
    np.testing.assert_array_equal(player.step(30_000)[FADE:], quiet[FADE:30_000])
    assert "Strip 2 is silent" in player.status().message
    player.load([quiet], RATE, [Strip()])
    assert player.status().message == ""


def test_what_does_not_fit_the_load_is_refused(player: FakePlayer) -> None:
    player.patch([])
    with pytest.raises(ValueError, match="no signal 0"):
        player.patch([(0, 0, level(0.5, 10))])
    player.load([level(0.5, 100, 1)], RATE, [Strip()])
    with pytest.raises(ValueError, match="1 channels"):
        player.patch([(0, 0, level(0.5, 10))])
    with pytest.raises(ValueError, match="no signal 1"):
        player.patch([(1, 0, level(0.5, 10, 1))])


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_the_sound_process_plays_the_patch_and_so_does_the_one_that_follows_it(process: ProcessPlayer, rate: int) -> None:
    process.load([level(0.25, 20 * rate), level(0.125, 20 * rate)], rate, [Strip(), Strip()])
    process.play()
    assert eventually(lambda: process.status().peaks == pytest.approx((0.25, 0.125), rel=1e-3))
    process.patch([(0, 0, level(0.5, 20 * rate))])
    assert eventually(lambda: process.status().peaks == pytest.approx((0.5, 0.125), rel=1e-3))
    time.sleep(1.1)  # so long that the next patch lets the player write this one down
    process.patch([(1, 0, level(0.25, 20 * rate))])
    assert eventually(lambda: process.status().peaks == pytest.approx((0.5, 0.25), rel=1e-3))
    former = process.process_id
    assert former is not None
    os.kill(former, signal.SIGKILL)
    assert eventually(lambda: process.process_id not in (former, None) and process.status().playing)
    process.patch([(0, 0, level(0.75, 20 * rate))])
    assert eventually(lambda: process.status().peaks == pytest.approx((0.75, 0.25), rel=1e-3))


def test_a_patch_of_a_load_that_is_still_on_its_way_comes_after_it(process: ProcessPlayer) -> None:
    process.load([level(0.125, 20 * RATE)], RATE, [Strip()])
    process.load([level(0.25, 20 * 48_000)], 48_000, [Strip()])
    process.patch([(0, 0, level(0.5, 20 * 48_000))])
    process.play()
    assert eventually(lambda: process.status().peaks == pytest.approx((0.5,), rel=1e-3))


def test_a_patch_is_heard_of_layers_that_lie_in_a_file(process: ProcessPlayer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 1000)
    process.load([level(0.25, 20 * RATE)], RATE, [Strip()])
    process.patch([(0, 0, level(0.5, 20 * RATE))])
    process.play()
    assert eventually(lambda: process.status().peaks == (0.5,))


def test_a_closed_player_takes_a_patch(process: ProcessPlayer) -> None:
    process.load([level(0.25, 100)], RATE, [Strip()])
    process.close()
    process.patch([(0, 0, level(0.5, 10))])
    assert not process.status().playing
