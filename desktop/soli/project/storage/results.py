"""The results of a run as tables, and back: factors as arrays, layers as sounds. What comes from a file is checked throughout."""

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.decompose import masking
from soli.decompose.bodies import COLUMNS, Bodies, Part
from soli.decompose.constraints import Components, Constraint, Entries
from soli.decompose.hidden import Hidden
from soli.decompose.model import Factors
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.memory import memory_bytes
from soli.progress import Progress, Steps
from soli.project.pipeline import Separation
from soli.project.signals import Signals
from soli.project.state import RESIDUAL, State
from soli.project.storage import values
from soli.project.storage.blocks import (
    BLOCK_LENGTH,
    MOST_BYTES,
    Budget,
    read_array,
    read_sound,
    remove,
    sound_shape,
    write_array,
    write_sound,
)
from soli.project.storage.schema import RESULT_TABLES, SOURCE
from soli.project.storage.state_tables import MODELLED, read_settings, read_source, write_modelled
from soli.project.storage.values import rows
from soli.signal import maps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray, Grid

_MOST_BYTES = 2**33  # of one layer: some six hours of stereo
_FRAME_BYTES = 2**15  # of all arrays: two runs of two thousand components
_COMPONENT_COLUMNS = ("part", "pitch", "kind", "copy", "voice")
_ORIGIN = "origin "
_MOST_COMPONENTS = 100_000


def write_results_steps(
    db: sqlite3.Connection, separation: Separation, stretches: Sequence[tuple[int, int]] | None = None
) -> Steps[None]:
    """Put `separation` in place of the results in `db`; the transaction is the caller's.

    stretches: the ranges of samples in which its layers may differ from those in `db`; None: everywhere.
    """
    recording = separation.source.audio
    assert recording is not None
    names = {f"layer {layer}": layer for layer in separation.layers}
    stored = {name for (name,) in db.execute("SELECT name FROM sound WHERE name LIKE 'layer %'")}
    if stretches is None or stored - names.keys():
        for name in stored:
            remove(db, name)
        stored = set()
    numbers = None if stretches is None else blocks_of(stretches)
    for name, layer in names.items():
        chosen = numbers if name in stored else None
        cut = partial(separation.signals.stretch, layer)
        yield from write_sound(db, name, cut, recording.rate, recording.samples.shape, "Keeping the layers", chosen)
    for table in RESULT_TABLES:
        if table in ("array", "result"):
            db.execute(f"DELETE FROM {table}")
    db.execute("DELETE FROM block WHERE name NOT IN (SELECT name FROM sound)")
    write_modelled(db, separation.source, prefix=SOURCE)
    _put(db, layers=[*separation.layers], null_dbfs=separation.null_dbfs, seconds=dict(separation.seconds))
    _put(db, sha256=recording.fingerprint)
    _write_factors(db, separation.factors, "")
    if separation.factors.origin is not None:
        _write_factors(db, separation.factors.origin, _ORIGIN)


