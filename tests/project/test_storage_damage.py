"""Nothing that lies in a project file can do more harm than a sentence."""

import contextlib
import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from project.conftest import open_project, rewrite
from project.states import listing

from soli.decompose.settings import ModelSettings
from soli.errors import ProjectError
from soli.project import storage


def test_a_newer_project_is_refused_and_untouched(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    rewrite(path, f"PRAGMA user_version = {storage.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(ProjectError, match=r"newer Soli .* update Soli"):
        open_project(path)
    assert path.read_bytes() == before
    assert listing(tmp_path) == ["a.soli", "song.wav"]


def test_opening_writes_nothing_beside_a_project_whatever_its_header_says(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    # The mark of a database with a write-ahead log: SQLite would make two files to read it.
    content = bytearray(path.read_bytes())
    content[18:20] = b"\x02\x02"
    path.write_bytes(content)
    seen = []
    steps = storage.open_steps(path)
    with contextlib.suppress(ProjectError, StopIteration):
        while True:
            next(steps)
            seen.append(listing(tmp_path))
    assert {name for names in [*seen, listing(tmp_path)] for name in names} == {"a.soli", "song.wav"}
    assert path.read_bytes() == content
    assert open_project(path).state.layers == full.layers


@pytest.mark.parametrize("bytes_", [b"", b"x", b"SQLite format 3\x00", b"MThd", bytes(5000)])
def test_what_is_no_project_is_told(tmp_path, bytes_):
    path = tmp_path / "a.soli"
    path.write_bytes(bytes_)
    with pytest.raises(ProjectError) as told:
        open_project(path)
    assert "\n" not in str(told.value)
    assert path.read_bytes() == bytes_


def test_another_database_is_no_project(tmp_path):
    rewrite(tmp_path / "a.soli", "CREATE TABLE note(id)")
    with pytest.raises(ProjectError, match="not a Soli project"):
        open_project(tmp_path / "a.soli")


@pytest.mark.parametrize("name", ["missing.soli", "x" * 5000 + ".soli", "no/such/a.soli", "."])
def test_a_project_that_is_not_there_is_told(tmp_path, name):
    with pytest.raises(ProjectError, match="no such project"):
        open_project(tmp_path / name)


DAMAGE = [
    "UPDATE note SET pitch = 128",
    "UPDATE note SET channel = 16",
    "UPDATE note SET track = 1000000000",
    "UPDATE note SET onset_s = 9e99",
    "UPDATE note SET offset_s = -5",
    "UPDATE note SET layer = NULL",
    "UPDATE layer SET colour = 'blue'",
    "UPDATE layer SET name = NULL",
    "UPDATE layer SET id = 0",
    "UPDATE strip SET gain_db = NULL",
    "UPDATE strip SET pan = 9e999",
    "UPDATE stroke SET end_s = NULL",
    "UPDATE stroke SET pitch = -1",
    "UPDATE time_map SET recording_s = 0",
    "UPDATE aligned_note SET confidence = NULL",
    "DELETE FROM aligned_note WHERE id = 0",
    "UPDATE anchor SET score_s = NULL",
    "UPDATE meta SET value = 'x' WHERE key = 'sure'",
    "UPDATE settings SET value = '2.5' WHERE key = 'iterations'",
    "UPDATE settings SET value = 'true' WHERE key = 'iterations'",
    "UPDATE settings SET value = 'null' WHERE key = 'beta'",
    "UPDATE settings SET value = '\"1\"' WHERE key = 'beta'",
    "UPDATE settings SET value = 'NaN' WHERE key = 'beta'",
    "UPDATE settings SET value = '[]' WHERE key = 'method'",
    "UPDATE settings SET value = '\"magic\"' WHERE key = 'method'",
    "UPDATE settings SET value = '{' WHERE key = 'seed'",
    f"UPDATE settings SET value = '{'[' * 100_000}' WHERE key = 'seed'",
    "DROP TABLE beat",
    "ALTER TABLE layer DROP COLUMN name",
]


@pytest.mark.parametrize("statement", DAMAGE, ids=lambda statement: statement[:60])
def test_values_that_cannot_be_are_told_as_damage(tmp_path, full, statement):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    rewrite(path, statement)
    with pytest.raises(ProjectError, match="damaged") as told:
        open_project(path)
    assert "\n" not in str(told.value)


def test_settings_that_this_version_does_not_know_are_passed_over(tmp_path, full):
    storage.save(tmp_path / "a.soli", full)
    rewrite(tmp_path / "a.soli", "INSERT INTO settings VALUES ('sparkle', '9')", "DELETE FROM settings WHERE key = 'beta'")
    assert open_project(tmp_path / "a.soli").state.settings == replace(full.settings, beta=ModelSettings().beta)


@pytest.mark.parametrize("named", ["", "..", "/", "\x00", "x" * 5000, "/dev/null", "a\nb"])
def test_a_recording_named_oddly_does_no_harm(tmp_path, full, named):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    full.recording_path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'recording'", (named,))
    with contextlib.suppress(ProjectError):
        assert open_project(path).state.audio is None


def test_damaged_files_open_or_are_told(tmp_path, full):
    path = tmp_path / "a.soli"
    storage.save(path, replace(full, recording_path=None, audio=None))
    whole = path.read_bytes()
    rng = random.Random(5)
    opened = 0
    for trial in range(400):
        broken = bytearray(whole)
        if trial % 4 == 0:
            del broken[rng.randrange(len(broken)) :]
        else:
            for _ in range(rng.choice([1, 3, 30])):
                broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        with contextlib.suppress(ProjectError):
            state = open_project(path).state
            opened += 1
            assert all(0 <= note.pitch <= 127 and note.onset_s <= note.offset_s for note in state.notes.values())
        assert path.read_bytes() == broken
    assert 0 < opened < 400


@pytest.mark.parametrize("column", ["sql", "name", "type"])
def test_a_schema_in_no_encoding_is_told_in_one_line(tmp_path, full, column):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"UPDATE sqlite_master SET {column} = CAST(x'ff0a' || {column} AS TEXT) WHERE name = 'note'")
    with pytest.raises(ProjectError) as told:
        open_project(path)
    assert "\n" not in str(told.value)
