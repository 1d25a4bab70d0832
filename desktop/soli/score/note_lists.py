"""Note lists: CSV files as FMP notebooks (libfmp) and note layers of Sonic Visualiser have them, read and written."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from soli.errors import InputError
from soli.files import beside, check_readable
from soli.score.notes import DRUM_CHANNEL, LONGEST_S, MOST_NOTES, Note, Score, parse_pitch

Style: TypeAlias = Literal["fmp", "sonic-visualiser"]

MOST_LINES = 1_000_000
_LONGEST_LINE = 20_000
_HIGHEST_PITCH = 127
_USUAL_VELOCITY = 80
# A fraction of what: the lists of libfmp divide a MIDI velocity by 128, the levels of Sonic Visualiser by 127.
_FULL = {"velocity": 128.0, "level": 127.0}

_NAMES = {
    "start": "start onset time begin starttime onsettime ontime",
    "end": "end offset stop endtime offsettime offtime",
    "duration": "duration dur length",
    "pitch": "pitch midi note midipitch midinote pitchmidi notenumber",
    "hertz": "frequency freq hz f0 frequencyhz f0hz pitchhz",
    "value": "value",
    "velocity": "velocity vel loudness",
    "level": "level",
    "label": "label instrument track part layer hand voice name",
    "frame": "frame startframe endframe sample",
}
_STEPS = tuple("ABCDEFGabcdefg")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_COLUMN = {name: column for column, names in _NAMES.items() for name in names.split()}
# What Sonic Visualiser writes where it writes no names.
_UNNAMED = ("start", "value", "duration", "level", "label")


@dataclass(frozen=True, slots=True)
class _Row:
    """One note as it stands in the file; `line` is where it ends."""

    line: int
    start_s: float
    end_s: float
    pitch: float
    velocity: float | None
    label: str


def read_note_list(path: Path) -> Score:
    """Read a list of notes, one a line: columns named in the first line, or time, pitch, duration, level and label without names.

    Columns lie between semicolons, commas or tabs; lines that begin with # are comments, which may hold the names. Known names
    are those of libfmp (start; duration; pitch; velocity; label, or end instead of duration) and of Sonic Visualiser (TIME,
    VALUE, DURATION, LEVEL, LABEL). A pitch is a MIDI number, a name as C#4 or, where it is called a frequency or a value goes
    beyond 127, hertz. Velocities are 0 to 127, or parts of the loudest where none goes beyond 1. Each label is a track, unless
    all of them only name the pitches of their notes.
    Raises InputError, in one sentence with the file and the line, for anything else.
    """
    check_readable(path, "choose a list of notes (CSV)")
    try:
        try:
            rows, columns = _rows(path, _encoding(path))
        except UnicodeDecodeError:
            rows, columns = _rows(path, "latin-1")
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error}); choose another list") from error
    if not rows:
        raise InputError(f"{path.name}: no notes in it; choose another list")
    return _score(path, rows, columns)


def write_note_list(path: Path, notes: Iterable[Note], *, labels: Mapping[int, str] | None = None, style: Style = "fmp") -> None:
    """Write notes at their seconds as a list, one a line in order of onset; `labels` by id.

    `fmp`: start; duration; pitch; velocity (1 is the loudest); label, under a line of names, as libfmp reads it.
    `sonic-visualiser`: time, pitch, duration, level and label without names, for a note layer in MIDI pitches.
    What begins before 0 s begins there. Raises InputError when the place cannot be written, or the style is unknown.
    """
    if style not in get_args(Style):
        raise InputError(f"a list of notes in style {style!r} is not known; choose one of {', '.join(get_args(Style))}")
    labels = labels or {}
    fmp = style == "fmp"
    try:
        with beside(path) as partial, partial.open("w", encoding="utf-8", errors="replace", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            if fmp:
                out = csv.writer(file, delimiter=";", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
                out.writerow(("start", "duration", "pitch", "velocity", "label"))
            for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch, n.id)):
                start_s = round(max(0.0, note.onset_s), 6)
                duration_s = round(max(start_s, note.offset_s) - start_s, 6)
                label = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", " ", labels.get(note.id, ""))
                loud = round(note.velocity / _FULL["velocity" if fmp else "level"], 6)
                first, second = (duration_s, note.pitch) if fmp else (note.pitch, duration_s)
                out.writerow((start_s, first, second, loud, label))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(2)
    return "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _rows(path: Path, encoding: str) -> tuple[list[_Row], tuple[str, ...]]:
    """The notes of a file in its order, and what its columns hold."""
    with path.open(encoding=encoding, newline="") as file:
        lines = _Lines(path, iter(lambda: file.readline(_LONGEST_LINE + 1), ""))
        columns, first = _opening(path, lines)
        rows = []
        reader = csv.reader(_after(first, lines), delimiter=lines.delimiter, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    rows.append(_row(path, lines.number, cells, columns))
                if len(rows) > MOST_NOTES:
                    raise InputError(f"{path.name}: more than {MOST_NOTES:,} notes; cut the list into pieces")
        except csv.Error as error:
            raise InputError(f"{path.name}: line {lines.number}: no line of a list ({error}); save it again as CSV") from error
    return rows, columns


class _Lines:
    """The lines of a file that hold something, counted; comments are kept until one has been seen to name the columns."""

    def __init__(self, path: Path, raw: Iterator[str]) -> None:
        self.path, self.raw, self.number, self.delimiter = path, raw, 0, ","

    def __iter__(self) -> Iterator[str]:
        for line in self.raw:
            self.number += 1
            if len(line) > _LONGEST_LINE:
                raise InputError(f"{self.path.name}: line {self.number}: too long for a note; choose a list of notes (CSV)")
            if self.number > MOST_LINES:
                raise InputError(f"{self.path.name}: more than {MOST_LINES:,} lines; cut the list into pieces")
            if "\0" in line:
                raise InputError(f"{self.path.name}: line {self.number}: not text; choose a list of notes (CSV)")
            yield line


def _after(first: str, lines: _Lines) -> Iterator[str]:
    if first:
        yield first
    for line in lines:
        if not line.lstrip().startswith("#"):
            yield line


def _opening(path: Path, lines: _Lines) -> tuple[tuple[str, ...], str]:
    """What the columns hold; and the first line, where that is a note already."""
    named: tuple[str, ...] = ()
    for line in lines:
        text = line.strip()
        comment, text = text.startswith("#"), text.lstrip("#").strip()
        if not text:
            continue
        delimiter = _delimiter(text)
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
        columns = tuple(map(_column, cells))
        if comment:
            named = columns if {"start", "frame"} & {*columns} and len({*columns} - {""}) > 2 else named
            continue
        lines.delimiter = delimiter
        if _number(cells[0]) is None and len({*columns} - {""}) > 1:
            _check_columns(path, columns)
            return columns, ""
        columns = named or _UNNAMED
        _check_columns(path, columns)
        return columns, line
    return _UNNAMED, ""


def _column(name: str) -> str:
    """Which of the known columns is meant by a name; "" for none."""
    name = re.sub(r"[\s_(\[]+(s|sec|seconds)[)\]]*$", "", name.casefold().strip())
    return _COLUMN.get(re.sub(r"[^a-z0-9]", "", name), "")


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    if "frame" in columns:
        raise InputError(f"{path.name}: its times are counted in samples; save the list with times in seconds")
    pitched = {"pitch", "hertz", "value"} & {*columns}
    for missing, there in (("start", "start" in columns), ("pitch", bool(pitched))):
        if not there:
            raise InputError(f"{path.name}: no column is called {missing}; name them start;duration;pitch;velocity;label")
    if not {"duration", "end"} & {*columns}:
        raise InputError(f"{path.name}: no column is called duration or end; name them start;duration;pitch;velocity;label")


def _delimiter(line: str) -> str:
    """What lies between the columns: the commonest sign behind a time or a name that is known."""
    bare = re.sub(r'"[^"]*"', "", line)
    common = sorted((";", "\t", ","), key=bare.count, reverse=True)

    def begins(delimiter: str) -> bool:
        cell = line.split(delimiter, 1)[0].strip().strip('"')
        return delimiter in bare and bool(_number(cell) is not None or _DECIMAL_COMMA.fullmatch(cell) or _column(cell))

    return next(filter(begins, common), common[0])


def _row(path: Path, line: int, cells: list[str], columns: tuple[str, ...]) -> _Row:
    found = dict(zip(reversed(columns[: len(cells)]), reversed(cells[: len(columns)]), strict=True))

    def refused(what: str) -> InputError:
        return InputError(f"{path.name}: line {line}: {what}")

    def number(column: str) -> float:
        text = found.get(column, "").strip()
        value = _number(text)
        if value is None and _DECIMAL_COMMA.fullmatch(text):
            raise refused(f"{text[:40]} has a decimal comma; save the list with decimal points")
        if not text:
            raise refused(f"no {column} is given; give a number")
        if value is None:
            raise refused(f"{text[:40]!r} is no {column}; give a number")
        if not math.isfinite(value):
            raise refused(f"a {column} of {text[:40]} cannot be; give a number")
        return value

    start_s = number("start")
    end_s = number("end") if "end" in found else start_s + number("duration")
    if not 0 <= start_s <= LONGEST_S or not end_s <= LONGEST_S:
        raise refused(f"a note from {start_s:g} to {end_s:g} s cannot be; give seconds from 0 to {LONGEST_S:g}")
    if end_s < start_s:
        raise refused("the note ends before it begins; check start, duration and end")
    kind = next(name for name in ("pitch", "hertz", "value") if name in columns)
    pitch = _named_pitch(found.get(kind, "")) if kind == "pitch" else None
    loud = next((name for name in ("velocity", "level") if found.get(name, "").strip()), None)
    velocity = None if loud is None else number(loud)
    if velocity is not None and not 0 <= velocity <= _HIGHEST_PITCH:
        raise refused(f"a {loud} of {velocity:g} cannot be; give 0 to 127, or 0 to 1")
    return _Row(line, start_s, end_s, number(kind) if pitch is None else pitch, velocity, found.get("label", "").strip())


def _number(text: str) -> float | None:
    # Python itself would take 1_000 and digits of any script.
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _named_pitch(text: str) -> int | None:
    if text.lstrip()[:1] not in _STEPS:
        return None
    try:
        return parse_pitch(text)
    except InputError:
        return None


def _score(path: Path, rows: list[_Row], columns: tuple[str, ...]) -> Score:
    hertz = "hertz" in columns or ("value" in columns and max(row.pitch for row in rows) > _HIGHEST_PITCH)
    if "pitch" in columns:
        hertz = False
    loudest = max((row.velocity for row in rows if row.velocity is not None), default=0.0)
    full = _FULL["velocity" if "velocity" in columns else "level"] if loudest <= 1 else 1.0
    pitches = [_midi(path, row, hertz=hertz) for row in rows]
    # A label that only says the note's own pitch names no part.
    if all(_named_pitch(row.label) == pitch for row, pitch in zip(rows, pitches, strict=True)) and len(set(pitches)) > 1:
        rows = [replace(row, label="") for row in rows]
    labels = {label: track for track, label in enumerate(dict.fromkeys(row.label for row in rows))}
    # None of them on the channel of the drums.
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    rows = sorted(rows, key=lambda row: (row.start_s, row.pitch))
    return Score(
        notes=tuple(
            Note(
                id=i,
                onset_s=row.start_s,
                offset_s=row.end_s,
                pitch=_midi(path, row, hertz=hertz),
                velocity=_USUAL_VELOCITY if row.velocity is None else min(127, round(row.velocity * full)),
                track=labels[row.label],
                channel=channels[labels[row.label] % len(channels)],
            )
            for i, row in enumerate(rows)
        ),
        track_names=tuple(label or "Notes" for label in labels),
        title=path.stem,
    )


def _midi(path: Path, row: _Row, *, hertz: bool) -> int:
    value = row.pitch
    if hertz:
        value = 69 + 12 * math.log2(value / 440) if value > 0 else -1.0
    if not 0 <= round(value) <= _HIGHEST_PITCH:
        what = f"{row.pitch:g} Hz is" if hertz else f"a pitch of {row.pitch:g} is"
        raise InputError(f"{path.name}: line {row.line}: {what} outside of MIDI's pitches 0 to 127")
    return round(value)
