"""The project file: what is saved is what opens, and nothing that lies in a file can do more harm than a sentence."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from project.states import content, listing, states

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.errors import ProjectError
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import commands, storage
from soli.project.pipeline import Loaded, Separation
from soli.project.state import RESIDUAL, Layer, State
from soli.score.alignment import Alignment
from soli.score.notes import Beat, Note, Pedal, Score, TimeMap
from soli.signal import audio
from soli.signal.audio import Audio


def open_project(path: Path) -> Loaded:
    return finish(storage.open_steps(path))


@pytest.fixture
def full(tmp_path: Path) -> State:
    """A state with something in every field, its recording beside where the project will lie."""
    rng = np.random.default_rng(3)
    audio.write(tmp_path / "song.wav", Audio(rng.uniform(-1, 1, (400, 2)).astype(np.float32), 22050))
    scored = (Note(0, 0.0, 1.0, 60, 70, 1, 2, 3, 1.5), Note(1, 0.1, 1.0 / 3, 64), Note(2, 2.0, 2.0, 36, channel=9))
    notes = {
        0: replace(scored[0], onset_s=0.1, layer=1),
        1: replace(scored[1], offset_s=2 / 3),
        7: Note(7, 5.0, 6.0, 127, 1, after_s=1 / 3),
    }
    score = Score(scored, ("Flöte", "", "left"), (Beat(0.0, 1, 1), Beat(0.5, 1, 2)), (Pedal(2, 0.5, 1.5),), "Walzer Nr. 1 ♯")
    time_map = TimeMap(np.array([0.0, 1.0, 2.5]), np.array([-0.1, 1.2, 2.9]))
    confidence = np.array([0.25, 0.5, 0.1], np.float32)
    return State(
        recording_path=(tmp_path / "song.wav").resolve(),
        audio=audio.read(tmp_path / "song.wav"),
        score_path=(tmp_path / "song.mid").resolve(),
        score=score,
        # The user has moved note 0 and deleted note 2, which the alignment had called absent.
        alignment=Alignment(time_map, (scored[0], notes[1], scored[2]), confidence, 0.75, -12.5, frozenset({2})),
        anchors=((0.5, 0.6), (1 / 3, 1.0)),
        notes=MappingProxyType(notes),
        absent=frozenset({1}),
        mask=(MaskEdit(60, 0.1, 0.2, allow=True, layer=1), MaskEdit(61, 0.3, 1 / 3, allow=False)),
        template_limits=MappingProxyType({60: TemplateLimit(harmonics=3), 61: TemplateLimit(tolerance_cents=1 / 3 + 20)}),
        layers=(Layer(1, "Flöte", "#5ABBF8", hidden=True, templates=4), Layer(0, "a/b 🎻", "#F4828F", locked=True)),
        strips=MappingProxyType({1: Strip(-6.5, 0.25, muted=True), RESIDUAL: Strip(float("-inf"), -1.0, soloed=True)}),
        settings=ModelSettings(method="nae", iterations=7, beta=0.5, before_s=None, after_s=0.3, harmonics=20, seed=2**63 - 1),
    )


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


def rewrite(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


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


@contextlib.contextmanager
def disk_with(size: int):
    """Nothing longer than `size` bytes can be written."""
    resource = pytest.importorskip("resource")
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


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


def test_a_project_that_may_not_be_written_is_not_replaced(tmp_path, full, monkeypatch):
    path = tmp_path / "a.soli"
    storage.save(path, full)
    before = path.read_bytes()
    monkeypatch.setattr("os.access", lambda *_: False)  # who runs the tests may be allowed everything
    with pytest.raises(ProjectError, match="may not be written"):
        storage.save(path, replace(full, layers=()))
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path, full):
    path = tmp_path / "closed" / "a.soli"
    path.parent.mkdir()
    storage.save(path, full)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(ProjectError, match="Permission denied"):
            storage.save(path, full)
        assert open_project(path).state.layers == full.layers
    finally:
        path.parent.chmod(0o700)


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
    monkeypatch.setattr(audio, "read", lambda path: touched.append(str(path)))
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
