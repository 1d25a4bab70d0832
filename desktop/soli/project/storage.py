"""The project file `*.soli`: one SQLite database.

application_id is "Soli", user_version the version of this schema; a newer one is refused untouched.

meta(key, value)        recording, recording_sha256, score, title, tuning_cents, sure: text
settings(key, value)    fields of ModelSettings, JSON values
layer(position, id, name, colour)
strip(id, gain_db, pan, muted, soloed)             id -1 is the residual, -2 the original
note(id, onset_s, offset_s, pitch, velocity, track, channel, program, pedal_s, layer)     in the recording's seconds
score_note(id, onset_s, offset_s, pitch, velocity, track, channel, program, pedal_s, layer, confidence)   in the score's seconds
score_track(position, name); beat(position, time_s, bar, beat); pedal(position, channel, down_s, up_s)
time_map(position, score_s, recording_s)
stroke(position, pitch, start_s, end_s, allow, layer)     the mask brush, in painting order

Saving writes a new database beside the old one and renames it, so that a file under its final name is always whole.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.errors import ProjectError, SoliError
from soli.playback.mixer import Strip
from soli.progress import Progress, Steps
from soli.project.pipeline import Loaded
from soli.project.state import Layer, State
from soli.score.alignment import Alignment
from soli.score.notes import Beat, Note, Pedal, Score, TimeMap
from soli.signal import audio

APPLICATION_ID = 0x536F6C69  # "Soli"
VERSION = 1
SUFFIX = ".soli"

_NOTE = """id INTEGER PRIMARY KEY, onset_s REAL, offset_s REAL, pitch INTEGER, velocity INTEGER,
track INTEGER, channel INTEGER, program INTEGER, pedal_s REAL, layer INTEGER"""
_SCHEMA = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) STRICT;
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT) STRICT;
CREATE TABLE layer(position INTEGER PRIMARY KEY, id INTEGER, name TEXT, colour TEXT) STRICT;
CREATE TABLE strip(id INTEGER PRIMARY KEY, gain_db REAL, pan REAL, muted INTEGER, soloed INTEGER) STRICT;
CREATE TABLE note({_NOTE}) STRICT;
CREATE TABLE score_note({_NOTE}, confidence REAL) STRICT;
CREATE TABLE score_track(position INTEGER PRIMARY KEY, name TEXT) STRICT;
CREATE TABLE beat(position INTEGER PRIMARY KEY, time_s REAL, bar INTEGER, beat INTEGER) STRICT;
CREATE TABLE pedal(position INTEGER PRIMARY KEY, channel INTEGER, down_s REAL, up_s REAL) STRICT;
CREATE TABLE time_map(position INTEGER PRIMARY KEY, score_s REAL, recording_s REAL) STRICT;
CREATE TABLE stroke(position INTEGER PRIMARY KEY, pitch INTEGER, start_s REAL, end_s REAL, allow INTEGER, layer INTEGER) STRICT;
"""


