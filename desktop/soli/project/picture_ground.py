"""What every picture of the roll begins with: the spectrogram as its ground, and the notes that are shown on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soli.progress import finish
from soli.project import pipeline
from soli.project.state import State
from soli.score.notes import Note
from soli.signal.log_spectrogram import LOWEST_PITCH, ROWS, ROWS_PER_SEMITONE, LogSpectrogramMaker

MOST_COLUMNS = 2400
QUIET = 0.3  # what is softer than this part of the range is ground
GROUND = np.array([13, 15, 20], np.float32)
BRIGHT = np.array([196, 214, 240], np.float32)


@dataclass(frozen=True, eq=False)
class Ground:
    """The spectrogram under the notes: float32, shape (ROWS, columns, 3), highest pitch on top; a column is `column_s` long."""

    pixels: NDArray[np.float32]
    column_s: float

    def box(self, note: Note) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a note, in columns and rows; they may lie outside."""
        top = ROWS - (note.pitch - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE
        left, right = (round(t / self.column_s) for t in (note.onset_s, note.offset_s))
        return left, top, max(right, left + 2), top + ROWS_PER_SEMITONE


def ground(state: State) -> Ground:
    """The sound of the whole piece. Raises InputError where there is no recording."""
    picture = finish(LogSpectrogramMaker(pipeline.require_recording(state)).steps())
    step = -(-picture.values.shape[1] // MOST_COLUMNS)
    columns = np.maximum.reduceat(picture.values, np.arange(0, picture.values.shape[1], step), axis=1)
    level = np.clip(columns[::-1, :, None].astype(np.float32) / 255 - QUIET, 0, None) / (1 - QUIET)
    return Ground((GROUND + level * (BRIGHT - GROUND)).astype(np.float32), picture.hop_s * step)


def visible_notes(state: State) -> list[Note]:
    """The notes that the roll shows: those of hidden layers are none of them."""
    return [note for note in state.notes.values() if note.layer not in state.hidden_layers]


def doubled(canvas: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A canvas (rows, columns, 3) of 0 to 255 as pixels, uint8, each row twice."""
    return np.repeat(canvas.clip(0, 255).astype(np.uint8), 2, axis=0)
