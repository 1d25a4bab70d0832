"""From a stroke over any strong partial to the fundamental that sounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.progress import finish
from soli.signal.audio import Audio
from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH, ROWS, LogSpectrogramMaker
from soli.signal.pitch_finding import find_pitch, partial_pitches

RATE = 16_000


def tone(pitch, *, seed, cents=0.0, falls=1.0, noise_db=-50.0, seconds=0.6):
    """A harmonic tone in noise: amplitudes m ** -falls with random phases, up to 7 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(RATE * seconds)) / RATE
    f0 = 440.0 * 2 ** ((pitch + cents / 100 - 69) / 12)
    harmonics = [m**-falls * np.sin(2 * np.pi * m * f0 * time + rng.uniform(0, 6.28)) for m in range(1, int(7000 / f0) + 1)]
    return 0.2 * np.sum(harmonics, axis=0) + 0.2 * 10 ** (noise_db / 20) * rng.standard_normal(len(time))


def columns_of(signal):
    values = finish(LogSpectrogramMaker(Audio(signal[:, None].astype(np.float32), RATE)).steps()).values
    return values[:, 20:-20]


@settings(deadline=None, max_examples=60)
@given(
    pitch=st.integers(40, 84),
    partial=st.integers(1, 5),
    cents=st.floats(-25, 25),
    falls=st.floats(0.5, 1.6),
    noise_db=st.floats(-70, -35),
    hand=st.floats(-0.4, 0.4),
    seed=st.integers(0, 99),
)
def test_a_stroke_on_any_of_the_first_partials_finds_the_fundamental(pitch, partial, cents, falls, noise_db, hand, seed):
    columns = columns_of(tone(pitch, seed=seed, cents=cents, falls=falls, noise_db=noise_db))
    found = find_pitch(columns, partial_pitches(pitch, partial)[-1] + cents / 100 + hand)
    assert found is not None
    assert (found.pitch, found.partial) == (pitch, partial)


def test_of_two_tones_the_stroke_says_which():
    both = columns_of(tone(48, seed=1) + tone(55, seed=2) + tone(64, seed=3))
    for pitch in (48, 55, 64):
        assert find_pitch(both, pitch + 0.2).pitch == pitch
    assert find_pitch(both, partial_pitches(48, 5)[-1]).pitch in {48, 64}, "the fifth partial of C3 is the fundamental of E5"
    assert find_pitch(both, partial_pitches(55, 3)[-1]).pitch == 55


def test_a_tone_without_its_fundamental_is_still_found():
    rng = np.random.default_rng(5)
    time = np.arange(RATE) / RATE
    f0 = 440.0 * 2 ** ((57 - 69) / 12)
    signal = sum(np.sin(2 * np.pi * m * f0 * time + rng.uniform(0, 6)) / m for m in range(2, 20))
    assert find_pitch(columns_of(signal), partial_pitches(57, 3)[-1]).pitch == 57


@given(st.floats(-50, 200))
def test_where_nothing_sounds_there_is_no_pitch(near):
    assert find_pitch(np.zeros((ROWS, 3), np.uint8), near) is None
    assert find_pitch(np.zeros((ROWS, 0), np.uint8), near) is None


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(LOWEST_PITCH - 0.5, HIGHEST_PITCH + 0.5))
def test_whatever_sounds_what_is_found_has_a_partial_there(seed, frames, near):
    columns = np.random.default_rng(seed).integers(0, 256, (ROWS, frames), np.uint8)
    found = find_pitch(columns, near)
    if found is not None:
        assert LOWEST_PITCH <= found.pitch <= HIGHEST_PITCH
        assert partial_pitches(found.pitch, found.partial)[-1] == pytest.approx(near, abs=1.26)
