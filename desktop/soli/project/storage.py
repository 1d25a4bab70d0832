"""The project file `*.soli`: one SQLite database.

application_id is "Soli", user_version the version of this schema; a newer one is refused untouched, an older
one is brought up to this in memory (see `migration`).

meta(key, value)        recording, recording_sha256, score, title, tuning_cents, sure, slowest, fastest: text
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

Saving writes a new database beside the old one and renames it, so that a file under its final name is always whole.
"""

import json
import math
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, astuple, fields, replace
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.errors import InputError, ProjectError, SoliError
from soli.files import beside
from soli.playback.mixer import Strip
from soli.progress import Progress, Steps
from soli.project.migration import migrated
from soli.project.pipeline import Loaded
from soli.project.state import Layer, State
from soli.score.alignment import Alignment
from soli.score.limits import LIMITS, checked_limits
from soli.score.notes import Beat, Note, Pedal, Score, TimeMap
from soli.signal import audio

APPLICATION_ID = 0x536F6C69  # "Soli"
VERSION = 2
SUFFIX = ".soli"
LONGEST_S = 1e7
MOST_TRACKS = 65_535  # a Standard MIDI File holds no more

_NOTE = """id INTEGER PRIMARY KEY, onset_s REAL, offset_s REAL, pitch INTEGER, velocity INTEGER,
track INTEGER, channel INTEGER, program INTEGER, pedal_s REAL, layer INTEGER, before_s REAL, after_s REAL"""
_NOTE_FIELDS = tuple(column.split()[0] for column in _NOTE.split(","))
_NOTE_VALUES = attrgetter(*_NOTE_FIELDS)
_SCHEMA = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) STRICT;
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT) STRICT;
CREATE TABLE layer(position INTEGER PRIMARY KEY, id INTEGER, name TEXT, colour TEXT,
hidden INTEGER, locked INTEGER, templates INTEGER) STRICT;
CREATE TABLE strip(id INTEGER PRIMARY KEY, gain_db REAL, pan REAL, muted INTEGER, soloed INTEGER) STRICT;
CREATE TABLE note({_NOTE}) STRICT;
CREATE TABLE score_note({_NOTE}) STRICT;
CREATE TABLE aligned_note({_NOTE}, confidence REAL, absent INTEGER) STRICT;
CREATE TABLE score_track(position INTEGER PRIMARY KEY, name TEXT) STRICT;
CREATE TABLE beat(position INTEGER PRIMARY KEY, time_s REAL, bar INTEGER, beat INTEGER) STRICT;
CREATE TABLE pedal(position INTEGER PRIMARY KEY, channel INTEGER, down_s REAL, up_s REAL) STRICT;
CREATE TABLE time_map(position INTEGER PRIMARY KEY, score_s REAL, recording_s REAL) STRICT;
CREATE TABLE stroke(position INTEGER PRIMARY KEY, pitch INTEGER, start_s REAL, end_s REAL, allow INTEGER, layer INTEGER) STRICT;
CREATE TABLE template_limit(pitch INTEGER PRIMARY KEY, harmonics INTEGER, tolerance_cents REAL) STRICT;
CREATE TABLE absent(note INTEGER PRIMARY KEY) STRICT;
CREATE TABLE anchor(score_s REAL, recording_s REAL) STRICT;
"""


def save(path: Path, state: State) -> None:
    """Write the project. Raises ProjectError when the place cannot be written; the former file is whole then."""
    try:
        with beside(path) as partial, closing(sqlite3.connect(partial)) as db, db:
            # No other file is made beside it, and the disk is waited for once: nobody sees this one before it is whole.
            db.executescript(
                f"PRAGMA journal_mode = MEMORY; BEGIN; PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {VERSION}; {_SCHEMA}"
            )
            _write(db, state, path.parent)
    except (OSError, sqlite3.Error, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(
            f"{path}: the project cannot be saved ({reason}); choose another place, your work is still open"
        ) from error


def open_steps(path: Path) -> Steps[Loaded]:
    """Read a project and the recording it names.

    A recording that moved is looked for beside the project; one that is not found, cannot be read or has other samples is
    told in the warning and the rest opens. Raises ProjectError when the file is no project that this version can read.
    """
    yield Progress(0, 2, f"Opening {path.name}")
    if not os.path.isfile(path):  # noqa: PTH113  (no error for a name that is too long or in a closed folder)
        raise ProjectError(f"{path}: no such project; choose another file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise ProjectError(f"{path.name}: not a Soli project; choose a file that Soli saved")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ProjectError(
                    f"{path.name}: saved by a newer Soli (format {version}, this one reads up to {VERSION}); update Soli"
                )
            if version == VERSION:
                state, meta = _read(db, path.parent)
            else:
                with closing(migrated(db, version)) as newer:
                    state, meta = _read(newer, path.parent)
    except (sqlite3.Error, ValueError, TypeError, KeyError, ArithmeticError, RecursionError, MemoryError, SoliError) as error:
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
    candidates = [_resolved(named, project.parent), _resolved(Path(named).name, project.parent)]
    found = next((path for path in candidates if os.path.isfile(path)), None)  # noqa: PTH113
    # A recording that is not there keeps its place in the project: it may be there the next time.
    state = replace(state, recording_path=found or candidates[0])
    if found is None:
        return Loaded(state, warning=f"the recording {candidates[0].name} was not found; put it back to hear this project")
    try:
        recording = audio.read(found)
    except InputError as error:
        return Loaded(state, warning=str(error))
    known = meta.get("recording_sha256", "")
    changed = known and known != recording.fingerprint
    warning = f"{found.name} is not the recording this project was saved with; notes may lie elsewhere" if changed else ""
    return Loaded(replace(state, audio=recording), warning=warning)


def _relative(path: Path, folder: Path) -> str:
    """`path` as seen from `folder`, so that both can move together; whole where there is no way, as from drive to drive."""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return str(path)


def _resolved(name: str, folder: Path) -> Path:
    return Path(os.path.normpath(folder.resolve() / name))


def _write(db: sqlite3.Connection, state: State, folder: Path) -> None:
    def rows(table: str, values: Iterable[tuple[Any, ...]]) -> None:
        values = list(values)
        if values:
            db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(values[0]))})", values)

    meta = {"title": state.score.title if state.score else ""}
    if state.recording_path:
        meta["recording"] = _relative(state.recording_path, folder)
    if state.audio:
        meta["recording_sha256"] = state.audio.fingerprint
    if state.score_path:
        meta["score"] = _relative(state.score_path, folder)
    if state.alignment:
        meta["sure"], meta["tuning_cents"] = str(state.alignment.sure), str(state.alignment.tuning_cents)
        meta["slowest"], meta["fastest"] = map(str, state.limits)
        time_map = state.alignment.time_map
        rows("time_map", zip(range(len(time_map.score_s)), time_map.score_s.tolist(), time_map.recording_s.tolist(), strict=True))
    rows("meta", meta.items())
    rows("settings", ((key, json.dumps(value)) for key, value in asdict(state.settings).items()))
    rows("layer", ((i, *astuple(layer)) for i, layer in enumerate(state.layers)))
    rows("strip", ((i, s.gain_db, s.pan, s.muted, s.soloed) for i, s in state.strips.items()))
    rows("note", map(_NOTE_VALUES, state.notes.values()))
    rows("stroke", ((i, *astuple(stroke)) for i, stroke in enumerate(state.mask)))
    limits = state.template_limits.items()
    rows("template_limit", ((pitch, limit.harmonics, limit.tolerance_cents) for pitch, limit in limits))
    rows("absent", ((i,) for i in sorted(state.absent)))
    rows("anchor", state.anchors)
    if state.score and state.alignment:
        rows("score_note", map(_NOTE_VALUES, state.score.notes))
        found = zip(state.alignment.notes, state.alignment.confidence.tolist(), strict=True)
        rows("aligned_note", ((*_NOTE_VALUES(n), c, n.id in state.alignment.absent) for n, c in found))
        rows("score_track", enumerate(state.score.track_names))
        rows("beat", ((i, *astuple(beat)) for i, beat in enumerate(state.score.beats)))
        rows("pedal", ((i, *astuple(pedal)) for i, pedal in enumerate(state.score.pedals)))


def _read(db: sqlite3.Connection, folder: Path) -> tuple[State, dict[str, str]]:
    meta = dict(_rows(db, "SELECT key, value FROM meta", _text, _text))
    query = "SELECT id, name, colour, hidden, locked, templates FROM layer ORDER BY position"
    layers = tuple(Layer(*row) for row in _rows(db, query, _whole, _text, _colour, bool, bool, _whole_or_none))
    if len({layer.id for layer in layers}) < len(layers):
        raise ValueError("two layers have one id")
    flat = _rows(db, "SELECT id, gain_db, pan, muted, soloed FROM strip", _whole, _gain, _real, bool, bool)
    notes = {note.id: note for note in _notes(db, "note")}
    strokes = _rows(
        db,
        "SELECT pitch, start_s, end_s, allow, layer FROM stroke ORDER BY position",
        _seven_bits,
        _time,
        _time,
        bool,
        _whole_or_none,
    )
    limits = _rows(db, "SELECT pitch, harmonics, tolerance_cents FROM template_limit", _seven_bits, _whole_or_none, _real_or_none)
    score, alignment = _read_score(db, meta)
    state = State(
        score_path=_resolved(meta["score"], folder) if meta.get("score") else None,
        score=score,
        alignment=alignment,
        notes=MappingProxyType(notes),
        absent=frozenset(i for (i,) in _rows(db, "SELECT note FROM absent", _whole)),
        anchors=tuple(_rows(db, "SELECT score_s, recording_s FROM anchor ORDER BY rowid", _time, _time)),
        limits=checked_limits((float(meta.get("slowest", LIMITS[0])), float(meta.get("fastest", LIMITS[1])))),
        mask=tuple(MaskEdit(*row) for row in strokes),
        template_limits=MappingProxyType({pitch: TemplateLimit(*values) for pitch, *values in limits}),
        layers=layers,
        strips=MappingProxyType({row[0]: Strip(*row[1:]) for row in flat}),
        settings=_settings(dict(_rows(db, "SELECT key, value FROM settings", _text, _text))),
    )
    return state, meta


def _read_score(db: sqlite3.Connection, meta: dict[str, str]) -> tuple[Score | None, Alignment | None]:
    knots = list(_rows(db, "SELECT score_s, recording_s FROM time_map ORDER BY position", _time, _time))
    scored = tuple(_notes(db, "score_note"))
    if not scored or not knots:
        return None, None
    beats = _rows(db, "SELECT time_s, bar, beat FROM beat ORDER BY position", _time, _whole, _whole)
    pedals = _rows(db, "SELECT channel, down_s, up_s FROM pedal ORDER BY position", _whole, _time, _time)
    score = Score(
        notes=scored,
        track_names=tuple(name for (name,) in _rows(db, "SELECT name FROM score_track ORDER BY position", _text)),
        beats=tuple(Beat(*row) for row in beats),
        pedals=tuple(Pedal(*row) for row in pedals),
        title=meta.get("title", ""),
    )
    aligned = tuple(_notes(db, "aligned_note"))
    found = list(_rows(db, "SELECT id, confidence, absent FROM aligned_note ORDER BY id", _whole, _real, bool))
    if [note.id for note in aligned] != [note.id for note in scored]:
        raise ValueError("the alignment is of another score")
    alignment = Alignment(
        time_map=TimeMap(np.array([a for a, _ in knots]), np.array([b for _, b in knots])),
        notes=aligned,
        confidence=np.array([confidence for _, confidence, _ in found], np.float32),
        sure=_real(float(meta.get("sure", 1.0))),
        tuning_cents=_real(float(meta.get("tuning_cents", 0.0))),
        absent=frozenset(i for i, _, absent in found if absent),
    )
    return score, alignment


def _notes(db: sqlite3.Connection, table: str) -> Iterator[Note]:
    columns = ", ".join(_NOTE_FIELDS)
    kinds = (_whole, _time, _time, _seven_bits, _seven_bits, _track, _channel, _seven_bits, _time, _whole, _tolerance, _tolerance)
    for row in _rows(db, f"SELECT {columns} FROM {table} ORDER BY id", *kinds):
        note = Note(*row)
        if note.offset_s < note.onset_s:
            raise ValueError(f"note {note.id} ends before it begins")
        yield note


def _settings(stored: dict[str, str]) -> ModelSettings:
    """The settings that are known; ModelSettings itself refuses values outside their ranges."""
    chosen: dict[str, Any] = {}
    for known in fields(ModelSettings):
        if known.name not in stored:
            continue
        value = json.loads(stored[known.name])
        optional = value is None and known.default is None
        if known.type in (int, int | None) and type(value) is not int and not optional:
            raise ValueError(f"{known.name} is no whole number")
        if known.type in (float, float | None) and type(value) not in (int, float) and not optional:
            raise ValueError(f"{known.name} is no number")
        chosen[known.name] = value
    return ModelSettings(**chosen)


def _rows(db: sqlite3.Connection, query: str, *kinds: Callable[[Any], Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, each value made sure of: a damaged file may hold anything anywhere."""
    for row in db.execute(query):
        yield tuple(kind(value) for kind, value in zip(kinds, row, strict=True))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _colour(value: Any) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", _text(value)):
        raise ValueError(f"{value!r} is no colour")
    return str(value)


def _within(value: Any, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{value!r} is out of range")


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _whole_or_none(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _real_or_none(value: Any) -> float | None:
    return None if value is None else _real(value)


def _tolerance(value: Any) -> float | None:
    if value is not None:
        _within(value, 0, LONGEST_S)
    return _real_or_none(value)


def _seven_bits(value: Any) -> int:
    _within(_whole(value), 0, 127)
    return int(value)


def _channel(value: Any) -> int:
    _within(_whole(value), 0, 15)
    return int(value)


def _track(value: Any) -> int:
    _within(_whole(value), 0, MOST_TRACKS)
    return int(value)


def _real(value: Any) -> float:
    _within(value, -1e300, 1e300)
    return float(value)


def _time(value: Any) -> float:
    _within(value, -LONGEST_S, LONGEST_S)
    return float(value)


def _gain(value: Any) -> float:
    _within(value, -math.inf, 1e3)
    return float(value)
