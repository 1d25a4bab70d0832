"""The score's place in the recording: chroma and onsets, dynamic time warping, then every note by its own sound.

After Ewert, Müller, Grosche (High resolution audio synchronization using chroma onset features, ICASSP 2009) and
Prätzlich, Driedger, Müller (Memory-restricted multiscale dynamic time warping, ICASSP 2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.progress import Progress, Steps, finish
from soli.score.chords import SEARCHES, Chords, chords_of, placed_chords_steps
from soli.score.confidence import confidences_steps, sureness
from soli.score.features import SILENCE, Hearing, hear_steps
from soli.score.notes import Note, Score, TimeMap, Times
from soli.score.onsets import placed_notes_steps
from soli.score.warping import Window, coarse_steps, refined_steps, with_steady_ends
from soli.signal.audio import Audio, FloatArray

_SILENT = 1e-5
_SHORTEST_S = 0.01
_SAME_S = 0.005  # an anchor this near to a chord of the score means that chord
_NEAREST_S = 0.01  # of two anchors
_LOOSE_END_S = 1.5
_OUTSIDE_S = 0.3  # of the recording, that an onset may be expected
_DOUBTFUL = 0.5


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a score lies in a recording.

    time_map: the smooth map from score seconds to recording seconds (bars, beats, tempo).
    notes: every note of the score once, same ids and order, placed in the recording's seconds.
    confidence: float32, shape (len(notes),), 0..1: how well the sound supports each note there.
    sure: 0..1 for the whole; low where score and recording are different pieces.
    absent: ids of notes whose stretch of the score the recording leaves out.
    warning: one clear sentence where `sure` is low, else empty.
    """

    time_map: TimeMap
    notes: tuple[Note, ...]
    confidence: FloatArray
    sure: float
    tuning_cents: float = 0.0
    absent: frozenset[int] = frozenset()
    warning: str = ""


def unaligned(score: Score) -> Alignment:
    """The score's times taken as they are."""
    return Alignment(TimeMap(), score.notes, np.ones(len(score.notes), np.float32), 1.0)


def align(audio: Audio, score: Score, **options: Any) -> Alignment:
    """Align without showing progress; see align_steps."""
    return finish(align_steps(audio, score, **options))


def align_steps(
    audio: Audio, score: Score, *, anchors: Sequence[tuple[float, float]] = (), hearing: Hearing | None = None
) -> Steps[Alignment]:
    """Find every note of `score` in `audio`; closing the generator cancels.

    anchors: pairs of (score seconds, recording seconds) that hold whatever the sound says. Raises InputError when they
    contradict each other or lie outside the recording. hearing: what hear_steps found in this recording before, which saves
    most of the time when only the anchors or the score have changed.
    """
    anchors = checked_anchors(anchors, audio.duration_s)
    if not score.notes:
        return replace(unaligned(score), sure=0.0, warning="The score holds no notes; there is nothing to align.")
    if max(audio.samples.max(initial=0.0), -audio.samples.min(initial=0.0)) < _SILENT:
        return _without_sound(audio, score)
    if hearing is None:
        hearing = yield from hear_steps(audio)
    if not (hearing.spectra[:, SILENCE] == 0).any():
        return _without_sound(audio, score)

    chords = chords_of(score.notes)
    placed_s = np.full(len(chords), np.nan)
    for window in _windows(anchors, audio.duration_s):
        yield from _place_window_steps(hearing, score.notes, chords, window, placed_s)
    heard = ~np.isnan(placed_s)
    time_map = _map_through(chords.begin_s[heard], placed_s[heard], anchors)
    placed_s[~heard] = time_map.to_recording(chords.begin_s[~heard])

    onset_s = yield from placed_notes_steps(hearing, score.notes, placed_s[chords.member])
    settled = ~heard | _anchored(chords.begin_s, anchors)
    onset_s = np.where(settled[chords.member], placed_s[chords.member], onset_s)
    notes = placed(score.notes, time_map, np.clip(onset_s, 0, None))
    absent = frozenset(note.id for note, chord in zip(notes, chords.member.tolist(), strict=True) if not heard[chord])
    there = heard[chords.member]
    confidence = yield from confidences_steps(hearing, notes)
    confidence[~there] = 0
    sure = sureness(confidence[there])
    yield Progress(1, 1, "Aligned")
    warning = ""
    if sure < _DOUBTFUL:
        warning = f"Only {100 * sure:.0f} % sure that this score belongs to this recording; check that both are the same piece."
    return Alignment(time_map, notes, confidence, sure, hearing.tuning_cents, absent, warning)


