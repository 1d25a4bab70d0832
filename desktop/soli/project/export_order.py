"""What is to be exported, and as what: the order, and the files that come of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from soli.errors import InputError
from soli.project.export_names import PATTERN, beats_per_minute, file_name, from_pattern, numbered, project_name
from soli.project.pipeline import Separation, require_recording
from soli.project.state import RESIDUAL, State
from soli.signal.encoding import FORMS, file_bytes, objection

NORMAL_PEAK_DBFS = -1.0
LOWEST_RATE, HIGHEST_RATE = 4000, 384_000


class What(Enum):
    """What a file holds."""

    STEM = "stem"
    MIX = "mix"
    ALL_BUT = "all but"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Order:
    """What to export.

    stems: ids of layers and RESIDUAL, one file each; None for all. mix: one file as the mixer is set. all_but: one file with
    everything but these layers. notes: ids of notes, one file each, trimmed to their sound, or with `notes_in_place` as long as
    the others. range_s: only this stretch of the recording, in seconds. form: one of encoding.FORMS. rate: in Hz, None for the
    recording's. dither: where whole numbers are rounded to, from `seed`. peak_dbfs: one gain for all files brings the highest
    peak there; None leaves levels as they are. pattern: of the names, see export_names.TOKENS.
    """

    stems: tuple[int, ...] | None = None
    mix: bool = False
    all_but: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    notes_in_place: bool = False
    range_s: tuple[float, float] | None = None
    form: str = "wav32f"
    rate: int | None = None
    dither: bool = True
    seed: int = 0
    peak_dbfs: float | None = None
    pattern: str = PATTERN


@dataclass(frozen=True, slots=True)
class Item:
    """One file of an export: what it holds, of which layers or note, and its name with suffix.

    first, end: the samples of the recording that it is made of.
    """

    what: What
    ids: tuple[int, ...]
    name: str
    first: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class Stem:
    """A layer's id or RESIDUAL, and its name as that of a file, without suffix."""

    id: int
    name: str


def stems(state: State, chosen: Iterable[int] | None = None) -> list[Stem]:
    """The layers in their order, then the residual. `chosen` keeps some of the ids."""
    # The residual comes first to keep its name; a layer that is called so gets a number.
    residual, *names = numbered(["residual", *(file_name(layer.name) for layer in state.layers)])
    every = [Stem(layer.id, name) for layer, name in zip(state.layers, names, strict=True)]
    kept = None if chosen is None else set(chosen)
    return [stem for stem in (*every, Stem(RESIDUAL, residual)) if kept is None or stem.id in kept]


def plan(separation: Separation, state: State, order: Order, *, project: str = "") -> list[Item]:
    """The files that `order` makes, named as `state` names layers now; layers that the separation does not have are left out.

    Raises InputError, in one sentence, for an order that cannot be carried out.
    """
    recording = require_recording(separation.source)
    first, end = _stretch(order, recording.rate, recording.length)
    rate = order.rate or recording.rate
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(f"{rate} Hz is no sample rate for an export; choose one from {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    refused = objection(order.form, rate, recording.channels)
    if refused:
        raise InputError(refused)
    known = stems(state)
    found: list[tuple[What, tuple[int, ...], str, int, int]] = [
        (What.STEM, (stem.id,), stem.name, first, end)
        for stem in known
        if (order.stems is None or stem.id in order.stems) and (stem.id == RESIDUAL or stem.id in separation.layers)
    ]
    if order.mix:
        found.append((What.MIX, (), "mix", first, end))
    left_out = [stem for stem in known if stem.id in order.all_but and stem.id in separation.layers]
    if left_out:
        name = f"without {', '.join(stem.name for stem in left_out)}"
        found.append((What.ALL_BUT, tuple(stem.id for stem in left_out), name, first, end))
    found += _notes(separation, state, order, first, end)
    tempo = beats_per_minute(state)
    values = {"project": project or project_name(state), "rate": str(rate), "bpm": f"{tempo:.0f}" if tempo else ""}
    names = from_pattern(order.pattern, [name for _, _, name, _, _ in found], values)
    suffix = FORMS[order.form][2]
    return [Item(what, ids, name + suffix, start, stop) for (what, ids, _, start, stop), name in zip(found, names, strict=True)]


def estimated_bytes(separation: Separation, order: Order, items: Iterable[Item]) -> int:
    """About what the files will take on the disk."""
    recording = require_recording(separation.source)
    factor = (order.rate or recording.rate) / recording.rate
    return sum(file_bytes(order.form, round(item.length * factor), recording.channels) for item in items)


def _stretch(order: Order, rate: int, length: int) -> tuple[int, int]:
    if order.range_s is None:
        return 0, length
    first, end = (min(max(0, round(time_s * rate)), length) for time_s in order.range_s)
    if end <= first:
        raise InputError("the range to export holds no sound of the recording; choose another one")
    return first, end


def _notes(
    separation: Separation, state: State, order: Order, first: int, end: int
) -> list[tuple[What, tuple[int, ...], str, int, int]]:
    """A file for each of the notes that the separation knows and that sounds in the range."""
    constraint, known = separation.factors.constraint, separation.source.notes
    grid, entries = constraint.grid, constraint.entries
    owner = constraint.bodies.note[entries.body]
    lowest = np.full(max(known, default=0) + 1, grid.frames, np.int64)
    highest = np.full_like(lowest, -1)
    mine = (owner >= 0) & (owner < len(lowest))
    np.minimum.at(lowest, owner[mine], entries.frame[mine])
    np.maximum.at(highest, owner[mine], entries.frame[mine])
    found: list[tuple[What, tuple[int, ...], str, int, int]] = []
    for note in sorted((known[i] for i in set(order.notes) & known.keys()), key=lambda n: (n.onset_s, n.pitch, n.id)):
        low = max(first, int(lowest[note.id]) * grid.hop_length - grid.window_length // 2)
        high = min(end, int(highest[note.id]) * grid.hop_length + grid.window_length // 2)
        if highest[note.id] < 0 or high <= low:
            continue
        name = f"{state.pitch_name(note.pitch, note.onset_s)} {note.onset_s:07.2f} s"
        found.append((What.NOTE, (note.id,), name, *((first, end) if order.notes_in_place else (low, high))))
    return found
