"""The score's place in the recording: chroma and onsets, dynamic time warping, then every note by its own sound.

After Ewert, Müller, Grosche (High resolution audio synchronization using chroma onset features, ICASSP 2009) and
Prätzlich, Driedger, Müller (Memory-restricted multiscale dynamic time warping, ICASSP 2016).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from soli.errors import InputError
from soli.progress import Progress, Steps, finish
from soli.score.chords import chords_of
from soli.score.confidence import confidences_steps, sureness_steps
from soli.score.features import SILENCE, Hearing, hear_steps
from soli.score.gaps import Gap, described
from soli.score.limits import LIMITS, Limits, checked_limits
from soli.score.notes import Note, Score, TimeMap
from soli.score.onsets import placed_notes_steps
from soli.score.placement import (
    NEAREST_S,
    SAME_S,
    anchored,
    gaps_inside,
    inside_any,
    overall_pace,
    place_windows_steps,
    placed,
    whole_map,
    windows_between,
)
from soli.score.warping import Window
from soli.signal.audio import Audio, FloatArray

_NEARLY_HALF_CENTS = 40.0
_SILENT = 1e-5
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
    gaps: where score and recording part, in order.
    notice: one sentence that says so, else empty.
    """

    time_map: TimeMap
    notes: tuple[Note, ...]
    confidence: FloatArray
    sure: float
    tuning_cents: float = 0.0
    absent: frozenset[int] = frozenset()
    warning: str = ""
    gaps: tuple[Gap, ...] = ()
    notice: str = ""


def unaligned(score: Score) -> Alignment:
    """The score's times taken as they are."""
    return Alignment(TimeMap(), score.notes, np.ones(len(score.notes), np.float32), 1.0)


def align(audio: Audio, score: Score, **options: Any) -> Alignment:
    """Align without showing progress; see align_steps."""
    return finish(align_steps(audio, score, **options))


def align_steps(
    audio: Audio,
    score: Score,
    *,
    anchors: Sequence[tuple[float, float]] = (),
    hearing: Hearing | None = None,
    limits: Limits = LIMITS,
) -> Steps[Alignment]:
    """Find every note of `score` in `audio`; closing the generator cancels.

    anchors: pairs of (score seconds, recording seconds) that hold whatever the sound says. Raises InputError when they
    contradict each other or lie outside the recording. hearing: what hear_steps found in this recording before, which saves
    most of the time when only the anchors or the score have changed. limits: the slowest and the fastest local tempo, as
    parts of the tempo of the whole piece; they bound the slope of the map from chord to chord, gaps aside. Raises InputError
    for limits that no music keeps, and where anchors more than a second apart ask for a tempo beyond them.
    """
    return (yield from _aligned_steps(audio, score, None, anchors, (), hearing, limits))


def best_tuned_steps(audio: Audio, score: Score, hearing: Hearing) -> Steps[tuple[Hearing, Alignment]]:
    """Align; a recording that lies half-way between two semitones is tried as either, and the surer one is right.

    A tuning is known but for whole semitones: 49 cents too high and 51 too low are the same sound. Returns the hearing that
    the alignment is made from.
    """
    alignment = yield from align_steps(audio, score, hearing=hearing)
    if abs(hearing.tuning_cents) < _NEARLY_HALF_CENTS:
        return hearing, alignment
    other = yield from hear_steps(audio, tuning=hearing.tuning_cents - math.copysign(100.0, hearing.tuning_cents))
    second = yield from align_steps(audio, score, hearing=other)
    return (other, second) if second.sure > alignment.sure else (hearing, alignment)


def realigned_steps(
    audio: Audio,
    score: Score,
    previous: Alignment,
    *,
    anchors: Sequence[tuple[float, float]],
    former_anchors: Sequence[tuple[float, float]],
    hearing: Hearing | None = None,
    limits: Limits = LIMITS,
) -> Steps[Alignment]:
    """Align again between the anchors that have changed; closing the generator cancels.

    previous: the alignment of the same score under `former_anchors`. Where two neighbouring anchors, or an anchor and an end
    of the recording, are the same as before, everything is taken over from it to the last bit: the onsets and confidences
    of the notes that begin there, which of them are absent, and the map. Elsewhere the result is that of align_steps, which
    see for the options and errors.
    """
    return (yield from _aligned_steps(audio, score, previous, anchors, former_anchors, hearing, limits))


