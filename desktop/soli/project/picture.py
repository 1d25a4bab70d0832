"""A picture of the piano roll without a window: the spectrogram with the notes of each layer over it, as PNG or SVG."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.files import beside
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


def draw(state: State) -> NDArray[np.uint8]:
    """The whole piece, uint8, shape (height, width, 3), highest pitch on top; time runs to the right."""
    under = ground(state)
    canvas = under.pixels
    colours = {layer.id: np.array(list(bytes.fromhex(layer.colour[1:])), np.float32) for layer in state.layers}
    for note in visible_notes(state):
        left, top, right, bottom = (max(0, edge) for edge in under.box(note))
        body = canvas[top:bottom, left:right]
        body += 0.75 * (colours.get(note.layer, BRIGHT) - body)
    return doubled(canvas)


def doubled(canvas: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A canvas (rows, columns, 3) of 0 to 255 as pixels, uint8, each row twice."""
    return np.repeat(canvas.clip(0, 255).astype(np.uint8), 2, axis=0)


def write_picture(path: Path, state: State) -> Path:
    """Write the roll as PNG, or as SVG where `path` ends so. Raises InputError without a recording or a place for it."""
    if path.suffix.lower() == ".svg":
        from soli.project.picture_svg import svg

        return _write(path, svg(state).encode())
    return write_png(path, draw(state))


def write_png(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write uint8 pixels of shape (height, width, 3) as PNG. Raises InputError when the place cannot be written."""
    return _write(path, png(pixels))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Uint8 pixels of shape (height, width, 3) as a PNG file (RFC 2083)."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], axis=1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def _write(path: Path, content: bytes) -> Path:
    try:
        with beside(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path
