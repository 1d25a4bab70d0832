"""The columns of the note table: what a cell shows, and which edit it asks for when something is typed into it.

A figure is taken as it is; with a plus or a minus before it, it is added to what each note has. Where and how high a note
lies is never made equal for several notes: they move together, by as much as the one that was typed at.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.project import commands
from soli.project.commands import SHORTEST_NOTE_S, Edit, count, of_notes
from soli.project.note_commands import LATEST_S
from soli.project.state import State
from soli.score.notes import Note, parse_pitch
from soli.ui.beats import NO_BAR, Beats, places, time_of
from soli.ui.panels.note_columns import NoteColumns

MOST_TOLERANCE_MS = {"before": 10_000.0, "after": 30_000.0}


@dataclass(frozen=True)
class Cell:
    """One column: its key, the heading, what it is, whether it can be edited, and a text as wide as they come."""

    key: str
    heading: str
    tip: str
    widest: str
    edits: bool = True
    figures: bool = True


CELLS = (
    Cell("pitch", "Note", "Pitch: type C#4, Db4, 61, or +12 to transpose", "A♭4", figures=False),
    Cell("layer", "Layer", "The layer that the note is heard in", "Right hand 2", figures=False),
    Cell("bar", "Bar", "Bar of the score; typing one moves the note there", "1000"),
    Cell("beat", "Beat", "Beat of the bar and its part; typing one moves the note", "12.50"),
    Cell("onset", "Onset s", "Where the note begins in the recording, in seconds; +0.05 moves it", "1000.000"),
    Cell("length", "Length s", "How long the note sounds, in seconds; +0.1 lengthens it", "100.000"),
    Cell("velocity", "Vel.", "Velocity, 0 to 127; +10 makes louder", "127"),
    Cell("sure", "Sure", "How well the sound bears the note out, from 0 to 1", "0.000", edits=False),
    Cell("before", "Before ms", "How far it may sound before its onset, in milliseconds; auto as its instrument has it", "10000"),
    Cell("after", "After ms", "How far it may sound after its end, in milliseconds; auto as its instrument has it", "10000"),
    Cell("absent", "Out", "Left out of the decomposition; F2 or a double click turns it over", "Out", figures=False),
)
TOGETHER = ("pitch", "bar", "beat", "onset")
INDEX = {cell.key: i for i, cell in enumerate(CELLS)}

_SHOWN: dict[str, Callable[[NoteColumns, int], str]] = {
    "pitch": lambda c, row: c.pitch_name(row),
    "bar": lambda c, row: "" if c.bar[row] == NO_BAR else str(c.bar[row]),
    "beat": lambda c, row: _figure(c.beat[row], 2),
    "onset": lambda c, row: _figure(c.onset_s[row], 3),
    "length": lambda c, row: _figure(c.length_s[row], 3),
    "velocity": lambda c, row: str(c.velocity[row]),
    "sure": lambda c, row: _figure(c.sure[row], 2),
    "before": lambda c, row: _tolerance(c.before_s[row]),
    "after": lambda c, row: _tolerance(c.after_s[row]),
}
_SORTED: dict[str, Callable[[NoteColumns], NDArray[Any]]] = {
    "pitch": lambda c: c.pitch,
    "bar": lambda c: np.where(c.bar == NO_BAR, np.nan, c.bar),
    "beat": lambda c: c.beat,
    "onset": lambda c: c.onset_s,
    "length": lambda c: c.length_s,
    "velocity": lambda c: c.velocity,
    "layer": lambda c: c.layer,
    "sure": lambda c: c.sure,
    "before": lambda c: c.before_s,
    "after": lambda c: c.after_s,
    "absent": lambda c: ~c.absent,
}


def shown(key: str, columns: NoteColumns, row: int) -> str:
    """What a cell shows of a note; layers and what is left out are shown by the table itself."""
    return _SHOWN[key](columns, row) if key in _SHOWN else ""


def order(key: str, columns: NoteColumns, rows: NDArray[np.int64], *, descending: bool = False) -> NDArray[np.int64]:
    """`rows` sorted by a column, equal ones by onset and id; what is unknown comes last either way."""
    values = _SORTED[key](columns)[rows]
    keys = values.astype(np.float64)
    if descending:
        keys = -keys
    return rows[np.lexsort((columns.id[rows], columns.onset_s[rows], keys))]


def edit_of(key: str, state: State, beats: Beats, ids: Collection[int], at: int, text: str) -> Edit:
    """The edit of the notes `ids` that typing `text` into the cell of note `at` asks for.

    Raises InputError, in one sentence, for what cannot be.
    """
    text = text.strip().replace("−", "-")
    ids = state.editable(ids)
    if at not in ids:
        raise InputError("The layer of this note is locked")
    return _EDITS[key](Typed(state, beats, ids, at, text))


@dataclass(frozen=True)
class Typed:
    """A text typed at one note, and the notes it is for."""

    state: State
    beats: Beats
    ids: Collection[int]
    at: int
    text: str

    @property
    def note(self) -> Note:
        return self.state.notes[self.at]

    @property
    def adds(self) -> bool:
        """Whether it is added to what is there."""
        return self.text[:1] in {"+", "-"}


def _pitch(typed: Typed) -> Edit:
    by = _whole(typed.text, "semitones") if typed.adds else parse_pitch(typed.text) - typed.note.pitch
    pitches = [typed.state.notes[i].pitch for i in typed.ids]
    if not 0 <= min(pitches) + by <= max(pitches) + by <= 127:
        raise InputError("Pitches go from C-1 (0) to G9 (127); a note would leave them")
    return _named(commands.move_notes(typed.state, typed.ids, semitones=by), "transpose", typed.ids)


def _onset(typed: Typed) -> Edit:
    by = _number(typed.text, "s")
    return _moved(typed.state, typed.ids, by if typed.adds else by - typed.note.onset_s)


def _moved(state: State, ids: Collection[int], seconds: float) -> Edit:
    onsets = [state.notes[i].onset_s for i in ids]
    if seconds < 0 and min(onsets) + seconds < -1e-6:
        raise InputError("A note cannot begin before the recording does, at 0 s")
    if state.audio is not None and seconds > 0 and max(onsets) + seconds >= state.audio.duration_s:
        raise InputError(f"A note cannot begin after the recording ends, at {state.audio.duration_s:.3f} s")
    if max(onsets) + seconds > LATEST_S:
        raise InputError(f"A note cannot begin later than at {LATEST_S:g} s")
    return _named(commands.move_notes(state, ids, seconds=seconds), "move", ids)


def _bar(typed: Typed) -> Edit:
    bar, beat = _place(typed)
    wanted = bar + _whole(typed.text, "bars") if typed.adds else _whole(typed.text, "bar")
    if wanted not in typed.beats.bar:
        raise InputError(f"The score has the bars {typed.beats.bar.min()} to {typed.beats.bar.max()}")
    time_s = time_of(typed.beats, wanted, beat)
    if time_s is None:
        raise InputError(f"Bar {wanted} has no beat {int(beat)}; change the beat first")
    return _moved(typed.state, typed.ids, time_s - typed.note.onset_s)


def _beat(typed: Typed) -> Edit:
    bar, beat = _place(typed)
    wanted = _number(typed.text, "")
    wanted = beat + wanted if typed.adds else wanted
    time_s = time_of(typed.beats, bar, wanted)
    if time_s is None:
        last = typed.beats.beat[typed.beats.bar == bar].max()
        raise InputError(f"Bar {bar} has the beats 1 to {last}; {last}.5 is half-way to the next bar")
    return _moved(typed.state, typed.ids, time_s - typed.note.onset_s)


def _place(typed: Typed) -> tuple[int, float]:
    """Bar and beat of a note; those of the first beat for what comes before it."""
    beats = typed.beats
    if not len(beats):
        raise InputError("There is no score to say where bars begin; type an onset in seconds")
    bar, beat = places(beats, np.array([typed.note.onset_s]))
    return (int(beats.bar[0]), float(beats.beat[0])) if bar[0] == NO_BAR else (int(bar[0]), float(beat[0]))


def _length(typed: Typed) -> Edit:
    value = _number(typed.text, "s")
    lengths = {i: typed.state.notes[i].sounding_offset_s - typed.state.notes[i].onset_s for i in typed.ids}
    wanted = {i: length + value if typed.adds else value for i, length in lengths.items()}
    if min(wanted.values()) < SHORTEST_NOTE_S - 1e-9:
        raise InputError(f"A note lasts {SHORTEST_NOTE_S:g} s at least")
    changes = {i: {"duration_s": max(length, SHORTEST_NOTE_S)} for i, length in wanted.items()}
    return commands.alter_notes(typed.state, changes, of_notes("set length", len(typed.ids)))


def _velocity(typed: Typed) -> Edit:
    value = _whole(typed.text, "velocity")
    adds = typed.adds
    if not adds and value > 127:
        raise InputError("A velocity is a whole number from 0 to 127")
    # Louder by as much, but never louder than there is: as a fader does.
    changes = {i: {"velocity": min(127, max(0, typed.state.notes[i].velocity + value)) if adds else value} for i in typed.ids}
    return commands.alter_notes(typed.state, changes, of_notes("set velocity", len(typed.ids)))


def _tolerances(key: str) -> Callable[[Typed], Edit]:
    most_ms = MOST_TOLERANCE_MS[key]

    def edit(typed: Typed) -> Edit:
        if typed.text.casefold() in {"", "auto"}:
            value = None
        else:
            value = _number(typed.text, "ms", seconds=True)
            if not 0 <= value <= most_ms:
                raise InputError(f"A tolerance is from 0 to {most_ms:g} ms, or auto")
        seconds = None if value is None else value / 1000
        if key == "before":
            return commands.set_tolerances(typed.state, typed.ids, before_s=seconds)
        return commands.set_tolerances(typed.state, typed.ids, after_s=seconds)

    return edit


def _absent(typed: Typed) -> Edit:
    if typed.text.casefold() not in {"out", ""}:
        raise InputError("Type out to leave the note out, or nothing to bring it back")
    return commands.set_absent(typed.state, typed.ids, absent=bool(typed.text))


_EDITS: dict[str, Callable[[Typed], Edit]] = {
    "pitch": _pitch,
    "bar": _bar,
    "beat": _beat,
    "onset": _onset,
    "length": _length,
    "velocity": _velocity,
    "before": _tolerances("before"),
    "after": _tolerances("after"),
    "absent": _absent,
}


def _number(text: str, unit: str, *, seconds: bool = False) -> float:
    """A finite number, with its unit or without; with `seconds`, one in "s" is one in milliseconds."""
    bare = text.casefold().removesuffix(unit).rstrip() if unit else text
    factor = 1.0
    if seconds and bare == text.casefold() and bare.endswith("s"):
        bare, factor = bare[:-1].rstrip(), 1000.0
    try:
        value = float(bare) * factor
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        hint = "; write decimals with a point" if "," in text else ""
        raise InputError(f"“{text}” is no number{f' of {unit}' if unit else ''}{hint}")
    return value


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"“{text}” is no whole number ({what})") from None


def _figure(value: float, decimals: int) -> str:
    return "" if np.isnan(value) else f"{value:.{decimals}f}"


def _tolerance(seconds: float) -> str:
    return "auto" if np.isnan(seconds) else f"{1000 * seconds:.0f}"


def _named(edit: Edit, verb: str, ids: Collection[int]) -> Edit:
    return replace(edit, name=_name(verb, ids))


def _name(verb: str, ids: Collection[int]) -> str:
    return f"{verb} {count(len(ids), 'note')}"
