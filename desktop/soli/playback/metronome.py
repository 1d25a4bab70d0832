"""Clicks on the beats, made of a few milliseconds of a dying tone."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray

CLICK_S = 0.045
_DECAY_S = 0.008
_LEVEL = 0.35
_PITCHES_HZ = (1000.0, 1600.0)  # a beat, a downbeat
MOST_AT_ONCE = 8


class CountIn(NamedTuple):
    """Clicks before the music: when each comes, in seconds from now, whether it is accented, and when the music begins."""

    times_s: tuple[float, ...]
    accents: tuple[bool, ...]
    length_s: float


def click(rate: int, *, accented: bool) -> FloatArray:
    """One click, float32 (samples, 1); it begins with its first sample and ends in silence."""
    time_s = np.arange(round(CLICK_S * rate)) / rate
    tone = np.cos(2 * np.pi * _PITCHES_HZ[accented] * time_s) * np.exp(-time_s / _DECAY_S) * (1.0 - time_s / CLICK_S)
    return (_LEVEL * tone).astype(np.float32)[:, None]


def count_in(bars: int, *, beats_a_bar: int, beat_s: float, phase: float = 0.0) -> CountIn:
    """`bars` bars of clicks, at a beat every `beat_s`, before music that begins `phase` beats into a bar.

    The beats go on where the music begins: in the midst of a beat the clicks come earlier by as much.
    """
    if abs(phase - round(phase)) < 0.02:  # of a beat: on it
        phase = round(phase)
    first = int(np.ceil(phase - bars * beats_a_bar))
    numbers = range(first, first + bars * beats_a_bar)
    begin = phase - bars * beats_a_bar
    times = tuple((number - begin) * beat_s for number in numbers)
    return CountIn(times, tuple(number % beats_a_bar == 0 for number in numbers), bars * beats_a_bar * beat_s)


class Counting:
    """A count-in under way at `rate`, in samples."""

    def __init__(self, clicks: CountIn, gain: float, rate: int) -> None:
        self._clicks = deque((round(time_s * rate), accent) for time_s, accent in zip(*clicks[:2], strict=True))
        self._gain, self._done = gain, 0
        self._length = round(clicks.length_s * rate)

    def step(self, length: int) -> tuple[int, list[tuple[int, bool, float]]]:
        """How many of the next `length` samples it takes, and its clicks in them: sample, whether accented, gain."""
        count = min(length, self._length - self._done)
        clicks = []
        while self._clicks and self._clicks[0][0] < self._done + count:
            place, accent = self._clicks.popleft()
            clicks.append((place - self._done, accent, self._gain))
        self._done += count
        return count, clicks


class Metronome:
    """Adds clicks to blocks at `rate`. Called from the audio thread: takes no locks, and no more than a few clicks sound."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._sounds = (click(rate, accented=False), click(rate, accented=True))
        self._times_s: NDArray[np.float64] = np.zeros(0)
        self._places: NDArray[np.int64] = np.zeros(0, np.int64)
        self._accents: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._second = 0.0  # samples of the signals in a second of the recording, as `_places` has it
        self.gain = 0.0
        self._running: list[tuple[FloatArray, int, float]] = []

    def set_beats(self, times_s: Sequence[float], accents: Sequence[bool]) -> None:
        """Click at these seconds of the recording, in rising order."""
        self._times_s = np.asarray(times_s, np.float64)
        self._accents = np.asarray(accents, np.bool_)
        self._second = 0.0

    def at_rate(self, rate: int) -> "Metronome":
        """The same beats at another rate."""
        other = Metronome(rate)
        other.gain = self.gain
        other._times_s, other._accents = self._times_s, self._accents
        return other

    def pass_by(self, block: FloatArray, offset: int, length: int, position: int, second: float) -> None:
        """Begin the clicks of beats in samples [position, position + length) of the signals, from `offset` of a block on.

        A second of the recording is `second` samples of the signals.
        """
        if not self.gain:
            return
        if second != self._second:
            self._second = second
            self._places = np.rint(self._times_s * second).astype(np.int64)
        first, last = np.searchsorted(self._places, (position, position + length))
        for index in range(int(first), int(last)):
            self.begin(block, offset + int(self._places[index]) - position, accented=bool(self._accents[index]), gain=self.gain)

    def begin(self, block: FloatArray, offset: int, *, accented: bool, gain: float) -> None:
        """One click, that begins at sample `offset` of a block."""
        sound = self._sounds[accented]
        count = min(len(sound), len(block) - offset)
        block[offset : offset + count] += gain * sound[:count]
        if count < len(sound) and len(self._running) < MOST_AT_ONCE:
            self._running.append((sound, count, gain))

    def ring(self, block: FloatArray) -> None:
        """What is left of clicks that began in earlier blocks; to be called before any begins in this one."""
        left = []
        for sound, done, gain in self._running:
            count = min(len(sound) - done, len(block))
            block[:count] += gain * sound[done : done + count]
            if done + count < len(sound):
                left.append((sound, done + count, gain))
        self._running = left
