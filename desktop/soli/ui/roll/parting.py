"""What notes would look like in two layers, parted at a pitch."""

from collections.abc import Collection
from copy import copy

import numpy as np

from soli.ui.roll.note_field import NoteField
from soli.ui.roll.stretches import IntArray, Stretches


class Parting:
    """A field with the notes `ids` in two layers: `upper` for those of a pitch and above, `lower` for the others.

    Which notes these are is looked up once, so that the pitch can follow a hand.
    """

    def __init__(self, field: NoteField, ids: Collection[int], *, upper: int, lower: int) -> None:
        self._field, self._upper, self._lower = field, upper, lower
        chosen = np.fromiter(ids, np.int64, len(ids))
        self._notes, self._bodies = (np.flatnonzero(np.isin(rows.id, chosen)) for rows in (field.notes, field.bodies))
        self._pitches = np.sort(field.notes.pitch[self._notes])

    @property
    def lowest(self) -> int:
        return int(self._pitches[0])

    @property
    def highest(self) -> int:
        return int(self._pitches[-1])

    @property
    def middle(self) -> int:
        """The pitch that half of the notes lie below."""
        return int(self._pitches[len(self._pitches) // 2])

    def above(self, pitch: int) -> int:
        """How many of the notes are of this pitch or higher."""
        return len(self._pitches) - int(self._pitches.searchsorted(pitch))

    def at(self, pitch: int) -> NoteField:
        field = copy(self._field)
        field.notes = self._parted(field.notes, self._notes, pitch)
        field.bodies = self._parted(field.bodies, self._bodies, pitch)
        return field

    def _parted(self, rows: Stretches, chosen: IntArray, pitch: int) -> Stretches:
        layer = rows.layer.copy()
        layer[chosen] = np.where(rows.pitch[chosen] >= pitch, self._upper, self._lower)
        return rows.in_layers(layer)
