"""A trained encoder is kept, and finds the notes of another recording in one product."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fuzz.mutations import damaged
from synth import melody, render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.encoder import Encoder, apply_encoder_steps
from soli.decompose.masking import residual, separate_steps
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import Note
from soli.signal.audio import Audio
from soli.signal.spectrogram import magnitudes

CHOSEN = ModelSettings(method="nae", iterations=10)


def piece(right: tuple[int, ...], left: tuple[int, ...]) -> tuple[Note, ...]:
    low = melody(left, step_s=1.0, length_s=0.9, first_id=50, track=1)
    return (*melody(right), *(replace(note, layer=1) for note in low))


STUDY, SONG = piece((72, 76, 79, 84, 76, 71), (48, 43, 50)), piece((79, 71, 76, 72, 84, 72), (50, 48, 43))


def stems(notes: tuple[Note, ...]) -> list[np.ndarray]:
    end_s = max(n.offset_s for n in notes) + 0.5
    return [render([n for n in notes if n.layer == layer], duration_s=end_s).samples * np.float32(0.5) for layer in (0, 1)]


@pytest.fixture(scope="module")
def trained() -> Factors:
    return finish(decompose_steps(Audio(sum(stems(STUDY)), 22050), ScoreInformation(STUDY), CHOSEN))


@pytest.fixture(scope="module")
def song() -> Audio:
    return Audio(sum(stems(SONG)), 22050)


def sdr_db(truth: np.ndarray, estimate: np.ndarray) -> float:
    return 10 * float(np.log10(np.sum(truth**2.0) / (np.sum((truth - estimate) ** 2.0) + 1e-20)))


def test_activations_are_the_rectified_product_under_the_mask(trained: Factors, song: Audio) -> None:
    found = finish(apply_encoder_steps(Encoder.of(trained), song, ScoreInformation(SONG)))
    assert found.encoder is not None
    V = magnitudes(song.samples[:, 0], found.grid)
    expected = np.maximum(found.encoder @ V, 0) * found.constraint.H
    np.testing.assert_allclose(found.H, expected, rtol=1e-3, atol=1e-5 * expected.max())
    # Components are in the order of the song's constraint, weights are those that were trained.
    for n, pitch in enumerate(found.components.pitch.tolist()):
        match = (trained.components.pitch == pitch) & (trained.components.kind == found.components.kind[n])
        match &= trained.components.copy == found.components.copy[n]
        np.testing.assert_array_equal(found.W[:, n], trained.W[:, match.argmax()])


def test_another_recording_of_the_instrument_is_pulled_apart(trained: Factors, song: Audio) -> None:
    found = finish(apply_encoder_steps(Encoder.of(trained), song, ScoreInformation(SONG)))
    layers = finish(separate_steps(song, found, [0, 1]))
    for layer, truth in enumerate(stems(SONG)):
        assert sdr_db(truth, layers[layer]) > 10
    assert np.abs(layers[0] + layers[1] + residual(song, layers.values()) - song.samples).max() < 1e-6


def test_the_recording_it_was_trained_on_gives_its_activations_again(trained: Factors) -> None:
    study = Audio(sum(stems(STUDY)), 22050)
    found = finish(apply_encoder_steps(Encoder.of(trained), study, ScoreInformation(STUDY), CHOSEN))
    np.testing.assert_allclose(found.H, trained.H, rtol=1e-3, atol=1e-4 * trained.H.max())


def test_a_pitch_it_does_not_know_borrows_from_those_it_knows(trained: Factors) -> None:
    other = tuple(replace(note, pitch=74) if note.pitch == 76 else note for note in SONG)
    truths = stems(other)
    audio = Audio(sum(truths), 22050)
    found = finish(apply_encoder_steps(Encoder.of(trained), audio, ScoreInformation(other), CHOSEN))
    layers = finish(separate_steps(audio, found, [0, 1]))
    assert 74 not in trained.components.pitch
    for layer, truth in enumerate(truths):
        assert sdr_db(truth, layers[layer]) > 8


def test_what_was_saved_is_loaded(trained: Factors, song: Audio, tmp_path: Path) -> None:
    encoder = Encoder.of(trained)
    encoder.save(tmp_path / "piano.npz")
    again = Encoder.load(tmp_path / "piano.npz")
    np.testing.assert_array_equal(again.rows, encoder.rows)
    np.testing.assert_array_equal(again.decoder, encoder.decoder)
    assert again.settings == encoder.settings
    assert again.components.parts == encoder.components.parts
    first, second = (finish(apply_encoder_steps(one, song, ScoreInformation(SONG))).H for one in (encoder, again))
    np.testing.assert_array_equal(first, second)


@pytest.fixture(scope="module")
def deep() -> Factors:
    return finish(decompose_steps(Audio(sum(stems(STUDY)), 22050), ScoreInformation(STUDY), replace(CHOSEN, decoder_layers=2)))


def test_hidden_layers_are_kept_and_applied_too(deep: Factors, song: Audio, tmp_path: Path) -> None:
    encoder = Encoder.of(deep)
    encoder.save(tmp_path / "deep.npz")
    again = Encoder.load(tmp_path / "deep.npz")
    assert encoder.hidden is not None
    assert again.hidden is not None
    assert again.hidden.level == encoder.hidden.level
    np.testing.assert_array_equal(again.hidden.slot, encoder.hidden.slot)
    for stored, matrix in zip(again.hidden.parameters, encoder.hidden.parameters, strict=True):
        np.testing.assert_array_equal(stored, matrix)
    found = finish(apply_encoder_steps(again, song, ScoreInformation(SONG)))
    layers = finish(separate_steps(song, found, [0, 1]))
    for layer, truth in enumerate(stems(SONG)):
        assert sdr_db(truth, layers[layer]) > 10
    # What is turned down is told apart as before.
    softer = finish(apply_encoder_steps(again, Audio(song.samples / 4, song.rate), ScoreInformation(SONG)))
    np.testing.assert_allclose(4 * softer.H, found.H, rtol=1e-2, atol=1e-4 * found.H.max())


def test_hidden_layers_give_the_activations_of_the_training_again(deep: Factors) -> None:
    study = Audio(sum(stems(STUDY)), 22050)
    found = finish(apply_encoder_steps(Encoder.of(deep), study, ScoreInformation(STUDY), deep.settings))
    np.testing.assert_allclose(found.H, deep.H, rtol=1e-3, atol=1e-4 * deep.H.max())


def test_a_pitch_that_hidden_layers_do_not_know_borrows_from_those_they_know(deep: Factors) -> None:
    other = tuple(replace(note, pitch=74) if note.pitch == 76 else note for note in SONG)
    truths = stems(other)
    audio = Audio(sum(truths), 22050)
    found = finish(
        apply_encoder_steps(Encoder.of(deep), audio, ScoreInformation(other), replace(deep.settings, sustain_templates=4))
    )
    layers = finish(separate_steps(audio, found, [0, 1]))
    assert found.H[found.components.pitch == 74].any()
    for layer, truth in enumerate(truths):
        assert sdr_db(truth, layers[layer]) > 8


@pytest.mark.parametrize("name", ["slot", "hidden_0", "hidden_1"])
def test_hidden_layers_that_do_not_fit_are_refused(deep: Factors, tmp_path: Path, name: str) -> None:
    path = tmp_path / "deep.npz"
    Encoder.of(deep).save(path)
    with np.load(path) as stored:
        arrays = dict(stored)
    for wrong in (arrays[name][:-1], arrays[name] - 9, None):
        np.savez(path, **{key: value for key, value in (arrays | {name: wrong}).items() if value is not None})
        with pytest.raises(InputError, match="no encoder"):
            Encoder.load(path)


def panned(notes: tuple[Note, ...], places: tuple[float, float]) -> tuple[Audio, list[np.ndarray]]:
    """A stereo recording with each hand at a place of its own, from 0, left, to 1; and the hands as they sound in it."""
    hands = [stem * np.array([1 - place, place], np.float32) for stem, place in zip(stems(notes), places, strict=True)]
    return Audio(sum(hands), 22050), hands


@pytest.mark.parametrize("places", [(0.2, 0.9), (0.0, 0.6)])
def test_what_stands_out_of_the_middle_sounds_where_it_sits(trained: Factors, places: tuple[float, float]) -> None:
    audio, truths = panned(SONG, places)
    found = finish(apply_encoder_steps(Encoder.of(trained), audio, ScoreInformation(SONG)))
    assert found.side is not None
    assert found.side.shape == found.W.shape
    layers = finish(separate_steps(audio, found, [0, 1]))
    without = finish(separate_steps(audio, replace(found, side=np.ones_like(found.W)), [0, 1]))
    for layer, truth in enumerate(truths):
        assert sdr_db(truth, layers[layer]) > 10
        assert sdr_db(truth, layers[layer]) > sdr_db(truth, without[layer]) + 1


def test_what_stands_out_of_the_middle_is_what_a_run_learns() -> None:
    audio, _ = panned(STUDY, (0.2, 0.9))
    run = finish(decompose_steps(audio, ScoreInformation(STUDY), CHOSEN))
    found = finish(apply_encoder_steps(Encoder.of(run), audio, ScoreInformation(STUDY), CHOSEN))
    assert run.side is not None
    np.testing.assert_allclose(found.side, run.side, rtol=1e-2, atol=1e-3 * run.side.max())


def test_a_recording_with_equal_channels_has_no_side(trained: Factors, song: Audio) -> None:
    both = Audio(np.repeat(song.samples, 2, axis=1), song.rate)
    assert finish(apply_encoder_steps(Encoder.of(trained), both, ScoreInformation(SONG))).side is None


def test_what_cannot_be_used_is_said(trained: Factors, song: Audio, tmp_path: Path) -> None:
    encoder = Encoder.of(trained)
    with pytest.raises(InputError, match="trained at 22050 Hz"):
        finish(apply_encoder_steps(encoder, Audio(song.samples, 44100), ScoreInformation(SONG)))
    with pytest.raises(InputError, match="knows piano, and no sustained"):
        finish(apply_encoder_steps(encoder, song, ScoreInformation([replace(note, program=40) for note in SONG])))
    with pytest.raises(InputError, match="only an autoencoder"):
        Encoder.of(finish(decompose_steps(song, ScoreInformation(SONG), ModelSettings(iterations=1))))
    with pytest.raises(InputError, match="no such file; choose an encoder"):
        Encoder.load(tmp_path / "nowhere.npz")
    with pytest.raises(InputError, match="cannot be written"):
        encoder.save(tmp_path / "no" / "where.npz")
    for name, content in (("empty", b""), ("text", b"hello"), ("cut", b"PK\x03\x04broken")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="no encoder"):
            Encoder.load(tmp_path / name)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="no encoder"):
        Encoder.load(tmp_path / "one.npy")
    np.savez(tmp_path / "other.npz", rows=np.zeros(3))
    with pytest.raises(InputError, match="no encoder"):
        Encoder.load(tmp_path / "other.npz")
    broken = replace(encoder, rows=np.full_like(encoder.rows, np.nan))
    broken.save(tmp_path / "nan.npz")
    with pytest.raises(InputError, match="no encoder"):
        Encoder.load(tmp_path / "nan.npz")


def test_shapes_beyond_all_memory_and_files_that_are_none_are_said(tmp_path: Path) -> None:
    path = tmp_path / "huge.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**28, 2**28)})
    with zipfile.ZipFile(path, "w") as file:
        for name in ("about", "decoder"):
            file.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(InputError, match="is no encoder"):
        Encoder.load(path)
    with pytest.raises(InputError, match="this is a folder; choose an encoder"):
        Encoder.load(tmp_path)


def test_a_damaged_encoder_is_read_or_refused(trained: Factors, tmp_path: Path) -> None:
    path, refused = tmp_path / "damaged.npz", 0
    Encoder.of(trained).save(path)
    content = path.read_bytes()
    for seed in range(200):
        rng = np.random.default_rng([5, seed])
        path.write_bytes(damaged(content, content, rng, head=400 if seed % 2 else len(content)))
        try:
            Encoder.load(path)
        except InputError:
            refused += 1
    assert refused > 50
