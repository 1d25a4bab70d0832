import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playback.waiting import eventually

from soli.playback.controls import Player
from soli.playback.mixer import Strip, mix_offline
from soli.playback.player import FakePlayer

RATE = 44100
SETTLED = round(0.02 * RATE)
BEFORE = np.ones((1, 2), np.float32)


@pytest.fixture
def player() -> Iterator[FakePlayer]:
    player = FakePlayer(live=False)
    yield player
    player.close()


def test_what_is_heard_is_the_offline_mix(player: FakePlayer, layers: list[np.ndarray]) -> None:
    strips = [Strip(-3), Strip(0, 0.5), Strip(-10, -0.2), Strip(muted=True)]
    player.load(layers, RATE, strips)
    player.play()
    heard = np.concatenate([player.step(n) for n in (1, 1000, 5000, 70_000)])
    expected = mix_offline(layers, strips, length=len(heard))
    np.testing.assert_array_equal(heard[SETTLED:], expected[SETTLED:])


def test_a_solo_is_heard_ten_milliseconds_later_and_without_a_click(player: FakePlayer) -> None:
    ones = np.ones((RATE, 2), np.float32)
    player.load([0.75 * ones, 0.25 * ones], RATE, [Strip(), Strip()])
    player.play()
    player.step(5000)
    player.set_strips([Strip(soloed=True), Strip()])
    heard = player.step(1000)
    assert np.abs(np.diff(heard, axis=0, prepend=BEFORE)).max() < 0.01
    assert (heard[441:] == 0.75).all()


def test_a_new_load_takes_over_without_a_gap_and_keeps_the_position(player: FakePlayer) -> None:
    ones = np.ones((RATE, 2), np.float32)
    player.load([ones], RATE, [Strip()])
    player.play()
    player.step(5000)
    player.load([0.25 * ones, 0.25 * ones], RATE, [Strip(), Strip()])
    heard = player.step(1000)
    assert np.abs(np.diff(heard, axis=0, prepend=BEFORE)).max() < 0.01
    assert (heard[:441] >= 0.5 - 1e-6).all()
    assert (heard[441:] == 0.5).all()
    assert player.status().position_s == pytest.approx(6000 / RATE)
    assert len(player.status().peaks) == 2


def test_a_load_at_another_rate_keeps_the_time(player: FakePlayer) -> None:
    player.load([np.ones((RATE, 2), np.float32)], RATE, [Strip()])
    player.seek(0.5)
    player.step(100)
    player.load([np.ones((22050, 1), np.float32)], 22050, [Strip()])
    player.step(100)
    assert player.status().position_s == pytest.approx(0.5)
    player.play()
    assert (player.step(2000)[500:] == 1).all()


def test_a_layer_with_values_that_are_no_numbers_is_silent_and_named(player: FakePlayer, layers: list[np.ndarray]) -> None:
    broken = layers[1].copy()
    broken[77] = np.nan
    player.load([layers[0], broken], RATE, [Strip(), Strip()])
    player.play()
    heard = player.step(10_000)
    np.testing.assert_array_equal(heard[SETTLED:], layers[0][SETTLED:10_000])
    message = player.status().message
    assert "Strip 2 is silent" in message
    assert message.count(".") == 1
    player.load([layers[0], broken, broken], RATE, [Strip()] * 3, names=["Left hand", "Right hand", "Flute"])
    assert player.status().message.startswith("Right hand, Flute are silent")
    player.load([layers[0]], RATE, [Strip()])
    assert player.status().message == ""


def test_what_was_asked_shows_before_the_engine_has_done_it(player: FakePlayer) -> None:
    player.load([np.ones((RATE, 1), np.float32)], RATE, [Strip()])
    player.step(100)
    player.seek(0.25)
    player.play()
    assert player.status().position_s == 0.25
    assert player.status().playing
    player.step(2000)
    player.pause()
    assert not player.status().playing


def test_playing_ends_with_the_longest_layer(player: FakePlayer, layers: list[np.ndarray]) -> None:
    player.load(layers, RATE, [Strip()] * 4)
    player.seek(2.9)
    player.play()
    heard = player.step(round(0.2 * RATE))
    assert not player.status().playing
    assert player.status().position_s == pytest.approx(3.0)
    assert heard[: round(0.1 * RATE)].any(axis=1).mean() > 0.9
    assert not heard[round(0.1 * RATE) :].any()


def test_levels_hold_a_peak_for_a_painted_frame_and_then_fall(player: FakePlayer) -> None:
    click = np.zeros((RATE, 2), np.float32)
    click[5000, 0] = 0.8
    player.load([click, click], RATE, [Strip(-6.0), Strip(muted=True)])
    player.play()
    player.step(5100)
    for _ in range(6):
        player.step(256)
    status = player.status()
    assert status.peaks == pytest.approx((0.8 * 10 ** (-6 / 20), 0.0), rel=1e-4)
    assert status.master_peak == pytest.approx((0.8 * 10 ** (-6 / 20), 0.0), rel=1e-4)
    for _ in range(30):
        player.step(256)
    assert player.status().master_peak == (0.0, 0.0)


def test_strips_that_do_not_match_the_signals_are_refused(player: FakePlayer) -> None:
    with pytest.raises(ValueError, match="as many strips"):
        player.load([np.ones((10, 1), np.float32)], RATE, [])
    with pytest.raises(ValueError, match="as many strips"):
        player.set_strips([Strip()])


def test_a_live_player_runs_with_the_time_of_day() -> None:
    player: Player = FakePlayer(message="No sound device was found.")
    try:
        player.load([np.ones((10 * RATE, 1), np.float32)], RATE, [Strip()])
        player.play()
        assert eventually(lambda: player.status().position_s > 0.05)
        before_s, first_s = time.perf_counter(), player.status().position_s
        assert eventually(lambda: player.status().position_s > first_s + 0.2)
        gone_s, passed_s = player.status().position_s - first_s, time.perf_counter() - before_s
        assert gone_s < passed_s + 0.1
        assert player.status().message == "No sound device was found."
    finally:
        player.close()
        player.close()
    assert "soli silent clock" not in [thread.name for thread in threading.enumerate()]
