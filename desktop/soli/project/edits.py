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


def alter(state: State, name: str, ids: Iterable[int], how: Callable[[Note], Note]) -> Edit:
    before = tuple(state.notes[i] for i in sorted(set(ids)))
    after = tuple(how(note) for note in before)
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
    return Edit(f"{name} {count(len(before), 'note')}", (NotesChange(tuple(b for b, _ in pairs), tuple(a for _, a in pairs)),))


def first_layer(state: State, layer: int) -> tuple[Change, ...]:
    """What has to change before something can be put into `layer`: in a piece without layers it is made."""
    if state.layers:
        return ()
    return (FieldChange("layers", (), (Layer(layer, f"Layer {layer + 1}", free_colour(())),)),)
