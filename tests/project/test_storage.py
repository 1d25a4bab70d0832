"""The project file: what is saved is what opens."""

from types import MappingProxyType

import numpy as np
from hypothesis import HealthCheck, given, settings
from project.conftest import open_project
from project.states import content, listing, states

from soli.progress import finish
from soli.project import commands, storage
from soli.project.pipeline import Separation


def test_what_is_saved_is_what_opens(tmp_path, full):
    storage.save(tmp_path / "a.soli", full)
    loaded = open_project(tmp_path / "a.soli")
    assert loaded.warning == ""
    before, after = content(full), content(loaded.state)
    for aspect in (
        "recording_path",
        "score_path",
        "score",
        "notes",
        "absent",
        "anchors",
        "mask",
        "template_limits",
        "layers",
        "strips",
        "settings",
    ):
        assert after[aspect] == before[aspect], aspect
    np.testing.assert_array_equal(loaded.state.audio.samples, full.audio.samples)
    saved, opened = full.alignment, loaded.state.alignment
    np.testing.assert_array_equal(opened.time_map.score_s, saved.time_map.score_s)
    np.testing.assert_array_equal(opened.time_map.recording_s, saved.time_map.recording_s)
    np.testing.assert_array_equal(opened.confidence, saved.confidence)
    for aspect in ("sure", "tuning_cents", "notes", "absent"):
        assert getattr(opened, aspect) == getattr(saved, aspect), aspect
    assert isinstance(loaded.state.notes, MappingProxyType)
    assert listing(tmp_path) == ["a.soli", "song.wav"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states(aligned=False))
def test_any_state_opens_as_it_was(tmp_path, state):
    storage.save(tmp_path / "a.soli", state)
    loaded = open_project(tmp_path / "a.soli")
    assert content(loaded.state) == content(state)
    assert loaded.warning == ""


def test_a_piece_separated_from_a_project_sounds_as_before(tmp_path, state, separation):
    from soli.project import pipeline

    storage.save(tmp_path / "a.soli", state)
    again: Separation = finish(pipeline.separate_steps(open_project(tmp_path / "a.soli").state))
    for layer, sound in separation.layers.items():
        np.testing.assert_array_equal(again.layers[layer], sound)


def test_saving_again_replaces_the_project(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    changed = commands.delete_notes(full, [0]).apply(full)
    storage.save(path, changed)
    assert content(open_project(path).state)["notes"] == dict(changed.notes)