def blocks_of(stretches: Sequence[tuple[int, int]]) -> list[int]:
    """The numbers of the blocks of sound that ranges of samples (first, end) touch, in order."""
    touched: set[int] = set()
    for first, end in stretches:
        if end > first:
            touched.update(range(first // BLOCK_LENGTH, (end - 1) // BLOCK_LENGTH + 1))
    return sorted(touched)


def remove_results(db: sqlite3.Connection) -> None:
    """Take all results out; a recording that lies in `db` stays."""
    for table in RESULT_TABLES:
        keeps = " WHERE name <> 'recording'" if table in ("sound", "block") else ""
        db.execute(f"DELETE FROM {table}{keeps}")


def has_results(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT count(*) FROM result").fetchone()[0])


def read_results_steps(db: sqlite3.Connection, recording: Audio, state: State) -> Steps[Separation]:
    """The separation that lies in `db`, of `recording`; as a source it has what was decomposed then, with the rest of `state`.

    Raises ValueError or TypeError, SoliError among them, for one that is damaged or of another recording.
    """
    stored = _texts(db)
    if stored.get("sha256") != recording.fingerprint:
        raise ValueError("they are of another recording")
    layers = [values.whole(i) for i in json.loads(stored["layers"])]
    seconds = {values.text(k): values.real(v) for k, v in values.named(json.loads(stored["seconds"])).items()}
    null_dbfs = values.spelled(stored["null_dbfs"])
    shapes = {layer: sound_shape(db, f"layer {layer}") for layer in layers}
    if (
        len(shapes) < len(layers)
        or RESIDUAL in shapes
        or any(s != (recording.rate, *recording.samples.shape) for s in shapes.values())
    ):
        raise ValueError("its layers are no layers of the recording")
    needed = (len(layers) + 1) * recording.samples.nbytes
    if needed > max(maps.LARGEST_IN_MEMORY, memory_bytes(), maps.room_bytes()):
        raise ValueError(f"{len(layers)} layers take {needed / 1e9:.1f} GB, more than there is room for")
    found = read_source(db)
    source = replace(
        state,
        audio=recording,
        **{name: getattr(found, name) for name in MODELLED},
    )
    budget = Budget(most_array_bytes(recording))
    factors = _read_factors(db, "", recording, budget)
    if any(key.startswith(_ORIGIN) for key in stored):
        factors = replace(factors, origin=_read_factors(db, _ORIGIN, recording, budget))
    signals: dict[int, FloatArray] = {}
    for done, layer in enumerate(layers):
        whole = maps.zeros(recording.samples.shape)
        for block in read_sound(db, f"layer {layer}", most_bytes=_MOST_BYTES, into=whole):
            maps.release(block)
            yield Progress(done, len(layers), "Reading the layers")
        signals[layer] = whole
    signals[RESIDUAL] = yield from masking.residual_steps(recording, signals.values())
    return Separation(source, factors, Signals(signals), null_dbfs, MappingProxyType(seconds))


def most_array_bytes(recording: Audio) -> int:
    """What all arrays of the results of a recording may take: activations grow with its length."""
    frames = Grid.for_recording(recording.rate, recording.length).frames
    return max(MOST_BYTES, min(memory_bytes() // 2, _FRAME_BYTES * frames))


def _put(db: sqlite3.Connection, prefix: str = "", **content: Any) -> None:
    stored = ((prefix + key, value if isinstance(value, str) else json.dumps(value)) for key, value in content.items())
    db.executemany("INSERT INTO result VALUES (?, ?)", stored)


def _texts(db: sqlite3.Connection) -> dict[str, str]:
    return dict(rows(db, "SELECT key, value FROM result", values.text, values.text))


def _write_factors(db: sqlite3.Connection, factors: Factors, prefix: str) -> None:
    constraint, hidden = factors.constraint, factors.hidden
    bodies, components, entries = constraint.bodies, constraint.components, constraint.entries
    _put(
        db,
        prefix,
        settings={f.name: getattr(factors.settings, f.name) for f in fields(ModelSettings)},
        window_length=factors.grid.window_length,
        hop_length=factors.grid.hop_length,
        joined=factors.joined,
        warm=factors.warm,
        hidden_layers=0 if hidden is None else len(hidden.weights),
        loudness=None if hidden is None else hidden.level,
        side=factors.side is not None,
        encoder=factors.encoder is not None,
        coherence=0 if factors.coherence is None else len(factors.coherence),
    )
    limits = [(p, lim.harmonics or np.nan, lim.tolerance_cents or np.nan) for p, lim in bodies.limits.items()]
    arrays: dict[str, NDArray[Any] | None] = {
        "W": factors.W,
        "H": factors.H,
        "side": factors.side,
        "encoder": factors.encoder,
        # Real parts of all components, then the imaginary ones.
        "coherence": None if factors.coherence is None else np.concatenate([factors.coherence.T.real, factors.coherence.T.imag]),
        "losses": np.array(factors.losses, np.float64),
        "support": constraint.H,
        **{f"bodies {name}": getattr(bodies, name) for name in COLUMNS},
        "bodies parts": _of_parts(bodies.parts),
        "bodies limits": np.array(limits, np.float64).reshape(-1, 3),
        **{f"components {name}": getattr(components, name) for name in _COMPONENT_COLUMNS},
        "components parts": _of_parts(components.parts),
        **{f"entries {f.name}": getattr(entries, f.name) for f in fields(Entries)},
    }
    if hidden is not None:
        arrays["hidden slot"] = hidden.slot
        for number, (weights, thresholds) in enumerate(zip(hidden.weights, hidden.thresholds, strict=True)):
            arrays[f"hidden weights {number}"], arrays[f"hidden thresholds {number}"] = weights, thresholds
    for name, array in arrays.items():
        if array is not None:
            write_array(db, prefix + name, array)


def _of_parts(parts: Sequence[Part]) -> NDArray[np.int64]:
    return np.array([(part.program, part.is_drum) for part in parts], np.int64).reshape(-1, 2)


def _read_factors(db: sqlite3.Connection, prefix: str, recording: Audio, budget: Budget) -> Factors:
    stored = {key.removeprefix(prefix): value for key, value in _texts(db).items() if key.startswith(prefix)}

    def array(name: str, dtype: str, *shape: int | None) -> NDArray[Any]:
        return read_array(db, prefix + name, dtype, shape, budget)

    def finite(name: str, *shape: int | None) -> FloatArray:
        found = array(name, "f4", *shape)
        if not np.isfinite(found).all():
            raise ValueError(f"{name} holds values that are no numbers")
        return found

    def rows_of(name: str, below: int, length: int | None = None, least: int = 0) -> NDArray[np.int64]:
        found = array(name, "i8", length)
        if len(found) and not (least <= found.min() and found.max() < below):
            raise ValueError(f"{name} is out of range")
        return found

    grid = Grid.for_recording(recording.rate, recording.length)
    if (int(stored["window_length"]), int(stored["hop_length"])) != (grid.window_length, grid.hop_length):
        raise ValueError("they are on another grid")
    K, N = grid.bins, grid.frames
    bodies_parts, parts = _parts(array("bodies parts", "i8", None, 2)), _parts(array("components parts", "i8", None, 2))
    pitch = rows_of("bodies pitch", 128)
    n = len(pitch)
    columns: dict[str, Any] = {"pitch": pitch, "part": rows_of("bodies part", len(bodies_parts) or 1, n)}
    for name in ("layer", "velocity", "note"):
        columns[name] = array(f"bodies {name}", "i8", n)
    for name in ("start_s", "end_s", "onset_s", "offset_s"):
        columns[name] = array(f"bodies {name}", "f8", n)
        if np.isnan(columns[name]).any():
            raise ValueError(f"bodies {name} holds values that are no numbers")
    limits = {
        values.seven_bits(int(p)): TemplateLimit(None if math.isnan(h) else int(h), None if math.isnan(c) else c)
        for p, h, c in array("bodies limits", "f8", None, 3).tolist()
    }
    bodies = Bodies(**columns, parts=bodies_parts, limits=MappingProxyType(limits))
    voice = rows_of("components voice", _MOST_COMPONENTS)
    R = len(voice)
    components = Components(
        part=rows_of("components part", len(parts) or 1, R),
        pitch=rows_of("components pitch", 128, R),
        kind=rows_of("components kind", 3, R),
        copy=rows_of("components copy", _MOST_COMPONENTS, R),
        voice=voice,
        parts=parts,
    )
    sounding = rows_of("entries voice", int(voice.max(initial=-1)) + 1)
    E = len(sounding)
    first = rows_of("entries first", E + 1, N + 1)
    frame = rows_of("entries frame", N, E)
    if (
        first[0] != 0
        or first[-1] != E
        or (np.diff(first) < 0).any()
        or not np.array_equal(np.searchsorted(frame, np.arange(N + 1)), first)
    ):
        raise ValueError("the entries are not in the order of time")
    entries = Entries(sounding, frame, rows_of("entries body", n, E), finite("entries weight", E), first)
    constraint = Constraint(grid, bodies, components, entries, finite("support", R, N))
    losses = array("losses", "f8", None)
    return Factors(
        W=finite("W", K, R),
        H=finite("H", R, N),
        constraint=constraint,
        settings=read_settings(values.named(json.loads(stored["settings"]))),
        losses=tuple(losses.tolist()),
        side=finite("side", K, R) if json.loads(stored["side"]) is True else None,
        encoder=finite("encoder", R, K) if json.loads(stored["encoder"]) is True else None,
        hidden=_read_hidden(stored, components, finite, rows_of),
        joined=json.loads(stored["joined"]) is True,
        warm=values.count(json.loads(stored["warm"])),
        coherence=_read_coherence(stored, K, R, finite),
    )


def _read_coherence(stored: dict[str, str], K: int, R: int, finite: Any) -> ComplexArray | None:
    # Results of former versions have none.
    bins = values.count(json.loads(stored.get("coherence", "0")))
    if bins == 0:
        return None
    if bins > K:
        raise ValueError("coherence is of another shape")
    real, imaginary = np.split(finite("coherence", 2 * R, bins), 2)
    found: ComplexArray = (real + 1j * imaginary).astype(np.complex64).T
    if np.abs(found).max(initial=0) > 1:
        raise ValueError("coherence is out of range")
    return found


def _read_hidden(stored: dict[str, str], components: Components, finite: Any, rows_of: Any) -> Hidden | None:
    layers = values.count(json.loads(stored["hidden_layers"]))
    if layers == 0:
        return None
    values.within(layers, 1, 8)
    like = Hidden.initial(components, layers=layers)
    P, M = like.weights[0].shape[:2]
    level = values.real_or_none(json.loads(stored["loudness"]))
    weights = tuple(finite(f"hidden weights {i}", P, M, 1 if i == 0 else M) for i in range(layers))
    thresholds = tuple(finite(f"hidden thresholds {i}", P, M, 1) for i in range(layers))
    return Hidden(rows_of("hidden slot", P * M, len(components)), weights, thresholds, level)


def _parts(array: NDArray[np.int64]) -> tuple[Part, ...]:
    if len(array) and not (array.min() >= 0 and array[:, 0].max() <= 127 and array[:, 1].max() <= 1):
        raise ValueError("a part is out of range")
    return tuple(Part(program, bool(drum)) for program, drum in array.tolist())
