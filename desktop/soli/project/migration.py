"""Project files of earlier formats, brought to the present one a step at a time."""

import sqlite3

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
    2: """
        CREATE TABLE outlook(key TEXT PRIMARY KEY, value REAL) STRICT;
        CREATE TABLE source_settings(key TEXT PRIMARY KEY, value TEXT) STRICT;
        CREATE TABLE source_layer(position INTEGER PRIMARY KEY, id INTEGER, name TEXT, colour TEXT,
        hidden INTEGER, locked INTEGER, templates INTEGER) STRICT;
        CREATE TABLE source_note(id INTEGER PRIMARY KEY, onset_s REAL, offset_s REAL, pitch INTEGER, velocity INTEGER,
        track INTEGER, channel INTEGER, program INTEGER, pedal_s REAL, layer INTEGER, before_s REAL, after_s REAL) STRICT;
        CREATE TABLE source_stroke(position INTEGER PRIMARY KEY, pitch INTEGER, start_s REAL, end_s REAL, allow INTEGER,
        layer INTEGER) STRICT;
        CREATE TABLE source_template_limit(pitch INTEGER PRIMARY KEY, harmonics INTEGER, tolerance_cents REAL) STRICT;
        CREATE TABLE source_absent(note INTEGER PRIMARY KEY) STRICT;
        CREATE TABLE result(key TEXT PRIMARY KEY, value TEXT) STRICT;
        CREATE TABLE array(name TEXT PRIMARY KEY, dtype TEXT, shape TEXT, fortran INTEGER) STRICT;
        CREATE TABLE sound(name TEXT PRIMARY KEY, rate INTEGER, length INTEGER, channels INTEGER) STRICT;
        CREATE TABLE block(name TEXT, number INTEGER, codec TEXT, crc INTEGER, data BLOB, PRIMARY KEY (name, number)) STRICT;
    """,
}


def migrate(db: sqlite3.Connection, newer: sqlite3.Connection, version: int) -> None:
    """Make `newer` a copy of `db`, brought from format `version` to the present one.

    Raises sqlite3.Error or KeyError when there is no way from what it holds.
    """
    db.backup(newer)
    for step in range(version, max(STEPS) + 1):
        newer.executescript(STEPS[step])
