"""What is loaded and how fast it plays: the mixers, the transport, and the changes from one sound to another."""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from soli.playback.mixer import BLOCK_LENGTH, RAMP_S, Mixer
from soli.playback.tiles import Stretching, Tiled
from soli.playback.transport import Transport
from soli.signal.audio import FloatArray
from soli.signal.patchwork import Patchwork


class Stretched(NamedTuple):
    """Signals at another speed, as far as they are there."""

    stretching: Stretching
    signals: tuple[Tiled, ...]


class Passage(NamedTuple):
    """From sample `offset` of a block on, `length` samples long, the playhead is at `position`, at rest or `moving`.

    A second of the recording is `second` samples of the position, and takes 1 / `speed` of a second.
    """

    offset: int
    length: int
    position: int
    moving: bool
    second: float
    speed: float


class Deck:
    """Plays a load as it was recorded, or stretched; of what is stretched, tiles come bit by bit.

    Where signals take the place of others at the same speed, both are cross-faded. Another speed is turned to in
    silence: what is heard fades out, and what follows fades in where it was. Where the next tile is missing, the music
    halts until it comes. Called from the audio thread: no locks, and a bounded amount of work; what is not needed any
    more is put into `retired`.
    """

    def __init__(self, rate: int, channels: int, retired: deque[Any]) -> None:
        self.retired = retired
        self.generation = 0
        self.mixer = Mixer([], np.zeros((0, channels), np.float32))
        self.transport = Transport(rate)
        self.passages: list[Passage] = []  # of the newest block
        self.heard: Stretched | None = None  # None where what was recorded is heard
        self._newest = (self.mixer, 0, rate)  # the newest load, its generation and rate; heard, or waiting for its tiles
        self._early: tuple[int, FloatArray] | None = None
        self._former: Mixer | None = None
        self._stretched: Stretched | None = None
        self._turning = False
        self._turning_to: Stretched | None = None
        self._loop_s: tuple[float, float] | None = None
        self._spare = np.zeros((BLOCK_LENGTH, channels), np.float32)
        self._shape_fade(rate)

    @property
    def rate(self) -> int:
        return self.transport.rate

    @property
    def swapping(self) -> bool:
        """Two mixes are heard; a third would have to wait."""
        return self._former is not None

    @property
    def waiting(self) -> bool:
        """What is to be played is not there yet."""
        return self.transport.held and self.transport.playing

    def place(self, time_s: float) -> int:
        """The sample of the signals at a time of the recording."""
        return round(time_s * self.transport.second)

    def set_loop(self, loop_s: tuple[float, float] | None) -> None:
        self._loop_s = loop_s
        self.transport.set_loop(None if loop_s is None else (self.place(loop_s[0]), self.place(loop_s[1])))

    def aim(self, gains: FloatArray, generation: int) -> None:
        """Move the gains of what was loaded as `generation`; of a load still to come they are kept until then."""
        mixer, newest, _ = self._newest
        if generation == self.generation:
            self.mixer.aim(gains)
        elif generation == newest:
            mixer.aim(gains)
        elif generation > newest:
            self._early = (generation, gains)

    def load(self, mixer: Mixer, generation: int, rate: int) -> None:
        """Change to another load; while one is heard stretched it goes on, until the new one is turned to."""
        self._newest = (mixer, generation, rate)
        if self._early and self._early[0] == generation:
            mixer.aim(self._early[1])
        self._stretched = None
        if self.heard is not None or self._turning:
            self._turning = self._turning and self._turning_to is None
            self._turning_to = None
            return
        self.generation = generation
        at_once = rate != self.rate
        self._replace(mixer)
        if at_once:
            self.retired.append(self._former)
            self._former = None
            self._change_transport(rate, 1.0)
        self.transport.resize(mixer.length)

    def patch(self, signals: Sequence[Patchwork], generation: int) -> None:
        """Change to `signals`, those of load `generation` with stretches replaced; of an older load they come too late."""
        mixer, newest, rate = self._newest
        if generation != newest:
            return
        if mixer is self.mixer:
            self._replace(mixer.with_signals(signals))
            self._newest = (self.mixer, newest, rate)
        else:
            self._newest = (mixer.with_signals(signals), newest, rate)

    def tiles(self, stretching: Stretching, signals: Sequence[Tiled]) -> None:
        """The stretched signals as they are now; only those of the newest load count."""
        if stretching.generation != self._newest[1]:
            return
        former, self._stretched = self._stretched, Stretched(stretching, tuple(signals))
        self.retired.append(former)
        if self._turning_to is not None and self._turning_to.stretching.key == stretching.key:
            self._turning_to = self._stretched
        if self.heard is not None and self.heard.stretching.key == stretching.key:
            before, self.heard = self.heard.signals, self._stretched
            mixer = self.mixer.with_signals(signals)
            place = self.transport.position
            if all(old.is_alike(new, place) for old, new in zip(before, signals, strict=True)):
                self.mixer = mixer  # what has changed is not heard now
            else:
                self._replace(mixer)

    def hear(self, key: int) -> None:
        """Turn to the tiles of `key`, or to what was recorded where it is 0."""
        wanted = self._stretched if key else None
        if key and (wanted is None or wanted.stretching.key != key):
            return
        self._turning = wanted is not self.heard or self.generation != self._newest[1]
        self._turning_to = wanted

    def rest(self, length: int) -> None:
        """Let the next `length` samples pass in silence."""
        self.transport.rest(length)
        self.passages = []
        self._tell(0)

    def mix(self, block: FloatArray) -> None:
        """Fill `block`, float32 of shape (up to BLOCK_LENGTH, channels)."""
        if not self.generation:
            block.fill(0.0)
            self.rest(len(block))
            return
        self.passages = []
        done = 0
        while done < len(block):
            count = len(block) - done
            if self._turning and not self.transport.silent:
                count = min(count, self.transport.fade_length)  # so that no more than the fade is lost
            self._mix(block[done : done + count])
            self._tell(done)
            done += count

    def _tell(self, done: int) -> None:
        transport = self.transport
        for offset, length, position, moving in transport.headings:
            self.passages.append(Passage(done + offset, length, position, moving, transport.second, transport.speed))

    def _mix(self, block: FloatArray) -> None:
        if self._turning and self.transport.silent:
            self._turn()
        self.transport.held = self._turning or not self._is_there(len(block))
        reads = self.transport.step(len(block))
        self.mixer.mix(reads, block)
        if self._former is None:
            return
        former = self._spare[: len(block)]
        self._former.mix(reads, former)
        count = min(len(block), self._fade_length - self._faded)
        block[:count] -= former[:count]
        block[:count] *= self._rise[self._faded : self._faded + count]
        block[:count] += former[:count]
        self._faded += count
        if self._faded >= self._fade_length:
            self.retired.append(self._former)
            self._former = None

    def _is_there(self, length: int) -> bool:
        """Whether the next block can be played, and faded out after it."""
        if self.heard is None:
            return True
        signal, transport = self.heard.signals[0], self.transport
        start, reach = transport.position, length + 3 * transport.fade_length
        there = signal.covers(start, start + reach)
        if transport.loop is not None and start < transport.loop[1] <= start + reach:
            there = there and signal.covers(transport.loop[0], transport.loop[0] + reach)
        return there

    def _turn(self) -> None:
        """Nothing sounds: what is turned to is heard from now on."""
        wanted, self._turning, self._turning_to = self._turning_to, False, None
        mixer, generation, rate = self._newest
        # The gains go on from where they are as long as the strips are the same.
        source = self.mixer if generation == self.generation else mixer
        self.retired += [self._former, self.mixer]
        self._former, self.heard, self.generation = None, wanted, generation
        if wanted is None:
            self.mixer = source.with_signals(mixer.signals)
            self._newest = (self.mixer, generation, rate)
        else:
            self.mixer = source.with_signals(wanted.signals)
        self._change_transport(rate, 1.0 if wanted is None else wanted.stretching.speed)
        self.transport.resize(self.mixer.length)

    def _replace(self, mixer: Mixer) -> None:
        former, self.mixer = self.mixer, mixer
        self.retired.append(self._former)
        self._former, self._faded = former, 0
        if self.transport.silent:
            self.retired.append(former)
            self._former = None

    def _change_transport(self, rate: int, speed: float) -> None:
        former = self.transport
        self.transport = former.at_rate(rate, speed=speed)
        if self.transport.loop is not None and self._loop_s is not None:
            # Not from samples, so that it is the same however often the speed changes.
            start, end = map(self.place, self._loop_s)
            self.transport.loop = (start, max(end, start + 2 * self.transport.fade_length))
        if rate != former.rate:
            self._shape_fade(rate)

    def _shape_fade(self, rate: int) -> None:
        self._fade_length = max(1, round(RAMP_S * rate))
        turn = np.arange(1, self._fade_length + 1) / self._fade_length
        self._rise = (0.5 - 0.5 * np.cos(np.pi * turn)).astype(np.float32)[:, None]
        self._faded = self._fade_length
