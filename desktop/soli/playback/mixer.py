"""Pure mixing: signals and strips in, one block out. The live engine, the fake one and export all mix here."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray
from soli.signal.patchwork import Patchwork

RAMP_S = 0.010
BLOCK_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Strip:
    """What one fader strip is set to. `pan` runs from -1 (left) to 1 (right); -inf dB is silence."""

    gain_db: float = 0.0
    pan: float = 0.0
    muted: bool = False
    soloed: bool = False


class Read(NamedTuple):
    """A stretch of the signals that goes into a block.

    `length` samples from sample `position` of the signals are added at sample `offset` of the block, weighted by
    `envelope` (float32, shape (length, 1)) where there is one.
    """

    offset: int
    length: int
    position: int
    envelope: FloatArray | None = None


class Cuttable(Protocol):
    """A signal, float32 (length, channels), that need not lie in one array."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> "np.dtype[Any]": ...

    def cut(self, start: int, stop: int) -> list[FloatArray]:
        """Samples `start` to `stop`, both within the signal, as arrays that follow each other."""


def channel_gains(strips: Sequence[Strip], channels: int = 2) -> FloatArray:
    """Linear gain of each strip in each output channel, float32, shape (strips, channels).

    If any strip is soloed only soloed ones sound; muting wins over soloing. The pan law is of equal power and unity
    in the centre, so a strip that is left alone passes through unchanged. Pan is heard in two channels only.
    """
    any_solo = any(strip.soloed for strip in strips)
    gains = np.zeros((len(strips), channels), np.float32)
    for row, strip in zip(gains, strips, strict=True):
        if strip.muted or (any_solo and not strip.soloed):
            continue
        row[:] = 10.0 ** (strip.gain_db / 20.0)
        if channels == 2:
            angle = (min(1.0, max(-1.0, strip.pan)) + 1.0) * math.pi / 4.0
            row[0] *= math.sqrt(2.0) * math.cos(angle)
            row[1] *= math.sqrt(2.0) * math.sin(angle)
    return gains


def fold(signal: FloatArray, channels: int = 2) -> FloatArray:
    """`signal` of shape (length, any number of channels) with at most `channels` of them, to be listened to.

    Six channels (5.1 in the order of a WAV file) are folded to two by ITU-R BS.775 without the low-frequency effects,
    any others by the mean of the even (left) and of the odd (right) ones; both scaled so that nothing can clip that
    did not before. Signals that fit already, mono too, are returned as they are.
    """
    present = signal.shape[1]
    if present <= channels:
        return signal
    weights = np.zeros((present, channels), np.float32)
    if present == 6 and channels == 2:
        weights[[0, 2, 4], 0] = weights[[1, 2, 5], 1] = 1.0, math.sqrt(0.5), math.sqrt(0.5)
    else:
        for channel in range(present):
            weights[channel, channel % channels] = 1.0
    folded: FloatArray = np.matmul(signal, weights / weights.sum(axis=0), dtype=np.float32)
    return folded


