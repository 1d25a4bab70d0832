"""The notes and what they may use, as columns: what is in view, what lies under the pointer."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress, takewhile
from operator import attrgetter, is_not

import numpy as np

from soli.decompose.constraints import MaskEdit, bodies
from soli.project.state import State
from soli.project.template_sets import template_sets
from soli.score.notes import Note
from soli.ui.roll.stretches import Stretches

MOST_PATCHED = 1000  # with more notes changed than that, making all anew costs no more
StrengthOf = Callable[[Note], float]
NOWHERE = (np.inf, -np.inf, np.inf, -np.inf)
Region = tuple[float, float, float, float]


class NoteField:
    """Notes and bodies of one State, for painting and for hits. Those of hidden layers are in neither.

    `notes.strength` is how sure the alignment is of each note; or what `strength_of` says of it.
    """

    def __init__(self, state: State, strength_of: StrengthOf | None = None) -> None:
        self._state = state
        self.confidence: Mapping[int, float] = {}
        if state.alignment is not None:
            alignment = state.alignment
            self.confidence = dict(zip((n.id for n in alignment.notes), alignment.confidence.tolist(), strict=True))
        self._strength_of = strength_of
        self._hidden = _hidden(state)
        self._all = self._stretches(state.notes.values())
        self._bodies = _bodies(state, state.present_notes(), state.mask)
        self.forbidden = forbidden(state.mask)
        self.region: Region | None = None
        self._show()

    def _show(self) -> None:
        self._barred: Stretches | None = None
        self.notes, self.bodies = (self._shown(rows) for rows in (self._all, self._bodies))
        self.absent = self._state.absent

    def _shown(self, rows: Stretches) -> Stretches:
        return rows.only(~np.isin(rows.layer, self._hidden)) if self._hidden else rows

    def updated(self, state: State, strength_of: StrengthOf | None = None) -> "NoteField":
        """The field of a later state. Where few notes changed since this one, only their pitches are worked out again.

        Its `region` (seconds from and to, lowest and highest pitch) holds all that looks different; None where anything may.
        """
        former = self._state
        same = state.alignment is former.alignment and state.settings == former.settings and strength_of is self._strength_of
        if not same or _layer_looks(state) != _layer_looks(former) or not (_is_local(state) and _is_local(former)):
            return NoteField(state, strength_of)
        changed = _changed(former, state)
        if len(changed) > MOST_PATCHED:
            return NoteField(state, strength_of)
        result = object.__new__(NoteField)
        result._state, result.confidence, result._strength_of, result._hidden = state, self.confidence, strength_of, self._hidden
        result._patch(self, changed)
        return result

    def _patch(self, former: "NoteField", changed: set[int]) -> None:
        state = self._state
        gone = np.isin(former._all.id, list(changed))
        fresh = self._stretches(state.notes[i] for i in changed if i in state.notes)
        self._all = former._all.only(~gone).joined(fresh) if changed else former._all
        strokes = _changed_strokes(former._state.mask, state.mask)
        self.forbidden = forbidden(state.mask) if strokes else former.forbidden
        painted = {stroke.pitch for stroke in (*former._state.mask, *state.mask)}
        touched = {*former._all.pitch[gone].tolist(), *fresh.pitch.tolist()} & painted
        touched.update(stroke.pitch for stroke in strokes)
        # Without strokes at its pitch, what a note may use is its own affair.
        self._bodies, self.region = former._bodies, NOWHERE
        if changed or touched:
            pitches = list(touched)
            ids = changed.union(self._all.id[np.isin(self._all.pitch, pitches)].tolist()) - state.absent
            notes = sorted((state.notes[i] for i in ids if i in state.notes), key=attrgetter("onset_s", "id"))
            rows = _bodies(state, notes, [stroke for stroke in state.mask if stroke.pitch in touched])
            old = np.isin(former._bodies.pitch, pitches) | np.isin(former._bodies.id, list(changed))
            self._bodies = former._bodies.only(~old).joined(rows)
            around = [former._all.only(gone), fresh, *_differing(former._bodies.only(old), rows)]
            self.region = _region(around, strokes)
        self._show()

    def _stretches(self, notes: Iterable[Note]) -> Stretches:
        notes = tuple(notes)
        whole = np.array([(n.id, n.pitch, n.layer) for n in notes], np.int64).reshape(-1, 3)
        seconds = np.array([(n.onset_s, n.sounding_offset_s) for n in notes], np.float64).reshape(-1, 2)
        of = self._strength_of
        sure = [self.confidence.get(n.id, 1.0) for n in notes] if of is None else [of(n) for n in notes]
        ids, pitch, layer = whole.T
        onset_s, end_s = seconds.T
        return Stretches.of(ids, pitch, layer, onset_s, end_s, np.array(sure, np.float32))

    @property
    def last_s(self) -> float:
        """Where the last note ends, in seconds."""
        return float(self.notes.end_s.max(initial=0.0))

    def forbidden_within(self, start_s: float, end_s: float) -> list[MaskEdit]:
        """The forbidden stretches that touch a stretch of time."""
        if self._barred is None:
            times = np.array([(s.start_s, s.end_s) for s in self.forbidden], np.float64).reshape(-1, 2)
            rows, none = np.arange(len(times)), np.zeros(len(times), np.int64)
            self._barred = Stretches.of(rows, none, none, times[:, 0], times[:, 1], np.ones(len(times), np.float32))
        found = self._barred.within(start_s, end_s, 0, 0)
        return [self.forbidden[i] for i in sorted(self._barred.id[found].tolist())]

    def note_at(self, time_s: float, pitch: int, *, slack_s: float = 0.0) -> int | None:
        """Id of the note under a point, the one that began last where several lie there."""
        rows = self.notes.within(time_s - slack_s, time_s + slack_s, pitch, pitch)
        rows = rows[self.notes.pitch[rows] == pitch]
        return int(self.notes.id[rows[-1]]) if len(rows) else None

    def notes_in(self, start_s: float, end_s: float, lowest: int, highest: int) -> Collection[int]:
        """Ids of all notes that touch a rectangle, pitches inclusive."""
        rows = self.notes.within(start_s, end_s, lowest, highest)
        pitch = self.notes.pitch[rows]
        ids: list[int] = self.notes.id[rows[(pitch >= lowest) & (pitch <= highest)]].tolist()
        return ids


def _bodies(state: State, notes: Sequence[Note], mask: Sequence[MaskEdit]) -> Stretches:
    rows = bodies(notes, mask, state.settings, sets=template_sets(state))
    return Stretches.of(rows.note, rows.pitch, rows.layer, rows.start_s, rows.end_s, np.ones(len(rows), np.float32))


def _is_local(state: State) -> bool:
    """Whether what a note may use depends on its own pitch alone: not where several share one instrument's tolerances."""
    joined = state.settings.grouping == "one" or any(layer.templates is not None for layer in state.layers)
    return not joined and all(stroke.layer is not None or not stroke.allow for stroke in state.mask)


