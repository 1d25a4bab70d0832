"""From features to a map: the whole at once and coarse, then finer and finer inside a band around what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.dtw import IntArray, banded_path_steps, gapped_path_steps
from soli.score.features import SILENCE, SPECTRA_S, Hearing, drawn_onsets, drawn_spectra, heard_onsets
from soli.score.notes import Note, TimeMap, Times
from soli.score.pooling import pooled_rows
from soli.signal.audio import FloatArray

_DRUM_STILL = 0.8  # beats are alike: leave the even tempo only for good reason
_COARSE_CELLS, _MOST_CELLS = 8e6, 256e6
_LEAST_RATE = 1.0  # of frames a second: with fewer, hours of music are no more than their loudness
_SCALE_CELLS = 0.08e6  # enough to tell tempi apart
_COARSE_RATE = 8.0
_DRUM_RATE = 25.0  # onsets alone are short
# Costs of a frame held still, of a frame left out, both against one of music that has nothing to do with the score; and of
# leaving anything out at all, in seconds of such frames.
_STILL = 0.6
_GAP = 0.85
_OPENING_S = 3.0
_PASSED_OVER_S = 2.5  # of the score, while the recording stands still
_PASSED_OVER_STEPS = 12
_AGAIN_S = 4.0
_ALIKE = 0.6  # of what a frame of the piece itself saves
_STEADY = 0.7  # of the steps of a path take both on, where its tempo is right


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of the score that is played in one go: its map, and where it begins and ends in the score."""

    time_map: TimeMap
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a recording to look in, in seconds, and the score seconds that lie at its ends where that is known."""

    start_s: float
    stop_s: float
    start_score_s: float | None = None
    stop_score_s: float | None = None

    def pins(self) -> list[tuple[float, float]]:
        """Its ends where they are known of the score: seconds of the score, seconds of the recording."""
        ends = ((self.start_score_s, self.start_s), (self.stop_score_s, self.stop_s))
        return [(score_s, recording_s) for score_s, recording_s in ends if score_s is not None]


def note_times(notes: Sequence[Note]) -> Times:
    """Onset and sounding end of each note in seconds, shape (n, 2)."""
    return np.array([(note.onset_s, note.sounding_offset_s) for note in notes], np.float64).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Coarse:
    """Where notes lie in a window of the recording, about.

    stretches: in order. again: pieces of the recording, from-to in seconds, before the first or after the last of them that
    sound like the score all the same: music that is played once more.
    """

    stretches: list[Stretch]
    again: list[tuple[float, float]]


def coarse_steps(hearing: Hearing, notes: Sequence[Note], window: Window) -> Steps[Coarse]:
    """Match notes to a window of the recording as a whole, leaving out what has no counterpart."""
    times = note_times(notes)
    first_s, last_s = float(times[:, 0].min()), float(times[:, 1].max())
    low, high = int(window.start_s / SPECTRA_S), max(int(window.stop_s / SPECTRA_S), int(window.start_s / SPECTRA_S) + 1)
    sounding = low + np.flatnonzero(hearing.spectra[low:high, SILENCE] == 0)
    if not len(sounding):
        sounding = np.array([low, high - 1])
    if window.start_score_s is not None:
        first_s, sounding[0] = window.start_score_s, low
    if window.stop_score_s is not None:
        last_s, sounding[-1] = window.stop_score_s, high - 1
    heard_from, heard_to = float(sounding[0] * SPECTRA_S), float((sounding[-1] + 1) * SPECTRA_S)
    part = _Part(
        hearing,
        notes,
        first_s,
        max(last_s - first_s, 0.05),
        heard_from,
        heard_to,
        closed=(window.start_score_s is not None, window.stop_score_s is not None),
    )
    scale = yield from _scale_steps(part)
    whole = part.span_s * scale * (heard_to - heard_from) * _LEAST_RATE**2
    match = yield from _matched_steps(part, scale, min(max(_COARSE_CELLS, whole), _MOST_CELLS))
    score_s, recording_s, path, rate = match.score_s, match.recording_s, match.path, match.rate
    steps = np.diff(path, axis=0)
    parts = (steps > 1).any(axis=1) | _passed_over(steps, max(_PASSED_OVER_S * rate, _PASSED_OVER_STEPS))
    jumps = np.flatnonzero(parts) + 1
    pieces = np.split(np.arange(len(path)), jumps)
    longest = max(map(len, pieces))
    pieces = [piece for piece in pieces if len(piece) >= min(2 * rate, longest)]
    # A chord begins where its cell does, not in the middle; and the cells next to a gap are half another chord's.
    early_s = 1 / (rate * scale)
    stretches = [
        Stretch(
            smoothed_map(score_s[piece], recording_s[piece], 1.0, scale),
            float(score_s[piece[0]]) - early_s * (k > 0),
            float(score_s[piece[-1]]) - early_s * (k < len(pieces) - 1),
        )
        for k, piece in enumerate(pieces)
    ]
    again = []
    for start, stop in ((0, int(path[0, 0])), (int(path[-1, 0]) + 1, len(match.X))):
        if stop - start < max(_AGAIN_S * rate, 8):
            continue
        _, saved = yield from gapped_path_steps(
            match.X[start:stop], match.Y, gap=match.gap, opening=match.opening, still=match.still
        )
        # Leaving out the rest of the score is no more than fair; it saves nothing.
        if saved / (stop - start) > _ALIKE * match.saved * len(match.X) / max(1, int(np.ptp(path[:, 0])) + 1):
            again.append((heard_from + start / rate, heard_from + stop / rate))
    return Coarse(stretches, again)


def _passed_over(steps: IntArray, longest: float) -> NDArray[np.bool_]:
    """Which steps of a path, shape (P, 2), lie in a run of at least `longest` that take on the score alone.

    A player may dwell on a chord, but nobody plays so much of a score in no time: it was cut, where it sounds like the rest.
    """
    alone = np.concatenate([[False], (steps[:, 0] == 0) & (steps[:, 1] == 1), [False]])
    starts, stops = np.flatnonzero(alone[1:] & ~alone[:-1]), np.flatnonzero(alone[:-1] & ~alone[1:])
    passed = np.zeros(len(steps), bool)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        passed[start:stop] = stop - start >= longest
    return passed


@dataclass(frozen=True, eq=False)
class _Part:
    """Notes over `span_s` from `first_s` of the score, and the seconds of the recording to find them in."""

    hearing: Hearing
    notes: Sequence[Note]
    first_s: float
    span_s: float
    heard_from: float
    heard_to: float
    closed: tuple[bool, bool]


def _scale_steps(part: _Part) -> Steps[float]:
    """How many seconds of the recording one of the score takes: the likeliest, when one may go on without the other."""
    whole = (part.heard_to - part.heard_from) / part.span_s
    best, likeliest = -np.inf, 1.0
    for factor in (1.0,) if all(note.is_drum for note in part.notes) else (1.0, 0.65, 1.5, 0.4, 2.4):
        scale = float(np.clip(whole * factor, 1 / 3, 3))
        match = yield from _matched_steps(part, scale, _SCALE_CELLS)
        score_s, recording_s, path, rate, saved = match.score_s, match.recording_s, match.path, match.rate, match.saved
        # The whole onto the whole is what is most likely meant.
        saved *= 1.1 if factor == 1 else 1.0
        if saved > best and len(score_s) > 1:
            best = saved
            # The tempo in between, gaps aside: the ends of the path may be far off.
            middle = slice((len(path) - 1) // 10, (len(path) - 1) - (len(path) - 1) // 10)
            played = np.asarray((np.diff(path, axis=0) <= 1).all(axis=1))[middle]
            pace = np.diff(recording_s)[middle][played].sum() / max(np.diff(score_s)[middle][played].sum(), 1e-9)
            likeliest = float(np.clip(pace, 0.75 * scale, 1.33 * scale))
        together = np.mean((np.diff(path, axis=0) == 1).all(axis=1)) if len(path) > 1 else 0.0
        if factor == 1 and together > _STEADY and np.ptp(path[:, 0]) > 0.9 * (part.heard_to - part.heard_from) * rate:
            break
    return float(np.clip(likeliest, 1 / 3, 3))


@dataclass(frozen=True, eq=False)
class _Match:
    """A path in seconds of score and recording, its cells, its frame rate, what it saves a frame; what what it was found by."""

    score_s: Times
    recording_s: Times
    path: IntArray
    rate: float
    saved: float
    X: FloatArray
    Y: FloatArray
    gap: float
    opening: float
    still: float


def _matched_steps(part: _Part, scale: float, most_cells: float) -> Steps[_Match]:
    """Match at one scale."""
    hearing, notes, span_s = part.hearing, part.notes, part.span_s
    only_drums = all(note.is_drum for note in notes)
    most = _DRUM_RATE if only_drums else _COARSE_RATE
    rate = min(most, float(np.sqrt(most_cells / max(1e-3, (part.heard_to - part.heard_from) * span_s * scale))))
    score_rate = rate * scale
    frames = max(2, int(np.ceil(span_s * score_rate)))
    placed = (note_times(notes) - part.first_s) * scale
    if only_drums:
        heard = heard_onsets(hearing, int(part.heard_from * rate), max(1, int(part.heard_to * rate)), rate)
        X, Y = (_turned(onsets[:, -1]) for onsets in (heard, drawn_onsets(notes, placed[:, 0], frames, rate)))
    else:
        rows = slice(round(part.heard_from / SPECTRA_S), round(part.heard_to / SPECTRA_S))
        X = _pooled(hearing.spectra[rows], rate * SPECTRA_S)
        Y = _pooled(drawn_spectra(notes, placed, frames * 2, rate * 2), 1 / 2)[:frames]
    yield Progress(0, len(X), "Aligning")
    foreign = float(np.clip(1 - _sampled_likeness(X, Y), 0.05, 0.8))
    gap, still = _GAP * foreign, _STILL * foreign
    if only_drums:
        # Beats are too much alike to tell a cut from another place in the bar.
        gap, still = 1.0, _DRUM_STILL
    opening = gap * _OPENING_S * rate
    path, saved = yield from gapped_path_steps(X, Y, gap=gap, opening=opening, still=still, closed=part.closed)
    score_s: Times = part.first_s + (path[:, 1] + np.float64(0.5)) / score_rate
    recording_s: Times = part.heard_from + (path[:, 0] + np.float64(0.5)) / rate
    return _Match(score_s, recording_s, path, rate, saved / len(X), X, Y, gap, opening, still)


def refined_steps(
    hearing: Hearing,
    notes: Sequence[Note],
    times: Times,
    stretch: Stretch,
    window: Window,
    *,
    rate: float,
    reach_s: float,
    smooth_s: float,
) -> Steps[Stretch]:
    """Match a stretch again at `rate` frames a second, no farther than `reach_s` from where its map puts it.

    `times` are those of the notes, see `note_times`.
    """
    margin_s = 1.0
    start_s = max(window.start_s, float(stretch.time_map.to_recording(stretch.start_s)) - margin_s)
    stop_s = min(window.stop_s, float(stretch.time_map.to_recording(stretch.stop_s)) + margin_s)
    start, frames = int(start_s * rate), int((stop_s - start_s) * rate)
    if frames < 4:
        return stretch
    start_s = start / rate
    placed = stretch.time_map.to_recording(times) - start_s
    near = np.flatnonzero((placed[:, 1] > 0) & (placed[:, 0] < frames / rate))
    close = [notes[i] for i in near.tolist()]

    onsets = heard_onsets(hearing, start, start + frames, rate)
    yield Progress(0, frames, "Aligning")
    drawn_beats = drawn_onsets(close, placed[near, 0], frames, rate)
    still = 0.1
    if all(note.is_drum for note in close):
        still, reach_s = _DRUM_STILL, min(reach_s, 1.0)
        X, Y = _turned(onsets[:, -1]), _turned(drawn_beats[:, -1])
    else:
        heard = _pooled(hearing.spectra, rate * SPECTRA_S, start, start + frames)
        rows = np.minimum(np.arange(frames), len(heard) - 1)
        drawn = _pooled(drawn_spectra(close, placed[near], frames * 2, rate * 2), 1 / 2)[:frames]
        X, Y = _joined(heard[rows], onsets, heard=True), _joined(drawn, drawn_beats, heard=False)
    path = yield from banded_path_steps(X, Y, max(2, round(reach_s * rate)), still=still)
    before_s, after_s = (start_s + (path[:, i] + np.float64(0.5)) / rate for i in (1, 0))
    smooth = smoothed_map(stretch.time_map.to_score(before_s), after_s, smooth_s, 1.0)
    return Stretch(smooth, stretch.start_s, stretch.stop_s)


def smoothed_map(score_s: Times, recording_s: Times, smooth_s: float, scale: float) -> TimeMap:
    """A strictly increasing map along a path whose coordinates never fall; smoothed by a Gaussian of `smooth_s`.

    `scale` is how many seconds of recording one of the score takes, about.
    """
    from scipy.ndimage import gaussian_filter1d

    along = (score_s - score_s[0]) * scale + (recording_s - recording_s[0])
    along, first = np.unique(along, return_index=True)
    if len(along) < 2:
        return TimeMap(score_s[0] + np.array([0.0, 1.0]), recording_s[0] + np.array([0.0, scale]))
    step = max(smooth_s / 2, (along[-1] - along[0]) / 200_000)
    grid = np.linspace(0, along[-1], max(2, round(along[-1] / step) + 1))
    pad = min(12, len(grid) - 1)
    axes = []
    for values in (score_s[first], recording_s[first]):
        even = np.pad(np.interp(grid, along, values), pad, mode="reflect", reflect_type="odd")
        smooth = gaussian_filter1d(even, 2 * smooth_s / step, truncate=3)[pad : pad + len(grid)]
        # A trace of the straight line keeps the map strictly increasing where the path stands still.
        straight = values[0] + (values[-1] - values[0]) * np.linspace(0, 1, len(grid)) + 1e-3 * grid
        axes.append((1 - 1e-4) * smooth + 1e-4 * straight)
    return with_steady_ends(axes[0], axes[1], scale)


def with_steady_ends(score_s: Times, recording_s: Times, scale: float, *, before: bool = True, after: bool = True) -> TimeMap:
    """A map through the knots that goes on, `before` and `after` them, at the mean pace of the 10 s next to each end."""
    xs, ys = [score_s], [recording_s]
    for at, wanted, near in ((0, before, score_s <= score_s[0] + 10 / scale), (-1, after, score_s >= score_s[-1] - 10 / scale)):
        if not wanted:
            continue
        pace = np.ptp(recording_s[near]) / max(np.ptp(score_s[near]), 1e-9)
        pace = float(np.clip(pace, scale / 2, scale * 2))
        sign = 1.0 if at else -1.0
        place = len(xs) if at else 0
        xs.insert(place, score_s[[at]] + sign)
        ys.insert(place, recording_s[[at]] + sign * pace)
    return TimeMap(np.concatenate(xs), np.concatenate(ys))


def _turned(onsets: FloatArray) -> FloatArray:
    """Strengths 0..1 as rows of unit length whose dot product is 1 where they agree and 0 where they are opposite."""
    angle = np.clip(onsets, 0, 1) * np.float32(np.pi / 2)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)


def _joined(chroma: FloatArray, onsets: FloatArray, *, heard: bool, weight: float = 0.05) -> FloatArray:
    """Rows whose dot products are the cosine of the chroma less `weight` times the squared distance of the onsets."""
    square = weight * np.sum(onsets**2, axis=1, keepdims=True)
    one = np.ones_like(square)
    tail = (square, -one) if heard else (-one, square)
    return np.concatenate([chroma, np.sqrt(2 * weight) * onsets, *tail], axis=1).astype(np.float32)


def _pooled(features: FloatArray, step: float, first: int = 0, stop: int | None = None) -> FloatArray:
    """Features a frame each `1 / step` of the given ones: the mean of those it covers and a little of its neighbours.

    Its rows are of unit length again. They are those from `first` to `stop` as far as there are that many, one at least.
    """
    count = max(1, int(len(features) * step))
    stop = count if stop is None else min(stop, count)
    first = min(first, stop - 1)
    low, high = max(0, first - 1), min(count, stop + 1)
    edges = np.minimum((np.arange(low, high + 1) / step).astype(int), len(features) - 1)
    end = len(features) if high == count else max(int(edges[-1]), int(edges[-2]) + 1)
    picked: FloatArray = pooled_rows(np.add, features[:end], edges[:-1])
    picked /= np.maximum(np.diff(edges[:-1], append=end), 1).astype(np.float32)[:, None]
    if step < 1:
        padded = np.pad(picked, ((1, 1), (0, 0)), mode="edge")
        picked = 0.6 * picked + 0.2 * (padded[:-2] + padded[2:])
    picked = picked[first - low : stop - low]
    sound = picked[:, :SILENCE]
    sound /= np.maximum(np.linalg.norm(sound, axis=1, keepdims=True), 0.3)
    return picked


def _sampled_likeness(X: FloatArray, Y: FloatArray) -> float:
    picked = [A[np.unique(np.linspace(0, len(A) - 1, 400).astype(int))] for A in (X, Y)]
    return float(np.median(picked[0] @ picked[1].T))
