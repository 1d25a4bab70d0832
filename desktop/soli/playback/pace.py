"""How a recording passes at a slower speed: evenly, but for what is struck, which passes as fast as it was played."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soli.playback.onsets import Onsets

CATCHES_UP_S = 0.25  # how far around an onset, in the recording, the rest makes room for it at most
KEPT = 0.35  # of the way from one onset to the next, at most, what is around them keeps its own speed


class Strike(NamedTuple):
    """Samples `first` to `end` of the result are those of the recording, `shift` samples further on in it."""

    first: int
    end: int
    shift: int


class Pace:
    """Which sample of the recording, `rate` of them a second, is heard where in the result.

    At an onset, and away from it, sample n of the result is sample n * speed of the recording. Up to `half` samples
    around an onset, as far as a frame reaches, both pass alike, so that a frame holds an attack as it was; what follows
    and what comes before make room for it. A faster result has no such places: there an attack is not drawn out.
    """

    def __init__(self, onsets: Onsets, *, rate: int, speed: float, half: int) -> None:
        self._onsets, self._speed, self._half = onsets, speed, half
        self._reach = CATCHES_UP_S * rate

    def strikes(self, first: int, end: int) -> list[Strike]:
        """What is heard as it was played, of samples [first, end) of the result, in order."""
        return [strike for strike, _, _ in self._around(first, end) if strike.end >= first and strike.first < end]

    def places(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The samples of the recording that are heard at samples of the result, which rise."""
        places = samples * self._speed
        around = self._around(int(samples[0]), int(samples[-1]) + 1) if len(samples) else []
        if around:
            at, apart = [], []
            for strike, before, after in around:
                ends = (strike.first, strike.end)
                at += [before, *ends, after]
                apart += [0.0, *(sample + strike.shift - sample * self._speed for sample in ends), 0.0]
            places = places + np.interp(samples, at, apart)
        whole: NDArray[np.int64] = np.rint(places).astype(np.int64)
        for strike, _, _ in around:
            inside = (samples >= strike.first) & (samples <= strike.end)
            whole[inside] = samples[inside] + strike.shift
        return whole

    def _around(self, first: int, end: int) -> list[tuple[Strike, float, float]]:
        """The strikes near samples [first, end) of the result, and between which samples of it room is made for each."""
        speed, reach = self._speed, self._reach
        if speed >= 1.0:
            return []
        found = self._onsets.between(first * speed - 3 * reach, end * speed + 3 * reach)
        gaps = np.diff(found)
        before = np.concatenate([[2 * reach], gaps]) if len(found) else gaps
        after = np.concatenate([gaps, [2 * reach]]) if len(found) else gaps
        around = []
        for onset, gap_before, gap_after in zip(found.tolist(), before.tolist(), after.tolist(), strict=True):
            heard = onset / speed
            kept_before, kept_after = (round(min(self._half, KEPT * gap)) for gap in (gap_before, gap_after))
            strike = Strike(round(heard) - kept_before, round(heard) + kept_after, onset - round(heard))
            low, high = (min(reach, gap / 2) / speed for gap in (gap_before, gap_after))
            around.append((strike, heard - low, heard + high))
        return around