def _aligned_steps(
    audio: Audio,
    score: Score,
    previous: Alignment | None,
    anchors: Sequence[tuple[float, float]],
    former_anchors: Sequence[tuple[float, float]],
    hearing: Hearing | None,
    limits: Limits,
) -> Steps[Alignment]:
    anchors, limits = checked_anchors(anchors, audio.duration_s), checked_limits(limits)
    if not score.notes:
        return replace(unaligned(score), sure=0.0, warning="The score holds no notes; there is nothing to align.")
    if audio.peak() < _SILENT:
        return _without_sound(audio, score)
    if hearing is None:
        hearing = yield from hear_steps(audio)
    if not (hearing.spectra[:, SILENCE] == 0).any():
        return _without_sound(audio, score)

    windows = windows_between(anchors, audio.duration_s)
    kept: list[Window] = []
    if previous is not None and [note.id for note in previous.notes] == [note.id for note in score.notes]:
        former_windows = windows_between(sorted(former_anchors), audio.duration_s)
        kept = [window for window in windows if window in former_windows]
    if previous is None or not kept:
        previous = unaligned(score)
    elif len(kept) == len(windows):
        return previous

    chords = chords_of(score.notes)
    begin_s, member = chords.begin_s, chords.member
    still = inside_any(kept, begin_s)
    placed_s = np.full(len(chords), np.nan)
    gaps = yield from place_windows_steps(
        hearing,
        score.notes,
        chords,
        [window for window in windows if window not in kept],
        placed_s,
        limits=limits,
        pace=overall_pace(previous.time_map, previous.gaps) if kept else None,
    )
    heard = ~np.isnan(placed_s) & ~still
    time_map = whole_map(windows, begin_s[heard], placed_s[heard], kept, previous.time_map)
    placed_s[~heard] = time_map.to_recording(begin_s[~heard])

    fresh = np.flatnonzero(~still[member])
    onset_s = np.array([note.onset_s for note in previous.notes])
    own_s = yield from placed_notes_steps(hearing, [score.notes[i] for i in fresh.tolist()], placed_s[member[fresh]])
    settled = ~heard | anchored(begin_s, anchors)
    own_s = np.where(settled[member[fresh]], placed_s[member[fresh]], own_s)
    # No note crosses an anchor.
    walls = np.array([0.0, *(recording_s for _, recording_s in anchors), np.inf])
    between = np.searchsorted([score_s - SAME_S for score_s, _ in anchors], begin_s[member[fresh]])
    meant = anchored(begin_s, anchors)[member[fresh]]
    onset_s[fresh] = np.clip(own_s, walls[np.where(meant, 0, between)], np.where(meant, np.inf, walls[between + 1]))
    notes = placed(score.notes, time_map, onset_s, kept=kept, former=previous.notes)

    confidence = np.array(previous.confidence, np.float32)
    confidence[fresh] = yield from confidences_steps(hearing, [notes[i] for i in fresh.tolist()])
    there = np.array([note.id not in previous.absent for note in notes])
    there[fresh] = heard[member[fresh]]
    confidence[fresh[~there[fresh]]] = 0
    absent = frozenset(note.id for note, is_there in zip(notes, there.tolist(), strict=True) if not is_there)
    sure = yield from sureness_steps(hearing, notes, confidence, there)
    yield Progress(1, 1, "Aligned")
    gaps = tuple(sorted((*gaps, *gaps_inside(kept, previous.gaps)), key=lambda gap: gap.score_start_s))
    warning = notice = ""
    if sure < _DOUBTFUL:
        warning = f"Only {100 * sure:.0f} % sure that this score belongs to this recording; check that both are the same piece."
    else:
        notice = described(gaps, score)
    return Alignment(time_map, notes, confidence, sure, hearing.tuning_cents, absent, warning, gaps, notice)


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
        if score_b - score_a < NEAREST_S or recording_b - recording_a < NEAREST_S:
            raise InputError(
                f"The anchors at {recording_a:.2f} s and {recording_b:.2f} s of the recording contradict each other: "
                f"the score has them at {score_a:.2f} s and {score_b:.2f} s; move or remove one"
            )
    return ordered


def _without_sound(audio: Audio, score: Score) -> Alignment:
    span_s = max(score.duration_s, 1e-3)
    time_map = TimeMap(np.array([0.0, span_s]), np.array([0.0, max(audio.duration_s, 1e-3)]))
    onset_s = time_map.to_recording(np.array([note.onset_s for note in score.notes]))
    notes = placed(score.notes, time_map, onset_s, kept=(), former=score.notes)
    warning = "The recording is silent; the score was only stretched to its length."
    return Alignment(time_map, notes, np.zeros(len(notes), np.float32), 0.0, warning=warning)
