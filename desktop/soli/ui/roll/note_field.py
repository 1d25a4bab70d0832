"""The notes and what they may use, as columns: what is in view, what lies under the pointer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from soli.decompose.constraints import MaskEdit, bodies
from soli.project.state import State

IntArray = NDArray[np.int64]
Times = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Rectangles in time and pitch, ordered by start; `id` is a note's id (or -1), `strength` from 0 to 1."""

    id: IntArray
    pitch: IntArray
    layer: IntArray
    start_s: Times
    end_s: Times
    strength: NDArray[np.float32]
    longest_s: float

    @classmethod
    def of(
        cls, id_: IntArray, pitch: IntArray, layer: IntArray, start_s: Times, end_s: Times, strength: NDArray[np.float32]
    ) -> "Stretches":
        order = np.lexsort((id_, start_s))
        longest = float((end_s - start_s).max(initial=0.0))
        return cls(id_[order], pitch[order], layer[order], start_s[order], end_s[order], strength[order], longest)

    def within(self, start_s: float, end_s: float, lowest: float, highest: float) -> IntArray:
        """Rows that touch a stretch of time and pitch; the work grows with what lies there, not with the piece."""
        first = int(np.searchsorted(self.start_s, start_s - self.longest_s))
        last = int(np.searchsorted(self.start_s, end_s, side="right"))
        rows = slice(first, last)
        hit = (self.end_s[rows] >= start_s) & (self.pitch[rows] + 0.5 >= lowest) & (self.pitch[rows] - 0.5 <= highest)
        return np.flatnonzero(hit) + first


class NoteField:
    """Notes and bodies of one State, for painting and for hits."""

    def __init__(self, state: State) -> None:
        notes = tuple(state.notes.values())
        sure = {}
        if state.alignment is not None:
            sure = dict(zip((n.id for n in state.alignment.notes), state.alignment.confidence.tolist(), strict=True))
        self.notes = Stretches.of(
            np.array([n.id for n in notes], np.int64),
            np.array([n.pitch for n in notes], np.int64),
            np.array([n.layer for n in notes], np.int64),
            np.array([n.onset_s for n in notes]),
            np.array([n.sounding_offset_s for n in notes]),
            np.array([sure.get(n.id, 1.0) for n in notes], np.float32),
        )
        self.confidence = sure
        self.absent = state.absent
        rows = bodies(state.present_notes(), state.mask, state.settings)
        self.bodies = Stretches.of(rows.note, rows.pitch, rows.layer, rows.start_s, rows.end_s, np.ones(len(rows), np.float32))
        self.forbidden = forbidden(state.mask)

    def note_at(self, time_s: float, pitch: int, *, slack_s: float = 0.0) -> int | None:
        """Id of the note under a point, the one that began last where several lie there."""
        rows = self.notes.within(time_s - slack_s, time_s + slack_s, pitch, pitch)
        rows = rows[self.notes.pitch[rows] == pitch]
        return int(self.notes.id[rows[-1]]) if len(rows) else None

    def notes_in(self, start_s: float, end_s: float, lowest: int, highest: int) -> Collection[int]:
        """Ids of all notes that touch a rectangle, pitches inclusive."""
        rows = self.notes.within(start_s, end_s, lowest, highest)
        rows = rows[(self.notes.pitch[rows] >= lowest) & (self.notes.pitch[rows] <= highest)]
        return [int(i) for i in self.notes.id[rows]]


def forbidden(mask: Sequence[MaskEdit]) -> tuple[MaskEdit, ...]:
    """Where strokes forbid a pitch and no later stroke allows it again, in painting order."""
    standing: list[MaskEdit] = []
    for stroke in mask:
        if not stroke.allow:
            standing.append(stroke)
            continue
        standing = [
            piece for former in standing for piece in (_without(former, stroke) if former.pitch == stroke.pitch else (former,))
        ]
    return tuple(standing)


def _without(stroke: MaskEdit, hole: MaskEdit) -> list[MaskEdit]:
    left = replace(stroke, end_s=min(stroke.end_s, hole.start_s))
    right = replace(stroke, start_s=max(stroke.start_s, hole.end_s))
    return [piece for piece in (left, right) if piece.end_s > piece.start_s]
