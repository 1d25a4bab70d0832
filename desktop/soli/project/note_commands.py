"""Edits of notes."""

from collections.abc import Collection
from dataclasses import replace

from soli.project.edits import Edit, FieldChange, NotesChange, alter, count, first_layer
from soli.project.state import State
from soli.score.notes import Note

SHORTEST_NOTE_S = 0.01


def move_notes(state: State, ids: Collection[int], *, seconds: float = 0.0, semitones: int = 0) -> Edit:
    """Move notes in time and pitch together; none leaves the piano roll (MIDI 0 to 127) or is moved to before the recording."""
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
    return alter(state, "lengthen" if longer else "shorten", ids, stretched)


def draw_note(state: State, *, pitch: int, onset_s: float, offset_s: float, layer: int) -> Edit:
    """A new note; it takes channel and program of its layer, so that it shares the layer's templates."""
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
    before = tuple(state.notes[i] for i in sorted(set(ids)))
    # A note drawn later may take the id of one that is gone, but not that it was left out.
    absent = FieldChange("absent", state.absent, state.absent - frozenset(ids))
    return Edit(f"delete {count(len(before), 'note')}", (NotesChange(before, ()), absent))


def set_absent(state: State, ids: Collection[int], *, absent: bool) -> Edit:
    """Leave notes out of the decomposition, or let them take part again."""
    after = state.absent | frozenset(ids) if absent else state.absent - frozenset(ids)
    changed = count(len(after ^ state.absent), "note")
    return Edit(f"leave out {changed}" if absent else f"bring back {changed}", (FieldChange("absent", state.absent, after),))
