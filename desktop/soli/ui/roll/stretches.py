"""Rectangles in time and pitch as columns, found by where they lie."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Times = NDArray[np.float64]
Strengths = NDArray[np.float32]

SHORTEST_CLASS = -7  # lengths below 8 ms are one class


@dataclass(frozen=True, eq=False)
class Stretches:
    """Rectangles in time and pitch, ordered by start; `id` is a note's id (or -1), `strength` from 0 to 1."""

    id: IntArray
    pitch: IntArray
    layer: IntArray
    start_s: Times
    end_s: Times
    strength: Strengths

    @classmethod
    def of(
        cls, id_: IntArray, pitch: IntArray, layer: IntArray, start_s: Times, end_s: Times, strength: Strengths
    ) -> "Stretches":
        return cls(id_, pitch, layer, start_s, end_s, strength)._rows(np.lexsort((id_, start_s)))

    def __len__(self) -> int:
        return len(self.id)

    def only(self, chosen: NDArray[np.bool_]) -> "Stretches":
        """The rows where `chosen` is true."""
        return self if chosen.all() else self._rows(np.flatnonzero(chosen))

    def joined(self, others: "Stretches") -> "Stretches":
        """These and some others."""
        both = Stretches(
            np.concatenate([self.id, others.id]),
            np.concatenate([self.pitch, others.pitch]),
            np.concatenate([self.layer, others.layer]),
            np.concatenate([self.start_s, others.start_s]),
            np.concatenate([self.end_s, others.end_s]),
            np.concatenate([self.strength, others.strength]),
        )
        return both._rows(np.lexsort((both.id, both.start_s)))

    def in_layers(self, layer: IntArray) -> "Stretches":
        """The same rows, each in another layer."""
        result = replace(self, layer=layer)
        result.__dict__["_index"] = self._index  # they lie where they lay
        return result

    def within(self, start_s: float, end_s: float, lowest: float, highest: float) -> IntArray:
        """Rows that touch a stretch of time and pitch, in order; the work grows with what lies there, not with the piece.

        Rows of about one length are searched together: how long the longest of another class is costs nothing here.
        """
        order, starts, classes = self._index
        parts = []
        for first, last, longest in classes:
            here = starts[first:last]
            low = first + int(here.searchsorted(start_s - longest))
            high = first + int(here.searchsorted(end_s, side="right"))
            if high > low:
                parts.append(order[low:high])
        if not parts:
            return np.zeros(0, np.int64)
        rows = np.sort(np.concatenate(parts))
        pitch = self.pitch[rows]
        return rows[(self.end_s[rows] >= start_s) & (pitch + 0.5 >= lowest) & (pitch - 0.5 <= highest)]

    @cached_property
    def _index(self) -> tuple[IntArray, Times, list[tuple[int, int, float]]]:
        """Rows ordered by class of length and start, their starts, and first, last and longest of each class."""
        lengths = self.end_s - self.start_s
        classes = np.maximum(np.frexp(np.maximum(lengths, 0.0))[1], SHORTEST_CLASS)
        # Rows are ordered by start already, and a stable sort keeps that within a class.
        order = np.argsort(classes, kind="stable").astype(np.int64)
        edges = np.flatnonzero(np.diff(classes[order])) + 1
        ends = zip([0, *edges.tolist()], [*edges.tolist(), len(order)], strict=True)
        return order, self.start_s[order], [(a, b, float(lengths[order[a:b]].max())) for a, b in ends if b > a]

    def _rows(self, rows: IntArray) -> "Stretches":
        return Stretches(
            self.id[rows], self.pitch[rows], self.layer[rows], self.start_s[rows], self.end_s[rows], self.strength[rows]
        )


def unions(key: IntArray, start: Times, end: Times) -> tuple[IntArray, Times, Times]:
    """Intervals of the same key that touch, as one: key, start and end of each, ordered by key and start."""
    if len(key) == 0:
        return key, start, end
    order = np.lexsort((start, key))
    key, start, end = key[order], start[order], end[order]
    changes = np.flatnonzero(np.diff(key)) + 1
    # Ends of a later key lie beyond all of an earlier one, so that one running maximum serves all.
    beyond = np.zeros(len(key))
    beyond[changes] = float(end.max() - min(start.min(), end.min())) + 1.0
    lift = np.cumsum(beyond)
    reach = np.maximum.accumulate(end + lift)
    begins = np.flatnonzero(np.concatenate([[True], start[1:] + lift[1:] > reach[:-1]]))
    return key[begins], start[begins], np.maximum.reduceat(end, begins)
