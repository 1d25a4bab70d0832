"""Another speed at the same pitch: linear, as long as it says, in time and in tune."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.errors import SoliError
from soli.playback.stretch import FASTEST, SLOWEST, Excerpt, Read, reader, stretched_length

RATE = 8000
SPEEDS = st.integers(round(100 * SLOWEST), round(100 * FASTEST)).map(lambda percent: percent / 100)


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


def made(excerpt: Excerpt, reads: list[Read]) -> list[np.ndarray]:
    """An excerpt of a recording, the first of `reads`, and of parts of it."""
    sounds = [read(*excerpt.source) for read in reads]
    whole = excerpt.made_of(np.concatenate(sounds, axis=1), sounds[0].shape[1])
    return np.split(whole, np.cumsum([sound.shape[1] for sound in sounds])[:-1], axis=1)


def stretched(sound: np.ndarray, speed: float, *, rate: int = RATE) -> np.ndarray:
    excerpt = Excerpt(0, stretched_length(len(sound), speed), rate, speed)
    return made(excerpt, [reader(sound)])[0]


@settings(max_examples=15, deadline=None)
@given(SPEEDS, st.integers(0, 2**32 - 1), st.floats(0.001, 4.0))
def test_stretched_layers_sum_to_the_stretched_recording(speed, seed, loud):
    sound = (loud * music(1.0)).astype(np.float32)
    rng = np.random.default_rng(seed)
    # Parts that share every bin, as layers of soft masks do, and one that has nothing to do with the recording.
    parts = [0.5 * sound + (0.3 * loud * music(1.0, seed=5)), loud * 0.05 * rng.standard_normal(sound.shape)]
    parts = [part.astype(np.float32) for part in parts]
    parts.append(sound - parts[0] - parts[1])
    excerpt = Excerpt(100, stretched_length(len(sound), speed) - 50, RATE, speed)
    whole, *layers = made(excerpt, [reader(sound), *map(reader, parts)])
    assert np.abs(sum(layers) - whole).max() < 3e-5 * np.abs(whole).max()


@pytest.mark.parametrize("speed", [0.25, 0.6, 1.5])
def test_what_becomes_of_a_layer_hangs_on_the_recording_alone(speed):
    notes = [music(1.0, seed=seed) for seed in range(3)]
    layer, other, another = notes
    sound = layer + other + another
    excerpt = Excerpt(500, 4000, RATE, speed)
    first = made(excerpt, [reader(sound), reader(layer), reader(other)])[1]
    again = made(excerpt, [reader(sound), reader(another), reader(0 * other), reader(layer)])[3]
    np.testing.assert_allclose(first, again, atol=1e-6)
    twice = made(excerpt, [reader(sound), reader(2 * layer)])[1]
    np.testing.assert_allclose(twice, 2 * first, atol=1e-6)


def test_at_its_own_speed_it_is_the_recording():
    sound = music()
    np.testing.assert_allclose(stretched(sound, 1.0), sound, atol=1e-4 * np.abs(sound).max())


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
        blocks = inner[: len(inner) // 4096 * 4096, channel].reshape(-1, 4096)
        level_db = 10 * np.log10((blocks.astype(np.float64) ** 2).mean(axis=1) / 0.02)
        assert np.abs(level_db).max() < 1.0


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.5])
def test_the_notes_of_a_chord_stay_apart_in_tune_and_steady(speed):
    rate, pitches_hz = 22050, (110.0, 164.81, 220.0, 277.18, 329.63)
    time_s = np.arange(4 * rate) / rate
    sound = sum(0.1 * np.sin(2 * np.pi * hz * time_s + hz) for hz in pitches_hz)[:, None].astype(np.float32)
    result = stretched(sound, speed, rate=rate)[:, 0].astype(np.float64)
    inner = result[len(result) // 5 : -len(result) // 5]
    window = np.hanning(rate // 12)
    for hz in pitches_hz:
        turning = np.exp(-2j * np.pi * hz * np.arange(len(inner)) / rate)
        envelope = np.convolve(inner * turning, window / window.sum(), "valid")[:: rate // 100]
        size = 2 * np.abs(envelope)
        assert size.mean() == pytest.approx(0.1, rel=0.15)
        assert size.std() < 0.15 * size.mean(), f"{hz} Hz warbles"
        drift_hz = np.angle((envelope[1:] * envelope[:-1].conj()).sum()) * 100 / (2 * np.pi)
        assert abs(1200 * np.log2(1 + drift_hz / hz)) < (8 if speed >= 0.5 else 15)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.7])
@pytest.mark.parametrize("minutes", [0, 30])
def test_what_is_heard_is_in_time_however_late_in_the_piece(speed, minutes):
    rate, begin = 44100, round(minutes * 60 * 44100)
    sound = np.zeros((2 * rate, 1), np.float32)
    sound[rate - 20 : rate + 20, 0] = np.random.default_rng(0).uniform(-0.5, 0.5, 40)
    beside = reader(sound)
    first = round((begin + 0.5 * rate) / speed)
    excerpt = Excerpt(first, first + round(rate / speed), rate, speed)
    result = made(excerpt, [lambda low, high: beside(low - begin, high - begin)])[0]
    energy = (result[:, 0].astype(np.float64)) ** 2
    heard = first + (energy * np.arange(len(energy))).sum() / energy.sum()
    assert heard == pytest.approx((begin + rate) / speed, abs=0.002 * rate)


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5])
def test_an_excerpt_is_whole_from_its_first_sample_to_its_last(speed):
    sound = (0.1 * np.random.default_rng(0).standard_normal((3 * RATE, 1))).astype(np.float32)
    result = made(Excerpt(RATE, RATE + 3000, RATE, speed), [reader(sound)])[0]
    level_db = 10 * np.log10((result[:3000].reshape(-1, 300) ** 2).mean(axis=1))
    inside = level_db[3:-3].mean()
    assert np.abs(level_db[[0, 1, -2, -1]] - inside).max() < 2.5


@pytest.mark.parametrize("speed", [0.5, 0.75])
def test_what_is_struck_keeps_most_of_its_hardness(speed):
    rate, onsets_s = 44100, (0.5, 0.83, 1.31, 1.7)
    time_s = np.arange(2 * rate) / rate
    sound = np.zeros((2 * rate, 1), np.float32)
    for onset_s, hz in zip(onsets_s, (220.0, 523.0, 330.0, 1760.0), strict=True):
        since = np.maximum(time_s - onset_s, 0.0)
        sound[:, 0] += sum(0.2 / n * np.sin(2 * np.pi * n * hz * since) * np.exp(-8 * since) for n in range(1, 7))
    result = stretched(sound, speed, rate=rate)

    def energy_db(heard: np.ndarray, begin_s: float) -> float:
        return float(10 * np.log10((heard[round(begin_s * rate) : round((begin_s + 0.02) * rate)] ** 2).sum()))

    lost_db = [energy_db(sound, onset_s) - energy_db(result, onset_s / speed) for onset_s in onsets_s]
    assert np.median(lost_db) < 3.5
    assert max(lost_db) < 5.0


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


def test_a_layer_with_values_that_are_no_numbers_is_silent_and_spoils_no_other():
    sound, layer = music(1.0), music(1.0, seed=3)
    broken = np.where(np.arange(len(layer))[:, None] == 4000, np.float32(np.nan), layer)
    excerpt = Excerpt(0, 8000, RATE, 0.8)
    _, silent, beside = made(excerpt, [reader(sound), reader(broken), reader(layer)])
    assert not silent.any()
    np.testing.assert_allclose(beside, made(excerpt, [reader(sound), reader(layer), reader(layer)])[2], atol=1e-6)


@pytest.mark.parametrize("level", [1e-30, 1e-4, 30.0])
def test_how_loud_the_recording_is_changes_nothing_else(level):
    sound = music(1.0)
    usual, other = stretched(sound, 0.6), stretched((level * sound).astype(np.float32), 0.6)
    assert np.isfinite(other).all()
    if level > 1e-20:
        np.testing.assert_allclose(other / level, usual, atol=0.01)


@pytest.mark.parametrize("speed", [0.2, 2.1, float("nan")])
def test_other_speeds_are_refused(speed):
    with pytest.raises(ValueError, match=r"from 0\.25 to 2"):
        _ = Excerpt(0, 100, RATE, speed).source


def test_where_the_library_is_missing_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "python_stretch", None)
    with pytest.raises(SoliError, match="python-stretch"):
        stretched(music(0.1), 0.5)
