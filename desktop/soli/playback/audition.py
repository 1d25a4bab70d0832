"""One short sound heard at once in place of the mix: a note alone."""

from collections import deque
from typing import Any

import numpy as np

from soli.playback.mixer import BLOCK_LENGTH, RAMP_S
from soli.signal.audio import FloatArray


class Audition:
    """Plays one signal at a time over the mix, at `rate`, each from its beginning and once.

    A signal rises and falls over RAMP_S at its ends; one that is replaced or ended falls from wherever it is while the
    next rises. The mix has what the signals leave of unity, so both change places without a click or a bump, and the
    mix is heard again as the last one ends. `begin` and `mix` are called from the audio thread: no locks, nothing that
    grows; what has been heard is put into `retired`, to be let go by another thread.
    """

    def __init__(self, rate: int, channels: int, retired: deque[Any]) -> None:
        self.rate = rate
        self._retired = retired
        self._fade_length = max(1, round(RAMP_S * rate))
        turn = np.arange(1, self._fade_length + 1) / self._fade_length
        self._rising = (0.5 - 0.5 * np.cos(np.pi * turn)).astype(np.float32)[:, None]
        self._falling = (np.float32(1.0) - self._rising).astype(np.float32)
        self._voice: _Voice | None = None
        self._leaving: _Voice | None = None
        self._leaving_since = 0
        self._next: _Voice | None = None
        self._asked = False
        self._sound = np.zeros((BLOCK_LENGTH, channels), np.float32)
        self._envelope = np.zeros((BLOCK_LENGTH, 1), np.float32)
        self._mix_gain = np.zeros((BLOCK_LENGTH, 1), np.float32)

    @property
    def active(self) -> bool:
        """Whether anything sounds, or will in the next block."""
        return self._voice is not None or self._leaving is not None or self._next is not None

    def begin(self, signal: FloatArray | None) -> None:
        """Hear `signal`, float32 of shape (length, 1 or channels), in place of what is heard; nothing ends that."""
        self._put_away(self._next)
        self._next = _Voice(signal) if signal is not None and len(signal) else None
        self._asked = True

    def mix(self, block: FloatArray) -> int:
        """Put what is heard into `block`, float32 of shape (up to BLOCK_LENGTH, channels), in place of what it has.

        Returns how much of the block that is, in samples from its beginning.
        """
        done = 0
        while done < len(block):
            # Two at a time are enough: a third waits for the end of a cross-fade.
            if self._asked and (self._voice is None or self._leaving is None):
                self._replace()
            voices = [voice for voice in (self._leaving, self._voice) if voice is not None]
            if not voices:
                return done
            count = min(len(block) - done, *(self._left(voice) for voice in voices))
            self._mix_in(voices, block[done : done + count])
            done += count
            if self._leaving is not None and not self._left(self._leaving):
                self._put_away(self._leaving)
                self._leaving = None
            if self._voice is not None and not self._left(self._voice):
                self._put_away(self._voice)
                self._voice = None
        return done

    def _replace(self) -> None:
        if self._voice is not None:
            self._leaving, self._leaving_since = self._voice, 0
        self._voice, self._next, self._asked = self._next, None, False

    def _left(self, voice: "_Voice") -> int:
        """How many samples of a voice are still to be heard."""
        left = len(voice.signal) - voice.position
        return min(left, self._fade_length - self._leaving_since) if voice is self._leaving else left

    def _mix_in(self, voices: "list[_Voice]", block: FloatArray) -> None:
        count = len(block)
        gain, envelope, sound = self._mix_gain[:count], self._envelope[:count], self._sound[:count]
        gain.fill(1.0)
        for voice in voices:
            self._shape(voice, envelope)
            gain -= envelope
        block *= gain
        for voice in voices:
            self._shape(voice, envelope)
            np.multiply(voice.signal[voice.position : voice.position + count], envelope, out=sound)
            block += sound
            voice.position += count
        if self._leaving is not None:
            self._leaving_since += count

    def _shape(self, voice: "_Voice", envelope: FloatArray) -> None:
        fade, start, stop = self._fade_length, voice.position, voice.position + len(envelope)
        envelope.fill(1.0)
        if start < fade:
            envelope[: fade - start] *= self._rising[start:stop]
        falls_from = len(voice.signal) - fade
        if stop > falls_from:
            first = max(start, falls_from)
            envelope[first - start :] *= self._falling[first - falls_from : stop - falls_from]
        if voice is self._leaving:
            envelope *= self._falling[self._leaving_since : self._leaving_since + len(envelope)]

    def _put_away(self, voice: "_Voice | None") -> None:
        if voice is not None:
            self._retired.append(voice)


class _Voice:
    """A signal and how much of it has been heard, in samples."""

    def __init__(self, signal: FloatArray) -> None:
        self.signal = signal
        self.position = 0