def checked_anchors(anchors: Sequence[tuple[float, float]], duration_s: float) -> tuple[tuple[float, float], ...]:
    """The anchors in order; raises InputError, in one sentence, where they contradict each other."""
    ordered = tuple(sorted((float(score_s), float(recording_s)) for score_s, recording_s in anchors))
    for score_s, recording_s in ordered:
        if not (np.isfinite(score_s) and np.isfinite(recording_s)):
            raise InputError("An anchor lies at a time that is no number; remove it")
        if not 0 <= recording_s <= duration_s:
            raise InputError(
                f"The anchor at {recording_s:.2f} s lies outside the recording, which is {duration_s:.2f} s long; move it inside"
            )
    for (score_a, recording_a), (score_b, recording_b) in pairwise(ordered):
        if score_b - score_a < _NEAREST_S or recording_b - recording_a < _NEAREST_S:
            raise InputError(
                f"The anchors at {recording_a:.2f} s and {recording_b:.2f} s of the recording contradict each other: "
                f"the score has them at {score_a:.2f} s and {score_b:.2f} s; move or remove one"
            )
    return ordered


def _windows(anchors: Sequence[tuple[float, float]], duration_s: float) -> list[Window]:
    """The recording cut at the anchors."""
    edges: list[tuple[float | None, float]] = [(None, 0.0), *anchors, (None, duration_s)]
    return [Window(start_s, stop_s, a, b) for (a, start_s), (b, stop_s) in pairwise(edges)]


def _place_window_steps(hearing: Hearing, notes: Sequence[Note], chords: Chords, window: Window, placed_s: Times) -> Steps[None]:
    """Fill in `placed_s` for the chords that belong to a window; those it leaves out stay NaN."""
    begin_s = chords.begin_s
    low = -np.inf if window.start_score_s is None else window.start_score_s - _SAME_S
    high = np.inf if window.stop_score_s is None else window.stop_score_s + _SAME_S
    within = (begin_s >= low) & (begin_s <= high)
    members = np.flatnonzero(within[chords.member])
    if not len(members) or window.stop_s - window.start_s < _NEAREST_S:
        return
    near = [notes[i] for i in members.tolist()]
    stretches = yield from coarse_steps(hearing, near, window)
    rate = 25 if all(note.is_drum for note in near) else 10
    for k, stretch in enumerate(stretches):
        # What lies just outside the first or last matched place still belongs to it.
        before = stretch.start_s - (_LOOSE_END_S if k == 0 else 0.0)
        after = stretch.stop_s + (_LOOSE_END_S if k == len(stretches) - 1 else 0.0)
        picked = np.flatnonzero(within & (begin_s >= before) & (begin_s <= after))
        refined = yield from refined_steps(hearing, near, stretch, window, rate=rate, reach_s=4.0, smooth_s=0.3)
        time_map = refined.time_map
        expected_s = time_map.to_recording(begin_s[picked])
        picked = picked[(expected_s > window.start_s - _OUTSIDE_S) & (expected_s < window.stop_s + _OUTSIDE_S)]
        if not len(picked):
            continue
        for search in SEARCHES:
            time_map = pinned(time_map, window.pins())
            there = yield from placed_chords_steps(
                hearing, notes, chords, picked, time_map, search=search, fixed=_anchored(begin_s[picked], window.pins())
            )
            there = np.clip(there, window.start_s, window.stop_s)
            time_map = _map_through(begin_s[picked], there, window.pins(), time_map)
        placed_s[picked] = there