def _layer_looks(state: State) -> list[tuple[int, bool, int | None]]:
    return [(layer.id, layer.hidden, layer.templates) for layer in state.layers]


def _hidden(state: State) -> list[int]:
    return [layer.id for layer in state.layers if layer.hidden]


def _changed(former: State, state: State) -> set[int]:
    """Ids of notes that are new, gone, altered, or take part where they did not."""
    before, after = former.notes, state.notes
    changed = set(former.absent ^ state.absent)
    if before is not after:
        changed.update(compress(after, map(is_not, map(before.get, after), after.values())))
        if len(before) != len(after) or not changed.issubset(before):
            changed.update(before.keys() - after.keys())
    return changed


def _changed_strokes(before: Sequence[MaskEdit], after: Sequence[MaskEdit]) -> list[MaskEdit]:
    """Strokes after the last one that both have from the start on."""
    if before is after:
        return []
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    return [*before[common:], *after[common:]]


def _differing(before: Stretches, after: Stretches) -> tuple[Stretches, Stretches]:
    """Rows of each that the other has not."""

    def rows(field: Stretches) -> list[tuple[int, ...]]:
        return list(
            zip(
                field.id.tolist(),
                field.pitch.tolist(),
                field.layer.tolist(),
                field.start_s.tolist(),
                field.end_s.tolist(),
                strict=True,
            )
        )

    mine, theirs = rows(before), rows(after)
    old, new = set(mine), set(theirs)
    return (
        before.only(np.array([row not in new for row in mine], bool)),
        after.only(np.array([row not in old for row in theirs], bool)),
    )


def _region(parts: Iterable[Stretches], strokes: Iterable[MaskEdit]) -> Region:
    boxes = [(p.start_s.min(), p.end_s.max(), p.pitch.min(), p.pitch.max()) for p in parts if len(p)] + [
        (s.start_s, s.end_s, s.pitch, s.pitch) for s in strokes
    ]
    start, end, low, high = zip(NOWHERE, *boxes, strict=True)
    return float(min(start)), float(max(end)), float(min(low)), float(max(high))


def forbidden(mask: Sequence[MaskEdit]) -> tuple[MaskEdit, ...]:
    """Where strokes forbid a pitch and no later stroke allows it again, pitch by pitch in painting order."""
    standing: dict[int, list[MaskEdit]] = {}
    for stroke in mask:
        here = standing.setdefault(stroke.pitch, [])
        if stroke.allow:
            here[:] = [piece for former in here for piece in _without(former, stroke)]
        else:
            here.append(stroke)
    return tuple(stroke for pieces in standing.values() for stroke in pieces)


def _without(stroke: MaskEdit, hole: MaskEdit) -> list[MaskEdit]:
    left = replace(stroke, end_s=min(stroke.end_s, hole.start_s))
    right = replace(stroke, start_s=max(stroke.start_s, hole.end_s))
    return [piece for piece in (left, right) if piece.end_s > piece.start_s]
