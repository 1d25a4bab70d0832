"""Damaged project files: bytes of the database, and contents that a hand with a database program would write."""

import sqlite3
import struct
import tempfile
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from fuzz.mutations import Rng, damaged
from synth import melody, render

VALUES = (
    *(None, -1, 0, 1, 127, 128, 2**31, 2**62, -(2**63), 0.5, -1e300, 1e300, float("inf"), 5e-324, "", "nan", "9" * 5000),
    *(
        "[1073741824, 1073741824]",
        "[-1, 8]",
        "[[[[",
        "[" * 5000,
        "true",
        "../../etc/passwd",
        "/dev/zero",
        "NaN",
        "1e999",
        "\ud7ff\0",
    ),
    *(b"", b"\0" * 1000, b"\xff" * 100, b"fLaC" + bytes(60)),
)
DTYPES = ("<f4", "<f8", "<i8", "|O", "float64", "<U9999999", "V1", ">f4")


@cache
def whole(results: bool) -> bytes:
    """A project of a second of music, its recording within; with the results of a run, or without."""
    from soli.decompose.settings import ModelSettings
    from soli.progress import finish
    from soli.project import pipeline, storage
    from soli.score import midi
    from soli.signal import audio

    music = (*melody((72, 76), step_s=0.4, length_s=0.35), *melody((48,), length_s=0.75, first_id=10, track=1))
    with tempfile.TemporaryDirectory() as folder:
        sound, score, project = (Path(folder) / f"song.{suffix}" for suffix in ("wav", "mid", "soli"))
        audio.write(sound, render(music, 8000), "wav16")
        midi.write(score, music, track_names=("right", "left"))
        opened = finish(pipeline.open_steps(sound, score, align=False)).state
        state = replace(opened, settings=ModelSettings(iterations=2))
        storage.save(project, state, separation=finish(pipeline.separate_steps(state)) if results else None, embed=True)
        return project.read_bytes()


def project(seed: int) -> tuple[str, bytes]:
    """A suffix and the bytes of a damaged project."""
    rng = np.random.default_rng([4, seed])
    content = whole(bool(rng.random() < 0.7))
    if rng.random() < 0.4:
        return ".soli", damaged(content, content[-4096:], rng, head=4096 if rng.random() < 0.5 else len(content))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.soli"
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA writable_schema = ON")
            for _ in range(int(rng.integers(1, 4))):
                _tamper(db, rng)
        return ".soli", path.read_bytes()


def _tamper(db: sqlite3.Connection, rng: Rng) -> None:
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    filled = [name for name in tables if db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()]
    if not filled:
        return
    table = filled[int(rng.integers(len(filled)))]
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    column = columns[int(rng.integers(len(columns)))]
    value = VALUES[int(rng.integers(len(VALUES)))]
    row = "rowid = (SELECT rowid FROM {} ORDER BY rowid LIMIT 1 OFFSET {})".format(
        table, int(rng.integers(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))
    )
    try:
        with db:
            which = int(rng.integers(9))
            if which < 5:
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {row}", (value,))
            elif which == 5:
                db.execute(f"DELETE FROM {table} WHERE {row}")
            elif which == 6:
                db.execute(f"DROP TABLE {table}")
            elif which == 7:
                db.execute("UPDATE array SET dtype = ? WHERE rowid = ?", (DTYPES[int(rng.integers(8))], int(rng.integers(1, 9))))
            else:
                blob = bytearray(db.execute("SELECT data FROM block LIMIT 1 OFFSET ?", (int(rng.integers(5)),)).fetchone()[0])
                blob[int(rng.integers(len(blob)))] ^= 1 << int(rng.integers(8))
                if rng.random() < 0.3:
                    blob[:8] = struct.pack("<Q", 2**40)
                db.execute("UPDATE block SET data = ? WHERE rowid = ?", (bytes(blob), int(rng.integers(1, 6))))
    except (sqlite3.Error, TypeError, UnicodeError, OverflowError):
        # What the database itself does not take is no case.
        return
