"""Edits of notes. What lies in a locked layer is left as it is."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from soli.decompose.settings import RANGES
from soli.errors import InputError
from soli.project.edits import Edit, FieldChange, NotesChange, alter, count, first_layer, of_notes
from soli.project.state import State
from soli.score.notes import Note

SHORTEST_NOTE_S = 0.01
LATEST_S = 1e6


class Unchanged(Enum):
    """Says that a value is left as it is, where None says that there is none."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def move_notes(state: State, ids: Collection[int], *, seconds: float = 0.0, semitones: int = 0) -> Edit:
    """Move notes in time and pitch together; none leaves the piano roll (MIDI 0 to 127) or is moved to before the recording."""
    ids = state.editable(ids)
    notes = [state.notes[i] for i in ids]
    # What the alignment put before the recording may stay there.
    seconds = max(seconds, min(0.0, -min((n.onset_s for n in notes), default=0.0)))
    semitones = max(-min((n.pitch for n in notes), default=0), min(127 - max((n.pitch for n in notes), default=127), semitones))

    def moved(note: Note) -> Note:
        return replace(
            note,
            onset_s=note.onset_s + seconds,
            offset_s=note.offset_s + seconds,
            pedal_s=note.pedal_s + seconds if note.pedal_s > 0 else 0.0,
            pitch=note.pitch + semitones,
        )

    return alter(state, "move", ids, moved)


def stretch_notes(state: State, ids: Collection[int], *, onset_s: float = 0.0, offset_s: float = 0.0) -> Edit:
    """Move the beginnings and the ends of notes by some seconds; a note keeps at least SHORTEST_NOTE_S.

    A stretched end is where the note stops sounding: the pedal holds it no longer than that.
    """

    def stretched(note: Note) -> Note:
        if offset_s:
            end = max(note.sounding_offset_s + offset_s, note.onset_s + SHORTEST_NOTE_S)
            note = replace(note, offset_s=end, pedal_s=0.0)
        if onset_s:
            latest = max(note.onset_s, note.sounding_offset_s - SHORTEST_NOTE_S)
            begin = max(min(0.0, note.onset_s), min(note.onset_s + onset_s, latest))
            # The pedal may have held the note: a beginning after its own end takes that along.
            note = replace(note, onset_s=begin, offset_s=max(note.offset_s, min(begin + SHORTEST_NOTE_S, note.sounding_offset_s)))
        return note

    longer = offset_s > 0 or onset_s < 0
    return alter(state, "lengthen" if longer else "shorten", state.editable(ids), stretched)


def draw_note(state: State, *, pitch: int, onset_s: float, offset_s: float, layer: int) -> Edit:
    """A new note; it takes channel and program of its layer, so that it shares the layer's templates."""
    if layer in state.locked_layers:
        return Edit("draw note", ())
    onset_s = max(0.0, onset_s)
    like = next((n for n in state.notes.values() if n.layer == layer and not n.is_drum), None)
    note = Note(
        id=state.next_note_id(),
        onset_s=onset_s,
        offset_s=max(offset_s, onset_s + SHORTEST_NOTE_S),
        pitch=min(127, max(0, pitch)),
        track=like.track if like else 0,
        channel=like.channel if like else 0,
        program=like.program if like else 0,
        layer=layer,
    )
    return Edit("draw note", (*first_layer(state, layer), NotesChange((), (note,))))


def delete_notes(state: State, ids: Collection[int]) -> Edit:
    """Take notes away; those of locked layers stay."""
    ids = state.editable(ids)
    before = tuple(state.notes[i] for i in ids)
    # A note drawn later may take the id of one that is gone, but not that it was left out.
    absent = FieldChange("absent", state.absent, state.absent - frozenset(ids))
    return Edit(f"delete {count(len(before), 'note')}", (NotesChange(before, ()), absent))


def set_absent(state: State, ids: Collection[int], *, absent: bool) -> Edit:
    """Leave notes out of the decomposition, or let them take part again."""
    mine = frozenset(state.editable(ids))
    after = state.absent | mine if absent else state.absent - mine
    changed = count(len(after ^ state.absent), "note")
    return Edit(f"leave out {changed}" if absent else f"bring back {changed}", (FieldChange("absent", state.absent, after),))


def split_notes(state: State, ids: Collection[int], at_s: float) -> Edit:
    """Cut notes in two at `at_s`, those that sound there; what comes before keeps the id.

    Each part keeps the tolerance of the end that it has of the whole note.
    """
    whole, parts, doubled, new_id = [], [], set(), state.next_note_id()
    for i in state.editable(ids):
        note = state.notes[i]
        if not note.onset_s + SHORTEST_NOTE_S <= at_s <= note.sounding_offset_s - SHORTEST_NOTE_S:
            continue
        whole.append(note)
        # The pedal may hold the note still where it is cut; where the recording begins it cannot, for a pedal of 0 is none.
        held = at_s > note.offset_s and at_s > 0
        earlier = note.offset_s if held else at_s
        later = max(note.offset_s, min(at_s + SHORTEST_NOTE_S, note.sounding_offset_s))
        parts.append(replace(note, offset_s=earlier, pedal_s=at_s if held else 0.0, after_s=None))
        parts.append(replace(note, id=new_id, onset_s=at_s, offset_s=later, before_s=None))
        if i in state.absent:
            doubled.add(new_id)
        new_id += 1
    absent = FieldChange("absent", state.absent, state.absent | doubled)
    return Edit(f"split {count(len(whole), 'note')}", (NotesChange(tuple(whole), tuple(parts)), absent))


