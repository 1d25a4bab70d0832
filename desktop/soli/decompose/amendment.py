"""What an edit of the notes changes about a constraint, worked out along the changed bodies only."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from soli.decompose.bodies import COLUMNS, Bodies, BoolArray, IntArray
from soli.decompose.constraints import Components, Constraint, Entries, audible, entered, frames_of, occurrences, of_voices
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import changed_pitches


@dataclass(frozen=True, eq=False)
class Amendment:
    """A constraint after an edit. Components keep their places, new ones come last; those that fell silent stay, silent.

    touched: the frames in which the support, where H begins, or the shares may differ from before (int64, increasing); all
    others are as they were, but for the numbers of the bodies.
    """

    constraint: Constraint
    touched: IntArray


def amended(old: Constraint, stretches: Bodies, settings: ModelSettings) -> Amendment | None:
    """The constraint that `build` would make of `stretches`, from the one before the edit.

    None where that is not possible: an instrument is new, or H is free in every frame (initialisations `random` and
    `templates`). Raises InputError when nothing may sound anywhere in the recording any more.
    """
    if settings.initialisation in ("random", "templates"):
        return None
    grid = old.grid
    part = matching_parts(old, stretches)
    if (part < 0).any():
        return None
    stretches = replace(stretches, part=part[stretches.part] if len(stretches) else stretches.part, parts=old.components.parts)
    inside = audible(stretches, grid)
    now = _matched(old.bodies, stretches)
    touched = np.zeros(grid.frames, bool)
    come = np.ones(len(stretches), bool)
    come[now[now >= 0]] = False
    # Where the template of a pitch may be another, it sounds otherwise although the notes are the same.
    other = np.isin(stretches.pitch, changed_pitches(old.bodies.limits, stretches.limits)) & inside
    for bodies, rows in ((old.bodies, np.flatnonzero(now < 0)), (stretches, np.flatnonzero((come & inside) | other))):
        for first, last in zip(*(frames.tolist() for frames in frames_of(bodies, rows, grid)), strict=True):
            touched[first : last + 1] = True

    before = np.append(0, np.cumsum(touched))
    rows = np.flatnonzero(inside)
    first, last = frames_of(stretches, rows, grid)
    rows = rows[before[last + 1] > before[first]]
    key, row, kind, first, last = occurrences(stretches, rows, grid, settings)
    components, voice = _voices(old.components, key, settings)
    fresh, envelope = entered(stretches, grid, row=row, kind=kind, voice=voice, first=first, last=last)
    here = touched[fresh.frame]
    frames = np.flatnonzero(touched)

    H = np.zeros((len(components), grid.frames), np.float32)
    H[: len(old.H)] = old.H
    begin = np.zeros((int(components.voice.max()) + 1, len(frames)), np.float32)
    np.maximum.at(begin, (fresh.voice[here], before[fresh.frame[here]]), envelope[here])
    H[:, frames] = begin[components.voice]
    entries = _spliced(old.entries, ~touched[old.entries.frame], fresh, here, now, grid.frames)
    return Amendment(Constraint(grid, stretches, components, entries, H), frames)


def matching_parts(old: Constraint, new: Bodies) -> IntArray:
    """For each part of `new` its number in `old` (int64), told by the notes that are in both; -1 for one that is new.

    A part is the one that most of its notes were in, so that notes may go from one to another; where two were joined it is new.
    """
    written, rewritten = np.flatnonzero(old.bodies.note >= 0), np.flatnonzero(new.note >= 0)
    _, was, now = np.intersect1d(old.bodies.note[written], new.note[rewritten], return_indices=True)
    pairs = Counter(zip(old.bodies.part[written[was]].tolist(), new.part[rewritten[now]].tolist(), strict=True))
    before, after = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    number = np.full(len(new.parts), -1)
    for (was_part, now_part), _ in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if number[now_part] < 0 and was_part not in number:
            number[now_part] = was_part
    # A part that is no longer one, though its notes are there, was joined to others.
    lost = before - set(number.tolist())
    number[[now_part for was_part, now_part in pairs if was_part in lost]] = -1
    # What holds no note of before may be an instrument that fell silent.
    free = [n for n in range(len(old.components.parts)) if n not in before]
    for part in range(len(new.parts)):
        like = [n for n in free if old.components.parts[n] == new.parts[part]]
        if part not in after and like:
            number[part] = like[0]
            free.remove(like[0])
    return number


def _matched(old: Bodies, new: Bodies) -> IntArray:
    """For each body of `old` the same one in `new`, -1 where there is none."""
    now = np.full(len(old), -1)
    shorter = min(len(old), len(new))
    head = _alike(old, new, slice(0, shorter), slice(0, shorter))
    tail = _alike(old, new, slice(len(old) - 1, None, -1), slice(len(new) - 1, None, -1), shorter - head)
    now[:head] = np.arange(head)
    now[len(old) - tail :] = np.arange(len(new) - tail, len(new))
    # What lies between holds the edit, and whatever strokes have put in another order.
    places: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for n, row in enumerate(_rows(new, slice(head, len(new) - tail)), head):
        places[row].append(n)
    for n, row in enumerate(_rows(old, slice(head, len(old) - tail)), head):
        if places.get(row):
            now[n] = places[row].pop(0)
    return now


def _alike(old: Bodies, new: Bodies, olds: slice, news: slice, most: int | None = None) -> int:
    """How many bodies are the same from the beginning of both slices on."""
    count = min(len(old), len(new)) if most is None else most
    same: BoolArray = np.ones(count, bool)
    for name in COLUMNS:
        same &= getattr(old, name)[olds][:count] == getattr(new, name)[news][:count]
    return count if same.all() else int(np.argmin(same))


def _rows(bodies: Bodies, which: slice) -> Iterator[tuple[float, ...]]:
    return zip(*(getattr(bodies, name)[which].tolist() for name in COLUMNS), strict=True)


def _voices(old: Components, key: IntArray, settings: ModelSettings) -> tuple[Components, IntArray]:
    """Components with those that `key` asks for and `old` lacks, and the voice of each key (part, pitch, kind)."""
    names = zip(old.part.tolist(), old.pitch.tolist(), old.kind.tolist(), strict=True)
    known = dict(zip(names, old.voice.tolist(), strict=True))
    count = len(known)
    asked = [tuple(row) for row in key.tolist()]
    missing = sorted({name for name in asked if name not in known})
    known |= {name: count + n for n, name in enumerate(missing)}
    voice = np.array([known[name] for name in asked], np.int64)
    if not missing:
        return old, voice
    more = of_voices(np.array(missing, np.int64), old.parts, settings.sustain_templates)
    more = replace(more, voice=more.voice + count)
    columns = {name: np.append(getattr(old, name), getattr(more, name)) for name in ("part", "pitch", "kind", "copy", "voice")}
    return Components(**columns, parts=old.parts), voice


def _spliced(old: Entries, kept: BoolArray, fresh: Entries, here: BoolArray, now: IntArray, frames: int) -> Entries:
    frame = np.append(old.frame[kept], fresh.frame[here])
    order = np.argsort(frame, kind="stable")
    frame = frame[order]
    return Entries(
        np.append(old.voice[kept], fresh.voice[here])[order],
        frame,
        np.append(now[old.body[kept]], fresh.body[here])[order],
        np.append(old.weight[kept], fresh.weight[here])[order],
        np.searchsorted(frame, np.arange(frames + 1)).astype(np.int64),
    )
