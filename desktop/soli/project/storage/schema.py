"""The project file `*.soli`: one SQLite database.

application_id is "Soli", user_version the version of this schema; a newer one is refused untouched, an older
one is brought up to this in memory (see `migration`).

meta(key, value)        recording, recording_sha256, recording_rate, recording_length, recording_channels, score, title,
                        tuning_cents, sure, slowest, fastest: text; keys: a JSON list of key signatures [score_s, fifths]
settings(key, value)    fields of ModelSettings, JSON values
layer(position, id, name, colour, hidden, locked, templates)
strip(id, gain_db, pan, muted, soloed)             id -1 is the residual, -2 the original
note(id, onset_s, offset_s, pitch, velocity, track, channel, program, pedal_s, layer, before_s, after_s)
                        in the recording's seconds
score_note(... as note)                            in the score's seconds
aligned_note(... as note, confidence, absent)      where the alignment put it, before the user moved any
score_track(position, name); beat(position, time_s, bar, beat); pedal(position, channel, down_s, up_s)
time_map(position, score_s, recording_s)
stroke(position, pitch, start_s, end_s, allow, layer)     the mask brush, in painting order
template_limit(pitch, harmonics, tolerance_cents)         what the user allows the templates of a pitch
absent(note)                                              ids of notes that take no part in the decomposition
anchor(score_s, recording_s)                              places that the user made sure of
outlook(key, value)     what the window shows: start_s, end_s, lowest, highest, playhead_s, loop_start_s, loop_end_s, loop_on

The results of the last run, so that the project opens ready to play; empty where there are none:

source_settings, source_layer, source_note, source_stroke, source_template_limit, source_absent
                        as the tables without "source_": what was decomposed
result(key, value)      what belongs to the factors beside their arrays: text
array(name, dtype, shape, fortran)                 W, H and what else the factors are made of; shape is a JSON list
sound(name, rate, length, channels)                "layer ID" for each layer, and "recording" where it lies in the project
block(name, number, codec, crc, data)              the bytes of arrays and sounds, cut into pieces (see `blocks`)

The residual is what the layers leave of the recording, to the last bit, and is not stored.

Saving writes a new database beside the old one and renames it: a file under its final name is always whole, is one file that
can be copied at any time, and needs no journal beside it, as a write-ahead log would on a memory stick or in a folder that is
synchronised. The autosave, which nobody copies, is the same database with a write-ahead log, written in place.
"""

APPLICATION_ID = 0x536F6C69  # "Soli"
VERSION = 3
SUFFIX = ".soli"

NOTE = """id INTEGER PRIMARY KEY, onset_s REAL, offset_s REAL, pitch INTEGER, velocity INTEGER,
track INTEGER, channel INTEGER, program INTEGER, pedal_s REAL, layer INTEGER, before_s REAL, after_s REAL"""

# What is decomposed is stored twice: as it is, and as it was when the results were found.
_MODELLED = {
    "settings": "key TEXT PRIMARY KEY, value TEXT",
    "layer": """position INTEGER PRIMARY KEY, id INTEGER, name TEXT, colour TEXT,
hidden INTEGER, locked INTEGER, templates INTEGER""",
    "note": NOTE,
    "stroke": """position INTEGER PRIMARY KEY, pitch INTEGER, start_s REAL, end_s REAL, allow INTEGER, layer INTEGER""",
    "template_limit": "pitch INTEGER PRIMARY KEY, harmonics INTEGER, tolerance_cents REAL",
    "absent": "note INTEGER PRIMARY KEY",
}
STATE_TABLES = {
    "meta": "key TEXT PRIMARY KEY, value TEXT",
    **_MODELLED,
    "strip": "id INTEGER PRIMARY KEY, gain_db REAL, pan REAL, muted INTEGER, soloed INTEGER",
    "score_note": NOTE,
    "aligned_note": f"{NOTE}, confidence REAL, absent INTEGER",
    "score_track": "position INTEGER PRIMARY KEY, name TEXT",
    "beat": "position INTEGER PRIMARY KEY, time_s REAL, bar INTEGER, beat INTEGER",
    "pedal": "position INTEGER PRIMARY KEY, channel INTEGER, down_s REAL, up_s REAL",
    "time_map": "position INTEGER PRIMARY KEY, score_s REAL, recording_s REAL",
    "anchor": "score_s REAL, recording_s REAL",
    "outlook": "key TEXT PRIMARY KEY, value REAL",
}
SOURCE = "source_"
RESULT_TABLES = {
    **{SOURCE + name: columns for name, columns in _MODELLED.items()},
    "result": "key TEXT PRIMARY KEY, value TEXT",
    "array": "name TEXT PRIMARY KEY, dtype TEXT, shape TEXT, fortran INTEGER",
    "sound": "name TEXT PRIMARY KEY, rate INTEGER, length INTEGER, channels INTEGER",
    "block": "name TEXT, number INTEGER, codec TEXT, crc INTEGER, data BLOB, PRIMARY KEY (name, number)",
}


def statements(tables: dict[str, str]) -> str:
    """The SQL that creates `tables`."""
    return "\n".join(f"CREATE TABLE {name}({columns}) STRICT;" for name, columns in tables.items())


SCHEMA = statements({**STATE_TABLES, **RESULT_TABLES})
