"""What turns commands into sound: transport, mixer and levels together, one block at a time."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from soli.playback.audition import Audition
from soli.playback.board import BoardWriter, Cells
from soli.playback.mixer import BLOCK_LENGTH, RAMP_S, Mixer
from soli.playback.transport import Transport
from soli.signal.audio import FloatArray
from soli.signal.patchwork import Patchwork

CHANNELS = 2
PEAK_WINDOW_S = 0.04
RMS_TIME_CONSTANT_S = 0.1
MOST_COMMANDS_A_BLOCK = 64
_CROSS_FADED = frozenset({"swap", "patch"})

# Number, name of a method below whose name begins with `do_`, its arguments.
Command: TypeAlias = tuple[int, str, tuple[Any, ...]]


class Desk:
    """Plays what is loaded, in two channels at `rate`.

    `post` may be called from any thread; `render` from one, the audio thread, where it takes no locks and does a
    bounded amount of work. What a swap makes superfluous is put into `retired`, to be let go by another thread.
    """

    def __init__(self, rate: int, cells: Cells) -> None:
        self._board = BoardWriter(cells)
        self.retired: deque[Any] = deque()
        self._commands: deque[Command] = deque()
        self._applied = 0
        self._generation = 0
        self._early: tuple[int, FloatArray] | None = None
        self._mixer = Mixer([], np.zeros((0, CHANNELS), np.float32))
        self._former: Mixer | None = None
        self._tune(Transport(rate))
        self._spare = np.zeros((BLOCK_LENGTH, CHANNELS), np.float32)
        self._recent: deque[tuple[int, Cells, Cells]] = deque()
        self._recent_length = 0
        self._mean_squares = np.zeros(0)

    @property
    def sounding(self) -> bool:
        """Whether the newest block had music in it."""
        return self.audition.active or any(heading.moving for heading in self.transport.headings)

    def post(self, command: Command) -> None:
        self._commands.append(command)

    def render(self, out: FloatArray, heard_s: float) -> None:
        """Fill `out`, float32 of shape (any length, 2), with what is heard from `heard_s` of the clock on."""
        for start in range(0, len(out), BLOCK_LENGTH):
            block = out[start : start + BLOCK_LENGTH]
            self._obey()
            self._mix(block)
            auditioned = self.audition.mix(block)
            self._report(block, heard_s + start / self.rate, auditioned)

    def do_play(self) -> None:
        self.audition.begin(None)
        self.transport.play()

    def do_pause(self) -> None:
        self.transport.pause()

    def do_stop(self) -> None:
        self.audition.begin(None)
        self.transport.stop()

    def do_seek(self, position_s: float) -> None:
        self.transport.seek(round(position_s * self.rate))

    def do_set_loop(self, start_s: float | None, end_s: float | None) -> None:
        if start_s is None or end_s is None:
            self.transport.set_loop(None)
        else:
            self.transport.set_loop((round(start_s * self.rate), round(end_s * self.rate)))

    def do_audition(self, signal: FloatArray) -> None:
        """Hear `signal`, float32 (length, 1 or 2) at this desk's rate, in place of the mix; an empty one ends what is heard."""
        self.audition.begin(signal)

    def do_aim(self, gains: FloatArray, generation: int) -> None:
        """Move the gains of what was loaded as `generation`; of a load still to come they are kept until then."""
        if generation == self._generation:
            self._mixer.aim(gains)
        elif generation > self._generation:
            self._early = (generation, gains)

    def do_expect(self, length_s: float) -> None:
        """The first load is on its way and `length_s` long: play and seek already mean it, and wait for it."""
        if not self._generation:
            self.transport.resize(round(length_s * self.rate))

    def do_swap(self, mixer: Mixer, generation: int, rate: int) -> None:
        """Cross-fade from what is loaded to `mixer`, the position kept; at once where nothing sounds or the rate changes."""
        self.retired.append(self._former)
        self._former, self._mixer, self._generation = self._mixer, mixer, generation
        self._swapped = 0
        if rate != self.rate or self.transport.silent:
            self.retired.append(self._former)
            self._former = None
        if rate != self.rate:
            self._tune(self.transport.at_rate(rate))
        if self._early and self._early[0] == generation:
            mixer.aim(self._early[1])
        self.transport.resize(mixer.length)
        self._recent.clear()
        self._recent_length = 0
        self._mean_squares = np.zeros(len(mixer.signals))

    def do_patch(self, signals: Sequence[Patchwork], generation: int) -> None:
        """Cross-fade to `signals`, those of load `generation` with stretches replaced; of an older load they come too late."""
        if generation != self._generation:
            return
        former, self._mixer = self._mixer, self._mixer.with_signals(signals)
        if self.transport.silent:
            self.retired.append(former)
        else:
            self._former, self._swapped = former, 0

    def _tune(self, transport: Transport) -> None:
        self.rate, self.transport = transport.rate, transport
        self.audition = Audition(self.rate, CHANNELS, self.retired)
        self._swap_length = max(1, round(RAMP_S * self.rate))
        turn = np.arange(1, self._swap_length + 1) / self._swap_length
        self._rise = (0.5 - 0.5 * np.cos(np.pi * turn)).astype(np.float32)[:, None]
        self._swapped = self._swap_length

    def _obey(self) -> None:
        for _ in range(MOST_COMMANDS_A_BLOCK):
            # What comes while another swap is faded in waits for its end: no more than two mixes are ever heard.
            if not self._commands or (self._former is not None and self._commands[0][1] in _CROSS_FADED):
                return
            number, name, arguments = self._commands.popleft()
            getattr(self, f"do_{name}")(*arguments)
            self._applied = max(self._applied, number)

    def _mix(self, block: FloatArray) -> None:
        if not self._generation:
            block.fill(0.0)
            self.transport.rest(len(block))
            return
        reads = self.transport.step(len(block))
        self._mixer.mix(reads, block)
        if self._former is None:
            return
        former = self._spare[: len(block)]
        self._former.mix(reads, former)
        count = min(len(block), self._swap_length - self._swapped)
        block[:count] -= former[:count]
        block[:count] *= self._rise[self._swapped : self._swapped + count]
        block[:count] += former[:count]
        self._swapped += count
        if self._swapped >= self._swap_length:
            self.retired.append(self._former)
            self._former = None

    def _report(self, block: FloatArray, heard_s: float, auditioned: int) -> None:
        board, transport = self._board, self.transport
        board.begin()
        board.state(
            applied=self._applied,
            playing=transport.playing,
            generation=self._generation,
            silenced=len(self._mixer.silenced),
        )
        board.audition(self.audition.active, heard_s + auditioned / self.rate if auditioned else None)
        for heading in transport.headings:
            board.heading(
                heard_s + heading.offset / self.rate,
                heading.position / self.rate,
                heading.length / self.rate,
                heading.moving,
            )
        board.levels(*self._levels(block))
        board.end()

    def _levels(self, block: FloatArray) -> tuple[Cells, Cells, Cells]:
        """Peaks of the last PEAK_WINDOW_S, so that no poll at screen rate misses one; RMS smoothed; master peaks."""
        with np.errstate(all="ignore"):
            master = np.maximum(block.max(axis=0), -block.min(axis=0)).astype(np.float64)
        self._recent.append((len(block), self._mixer.peaks.copy(), master))
        self._recent_length += len(block)
        while len(self._recent) > 1 and self._recent_length - self._recent[0][0] >= PEAK_WINDOW_S * self.rate:
            self._recent_length -= self._recent.popleft()[0]
        peaks = np.max([peaks for _, peaks, _ in self._recent], axis=0)
        master = np.max([master for _, _, master in self._recent], axis=0)
        share = 1.0 - np.exp(-len(block) / (RMS_TIME_CONSTANT_S * self.rate))
        self._mean_squares += share * (self._mixer.mean_squares - self._mean_squares)
        return peaks, np.sqrt(self._mean_squares), master


def clock_s() -> float:
    """The clock of the board: monotonic, and the same in every process of the machine."""
    return time.perf_counter()
