"""Reversible edits. A function here looks at a State and returns an Edit; `Edit.apply` and `Edit.revert` undo each other.

An edit holds only what it changes, before and after, so that history grows with the work done and not with the piece.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.playback.mixer import Strip
from soli.project.layering import Layering
from soli.project.state import ORIGINAL, RESIDUAL, Layer, State, free_colour
from soli.score.alignment import Alignment
from soli.score.limits import Limits
from soli.score.notes import Note

SHORTEST_NOTE_S = 0.01
BYTES_PER_NOTE = 240
BYTES_PER_STROKE = 120


class Change(Protocol):
    """One part of an edit."""

    @property
    def aspect(self) -> str: ...
    @property
    def size(self) -> int: ...
    def apply(self, state: State) -> State: ...
    def inverse(self) -> "Change": ...


@dataclass(frozen=True, slots=True)
class NotesChange:
    """Notes before and after; an id in both is altered, in one only removed or added."""

    before: tuple[Note, ...]
    after: tuple[Note, ...]

    @property
    def aspect(self) -> str:
        return "notes"

    @property
    def size(self) -> int:
        return BYTES_PER_NOTE * (len(self.before) + len(self.after))

    def apply(self, state: State) -> State:
        notes = dict(state.notes)
        for note in self.before:
            del notes[note.id]
        notes.update((note.id, note) for note in self.after)
        return replace(state, notes=MappingProxyType(notes))

    def inverse(self) -> "NotesChange":
        return NotesChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class MaskChange:
    """Strokes of the mask brush put on top of those that are there, or taken off again."""

    strokes: tuple[MaskEdit, ...]
    added: bool = True

    @property
    def aspect(self) -> str:
        return "mask"

    @property
    def size(self) -> int:
        return BYTES_PER_STROKE * len(self.strokes)

    def apply(self, state: State) -> State:
        if self.added:
            return replace(state, mask=state.mask + self.strokes)
        return replace(state, mask=state.mask[: len(state.mask) - len(self.strokes)])

    def inverse(self) -> "MaskChange":
        return MaskChange(self.strokes, not self.added)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One small field of the state, before and after."""

    aspect: str
    before: Any
    after: Any

    @property
    def size(self) -> int:
        return 0 if self.before == self.after else 200 + _bytes(self.before) + _bytes(self.after)

    def apply(self, state: State) -> State:
        return replace(state, **{self.aspect: self.after})

    def inverse(self) -> "FieldChange":
        return FieldChange(self.aspect, self.after, self.before)


def _bytes(value: Any) -> int:
    parts = value if isinstance(value, (tuple, Mapping)) else getattr(value, "notes", ())
    return BYTES_PER_NOTE * len(parts)


@dataclass(frozen=True, slots=True)
class Edit:
    """A named step of history. Edits with the same `gesture` that follow each other are one step (a fader being dragged)."""

    name: str
    changes: tuple[Change, ...]
    gesture: str = ""

    @property
    def aspects(self) -> frozenset[str]:
        return frozenset(change.aspect for change in self.changes if change.size > 0)

    @property
    def sounds(self) -> bool:
        """Whether the decomposition has to hear of it."""
        return not self.aspects.isdisjoint({"notes", "absent", "mask", "settings"})

    @property
    def changes_nothing(self) -> bool:
        return all(change.size == 0 for change in self.changes)

    @property
    def size(self) -> int:
        """Bytes it keeps alive, roughly."""
        return 200 + sum(change.size for change in self.changes)

    def apply(self, state: State) -> State:
        for change in self.changes:
            state = change.apply(state)
        return state

    def revert(self, state: State) -> State:
        for change in reversed(self.changes):
            state = change.inverse().apply(state)
        return state

    def merged(self, later: "Edit") -> "Edit":
        """Both as one step. A field changed again and again is kept as it was first and is last, however long the drag."""
        mine, theirs = self._fields, later._fields
        if mine and [change.aspect for change in mine] == [change.aspect for change in theirs]:
            fields = (FieldChange(a.aspect, a.before, b.after) for a, b in zip(mine, theirs, strict=True))
            return Edit(self.name, tuple(fields), self.gesture)
        return Edit(self.name, self.changes + later.changes, self.gesture)

    @property
    def _fields(self) -> tuple[FieldChange, ...]:
        """The changes, if all of them are of fields."""
        fields = tuple(change for change in self.changes if isinstance(change, FieldChange))
        return fields if len(fields) == len(self.changes) else ()


