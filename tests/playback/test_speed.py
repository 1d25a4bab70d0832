"""A player at another speed: tiles that come in time, late, or for the next load; metronome, count-in, ranges."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.playback.controls import PlayerStatus
from soli.playback.fake import FakePlayer
from soli.playback.metronome import CountIn, click, count_in
from soli.playback.mixer import Strip
from soli.playback.stretch import stretched_length
from soli.playback.tiles import MARGIN_S, TILE_S, Stretching, wanted_tiles

RATE = 1000
FADE = 5
LENGTH = 12_000


def signals(length: int = LENGTH) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [(0.1 * rng.standard_normal((length, channels))).astype(np.float32) for channels in (2, 1)]


def player_of(parts: list[np.ndarray]) -> FakePlayer:
    player = FakePlayer(live=False, rate=RATE)
    player.load(parts, RATE, [Strip()] * len(parts))
    player.step(1)
    return player


def stretching_of(player: FakePlayer, speed: float, *, key: int = 1) -> Stretching:
    return Stretching(key, player.generation, speed, RATE, stretched_length(LENGTH, speed), (2, 1))


def sound_of(stretching: Stretching, seed: int = 11) -> list[np.ndarray]:
    """Noise in the place of stretched sound: what counts here is which samples are heard, and when."""
    rng = np.random.default_rng(seed)
    return [(0.1 * rng.standard_normal((stretching.length, channels))).astype(np.float32) for channels in stretching.channels]


def bring(player: FakePlayer, stretching: Stretching, sounds: list[np.ndarray], numbers) -> None:
    for number in numbers:
        first, end = stretching.span(number)
        player.add_tile(
            stretching,
            number,
            [
                np.pad(s, ((-min(first, 0), max(0, end - len(s))), (0, 0)))[max(first, 0) : max(first, 0) + end - first]
                for s in sounds
            ],
        )


def mixed(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] + parts[1]


@pytest.fixture
def half() -> tuple[FakePlayer, Stretching, list[np.ndarray]]:
    """Twelve seconds at half speed, all of it there, at its beginning and not playing."""
    player = player_of(signals())
    stretching = stretching_of(player, 0.5)
    sounds = sound_of(stretching)
    bring(player, stretching, sounds, range(stretching.tiles))
    player.hear(stretching)
    player.step(1)
    return player, stretching, sounds


def test_what_is_stretched_is_heard_to_the_sample(half):
    player, stretching, sounds = half
    player.seek(2.0)
    player.play()
    out = player.step(6000)
    assert player.status().stretched == stretching.key
    np.testing.assert_allclose(out[FADE:], mixed(sounds)[4000 + FADE : 10_000], atol=1e-6)
    assert player.status().position_s == pytest.approx(5.0, abs=0.003)


def test_faders_work_at_any_speed(half):
    player, _, sounds = half
    player.set_strips([Strip(muted=True), Strip(gain_db=-6.0)])
    player.step(20)
    player.play()
    out = player.step(3000)
    np.testing.assert_allclose(out[FADE:], np.repeat(10 ** (-6 / 20) * sounds[1][FADE:3000], 2, axis=1), atol=1e-6)


def test_back_at_its_own_speed_it_is_bit_for_bit_what_was_loaded(half):
    player, _, _ = half
    player.hear(None)
    player.play()
    out = player.step(3000)
    parts = signals()
    np.testing.assert_array_equal(out[FADE:], (parts[0] + parts[1])[FADE:3000])
    assert player.status().stretched == 0


def test_the_music_waits_for_a_tile_and_goes_on_where_it_was():
    player = player_of(signals())
    stretching = stretching_of(player, 0.5)
    sounds = sound_of(stretching)
    bring(player, stretching, sounds, [0])
    player.hear(stretching)
    player.play()
    heard = [player.step(100) for _ in range(40)]
    assert player.status().waiting
    assert player.status().playing
    halted_s = player.status().position_s
    assert not heard[-1].any()
    assert player.status().position_s == halted_s < stretching.tile_s
    bring(player, stretching, sounds, [1, 2])
    out = player.step(500)
    assert not player.status().waiting
    start = round(halted_s * 2 * RATE)
    np.testing.assert_allclose(out[FADE:], mixed(sounds)[start + FADE : start + 500], atol=1e-6)
    # As it halts it falls off over FADE, and never by a step.
    before = np.concatenate(heard)[: start - FADE]
    np.testing.assert_allclose(before[FADE:], mixed(sounds)[FADE : start - FADE], atol=1e-6)


def test_a_seek_to_where_nothing_is_yet_waits_there():
    player = player_of(signals())
    stretching = stretching_of(player, 0.5)
    bring(player, stretching, sound_of(stretching), [0])
    player.hear(stretching)
    player.play()
    player.step(500)
    player.seek(9.0)
    player.step(500)
    assert player.status().waiting
    assert player.status().position_s == pytest.approx(9.0)


def test_dropped_tiles_are_waited_for_again(half):
    player, stretching, _ = half
    player.drop_tiles(stretching, {0})
    player.play()
    assert not player.step(300).any()
    assert player.status().waiting


def test_a_tile_in_the_place_of_one_that_is_heard_cross_fades(half):
    player, stretching, sounds = half
    player.play()
    player.step(200)
    bring(player, stretching, [0 * sound for sound in sounds], [0])
    out = player.step(150)
    assert np.abs(out[20:]).max() == 0.0
    assert np.abs(out[:5]).max() > 0.0


def test_a_load_that_comes_at_another_speed_waits_until_it_is_turned_to(half):
    player, _stretching, sounds = half
    player.play()
    player.step(100)
    other = [0.5 * part for part in signals()]
    player.load([*other, other[0]], RATE, [Strip()] * 3)
    out = player.step(400)
    np.testing.assert_allclose(out, mixed(sounds)[100:500], atol=1e-6)
    player.hear(None)
    player.step(40)
    place = round(player.status().position_s * RATE)
    out = player.step(200)
    heard = 2 * other[0] + other[1]
    offsets = [shift for shift in range(-60, 60) if np.allclose(out, heard[place + shift : place + shift + 200], atol=1e-6)]
    assert offsets
    assert len(player.status().peaks) == 3


def test_tiles_of_an_older_load_are_not_heard(half):
    player, stretching, _ = half
    player.hear(None)
    player.step(10)
    player.load(signals(), RATE, [Strip()] * 2)
    player.step(10)
    bring(player, stretching, sound_of(stretching, seed=1), [0])
    player.hear(stretching)
    player.step(10)
    assert player.status().stretched == 0


def test_tiles_must_fit(half):
    player, stretching, _ = half
    with pytest.raises(ValueError, match="shapes"):
        player.add_tile(stretching, 0, [np.zeros((3, 2), np.float32)] * 2)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([0.25, 0.5, 0.8, 1.25, 2.0]), st.floats(0.0, 9.0), st.floats(0.02, 2.0))
def test_loops_of_any_length_at_any_speed_stay_inside_and_never_click(speed, start_s, length_s):
    player = player_of(signals())
    stretching = stretching_of(player, speed)
    smooth = [np.full((stretching.length, channels), 0.25, np.float32) for channels in stretching.channels]
    bring(player, stretching, smooth, range(stretching.tiles))
    player.hear(stretching)
    while player.status().stretched != stretching.key:  # it does so many things a block
        player.step(1)
    player.set_loop(start_s, start_s + length_s)
    player.play()
    player.step(FADE + 2)
    for _ in range(12):
        out = player.step(171)
        # Both sides of a seam are alike here, and fades of equal sum leave no trace of it.
        np.testing.assert_allclose(out, 0.5, atol=1e-5)
        heard_s = player.status().position_s
        assert start_s - 0.002 <= heard_s <= start_s + max(length_s, 0.02) + 2 * FADE / RATE * speed + 0.002


def test_the_position_never_goes_back_while_it_plays_on(half):
    player, _, _ = half
    player.play()
    seen: list[PlayerStatus] = []
    for _ in range(60):
        player.step(37)
        seen.append(player.status())
    assert all(a.position_s < b.position_s for a, b in pairwise(seen))
    assert seen[-1].position_s == pytest.approx(60 * 37 / RATE * 0.5, abs=0.01)


def test_a_range_is_played_once_and_left_at_its_start():
    parts = signals()
    player = player_of(parts)
    player.set_loop(0.0, 0.5)
    player.seek(0.1)
    player.play_range(2.0, 3.0)
    assert player.status().playing
    assert player.status().position_s == 2.0
    out = player.step(1500)
    np.testing.assert_array_equal(out[FADE:1000], mixed(parts)[2000 + FADE : 3000])
    assert not out[1000 + FADE :].any()
    player.step(1)
    assert not player.status().playing
    assert player.status().position_s == 2.0


def test_a_seek_makes_of_a_range_plain_play():
    player = player_of(signals())
    player.play_range(2.0, 3.0)
    player.step(500)
    player.seek(2.8)
    player.step(600)
    assert player.status().playing
    assert player.status().position_s > 3.2


# The metronome


def silent_player(speed: float = 1.0) -> FakePlayer:
    player = player_of([np.zeros((LENGTH, 2), np.float32), np.zeros((LENGTH, 1), np.float32)])
    if speed != 1.0:
        stretching = stretching_of(player, speed)
        empty = [np.zeros((stretching.length, channels), np.float32) for channels in (2, 1)]
        bring(player, stretching, empty, range(stretching.tiles))
        player.hear(stretching)
        while player.status().stretched != stretching.key:
            player.step(1)
    return player


@pytest.mark.parametrize("speed", [1.0, 0.5, 0.8, 2.0])
@pytest.mark.parametrize("block", [64, 333, 4096])
def test_clicks_fall_on_the_beats_to_the_sample(speed, block):
    player = silent_player(speed)
    beats_s, accents = [0.0, 0.5, 0.9371, 1.5, 2.25], [True, False, False, False, True]
    player.set_beats(beats_s, accents)
    player.set_metronome(0.5)
    player.play()
    out = np.concatenate([player.step(block) for _ in range(-(-6000 // block))])[:6000]
    expected = np.zeros_like(out)
    for beat_s, accent in zip(beats_s, accents, strict=True):
        sound, at = 0.5 * click(RATE, accented=accent), round(beat_s * RATE / speed)
        expected[at : at + len(sound)] += sound[: max(0, len(out) - at)]
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_in_a_loop_its_first_beat_is_clicked_each_time():
    player = silent_player()
    player.set_beats([1.0, 1.5, 2.0], [True, False, True])
    player.set_metronome(1.0)
    player.set_loop(1.0, 2.0)
    player.play()
    out = player.step(5000)[:, 0]
    onsets = [at for at in range(5000) if abs(out[at]) > 0.3 and not np.abs(out[max(0, at - 30) : at]).max(initial=0.0) > 0.1]
    assert np.diff(onsets).tolist() == pytest.approx([500] * 9, abs=1)


def test_a_silent_metronome_changes_nothing():
    player = player_of(signals())
    player.set_beats([0.5], [True])
    player.play()
    np.testing.assert_array_equal(player.step(2000)[FADE:], mixed(signals())[FADE:2000])


def test_a_count_in_clicks_and_then_the_music_begins_to_the_sample():
    parts = signals()
    player = player_of(parts)
    player.seek(3.0)
    player.count_in(count_in(1, beats_a_bar=3, beat_s=0.4))
    out = player.step(700)
    assert player.status().playing
    assert player.status().position_s == 3.0
    out = np.concatenate([out, player.step(1000)])
    clicks = np.zeros((1700, 1), np.float32)
    for number in range(3):
        sound = click(RATE, accented=number == 0)
        clicks[400 * number : 400 * number + len(sound)] += sound
    np.testing.assert_allclose(out[:1200], np.repeat(clicks[:1200], 2, axis=1), atol=1e-6)
    np.testing.assert_allclose(out[1200 + FADE :], mixed(parts)[3000 + FADE : 3500], atol=1e-6)


@pytest.mark.parametrize("end", ["pause", "stop"])
def test_what_ends_play_ends_a_count_in(end):
    player = player_of(signals())
    player.count_in(count_in(2, beats_a_bar=4, beat_s=0.2))
    player.step(300)
    getattr(player, end)()
    player.step(100)
    assert not player.status().playing
    assert not player.step(3000).any()


@given(st.integers(1, 2), st.integers(2, 7), st.floats(0.2, 2.0), st.floats(0.0, 6.9))
def test_a_count_in_leads_on_to_the_beats_of_the_music(bars, beats_a_bar, beat_s, phase):
    phase %= beats_a_bar
    clicks = count_in(bars, beats_a_bar=beats_a_bar, beat_s=beat_s, phase=phase)
    assert len(clicks.times_s) == bars * beats_a_bar
    assert sum(clicks.accents) == bars
    assert clicks.length_s == pytest.approx(bars * beats_a_bar * beat_s)
    assert np.allclose(np.diff(clicks.times_s), beat_s)
    # The beat that would come next is the next one of the music, but for a touch where that begins on a beat.
    after = clicks.times_s[-1] + beat_s - clicks.length_s
    apart = (after / beat_s + phase) % 1.0
    assert min(apart, 1.0 - apart) < 0.021
    assert clicks.times_s[0] >= 0.0


def test_a_count_in_of_nothing_plays_at_once():
    player = player_of(signals())
    player.count_in(CountIn((), (), 0.0))
    np.testing.assert_array_equal(player.step(100)[FADE:], mixed(signals())[FADE:100])


# Which tiles are wanted


@given(st.floats(0.0, 200.0), st.one_of(st.none(), st.tuples(st.floats(0.0, 190.0), st.floats(0.02, 60.0))), st.floats(0.25, 2.0))
def test_the_tile_under_the_playhead_comes_first_and_no_more_than_a_few_are_wanted(position_s, loop, speed):
    stretching = Stretching(1, 1, speed, 44100, stretched_length(200 * 44100, speed), (2,))
    loop_s = None if loop is None else (loop[0], loop[0] + loop[1])
    wanted = wanted_tiles(stretching, position_s, loop_s)
    assert wanted[0] == min(stretching.tiles - 1, int(position_s / stretching.tile_s))
    assert len(wanted) == len(set(wanted)) <= 90
    assert all(0 <= number < stretching.tiles for number in wanted)
    if loop_s is not None and position_s < loop_s[1] and loop_s[1] - position_s < 5.0:
        assert min(stretching.tiles - 1, int(loop_s[0] / stretching.tile_s)) in wanted


@given(st.sampled_from([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000]))
def test_tiles_and_margins_are_a_whole_number_of_samples(rate):
    """Otherwise tiles at another rate would drift apart."""
    stretching = Stretching(1, 1, 0.5, rate, 100 * rate, (1,))
    assert stretching.tile_length / rate == pytest.approx(TILE_S, rel=1e-9)
    assert stretching.margin / rate == pytest.approx(MARGIN_S, rel=1e-9)


def test_parts_of_a_longer_stretch_are_the_tiles():
    stretching = Stretching(1, 1, 0.5, RATE, 9000, (1,))
    sound = np.arange(-1000, 9000, dtype=np.float32)[:, None]
    first, end = stretching.span(3)[0], stretching.span(5)[1]
    parts = stretching.parts(sound[1000 + first : 1000 + end])
    assert len(parts) == 3
    for number, part in zip((3, 4, 5), parts, strict=True):
        np.testing.assert_array_equal(part[:, 0], np.arange(*stretching.span(number)))
