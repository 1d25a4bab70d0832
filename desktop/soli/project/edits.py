"""What an edit is: a named step that can be applied and reverted, made of changes.

An edit holds only what it changes, before and after, so that history grows with the work done and not with the piece.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

from soli.decompose.constraints import MaskEdit
from soli.project.state import Layer, State, free_colour
from soli.score.notes import Note

BYTES_PER_NOTE = 256
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

    def followed(self, later: "NotesChange") -> "NotesChange":
        """Both as one: notes as they were first and are last, however often they changed in between."""
        between = {note.id for note in self.after}
        before = {note.id: note for note in self.before} | {n.id: n for n in later.before if n.id not in between}
        gone = {note.id for note in later.before}
        after = {note.id: note for note in self.after if note.id not in gone} | {note.id: note for note in later.after}
        same = {i for i, note in before.items() if after.get(i) == note}
        return NotesChange(
            tuple(note for i, note in before.items() if i not in same), tuple(note for i, note in after.items() if i not in same)
        )


@dataclass(frozen=True, slots=True)
class Splice:
    """Strokes that take the place of others: those `before` lie from number `at` on in the mask as it was."""

    at: int
    before: tuple[MaskEdit, ...]
    after: tuple[MaskEdit, ...]


@dataclass(frozen=True, slots=True)
class MaskChange:
    """Splices of the strokes of the mask brush, from the first to the last, none over another."""

    splices: tuple[Splice, ...]

    @property
    def aspect(self) -> str:
        return "mask"

    @property
    def size(self) -> int:
        return BYTES_PER_STROKE * sum(len(splice.before) + len(splice.after) for splice in self.splices)

    def apply(self, state: State) -> State:
        mask: list[MaskEdit] = []
        done = 0
        for splice in self.splices:
            mask += state.mask[done : splice.at]
            mask += splice.after
            done = splice.at + len(splice.before)
        return replace(state, mask=(*mask, *state.mask[done:]))

    def inverse(self) -> "MaskChange":
        longer, splices = 0, []
        for splice in self.splices:
            splices.append(Splice(splice.at + longer, splice.after, splice.before))
            longer += len(splice.after) - len(splice.before)
        return MaskChange(tuple(splices))


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


def _groups(layers: tuple[Layer, ...]) -> dict[int, int]:
    """Which layers share templates."""
    return {layer.id: layer.templates for layer in layers if layer.templates is not None}


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
        return not self.aspects.isdisjoint({"notes", "absent", "mask", "template_limits", "settings"}) or any(
            isinstance(change, FieldChange) and change.aspect == "layers" and _groups(change.before) != _groups(change.after)
            for change in self.changes
        )

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

    @property
    def added(self) -> tuple[int, ...]:
        """The ids of the notes that it adds."""
        changes = [change for change in self.changes if isinstance(change, NotesChange)]
        former = {note.id for change in changes for note in change.before}
        return tuple(note.id for change in changes for note in change.after if note.id not in former)

    def merged(self, later: "Edit") -> "Edit":
        """Both as one step. What is changed again and again is kept as it was first and is last, however long the drag."""
        aspects = [change.aspect for change in self.changes]
        if aspects == [change.aspect for change in later.changes] and len(set(aspects)) == len(aspects):
            pairs = [_merged(mine, theirs) for mine, theirs in zip(self.changes, later.changes, strict=True)]
            if None not in pairs:
                return Edit(self.name, tuple(change for change in pairs if change is not None), self.gesture)
        return Edit(self.name, self.changes + later.changes, self.gesture)


def _merged(first: Change, then: Change) -> Change | None:
    """Both as one change; None where that is not known."""
    if isinstance(first, FieldChange) and isinstance(then, FieldChange):
        return FieldChange(first.aspect, first.before, then.after)
    if isinstance(first, NotesChange) and isinstance(then, NotesChange):
        return first.followed(then)
    return None


def count(number: int, noun: str) -> str:
    """A noun with its number: "note" for one, "3 notes" for three."""
    return f"{noun}" if number == 1 else f"{number} {noun}s"


def of_notes(what: str, number: int) -> str:
    """What is set, as in "set tolerance", and of how many notes where they are several."""
    return what if number == 1 else f"{what} of {number} notes"


def alter(state: State, name: str, ids: Iterable[int], how: Callable[[Note], Note]) -> Edit:
    """The step `name` that makes of each note of `ids` what `how` says; its name tells how many."""
    before = tuple(state.notes[i] for i in sorted(set(ids)))
    after = tuple(how(note) for note in before)
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
    return Edit(f"{name} {count(len(before), 'note')}", (NotesChange(tuple(b for b, _ in pairs), tuple(a for _, a in pairs)),))


def first_layer(state: State, layer: int) -> tuple[Change, ...]:
    """What has to change before something can be put into `layer`: in a piece without layers it is made."""
    if state.layers:
        return ()
    return (FieldChange("layers", (), (Layer(layer, f"Layer {layer + 1}", free_colour(())),)),)
