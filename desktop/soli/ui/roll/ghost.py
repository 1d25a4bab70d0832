"""Notes and their bodies while a hand moves them: where the edit would put them."""

from collections.abc import Collection, Sequence

import numpy as np
from PySide6.QtGui import QPainter

from soli.decompose.constraints import bodies
from soli.decompose.settings import ModelSettings
from soli.project import commands
from soli.project.state import State
from soli.score.notes import Note
from soli.ui.roll.figures import draw_framed
from soli.ui.roll.stretches import Stretches, Times
from soli.ui.roll.tools import Desk


class Ghost:
    """Some notes as columns, and what one edit makes of all of them."""

    def __init__(self, notes: Sequence[Note], settings: ModelSettings, *, absent: frozenset[int] = frozenset()) -> None:
        self.ids = frozenset(note.id for note in notes)
        self._id = np.array([n.id for n in notes], np.int64)
        self._pitch = np.array([n.pitch for n in notes], np.int64)
        self._layer = np.array([n.layer for n in notes], np.int64)
        self._onset_s = np.array([n.onset_s for n in notes], np.float64)
        self._end_s = np.array([n.sounding_offset_s for n in notes], np.float64)
        self._absent = np.array([n.id in absent for n in notes], bool)
        rows = bodies(notes, (), settings)
        self._before_s: Times = rows.onset_s - rows.start_s
        self._after_s: Times = rows.end_s - rows.offset_s
        self._struck = np.array([n.is_drum for n in notes], bool)  # how long a drum is held says nothing

    @classmethod
    def of(cls, state: State, ids: Collection[int]) -> "Ghost":
        """The notes `ids` of a state, those of locked layers left out."""
        return cls([state.notes[i] for i in state.editable(ids)], state.settings, absent=state.absent)

    def way(self, seconds: float, semitones: int) -> tuple[float, int]:
        """How far all of them can move together: not to before the recording, nor off the piano roll."""
        if len(self._id) == 0:
            return 0.0, 0
        seconds = max(seconds, min(0.0, -float(self._onset_s.min())))
        return seconds, max(-int(self._pitch.min()), min(127 - int(self._pitch.max()), semitones))

    def placed(
        self,
        *,
        seconds: float = 0.0,
        semitones: int = 0,
        onset_s: float = 0.0,
        offset_s: float = 0.0,
        before_s: float | None = None,
        after_s: float | None = None,
    ) -> tuple[Stretches, Stretches]:
        """Notes and bodies after a move, after their ends are stretched by some seconds, with other tolerances."""
        seconds, semitones = self.way(seconds, semitones)
        begin, end = self._onset_s, self._end_s
        if offset_s:
            end = np.maximum(end + offset_s, begin + commands.SHORTEST_NOTE_S)
        if onset_s:
            latest = np.maximum(begin, end - commands.SHORTEST_NOTE_S)
            begin = np.maximum(np.minimum(0.0, begin), np.minimum(begin + onset_s, latest))
        begin, end, pitch = begin + seconds, end + seconds, self._pitch + semitones
        before = self._before_s if before_s is None else np.full(len(begin), before_s)
        after = self._after_s if after_s is None else np.full(len(begin), after_s)
        held = np.where(self._struck, begin, end)
        strength, there = np.ones(len(begin), np.float32), ~self._absent
        notes = Stretches.of(self._id, pitch, self._layer, begin, end, strength)
        columns = (self._id, pitch, self._layer, begin - before, held + after, strength)
        return notes, Stretches.of(*(column[there] for column in columns))


def draw_ghost(painter: QPainter, desk: Desk, notes: Stretches, spread: Stretches) -> None:
    """Notes over their bodies, framed as selected ones are."""
    theme = desk.theme
    colours = {layer.id: desk.layer_colour(layer.id) for layer in desk.document.state.layers}
    bright = theme.colours.name == "light"
    draw_framed(painter, desk.view, notes, spread, colours, theme.colour("selection"), bright=bright)
