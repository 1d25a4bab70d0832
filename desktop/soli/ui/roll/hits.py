"""Which notes a hand can reach: those under the pointer, those that are shown."""

from collections.abc import Iterable

import numpy as np

from soli.project.state import State
from soli.score.notes import Note
from soli.ui.roll.note_field import NoteField

SLACK_PX = 3.0  # the shortest notes are drawn wider than they are


def note_under(field: NoteField, state: State, time_s: float, pitch: int, *, slack_s: float, layer: int) -> Note | None:
    """The note at a point: one that sounds there before one near by, one of `layer` before others, a later one before others."""
    notes = field.notes
    rows = notes.within(time_s - slack_s, time_s + slack_s, pitch, pitch)
    rows = rows[notes.pitch[rows] == pitch]
    if len(rows) == 0:
        return None
    away = np.maximum(np.maximum(notes.start_s[rows] - time_s, time_s - notes.end_s[rows]), 0.0)
    best = np.lexsort((-notes.start_s[rows], notes.layer[rows] != layer, away))[0]
    return state.notes.get(int(notes.id[rows[best]]))


def shown(state: State, ids: Iterable[int]) -> frozenset[int]:
    """Those of the notes `ids` that lie in no hidden layer."""
    hidden = state.hidden_layers
    return frozenset(i for i in ids if state.notes[i].layer not in hidden)
