"""A signal parts of which are replaced: what is new lies in new memory, so that nothing is copied whole or written over."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from soli.signal import maps
from soli.signal.audio import FloatArray, resample

BLOCK_LENGTH = 2**15  # samples; a patch copies what it does not fill of a block, and a read crosses few of them
# How far from a sample, in samples of the lower of two rates, resampling hears it: soxr's HQ filter is about 200 long.
_REACH = 512


class Patchwork:
    """`whole`, float32 (length, channels), with blocks of it replaced; neither is ever written to.

    A patched one shares all other blocks with the one it was made from, and any thread may go on reading either.
    """

    def __init__(self, whole: FloatArray) -> None:
        self._whole = whole
        self._blocks: dict[int, FloatArray] = {}

    def __len__(self) -> int:
        return len(self._whole)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._whole.shape

    @property
    def dtype(self) -> "np.dtype[Any]":
        return self._whole.dtype

    def cut(self, start: int, stop: int) -> list[FloatArray]:
        """Samples `start` to `stop`, both within the signal, as float32 arrays that follow each other; no copies."""
        if not self._blocks:
            return [self._whole[start:stop]]
        pieces = []
        while start < stop:
            number, offset = divmod(start, BLOCK_LENGTH)
            count = min(stop - start, BLOCK_LENGTH - offset)
            block = self._blocks.get(number)
            pieces.append(self._whole[start : start + count] if block is None else block[offset : offset + count])
            start += count
        return pieces

    def stretch(self, start: int, stop: int) -> FloatArray:
        """Samples `start` to `stop`, as far as the signal goes, a copy; float32, (samples, ...) as the signal."""
        start, stop = max(0, start), min(stop, len(self))
        return np.concatenate([self._whole[:0], *self.cut(start, max(start, stop))])

    def joined(self) -> FloatArray:
        """All samples in one array, float32: the one it was made from where nothing is replaced, otherwise a copy."""
        if not self._blocks:
            return self._whole
        whole, there = maps.zeros(self.shape), 0
        for piece in self.cut(0, len(self)):
            whole[there : there + len(piece)] = piece
            there += len(piece)
        return whole

    def patched(self, pieces: Sequence[tuple[int, FloatArray]]) -> "Patchwork":
        """The same signal with `pieces` (first sample, samples) in it, later ones over earlier ones, cut off at its end."""
        result = Patchwork(self._whole)
        result._blocks = dict(self._blocks)
        fresh: dict[int, FloatArray] = {}
        for first, piece in pieces:
            last = min(first + len(piece), len(self))
            if first >= last:
                continue
            for number in range(first // BLOCK_LENGTH, -(-last // BLOCK_LENGTH)):
                start = number * BLOCK_LENGTH
                if number not in fresh:
                    fresh[number] = self.stretch(start, start + BLOCK_LENGTH)
                block, begin = fresh[number], max(first, start)
                end = min(last, start + len(block))
                block[begin - start : end - start] = piece[begin - first : end - first]
        for block in fresh.values():
            block.flags.writeable = False
        result._blocks.update(fresh)
        return result


def resampled_stretch(signal: Patchwork, first: int, end: int, *, rate: int, to_rate: int) -> tuple[int, FloatArray]:
    """All that changes in the resampled signal when samples `first` to `end` do: its first sample, and the samples.

    It is within the noise of float32 of the same stretch of the whole signal resampled.
    """
    reach = math.ceil(_REACH * max(1.0, rate / to_rate))
    # Only every so many samples do both rates have one at the same time.
    common = math.gcd(rate, to_rate)
    start = max(0, first - 2 * reach) // (rate // common) * (rate // common)
    stop = min(len(signal), end + 2 * reach)
    resampled = resample(signal.stretch(start, stop), rate, to_rate)
    begin = start * to_rate // rate
    first_heard = max(0, first - reach) * to_rate // rate
    end_heard = -(-min(len(signal), end + reach) * to_rate // rate)
    return first_heard, resampled[first_heard - begin : end_heard - begin]
