"""The roll as a drawing, and the factors as arrays."""

import json
import shutil
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from project.states import listing

from soli.errors import InputError
from soli.progress import finish
from soli.project import export, picture
from soli.project.export_factors import arrays, export_factors_steps
from soli.project.picture_svg import svg
from soli.project.state import State
from soli.score import midi
from soli.score.notes import Beat, KeySignature, TimeMap

SVG = "{http://www.w3.org/2000/svg}"


def test_each_note_is_a_shape_in_the_group_of_its_layer(state):
    root = ElementTree.fromstring(svg(state))
    groups = {group.get("data-layer"): group for group in root.iter(f"{SVG}g") if group.get("data-layer")}
    assert groups.keys() == {"right", "left"}
    for layer in state.layers:
        notes = [n for n in state.notes.values() if n.layer == layer.id]
        shapes = groups[layer.name].findall(f"{SVG}rect")
        assert len(shapes) == len(notes)
        assert groups[layer.name].get("fill") == layer.colour
        lefts = [float(shape.get("x")) for shape in shapes]
        assert lefts == sorted(lefts)
    assert all(float(shape.get("width")) > 0 and float(shape.get("height")) > 0 for shape in root.iter(f"{SVG}rect"))


def test_higher_is_higher_and_later_is_further_right(state):
    first, *_ = sorted(state.notes.values(), key=lambda n: n.onset_s)
    notes = {7: replace(first, id=7, pitch=60), 8: replace(first, id=8, pitch=61, onset_s=1.0, offset_s=1.4)}
    root = ElementTree.fromstring(svg(replace(state, notes=MappingProxyType(notes))))
    low, high = [r for g in root.iter(f"{SVG}g") if g.get("data-layer") for r in g.findall(f"{SVG}rect")]
    assert float(high.get("x")) > float(low.get("x"))
    assert float(high.get("y")) + float(high.get("height")) == float(low.get("y"))


@pytest.mark.parametrize("name", ['<b> & "c"', "a\x00b\x1f", "'", "]]>", "小提琴"])
def test_any_name_of_a_layer_makes_a_whole_document(state, name):
    odd = replace(state, layers=(replace(state.layers[0], name=name), *state.layers[1:]))
    root = ElementTree.fromstring(svg(odd))
    assert "".join(c for c in name if c.isprintable()) in [g.get("data-layer") for g in root.iter(f"{SVG}g")]


def test_hidden_layers_are_in_no_picture(state):
    hidden = replace(state, layers=(replace(state.layers[0], hidden=True), *state.layers[1:]))
    assert (picture.draw(hidden) != picture.draw(state)).any()
    shapes = svg(hidden).count("<title>")
    assert shapes == sum(n.layer != state.layers[0].id for n in state.notes.values())


def test_a_picture_is_what_its_name_ends_in(tmp_path, state):
    assert picture.write_picture(tmp_path / "a.png", state).read_bytes().startswith(b"\x89PNG")
    assert picture.write_picture(tmp_path / "a.SVG", state).read_text().startswith("<svg")
    with pytest.raises(InputError, match="recording"):
        picture.write_picture(tmp_path / "b.svg", State())
    with pytest.raises(InputError, match="cannot be written"):
        picture.write_picture(tmp_path / "missing" / "b.svg", state)
    assert listing(tmp_path) == ["a.SVG", "a.png"]


def test_the_factors_are_those_of_the_run_and_need_no_pickle(tmp_path, separation):
    finish(export_factors_steps(separation, tmp_path / "f.npz"))
    factors = separation.factors
    with np.load(tmp_path / "f.npz", allow_pickle=False) as kept:
        found = {key: kept[key] for key in kept.files}
    np.testing.assert_array_equal(found["W"], factors.W)
    np.testing.assert_array_equal(found["H"], factors.H)
    bins, frames = found["W"].shape[0], found["H"].shape[1]
    assert found["frequency_hz"].shape == (bins,)
    assert found["frequency_hz"][-1] == separation.source.audio.rate / 2
    assert found["time_s"].shape == (frames,)
    assert all(len(found[f"component_{key}"]) == found["W"].shape[1] for key in ("pitch", "kind", "part"))
    assert set(found["component_kind"]) <= {"sustain", "attack", "drum"}
    assert dict(zip(found["layer_id"].tolist(), found["layer_name"].tolist(), strict=True)) == {0: "right", 1: "left"}
    assert sorted(found["note_id"].tolist()) == sorted(separation.source.notes)
    about = json.loads(str(found["about"]))
    assert about["rate"] == separation.source.audio.rate
    assert about["settings"]["iterations"] == factors.settings.iterations
    assert len(found["losses"]) == len(factors.losses)


