"""A picture of the piano roll without a window: the spectrogram with the notes of each layer over it, as PNG."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.files import beside
from soli.progress import finish
from soli.project import pipeline
from soli.project.state import State
from soli.signal.log_spectrogram import LOWEST_PITCH, ROWS, ROWS_PER_SEMITONE, LogSpectrogramMaker

MOST_COLUMNS = 2400
QUIET = 0.3  # what is softer than this part of the range is ground
GROUND = np.array([13, 15, 20], np.float32)
BRIGHT = np.array([196, 214, 240], np.float32)


def draw(state: State) -> NDArray[np.uint8]:
    """The whole piece, uint8, shape (height, width, 3), highest pitch on top; time runs to the right."""
    picture = finish(LogSpectrogramMaker(pipeline.require_recording(state)).steps())
    step = -(-picture.values.shape[1] // MOST_COLUMNS)
    columns = np.maximum.reduceat(picture.values, np.arange(0, picture.values.shape[1], step), axis=1)
    level = np.clip(columns[::-1, :, None].astype(np.float32) / 255 - QUIET, 0, None) / (1 - QUIET)
    canvas = GROUND + level * (BRIGHT - GROUND)
    colours = {layer.id: np.array(list(bytes.fromhex(layer.colour[1:])), np.float32) for layer in state.layers}
    for note in state.notes.values():
        top = ROWS - (note.pitch - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE
        left, right = (round(t / picture.hop_s / step) for t in (note.onset_s, note.offset_s))
        body = canvas[max(0, top) : max(0, top + ROWS_PER_SEMITONE), max(0, left) : max(right, left + 2)]
        body += 0.75 * (colours.get(note.layer, BRIGHT) - body)
    return np.repeat(canvas.clip(0, 255).astype(np.uint8), 2, axis=0)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write uint8 pixels of shape (height, width, 3) as PNG (RFC 2083). Raises InputError when the place cannot be written."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], axis=1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    try:
        with beside(path) as partial:
            partial.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path