def count(number: int, noun: str) -> str:
    return f"{noun}" if number == 1 else f"{number} {noun}s"


def _alter(state: State, name: str, ids: Iterable[int], how: Callable[[Note], Note]) -> Edit:
    before = tuple(state.notes[i] for i in sorted(set(ids)))
    after = tuple(how(note) for note in before)
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
    return Edit(f"{name} {count(len(before), 'note')}", (NotesChange(tuple(b for b, _ in pairs), tuple(a for _, a in pairs)),))


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

    return _alter(state, "move", ids, moved)


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
    return _alter(state, "lengthen" if longer else "shorten", ids, stretched)


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
    return Edit("draw note", (*_first_layer(state, layer), NotesChange((), (note,))))


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


def assign_layer(state: State, ids: Collection[int], layer: int) -> Edit:
    name = getattr(state.layer(layer), "name", "")
    edit = _alter(state, "assign", ids, lambda note: replace(note, layer=layer))
    return replace(edit, name=f"{edit.name} to {name}")


def paint_mask(state: State, strokes: Sequence[MaskEdit]) -> Edit:
    """One drag of the mask brush: strokes in the order they were painted."""
    layer = next((stroke.layer for stroke in strokes if stroke.allow and stroke.layer is not None), None)
    before = _first_layer(state, layer) if layer is not None else ()
    return Edit("allow" if strokes and strokes[0].allow else "forbid", (*before, MaskChange(tuple(strokes))))


def _first_layer(state: State, layer: int) -> tuple[Change, ...]:
    """What has to change before something can be put into `layer`: in a piece without layers it is made."""
    if state.layers:
        return ()
    return (FieldChange("layers", (), (Layer(layer, f"Layer {layer + 1}", free_colour(())),)),)


def set_layers(state: State, layering: Layering, name: str) -> Edit:
    """Sort all notes into new layers; strips of the former layers go, strokes follow where most notes of their layer went."""
    first = layering.layers[0].id
    before = tuple(n for n in state.notes.values() if layering.layer_of.get(n.id, first) != n.layer)
    after = tuple(replace(n, layer=layering.layer_of.get(n.id, first)) for n in before)
    kept = {i: s for i, s in state.strips.items() if i in {RESIDUAL, ORIGINAL}}
    ways: dict[int, Counter[int]] = defaultdict(Counter)
    for note in state.notes.values():
        ways[note.layer][layering.layer_of.get(note.id, first)] += 1
    heirs = {former.id: ways[former.id].most_common(1)[0][0] if ways[former.id] else None for former in state.layers}
    return Edit(
        name,
        (
            NotesChange(before, after),
            FieldChange("mask", state.mask, _inherited(state.mask, heirs)),
            FieldChange("layers", state.layers, layering.layers),
            FieldChange("strips", state.strips, MappingProxyType(kept)),
        ),
    )


def _inherited(mask: tuple[MaskEdit, ...], heirs: Mapping[int, int | None]) -> tuple[MaskEdit, ...]:
    """Strokes whose layer has an heir, in that one; None means in the layer of the nearest note."""
    return tuple(
        stroke if stroke.layer is None else replace(stroke, layer=heirs.get(stroke.layer, stroke.layer)) for stroke in mask
    )


def set_program(state: State, layer: int, program: int, name: str) -> Edit:
    """Say which instrument (a General MIDI program from 0) plays the pitched notes of a layer."""
    ids = [n.id for n in state.notes.values() if n.layer == layer and not n.is_drum]
    return replace(_alter(state, "", ids, lambda note: replace(note, program=program)), name=f"instrument {name}")


def add_layer(state: State, name: str, ids: Collection[int] = (), *, layer_id: int | None = None) -> Edit:
    """A new layer, of the notes named (none: an empty one)."""
    layer = Layer(state.next_layer_id() if layer_id is None else layer_id, name.strip() or "Layer", free_colour(state.layers))
    notes = _alter(state, "", ids, lambda note: replace(note, layer=layer.id)).changes
    return Edit(f"new layer {layer.name}", (FieldChange("layers", state.layers, (*state.layers, layer)), *notes))


