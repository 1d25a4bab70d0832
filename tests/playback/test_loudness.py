"""Two sounds are brought to the same loudness as the ear weighs it."""

import numpy as np
import pytest
from scipy.signal import sosfilt, sosfreqz

from soli.playback.loudness import (
    LOUDEST_DB,
    QUIETEST_DB,
    Loudness,
    excerpts,
    k_weighting,
    matching_gain_db,
    power_weights,
    weighted_energy,
)
from soli.playback.mixer import Strip, mix_offline
from soli.progress import finish

RATE = 48_000


def test_the_weighting_is_that_of_the_standard():
    # The coefficients of ITU-R BS.1770-4, tables 1 and 2.
    shelf, high_pass = k_weighting(RATE)
    assert shelf[:3] == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-6)
    assert shelf[4:] == pytest.approx([-1.69065929318241, 0.73248077421585], abs=1e-6)
    assert high_pass[:3] == pytest.approx([1.0, -2.0, 1.0])
    assert high_pass[4:] == pytest.approx([-1.99004745483398, 0.99007225036621], abs=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_it_weighs_alike_at_any_rate(rate):
    hertz = np.array([100.0, 1000.0, 4000.0])
    here, there = (abs(sosfreqz(k_weighting(r), worN=hertz, fs=r)[1]) for r in (rate, RATE))
    assert 20 * np.log10(here / there) == pytest.approx(0, abs=0.6)


@pytest.mark.parametrize("length", [9600, 19_200, 48_000])
def test_energies_compare_as_those_of_filtered_sounds_do(length):
    rng = np.random.default_rng(length)
    steps = rng.standard_normal((length, 2)).astype(np.float32)
    one, other = steps, np.cumsum(steps, axis=0, dtype=np.float32) * np.float32(0.1)
    padded = [np.pad(sound, ((0, RATE), (0, 0))) for sound in (one, other)]  # the filters ring on
    filtered = [float(np.square(sosfilt(k_weighting(RATE), sound, axis=0)).sum()) for sound in padded]
    power = power_weights(length, RATE)
    ratio = weighted_energy(other, power) / weighted_energy(one, power)
    assert 10 * np.log10(ratio) == pytest.approx(10 * np.log10(filtered[1] / filtered[0]), abs=0.3)


def sounds(count=3, length=RATE * 12, seed=4):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((length, 2)).astype(np.float32) * 0.1 for _ in range(count)]


def stretches(signals):
    return [lambda first, end, s=signal: s[first:end] for signal in signals]


def match(signals, strips, original):
    return matching_gain_db(stretches(signals), strips, stretches([original])[0], len(original), RATE)


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 0.0, 6.0])
def test_a_mix_with_one_gain_on_all_is_matched_by_that_gain(gain_db):
    signals = sounds()
    original = np.sum(signals, axis=0, dtype=np.float32)
    assert match(signals, [Strip(gain_db)] * 3, original) == pytest.approx(gain_db, abs=0.01)


def test_one_of_three_equal_layers_is_a_third_as_loud():
    signals = sounds()
    strips = [Strip(soloed=True), Strip(), Strip()]
    original = np.sum(signals, axis=0, dtype=np.float32)
    assert match(signals, strips, original) == pytest.approx(-10 * np.log10(3), abs=0.2)


def test_silence_is_matched_by_nothing_and_the_gain_is_bounded():
    signals = sounds(1)
    assert match(signals, [Strip(muted=True)], signals[0]) == 0.0
    assert match([np.zeros_like(signals[0])], [Strip()], signals[0]) == 0.0
    assert match(signals, [Strip()], np.zeros_like(signals[0])) == 0.0
    assert match(signals, [Strip(-60.0)], signals[0]) == QUIETEST_DB
    assert match(signals, [Strip(12.0)], signals[0] * np.float32(0.1)) == LOUDEST_DB


def test_mono_and_surround_are_listened_to_as_they_are_played():
    mono = sounds(1)[0][:, :1]
    assert match([mono], [Strip(-6.0)], mono) == pytest.approx(-6.0, abs=0.01)
    surround = np.repeat(mono, 6, axis=1)
    assert match([surround], [Strip(-6.0)], surround) == pytest.approx(-6.0, abs=0.01)


@pytest.mark.parametrize("length", [0, 1, RATE, 9 * RATE, 10 * RATE, 3600 * RATE])
def test_excerpts_are_bounded_and_inside(length):
    places = excerpts(length, RATE)
    assert all(0 <= first < end <= length for first, end in places)
    assert sum(end - first for first, end in places) <= min(length, 10 * RATE)
    assert bool(places) == bool(length)


def weigh(signals, **since):
    original = stretches([sum(signals[1:], signals[0])])[0]
    return finish(Loudness.steps(stretches(signals), original, len(signals[0]), RATE, **since))


def test_any_mix_is_as_loud_as_if_it_were_mixed_and_listened_to():
    signals = [*sounds(2), sounds(1, seed=5)[0][:, :1]]
    signals[1] = signals[1] + 0.7 * signals[0]  # layers have something in common
    original = sum(signals[1:], signals[0])
    loudness = weigh(signals)
    power = power_weights(round(0.4 * RATE), RATE)
    for strips in (
        [Strip(), Strip(), Strip()],
        [Strip(-3.0, 0.4), Strip(2.0, -1.0), Strip(-9.0, 0.2)],
        [Strip(soloed=True), Strip(muted=True), Strip()],
    ):
        mixed = mix_offline(signals, strips)
        heard = [sum(weighted_energy(sound[a:b], power) for a, b in excerpts(len(mixed), RATE)) for sound in (mixed, original)]
        assert loudness.matching_gain_db(strips) == pytest.approx(10 * np.log10(heard[0] / heard[1]), abs=0.01)


def test_only_what_has_changed_is_listened_to_again():
    signals = sounds(2)
    before = weigh(signals)
    for signal in signals:
        signal[3 * RATE : 5 * RATE] *= 3.0
    asked = []

    def watched(first, end, signal=signals[0]):
        asked.append((first, end))
        return signal[first:end]

    original = stretches([signals[0] + signals[1]])[0]
    steps = Loudness.steps(
        [watched, *stretches(signals[1:])], original, len(signals[0]), RATE, former=before, changed=[(3 * RATE, 5 * RATE)]
    )
    strips = [Strip(-4.0), Strip(1.0, 0.3)]
    assert finish(steps).matching_gain_db(strips) == pytest.approx(weigh(signals).matching_gain_db(strips), abs=1e-9)
    assert 1 <= len(asked) <= 6
