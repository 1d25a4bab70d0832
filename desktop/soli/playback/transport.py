"""Where the music is: play, pause, seek, loop and speed as pure state, stepped a block at a time.

Nothing starts, stops or jumps at once: the place that is left fades out while the place that is entered fades in, both
over FADE_S. A command that comes during a fade waits for its end, so there are never more than two places at a time.
"""

from typing import NamedTuple

import numpy as np

from soli.playback.mixer import Read

FADE_S = 0.005
SHORTEST_LOOP_S = 0.020


class Heading(NamedTuple):
    """From sample `offset` of a block on, `length` samples long, the playhead is at `position` and `moving` or not."""

    offset: int
    length: int
    position: int
    moving: bool


class Transport:
    """Position, loop and fades of one player, in samples at `rate`; never touches a signal.

    The signals are those of the recording at `speed`: a second of it takes `second` samples of them. While `held`
    nothing moves, though it plays on afterwards: what is to be heard is not there yet.

    `step(n)` says which stretches of the signals make up the next n samples. How the time is cut into steps does not
    matter. Called from the audio thread: no locks, and nothing that grows with the length of the music.
    """

    def __init__(self, rate: int, *, length: int = 0, speed: float = 1.0) -> None:
        self.rate, self.speed = rate, speed
        self.second = rate / speed
        self.length = length
        self.playing = False
        self.held = False
        self.loop: tuple[int, int] | None = None
        self.headings: list[Heading] = []
        self.fade_length = max(1, round(FADE_S * rate))
        turn = np.arange(1, self.fade_length + 1) / self.fade_length
        self._rising = (0.5 - 0.5 * np.cos(np.pi * turn)).astype(np.float32)[:, None]
        self._falling = (np.float32(1.0) - self._rising).astype(np.float32)
        self._head = 0
        self._began = 0
        self._wanted: int | None = None
        self._sounding = False
        self._inside_loop = False
        self._until: int | None = None
        self._leaving: int | None = None
        self._entering = False
        self._faded = self.fade_length

    @property
    def position(self) -> int:
        """The sample that is played next, or will be once a pending jump is made."""
        return self._head if self._wanted is None else self._wanted

    @property
    def silent(self) -> bool:
        """Nothing sounds, not even what is fading out."""
        return not self._sounding and self._faded >= self.fade_length

    def play(self) -> None:
        """Play on from the position; from the start, or that of the loop, when the end has been reached."""
        if self.playing or not self.length:
            return
        if self.position >= self.length and not (self.loop and self.position < self.loop[1]):
            self._wanted = self.loop[0] if self.loop else 0
        self._began = self.position
        self.playing = True

    def play_range(self, start: int, end: int) -> None:
        """Play the samples [start, end) once, whatever the loop is, and be back at their start."""
        self.seek(start)
        end = min(end, self.length)
        if end > self.position:
            self.playing = True
            self._until = end

    def pause(self) -> None:
        self.playing = False
        self._until = None

    def stop(self) -> None:
        """Pause, and go back to where play began."""
        self.pause()
        self._wanted = self._began

    def seek(self, position: int) -> None:
        """Go to sample `position`, playing or not; stop() comes back to it."""
        self._until = None
        self._wanted = self._began = max(0, min(position, self.length) if self.length else position)

    def resize(self, length: int) -> None:
        """The signals are `length` long from now on; a playhead at rest beyond them comes back to their end."""
        self.length = length
        if not self._sounding and self.position > length:
            self._wanted = length

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Repeat the samples [start, end), at least SHORTEST_LOOP_S of them; a playhead outside goes to the start."""
        if loop is not None:
            start = max(0, loop[0])
            loop = (start, max(loop[1], start + round(SHORTEST_LOOP_S * self.second)))
        self.loop = loop
        self._inside_loop = loop is not None
        if loop is not None and self._until is None and not loop[0] <= self.position < loop[1]:
            self._wanted = self._began = loop[0]

    def at_rate(self, rate: int, *, speed: float = 1.0) -> "Transport":
        """The same state, at rest, for signals at another rate or speed."""
        other = Transport(rate, speed=speed)
        ratio = other.second / self.second
        other.length = round(self.length * ratio)
        other._head = round(self.position * ratio)
        other._began = round(self._began * ratio)
        other.playing = self.playing
        if self._until is not None:
            other._until = round(self._until * ratio)
        if self.loop:
            other.loop = (round(self.loop[0] * ratio), round(self.loop[1] * ratio))
            other._inside_loop = other._head < other.loop[1]
        return other

    def step(self, length: int) -> list[Read]:
        """What the next `length` samples are made of; `headings` then tells where the playhead was meanwhile."""
        reads: list[Read] = []
        self.headings = []
        offset = 0
        while offset < length:
            if self._faded >= self.fade_length:
                self._settle()
            count = self._until_next_event(length - offset)
            self._read(reads, offset, count)
            self.headings.append(Heading(offset, count, self._head if self._sounding else self.position, self._sounding))
            self._advance(count)
            offset += count
        return reads

    def rest(self, length: int) -> None:
        """Let `length` samples pass without stepping."""
        self.headings = [Heading(0, length, self.position, False)]

    def _settle(self) -> None:
        """No fade is running: let what is wanted begin."""
        if self._sounding:
            if not self.playing or self.held:
                self._fade(leaving=True, entering=False)
            elif self._wanted is not None:
                self._fade(leaving=True, entering=True)
            elif self._until is not None:
                if self._head >= self._until:
                    self.stop()
                    self._fade(leaving=True, entering=False)
            elif self.loop and self._inside_loop and self._head >= self.loop[1]:
                start, end = self.loop
                self._wanted = start + (self._head - end) % (end - start)
                self._fade(leaving=True, entering=True)
            elif self._is_over():
                self.playing = False
                self._fade(leaving=True, entering=False)
                self._head = self.length
        elif self.playing and not self.held:
            self._fade(leaving=False, entering=True)
        if not self._sounding and self._wanted is not None:
            self._arrive()

    def _fade(self, *, leaving: bool, entering: bool) -> None:
        self._leaving = self._head if leaving else None
        self._entering = entering
        self._sounding = entering
        self._faded = 0
        self._arrive()
        if entering and self._is_over():
            self._sounding = self.playing = False
            self._head = self.length

    def _arrive(self) -> None:
        if self._wanted is not None:
            self._head = self._wanted
            self._wanted = None
            self._inside_loop = self.loop is not None and self._head < self.loop[1]

    def _until_next_event(self, count: int) -> int:
        fading = self.fade_length - self._faded
        if fading > 0:
            count = min(count, fading)
        if self._sounding:
            if self._until is not None:
                if fading <= 0:
                    count = min(count, max(1, self._until - self._head))
            elif self.loop and self._inside_loop:
                # A fade may still run as the loop's end is passed; the jump then comes after it, by as much further in.
                if fading <= 0:
                    count = min(count, self.loop[1] - self._head)
            elif self._head < self.length:
                count = min(count, self.length - self._head)
        return count

    def _read(self, reads: list[Read], offset: int, count: int) -> None:
        fading = self._faded < self.fade_length
        stretch = slice(self._faded, self._faded + count)
        if fading and self._leaving is not None:
            reads.append(Read(offset, count, self._leaving, self._falling[stretch]))
        if self._sounding:
            reads.append(Read(offset, count, self._head, self._rising[stretch] if fading and self._entering else None))

    def _advance(self, count: int) -> None:
        if self._leaving is not None:
            self._leaving += count
        self._faded = min(self.fade_length, self._faded + count)
        if self._faded >= self.fade_length:
            self._leaving = None
        if self._sounding:
            self._head += count
            if self._head == self.length and self._is_over():
                # A seek that waited for a fade is still to come: then the music goes on there.
                self._sounding, self.playing = False, self.playing and self._wanted is not None

    def _is_over(self) -> bool:
        return self._head >= self.length and self._until is None and not (self.loop and self._inside_loop)
