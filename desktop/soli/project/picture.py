"""A picture of the piano roll without a window: the spectrogram with the notes of each layer over it, as PNG or SVG."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.files import beside
from soli.project.picture_ground import BRIGHT, doubled, ground, visible_notes
from soli.project.picture_svg import svg
from soli.project.png import png
from soli.project.state import State


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


def write_picture(path: Path, state: State) -> Path:
    """Write the roll as PNG, or as SVG where `path` ends so. Raises InputError without a recording or a place for it."""
    if path.suffix.lower() == ".svg":
        return _write(path, svg(state).encode())
    return _write(path, png(draw(state)))


def _write(path: Path, content: bytes) -> Path:
    try:
        with beside(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path
