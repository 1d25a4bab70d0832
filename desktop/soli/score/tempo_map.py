"""Beats of a performance as the tempo map of a MIDI file: the grid of a sequencer then lies on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soli.score.notes import Beat, Times

# Seconds of a beat: what is shorter stands for music that was left out, and what is longer no MIDI file can say (24 bits of µs).
SHORTEST_S, LONGEST_S = 0.01, 16.0
USUAL_S = 0.5
_LONGEST_BAR = 255  # beats that a time signature can say


@dataclass(frozen=True, eq=False)
class TempoMap:
    """Where the beats lie, and how long each is, which the last stays.

    time_s: (n,) float64, from 0 on; tempo_us: (n,) int64, microseconds of the beats from there on; meters: (number of a beat,
    beats of a bar) from there on.
    """

    time_s: Times
    tempo_us: NDArray[np.int64]
    meters: tuple[tuple[int, int], ...]

    def ticks(self, time_s: float, ticks_per_beat: int) -> int:
        """The tick nearest to a time; 0 for those before the first beat."""
        at = max(0, int(np.searchsorted(self.time_s, time_s, side="right")) - 1)
        beats = at + (time_s - float(self.time_s[at])) * 1e6 / float(self.tempo_us[at])
        return max(0, round(beats * ticks_per_beat))


def tempo_map(beats: Sequence[Beat] = ()) -> TempoMap:
    """The map whose beats are `beats`, in seconds; 120 beats a minute where there are less than two.

    Before the first of them others lead in, at the same pace about, so that all bars stand where they are. Where the music leaves
    out a part of the score its beats are left out too, and where it waits there are more: then bars have other lengths.
    """
    kept = _kept(beats)
    if len(kept) < 2:
        return TempoMap(np.zeros(1), np.array([round(1e6 * USUAL_S)]), ())
    kept = _led_in(kept)
    times, tempos, now_s = [], [], 0.0
    for (_, _), (following_s, _) in pairwise(kept):
        # From where the rounded tempos before have led, so that errors do not add up.
        tempos.append(max(1, round((following_s - now_s) * 1e6)))
        times.append(now_s)
        now_s += tempos[-1] / 1e6
    starts = [number for number, (_, is_first) in enumerate(kept) if is_first] or [0]
    lengths = [stop - start for start, stop in pairwise([*starts, len(kept)])]
    if len(lengths) > 1 and lengths[-1] < lengths[-2]:
        lengths[-1] = lengths[-2]  # the last bar is not over where the beats are
    meters: list[tuple[int, int]] = []
    for start, length in zip(starts, lengths, strict=True):
        if not meters or meters[-1][1] != min(length, _LONGEST_BAR):
            meters.append((start, min(length, _LONGEST_BAR)))
    return TempoMap(np.array([*times, now_s]), np.array([*tempos, tempos[-1]], np.int64), tuple(meters))


def _kept(beats: Sequence[Beat]) -> list[tuple[float, bool]]:
    """Time of each beat that a file can say, and whether a bar begins with it."""
    kept: list[tuple[float, bool]] = []
    owed = False  # whether a bar has begun with a beat that is left out
    for beat in beats:
        first = beat.beat == 1 or owed
        if beat.time_s < 0 or (kept and beat.time_s - kept[-1][0] < SHORTEST_S):
            owed = first
            continue
        if kept:
            before = kept[-1][0]
            parts = int(np.ceil((beat.time_s - before) / LONGEST_S))
            kept += [(before + (beat.time_s - before) * part / parts, False) for part in range(1, parts)]
        kept.append((beat.time_s, first))
        owed = False
    return kept


def _led_in(kept: list[tuple[float, bool]]) -> list[tuple[float, bool]]:
    """The same beats with others before them, from 0 on, in bars as long as the first of theirs."""
    first_s = kept[0][0]
    if first_s < SHORTEST_S:
        return [(0.0, True), *kept[1:]]
    count = max(1, round(first_s / min(kept[1][0] - first_s, LONGEST_S)), int(np.ceil(first_s / LONGEST_S)))
    starts = [number for number, (_, is_first) in enumerate(kept) if is_first]
    bar = starts[1] - starts[0] if len(starts) > 1 else count
    # Its first bar takes what is left over.
    until = count + starts[0] if starts else count
    lead = [(first_s * number / count, number == 0 or (until - number) % bar == 0) for number in range(count)]
    return [*lead, *kept]
