"""Layers, mixes and notes -> files. Whole files or none: each is written beside its name, and they are renamed together."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

from soli.errors import InputError
from soli.files import answering_steps, hidden_beside, sweep
from soli.progress import Progress, Steps, finish, relayed
from soli.project.export_names import file_name, numbered
from soli.project.export_order import NORMAL_PEAK_DBFS, Item, Order, Stem, What, estimated_bytes, plan, stems
from soli.project.export_sounds import PARTS, Peak, clipping, common_gain, may_clip, peaks_steps, sound_steps
from soli.project.pipeline import Separation
from soli.project.state import State
from soli.score import midi
from soli.score.note_lists import Style, write_note_list
from soli.signal.encoding import encoded

__all__ = [
    "NORMAL_PEAK_DBFS",
    "NOTE_FORMS",
    "Item",
    "Order",
    "Peak",
    "Stem",
    "What",
    "check_space",
    "clipping",
    "common_gain",
    "estimated_bytes",
    "export_notes",
    "export_steps",
    "file_name",
    "make_folder",
    "may_clip",
    "numbered",
    "peaks_steps",
    "plan",
    "spare_recording",
    "stems",
]

# What notes can be exported as: the suffix and what it is.
NOTE_FORMS = {
    "fmp": (".csv", "List of notes, FMP notebooks"),
    "sonic-visualiser": (".csv", "List of notes, Sonic Visualiser"),
    "midi": (".mid", "MIDI"),
}
SPARE_BYTES = 2**20  # that an export leaves on the disk
_PATIENCE_S = 5.0  # for a disk to wake up, or a server to answer


def export_steps(
    separation: Separation, state: State, folder: Path, order: Order | None = None, *, project: str = ""
) -> Steps[list[Path]]:
    """Write the files of `order` into `folder`; names, order and mix as `state` has them now. `project` is its name.

    All files or none: they take their names together when the last is whole. The same separation and order give the same bytes.
    Raises InputError when the place or the format cannot hold them.
    """
    order = order or Order()
    items = plan(separation, state, order, project=project)
    if not items:
        raise InputError("nothing is chosen to export; choose a layer, the mix or notes")
    yield Progress(0, 1, f"Writing to {folder.name}", place=folder)
    with _made(folder):
        return (yield from _written_steps(separation, state, folder, order, items))


def _written_steps(separation: Separation, state: State, folder: Path, order: Order, items: Sequence[Item]) -> Steps[list[Path]]:
    sweep(folder)
    for item in items:
        if os.path.isdir(folder / item.name):  # noqa: PTH112  (no error for a closed folder: that is told when it is written to)
            raise InputError(f"{folder / item.name}: there is a folder of this name; choose another place")
        spare_recording(separation.source, folder / item.name)
    check_space(folder, estimated_bytes(separation, order, items))
    gain = 1.0
    if order.peak_dbfs is not None:
        looking = relayed(peaks_steps(separation, state, order, items), lambda p: Progress(p.step, 2 * p.total, p.what))
        gain = common_gain(order, (yield from looking))
    rate = order.rate or separation.factors.grid.rate
    done, total = (0, len(items)) if order.peak_dbfs is None else (len(items), 2 * len(items))
    with _together([folder / item.name for item in items]) as partials:
        for number, (item, partial) in enumerate(zip(items, partials, strict=True), done):
            here = _Reports(number, total, f"Writing {item.name}", folder)
            yield here.written(0.0)
            sound = yield from relayed(sound_steps(separation, state, item, order), here.made)
            noise = _noise(order, item) if order.dither else None
            for written in encoded(partial, sound, rate, order.form, gain=gain, rng=noise):
                yield here.written(written / len(sound))
    return [folder / item.name for item in items]


def export_notes(state: State, path: Path, *, form: str = "") -> None:
    """Write the notes at their places in the recording.

    `form` is one of NOTE_FORMS; "" goes by the suffix of `path`. A note ends where it stops sounding, as on the roll: what the
    pedal has held is held. MIDI keeps tracks, channels, programs and key signatures, and its tempo map is that of the recording:
    the grid of a sequencer lies on the beats that are heard. A list names the layer of each note.
    Raises InputError when there are none, or the place cannot be written.
    """
    if not state.notes:
        raise InputError("there are no notes to export; open a score or draw notes on the roll")
    spare_recording(state, path)
    notes = [replace(note, offset_s=note.sounding_offset_s, pedal_s=0.0) for note in state.notes.values()]
    form = form or next(name for name, (suffix, _) in NOTE_FORMS.items() if suffix == ".mid" or suffix == path.suffix.lower())
    style: Style | None = "fmp" if form == "fmp" else "sonic-visualiser" if form == "sonic-visualiser" else None
    if style:
        layers = {layer.id: layer.name for layer in state.layers}
        labels = {note.id: layers.get(note.layer, "") for note in state.notes.values()}
        write_note_list(path, notes, labels=labels, style=style)
    else:
        names = state.score.track_names if state.score else ()
        midi.write(path, notes, track_names=names, keys=state.keys(), beats=state.beats())


def spare_recording(state: State, path: Path) -> None:
    """Raise InputError where `path` is the recording itself: a layer may be called like it, and be exported beside it."""
    recording, same = state.recording_path, False
    with suppress(OSError):  # what is not there or may not be looked at is no recording to overwrite
        there = path.stat()
        # It may lie where nothing answers; then it is not here.
        if recording is not None and finish(answering_steps([recording], _PATIENCE_S)):
            same = os.path.samestat(there, recording.stat())
    if same:
        raise InputError(f"{path}: this would overwrite the recording; choose another folder")


def make_folder(folder: Path) -> None:
    """Make a folder where there is none. Raises InputError when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there ({error.strerror or error}); choose another place") from error


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder to write to; what had to be made of it goes again where nothing is written."""
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        make_folder(folder)
        yield
    except BaseException:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise InputError when the disk of `folder`, which need not exist yet, has no room for that much."""
    there = folder.absolute()
    while not os.path.exists(there) and there != there.parent:  # noqa: PTH110  (no error for a closed folder)
        there = there.parent
    try:
        free = shutil.disk_usage(there).free
    except OSError:  # a place that does not tell; writing will
        return
    if needed_bytes + SPARE_BYTES > free:
        raise InputError(
            f"{folder}: the files take about {needed_bytes / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free; "
            "choose another folder, a smaller format or fewer files"
        )


