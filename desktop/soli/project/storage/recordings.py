"""The recording of a project: in it, where it was, beside it, or found again by its samples."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from soli.errors import InputError
from soli.files import answering_steps
from soli.progress import Progress, Steps
from soli.project.storage.blocks import read_sound, sound_shape, write_sound
from soli.project.storage.places import may_follow, may_look_up, resolved
from soli.signal import audio, maps
from soli.signal.audio import READABLE, Audio

NAME = "recording"
_MOST_BYTES = 2**33  # some six hours of stereo
_MOST_FILES, _MOST_READ = 2000, 5  # looked at in a search, and read to the end
# How long a disk may take to wake up, or a server to answer: that of the recording, and others where it may be as well.
PATIENCE_S, ELSEWHERE_S = 20.0, 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording that a project needs and does not have. `sha256` is its Audio.fingerprint, "" where it is not known.

    why: `missing`; `outside` of the places that a project may name without asking; `unreadable`; or `changed`: what is there
    now is open, and sounds otherwise than when the project was saved.
    """

    path: Path
    sha256: str
    why: Literal["missing", "outside", "unreadable", "changed"]
    rate: int = 0
    length: int = 0
    channels: int = 0

    def is_it(self, recording: Audio) -> bool:
        """Whether a recording is the one that is wanted, by its samples."""
        return not self.sha256 or recording.fingerprint == self.sha256


@dataclass(frozen=True, slots=True)
class Found:
    """The recording of a project where it could be opened, and what is to be said or asked where not."""

    path: Path
    audio: Audio | None = None
    wanted: Wanted | None = None
    warning: str = ""


def wanted_of(meta: dict[str, str], folder: Path) -> Wanted:
    """What the table `meta` of a project in `folder` says of its recording."""
    form = (int(meta.get(f"recording_{name}", "0")) for name in ("rate", "length", "channels"))
    return Wanted(resolved(meta.get("recording", ""), folder), meta.get("recording_sha256", ""), "missing", *form)


def find_steps(
    meta: dict[str, str], project: Path, known: Sequence[Path] = (), *, located: Path | None = None, follows: bool = False
) -> Steps[Found]:
    """Open the recording that the table `meta` of a project names.

    It may have moved: then it is looked for by its bare name beside the project, and by its samples there and in the `known`
    folders, which the user has chosen files from. A file outside of both is told and not opened, unless it `follows` any name.
    `located`: where the user says that it is. A place that does not answer is told, and the rest goes on without it.
    """
    named, folder = meta["recording"], project.parent
    first, beside = resolved(named, folder), resolved(Path(named).name, folder)
    wanted = wanted_of(meta, folder)
    found_out = "yes" if follows else (yield from _may_follow_steps(named, folder, known))
    follows, silent = found_out != "no", found_out == "silent"
    near = [beside] if (yield from _may_follow_steps(beside.name, folder, known)) == "yes" else []
    other: tuple[Path, Audio] | None = None
    unreadable: InputError | None = None
    for path in dict.fromkeys([*([located] if located else []), *([first] if found_out == "yes" else []), *near]):
        if not (yield from answering_steps([path], PATIENCE_S)):
            silent = True
            continue
        if not os.path.isfile(path):  # noqa: PTH113  (no error for a name that is too long or in a closed folder)
            continue
        try:
            recording = yield from audio.read_steps(path)
        except InputError as error:
            unreadable = unreadable or error
            continue
        yield Progress(1, 1, f"Comparing {path.name}")
        if wanted.is_it(recording):
            return Found(path, recording)
        other = other or (path, recording)
    found = yield from search_steps(wanted, [folder, *known])
    if found is not None:
        return Found(*found)
    if other is not None:
        path, recording = other
        changed = Wanted(path, wanted.sha256, "changed", wanted.rate, wanted.length, wanted.channels)
        return Found(
            path, recording, changed, f"{path.name} is not the recording this project was saved with; notes may lie elsewhere"
        )
    quiet = f"the place of the recording does not answer ({first}); open the project again when it does, or locate a copy"
    trouble = str(unreadable) if unreadable is not None else quiet if silent else ""
    if not follows:
        # Whatever else is wrong: after a crash this must not be taken for a name that may be followed.
        text = f"the project names a recording outside of its folder ({first}); open that file only if you know it"
        return Found(first, wanted=_because(wanted, "outside"), warning=f"{trouble}; {text}" if trouble else text)
    if trouble:
        return Found(first, wanted=_because(wanted, "missing" if unreadable is None else "unreadable"), warning=trouble)
    return Found(
        first, wanted=wanted, warning=f"the recording {first.name} was not found; put it back or locate it to hear this project"
    )


