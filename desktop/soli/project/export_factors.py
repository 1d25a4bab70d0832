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
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from soli import __version__
from soli.decompose.constraints import Kind
from soli.errors import InputError
from soli.files import beside
from soli.project.pipeline import Separation


def export_factors(separation: Separation, path: Path) -> Path:
    """Write the factors of a separation; the keys are described above. Raises InputError when the place cannot be written."""
    try:
        with beside(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays(separation))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path


def arrays(separation: Separation) -> dict[str, Any]:
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
    found: dict[str, Any] = {
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
