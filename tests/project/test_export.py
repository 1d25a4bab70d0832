"""Layers as files: named after them on every system, exact, and all of them or none."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from project.conftest import LEFT, RIGHT
from project.states import listing

from soli.errors import InputError
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import export, pipeline
from soli.project.export import Order
from soli.project.signals import Signals
from soli.project.state import ORIGINAL, RESIDUAL, Layer, State
from soli.score import midi
from soli.score.note_lists import read_note_list
from soli.signal import audio
from soli.signal.encoding import FORMS


def named(state: State, *names: str) -> State:
    return replace(state, layers=tuple(Layer(i, name, "#5ABBF8") for i, name in enumerate(names)))


def test_one_file_a_layer_named_after_it_and_the_residual(tmp_path, state, separation):
    folder = tmp_path / "new" / "stems"
    files = finish(export.export_steps(separation, state, folder))
    assert [path.name for path in files] == ["right.wav", "left.wav", "residual.wav"]
    assert listing(folder) == ["left.wav", "residual.wav", "right.wav"]
    total = np.zeros_like(state.audio.samples)
    for path in files:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        assert rate == state.audio.rate
        assert samples.shape == state.audio.samples.shape
        assert soundfile.info(path).subtype == "FLOAT"
        total += samples
    np.testing.assert_array_equal(total, state.audio.samples)


@pytest.mark.parametrize(("form", "bits"), [("wav16", 16), ("wav24", 24), ("flac", 24), ("flac16", 16)])
def test_integer_formats_are_as_exact_as_they_can_be(tmp_path, state, separation, form, bits):
    files = finish(export.export_steps(separation, state, tmp_path, Order(form=form, dither=False)))
    for path, stem in zip(files, (0, 1, RESIDUAL), strict=True):
        assert path.suffix == FORMS[form][2]
        assert soundfile.info(path).subtype == FORMS[form][1]
        samples = soundfile.read(path, dtype="float32", always_2d=True)[0]
        exact = 0 if bits == 24 else 0.5 * 2.0 ** (1 - bits)
        assert np.abs(samples - separation.signals[stem]).max() <= exact


@pytest.mark.parametrize("form", ["wav16", "wav24", "flac"])
def test_what_is_too_loud_for_an_integer_format_is_clipped_and_does_not_wrap(tmp_path, form):
    loud = np.array([[1.5], [-1.5], [1.0], [-1.0], [0.25]], np.float32)
    audio.write(tmp_path / "loud", audio.Audio(loud, 8000), form)
    samples = soundfile.read(tmp_path / "loud", always_2d=True)[0]
    np.testing.assert_allclose(samples, np.clip(loud, -1, 1), atol=2**-14)


@given(
    st.text(max_size=200)
    | st.sampled_from(["CON", "com1.txt", "aux ", "..", ".", "", " ", "a/b", "a\\b", "x" * 300, "é" * 200, "🎻" * 90])
)
def test_a_file_name_is_one_that_every_system_takes(name):
    result = export.file_name(name)
    assert result
    assert len(f"{result} 99.flac".encode()) <= 255
    assert not set(result) & set('<>:"/\\|?*\n\r\t\x00\x7f\x85\u2028')
    assert result == result.strip(" .")
    assert result.split(".")[0].strip().casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}, "a device of Windows"


@pytest.mark.parametrize("name", ["right", "Violine", "Flöte", "小提琴", "C4 and above", "left (2)"])
def test_a_good_name_stays_as_it_is(name):
    assert export.file_name(name) == name


ODD = [
    ("a", "a"),
    ("Left", "left", "LEFT 2"),
    ("residual",),
    ("Residual", "residual layer", "residual", "residual 2"),
    ("a/b", "a\\b", "a_b"),
    ("..", ".", ""),
    ("CON", "con", "nul.txt"),
    ("x" * 300, "x" * 299),
    ("🎻" * 100, "🎻" * 101),
    ("e\u0301", "é"),
    ("a.", "a "),
    ("\x00\n", "\x1f\t"),
]


@pytest.mark.parametrize("names", ODD, ids=lambda names: ascii(names[0])[:12])
def test_layers_of_any_name_are_each_a_file_of_their_own(tmp_path, state, separation, names):
    odd = named(state, *names)
    signals = {i: np.full((10, 1), (i + 1) / 8, np.float32) for i in range(len(names))}
    result = replace(separation, signals=Signals({**signals, RESIDUAL: np.zeros((10, 1), np.float32)}))
    files = finish(export.export_steps(result, odd, tmp_path))
    assert len({path.name.casefold() for path in files}) == len(names) + 1
    assert files[-1].name == "residual.wav"
    assert listing(tmp_path) == sorted(path.name for path in files)
    for i, path in enumerate(files[:-1]):
        assert path.parent == tmp_path
        assert soundfile.read(path)[0][0] == (i + 1) / 8


def test_chosen_layers_alone_are_written(tmp_path, state, separation):
    files = finish(export.export_steps(separation, state, tmp_path, Order(stems=(1,))))
    assert [path.name for path in files] == ["left.wav"]
    assert [stem.name for stem in export.stems(state, [RESIDUAL, 0])] == ["right", "residual"]


def test_a_layer_made_since_the_decomposition_is_left_out(tmp_path, state, separation):
    newer = replace(state, layers=(*state.layers, Layer(9, "new", "#5ABBF8")))
    assert len(finish(export.export_steps(separation, newer, tmp_path))) == 3


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), soundfile.LibsndfileError(10), RuntimeError("broken")])
def test_when_writing_fails_no_file_is_left_and_the_former_ones_are_whole(monkeypatch, tmp_path, state, separation, nth, error):
    (tmp_path / "right.wav").write_bytes(b"former")
    write, calls = soundfile.SoundFile.write, []

    def failing(file, data):
        calls.append(file)
        write(file, data)
        if len(calls) == nth:
            raise error

    monkeypatch.setattr(soundfile.SoundFile, "write", failing)
    with pytest.raises(InputError, match="cannot be written") as told:
        finish(export.export_steps(separation, state, tmp_path))
    assert "\n" not in str(told.value)
    assert ".part" not in str(told.value)
    assert listing(tmp_path) == ["right.wav"]
    assert (tmp_path / "right.wav").read_bytes() == b"former"


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_cancelled_export_leaves_nothing(tmp_path, state, separation, after):
    steps = export.export_steps(separation, state, tmp_path / "new" / "stems")
    for _ in range(after):
        next(steps)
    steps.close()
    assert listing(tmp_path) == []
    (tmp_path / "mine").mkdir()
    steps = export.export_steps(separation, state, tmp_path / "mine")
    for _ in range(after):
        next(steps)
    steps.close()
    assert listing(tmp_path) == ["mine"], "what was there stays"


def test_a_place_that_is_none_is_told(tmp_path, state, separation):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="no folder can be made there"):
            finish(export.export_steps(separation, state, folder))
    (tmp_path / "left.wav").mkdir()
    with pytest.raises(InputError, match="there is a folder of this name"):
        finish(export.export_steps(separation, state, tmp_path))
    assert listing(tmp_path) == ["file", "left.wav"]


def test_the_recording_itself_is_never_overwritten(tmp_path, piece, state, separation):
    recording = tmp_path / "right.wav"
    recording.write_bytes(piece[0].read_bytes())
    there = replace(separation, source=replace(state, recording_path=recording))
    with pytest.raises(InputError, match="would overwrite the recording"):
        finish(export.export_steps(there, state, tmp_path))
    with pytest.raises(InputError, match="would overwrite the recording"):
        finish(export.export_steps(there, state, tmp_path, Order(stems=(), mix=True, pattern="right")))
    with pytest.raises(InputError, match="would overwrite the recording"):
        export.export_notes(there.source, recording)
    assert recording.read_bytes() == piece[0].read_bytes()
    assert listing(tmp_path) == ["right.wav"]


def test_an_unknown_format_is_told_with_those_that_are_known(tmp_path, state, separation):
    with pytest.raises(InputError, match="choose one of wav32f, wav24, wav16, flac, flac16, ogg, mp3"):
        finish(export.export_steps(separation, state, tmp_path / "none", Order(form="aac")))
    assert not (tmp_path / "none").exists()


def test_a_rate_or_channel_count_that_a_format_cannot_hold_is_told(tmp_path):
    wide = audio.Audio(np.zeros((5, 9), np.float32), 8000)
    with pytest.raises(InputError, match="no more than 8 channels"):
        audio.write(tmp_path / "wide.flac", wide, "flac")
    audio.write(tmp_path / "wide.wav", wide)
    assert listing(tmp_path) == ["wide.wav"]


def test_the_mix_is_what_the_mixer_plays(tmp_path, state, separation):
    def mixed(state):
        (path,) = finish(export.export_steps(separation, state, tmp_path, Order(stems=(), mix=True, pattern="{project} {layer}")))
        assert path.name == "song mix.wav"
        return audio.read(path).samples

    np.testing.assert_array_equal(mixed(state), state.audio.samples)
    strips = {0: Strip(gain_db=-20 * np.log10(2)), 1: Strip(muted=True), RESIDUAL: Strip(muted=True)}
    halved = mixed(replace(state, strips=MappingProxyType(strips)))
    np.testing.assert_allclose(halved, separation.layers[0] / 2, atol=1e-6)
    solo = {ORIGINAL: Strip(soloed=True)}
    np.testing.assert_array_equal(mixed(replace(state, strips=MappingProxyType(solo))), state.audio.samples)


def test_every_note_is_exported_once_with_its_track_channel_and_program(tmp_path, state):
    notes = {n.id: replace(n, channel=n.track * 3, program=10 + n.track, onset_s=n.onset_s + 0.123) for n in state.notes.values()}
    export.export_notes(replace(state, notes=MappingProxyType(notes)), tmp_path / "aligned.mid")
    back = midi.read(tmp_path / "aligned.mid")
    assert back.track_names == state.score.track_names
    key = lambda n: (n.track, n.channel, n.program, n.pitch, n.velocity, round(n.onset_s, 3), round(n.offset_s, 3))  # noqa: E731
    assert sorted(map(key, back.notes)) == sorted(map(key, notes.values()))
    assert len(back.notes) == len(RIGHT) + len(LEFT)


@pytest.mark.parametrize(
    ("form", "name"), [("", "aligned.csv"), ("fmp", "a.csv"), ("sonic-visualiser", "b.csv"), ("fmp", "c.txt")]
)
def test_a_list_holds_every_note_and_the_name_of_its_layer(tmp_path, state, form, name):
    export.export_notes(state, tmp_path / name, form=form)
    back = read_note_list(tmp_path / name)
    layers = {layer.id: layer.name for layer in state.layers}
    found = [(n.pitch, n.velocity, round(n.onset_s, 4), back.track_names[n.track]) for n in back.notes]
    assert sorted(found) == sorted((n.pitch, n.velocity, round(n.onset_s, 4), layers[n.layer]) for n in state.notes.values())
    assert (tmp_path / name).read_text().startswith('"start"' if form != "sonic-visualiser" else "0.0,")


def test_without_notes_there_is_nothing_to_export(tmp_path):
    with pytest.raises(InputError, match="no notes"):
        export.export_notes(State(), tmp_path / "none.mid")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("target", ["file/below.mid", "folder", "missing/notes.mid"])
def test_notes_that_cannot_be_written_are_told(tmp_path, state, target):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        export.export_notes(state, tmp_path / target)
    assert listing(tmp_path) == ["file", "folder"]


def test_a_recording_of_one_channel_stays_one(tmp_path, piece):
    mono = audio.Audio(audio.read(piece[0]).mono().reshape(-1, 1), 22050)
    audio.write(tmp_path / "mono.wav", mono)
    opened = finish(pipeline.open_steps(tmp_path / "mono.wav", piece[1], align=False)).state
    result = finish(pipeline.separate_steps(opened))
    for path in finish(export.export_steps(result, opened, Path(tmp_path, "out"))):
        assert soundfile.info(path).channels == 1
        assert soundfile.info(path).frames == mono.length
