"""What earlier versions of Soli saved opens as it was."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from project.states import listing

from soli.decompose.constraints import MaskEdit
from soli.decompose.template_limit import TemplateLimit
from soli.errors import ProjectError
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import storage
from soli.project.migration import STEPS, migrate
from soli.project.outlook import Outlook
from soli.project.refit import refit_separation_steps
from soli.project.state import RESIDUAL, Layer, State
from soli.score.notes import Beat, Note, Pedal

# Saved by the last versions of Soli that wrote formats 1 and 2, and by the first that wrote 3.
DATA = Path(__file__).parent / "data"
VERSION_1, VERSION_2, VERSION_3 = (DATA / f"version{number}.soli" for number in (1, 2, 3))


def columns(db: sqlite3.Connection) -> Mapping[str, set[tuple[str, str]]]:
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: {row[1:3] for row in db.execute(f"PRAGMA table_info({table})")} for table in tables}


def test_a_project_of_format_1_opens_as_it_was(tmp_path):
    path = shutil.copy(VERSION_1, tmp_path / "old.soli")
    before = path.read_bytes()
    loaded = finish(storage.open_steps(path))
    state = loaded.state
    assert "song.wav was not found" in loaded.warning
    assert dict(state.notes) == {
        0: Note(0, 0.1, 1.0, 60, 70, 1, 2, 3, 1.5, layer=1),
        1: Note(1, 0.1, 2 / 3, 64),
        7: Note(7, 5.0, 6.0, 127, 1),
    }
    assert state.layers == (Layer(1, "Flöte", "#5ABBF8"), Layer(0, "a/b 🎻", "#F4828F"))
    assert not state.layers[0].hidden
    assert state.layers[0].templates is None
    assert state.mask == (MaskEdit(60, 0.1, 0.2, allow=True, layer=1), MaskEdit(61, 0.3, 1 / 3, allow=False))
    assert state.strips == {1: Strip(-6.5, 0.25, muted=True), RESIDUAL: Strip(float("-inf"), -1.0, soloed=True)}
    # What was the default then stays what was chosen.
    chosen = {"method": "nae", "iterations": 7, "beta": 0.5, "after_s": 0.3, "harmonics": 20, "seed": 2**63 - 1}
    chosen |= {"encoder_steps": 8, "prior": 0.6, "sustain_templates": 2, "initialisation": "onsets", "before_s": None}
    assert {name: getattr(state.settings, name) for name in chosen} == chosen
    assert (state.absent, state.anchors, state.limits) == ({1}, ((0.5, 0.6), (1 / 3, 1.0)), (0.5, 3.0))
    assert dict(state.template_limits) == {}
    assert state.score.title == "Walzer Nr. 1 ♯"
    assert [note.id for note in state.score.notes] == [0, 1, 2]
    assert state.score.beats == (Beat(0.0, 1, 1), Beat(0.5, 1, 2))
    assert state.score.pedals == (Pedal(2, 0.5, 1.5),)
    assert state.alignment.time_map.recording_s.tolist() == [-0.1, 1.2, 2.9]
    assert state.alignment.absent == {2}
    assert path.read_bytes() == before, "opening leaves the file as it is"
    assert listing(tmp_path) == ["old.soli"]


def test_a_project_of_format_2_opens_as_it_was(tmp_path):
    path = shutil.copy(VERSION_2, tmp_path / "old.soli")
    before = path.read_bytes()
    loaded = finish(storage.open_steps(path))
    state, first = loaded.state, finish(storage.open_steps(VERSION_1)).state
    assert "song.wav was not found" in loaded.warning
    assert (loaded.separation, loaded.outlook, loaded.embeds) == (None, None, False)
    # What format 2 added, on top of the project of format 1.
    assert dict(state.notes) == {
        **first.notes,
        0: replace(first.notes[0], before_s=0.25),
        7: replace(first.notes[7], after_s=1 / 3),
    }
    assert state.layers == (Layer(1, "Flöte", "#5ABBF8", hidden=True, templates=4), Layer(0, "a/b 🎻", "#F4828F", locked=True))
    assert state.template_limits == {60: TemplateLimit(harmonics=3), 61: TemplateLimit(tolerance_cents=1 / 3 + 20)}
    same = ("score", "absent", "anchors", "limits", "mask", "strips", "settings")
    assert all(getattr(state, name) == getattr(first, name) for name in same)
    assert path.read_bytes() == before, "opening leaves the file as it is"


def test_a_project_of_format_3_opens_ready_to_play(tmp_path):
    path = shutil.copy(VERSION_3, tmp_path / "old.soli")
    before = path.read_bytes()
    loaded = finish(storage.open_steps(path))
    state, separation = loaded.state, loaded.separation
    assert (loaded.warning, loaded.wanted, loaded.embeds) == ("", None, True)
    assert (state.audio.rate, state.audio.samples.shape) == (8000, (8400, 1))
    assert [note.pitch for note in state.notes.values()] == [72]
    # The layers are those of the last run, before a note was deleted.
    assert [note.pitch for note in separation.source.notes.values()] == [72, 76]
    assert not separation.is_of(state)
    total = sum(separation.signals.values())
    np.testing.assert_array_equal(total, state.audio.samples)
    assert np.abs(separation.layers[0]).max() > 0.01
    assert len(separation.factors.losses) == 2
    assert loaded.outlook == Outlook(0.1, 0.5, 60.0, 80.0, 0.2, 0.1, 0.3, 1.0)
    assert path.read_bytes() == before, "opening leaves the file as it is"
    assert finish(refit_separation_steps(separation, state)).is_of(state), "the edit can be followed"


def test_there_is_a_file_of_each_format():
    assert [int(path.stem.removeprefix("version")) for path in sorted(DATA.glob("*.soli"))] == [*range(1, storage.VERSION + 1)]
    for number, path in enumerate((VERSION_1, VERSION_2, VERSION_3), 1):
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (number,)


@pytest.mark.parametrize("old", [VERSION_1, VERSION_2])
def test_saved_again_it_is_of_the_present_format(tmp_path, old):
    state = finish(storage.open_steps(old)).state
    storage.save(tmp_path / "new.soli", state)
    with closing(sqlite3.connect(tmp_path / "new.soli")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == storage.VERSION
    assert finish(storage.open_steps(tmp_path / "new.soli")).state.notes == state.notes


@pytest.mark.parametrize(("stored", "version"), [(VERSION_1, 1), (VERSION_2, 2)])
def test_the_steps_lead_to_the_present_format(tmp_path, stored, version):
    storage.save(tmp_path / "new.soli", State())
    assert [*STEPS] == [*range(1, storage.VERSION)]
    with (
        closing(sqlite3.connect(stored)) as old,
        closing(sqlite3.connect(":memory:")) as steps,
        closing(sqlite3.connect(tmp_path / "new.soli")) as new,
    ):
        migrate(old, steps, version)
        assert columns(steps) == columns(new)


@pytest.mark.parametrize("version", [0, -1])
def test_a_format_that_never_was_is_damage(tmp_path, version):
    path = shutil.copy(VERSION_1, tmp_path / "odd.soli")
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(ProjectError, match="damaged"):
        finish(storage.open_steps(path))


def test_an_old_project_that_lacks_a_table_is_damage(tmp_path):
    path = shutil.copy(VERSION_1, tmp_path / "odd.soli")
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE note")
    with pytest.raises(ProjectError, match="damaged"):
        finish(storage.open_steps(path))
