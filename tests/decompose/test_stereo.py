"""Two channels: layers are told apart by where they stand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.masking import note_alone, residual, separate_steps
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.refit import refit_steps
from soli.decompose.settings import ModelSettings
from soli.decompose.sharing import Sounds, shared_spectra
from soli.progress import finish
from soli.score.notes import Note
from soli.signal.audio import Audio

QUICK = ModelSettings(iterations=8)
# Every partial of the second flute is one of the first too; each is heard alone once.
LINES = (((0.2, 0.8, 60), (0.9, 1.5, 60), (2.2, 2.8, 65)), ((0.9, 1.5, 72), (1.6, 2.1, 72), (2.2, 2.8, 77)))
NOTES = [
    Note(10 * player + i, onset_s, offset_s, pitch, layer=player, track=player, channel=player, program=73)
    for player, line in enumerate(LINES)
    for i, (onset_s, offset_s, pitch) in enumerate(line)
]
GAINS = np.array([[1.0, 0.3], [0.3, 1.0]], np.float32)


def sdr_db(truth: np.ndarray, estimate: np.ndarray) -> float:
    return 10 * float(np.log10(np.sum(truth**2.0) / (np.sum((truth - estimate) ** 2.0) + 1e-20)))


@pytest.fixture(scope="module")
def stems() -> list[np.ndarray]:
    # No two players are in tune to the cent.
    sounds = [
        render([n for n in NOTES if n.layer == player], seed=player, duration_s=3.0, detune_cents=6.0 * player, sustained=True)
        for player in (0, 1)
    ]
    return [0.5 * sound.samples * gain for sound, gain in zip(sounds, GAINS, strict=True)]


@pytest.fixture(scope="module")
def mix(stems: list[np.ndarray]) -> Audio:
    return Audio((np.rint((stems[0] + stems[1]) * 2**23) / 2**23).astype(np.float32), 22050)


@pytest.fixture(scope="module")
def factors(mix: Audio) -> Factors:
    return finish(decompose_steps(mix, ScoreInformation(NOTES), QUICK))


@pytest.fixture(scope="module")
def layers(mix: Audio, factors: Factors) -> dict[int, np.ndarray]:
    return finish(separate_steps(mix, factors, [0, 1]))


def test_octaves_that_stand_apart_are_told_apart(
    mix: Audio, stems: list[np.ndarray], factors: Factors, layers: dict[int, np.ndarray]
) -> None:
    by_sound_alone = finish(separate_steps(mix, replace(factors, coherence=None), [0, 1]))
    for player in (0, 1):
        middle = stems[player].mean(axis=1)
        found, before = (sdr_db(middle, signals[player].mean(axis=1)) for signals in (layers, by_sound_alone))
        assert found > before + 1


def test_without_placing_their_spectra_alone_tell_them_apart(mix: Audio, factors: Factors) -> None:
    unplaced = finish(decompose_steps(mix, ScoreInformation(NOTES), replace(QUICK, stereo="unplaced")))
    assert unplaced.coherence is None
    expected, found = (finish(separate_steps(mix, f, [0, 1])) for f in (replace(factors, coherence=None), unplaced))
    for layer in (0, 1):
        np.testing.assert_array_equal(found[layer], expected[layer])


def test_layers_and_residual_still_sum_to_the_recording_to_the_last_bit(mix: Audio, layers: dict[int, np.ndarray]) -> None:
    rest = residual(mix, layers.values())
    np.testing.assert_array_equal(layers[0] + layers[1] + rest, mix.samples)


def test_the_notes_of_a_layer_still_sum_to_it(mix: Audio, factors: Factors, layers: dict[int, np.ndarray]) -> None:
    total = np.zeros_like(mix.samples)
    for note in NOTES[:3]:
        first, samples = note_alone(mix, factors, [note.id])
        total[first : first + len(samples)] += samples
    np.testing.assert_allclose(total, layers[0], atol=2e-5)


def test_coherence_says_on_which_side_an_instrument_stands(factors: Factors) -> None:
    assert factors.coherence is not None
    assert factors.coherence.dtype == np.complex64
    assert np.abs(factors.coherence).max() <= 0.99 + 1e-6
    for player, sign in ((0, 1), (1, -1)):
        # The pitch that is heard alone.
        mine = np.flatnonzero((factors.components.part == player) & (factors.components.pitch == (60, 72)[player]))
        loudest = int(factors.W[: len(factors.coherence), mine[0]].argmax())
        assert sign * factors.coherence[loudest, mine[0]].real > 0.7


def test_swapping_the_channels_swaps_them_in_every_layer(mix: Audio, layers: dict[int, np.ndarray]) -> None:
    mirrored = Audio(np.ascontiguousarray(mix.samples[:, ::-1]), mix.rate)
    again = finish(decompose_steps(mirrored, ScoreInformation(NOTES), QUICK))
    signals = finish(separate_steps(mirrored, again, [0, 1]))
    for player in (0, 1):
        np.testing.assert_allclose(signals[player][:, ::-1], layers[player], atol=2e-4)


def test_one_channel_alike_channels_and_three_know_no_places(mix: Audio) -> None:
    mono = mix.samples.mean(axis=1, keepdims=True)
    for samples in (mono, np.repeat(mono, 2, axis=1), np.append(mix.samples, mono, axis=1)):
        found = finish(decompose_steps(Audio(np.ascontiguousarray(samples), mix.rate), ScoreInformation(NOTES), QUICK))
        assert found.coherence is None
        signals = finish(separate_steps(Audio(np.ascontiguousarray(samples), mix.rate), found, [0, 1]))
        assert all(np.isfinite(signal).all() and signal.any() for signal in signals.values())


def test_one_silent_channel_is_no_obstacle(mix: Audio) -> None:
    left = Audio(mix.samples * np.array([1, 0], np.float32), mix.rate)
    signals = finish(separate_steps(left, finish(decompose_steps(left, ScoreInformation(NOTES), QUICK)), [0, 1]))
    for signal in signals.values():
        assert np.isfinite(signal).all()
        assert signal[:, 0].any()
        assert np.square(signal[:, 1]).mean() < 0.05**2 * np.square(signal[:, 0]).mean()


def test_a_recording_that_is_quieter_has_layers_as_much_quieter(mix: Audio, layers: dict[int, np.ndarray]) -> None:
    quiet = Audio(mix.samples / np.float32(8), mix.rate)
    signals = finish(separate_steps(quiet, finish(decompose_steps(quiet, ScoreInformation(NOTES), QUICK)), [0, 1]))
    for player in (0, 1):
        np.testing.assert_allclose(8 * signals[player], layers[player], atol=1e-4)


@pytest.mark.parametrize("gains", [((1, 0), (0, 1)), ((1, -1), (1, 0.5)), ((1, -1), (1, -1)), ((1, 1), (1, 1.00001))])
@pytest.mark.parametrize("exponent", [0.25, 2.0, 8.0])
def test_wherever_instruments_stand_layers_are_as_loud_as_what_there_is(
    stems: list[np.ndarray], gains: tuple[tuple[float, float], ...], exponent: float
) -> None:
    placed = [stem[:, :1] * np.array(gain, np.float32) for stem, gain in zip(stems, gains, strict=True)]
    audio = Audio((placed[0] + placed[1]).astype(np.float32), 22050)
    found = finish(decompose_steps(audio, ScoreInformation(NOTES), ModelSettings(iterations=4, mask_exponent=exponent)))
    for signal in finish(separate_steps(audio, found, [0, 1])).values():
        assert np.isfinite(signal).all()
        assert 1e-3 * np.abs(audio.samples).max() < np.abs(signal).max() < 3 * np.abs(audio.samples).max()


def test_a_new_pitch_stands_anywhere(mix: Audio, factors: Factors) -> None:
    more = [*NOTES, Note(99, 1.0, 1.5, 60, layer=0, program=73)]
    after = finish(refit_steps(mix, factors, ScoreInformation(more), QUICK)).factors
    assert after.coherence is not None
    assert factors.coherence is not None
    assert after.coherence.shape[1] == after.W.shape[1]
    np.testing.assert_array_equal(after.coherence[:, : factors.W.shape[1]], factors.coherence)
    assert not after.coherence[:, factors.W.shape[1] :].any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), groups=st.integers(1, 3), exponent=st.sampled_from([1.0, 1.6, 2.0]))
def test_the_filter_is_that_of_the_covariances(seed: int, groups: int, exponent: float) -> None:
    rng = np.random.default_rng(seed)
    K, L, n, per = 7, 5, 3, 2
    W, side = (rng.uniform(0.1, 1, (K, groups * per)).astype(np.float32) for _ in range(2))
    angle = rng.uniform(0, 2 * np.pi, (L, groups * per))
    coherence = (rng.uniform(0, 0.97, angle.shape) * np.exp(1j * angle)).astype(np.complex64)
    H = []
    for g in range(groups):
        own = np.zeros((groups * per, n), np.float32)
        own[g * per : (g + 1) * per] = rng.uniform(0.1, 1, (per, n))
        H.append(own)
    # Small against the model, so that all of it is explained.
    X = (rng.normal(size=(2, K, n)) + 1j * rng.normal(size=(2, K, n))).astype(np.complex64) * np.float32(1e-3)
    found = shared_spectra(Sounds.of(W, side, coherence, exponent=exponent), H, (X[0], [X[1]]))

    covariance = np.zeros((groups, K, n, 2, 2), complex)
    levels = []
    for templates in (W, side):
        each = np.array([templates.astype(float) @ own for own in H])
        levels.append((np.sqrt(np.square(each).sum(axis=0)), (each**exponent).sum(axis=0)))
    for g, own in enumerate(H):
        m, s = W.astype(float) @ own, side.astype(float) @ own
        lean = np.zeros((K, n), complex)
        lean[:L] = (coherence * np.sqrt(W[:L].astype(float) * side[:L])) @ own / np.sqrt(m * s)[:L]
        # The exponent sharpens how power is shared, and leaves how loud the channels are.
        a, b = (x**exponent * level**2 / total for x, level, total in ((m, *levels[0]), (s, *levels[1])))
        c = lean * np.sqrt(a * b)
        covariance[g, ..., 0, 0], covariance[g, ..., 1, 1] = a, b
        covariance[g, ..., 0, 1], covariance[g, ..., 1, 0] = c, c.conj()
    inverse = np.linalg.inv(covariance.sum(axis=0))
    for g, own in enumerate(found):
        expected = covariance[g] @ inverse @ np.moveaxis(X, 0, -1)[..., None]
        assert own is not None
        for channel in (0, 1):
            np.testing.assert_allclose(own[channel].T, expected[..., channel, 0], atol=2e-5, rtol=1e-3)
