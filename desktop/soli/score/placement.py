"""Each chord, then each note, of the score at its place, one window of the recording between two anchors at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soli.progress import Steps
from soli.score.chords import SEARCHES, Chords, placed_chords_steps
from soli.score.features import Hearing
from soli.score.gaps import Gap
from soli.score.limits import Limits, paces_between, within_paces
from soli.score.notes import Note, TimeMap, Times
from soli.score.warping import Coarse, Stretch, Window, coarse_steps, note_times, refined_steps, with_steady_ends

Pins = Sequence[tuple[float, float]]

SAME_S = 0.005  # an anchor this near to a chord of the score means that chord
NEAREST_S = 0.01  # of two anchors
SHORTEST_S = 0.01
_LOOSE_END_S = 1.5
_OUTSIDE_S = 0.3  # of the recording, that an onset may be expected
_APART_S = 1e-4  # knots of a map, in the recording


def windows_between(anchors: Pins, duration_s: float) -> list[Window]:
    """The recording cut at the anchors."""
    edges: list[tuple[float | None, float]] = [(None, 0.0), *anchors, (None, duration_s)]
    return [Window(start_s, stop_s, a, b) for (a, start_s), (b, stop_s) in pairwise(edges)]


def inside(window: Window, score_s: Times) -> NDArray[np.bool_]:
    """Which times of the score, in seconds, lie in the window or are meant by an anchor at its ends; bool, as many."""
    low = -np.inf if window.start_score_s is None else window.start_score_s - SAME_S
    high = np.inf if window.stop_score_s is None else window.stop_score_s + SAME_S
    within: NDArray[np.bool_] = (score_s >= low) & (score_s <= high)
    return within


def inside_any(windows: Iterable[Window], score_s: Times) -> NDArray[np.bool_]:
    """The same for several windows."""
    within = np.zeros(score_s.shape, bool)
    for window in windows:
        within |= inside(window, score_s)
    return within


def gaps_inside(windows: Iterable[Window], gaps: Iterable[Gap]) -> list[Gap]:
    """The gaps that lie in one of the windows."""
    windows = list(windows)
    return [
        gap
        for gap in gaps
        if any(
            window.start_s <= (gap.recording_start_s + gap.recording_stop_s) / 2 <= window.stop_s
            and inside(window, np.array([gap.score_start_s, gap.score_stop_s])).all()
            for window in windows
        )
    ]


def anchored(score_s: Times, anchors: Pins) -> NDArray[np.bool_]:
    """Which times of the score, in seconds (n,), are meant by an anchor; bool, (n,)."""
    near = np.zeros(len(score_s), bool)
    for anchor_s, _ in anchors:
        near |= np.abs(score_s - anchor_s) <= SAME_S
    return near


def place_windows_steps(
    hearing: Hearing,
    notes: Sequence[Note],
    chords: Chords,
    windows: Sequence[Window],
    placed_s: Times,
    *,
    limits: Limits,
    pace: float | None = None,
) -> Steps[tuple[Gap, ...]]:
    """Fill in `placed_s` (len(chords),) for the chords that belong to the windows; those left out stay NaN.

    pace: seconds of recording that one of the score takes in the whole piece, where that is known. Returns where score and
    recording part. Raises InputError where anchors ask for a tempo beyond `limits`.
    """
    found: list[tuple[Window, list[Note], Coarse]] = []
    for window in windows:
        members = np.flatnonzero(inside(window, chords.begin_s)[chords.member])
        if len(members) and window.stop_s - window.start_s >= NEAREST_S:
            near = [notes[i] for i in members.tolist()]
            found.append((window, near, (yield from coarse_steps(hearing, near, window))))
    if pace is None:
        pace = _pace(stretch for _, _, coarse in found for stretch in coarse.stretches)
    gaps: list[Gap] = []
    for window, near, coarse in found:
        parted = [gap for gap in _gaps(window, near, coarse) if gap.is_worth_saying]
        # Across a gap there is no tempo for the anchors to ask for.
        bound = [] if parted else window.pins()
        paces = paces_between(bound, pace, limits)
        yield from _place_window_steps(hearing, notes, chords, window, near, coarse.stretches, bound, paces, placed_s)
        gaps += parted
    return tuple(gaps)


def overall_pace(time_map: TimeMap, gaps: Sequence[Gap]) -> float:
    """Seconds of recording that one of the score takes in a whole piece that is aligned, gaps aside."""
    recording_s = float(np.ptp(time_map.recording_s)) - sum(gap.recording_length_s for gap in gaps)
    score_s = float(np.ptp(time_map.score_s)) - sum(gap.score_length_s for gap in gaps)
    whole = float(np.ptp(time_map.recording_s) / np.ptp(time_map.score_s))
    return recording_s / score_s if min(recording_s, score_s) > 0 else whole


def _pace(stretches: Iterable[Stretch]) -> float:
    recording_s = score_s = 0.0
    for stretch in stretches:
        start_s, stop_s = stretch.time_map.to_recording(np.array([stretch.start_s, stretch.stop_s])).tolist()
        recording_s, score_s = recording_s + stop_s - start_s, score_s + stretch.stop_s - stretch.start_s
    return recording_s / score_s if recording_s > 0 and score_s > 0 else 1.0


def _gaps(window: Window, notes: Sequence[Note], coarse: Coarse) -> list[Gap]:
    """Between the stretches, and from an anchor or the end of the score to the stretch next to it."""
    stretches = coarse.stretches
    ends = [(stretch.start_s, stretch.stop_s) for stretch in stretches]
    heard = [
        (float(stretch.time_map.to_recording(a)), float(stretch.time_map.to_recording(b)))
        for stretch, (a, b) in zip(stretches, ends, strict=True)
    ]
    onsets = [note.onset_s for note in notes]
    earliest_s, latest_s = min(onsets), max(onsets)
    # Before the score begins and after it ends a recording may hold anything; its own music again is worth saying.
    first = (min(earliest_s, ends[0][0]), heard[0][0]) if window.start_score_s is None else (window.start_score_s, window.start_s)
    last = (max(latest_s, ends[-1][1]), heard[-1][1]) if window.stop_score_s is None else (window.stop_score_s, window.stop_s)
    before = [first, *((stop, at) for (_, stop), (_, at) in zip(ends, heard, strict=True))]
    after = [*((start, at) for (start, _), (at, _) in zip(ends, heard, strict=True)), last]
    found = [
        Gap(score_a, max(score_a, score_b), recording_a, max(recording_a, recording_b))
        for (score_a, recording_a), (score_b, recording_b) in zip(before, after, strict=True)
    ]
    for start_s, stop_s in coarse.again:
        at_s = ends[0][0] if stop_s <= heard[0][0] + 1 else ends[-1][1]
        found.append(Gap(at_s, at_s, start_s, stop_s))
    return sorted(found, key=lambda gap: (gap.recording_start_s, gap.score_start_s))


def _place_window_steps(
    hearing: Hearing,
    notes: Sequence[Note],
    chords: Chords,
    window: Window,
    near: Sequence[Note],
    stretches: Sequence[Stretch],
    bound: Pins,
    paces: tuple[float, float],
    placed_s: Times,
) -> Steps[None]:
    begin_s, pins, times = chords.begin_s, window.pins(), note_times(near)
    within = inside(window, begin_s)
    rate = 25 if all(note.is_drum for note in near) else 10
    for k, stretch in enumerate(stretches):
        # What lies just outside the first or last matched place still belongs to it.
        before = stretch.start_s - (_LOOSE_END_S if k == 0 else 0.0)
        after = stretch.stop_s + (_LOOSE_END_S if k == len(stretches) - 1 else 0.0)
        picked = np.flatnonzero(within & (begin_s >= before) & (begin_s <= after))
        refined = yield from refined_steps(hearing, near, times, stretch, window, rate=rate, reach_s=4.0, smooth_s=0.3)
        time_map = refined.time_map
        expected_s = time_map.to_recording(begin_s[picked])
        picked = picked[(expected_s > window.start_s - _OUTSIDE_S) & (expected_s < window.stop_s + _OUTSIDE_S)]
        if not len(picked):
            continue
        for search in SEARCHES:
            time_map = pinned(time_map, pins)
            there = yield from placed_chords_steps(
                hearing, notes, chords, picked, time_map, search=search, fixed=anchored(begin_s[picked], pins)
            )
            there = within_paces(begin_s[picked], np.clip(there, window.start_s, window.stop_s), bound, paces)
            time_map = map_through(begin_s[picked], there, pins, time_map)
        placed_s[picked] = there


def pinned(time_map: TimeMap, pins: Pins) -> TimeMap:
    """The map bent to pass through the pins; its other knots yield where they would make it fall."""
    if not pins:
        return time_map
    return _through(time_map.score_s, time_map.recording_s, pins)


def whole_map(
    windows: Sequence[Window], score_s: Times, recording_s: Times, kept: Sequence[Window] = (), former: TimeMap | None = None
) -> TimeMap:
    """The map through the chords and the ends of all windows; in the `kept` ones it is the `former` one, knot by knot.

    score_s, recording_s: (E,) seconds of the chords that are there. Before the first and after the last it goes on at the
    pace of the ten seconds next to them.
    """
    parts: list[tuple[Times, Times]] = []
    for window in windows:
        known = former if window in kept else None
        xs, ys = (score_s, recording_s) if known is None else (known.score_s, known.recording_s)
        within = inside(window, xs)
        parts.append(rising(xs[within], ys[within], window.pins()) if known is None else (xs[within], ys[within]))
    xs, first = np.unique(np.concatenate([x for x, _ in parts]), return_index=True)
    ys = np.concatenate([y for _, y in parts])[first]
    if len(xs) < 2:
        return map_through(xs, ys, [])
    early, late = windows[0] not in kept, windows[-1] not in kept
    return with_steady_ends(xs, ys, float(np.ptp(ys) / np.ptp(xs)), before=early, after=late)


def map_through(score_s: Times, recording_s: Times, pins: Pins, before: TimeMap | None = None) -> TimeMap:
    """A map through the chords and pins; it goes on beyond them at the pace of the ten seconds next to each end."""
    if len(score_s) == 0:
        score_s, recording_s = np.zeros(1), np.zeros(1)
    inner = _through(score_s, recording_s, pins, before)
    scale = float(np.ptp(inner.recording_s) / np.ptp(inner.score_s))
    return with_steady_ends(inner.score_s, inner.recording_s, scale)


def _through(score_s: Times, recording_s: Times, pins: Pins, before: TimeMap | None = None) -> TimeMap:
    score_s, recording_s = rising(score_s, recording_s, pins)
    if len(score_s) < 2:
        pace = 1.0 if before is None else float(np.diff(before.to_recording(score_s[0] + np.array([0.0, 1.0])))[0])
        return TimeMap(score_s[0] + np.array([0.0, 1.0]), recording_s[0] + np.array([0.0, max(pace, 1e-3)]))
    return TimeMap(score_s, recording_s)


def rising(score_s: Times, recording_s: Times, pins: Pins) -> tuple[Times, Times]:
    """Every pin, and as many of the points, in order of the score, as rise strictly in both; two arrays of seconds."""
    for pin_score_s, pin_s in pins:
        apart = (np.abs(score_s - pin_score_s) > SAME_S) & (np.abs(recording_s - pin_s) > _APART_S)
        agree = (score_s < pin_score_s) == (recording_s < pin_s)
        keep = apart & agree
        at = int(np.searchsorted(score_s[keep], pin_score_s))
        score_s, recording_s = np.insert(score_s[keep], at, pin_score_s), np.insert(recording_s[keep], at, pin_s)
    highest = np.maximum.accumulate(recording_s)
    lowest_after = np.minimum.accumulate(recording_s[::-1])[::-1]
    steady = highest <= lowest_after
    keep = np.zeros(len(score_s), bool)
    last_score, last_recording = -np.inf, -np.inf
    for i in np.flatnonzero(steady).tolist():
        if score_s[i] - last_score > 1e-6 and recording_s[i] - last_recording > _APART_S:
            keep[i], last_score, last_recording = True, score_s[i], recording_s[i]
    return score_s[keep], recording_s[keep]


def placed(
    notes: Sequence[Note], time_map: TimeMap, onset_s: Times, *, kept: Sequence[Window], former: Sequence[Note]
) -> tuple[Note, ...]:
    """The notes with the given onsets; ends move with the map, repeated notes of one pitch keep their order.

    Onsets, and ends, that the score has in one of the `kept` windows stay as they are in `former`, whose order is that of
    `notes`.
    """
    onset_s = onset_s.copy()
    score_s = np.array([(note.onset_s, note.offset_s, note.pedal_s) for note in notes]).reshape(-1, 3)
    still = inside_any(kept, score_s)
    still[:, 1:] &= still[:, :1]
    ends = time_map.to_recording(score_s[:, 1:])
    limit = np.full(len(notes), np.inf)
    for same in _repeated(notes):
        for earlier, later in pairwise(same):
            if not still[later, 0]:
                onset_s[later] = max(onset_s[later], onset_s[earlier] + SHORTEST_S)
        for earlier, later in reversed(list(pairwise(same))):
            if still[later, 0] and not still[earlier, 0]:
                onset_s[earlier] = min(onset_s[earlier], onset_s[later] - SHORTEST_S)
        for earlier, later in pairwise(same):
            if notes[earlier].offset_s <= notes[later].onset_s:
                limit[earlier] = onset_s[later]
    result = []
    for i, note in enumerate(notes):
        onset = float(onset_s[i])
        offset = max(onset + SHORTEST_S / 2, min(float(ends[i, 0]), float(limit[i])))
        if still[i, 1]:
            offset = former[i].offset_s
        pedal = max(offset, float(ends[i, 1])) if note.pedal_s > 0 else 0.0
        if still[i, 2]:
            pedal = former[i].pedal_s
        result.append(replace(note, onset_s=onset, offset_s=offset, pedal_s=pedal))
    return tuple(result)


def _repeated(notes: Sequence[Note]) -> Iterable[list[int]]:
    """Which notes repeat each other, in order."""
    by_key: dict[tuple[int, int, int], list[int]] = {}
    for i, note in enumerate(notes):
        by_key.setdefault((note.track, note.channel, note.pitch), []).append(i)
    for same in by_key.values():
        yield sorted(same, key=lambda i: (notes[i].onset_s, i))
