"""The state of a piece as tables, and back."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, astuple, fields
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.playback.mixer import Strip
from soli.project.outlook import Outlook
from soli.project.state import Layer, State
from soli.project.storage import values
from soli.project.storage.places import relative, resolved
from soli.project.storage.recordings import Wanted
from soli.project.storage.schema import NOTE, SOURCE
from soli.project.storage.values import rows
from soli.score.alignment import Alignment
from soli.score.limits import LIMITS, checked_limits
from soli.score.notes import Beat, KeySignature, Note, Pedal, Score, TimeMap

_NOTE_FIELDS = tuple(column.split()[0] for column in NOTE.split(","))
_NOTE_VALUES = attrgetter(*_NOTE_FIELDS)
# Fields of State that say what is decomposed, and their tables where these have another name.
MODELLED = ("settings", "layers", "notes", "mask", "template_limits", "absent")
_TABLES = {"layers": "layer", "notes": "note", "mask": "stroke", "template_limits": "template_limit"}
_NOTE_KINDS: tuple[Callable[[Any], Any], ...] = (
    values.whole,
    values.time,
    values.time,
    values.seven_bits,
    values.seven_bits,
    values.track,
    values.channel,
    values.seven_bits,
    values.time,
    values.whole,
    values.tolerance,
    values.tolerance,
)


def write_state(
    db: sqlite3.Connection,
    state: State,
    folder: Path | None,
    outlook: Outlook | None = None,
    wanted: Wanted | None = None,
    *,
    since: State | None = None,
) -> None:
    """Put a state into `db`, in place of any other; files are named as seen from `folder`, or in full.

    wanted: the recording of a piece that is open without it. since: the state that lies in `db`, so that no more
    is written than what is new.
    """

    def differs(*names: str) -> bool:
        return since is None or any(getattr(state, name) is not getattr(since, name) for name in names)

    _fill(db, "meta", _meta(state, folder, wanted).items())
    _fill(db, "outlook", asdict(outlook).items() if outlook is not None else ())
    if since is None:
        write_modelled(db, state)
    else:
        _write_modelled_since(db, state, since)
    if differs("strips"):
        _fill(db, "strip", ((i, s.gain_db, s.pan, s.muted, s.soloed) for i, s in state.strips.items()))
    if differs("anchors"):
        _fill(db, "anchor", state.anchors)
    if differs("score", "alignment"):
        _write_score(db, state.score, state.alignment)


def _meta(state: State, folder: Path | None, wanted: Wanted | None) -> dict[str, str]:
    meta = {"title": state.score.title if state.score else ""}
    if state.recording_path:
        meta["recording"] = relative(state.recording_path, folder)
    known = state.audio or wanted
    if known is not None:
        meta["recording_sha256"] = known.sha256 if isinstance(known, Wanted) else known.fingerprint
        meta |= {f"recording_{name}": str(getattr(known, name)) for name in ("rate", "length", "channels")}
    if state.score and state.score.keys:
        meta["keys"] = json.dumps([[key.time_s, key.fifths] for key in state.score.keys])
    if state.score_path:
        meta["score"] = relative(state.score_path, folder)
    if state.alignment:
        meta["sure"], meta["tuning_cents"] = str(state.alignment.sure), str(state.alignment.tuning_cents)
        meta["slowest"], meta["fastest"] = map(str, state.limits)
    return meta


def _write_score(db: sqlite3.Connection, score: Score | None, alignment: Alignment | None) -> None:
    knots: Iterable[tuple[Any, ...]] = ()
    if alignment:
        times = alignment.time_map
        knots = zip(range(len(times.score_s)), times.score_s.tolist(), times.recording_s.tolist(), strict=True)
    _fill(db, "time_map", knots)
    whole = score is not None and alignment is not None
    _fill(db, "score_note", map(_NOTE_VALUES, score.notes) if score and whole else ())
    found = zip(alignment.notes, alignment.confidence.tolist(), strict=True) if alignment and whole else ()
    absent = alignment.absent if alignment else frozenset()
    _fill(db, "aligned_note", ((*_NOTE_VALUES(n), c, n.id in absent) for n, c in found))
    _fill(db, "score_track", enumerate(score.track_names) if score and whole else ())
    _fill(db, "beat", ((i, *astuple(beat)) for i, beat in enumerate(score.beats)) if score and whole else ())
    _fill(db, "pedal", ((i, *astuple(pedal)) for i, pedal in enumerate(score.pedals)) if score and whole else ())


def write_modelled(db: sqlite3.Connection, state: State, *, prefix: str = "", names: Iterable[str] = MODELLED) -> None:
    """Fill the tables `names` of what is decomposed; those of the results with `prefix` SOURCE."""
    content: dict[str, Callable[[], Iterable[tuple[Any, ...]]]] = {
        "settings": lambda: ((key, json.dumps(value)) for key, value in asdict(state.settings).items()),
        "layers": lambda: ((i, *astuple(layer)) for i, layer in enumerate(state.layers)),
        "notes": lambda: map(_NOTE_VALUES, state.notes.values()),
        "mask": lambda: ((i, *astuple(stroke)) for i, stroke in enumerate(state.mask)),
        "template_limits": lambda: (
            (pitch, limit.harmonics, limit.tolerance_cents) for pitch, limit in state.template_limits.items()
        ),
        "absent": lambda: ((i,) for i in sorted(state.absent)),
    }
    for name in names:
        _fill(db, prefix + _TABLES.get(name, name), content[name]())


def _write_modelled_since(db: sqlite3.Connection, state: State, since: State) -> None:
    others = [name for name in MODELLED if name != "notes"]
    write_modelled(db, state, names=[name for name in others if getattr(state, name) is not getattr(since, name)])
    if state.notes is since.notes:
        return
    # An edit shares the notes that it leaves alone.
    changed = [_NOTE_VALUES(note) for i, note in state.notes.items() if since.notes.get(i) is not note]
    db.executemany("DELETE FROM note WHERE id = ?", [(i,) for i in since.notes.keys() - state.notes.keys()])
    if changed:
        db.executemany(f"INSERT OR REPLACE INTO note VALUES ({','.join('?' * len(changed[0]))})", changed)


def _fill(db: sqlite3.Connection, table: str, content: Iterable[tuple[Any, ...]]) -> None:
    lines = list(content)
    db.execute(f"DELETE FROM {table}")
    if lines:
        db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(lines[0]))})", lines)


def read_state(db: sqlite3.Connection, folder: Path) -> tuple[State, dict[str, str]]:
    """The state that lies in `db`, without its recording, and the table meta. Raises ValueError or TypeError for damage."""
    meta = dict(rows(db, "SELECT key, value FROM meta", values.text, values.text))
    flat = rows(db, "SELECT id, gain_db, pan, muted, soloed FROM strip", values.whole, values.gain, values.real, bool, bool)
    score, alignment = _read_score(db, meta)
    state = State(
        score_path=resolved(meta["score"], folder) if meta.get("score") else None,
        score=score,
        alignment=alignment,
        anchors=tuple(rows(db, "SELECT score_s, recording_s FROM anchor ORDER BY rowid", values.time, values.time)),
        limits=checked_limits(
            (values.spelled(meta.get("slowest", str(LIMITS[0]))), values.spelled(meta.get("fastest", str(LIMITS[1]))))
        ),
        strips=MappingProxyType({row[0]: Strip(*row[1:]) for row in flat}),
        **_read_modelled(db, ""),
    )
    return state, meta


def read_source(db: sqlite3.Connection) -> State:
    """What the results in `db` are of, as far as it was decomposed: no recording and no score."""
    return State(**_read_modelled(db, SOURCE))


def read_outlook(db: sqlite3.Connection) -> Outlook | None:
    """What the window showed; None where that was not stored."""
    stored = dict(rows(db, "SELECT key, value FROM outlook", values.text, values.real))
    if not stored:
        return None
    return Outlook(**{f.name: stored[f.name] for f in fields(Outlook) if f.name in stored})


def _read_modelled(db: sqlite3.Connection, prefix: str) -> dict[str, Any]:
    query = f"SELECT id, name, colour, hidden, locked, templates FROM {prefix}layer ORDER BY position"
    kinds = (values.whole, values.text, values.colour, bool, bool, values.whole_or_none)
    layers = tuple(Layer(*row) for row in rows(db, query, *kinds))
    if len({layer.id for layer in layers}) < len(layers):
        raise ValueError("two layers have one id")
    strokes = rows(
        db,
        f"SELECT pitch, start_s, end_s, allow, layer FROM {prefix}stroke ORDER BY position",
        values.seven_bits,
        values.time,
        values.time,
        bool,
        values.whole_or_none,
    )
    query = f"SELECT pitch, harmonics, tolerance_cents FROM {prefix}template_limit"
    limits = rows(db, query, values.seven_bits, values.whole_or_none, values.real_or_none)
    stored = rows(db, f"SELECT key, value FROM {prefix}settings", values.text, values.text)
    return {
        "notes": MappingProxyType({note.id: note for note in _notes(db, f"{prefix}note")}),
        "absent": frozenset(i for (i,) in rows(db, f"SELECT note FROM {prefix}absent", values.whole)),
        "mask": tuple(MaskEdit(*row) for row in strokes),
        "template_limits": MappingProxyType({pitch: TemplateLimit(*limit) for pitch, *limit in limits}),
        "layers": layers,
        "settings": read_settings({key: json.loads(value) for key, value in stored}),
    }


def _read_score(db: sqlite3.Connection, meta: dict[str, str]) -> tuple[Score | None, Alignment | None]:
    query = "SELECT score_s, recording_s FROM time_map ORDER BY position"
    knots = list(rows(db, query, values.time, values.time))
    scored = tuple(_notes(db, "score_note"))
    if not scored or not knots:
        return None, None
    beats = rows(db, "SELECT time_s, bar, beat FROM beat ORDER BY position", values.time, values.whole, values.whole)
    pedals = rows(db, "SELECT channel, down_s, up_s FROM pedal ORDER BY position", values.whole, values.time, values.time)
    score = Score(
        notes=scored,
        track_names=tuple(name for (name,) in rows(db, "SELECT name FROM score_track ORDER BY position", values.text)),
        beats=tuple(Beat(*row) for row in beats),
        pedals=tuple(Pedal(*row) for row in pedals),
        title=meta.get("title", ""),
        keys=_read_keys(meta.get("keys", "[]")),
    )
    aligned = tuple(_notes(db, "aligned_note"))
    query = "SELECT id, confidence, absent FROM aligned_note ORDER BY id"
    found = list(rows(db, query, values.whole, values.single, bool))
    if [note.id for note in aligned] != [note.id for note in scored]:
        raise ValueError("the alignment is of another score")
    alignment = Alignment(
        time_map=TimeMap(np.array([a for a, _ in knots]), np.array([b for _, b in knots])),
        notes=aligned,
        confidence=np.array([confidence for _, confidence, _ in found], np.float32),
        sure=values.spelled(meta.get("sure", "1")),
        tuning_cents=values.spelled(meta.get("tuning_cents", "0")),
        absent=frozenset(i for i, _, absent in found if absent),
    )
    return score, alignment


def _read_keys(text: str) -> tuple[KeySignature, ...]:
    keys = tuple(KeySignature(values.time(time_s), values.whole(fifths)) for time_s, fifths in json.loads(text))
    if any(not -7 <= key.fifths <= 7 for key in keys):
        raise ValueError("a key signature has more than 7 sharps or flats")
    return keys


def _notes(db: sqlite3.Connection, table: str) -> Iterator[Note]:
    for row in rows(db, f"SELECT {', '.join(_NOTE_FIELDS)} FROM {table} ORDER BY id", *_NOTE_KINDS):
        note = Note(*row)
        if note.offset_s < note.onset_s:
            raise ValueError(f"note {note.id} ends before it begins")
        yield note


def read_settings(stored: dict[str, Any]) -> ModelSettings:
    """The settings that are known. Raises ValueError for what is no number; ModelSettings itself refuses values out of range."""
    chosen: dict[str, Any] = {}
    for known in fields(ModelSettings):
        if known.name not in stored:
            continue
        value = stored[known.name]
        optional = value is None and known.default is None
        if known.type in (int, int | None) and type(value) is not int and not optional:
            raise ValueError(f"{known.name} is no whole number")
        if known.type in (float, float | None) and type(value) not in (int, float) and not optional:
            raise ValueError(f"{known.name} is no number")
        chosen[known.name] = value
    return ModelSettings(**chosen)