def alter_layer(state: State, layer_id: int, *, name: str | None = None, colour: str | None = None) -> Edit:
    name = (name or "").strip()

    def altered(layer: Layer) -> Layer:
        return replace(layer, name=name or layer.name, colour=colour or layer.colour) if layer.id == layer_id else layer

    what = "rename layer" if name else "colour layer"
    return Edit(what, (FieldChange("layers", state.layers, tuple(map(altered, state.layers))),))


def remove_layer(state: State, layer_id: int, into: int) -> Edit:
    """Merge a layer into another: its notes and strokes go there."""
    name = f"merge {getattr(state.layer(layer_id), 'name', 'layer')}"
    if into == layer_id:
        return Edit(name, ())
    ids = [n.id for n in state.notes.values() if n.layer == layer_id]
    notes = _alter(state, "", ids, lambda note: replace(note, layer=into)).changes
    layers = tuple(layer for layer in state.layers if layer.id != layer_id)
    strips = MappingProxyType({i: s for i, s in state.strips.items() if i != layer_id})
    return Edit(
        name,
        (
            *notes,
            FieldChange("mask", state.mask, _inherited(state.mask, {layer_id: into})),
            FieldChange("layers", state.layers, layers),
            FieldChange("strips", state.strips, strips),
        ),
    )


def set_strip(state: State, strip_id: int, strip: Strip, *, gesture: str = "") -> Edit:
    """Gain, pan, mute or solo of one strip."""
    old = state.strip(strip_id)
    what = (
        "mute"
        if old.muted != strip.muted
        else "solo"
        if old.soloed != strip.soloed
        else "pan"
        if old.pan != strip.pan
        else "gain"
    )
    return replace(set_strips(state, {strip_id: strip}, what), gesture=gesture)


def set_strips(state: State, strips: Mapping[int, Strip], name: str) -> Edit:
    # A strip that was never touched is at its defaults: to write them down would be no change.
    altered = {i: strip for i, strip in strips.items() if strip != state.strip(i)}
    return Edit(name, (FieldChange("strips", state.strips, MappingProxyType({**state.strips, **altered})),))


def set_settings(state: State, settings: ModelSettings) -> Edit:
    return Edit("decomposition settings", (FieldChange("settings", state.settings, settings),))


def realign(
    state: State,
    alignment: Alignment,
    anchors: tuple[tuple[float, float], ...],
    name: str,
    *,
    limits: Limits | None = None,
) -> Edit:
    """Take over a new alignment under `anchors`. Notes that the user has placed by hand stay where they are."""
    former = {n.id: n for n in state.alignment.notes} if state.alignment else {}
    before, after = [], []
    for note in alignment.notes:
        mine, was = state.notes.get(note.id), former.get(note.id)
        if mine is None or was is None or (mine.onset_s, mine.offset_s, mine.pedal_s) != (was.onset_s, was.offset_s, was.pedal_s):
            continue
        moved = replace(mine, onset_s=note.onset_s, offset_s=note.offset_s, pedal_s=note.pedal_s)
        if moved != mine:
            before.append(mine)
            after.append(moved)
    newly_absent = alignment.absent - (state.alignment.absent if state.alignment else frozenset())
    newly_there = (state.alignment.absent if state.alignment else frozenset()) - alignment.absent
    return Edit(
        name,
        (
            NotesChange(tuple(before), tuple(after)),
            FieldChange("alignment", state.alignment, alignment),
            FieldChange("anchors", state.anchors, anchors),
            FieldChange("limits", state.limits, limits or state.limits),
            FieldChange("absent", state.absent, ((state.absent | newly_absent) - newly_there) & state.notes.keys()),
        ),
    )


def place_score(state: State, **fields: Any) -> Edit:
    """Put a score onto the recording: its notes replace all, mask strokes and layers begin anew.

    `fields` are score_path, score, alignment, notes (mapping), absent and layers of the new state.
    """
    fields = {
        "mask": (),
        "absent": frozenset(),
        "anchors": (),
        "strips": MappingProxyType({i: s for i, s in state.strips.items() if i < 0}),
        **fields,
    }
    return Edit("place score", tuple(FieldChange(name, getattr(state, name), value) for name, value in fields.items()))