def set_tolerances(
    state: State,
    ids: Collection[int],
    *,
    before_s: float | Unchanged | None = UNCHANGED,
    after_s: float | Unchanged | None = UNCHANGED,
    gesture: str = "",
) -> Edit:
    """How far notes may sound before their onsets and after their offsets, in seconds; None as their instrument has it.

    Values are kept within the ranges of the settings. Raises InputError for one that is no number.
    """
    fields: dict[str, Any] = {
        name: _tolerance(name, value)
        for name, value in (("before_s", before_s), ("after_s", after_s))
        if not isinstance(value, Unchanged)
    }
    what = "reset tolerance" if fields and not any(value is not None for value in fields.values()) else "set tolerance"
    mine = state.editable(ids)
    edit = alter(state, "", mine, lambda note: replace(note, **fields))
    return replace(edit, name=of_notes(what, len(mine)), gesture=gesture)


def alter_notes(state: State, changes: Mapping[int, Mapping[str, Any]], name: str) -> Edit:
    """Give notes other values, by id and by name.

    onset_s moves a note with its end; offset_s and duration_s say when it stops sounding. pitch and velocity are 0 to 127,
    layer is the id of one, before_s and after_s are tolerances in seconds or None.
    Raises InputError, in one sentence, for a value that a note cannot have.
    """
    there = {layer.id for layer in state.layers}
    free = there - state.locked_layers

    def altered(note: Note) -> Note:
        wanted = dict(changes[note.id])
        if "onset_s" in wanted:
            by = _time("an onset", wanted.pop("onset_s")) - note.onset_s
            pedal_s = note.pedal_s + by if note.pedal_s > 0 else 0.0
            note = replace(note, onset_s=note.onset_s + by, offset_s=note.offset_s + by, pedal_s=pedal_s)
        for key, value in wanted.items():
            if key in ("offset_s", "duration_s"):
                end = _time("a duration", value) + note.onset_s if key == "duration_s" else _time("an offset", value)
                if end < note.onset_s + SHORTEST_NOTE_S:
                    raise InputError(f"a note lasts {SHORTEST_NOTE_S:g} s at least; choose a later end")
                note = replace(note, offset_s=end, pedal_s=0.0)
            elif key in ("pitch", "velocity"):
                note = replace(note, **{key: _seven_bits(key, value)})
            elif key == "layer":
                if value not in there:
                    raise InputError(f"there is no layer {value!r}; choose one of the mixer")
                note = replace(note, layer=value if value in free else note.layer)
            elif key in ("before_s", "after_s"):
                note = (
                    replace(note, before_s=_tolerance(key, value))
                    if key == "before_s"
                    else replace(note, after_s=_tolerance(key, value))
                )
            else:
                raise InputError(f"a note has no {key!r} that could be set")
        return note

    return replace(alter(state, "", state.editable(changes), altered), name=name)


def copy_notes(state: State, ids: Collection[int]) -> tuple[Note, ...]:
    """The notes `ids`, ordered by onset, to be pasted."""
    return tuple(sorted((state.notes[i] for i in {*ids} & state.notes.keys()), key=lambda n: (n.onset_s, n.id)))


def paste_notes(state: State, notes: Sequence[Note], at_s: float, semitones: int = 0, *, layer: int | None = None) -> Edit:
    """New notes like `notes`, the first of them at `at_s`; each in its own layer, or all in `layer`.

    Notes of a layer that is gone go into the first one. None leaves the piano roll or begins before the recording.
    """
    if not notes:
        return Edit("paste notes", ())
    by = max(0.0, at_s) - min(note.onset_s for note in notes)
    semitones = max(-min(note.pitch for note in notes), min(127 - max(note.pitch for note in notes), semitones))
    there, locked = [known.id for known in state.layers], state.locked_layers
    home = there[0] if there else (layer or 0)
    pasted: list[Note] = []
    for note in notes:
        target = note.layer if layer is None else layer
        target = target if target in there else home
        if target in locked:
            continue
        pasted.append(
            replace(
                note,
                id=state.next_note_id() + len(pasted),
                onset_s=note.onset_s + by,
                offset_s=note.offset_s + by,
                pedal_s=note.pedal_s + by if note.pedal_s > 0 else 0.0,
                pitch=note.pitch + semitones,
                layer=target,
            )
        )
    made = first_layer(state, home) if pasted else ()
    return Edit(f"paste {count(len(pasted), 'note')}", (*made, NotesChange((), tuple(pasted))))


def _tolerance(name: str, value: Any) -> float | None:
    if value is None:
        return None
    low, high = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"a tolerance of {value!r} is no number of seconds; choose one from {low:g} to {high:g}")
    return float(min(max(value, low), high))


def _time(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LATEST_S:
        raise InputError(f"{what} of {value!r} s cannot be; choose a number from 0 to {LATEST_S:g}")
    return float(value)


def _seven_bits(what: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 127:
        raise InputError(f"a {what} of {value!r} cannot be; choose a whole number from 0 to 127")
    return value