class _Reports:
    """Of file `number` of `total`: where its sound has to be made first, that is half of the work."""

    def __init__(self, number: int, total: int, what: str, folder: Path) -> None:
        self._number, self._total, self._what, self._folder = number, total, what, folder
        self._done = 0.0

    def made(self, progress: Progress) -> Progress:
        """Of the sound, so much is made."""
        self._done = max(self._done, 0.5 * progress.fraction)
        return self._at(self._done)

    def written(self, fraction: float) -> Progress:
        """Of the file, so much is written."""
        return self._at(self._done + (1 - self._done) * fraction)

    def _at(self, part: float) -> Progress:
        return Progress(int((self._number + part) * PARTS), self._total * PARTS, self._what, place=self._folder)


def _noise(order: Order, item: Item) -> np.random.Generator:
    """Dither of its own for each file: that of two layers would add up if it were the same."""
    return np.random.default_rng([order.seed, crc32(item.what.value.encode()), *(i & 0xFFFFFFFF for i in item.ids)])


@contextmanager
def _together(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Hidden names to write to, one for each of `paths`; in the end all take their names, or what was there is there again."""
    partials = [hidden_beside(path) for path in paths]
    formers: dict[Path, Path] = {}
    folder = paths[0].parent
    try:
        yield partials
        placed: list[Path] = []
        try:
            for partial, path in zip(partials, paths, strict=True):
                if path.exists():
                    former = hidden_beside(path)
                    with suppress(OSError):  # a disk without links has no way back
                        os.link(path, former)
                        formers[path] = former
                else:
                    placed.append(path)
                partial.replace(path)
        except BaseException:
            for path in placed:
                path.unlink(missing_ok=True)
            for path, former in formers.items():
                former.replace(path)
            raise
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error}); choose another folder") from error
    finally:
        for leftover in (*partials, *formers.values()):
            # Renamed, or never begun: what matters has been raised already.
            with suppress(OSError):
                leftover.unlink()