def save(path: Path, state: State) -> None:
    """Write the project. Raises ProjectError when the place cannot be written; the former file is whole then."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(partial)) as db, db:
            db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; {_SCHEMA}")
            _write(db, state, path.parent)
        partial.replace(path)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(
            f"{path}: the project cannot be saved ({reason}); choose another place, your work is still open"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def open_steps(path: Path) -> Steps[Loaded]:
    """Read a project and the recording it names.

    A recording that moved is looked for beside the project; one that is not found, or whose samples changed, is told in
    the warning and the rest opens. Raises ProjectError when the file is no project that this version can read.
    """
    yield Progress(0, 2, f"Opening {path.name}")
    if not path.is_file():
        raise ProjectError(f"{path}: no such project; choose another file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise ProjectError(f"{path.name}: not a Soli project; choose a file that Soli saved")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ProjectError(
                    f"{path.name}: saved by a newer Soli (format {version}, this one reads up to {VERSION}); update Soli"
                )
            state, meta = _read(db)
    except (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError, SoliError) as error:
        if isinstance(error, ProjectError):
            raise
        raise ProjectError(f"{path.name}: the project is damaged ({error}); open a copy or begin anew") from error
    yield Progress(1, 2, "Reading the recording")
    return _with_recording(state, meta, path)


def _with_recording(state: State, meta: dict[str, str], project: Path) -> Loaded:
    named = meta.get("recording", "")
    if not named:
        return Loaded(state)
    # The name as it was saved, relative to the project; and the bare name beside the project, for a folder that moved.
    for candidate in (project.parent / named, project.parent / Path(named).name):
        if not candidate.is_file():
            continue
        recording = audio.read(candidate)
        state = replace(state, recording_path=candidate.resolve(), audio=recording)
        changed = meta.get("recording_sha256", "") != fingerprint(recording)
        warning = f"{candidate.name} is not the recording this project was saved with; notes may lie elsewhere" if changed else ""
        return Loaded(state, warning=warning)
    return Loaded(state, warning=f"the recording {Path(named).name} was not found; open it to hear this project")


def fingerprint(recording: audio.Audio) -> str:
    """SHA-256 of the samples and the rate, the same whatever file format holds them."""
    digest = hashlib.sha256(str((recording.rate, *recording.samples.shape)).encode())
    digest.update(np.ascontiguousarray(recording.samples).data)
    return digest.hexdigest()


def _write(db: sqlite3.Connection, state: State, folder: Path) -> None:
    def rows(table: str, values: Iterable[tuple[Any, ...]]) -> None:
        values = list(values)
        if values:
            db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(values[0]))})", values)

    meta = {"title": state.score.title if state.score else ""}
    if state.recording_path:
        meta["recording"] = os.path.relpath(state.recording_path, folder.resolve())
    if state.audio:
        meta["recording_sha256"] = fingerprint(state.audio)
    if state.score_path:
        meta["score"] = str(state.score_path)
    if state.alignment:
        meta["sure"], meta["tuning_cents"] = str(state.alignment.sure), str(state.alignment.tuning_cents)
        confidence = state.alignment.confidence.tolist()
        time_map = state.alignment.time_map
        rows("time_map", zip(range(len(time_map.score_s)), time_map.score_s.tolist(), time_map.recording_s.tolist(), strict=True))
    rows("meta", meta.items())
    rows("settings", ((key, json.dumps(value)) for key, value in asdict(state.settings).items()))
    rows("layer", ((i, *astuple(layer)) for i, layer in enumerate(state.layers)))
    rows("strip", ((i, s.gain_db, s.pan, s.muted, s.soloed) for i, s in state.strips.items()))
    rows("note", map(astuple, state.notes.values()))
    rows("stroke", ((i, *astuple(stroke)) for i, stroke in enumerate(state.mask)))
    if state.score and state.alignment:
        rows("score_note", ((*astuple(n), c) for n, c in zip(state.score.notes, confidence, strict=True)))
        rows("score_track", enumerate(state.score.track_names))
        rows("beat", ((i, *astuple(beat)) for i, beat in enumerate(state.score.beats)))
        rows("pedal", ((i, *astuple(pedal)) for i, pedal in enumerate(state.score.pedals)))


def _read(db: sqlite3.Connection) -> tuple[State, dict[str, str]]:
    meta = dict(db.execute("SELECT key, value FROM meta"))
    known = {f.name for f in fields(ModelSettings)}
    chosen = {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM settings") if key in known}
    layers = tuple(Layer(*row) for row in db.execute("SELECT id, name, colour FROM layer ORDER BY position"))
    strips = {
        i: Strip(g, p, bool(m), bool(s)) for i, g, p, m, s in db.execute("SELECT id, gain_db, pan, muted, soloed FROM strip")
    }
    notes = {row[0]: _note(row) for row in db.execute("SELECT * FROM note")}
    strokes = db.execute("SELECT pitch, start_s, end_s, allow, layer FROM stroke ORDER BY position")
    mask = tuple(MaskEdit(pitch, start, end, bool(allow), layer) for pitch, start, end, allow, layer in strokes)
    score, alignment = _read_score(db, meta, notes)
    state = State(
        score_path=Path(meta["score"]) if "score" in meta else None,
        score=score,
        alignment=alignment,
        notes=MappingProxyType(notes),
        mask=mask,
        layers=layers,
        strips=MappingProxyType(strips),
        settings=ModelSettings(**chosen),
    )
    return state, meta


def _read_score(db: sqlite3.Connection, meta: dict[str, str], notes: dict[int, Note]) -> tuple[Score | None, Alignment | None]:
    knots = db.execute("SELECT score_s, recording_s FROM time_map ORDER BY position").fetchall()
    scored = db.execute("SELECT * FROM score_note ORDER BY id").fetchall()
    if not scored or not knots:
        return None, None
    score = Score(
        notes=tuple(_note(row) for row in scored),
        track_names=tuple(name for (name,) in db.execute("SELECT name FROM score_track ORDER BY position")),
        beats=tuple(Beat(*row) for row in db.execute("SELECT time_s, bar, beat FROM beat ORDER BY position")),
        pedals=tuple(Pedal(*row) for row in db.execute("SELECT channel, down_s, up_s FROM pedal ORDER BY position")),
        title=meta.get("title", ""),
    )
    alignment = Alignment(
        time_map=TimeMap(np.array([a for a, _ in knots]), np.array([b for _, b in knots])),
        notes=tuple(notes.get(note.id, note) for note in score.notes),
        confidence=np.array([row[10] for row in scored], np.float32),
        sure=float(meta.get("sure", 1.0)),
        tuning_cents=float(meta.get("tuning_cents", 0.0)),
    )
    return score, alignment


def _note(row: tuple[Any, ...]) -> Note:
    note = Note(*row[:10])
    times = (note.onset_s, note.offset_s, note.pedal_s)
    if not (np.isfinite(times).all() and 0 <= note.pitch <= 127 and all(v is not None for v in row[:10])):
        raise ValueError(f"note {note.id} is no note")
    return note
