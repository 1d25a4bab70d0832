"""From recording and notes to layers: what adds up, what is found, and what bad input does."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth import render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.constraints import MaskEdit
from soli.decompose.masking import note_alone, residual, separate_steps
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import Note, frequency_hz
from soli.signal.audio import Audio

QUICK = ModelSettings(iterations=8)
RIGHT = [Note(i, 0.2 + 0.5 * i, 0.65 + 0.5 * i, pitch, layer=0) for i, pitch in enumerate((72, 76, 79, 84, 79, 76))]
LEFT = [Note(10 + i, 0.2 + 1.0 * i, 1.1 + 1.0 * i, pitch, layer=1, track=1) for i, pitch in enumerate((48, 43, 50))]


def sdr_db(truth: np.ndarray, estimate: np.ndarray) -> float:
    return 10 * float(np.log10(np.sum(truth**2.0) / (np.sum((truth - estimate) ** 2.0) + 1e-20)))


@pytest.fixture(scope="module")
def stems() -> tuple[np.ndarray, np.ndarray]:
    right, left = (render(notes, seed=seed, channels=2, duration_s=3.7).samples for seed, notes in enumerate((RIGHT, LEFT)))
    return right * np.float32(0.5), left * np.float32(0.5)


@pytest.fixture(scope="module")
def mix(stems: tuple[np.ndarray, np.ndarray]) -> Audio:
    # On the grid of 24 bits, as files have it.
    total = stems[0] + stems[1]
    return Audio((np.rint(total * 2**23) / 2**23).astype(np.float32), 22050)


@pytest.fixture(scope="module")
def factors(mix: Audio) -> Factors:
    return finish(decompose_steps(mix, ScoreInformation([*RIGHT, *LEFT]), QUICK))


@pytest.fixture(scope="module")
def layers(mix: Audio, factors: Factors) -> dict[int, np.ndarray]:
    return finish(separate_steps(mix, factors, [0, 1]))


def test_two_hands_are_told_apart(stems: tuple[np.ndarray, np.ndarray], layers: dict[int, np.ndarray]) -> None:
    assert sdr_db(stems[0], layers[0]) > 15
    assert sdr_db(stems[1], layers[1]) > 15


def test_layers_and_residual_sum_to_the_recording_to_the_last_bit(mix: Audio, layers: dict[int, np.ndarray]) -> None:
    rest = residual(mix, layers.values())
    np.testing.assert_array_equal(layers[0] + layers[1] + rest, mix.samples)
    np.testing.assert_array_equal(rest + layers[1] + layers[0], mix.samples)
    assert all(signal.dtype == np.float32 and signal.shape == mix.samples.shape for signal in layers.values())


def test_the_autoencoder_is_about_as_good(
    stems: tuple[np.ndarray, np.ndarray], mix: Audio, layers: dict[int, np.ndarray]
) -> None:
    chosen = ModelSettings(method="nae", iterations=16)
    found = finish(decompose_steps(mix, ScoreInformation([*RIGHT, *LEFT]), chosen))
    assert found.encoder is not None
    assert found.encoder.shape == found.W.T.shape
    signals = finish(separate_steps(mix, found, [0, 1]))
    for layer in (0, 1):
        assert sdr_db(stems[layer], signals[layer]) > sdr_db(stems[layer], layers[layer]) - 1.5


def test_hands_at_either_side_are_told_apart_in_each_channel(stems: tuple[np.ndarray, np.ndarray]) -> None:
    gains = np.array([[1.0, 0.3], [0.3, 1.0]], np.float32)
    placed = [stem * gain for stem, gain in zip(stems, gains, strict=True)]
    audio = Audio(placed[0] + placed[1], 22050)
    found = finish(decompose_steps(audio, ScoreInformation([*RIGHT, *LEFT]), QUICK))
    assert found.side is not None
    signals = finish(separate_steps(audio, found, [0, 1]))
    for layer in (0, 1):
        for channel in (0, 1):
            assert sdr_db(placed[layer][:, channel], signals[layer][:, channel]) > (12 if channel == layer else 7)


def test_the_notes_of_a_layer_alone_sum_to_the_layer(mix: Audio, factors: Factors, layers: dict[int, np.ndarray]) -> None:
    total = np.zeros_like(mix.samples)
    for note in LEFT:
        first, samples = note_alone(mix, factors, [note.id])
        total[first : first + len(samples)] += samples
    np.testing.assert_allclose(total, layers[1], atol=2e-5)


def test_one_note_alone_is_that_note(mix: Audio, factors: Factors, stems: tuple[np.ndarray, np.ndarray]) -> None:
    first, samples = note_alone(mix, factors, [LEFT[1].id])
    # Nothing else of the left hand sounds in this second.
    held = slice(round(1.35 * 22050), round(2.0 * 22050))
    assert sdr_db(stems[1][held], samples[held.start - first : held.stop - first]) > 12
    assert first > (LEFT[1].onset_s - 0.5) * 22050
    assert note_alone(mix, factors, [999])[1].shape == (0, 2)


def test_a_layer_that_is_not_asked_for_keeps_its_sound(mix: Audio, factors: Factors, layers: dict[int, np.ndarray]) -> None:
    alone = finish(separate_steps(mix, factors, [1]))
    np.testing.assert_allclose(alone[1], layers[1], atol=1e-6)
    assert not finish(separate_steps(mix, factors, [77]))[77].any()


def test_a_forbidden_stretch_is_silent_in_the_layer(mix: Audio) -> None:
    edits = [MaskEdit(pitch, 0.0, 9.0, allow=False, layer=1) for pitch in (48, 43, 50)]
    found = finish(decompose_steps(mix, ScoreInformation([*RIGHT, *LEFT], edits), QUICK))
    assert not finish(separate_steps(mix, found, [0, 1]))[1].any()


@pytest.mark.parametrize("method", ["nmf", "nae"])
def test_silence_stays_silent(method: str) -> None:
    audio = Audio(np.zeros((30000, 1), np.float32), 22050)
    found = finish(decompose_steps(audio, ScoreInformation(RIGHT), ModelSettings(method=method, iterations=3)))  # type: ignore[arg-type]
    assert np.isfinite(found.W).all()
    assert not finish(separate_steps(audio, found, [0]))[0].any()


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize(("length", "rate", "channels"), [(1, 22050, 1), (700, 8000, 3), (5000, 44100, 2), (9000, 96000, 6)])
def test_short_recordings_of_any_kind_add_up(method: str, length: int, rate: int, channels: int) -> None:
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (length, channels)).astype(np.float32) / np.float32(2**16)
    audio = Audio(samples, rate)
    notes = [Note(0, 0.0, 0.1, 60), Note(1, 0.0, 40.0, 67, layer=1), Note(2, -3.0, 90.0, 36, channel=9, layer=1)]
    found = finish(decompose_steps(audio, ScoreInformation(notes), ModelSettings(method=method, iterations=3)))  # type: ignore[arg-type]
    signals = finish(separate_steps(audio, found, [0, 1]))
    assert all(np.isfinite(signal).all() for signal in signals.values())
    np.testing.assert_array_equal(signals[0] + signals[1] + residual(audio, signals.values()), samples)


def test_what_cannot_be_decomposed_is_said(mix: Audio, factors: Factors) -> None:
    with pytest.raises(InputError, match="no note may sound"):
        finish(decompose_steps(mix, ScoreInformation([])))
    broken = mix.samples.copy()
    broken[100] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        finish(decompose_steps(Audio(broken, 22050), ScoreInformation(RIGHT), QUICK))
    with pytest.raises(InputError, match="decompose it again"):
        finish(separate_steps(Audio(mix.samples[:-5].copy(), 22050), factors, [0]))


def test_the_seed_decides_a_random_start(mix: Audio) -> None:
    runs = [
        finish(decompose_steps(mix, ScoreInformation(LEFT), ModelSettings(initialisation="random", iterations=2, seed=seed))).W
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


EVAL = Path(os.environ.get("SOLI_EVAL", Path(__file__).parents[3] / "shared" / "eval"))


def mean_sdr_db(piece: str, settings: ModelSettings) -> float:
    """How well the layers of a piece are separated with the true times of its notes."""
    from scipy.signal import resample_poly

    from soli.score import midi
    from soli.signal import audio

    mix = audio.read(EVAL / piece / "mix.flac")
    score = midi.read(EVAL / piece / "performance.mid")
    tracks = sorted({note.track for note in score.notes})
    information = ScoreInformation([replace(note, layer=note.track) for note in score.notes])
    signals = finish(separate_steps(mix, finish(decompose_steps(mix, information, settings)), tracks))
    scores = []
    for track in tracks:
        truth = audio.read(EVAL / piece / f"stem_{score.track_names[track]}.flac")
        pair = [resample_poly(x.mean(axis=1), 22050, mix.rate) for x in (truth.samples, signals[track])]
        scores.append(sdr_db(*pair))
    return float(np.mean(scores))


@pytest.mark.skipif(not EVAL.is_dir(), reason="the pieces with known stems are not beside the checkout")
@pytest.mark.parametrize(("piece", "least_db"), [("joplin_maple_leaf", 16.2), ("schumann_dichterliebe2", 13.5)])
def test_real_pieces_are_separated_well_and_by_the_autoencoder_as_well(piece: str, least_db: float) -> None:
    by_nmf = mean_sdr_db(piece, ModelSettings())
    assert by_nmf >= least_db
    assert mean_sdr_db(piece, ModelSettings(method="nae")) >= by_nmf - 0.5


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("how", ["forbidden", "left out"])
def test_what_may_not_sound_stays_mostly_in_the_residual(how, channels):
    """Although other notes sound on: what their templates have not learnt they do not get."""
    # No partial of the fifth lies near the other note, and the fifth is heard without it most of the time.
    fifth = [Note(i, 0.2 + 0.6 * (i // 2), 0.7 + 0.6 * (i // 2), (48, 55)[i % 2]) for i in range(24)]
    wrong = Note(99, 3.25, 3.7, 78)
    audio = render([*fifth, wrong], channels=channels)
    strokes = [MaskEdit(78, 0.0, 9.0, allow=False)] if how == "forbidden" else []
    # Templates held firmly: free ones may learn what nobody forbids their own note to sound like.
    firm = ModelSettings(initialisation="both", sustain_templates=1, prior=50.0)
    factors = finish(decompose_steps(audio, ScoreInformation([*fifth, wrong] if strokes else fifth, strokes), firm))
    layer = finish(separate_steps(audio, factors, [0]))[0]
    near = np.abs(np.fft.rfftfreq(audio.length, 1 / audio.rate) - frequency_hz(78)) < 4

    def at_its_pitch(signal):
        return np.abs(np.fft.rfft(signal[:, 0]))[near].max()

    assert at_its_pitch(residual(audio, [layer])) > 0.5 * at_its_pitch(audio.samples)
