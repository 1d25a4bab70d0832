"""What an order makes: stretches, mixes, everything but, notes one by one, levels and names."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project.states import listing

from soli.decompose.masking import note_alone
from soli.errors import InputError
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import export
from soli.project.export import Order
from soli.project.export_names import TOKENS, beats_per_minute, check_pattern, from_pattern, numbered
from soli.project.export_sounds import sound_steps
from soli.project.state import RESIDUAL, Layer
from soli.score.notes import pitch_name
from soli.signal import audio
from soli.signal.audio import resample

QUIET = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sound(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def exported(separation, state, folder, **wanted):
    return {path.stem: sound(path) for path in finish(export.export_steps(separation, state, folder, Order(**wanted)))}


@pytest.mark.parametrize("form", ["wav32f", "wav24", "flac"])
def test_layers_and_residual_sum_to_the_recording(tmp_path, state, separation, form):
    parts = exported(separation, state, tmp_path, form=form)
    np.testing.assert_array_equal(sum(parts.values()), state.audio.samples)


def test_whole_layers_are_written_without_a_copy(state, separation):
    order = Order()
    for item in export.plan(separation, state, order, project=""):
        assert np.shares_memory(finish(sound_steps(separation, state, item, order)), separation.signals[item.ids[0]])


def test_nothing_that_is_exported_is_altered(tmp_path, state, separation):
    before = {key: signal.copy() for key, signal in separation.signals.items()}
    recording = state.audio.samples.copy()
    exported(separation, state, tmp_path, form="wav16", mix=True, all_but=(0,), peak_dbfs=-1.0)
    for key, signal in before.items():
        np.testing.assert_array_equal(separation.signals[key], signal)
    np.testing.assert_array_equal(state.audio.samples, recording)


@pytest.mark.parametrize("form", ["wav32f", "wav24", "wav16"])
@pytest.mark.parametrize("range_s", [(0.0, 0.5), (0.31, 1.17), (1.0, 99.0)])
def test_a_stretch_is_that_slice_of_the_whole(tmp_path, state, separation, form, range_s):
    rate = state.audio.rate
    order = {"form": form, "dither": False, "mix": True, "all_but": (0,)}
    whole = exported(separation, state, tmp_path / "a", **order)
    part = exported(separation, state, tmp_path / "b", range_s=range_s, **order)
    assert part.keys() == whole.keys()
    for name, samples in part.items():
        np.testing.assert_array_equal(samples, whole[name][round(range_s[0] * rate) : round(range_s[1] * rate)])


def test_dither_moves_a_stretch_by_no_more_than_its_noise(tmp_path, state, separation):
    part = exported(separation, state, tmp_path, form="wav16", range_s=(0.2, 1.0), stems=(0,))["right"]
    rate = state.audio.rate
    exact = separation.layers[0][round(0.2 * rate) : rate]
    assert 0 < np.abs(part - exact).max() <= 1.5 * 2.0**-15
    assert abs((part - exact).mean()) < 0.02 * 2.0**-15


def test_the_dither_of_two_files_is_not_the_same_and_that_of_one_is(tmp_path, state, separation):
    silent = replace(separation, signals=type(separation.signals)({i: np.full((9000, 1), 1e-5, np.float32) for i in (0, 1, -1)}))
    short = replace(state, audio=audio.Audio(np.zeros((9000, 1), np.float32), state.audio.rate))
    silent = replace(silent, source=short)
    first = exported(silent, short, tmp_path / "a", form="wav16")
    again = exported(silent, short, tmp_path / "b", form="wav16")
    other = exported(silent, short, tmp_path / "c", form="wav16", seed=1)
    assert (first["right"] != first["left"]).any()
    assert (first["right"] == again["right"]).all()
    assert (first["right"] != other["right"]).any()


def test_everything_but_some_layers_and_these_sum_to_the_recording(tmp_path, state, separation):
    parts = exported(separation, state, tmp_path, stems=(0,), all_but=(0,))
    assert parts.keys() == {"right", "without right"}
    np.testing.assert_array_equal(parts["right"] + parts["without right"], state.audio.samples)
    both = exported(separation, state, tmp_path / "both", stems=(), all_but=(0, 1))
    np.testing.assert_array_equal(both["without right, left"], separation.residual)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_notes_of_a_layer_sum_to_it(tmp_path, state, separation, layer):
    ids = tuple(n.id for n in state.notes.values() if n.layer == layer)
    notes = exported(separation, state, tmp_path, stems=(), notes=ids, notes_in_place=True)
    assert len(notes) == len(ids)
    # Each note is rounded to the grid of 24 bits on its own.
    np.testing.assert_allclose(sum(notes.values()), separation.layers[layer], atol=len(ids) * 2.0**-23)


def test_a_trimmed_note_is_its_sound_alone(tmp_path, state, separation):
    note = min(state.notes.values(), key=lambda n: n.onset_s)
    ((name, samples),) = exported(separation, state, tmp_path, stems=(), notes=(note.id,)).items()
    _, alone = note_alone(state.audio, separation.factors, [note.id])
    np.testing.assert_array_equal(samples, alone)
    assert name == f"{pitch_name(note.pitch)} 0000.00 s"


def test_notes_that_the_separation_does_not_know_make_no_file(tmp_path, state, separation):
    items = export.plan(separation, state, Order(stems=(), notes=(999, *state.notes)))
    assert len(items) == len(state.notes)
    with pytest.raises(InputError, match="nothing is chosen"):
        finish(export.export_steps(separation, state, tmp_path / "none", Order(stems=(), notes=(999,))))
    assert not (tmp_path / "none").exists()


def test_normalising_is_one_gain_for_all(tmp_path, state, separation):
    plain = exported(separation, state, tmp_path / "a")
    loud = exported(separation, state, tmp_path / "b", peak_dbfs=-1.0)
    assert max(np.abs(s).max() for s in loud.values()) == pytest.approx(10 ** (-1 / 20), rel=1e-6)
    gain = 10 ** (-1 / 20) / max(np.abs(s).max() for s in plain.values())
    for name, samples in loud.items():
        np.testing.assert_allclose(samples, plain[name] * gain, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_another_rate_is_the_resampled_sound(tmp_path, state, separation, rate):
    (path,) = finish(export.export_steps(separation, state, tmp_path, Order(stems=(0,), rate=rate)))
    assert soundfile.info(path).samplerate == rate
    np.testing.assert_array_equal(sound(path), resample(separation.layers[0], state.audio.rate, rate))


def test_peaks_are_those_of_the_files_and_say_when(tmp_path, state, separation):
    order = Order(mix=True, form="wav24")
    items = export.plan(separation, state, order)
    peaks = finish(export.peaks_steps(separation, state, order, items))
    files = exported(separation, state, tmp_path, mix=True)
    for name, peak in peaks.items():
        samples = np.abs(files[name.removesuffix(".wav")])
        assert peak.level == samples.max()
        assert samples[round(peak.time_s * state.audio.rate)].max() == samples.max()
    assert export.clipping(order, peaks) == {}


def test_clipping_is_known_before_and_only_where_there_is_a_loudest(state, separation):
    loud = replace(state, strips=MappingProxyType({0: Strip(gain_db=30.0)}))
    for form, peak_dbfs, clips in [("wav16", None, True), ("mp3", None, True), ("wav32f", None, False), ("wav16", -1.0, False)]:
        order = Order(stems=(0,), mix=True, form=form, peak_dbfs=peak_dbfs)
        peaks = finish(export.peaks_steps(separation, loud, order, export.plan(separation, loud, order)))
        assert {name.partition(".")[0] for name in export.clipping(order, peaks)} == ({"mix"} if clips else set())


@QUIET
@given(
    names=st.lists(st.text(max_size=120), min_size=1, max_size=8), pattern=st.sampled_from(["{layer}", "{project} {layer}", "x"])
)
def test_names_are_unique_on_every_system_whatever_the_layers_are_called(state, separation, names, pattern):
    layers = tuple(Layer(i, name, "#5ABBF8") for i, name in enumerate(names))
    signals = type(separation.signals)(dict.fromkeys((*range(len(names)), RESIDUAL), separation.residual))
    odd = replace(separation, signals=signals)
    order = Order(mix=True, all_but=(0,), pattern=pattern)
    items = export.plan(odd, replace(state, layers=layers), order)
    assert len(items) == len(names) + 3
    for fold in (str.casefold, str.upper, str.lower):
        assert len({fold(item.name) for item in items}) == len(items)
    for item in items:
        assert len(item.name.encode()) < 200
        assert "/" not in item.name
        assert "\\" not in item.name


@given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5), max_size=3))
def test_numbers_stand_behind_repeated_names_alone(names, taken):
    result = numbered(names, taken=taken)
    assert len({n.casefold() for n in (*result, *taken)}) == len(names) + len({n.casefold() for n in taken})
    assert all(new.startswith(old) for old, new in zip(names, result, strict=True))


@pytest.mark.parametrize("pattern", ["{when}", "{layer", "layer}", "{}", "", "  ", "{layer}{ index}"])
def test_a_pattern_that_cannot_be_used_is_told(pattern):
    with pytest.raises(InputError, match="pattern"):
        check_pattern(pattern)


def test_every_token_becomes_what_it_says(state, separation):
    pattern = "-".join(f"{{{token}}}" for token in TOKENS)
    items = export.plan(separation, state, Order(pattern=pattern, rate=48000), project="Song")
    tempo = beats_per_minute(state)
    bpm = f"{tempo:.0f}" if tempo else ""
    assert [item.name for item in items] == [
        f"Song-right-01-{bpm}-48000.wav",
        f"Song-left-02-{bpm}-48000.wav",
        f"Song-residual-03-{bpm}-48000.wav",
    ]
    assert from_pattern("{project}  {bpm} {layer}", ["a", "a"], {"project": "P"}) == ["P a", "P a 2"]


@pytest.mark.parametrize("range_s", [(2.0, 1.0), (50.0, 60.0), (1.0, 1.0), (-3.0, -1.0)])
def test_a_stretch_without_sound_is_told(state, separation, range_s):
    with pytest.raises(InputError, match="holds no sound"):
        export.plan(separation, state, Order(range_s=range_s))


def test_a_disk_without_room_is_told_before_anything_is_written(monkeypatch, tmp_path, state, separation):
    monkeypatch.setattr(export.shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**20 + 1000))
    with pytest.raises(InputError, match="MB are free"):
        finish(export.export_steps(separation, state, tmp_path))
    assert listing(tmp_path) == []


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_when_a_name_cannot_be_taken_the_former_files_are_there_again(monkeypatch, tmp_path, state, separation, nth):
    for name in ("right.wav", "left.wav"):
        (tmp_path / name).write_bytes(b"former")
    places, replaced = Path.replace, []

    def failing(self, target):
        if str(target).endswith((".wav",)) and self.suffix == ".part":
            replaced.append(target)
            if len(replaced) == nth + 1:
                raise PermissionError(13, "Permission denied")
        return places(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError, match="Permission denied"):
        finish(export.export_steps(separation, state, tmp_path))
    assert listing(tmp_path) == ["left.wav", "right.wav"]
    assert {(tmp_path / name).read_bytes() for name in ("right.wav", "left.wav")} == {b"former"}


@pytest.mark.parametrize("form", ["wav32f", "flac", "ogg", "mp3"])
def test_cancelling_amid_a_file_leaves_nothing(tmp_path, state, separation, form):
    (tmp_path / f"right.{'wav' if form == 'wav32f' else form}").write_bytes(b"former")
    steps = export.export_steps(separation, state, tmp_path, Order(form=form))
    for _ in range(5):
        next(steps)
    steps.close()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"former"]


@pytest.mark.parametrize("form", ["ogg", "mp3"])
def test_lossy_forms_are_about_as_long(tmp_path, state, separation, form):
    (path,) = finish(export.export_steps(separation, state, tmp_path, Order(stems=(0,), form=form)))
    assert path.suffix == f".{form}"
    assert soundfile.info(path).frames == pytest.approx(state.audio.length, abs=3000)
