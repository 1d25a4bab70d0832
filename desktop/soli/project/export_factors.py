"""What a decomposition found, as one NumPy file: W and H with what their rows and columns stand for.

The keys of the `.npz`, read by `numpy.load(path)` without pickle:

W (K, R), H (R, N)         float32: templates and activations, V ~ WH
side (K, R)                float32: templates of what stands out of the middle of the channels; missing where nothing does
coherence (L, R)           complex64: how in two channels the side goes with the middle in the lowest L bins, of magnitude 0.99 at
                           most, the same for all components of a part and pitch; missing where it is not known
encoder (R, K)             float32: of an autoencoder; missing otherwise
frequency_hz (K,)          float64: of the bins            time_s (N,)  float64: of the middles of the frames
component_pitch (R,)       int64: MIDI pitch of each component
component_kind (R,)        its kind in words: sustain, attack or drum
component_part (R,)        int64: the group of notes that share templates
note_id, note_pitch, note_layer (M,)       int64, and note_onset_s, note_offset_s (M,)  float64: the notes decomposed by
layer_id (L,), layer_name (L,)             the layers and their names
losses (iterations,)       float64: the loss after each iteration
about                      JSON text: version, sample rate, window and hop in samples, length, settings of the run
"""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli import __version__
from soli.decompose.constraints import Kind
from soli.errors import InputError
from soli.files import beside
from soli.progress import Progress, Steps
from soli.project.export import check_space
from soli.project.pipeline import Separation

_PIECE_BYTES = 2**22


def export_factors_steps(separation: Separation, path: Path) -> Steps[Path]:
    """Write the factors of a separation; the keys are described above.

    Raises InputError when the disk has no room for them, or the place cannot be written; then, and when it is closed before
    its end, nothing is left behind.
    """
    found = {key: np.asarray(array, order=None if _whole(array) else "C") for key, array in arrays(separation).items()}
    check_space(path.parent, sum(int(np.count_nonzero(array)) * array.itemsize for array in found.values()))
    done, total = 0, sum(array.nbytes for array in found.values())
    try:
        with beside(path) as partial, zipfile.ZipFile(partial, "w") as archive:
            for key, array in found.items():
                entry = zipfile.ZipInfo(f"{key}.npy")
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as file:
                    header = np.lib.format.header_data_from_array_1_0(array)
                    np.lib.format.write_array_header_1_0(file, header)
                    content = array.ravel("K").view(np.uint8)
                    for first in range(0, len(content), _PIECE_BYTES):
                        yield Progress(done + first, total, f"Writing {path.name}", place=path)
                        file.write(content[first : first + _PIECE_BYTES].data)
                done += array.nbytes
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path


def _whole(array: NDArray[Any]) -> bool:
    return array.flags.c_contiguous or array.flags.f_contiguous


def arrays(separation: Separation) -> dict[str, NDArray[Any]]:
    """What is written, by key."""
    factors, source = separation.factors, separation.source
    grid, components, notes = factors.grid, factors.components, source.present_notes()
    about = {
        "soli": __version__,
        "rate": grid.rate,
        "window_length": grid.window_length,
        "hop_length": grid.hop_length,
        "length": grid.length,
        "settings": asdict(factors.settings),
    }
    found: dict[str, NDArray[Any]] = {
        "W": factors.W,
        "H": factors.H,
        "frequency_hz": np.arange(grid.bins) * grid.rate / grid.window_length,
        "time_s": np.arange(grid.frames) * grid.hop_s,
        "component_pitch": components.pitch,
        "component_kind": np.array([Kind(kind).name.lower() for kind in components.kind.tolist()], "U8"),
        "component_part": components.part,
        "note_id": np.array([note.id for note in notes], np.int64),
        "note_pitch": np.array([note.pitch for note in notes], np.int64),
        "note_layer": np.array([note.layer for note in notes], np.int64),
        "note_onset_s": np.array([note.onset_s for note in notes], np.float64),
        "note_offset_s": np.array([note.offset_s for note in notes], np.float64),
        "layer_id": np.array([layer.id for layer in source.layers], np.int64),
        "layer_name": np.array([layer.name for layer in source.layers], np.str_),
        "losses": np.array(factors.losses, np.float64),
        "about": np.array(json.dumps(about)),
    }
    if factors.side is not None:
        found["side"] = factors.side
    if factors.coherence is not None:
        found["coherence"] = factors.coherence
    if factors.encoder is not None:
        found["encoder"] = factors.encoder
    return found
