"""Layers, mixes and notes -> files. Whole files or none: each is written beside its name and renamed."""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from soli.errors import InputError
from soli.files import beside
from soli.playback.mixer import mix_offline
from soli.progress import Progress, Steps
from soli.project.layering import unique
from soli.project.pipeline import Separation, require_recording
from soli.project.state import ORIGINAL, RESIDUAL, State
from soli.score import midi
from soli.score.note_lists import Style, write_note_list
from soli.signal.audio import FORMATS, Audio, FloatArray, write

# What notes can be exported as: the suffix and what it is.
NOTE_FORMS = {
    "fmp": (".csv", "List of notes, FMP notebooks"),
    "sonic-visualiser": (".csv", "List of notes, Sonic Visualiser"),
    "midi": (".mid", "MIDI"),
}
LONGEST_NAME = 100  # bytes: systems take 255, and numbers and suffixes follow
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"{port}{i}" for port in ("com", "lpt") for i in "123456789¹²³")}


@dataclass(frozen=True)
class Stem:
    """One file to be written: a layer's id or RESIDUAL, and the name without suffix."""

    id: int
    name: str


def file_name(name: str) -> str:
    """`name` as a file name that every system takes: no separators, no control signs, no reserved words, not too long."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>:"/\\|?*]', "_", name).strip(" .")
    name = name.encode()[:LONGEST_NAME].decode(errors="ignore").strip(" .")
    # Windows takes CON.wav for the device CON, and CON.x.wav too.
    head, dot, rest = name.partition(".")
    return f"{head}_{dot}{rest}" if not name or head.rstrip().casefold() in RESERVED else name


def stems(state: State, chosen: Sequence[int] | None = None) -> list[Stem]:
    """The files of an export: layers in their order, then the residual. `chosen` keeps some of the ids."""
    # The residual comes first to keep its name; a layer that is called so gets a number.
    residual, *names = unique(["residual", *(file_name(layer.name) for layer in state.layers)])
    listed = [*(Stem(layer.id, name) for layer, name in zip(state.layers, names, strict=True)), Stem(RESIDUAL, residual)]
    return [s for s in listed if chosen is None or s.id in chosen]


def export_steps(
    separation: Separation, state: State, folder: Path, *, form: str = "wav32f", chosen: Sequence[int] | None = None
) -> Steps[list[Path]]:
    """Write one file a layer, named after it, and `residual`; names and order as `state` has them now.

    All files or none: they take their names together when the last is whole. Raises InputError when the place or the format
    cannot hold them.
    """
    recording = require_recording(separation.source)
    if form not in FORMATS:
        raise InputError(f"format {form!r} is not known; choose one of {', '.join(FORMATS)}")
    make_folder(folder)
    wanted = [s for s in stems(state, chosen) if s.id == RESIDUAL or s.id in separation.layers]
    paths = [folder / (stem.name + FORMATS[form][2]) for stem in wanted]
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: there is a folder of this name; choose another place")
        _spare_recording(separation.source, path)
    try:
        with ExitStack() as unfinished:
            for i, (stem, path) in enumerate(zip(wanted, paths, strict=True)):
                yield Progress(i, len(wanted), f"Writing {path.name}")
                partial = unfinished.enter_context(beside(path))
                write(partial, Audio(signal_of(separation, stem.id), recording.rate), form)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error}); choose another folder") from error
    return paths


def export_mix_steps(separation: Separation, state: State, path: Path, *, form: str = "wav32f") -> Steps[list[Path]]:
    """Write what the mixer plays now: layers, residual and original with their gains, pans, solos and mutes."""
    recording = require_recording(separation.source)
    _spare_recording(separation.source, path)
    make_folder(path.parent)
    yield Progress(0, 1, f"Writing {path.name}")
    ids = [*separation.layers, RESIDUAL, ORIGINAL]
    mixed = mix_offline([signal_of(separation, i) for i in ids], [state.strip(i) for i in ids])
    write(path, Audio(mixed, recording.rate), form)
    return [path]


def mix_name(state: State, form: str) -> str:
    """File name of the mix: that of the recording, and "mix"."""
    name = state.recording_path.stem if state.recording_path else "recording"
    return f"{file_name(name)} mix{FORMATS[form][2]}"


def export_notes(state: State, path: Path, *, form: str = "") -> None:
    """Write the notes at their places in the recording.

    `form` is one of NOTE_FORMS; "" goes by the suffix of `path`. MIDI keeps tracks, channels and programs, a list names the
    layer of each note. Raises InputError when there are none, or the place cannot be written.
    """
    if not state.notes:
        raise InputError("there are no notes to export; open a score or draw notes on the roll")
    _spare_recording(state, path)
    form = form or next(name for name, (suffix, _) in NOTE_FORMS.items() if suffix == ".mid" or suffix == path.suffix.lower())
    style: Style | None = "fmp" if form == "fmp" else "sonic-visualiser" if form == "sonic-visualiser" else None
    if style:
        layers = {layer.id: layer.name for layer in state.layers}
        labels = {note.id: layers.get(note.layer, "") for note in state.notes.values()}
        write_note_list(path, state.notes.values(), labels=labels, style=style)
    else:
        names = state.score.track_names if state.score else ()
        midi.write(path, state.notes.values(), track_names=names)


def signal_of(separation: Separation, stem_id: int) -> FloatArray:
    if stem_id == ORIGINAL:
        return require_recording(separation.source).samples
    return separation.residual if stem_id == RESIDUAL else separation.layers[stem_id]


def _spare_recording(state: State, path: Path) -> None:
    """A layer may be called like the recording, and be exported beside it."""
    if (
        state.recording_path is not None
        and path.exists()
        and state.recording_path.exists()
        and path.samefile(state.recording_path)
    ):
        raise InputError(f"{path}: this would overwrite the recording; choose another folder")


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there ({error.strerror or error}); choose another place") from error
