"""The board on which the audio thread writes what is going on, and from which the window reads: a flat float64 array.

It lies in shared memory when the sound has a process of its own. One writer, any number of readers, no locks: a count
is odd while the writer is at work, and a reader that saw it change reads again.
"""

import time
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[np.float64]

MOST_STRIPS = 512
HEADINGS = 256
DURATIONS = 4096
PATIENCE = 50

(_COUNT, _APPLIED, _PLAYING, _UNDERRUNS, _GENERATION, _STRIPS, _LEFT, _RIGHT, _SILENCED, _WRITTEN, _CLOCKED) = range(11)
(_AUDITIONING, _AUDITIONED_TO, _STRETCHED, _WAITING) = range(11, 15)
_RING = 16
_PEAKS = _RING + 4 * HEADINGS
_RMS = _PEAKS + MOST_STRIPS
_DURATIONS = _RMS + MOST_STRIPS
SIZE = _DURATIONS + DURATIONS


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent look at the board. `position_s` is what is heard now, and whether that is `moving`.

    `playing` is the engine's newest state, ahead of the ear by the latency; `applied` the newest command's number.
    `auditioning` holds until the ear has heard the end. `stretched` is the key of the stretched signals that are heard, 0 for
    those that were recorded; `waiting`: what is to be played is not there yet.
    """

    applied: int
    playing: bool
    position_s: float
    moving: bool
    generation: int
    peaks: tuple[float, ...]
    rms: tuple[float, ...]
    master_peak: tuple[float, float]
    underruns: int
    silenced: int
    auditioning: bool = False
    stretched: int = 0
    waiting: bool = False


class BoardWriter:
    """The audio thread's hand on the board. `cells`: float64, shape (SIZE,), zeros at first."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def begin(self) -> None:
        self._cells[_COUNT] += 1

    def end(self) -> None:
        self._cells[_COUNT] += 1

    def state(
        self, *, applied: int, playing: bool, generation: int, silenced: int, stretched: int = 0, waiting: bool = False
    ) -> None:
        cells = self._cells
        cells[_STRETCHED], cells[_WAITING] = stretched, waiting
        cells[_APPLIED], cells[_PLAYING], cells[_GENERATION], cells[_SILENCED] = applied, playing, generation, silenced

    def audition(self, active: bool, heard_to_s: float | None) -> None:
        """Whether a sound on its own goes on; the ear hears what the newest block has of one, if any, until `heard_to_s`."""
        self._cells[_AUDITIONING] = active
        if heard_to_s is not None:
            self._cells[_AUDITIONED_TO] = heard_to_s

    def heading(self, heard_s: float, position_s: float, duration_s: float, speed: float) -> None:
        """From the time `heard_s` of the clock on, for `duration_s`, the ear is at `position_s`, moving on at `speed`."""
        written = int(self._cells[_WRITTEN])
        place = _RING + 4 * (written % HEADINGS)
        self._cells[place : place + 4] = heard_s, position_s, duration_s, speed
        self._cells[_WRITTEN] = written + 1

    def levels(self, peaks: Cells, rms: Cells, master_peak: Cells) -> None:
        """Levels of the strips, shape (strips,), and of the two master channels, linear."""
        cells, count = self._cells, min(len(peaks), MOST_STRIPS)
        cells[_STRIPS] = count
        cells[_PEAKS : _PEAKS + count] = peaks[:count]
        cells[_RMS : _RMS + count] = rms[:count]
        cells[_LEFT], cells[_RIGHT] = master_peak[0], master_peak[-1]

    def underrun(self) -> None:
        self._cells[_UNDERRUNS] += 1

    def duration(self, seconds: float) -> None:
        """How long one callback took."""
        clocked = int(self._cells[_CLOCKED])
        self._cells[_DURATIONS + clocked % DURATIONS] = seconds
        self._cells[_CLOCKED] = clocked + 1


def read_board(cells: Cells, now_s: float) -> Reading:
    """What the board says at `now_s` of the clock the writer used."""
    copy = cells[:_DURATIONS].copy()
    for _ in range(PATIENCE):
        if copy[_COUNT] % 2 == 0 and copy[_COUNT] == cells[_COUNT]:
            break
        time.sleep(0.0001)
        copy = cells[:_DURATIONS].copy()
    strips = int(copy[_STRIPS])
    position_s, moving = _heard(copy, now_s)
    return Reading(
        applied=int(copy[_APPLIED]),
        playing=bool(copy[_PLAYING]),
        position_s=position_s,
        moving=moving,
        generation=int(copy[_GENERATION]),
        peaks=tuple(copy[_PEAKS : _PEAKS + strips].tolist()),
        rms=tuple(copy[_RMS : _RMS + strips].tolist()),
        master_peak=(float(copy[_LEFT]), float(copy[_RIGHT])),
        underruns=int(copy[_UNDERRUNS]),
        silenced=int(copy[_SILENCED]),
        auditioning=bool(copy[_AUDITIONING] or now_s < copy[_AUDITIONED_TO]),
        stretched=int(copy[_STRETCHED]),
        waiting=bool(copy[_WAITING]),
    )


def durations_s(cells: Cells) -> Cells:
    """The newest callbacks' durations, up to DURATIONS of them, in no order."""
    return cells[_DURATIONS : _DURATIONS + min(int(cells[_CLOCKED]), DURATIONS)].copy()


def _heard(cells: Cells, now_s: float) -> tuple[float, bool]:
    written = int(cells[_WRITTEN])
    if written == 0:
        return 0.0, False
    ring = cells[_RING:_PEAKS].reshape(HEADINGS, 4)
    order = np.arange(max(0, written - HEADINGS), written) % HEADINGS
    ring = ring[order]
    heard = ring[:, 0] <= now_s
    index = int(np.flatnonzero(heard)[-1]) if heard.any() else 0
    # At rest there is nothing to hear later than it was set: a jump shows at once.
    while not ring[index, 3] and index + 1 < len(ring) and not ring[index + 1, 3]:
        index += 1
    heard_s, position_s, duration_s, speed = ring[index].tolist()
    if not speed:
        return float(position_s), False
    return float(position_s + speed * min(max(0.0, now_s - heard_s), duration_s)), True
