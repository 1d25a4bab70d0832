"""Where a project is saved: disks that are full, places that may not be written, names of all kinds. The former project stays."""

import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from project.conftest import open_project
from project.states import listing
from small_disk import disk_with

from soli.errors import ProjectError
from soli.project import commands, storage
from soli.project.state import Layer


class Full(sqlite3.Connection):
    """A database on a disk that is full when notes are to be written."""

    def executemany(self, sql, *args):
        if "INTO note" in sql:
            raise sqlite3.OperationalError("database or disk is full")
        return super().executemany(sql, *args)


def test_when_saving_fails_the_former_project_is_whole(monkeypatch, tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    before = path.read_bytes()
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, factory=Full, **options))
    with pytest.raises(ProjectError, match=r"disk is full.*your work is still open") as told:
        storage.save(path, commands.delete_notes(full, [0]).apply(full))
    assert "\n" not in str(told.value)
    assert path.read_bytes() == before
    assert listing(tmp_path) == ["a.soli", "song.wav"]


def test_when_renaming_fails_nothing_is_left_behind(tmp_path, full):
    (tmp_path / "a.soli").mkdir()
    with pytest.raises(ProjectError, match="cannot be saved"):
        storage.save(tmp_path / "a.soli", full)
    assert listing(tmp_path) == ["a.soli", "song.wav"]


@pytest.mark.parametrize("target", ["missing/a.soli", "song.wav/a.soli"])
def test_a_place_that_cannot_be_written_is_told(tmp_path, full, target):
    with pytest.raises(ProjectError, match="cannot be saved"):
        storage.save(tmp_path / target, full)


@pytest.mark.parametrize(
    "name",
    ["ü 🎻.soli", "a?b#c%20.soli", "-rf.soli", "a'b;.soli", "x" * 250 + ".soli", "a\nb.soli", "Ж" * 120 + ".soli", ":memory:"],
)
def test_files_of_any_name_are_saved_and_opened(tmp_path, full, name):
    storage.save(tmp_path / name, full)
    assert open_project(tmp_path / name).state.layers == full.layers
    assert listing(tmp_path) == sorted([name, "song.wav"])


def test_a_project_in_the_working_folder_needs_no_folder_in_its_name(monkeypatch, tmp_path, full):
    monkeypatch.chdir(tmp_path)
    storage.save(Path("a.soli"), full)
    loaded = open_project(Path("a.soli"))
    assert loaded.warning == ""
    assert loaded.state.recording_path == full.recording_path


def test_a_name_that_cannot_be_stored_is_told(tmp_path, full):
    odd = replace(full, layers=(Layer(0, "\ud800", "#5ABBF8"),))
    with pytest.raises(ProjectError, match="cannot be saved"):
        storage.save(tmp_path / "a.soli", odd)
    assert listing(tmp_path) == ["song.wav"]


@pytest.mark.parametrize("size", [0, 5_000, 80_000, 200_000])
def test_a_full_disk_leaves_the_former_project_whole(tmp_path, state, separation, size):
    path = tmp_path / "a.soli"
    storage.save(path, state)
    before = path.read_bytes()
    with disk_with(size), pytest.raises(ProjectError, match="your work is still open") as told:
        storage.save(path, state, separation=separation, embed=True)
    assert "\n" not in str(told.value)
    assert path.read_bytes() == before
    assert listing(tmp_path) == ["a.soli"]


def test_a_full_disk_is_no_reason_to_write_results_again(tmp_path, state, separation):
    storage.save(tmp_path / "kept.soli", state, separation=separation)
    with disk_with(100_000), pytest.raises(ProjectError, match="cannot be saved"):
        storage.save(tmp_path / "a.soli", state, separation=separation, kept=storage.Kept(tmp_path / "kept.soli"))
    assert listing(tmp_path) == ["kept.soli"]


def test_what_a_killed_program_left_half_written_goes_with_a_later_save(tmp_path, full):
    old, young = tmp_path / ".soli-1-aa.part", tmp_path / ".soli-2-bb.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    (tmp_path / "notes.part").write_bytes(b"the user's")
    os.utime(tmp_path / "notes.part", (0, 0))
    storage.save(tmp_path / "a.soli", full)
    assert listing(tmp_path) == [young.name, "a.soli", "notes.part", "song.wav"]


def test_a_folder_that_vanished_is_told(tmp_path, full):
    (tmp_path / "share").mkdir()
    path = tmp_path / "share" / "a.soli"
    storage.save(path, full)
    shutil.rmtree(tmp_path / "share")
    with pytest.raises(ProjectError, match="your work is still open"):
        storage.save(path, full)
    with pytest.raises(ProjectError, match="no such project"):
        open_project(path)


def test_saving_through_a_link_saves_what_it_leads_to(tmp_path, full):
    (tmp_path / "real").mkdir()
    storage.save(tmp_path / "real" / "a.soli", full)
    (tmp_path / "link.soli").symlink_to(tmp_path / "real" / "a.soli")
    storage.save(tmp_path / "link.soli", replace(full, layers=full.layers[:1]))
    assert (tmp_path / "link.soli").is_symlink()
    assert open_project(tmp_path / "real" / "a.soli").state.layers == full.layers[:1]
    assert open_project(tmp_path / "link.soli").state.recording_path == full.recording_path


def test_who_may_read_a_project_stays_as_it_was(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    path.chmod(0o600)
    storage.save(path, full)
    assert path.stat().st_mode & 0o777 == 0o600