def test_where_a_pitch_stands_between_two_channels_is_among_the_factors(tmp_path, separation):
    components = separation.factors.W.shape[1]
    coherence = np.full((40, components), 0.3 + 0.4j, np.complex64)
    for known in (coherence, None):
        finish(
            export_factors_steps(replace(separation, factors=replace(separation.factors, coherence=known)), tmp_path / "f.npz")
        )
        with np.load(tmp_path / "f.npz", allow_pickle=False) as kept:
            assert ("coherence" in kept.files) == (known is not None)
            if known is not None:
                np.testing.assert_array_equal(kept["coherence"], coherence)


def test_pitches_are_called_as_the_key_of_the_score_has_it(tmp_path, state, separation):
    sharp = replace(state, score=replace(state.score, keys=(KeySignature(0.0, 7),)))
    notes = {0: replace(state.notes[0], pitch=70)}
    assert "A♯4" in svg(replace(sharp, notes=MappingProxyType(notes)))
    assert "B♭4" in svg(replace(state, notes=MappingProxyType(notes)))
    known = replace(separation, source=replace(separation.source, notes={0: replace(separation.source.notes[0], pitch=70)}))
    for asked, name in ((sharp, "A♯4"), (state, "B♭4")):
        items = export.plan(known, asked, export.Order(stems=(), notes=(0,)))
        assert [item.name.split()[0] for item in items] == [name]


def test_exported_midi_has_its_beats_where_they_are_heard(tmp_path, state):
    slower = TimeMap(np.array([0.0, 1.0, 2.0]), np.array([0.4, 2.0, 2.9]))
    score = replace(state.score, beats=tuple(Beat(i * 0.5, 1 + i // 2, 1 + i % 2) for i in range(5)))
    played = replace(state, score=score, alignment=replace(state.alignment, time_map=slower))
    export.export_notes(played, tmp_path / "a.mid")
    again = midi.read(tmp_path / "a.mid")
    expected = sorted(note.onset_s for note in state.notes.values())
    np.testing.assert_allclose([note.onset_s for note in again.notes], expected, atol=2e-4)
    heard = [beat.time_s for beat in again.beats]
    for time_s in slower.to_recording(np.array([0.0, 0.5])).tolist():
        assert np.abs(np.array(heard) - time_s).min() < 1e-5


def test_every_key_that_is_written_is_described(separation):
    from soli.project import export_factors as module

    described = module.__doc__
    for key in module.arrays(separation):
        stem = key.removeprefix("note_").removeprefix("component_")
        assert key in described or stem in described


def test_the_same_factors_are_the_same_file(tmp_path, separation):
    first = finish(export_factors_steps(separation, tmp_path / "a.npz")).read_bytes()
    assert finish(export_factors_steps(separation, tmp_path / "b.npz")).read_bytes() == first


def test_factors_that_cannot_be_written_are_told(tmp_path, separation):
    (tmp_path / "folder").mkdir()
    for name in ("missing/f.npz", "folder"):
        with pytest.raises(InputError, match="cannot be written"):
            finish(export_factors_steps(separation, tmp_path / name))
    assert listing(tmp_path) == ["folder"]


def test_factors_are_the_same_however_they_lie_in_memory(tmp_path, separation):
    factors = separation.factors
    odd = replace(factors, W=np.asfortranarray(factors.W), H=np.repeat(factors.H, 2, axis=1)[:, ::2])
    assert not odd.H.flags.c_contiguous
    finish(export_factors_steps(replace(separation, factors=odd), tmp_path / "f.npz"))
    with np.load(tmp_path / "f.npz") as found:
        np.testing.assert_array_equal(found["W"], factors.W)
        np.testing.assert_array_equal(found["H"], factors.H)
        assert str(found["about"]) == str(arrays(separation)["about"])


def test_factors_that_are_given_up_leave_nothing(tmp_path, separation):
    steps = export_factors_steps(separation, tmp_path / "f.npz")
    for _ in range(3):
        next(steps)
    steps.close()
    assert listing(tmp_path) == []


def test_factors_that_the_disk_has_no_room_for_are_not_begun(tmp_path, separation, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=export.SPARE_BYTES + 1000))
    with pytest.raises(InputError, match="are free"):
        finish(export_factors_steps(separation, tmp_path / "f.npz"))
    assert listing(tmp_path) == []
