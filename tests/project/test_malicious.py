"""A project that means harm: what it holds beside tables is not run, what lies beside it is not looked at, nothing is written."""

import hashlib
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from project.conftest import open_project
from project.states import listing

from soli.errors import ProjectError
from soli.files import stamp_of
from soli.project import storage
from soli.project.storage import Kept, file
from soli.project.storage.copying import copy_results_steps
from soli.project.storage.results import has_results


@pytest.fixture
def path(tmp_path, state, separation):
    """A project with results in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    storage.save(folder / "a.soli", state, separation=separation, embed=True)
    return folder / "a.soli"


def tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("BEGIN")
        for statement in statements:
            db.execute(statement)
        db.commit()


# What each would do if it were run: write to another file, call a function that others have made dangerous, never end.
SCHEMAS = {
    "trigger": ["CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM layer; END"],
    "view": ["DROP TABLE layer", "CREATE VIEW layer AS SELECT 1, 2, load_extension('/tmp/evil'), 4, 5, 6, 7"],
    "view for results": ["DROP TABLE result", "CREATE VIEW result AS SELECT key, value FROM settings"],
    "virtual table": [
        "DROP TABLE layer",
        "CREATE VIRTUAL TABLE layer USING fts5(position, id, name)",
    ],
    "computed column": ["ALTER TABLE layer ADD COLUMN extra AS (randomblob(1000000000))"],
    "expression index": ["CREATE INDEX i ON layer(length(name || hex(zeroblob(1000000))))"],
    "default": ["DROP TABLE absent", "CREATE TABLE absent(note INTEGER DEFAULT (load_extension('/tmp/evil')))"],
    "check": ["DROP TABLE absent", "CREATE TABLE absent(note INTEGER CHECK (load_extension('/tmp/evil')))"],
    "schema that is none": ["UPDATE sqlite_master SET sql = 'CREATE TABLE layer(' WHERE name = 'layer'"],
    "schema of another name": ["UPDATE sqlite_master SET sql = 'DROP TABLE note' WHERE name = 'layer'"],
    "root of another table": ["UPDATE sqlite_master SET rootpage = 2 WHERE type = 'table'"],
    "root beyond the end": ["UPDATE sqlite_master SET rootpage = 1000000 WHERE name = 'layer'"],
    "thousands of tables": [f"CREATE TABLE x{n}(a)" for n in range(3000)],
    "view behind other tables": [
        "DROP TABLE layer",
        *(f"CREATE TABLE x{n}(a)" for n in range(300)),
        "CREATE VIEW layer AS SELECT 0 position, 0 id, sqlite_version() name, '#112233' colour, 0 hidden, 0 locked, 0 templates",
    ],
    "computed column behind other tables": [
        "DROP TABLE result",
        *(f"CREATE TABLE x{n}(a)" for n in range(300)),
        "CREATE TABLE result(key TEXT, plain TEXT, value TEXT AS (upper(plain)))",
    ],
}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_of_its_own_is_refused_or_does_nothing(path, kind):
    try:
        tamper(path, *SCHEMAS[kind])
    except sqlite3.Error as error:
        pytest.skip(f"this SQLite does not make one ({error})")
    before = path.read_bytes()
    if kind in (
        "expression index",
        "default",
        "check",
        "thousands of tables",
    ):  # plain tables, and reading runs nothing
        assert len(open_project(path).state.notes) > 0
    else:
        with pytest.raises(ProjectError) as told:
            open_project(path)
        assert "\n" not in str(told.value)
    assert path.read_bytes() == before
    assert listing(path.parent) == ["a.soli"]


@pytest.mark.parametrize(
    "kind",
    [
        "trigger",
        "view for results",
        "computed column",
        "virtual table",
        "view behind other tables",
        "computed column behind other tables",
    ],
)
def test_nor_is_it_run_where_results_are_copied_from_it(tmp_path, path, kind, state):
    """Between opening and saving a file may have been replaced."""
    tamper(path, *SCHEMAS[kind])
    storage.save(tmp_path / "b.soli", state, kept=Kept(path))
    assert open_project(tmp_path / "b.soli").separation is None
    with closing(sqlite3.connect(":memory:")) as db:
        file.create(db)
        for _ in copy_results_steps(db, path, stamp_of(path)):
            pass
        assert not has_results(db)


def hot_journal(path: Path, names: Path) -> bytes:
    """A journal as it is left by a crash amid a transaction on several files, the first of which is called `names`."""
    pages = path.stat().st_size // 4096
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">iIIII", 1, 7, pages, 512, 4096)
    page = b"\xee" * 4096
    checksum = (7 + sum(page[4096 - 200 :: -200])) & 0xFFFFFFFF
    record = struct.pack(">I", 2) + page + struct.pack(">I", checksum)
    name = bytes(names)
    tail = struct.pack(">I", 2**32 - 1) + name + struct.pack(">II", len(name), sum(name)) + head[:8]
    return head.ljust(512, b"\0") + record + tail


def test_a_journal_beside_it_is_not_played_back(tmp_path, path, state):
    """SQLite would write to the project, and remove the file that the journal names."""
    other = tmp_path / "precious.txt"
    other.write_bytes(b"precious")
    (path.parent / "a.soli-journal").write_bytes(hot_journal(path, other))
    digest = hashlib.sha256(path.read_bytes()).digest()
    assert open_project(path).separation is not None
    storage.save(tmp_path / "b.soli", state, kept=Kept(path))
    assert open_project(tmp_path / "b.soli").separation is not None
    assert hashlib.sha256(path.read_bytes()).digest() == digest
    assert other.read_bytes() == b"precious"
    assert listing(path.parent) == ["a.soli", "a.soli-journal"]


def test_a_log_beside_it_is_not_played_back(path):
    (path.parent / "a.soli-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\0" * 5000)
    content = bytearray(path.read_bytes())
    content[18:20] = b"\x02\x02"
    path.write_bytes(content)
    assert open_project(path).separation is not None
    assert path.read_bytes() == content
    assert listing(path.parent) == ["a.soli", "a.soli-wal"]


def bomb(size: int) -> bytes:
    """Few bytes that unpack to `size` zeros."""
    work = zlib.compressobj(1)
    return b"".join([*(work.compress(bytes(2**20)) for _ in range(size // 2**20)), work.flush()])


@pytest.mark.parametrize("size", [2**28, 2**22 + 2**20])
def test_blocks_that_unpack_to_more_than_they_may_are_told(path, size):
    packed = bomb(size)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE block SET codec = 'zlib', data = ?, crc = ?", (packed, zlib.crc32(packed)))
    opened = open_project(path)
    assert opened.separation is None
    assert opened.state.audio is None
    assert "cannot be read" in opened.warning


def test_hours_of_silence_in_small_blocks_are_held_against_the_room_there_is(path, monkeypatch):
    """Each block is whole: a small file may hold more sound than there is room for."""
    from soli.signal import maps

    with closing(sqlite3.connect(path)) as db, db:
        (found,) = db.execute("SELECT data FROM block WHERE name = 'recording'").fetchall()[:1]
        db.execute("DELETE FROM block WHERE name = 'recording'")
        rows = [("recording", number, "flac", zlib.crc32(found[0]), found[0]) for number in range(20_000)]
        db.executemany("INSERT INTO block VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("UPDATE sound SET length = ? WHERE name = 'recording'", (20_000 * 2**17,))
    monkeypatch.setattr(maps, "zeros", None)
    opened = open_project(path)
    assert opened.state.audio is None
    assert "too much" in opened.warning
    assert "\n" not in opened.warning


def test_more_layers_than_there_is_room_for_are_left_alone(path, monkeypatch):
    from soli.project.storage import results

    monkeypatch.setattr(results, "memory_bytes", lambda: 0)
    monkeypatch.setattr(results.maps, "room_bytes", lambda: 0)
    monkeypatch.setattr(results.maps, "LARGEST_IN_MEMORY", 1000)
    opened = open_project(path)
    assert opened.separation is None
    assert "more than there is room for" in opened.warning


@pytest.mark.parametrize("claim", [2**31, 2**40, 2**62, -1])
def test_shapes_that_cannot_be_are_told_before_room_is_made_for_them(path, claim):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE array SET shape = ? WHERE shape LIKE '%,%'", (f"[{claim}, {claim}]",))
        db.execute("UPDATE sound SET length = ?", (claim,))
    try:
        opened = open_project(path)
    except ProjectError:
        assert claim not in range(2**40 + 1), "what might be a length costs no more than what claims it"
    else:
        assert (opened.separation, opened.state.audio) == (None, None)
        assert len(opened.state.notes) > 0


@pytest.mark.parametrize("dtype", ["|O", "O8", "V8", "U9999", "M8[ns]", "<c16", "f4,f4", "{}"])
def test_arrays_of_what_is_no_number_are_refused(path, dtype):
    """Among them those that numpy would unpickle."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE array SET dtype = ?", (dtype,))
    assert open_project(path).separation is None


def test_nothing_is_unpickled_or_evaluated(path, monkeypatch):
    import builtins
    import pickle

    def never(*_args, **_options):
        raise AssertionError("run")

    for module, name in ((pickle, "loads"), (pickle, "load"), (builtins, "eval"), (builtins, "exec")):
        monkeypatch.setattr(module, name, never)
    opened = open_project(path)
    assert opened.separation is not None
    assert np.isfinite(opened.separation.factors.W).all()
