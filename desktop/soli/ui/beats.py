"""Bars and beats of the score at their places in the recording."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soli.project.state import State

NO_BAR = 0
_NEAR = 0.005  # of a beat: a note that comes by so little too early is on the beat, not at the end of the one before


class Beats:
    """Beats as columns: `time_s` (recording), `bar`, `beat`; empty where there is no score."""

    def __init__(self, state: State | None = None) -> None:
        beats = state.score.beats if state and state.score else ()
        score_s = np.array([b.time_s for b in beats], np.float64)
        self.bar = np.array([b.bar for b in beats], np.int64)
        self.beat = np.array([b.beat for b in beats], np.int64)
        self.time_s = state.alignment.time_map.to_recording(score_s) if state and state.alignment and beats else score_s
        self.is_bar = self.beat == 1
        self.score_s = score_s

    def __len__(self) -> int:
        return len(self.time_s)

    @cached_property
    def bars(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Where bars begin, in seconds of the recording, and their numbers."""
        return self.time_s[self.is_bar], self.bar[self.is_bar]

    @cached_property
    def bar_s(self) -> float:
        """How long a bar is in the mean, in seconds; without end where there are less than two."""
        return _apart_s(self.bars[0])

    @cached_property
    def beat_s(self) -> float:
        """How long a beat is in the mean, in seconds; without end where there are less than two."""
        return _apart_s(self.time_s)

    def at(self, time_s: float) -> int | None:
        """Index of the beat that a time lies in; None before the first one."""
        index = int(np.searchsorted(self.time_s, time_s + 1e-9, side="right")) - 1
        return index if index >= 0 else None

    def tempo_bpm(self, time_s: float) -> float | None:
        """Beats a minute around a time, over a bar or so."""
        index = self.at(time_s)
        if index is None or len(self) < 2:
            return None
        first, last = max(0, index - 2), min(len(self) - 1, index + 3)
        length_s = float(self.time_s[last] - self.time_s[first])
        return 60.0 * (last - first) / length_s if length_s > 0 else None

    def place(self, time_s: float) -> str:
        """Where a time lies, as "bar 6 · 2.5" (bar, beat and tenths of it); "" where there are no beats."""
        index = self.at(time_s)
        if index is None:
            return ""
        step = self.time_s[index + 1] - self.time_s[index] if index + 1 < len(self) else 0.0
        part = min(0.9, (time_s - self.time_s[index]) / step) if step > 0 else 0.0
        return f"bar {self.bar[index]} · {self.beat[index] + np.floor(part * 10) / 10:.1f}"

    def bar_at(self, time_s: float) -> int | None:
        index = self.at(time_s)
        return int(self.bar[index]) if index is not None else None

    def bars_between(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Score and recording seconds of the bar lines in a stretch of the recording."""
        first, last = np.searchsorted(self.time_s, (start_s, end_s))
        rows = [i for i in range(int(first), int(last)) if self.is_bar[i]]
        return [(float(self.score_s[i]), float(self.time_s[i])) for i in rows]


def places(beats: Beats, time_s: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bars (int64, NO_BAR before the first beat) and beats with their fractions (float64, NaN likewise) of times."""
    if not len(beats):
        return np.full(len(time_s), NO_BAR, np.int64), np.full(len(time_s), np.nan)
    steps = _steps(beats)
    index = np.searchsorted(beats.time_s, time_s, side="right") - 1
    following = np.minimum(index + 1, len(beats) - 1)
    near = (beats.time_s[following] - time_s) < _NEAR * steps[np.maximum(index, 0)]
    index = np.where(near, following, index)
    inside = np.maximum(index, 0)
    part = np.clip((time_s - beats.time_s[inside]) / steps[inside], 0.0, 1.0 - _NEAR)
    known = index >= 0
    return np.where(known, beats.bar[inside], NO_BAR), np.where(known, beats.beat[inside] + part, np.nan)


def time_of(beats: Beats, bar: int, beat: float) -> float | None:
    """Seconds of the recording of a place in the score; None where the score has no such place."""
    rows = np.flatnonzero((beats.bar == bar) & (beats.beat == int(beat)))
    if not len(rows):
        return None
    index = int(rows[0])
    return float(beats.time_s[index] + (beat - int(beat)) * _steps(beats)[index])


def _apart_s(time_s: NDArray[np.float64]) -> float:
    return float(time_s[-1] - time_s[0]) / (len(time_s) - 1) if len(time_s) > 1 else float("inf")


def _steps(beats: Beats) -> NDArray[np.float64]:
    """How long each beat is; the last one as long as the one before it."""
    if len(beats) < 2:
        return np.ones(len(beats))
    steps = np.diff(beats.time_s)
    lasting: NDArray[np.float64] = np.maximum(np.append(steps, steps[-1]), 1e-6)
    return lasting