class Mixer:
    """Adds up signals under gains that move without a click.

    `signals`: float32, each (length, 1) or (length, channels), lengths may differ; they are read, never altered.
    `gains`: float32, shape (signals, channels), as `channel_gains` gives them. Changed gains move over `ramp_length`
    samples, counted in samples and not in blocks: how the output is cut into blocks does not change one bit of it.
    `mix` is called from the audio thread: it takes no locks and allocates nothing that grows.
    """

    def __init__(self, signals: Sequence[FloatArray | Cuttable], gains: FloatArray, *, ramp_length: int = 441) -> None:
        if gains.shape[0] != len(signals):
            raise ValueError(f"{len(signals)} signals need as many strips, not {gains.shape[0]}")
        self.signals: tuple[Cuttable, ...] = tuple(Patchwork(s) if isinstance(s, np.ndarray) else s for s in signals)
        self.channels = gains.shape[1]
        for signal in self.signals:
            if len(signal.shape) != 2 or signal.dtype != np.float32 or signal.shape[1] not in (1, self.channels):
                raise ValueError(f"signals must be float32 of 1 or {self.channels} channels, not {signal.dtype} {signal.shape}")
        self.length = max((len(signal) for signal in self.signals), default=0)
        self.ramp_length = ramp_length
        turn = np.arange(1, ramp_length + 1) / max(ramp_length, 1)
        self._rise = (0.5 - 0.5 * np.cos(np.pi * turn)).astype(np.float32)[:, None]
        self._start = np.array(gains, np.float32)
        self._target = np.array(gains, np.float32)
        self._ramped = np.full(len(self.signals), ramp_length)
        self._scratch = np.zeros((BLOCK_LENGTH, self.channels), np.float32)
        self.peaks: NDArray[np.float64] = np.zeros(len(self.signals))
        self.mean_squares: NDArray[np.float64] = np.zeros(len(self.signals))
        self.silenced: set[int] = set()

    def aim(self, gains: FloatArray) -> None:
        """Let the gains move to `gains`, from wherever they are now."""
        if gains.shape != self._target.shape:
            raise ValueError(f"gains must have shape {self._target.shape}, not {gains.shape}")
        for index in np.flatnonzero((gains != self._target).any(axis=1)).tolist():
            self._start[index] = self._gain_now(index)[0]
            self._target[index] = gains[index]
            self._ramped[index] = 0

    def with_signals(self, signals: Sequence[Cuttable]) -> "Mixer":
        """A mixer that goes on with as many `signals` of the same channels, its gains wherever they are now."""
        other = copy.copy(self)
        other.signals = tuple(signals)
        other.length = max((len(signal) for signal in signals), default=0)
        other._start, other._target, other._ramped = self._start.copy(), self._target.copy(), self._ramped.copy()
        other.peaks, other.mean_squares, other.silenced = self.peaks.copy(), self.mean_squares.copy(), set()
        return other

    def mix(self, reads: Sequence[Read], out: FloatArray) -> None:
        """Overwrite `out`, float32 of shape (n, channels) with n up to BLOCK_LENGTH, with the mix of `reads`.

        `peaks` and `mean_squares` of each strip, after its fader and in its louder channel, then hold this block's.
        A strip that meets a value that is no number is left out of the block and its index is put into `silenced`.
        """
        length = len(out)
        out.fill(0.0)
        with np.errstate(all="ignore"):
            for index in range(len(self.signals)):
                scratch = self._scratch[:length]
                sounding = bool(reads) and self._sounds(index)
                if sounding:
                    self._collect(self.signals[index], reads, scratch)
                    self._weigh(index, scratch)
                    peak = max(float(scratch.max()), -float(scratch.min()))
                    sounding = math.isfinite(peak)
                    if not sounding:
                        self.silenced.add(index)
                self._ramped[index] = min(self.ramp_length, self._ramped[index] + length)
                if sounding:
                    self.peaks[index] = peak
                    self.mean_squares[index] = max(float(np.dot(channel, channel)) for channel in scratch.T) / length
                    out += scratch
                else:
                    self.peaks[index] = self.mean_squares[index] = 0.0

    def _gain_now(self, index: int) -> FloatArray:
        done = self._ramped[index]
        if done >= self.ramp_length:
            return self._target[index : index + 1].copy()
        start = self._start[index : index + 1]
        if done == 0:
            return start.copy()
        return start + (self._target[index : index + 1] - start) * self._rise[done - 1 : done]

    def _sounds(self, index: int) -> bool:
        return bool(self._ramped[index] < self.ramp_length or self._target[index].any())

    @staticmethod
    def _collect(signal: Cuttable, reads: Sequence[Read], scratch: FloatArray) -> None:
        scratch.fill(0.0)
        for read in reads:
            start, stop = max(read.position, 0), min(read.position + read.length, len(signal))
            if start >= stop:
                continue
            place = read.offset + start - read.position
            for piece in signal.cut(start, stop):
                count = len(piece)
                if read.envelope is None:
                    scratch[place : place + count] += piece
                else:
                    scratch[place : place + count] += piece * read.envelope[start - read.position :][:count]
                place, start = place + count, start + count

    def _weigh(self, index: int, scratch: FloatArray) -> None:
        done = int(self._ramped[index])
        moving = max(0, min(len(scratch), self.ramp_length - done))
        start, target = self._start[index], self._target[index]
        if moving:
            scratch[:moving] *= start + (target - start) * self._rise[done : done + moving]
        scratch[moving:] *= target


def mix_offline(
    signals: Sequence[FloatArray], strips: Sequence[Strip], *, channels: int | None = None, length: int | None = None
) -> FloatArray:
    """The whole mix as it would be heard, float32, shape (length, channels), for export.

    `signals`: float32, each (its length, its channels). `channels` defaults to the most that any signal has (mono is
    put on every channel, more than `channels` are folded), `length` to the longest.
    """
    if channels is None:
        channels = max((signal.shape[1] for signal in signals), default=1)
    mixer = Mixer([_spread(fold(signal, channels), channels) for signal in signals], channel_gains(strips, channels))
    mixed = np.zeros((mixer.length if length is None else length, channels), np.float32)
    for position in range(0, len(mixed), BLOCK_LENGTH):
        block = mixed[position : position + BLOCK_LENGTH]
        mixer.mix([Read(0, len(block), position)], block)
    return mixed


def _spread(signal: FloatArray, channels: int) -> FloatArray:
    """`signal` as it is when it is mono or full, otherwise with silent channels added."""
    present = signal.shape[1]
    return signal if present in (1, channels) else np.pad(signal, ((0, 0), (0, channels - present)))
