"""Another speed at the same pitch, by Signalsmith Stretch: layers that are stretched together still sum to the mix.

At each frequency the library turns the phases of all channels of one call alike, by what it finds in the channel that is
strongest there. So the recording goes first, and far above the rest: what becomes of a layer hangs on the recording alone,
faders work after the stretching, the parts sum to the stretched recording, and channels keep their phases to each other.
It costs about 1 % of a processor for each stereo signal while it is made in time with the music.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from soli.errors import SoliError
from soli.signal.audio import FloatArray

if TYPE_CHECKING:
    from python_stretch import Signalsmith

SLOWEST, FASTEST = 0.25, 2.0

# A block of seven intervals keeps the notes of low chords apart, which beat and are out of tune otherwise; a shorter one keeps
# attacks a little harder.
_INTERVAL_S, _OVERLAP = 0.02, 7
_SLOWEST_AT_ONCE = 0.5  # below it the library turns phases at random, and chords warble; two passes do not
_LOUD, _ABOVE = 512.0, 1024.0  # the peak of the recording, as the floor of the library is absolute, and how far above the rest
_WHOLE = 100  # samples that are a whole number of samples of the recording, too, at any speed in percent

# Samples [first, end) of a signal, float32 (end - first, channels), zero where there are none.
Read: TypeAlias = Callable[[int, int], FloatArray]


def reader(signal: FloatArray) -> Read:
    """Reads `signal`, float32 (length, channels), with silence around it."""

    def read(first: int, end: int) -> FloatArray:
        part = signal[max(0, first) : max(0, end)]
        before = min(max(0, -first), end - first)
        return np.pad(part, ((before, end - first - before - len(part)), (0, 0)))

    return read


def stretched_length(length: int, speed: float) -> int:
    """How many samples `length` of them become."""
    return int(np.ceil(length / speed - 1e-9))


class Excerpt(NamedTuple):
    """Samples [first, end) of what a recording at `rate` Hz becomes at `speed`, 0.25 to 2 times its own.

    Sample n of the result sounds as sample n * speed of the recording does. Phases go on from those of the recording where
    the excerpt begins: of two that overlap, the sound is alike and the samples are not.
    """

    first: int
    end: int
    rate: int
    speed: float

    @property
    def source(self) -> tuple[int, int]:
        """The samples of the recording that it is made of, some around it among them; they may lie outside of the recording."""
        return self._passes()[0].source

    def made_of(self, sound: FloatArray, guides: int) -> FloatArray:
        """The excerpt of the recording and of parts of it, float32 (end - first, channels).

        `sound`: the samples of `source`, float32 (samples, channels), the recording in its first `guides` channels.
        The same excerpt of the same recording turns any part alike, as long as that is nowhere far above the recording.
        What holds values that are no numbers is silent. Raises SoliError where the library is missing.
        """
        for step in self._passes():
            sound = step.run(sound, guides)
        return sound

    def _passes(self) -> "list[_Pass]":
        if not SLOWEST <= self.speed <= FASTEST:
            raise ValueError(f"a speed is from {SLOWEST} to {FASTEST}, not {self.speed}")
        if self.speed >= _SLOWEST_AT_ONCE:
            return [_Pass(self.first, self.end, self.rate, self.speed)]
        last = _Pass(self.first, self.end, self.rate, self.speed / _SLOWEST_AT_ONCE)
        return [_Pass(*last.source, self.rate, _SLOWEST_AT_ONCE), last]


class _Pass(NamedTuple):
    """One call of the library that makes samples [first, end)."""

    first: int
    end: int
    rate: int
    speed: float

    @property
    def interval(self) -> int:
        return max(1, round(_INTERVAL_S * self.rate))

    @property
    def around(self) -> int:
        """So much is made before and after, where blocks of the library that lie partly outside are missing."""
        return _OVERLAP * self.interval

    @property
    def made(self) -> int:
        return -(-(self.end - self.first + 2 * self.around) // _WHOLE) * _WHOLE

    @property
    def source(self) -> tuple[int, int]:
        begin = round((self.first - self.around) * self.speed)
        return begin, begin + max(1, round(self.made * self.speed))

    def run(self, sound: FloatArray, guides: int) -> FloatArray:
        # One value that is no number would spread to all channels.
        sound = np.where(np.isfinite(sound).all(axis=0), sound, np.float32(0.0))
        loudest = float(np.abs(sound[:, :guides]).max(initial=0.0)) or float(np.abs(sound).max(initial=0.0))
        # Powers of two alter no digit of a sample.
        gains = np.full((sound.shape[1], 1), 2.0 ** np.floor(np.log2(_LOUD / max(loudest, 1e-12))) / _ABOVE, np.float32)
        gains[:guides] *= _ABOVE
        library = _library()
        library.configure(sound.shape[1], self.around, self.interval)
        library.setTimeFactor(len(sound) / self.made)
        made = np.asarray(library.process(np.ascontiguousarray(sound.T) * gains))
        made = made[:, self.around : self.around + self.end - self.first] / gains
        return np.ascontiguousarray(made.T)


def _library() -> "Signalsmith.Stretch":
    try:
        from python_stretch import Signalsmith
    except ImportError as error:
        raise SoliError("Another speed needs the Python package python-stretch, which is missing; install it with pip") from error
    return Signalsmith.Stretch(0)  # a seed, so that a stretch comes out the same each time
