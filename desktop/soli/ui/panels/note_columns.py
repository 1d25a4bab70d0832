"""The notes of the document as columns of numbers, kept in step with it note by note."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.project.state import State
from soli.score.notes import Note
from soli.ui.beats import Beats, places

Column: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """Ids of notes that came, went, or are other than before; `all_altered` where something changed for every note."""

    added: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    altered: frozenset[int] = frozenset()
    all_altered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.altered or self.all_altered)


class NoteColumns:
    """Columns of one length, one row a note, in no order that matters; `row_of` says where a note is.

    id, pitch, velocity, layer: int64. onset_s, length_s (how long it sounds), before_s, after_s (tolerances of its own, NaN
    where it has none), sure (confidence of the alignment, NaN where unknown): float64. bar (int64, NO_BAR before the first
    beat) and beat (float64, from 1; NaN likewise): its place in the score. absent: bool.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = State()
        self.beats = Beats()
        self._confidence: dict[int, float] = {}
        self.row_of: dict[int, int] = {}
        self._take((), self._state)
        if state is not None:
            self.follow(state)

    def __len__(self) -> int:
        return len(self.id)

    def pitch_name(self, row: int) -> str:
        """Name of a note's pitch in the key that holds there."""
        return self._state.pitch_name(int(self.pitch[row]), float(self.onset_s[row]))

    def follow(self, state: State) -> Difference:
        """Take over a new state; say which notes it changes."""
        former, self._state = self._state, state
        before, after = former.notes, state.notes
        altered, added, removed = _differences(before, after) if before is not after else (set(), set(), set())
        if state.absent != former.absent:
            altered |= (state.absent ^ former.absent) & before.keys() & after.keys()
        everything = self._learn_score(former, state)
        if everything or len(added) + len(removed) + len(altered) > len(after) // 2:
            self._take(after.values(), state)
        else:
            if removed:
                self._drop(removed)
            if added:
                self._append([after[i] for i in sorted(added)], state)
            if altered:
                self._write([after[i] for i in altered], state)
        return Difference(frozenset(added), frozenset(removed), frozenset(altered), everything)

    def _learn_score(self, former: State, state: State) -> bool:
        """Take over beats and confidences; whether they are others than before."""
        if state.alignment is former.alignment and state.score is former.score:
            return False
        self.beats = Beats(state)
        alignment = state.alignment
        known = zip((n.id for n in alignment.notes), alignment.confidence.tolist(), strict=True) if alignment else ()
        self._confidence = dict(known)
        return True

    def _take(self, notes: Iterable[Note], state: State) -> None:
        self._set(self._columns_of(tuple(notes), state))

    def _drop(self, ids: Collection[int]) -> None:
        keep = np.ones(len(self), bool)
        keep[[self.row_of[i] for i in ids]] = False
        self._set({name: column[keep] for name, column in self._named().items()})

    def _append(self, notes: Collection[Note], state: State) -> None:
        more = self._columns_of(notes, state)
        self._set({name: np.concatenate((column, more[name])) for name, column in self._named().items()})

    def _write(self, notes: Collection[Note], state: State) -> None:
        rows = np.array([self.row_of[n.id] for n in notes], np.int64)
        for name, values in self._columns_of(notes, state).items():
            getattr(self, name)[rows] = values

    def _named(self) -> dict[str, Column]:
        return {name: getattr(self, name) for name in _NAMES}

    def _set(self, columns: Mapping[str, Column]) -> None:
        self.id: NDArray[np.int64] = columns["id"]
        self.pitch: NDArray[np.int64] = columns["pitch"]
        self.velocity: NDArray[np.int64] = columns["velocity"]
        self.layer: NDArray[np.int64] = columns["layer"]
        self.onset_s: NDArray[np.float64] = columns["onset_s"]
        self.length_s: NDArray[np.float64] = columns["length_s"]
        self.before_s: NDArray[np.float64] = columns["before_s"]
        self.after_s: NDArray[np.float64] = columns["after_s"]
        self.sure: NDArray[np.float64] = columns["sure"]
        self.bar: NDArray[np.int64] = columns["bar"]
        self.beat: NDArray[np.float64] = columns["beat"]
        self.absent: NDArray[np.bool_] = columns["absent"]
        self.row_of = dict(zip(self.id.tolist(), range(len(self.id)), strict=True))

    def _columns_of(self, notes: Collection[Note], state: State) -> dict[str, Column]:
        whole = np.array([(n.id, n.pitch, n.velocity, n.layer) for n in notes], np.int64).reshape(-1, 4)
        # None becomes NaN.
        real = np.array([(n.onset_s, n.sounding_offset_s, n.before_s, n.after_s) for n in notes], np.float64).reshape(-1, 4)
        bar, beat = places(self.beats, real[:, 0])
        absent, confidence = state.absent, self._confidence
        return {
            "id": whole[:, 0].copy(),
            "pitch": whole[:, 1].copy(),
            "velocity": whole[:, 2].copy(),
            "layer": whole[:, 3].copy(),
            "onset_s": real[:, 0].copy(),
            "length_s": real[:, 1] - real[:, 0],
            "before_s": real[:, 2].copy(),
            "after_s": real[:, 3].copy(),
            "sure": np.array([confidence.get(n.id, np.nan) for n in notes], np.float64),
            "bar": bar,
            "beat": beat,
            "absent": np.array([n.id in absent for n in notes], bool),
        }


_NAMES = ("id", "pitch", "velocity", "layer", "onset_s", "length_s", "before_s", "after_s", "sure", "bar", "beat", "absent")


def _differences(before: Mapping[int, Note], after: Mapping[int, Note]) -> tuple[set[int], set[int], set[int]]:
    """Ids altered, added and removed. Notes that an edit leaves alone are the same objects, so identity is enough."""
    others = [i for i, note in after.items() if before.get(i) is not note]
    added = {i for i in others if i not in before}
    removed = before.keys() - after.keys() if len(before) + len(added) != len(after) else set()
    return {i for i in others if i in before}, added, set(removed)
