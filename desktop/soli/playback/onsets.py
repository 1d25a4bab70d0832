"""Where in a recording something is struck: what is stretched in time must not smear it."""

import numpy as np
from numpy.typing import NDArray

from soli.playback.frames import Read, power_of, power_of_two, spectra_of
from soli.signal.audio import FloatArray

FRAME_S = 0.023
CELL_S = 2.0  # of the recording, looked at together
APART_S = 0.07  # of two onsets that are near each other the weaker one is none
RISE = 0.2  # share of a spectrum that is new at an onset
STRONG_RISE = 0.3
ABOVE_AVERAGE = 2.5
AROUND_S = 0.3
_LONGEST_CHAIN = 3  # cells without a strong onset before there is a beginning all the same


class Onsets:
    """The onsets of `reference` at `rate`, found where they are asked for; the same wherever one begins to look."""

    def __init__(self, reference: Read, rate: int) -> None:
        self._reference = reference
        self._frame = power_of_two(FRAME_S * rate)
        self._hop = self._frame // 4
        self._count = max(1, round(CELL_S * rate) // self._hop)  # frames a cell
        self._apart = max(1, round(APART_S * rate / self._hop))
        self._around = max(self._apart, round(AROUND_S * rate / self._hop))
        self._cells: dict[int, tuple[NDArray[np.int64], int | None]] = {}

    def between(self, first: float, end: float) -> NDArray[np.int64]:
        """The onsets from sample `first` up to sample `end`, in order."""
        span = self._count * self._hop
        # An onset lies a little behind the frame in which it is found.
        cells = range(max(0, int(first // span) - 1), max(0, int(end // span)) + 1)
        found = np.concatenate([np.zeros(0, np.int64), *(self._cell(cell)[0] for cell in cells)])
        return found[(found >= first) & (found < end)]

    def beginnings(self, place: float) -> list[int]:
        """Samples up to a little after `place` at which phases may begin anew, the newest first, and one well before it."""
        span = self._count * self._hop
        found = []
        for cell in range(int(place // span) + 1, -1, -1):
            beginning = self._cell(cell)[1]
            if beginning is not None:
                found.append(beginning)
                if beginning < place - span:
                    break
        return found

    def _cell(self, cell: int) -> tuple[NDArray[np.int64], int | None]:
        """The onsets that begin in a cell, and where phases may begin anew in it: least of that is heard at the strongest."""
        if cell not in self._cells:
            start, around = cell * self._count, self._around
            new, whole = self._new(start - around, start + self._count + around)
            near = np.lib.stride_tricks.sliding_window_view(new, 2 * around + 1)
            beside = near[:, around - self._apart : around + self._apart + 1]
            here = new[around:-around]
            rise = here / np.maximum(whole[around:-around], 1e-6 * max(1.0, float(whole.max())))
            highest = beside.argmax(axis=1) == self._apart  # of equal ones the first
            is_onset = highest & (rise >= RISE) & (here >= ABOVE_AVERAGE * near.mean(axis=1))
            strongest = int(rise.argmax())
            if is_onset.any():
                strongest = int(np.where(is_onset, rise, 0.0).argmax())
            begins = rise[strongest] >= STRONG_RISE or cell % _LONGEST_CHAIN == 0
            onsets = [self._exactly(frame * self._hop) for frame in (start + np.flatnonzero(is_onset)).tolist()]
            beginning = self._exactly((start + strongest) * self._hop) if begins else None
            self._cells[cell] = np.array(onsets, np.int64), beginning
        return self._cells[cell]

    def _new(self, first: int, end: int) -> tuple[FloatArray, FloatArray]:
        """How much of frames [first, end) was not there half a frame before, and how much they are in all."""
        size = np.sqrt(power_of(spectra_of(self._reference, np.arange(first - 2, end) * self._hop, self._frame)))
        return np.maximum(size[2:] - size[:-2], 0.0).sum(axis=1), size[2:].sum(axis=1)

    def _exactly(self, place: int) -> int:
        """Where near a sample the most is new, seen through short frames: one gains most as its middle comes to an onset."""
        short, step = self._frame // 4, self._frame // 16
        places = place + step * np.arange(-6, 7)
        size = np.sqrt(power_of(spectra_of(self._reference, np.concatenate([places - short // 2, places]), short)))
        new = np.maximum(size[len(places) :] - size[: len(places)], 0.0).sum(axis=1)
        return int(places[new.argmax()])