def pinned(time_map: TimeMap, pins: Sequence[tuple[float, float]]) -> TimeMap:
    """The map bent to pass through the pins; its other knots yield where they would make it fall."""
    if not pins:
        return time_map
    return _through(time_map.score_s, time_map.recording_s, pins)


def _anchored(score_s: Times, anchors: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    near = np.zeros(len(score_s), bool)
    for anchor_s, _ in anchors:
        near |= np.abs(score_s - anchor_s) <= _SAME_S
    return near


def placed(notes: Sequence[Note], time_map: TimeMap, onset_s: Times) -> tuple[Note, ...]:
    """The notes with the given onsets; ends move with the map, repeated notes of one pitch keep their order."""
    onset_s = onset_s.copy()
    ends = time_map.to_recording(np.array([(n.offset_s, n.pedal_s) for n in notes]).reshape(-1, 2))
    by_key: dict[tuple[int, int, int], list[int]] = {}
    for i, note in enumerate(notes):
        by_key.setdefault((note.track, note.channel, note.pitch), []).append(i)
    limit = np.full(len(notes), np.inf)
    for same in by_key.values():
        same.sort(key=lambda i: (notes[i].onset_s, i))
        for earlier, later in pairwise(same):
            onset_s[later] = max(onset_s[later], onset_s[earlier] + _SHORTEST_S)
            if notes[earlier].offset_s <= notes[later].onset_s:
                limit[earlier] = onset_s[later]
    result = []
    for i, note in enumerate(notes):
        onset = float(onset_s[i])
        offset = max(onset + _SHORTEST_S / 2, min(float(ends[i, 0]), float(limit[i])))
        pedal = max(offset, float(ends[i, 1])) if note.pedal_s > 0 else 0.0
        result.append(replace(note, onset_s=onset, offset_s=offset, pedal_s=pedal))
    return tuple(result)


def _map_through(
    score_s: Times, recording_s: Times, pins: Sequence[tuple[float, float]], before: TimeMap | None = None
) -> TimeMap:
    """A map through the chords and pins; it goes on beyond them at the pace of the ten seconds next to each end."""
    if len(score_s) == 0:
        score_s, recording_s = np.zeros(1), np.zeros(1)
    inner = _through(score_s, recording_s, pins, before)
    scale = float(np.ptp(inner.recording_s) / np.ptp(inner.score_s))
    return with_steady_ends(inner.score_s, inner.recording_s, scale)


def _through(score_s: Times, recording_s: Times, pins: Sequence[tuple[float, float]], before: TimeMap | None = None) -> TimeMap:
    """A strictly increasing map through every pin, and through as many of the points, in order of the score, as rise."""
    for pin_score_s, pin_s in pins:
        apart = np.abs(score_s - pin_score_s) > _SAME_S
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
        if score_s[i] - last_score > 1e-6 and recording_s[i] - last_recording > 1e-4:
            keep[i], last_score, last_recording = True, score_s[i], recording_s[i]
    score_s, recording_s = score_s[keep], recording_s[keep]
    if len(score_s) < 2:
        pace = 1.0 if before is None else float(np.diff(before.to_recording(score_s[0] + np.array([0.0, 1.0])))[0])
        return TimeMap(score_s[0] + np.array([0.0, 1.0]), recording_s[0] + np.array([0.0, max(pace, 1e-3)]))
    return TimeMap(score_s, recording_s)


def _without_sound(audio: Audio, score: Score) -> Alignment:
    span_s = max(score.duration_s, 1e-3)
    time_map = TimeMap(np.array([0.0, span_s]), np.array([0.0, max(audio.duration_s, 1e-3)]))
    onset_s = time_map.to_recording(np.array([note.onset_s for note in score.notes]))
    notes = placed(score.notes, time_map, onset_s)
    warning = "The recording is silent; the score was only stretched to its length."
    return Alignment(time_map, notes, np.zeros(len(notes), np.float32), 0.0, warning=warning)