def _may_follow_steps(named: str, folder: Path, known: Sequence[Path]) -> Steps[Literal["yes", "no", "silent"]]:
    """`may_follow`, held up neither by the file, where its place is silent, nor by a folder that does not matter."""
    for some in ((), known):
        there = yield from answering_steps(some, ELSEWHERE_S)
        if may_look_up(named, folder, there):
            if not (yield from answering_steps([resolved(named, folder)], PATIENCE_S)):
                return "silent"
            if may_follow(named, folder, there):
                return "yes"
    return "no"


def _because(wanted: Wanted, why: Literal["missing", "outside", "unreadable", "changed"]) -> Wanted:
    return Wanted(wanted.path, wanted.sha256, why, wanted.rate, wanted.length, wanted.channels)


def search_steps(wanted: Wanted, folders: Iterable[Path]) -> Steps[tuple[Path, Audio] | None]:
    """Look through `folders`, not those within, for a recording with the same samples, whatever its name and format."""
    import soundfile

    if not wanted.sha256 or not wanted.length:
        return None
    looked, read = 0, 0
    for folder in (yield from answering_steps([*dict.fromkeys(folders)], ELSEWHERE_S)):
        yield Progress(0, 1, f"Looking for {wanted.path.name}", place=folder)
        try:
            with os.scandir(folder) as entries:
                # A link may lead anywhere.
                sounds = [e.name for e in entries if e.name.lower().endswith(READABLE) and e.is_file(follow_symlinks=False)]
        except OSError:
            continue
        for name in sorted(sounds):
            looked += 1
            if looked > _MOST_FILES or read >= _MOST_READ:
                return None
            path = Path(folder, name)
            yield Progress(0, 1, f"Looking for {wanted.path.name}", place=path)
            try:
                header = soundfile.info(str(path))
                if (header.samplerate, header.frames, header.channels) != (wanted.rate, wanted.length, wanted.channels):
                    continue
                read += 1
                recording = yield from audio.read_steps(path)
            except (InputError, soundfile.SoundFileError, OSError, RuntimeError, ValueError):
                continue
            yield Progress(1, 1, f"Comparing {path.name}")
            if wanted.is_it(recording):
                return path, recording
    return None


def read_embedded_steps(db: sqlite3.Connection) -> Steps[Audio | None]:
    """The recording that lies in the project itself; None where none does. Raises ValueError for one that is damaged."""
    shape = sound_shape(db, NAME)
    if shape is None:
        return None
    rate, length, channels = shape
    if objection := audio.size_objection(rate, channels, length):
        raise ValueError(objection)
    blocks, there, size = [], 0, 4 * length * channels
    # Memory is taken as samples come: what is claimed may not be there. A file is given back at once.
    mapped = maps.zeros((length, channels)) if maps.is_mapped(size) else None
    for block in read_sound(db, NAME, most_bytes=_MOST_BYTES, into=mapped):
        if mapped is None:
            blocks.append(block)
        else:
            maps.release(block)
        there += len(block)
        yield Progress(there, length, "Reading the recording")
    if mapped is not None:
        return Audio(mapped, rate)
    return Audio(np.concatenate(blocks), rate) if len(blocks) > 1 else Audio(blocks[0], rate)


def write_recording_steps(db: sqlite3.Connection, recording: Audio) -> Steps[None]:
    """Put a recording into a project that holds none; the transaction is the caller's."""
    samples, what = recording.samples, "Keeping the recording"
    # It is known by its bits.
    yield from write_sound(db, NAME, lambda first, end: samples[first:end], recording.rate, samples.shape, what, signs=True)
