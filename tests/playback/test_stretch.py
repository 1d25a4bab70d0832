"""Another speed at the same pitch: linear, the same however it is cut, as long as it says, and in tune."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.playback.frames import reader
from soli.playback.onsets import Onsets
from soli.playback.pace import Pace
from soli.playback.stretch import FASTEST, SLOWEST, Stretcher, stretched_length

RATE = 8000
SPEEDS = st.floats(SLOWEST, FASTEST)


def music(seconds: float = 2.0, *, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Notes that die away and some noise, stereo."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    sound = 0.002 * rng.standard_normal((len(time_s), 2))
    for onset_s in np.arange(0.1, seconds, 0.23):
        since = np.maximum(time_s - onset_s, 0.0)
        tone = np.sin(2 * np.pi * rng.uniform(110, 1200) * since) * np.exp(-4 * since) * (time_s >= onset_s)
        sound += 0.2 * tone[:, None] * rng.uniform(0.2, 1.0, 2)
    return sound.astype(np.float32)


def stretched(sound: np.ndarray, speed: float, *, rate: int = RATE) -> np.ndarray:
    stretcher = Stretcher(reader(sound), rate=rate, speed=speed)
    return stretcher.stretch(0, stretched_length(len(sound), speed)).of(reader(sound))


@settings(max_examples=15, deadline=None)
@given(SPEEDS, st.integers(0, 2**32 - 1))
def test_stretched_layers_sum_to_the_stretched_recording(speed, seed):
    sound = music(1.0)
    rng = np.random.default_rng(seed)
    # Parts that share every bin, as layers of soft masks do, and one that has nothing to do with the recording.
    parts = [music(1.0, seed=5), (0.1 * rng.standard_normal(sound.shape)).astype(np.float32)]
    parts.append(sound - parts[0] - parts[1])
    whole = Stretcher(reader(sound), rate=RATE, speed=speed).stretch(100, stretched_length(len(sound), speed) - 50)
    total = sum(whole.of(reader(part)) for part in parts)
    np.testing.assert_allclose(total, whole.of(reader(sound)), atol=5e-6)


@settings(max_examples=15, deadline=None)
@given(SPEEDS, st.lists(st.integers(1, 8000), min_size=1, max_size=4), st.randoms())
def test_it_is_the_same_however_and_in_whatever_order_it_is_cut(speed, cuts, shuffle):
    sound = music(1.0)
    length = stretched_length(len(sound), speed)
    whole = stretched(sound, speed)
    edges = sorted({0, length, *(cut for cut in cuts if cut < length)})
    parts = list(pairwise(edges))
    shuffle.shuffle(parts)
    stretcher = Stretcher(reader(sound), rate=RATE, speed=speed)
    for first, end in parts:
        np.testing.assert_array_equal(stretcher.stretch(first, end).of(reader(sound)), whole[first:end])


def test_at_its_own_speed_it_is_the_recording_but_for_what_the_bands_share():
    sound = music()
    apart = stretched(sound, 1.0) - sound
    assert np.abs(apart).max() < 10 ** (-50 / 20) * np.abs(sound).max()


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.6, 0.85, 1.25, 1.5, 2.0])
def test_the_pitch_is_kept_within_5_cents_and_the_level_within_a_decibel(speed):
    rate, pitches_hz = 44100, (82.41, 440.0, 1318.5)
    time_s = np.arange(3 * rate) / rate
    sound = np.stack([0.2 * np.sin(2 * np.pi * hz * time_s) for hz in pitches_hz], axis=1).astype(np.float32)
    result = stretched(sound, speed, rate=rate)
    assert 0 <= len(result) - len(sound) / speed < 1
    inner = result[len(result) // 4 : -len(result) // 4]
    for channel, hz in enumerate(pitches_hz):
        spectrum = np.abs(np.fft.rfft(inner[:, channel] * np.hanning(len(inner)), 2**20))
        heard_hz = spectrum.argmax() * rate / 2**20
        assert abs(1200 * np.log2(heard_hz / hz)) < 5
        # A pure tone that is turned apart from itself would beat.
        level = np.sqrt((inner[:, channel].reshape(-1)[: len(inner) // 2048 * 2048].reshape(-1, 2048) ** 2).mean(axis=1))
        assert 20 * np.log10(level.max() / level.min()) < 1.0


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.7])
def test_an_onset_comes_when_the_map_says(speed):
    sound = np.zeros((RATE, 1), np.float32)
    sound[4000:] = 0.3 * np.sin(2 * np.pi * 500 * np.arange(4000) / RATE)[:, None]
    result = stretched(sound, speed)
    energy = np.cumsum(result[:, 0].astype(np.float64) ** 2)
    # Half of the energy of an even tone comes in the middle of it.
    assert np.searchsorted(energy, energy[-1] / 2) == pytest.approx(6000 / speed, abs=0.02 * RATE)


def test_channels_keep_their_phases_to_each_other():
    left = music(1.0)[:, :1]
    sound = np.concatenate([left, -0.5 * left], axis=1)  # nothing is left of it in the middle
    result = stretched(sound, 0.7)
    np.testing.assert_allclose(result[:, 1], -0.5 * result[:, 0], atol=1e-6)
    assert np.abs(result).max() > 0.05


def test_silence_stays_silent_and_short_sounds_are_no_trouble():
    assert not stretched(np.zeros((RATE, 1), np.float32), 0.6).any()
    for length in (1, 7, 300):
        assert len(stretched(np.ones((length, 1), np.float32), 0.5)) == 2 * length


@pytest.mark.parametrize("speed", [0.2, 2.1, float("nan")])
def test_other_speeds_are_refused(speed):
    with pytest.raises(ValueError, match=r"from 0\.25 to 2"):
        Stretcher(reader(music()), rate=RATE, speed=speed)


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.75])
def test_what_is_struck_is_as_hard_as_it_was_and_is_not_heard_before(speed):
    rate, onsets_s = 44100, (0.5, 0.83, 1.31, 1.7)
    time_s = np.arange(2 * rate) / rate
    sound = np.zeros((2 * rate, 1), np.float32)
    for onset_s, hz in zip(onsets_s, (220.0, 523.0, 330.0, 1760.0), strict=True):
        since = np.maximum(time_s - onset_s, 0.0)
        sound[:, 0] += sum(0.2 / n * np.sin(2 * np.pi * n * hz * since) * np.exp(-25 * since) for n in range(1, 7))
    result = stretched(sound, speed, rate=rate)

    def energy(heard: np.ndarray, begin_s: float, end_s: float) -> float:
        return float((heard[round(begin_s * rate) : round(end_s * rate)] ** 2).sum())

    for onset_s in onsets_s:
        heard_s = onset_s / speed
        hard = energy(sound, onset_s, onset_s + 0.02)
        assert abs(10 * np.log10(energy(result, heard_s, heard_s + 0.02) / hard)) < 0.7
        # A little of the note before is left, and no more than that.
        left = energy(sound, onset_s - 0.02, onset_s)
        assert energy(result, heard_s - 0.02, heard_s - 0.003) < 0.02 * hard + 2 * left


def test_away_from_what_is_struck_the_map_is_even():
    sound = music(2.0)
    onsets = Onsets(reader(sound), RATE)
    pace = Pace(onsets, rate=RATE, speed=0.5, half=200)
    samples = np.arange(0, 4 * RATE, 37)
    places = pace.places(samples)
    assert (np.diff(places) > 0).all()
    assert np.abs(places - 0.5 * samples).max() <= 0.5 * 200 + 2
    strikes = pace.strikes(0, 4 * RATE)
    assert len(strikes) >= 6
    for strike in strikes:
        inside = np.arange(strike.first, strike.end + 1)
        np.testing.assert_array_equal(pace.places(inside), inside + strike.shift)
        assert pace.places(np.array([strike.first]))[0] == strike.first + strike.shift
    for onset in onsets.between(0, 2 * RATE):
        assert abs(pace.places(np.array([round(onset / 0.5)]))[0] - onset) <= 1


def test_onsets_are_where_the_notes_begin():
    sound = music(3.0, rate=44100)
    found_s = Onsets(reader(sound), 44100).between(0, 3 * 44100) / 44100
    for onset_s in np.arange(0.1, 2.9, 0.23):
        assert np.abs(found_s - onset_s).min() < 0.004
