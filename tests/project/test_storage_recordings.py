"""The recording of a project is found where it went, told where it is not, and never looked for elsewhere."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from project.conftest import open_project

from soli.progress import finish
from soli.project import storage
from soli.project.state import State
from soli.signal import audio
from soli.signal.audio import Audio


def test_a_folder_that_moved_opens(tmp_path, full):
    home = tmp_path / "home" / "project"
    home.mkdir(parents=True)
    (tmp_path / "home" / "audio").mkdir()
    shutil.copy(full.recording_path, tmp_path / "home" / "audio" / "song.wav")
    recording = tmp_path / "home" / "audio" / "song.wav"
    storage.save(home / "a.soli", replace(full, recording_path=recording.resolve()))
    (tmp_path / "home").rename(tmp_path / "moved")
    loaded = open_project(tmp_path / "moved" / "project" / "a.soli")
    assert loaded.warning == ""
    assert loaded.state.recording_path == (tmp_path / "moved" / "audio" / "song.wav").resolve()
    with closing(sqlite3.connect(tmp_path / "moved" / "project" / "a.soli")) as db:
        assert str(tmp_path) not in str(db.execute("SELECT value FROM meta WHERE key = 'recording'").fetchall())


def test_a_recording_put_beside_the_project_is_found(tmp_path, full):
    (tmp_path / "other").mkdir()
    storage.save(tmp_path / "a.soli", full)
    shutil.move(tmp_path / "a.soli", tmp_path / "other" / "a.soli")
    shutil.move(tmp_path / "song.wav", tmp_path / "other" / "song.wav")
    loaded = open_project(tmp_path / "other" / "a.soli")
    assert loaded.warning == ""
    assert loaded.state.recording_path == (tmp_path / "other" / "song.wav").resolve()


def test_the_same_sound_in_another_format_is_the_same_recording(tmp_path, full):
    samples = (np.random.default_rng(0).integers(-(2**15), 2**15, (400, 2)) / 2**15).astype(np.float32)
    audio.write(tmp_path / "song.wav", Audio(samples, 22050), "wav16")
    storage.save(tmp_path / "a.soli", replace(full, audio=Audio(samples.copy(), 22050)))
    audio.write(tmp_path / "song.wav", Audio(samples, 22050), "flac")
    assert open_project(tmp_path / "a.soli").warning == ""


def test_a_recording_that_is_not_there_is_told_and_its_place_is_kept(tmp_path, full):
    storage.save(tmp_path / "a.soli", full)
    (tmp_path / "away").mkdir()
    (tmp_path / "song.wav").rename(tmp_path / "away" / "song.wav")
    loaded = open_project(tmp_path / "a.soli")
    assert "song.wav was not found" in loaded.warning
    assert loaded.state.audio is None
    assert dict(loaded.state.notes) == dict(full.notes)
    storage.save(tmp_path / "a.soli", loaded.state)
    (tmp_path / "away" / "song.wav").rename(tmp_path / "song.wav")
    back = open_project(tmp_path / "a.soli")
    assert back.warning == ""
    np.testing.assert_array_equal(back.state.audio.samples, full.audio.samples)


def test_a_recording_that_changed_is_told(tmp_path, full):
    storage.save(tmp_path / "a.soli", full)
    audio.write(tmp_path / "song.wav", Audio(full.audio.samples[:-1].copy(), 22050))
    loaded = open_project(tmp_path / "a.soli")
    assert "not the recording this project was saved with" in loaded.warning
    assert loaded.state.audio.length == 399


def test_a_recording_that_cannot_be_read_does_not_keep_the_project_shut(tmp_path, full):
    storage.save(tmp_path / "a.soli", full)
    (tmp_path / "song.wav").write_bytes(b"RIFF and then nothing")
    loaded = open_project(tmp_path / "a.soli")
    assert "song.wav" in loaded.warning
    assert loaded.state.audio is None
    assert dict(loaded.state.notes) == dict(full.notes)


def test_a_moved_recording_is_found_by_its_samples(tmp_path, full):
    home, known = tmp_path / "home", tmp_path / "known"
    home.mkdir()
    known.mkdir()
    storage.save(home / "a.soli", full)
    # Under another name and in another format, among others that are as long.
    other = Audio(-full.audio.samples, full.audio.rate)
    audio.write(known / "a.wav", other)
    audio.write(known / "renamed.wav", full.audio)
    full.recording_path.unlink()
    assert "was not found" in open_project(home / "a.soli").warning
    loaded = finish(storage.open_steps(home / "a.soli", known=[tmp_path / "gone", known]))
    assert loaded.warning == ""
    assert loaded.state.recording_path == known / "renamed.wav"
    np.testing.assert_array_equal(loaded.state.audio.samples, full.audio.samples)


def test_a_missing_recording_stays_known_by_its_samples(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    (tmp_path / "away").mkdir()
    full.recording_path.rename(tmp_path / "away" / "other.wav")
    lost = open_project(path)
    assert lost.wanted.why == "missing"
    assert lost.wanted.sha256 == full.audio.fingerprint
    storage.save(path, lost.state, wanted=lost.wanted)
    found = finish(storage.open_steps(path, known=[tmp_path / "away"]))
    assert found.state.recording_path == tmp_path / "away" / "other.wav"


def test_saved_with_the_recording_that_is_there_now_it_is_that_ones_project(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    audio.write(full.recording_path, Audio(-full.audio.samples, full.audio.rate))
    changed = open_project(path)
    assert changed.wanted.why == "changed"
    storage.save(path, changed.state, wanted=changed.wanted)
    assert open_project(path).warning == ""


def test_a_recording_located_by_the_user_is_taken(tmp_path, full):
    path, other = tmp_path / "a.soli", tmp_path / "away" / "other.wav"
    storage.save(path, full)
    other.parent.mkdir()
    full.recording_path.rename(other)
    found = finish(storage.open_steps(path, located=other))
    assert (found.state.recording_path, found.wanted, found.warning) == (other, None, "")


def outside(tmp_path: Path, full: State, name: str) -> Path:
    """A project deep in folders of its own that names a recording `name`."""
    path = tmp_path / "a" / "b" / "c" / "a.soli"
    path.parent.mkdir(parents=True)
    storage.save(path, full)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'recording'", (name,))
    return path


@pytest.mark.parametrize("name", ["{}/song.wav", "../../../song.wav", "/etc/passwd", "//server/share/song.wav", "link.wav"])
def test_a_name_that_leads_outside_is_told_and_not_followed(tmp_path, full, name, monkeypatch):
    path = outside(tmp_path, full, name.format(tmp_path))
    (path.parent / "link.wav").symlink_to(tmp_path / "song.wav")
    touched: list[str] = []
    monkeypatch.setattr(audio, "read_steps", lambda path: touched.append(str(path)))
    loaded = open_project(path)
    assert touched == []
    assert loaded.wanted.why == "outside"
    assert "outside" in loaded.warning
    assert loaded.state.audio is None


def test_what_the_user_knows_is_followed(tmp_path, full):
    path = outside(tmp_path, full, str(tmp_path / "song.wav"))
    loaded = finish(storage.open_steps(path, known=[tmp_path]))
    assert loaded.warning == ""
    assert loaded.state.audio is not None


def test_opening_says_that_a_link_in_a_loop_is_no_recording(tmp_path, full):
    path = outside(tmp_path, full, "loop.wav")
    (path.parent / "loop.wav").symlink_to("loop.wav")
    assert open_project(path).state.audio is None


@pytest.mark.parametrize("name", ["{}/song.wav", "//server/share/song.wav"])
def test_a_sound_beside_it_that_cannot_be_read_does_not_make_a_name_one_to_follow(tmp_path, full, name):
    """What is said to be outside is not opened after a crash either."""
    path = outside(tmp_path, full, name.format(tmp_path))
    (path.parent / "song.wav").write_bytes(b"no sound")
    loaded = open_project(path)
    assert loaded.state.audio is None
    assert loaded.wanted.why == "outside"
    assert "song.wav: not a recording" in loaded.warning
    assert "outside" in loaded.warning
