"""Project files of earlier formats, brought to the present one a step at a time."""

import sqlite3
from contextlib import ExitStack

# Statements that make of a database of one format one of the next.
STEPS = {
    1: """
        ALTER TABLE layer ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE layer ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE layer ADD COLUMN templates INTEGER;
        ALTER TABLE note ADD COLUMN before_s REAL;
        ALTER TABLE note ADD COLUMN after_s REAL;
        ALTER TABLE score_note ADD COLUMN before_s REAL;
        ALTER TABLE score_note ADD COLUMN after_s REAL;
        ALTER TABLE aligned_note ADD COLUMN before_s REAL;
        ALTER TABLE aligned_note ADD COLUMN after_s REAL;
        CREATE TABLE template_limit(pitch INTEGER PRIMARY KEY, harmonics INTEGER, tolerance_cents REAL) STRICT;
    """,
}


def migrated(db: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A copy of `db` in memory, brought from format `version` to the present one; the file stays as it is.

    Raises sqlite3.Error or KeyError when there is no way from what it holds.
    """
    newer = sqlite3.connect(":memory:")
    with ExitStack() as undone:
        undone.callback(newer.close)
        db.backup(newer)
        newer.execute("PRAGMA trusted_schema = OFF")
        for step in range(version, max(STEPS) + 1):
            newer.executescript(STEPS[step])
        undone.pop_all()
    return newer
