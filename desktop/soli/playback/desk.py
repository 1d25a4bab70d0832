"""What turns commands into sound: transport, mixer and levels together, one block at a time."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from soli.playback.audition import Audition
from soli.playback.board import BoardWriter, Cells
from soli.playback.deck import Deck, Passage
from soli.playback.metronome import CountIn, Counting, Metronome
from soli.playback.mixer import BLOCK_LENGTH, Mixer
from soli.playback.tiles import Stretching, Tiled
from soli.playback.transport import Transport
from soli.signal.audio import FloatArray
from soli.signal.patchwork import Patchwork

CHANNELS = 2
PEAK_WINDOW_S = 0.04
RMS_TIME_CONSTANT_S = 0.1
MOST_COMMANDS_A_BLOCK = 64
_CROSS_FADED = frozenset({"swap", "patch", "tiles"})

# Number, name of a method below whose name begins with `do_`, its arguments.
Command: TypeAlias = tuple[int, str, tuple[Any, ...]]


class Desk:
    """Plays what is loaded, in two channels at `rate`, with clicks on the beats and sounds on their own.

    `post` may be called from any thread; `render` from one, the audio thread, where it takes no locks and does a
    bounded amount of work. What a change makes superfluous is put into `retired`, to be let go by another thread.
    """

    def __init__(self, rate: int, cells: Cells) -> None:
        self._board = BoardWriter(cells)
        self.retired: deque[Any] = deque()
        self._commands: deque[Command] = deque()
        self._applied = 0
        self._deck = Deck(rate, CHANNELS, self.retired)
        self._passages: list[Passage] = []
        self._ticks: list[tuple[int, bool, float]] = []
        self.audition = Audition(rate, CHANNELS, self.retired)
        self._metronome = Metronome(rate)
        self._counting: Counting | None = None
        self._measured = 0  # the generation that the levels are of
        self._recent: deque[tuple[int, Cells, Cells]] = deque()
        self._recent_length = 0
        self._mean_squares = np.zeros(0)

    @property
    def rate(self) -> int:
        return self._deck.rate

    @property
    def transport(self) -> Transport:
        return self._deck.transport

    @property
    def sounding(self) -> bool:
        """Whether the newest block had music in it."""
        return self.audition.active or any(passage.moving for passage in self._passages)

    def post(self, command: Command) -> None:
        self._commands.append(command)

    def render(self, out: FloatArray, heard_s: float) -> None:
        """Fill `out`, float32 of shape (any length, 2), with what is heard from `heard_s` of the clock on."""
        for start in range(0, len(out), BLOCK_LENGTH):
            block = out[start : start + BLOCK_LENGTH]
            self._obey()
            self._mix(block)
            auditioned = self.audition.mix(block)
            self._click(block)
            self._report(block, heard_s + start / self.rate, auditioned)

    def do_play(self) -> None:
        self._begin()
        self.transport.play()

    def do_play_range(self, start_s: float, end_s: float) -> None:
        """Play a stretch of the recording once."""
        self._begin()
        self.transport.play_range(self._deck.place(start_s), self._deck.place(end_s))

    def do_count_in(self, clicks: CountIn, gain: float) -> None:
        """Click at a linear gain, and then play."""
        self._begin()
        if not self.transport.playing:
            self._counting = Counting(clicks, gain, self.rate)

    def do_pause(self) -> None:
        self._counting = None
        self.transport.pause()

    def do_stop(self) -> None:
        self._begin()
        self.transport.stop()

    def do_seek(self, position_s: float) -> None:
        self.transport.seek(self._deck.place(position_s))

    def do_set_loop(self, start_s: float | None, end_s: float | None) -> None:
        self._deck.set_loop(None if start_s is None or end_s is None else (start_s, end_s))

    def do_audition(self, signal: FloatArray) -> None:
        """Hear `signal`, float32 (length, 1 or 2) at this desk's rate, in place of the mix; an empty one ends what is heard."""
        self.audition.begin(signal)

    def do_beats(self, times_s: Sequence[float], accents: Sequence[bool]) -> None:
        """Where the metronome clicks, in seconds of the recording that rise, and which clicks are accented."""
        self._metronome.set_beats(times_s, accents)

    def do_metronome(self, gain: float) -> None:
        """How loud the metronome is, linear; 0 for none."""
        self._metronome.gain = gain

    def do_aim(self, gains: FloatArray, generation: int) -> None:
        """Move the gains of what was loaded as `generation`; of a load still to come they are kept until then."""
        self._deck.aim(gains, generation)

    def do_expect(self, length_s: float) -> None:
        """The first load is on its way and `length_s` long: play and seek already mean it, and wait for it."""
        if not self._deck.generation:
            self.transport.resize(round(length_s * self.rate))

    def do_swap(self, mixer: Mixer, generation: int, rate: int) -> None:
        """Cross-fade from what is loaded to `mixer`, the position kept; at once where nothing sounds or the rate changes."""
        self._deck.load(mixer, generation, rate)
        self._tune()

    def do_patch(self, signals: Sequence[Patchwork], generation: int) -> None:
        """Cross-fade to `signals`, those of load `generation` with stretches replaced; of an older load they come too late."""
        self._deck.patch(signals, generation)

    def do_tiles(self, stretching: Stretching, signals: Sequence[Tiled]) -> None:
        """The stretched signals of the newest load, as far as they are there now."""
        self._deck.tiles(stretching, signals)

    def do_hear(self, key: int) -> None:
        """Turn to the stretched signals of `key`, or to those that were recorded where it is 0."""
        self._deck.hear(key)

    def _tune(self) -> None:
        """What sounds beside the deck goes at its rate."""
        if self.rate != self.audition.rate:
            self.audition = Audition(self.rate, CHANNELS, self.retired)
            self._metronome = self._metronome.at_rate(self.rate)

    def _begin(self) -> None:
        """Something else is to be heard than what sounds on its own, or was counted in."""
        self.audition.begin(None)
        self._counting = None

    def _obey(self) -> None:
        for _ in range(MOST_COMMANDS_A_BLOCK):
            # What comes while another swap is faded in waits for its end: no more than two mixes are ever heard.
            if not self._commands or (self._deck.swapping and self._commands[0][1] in _CROSS_FADED):
                return
            number, name, arguments = self._commands.popleft()
            getattr(self, f"do_{name}")(*arguments)
            self._applied = max(self._applied, number)

    def _mix(self, block: FloatArray) -> None:
        """What the transport plays; as a count-in ends within a block, the music begins there."""
        self._passages, self._ticks, counted = [], [], 0
        if self._counting is not None:
            counted, self._ticks = self._counting.step(len(block))
            block[:counted] = 0.0
            self._deck.rest(counted)
            self._passages = self._deck.passages
            if counted == len(block):
                return
            self._counting = None
            self.transport.play()
        self._deck.mix(block[counted:])
        later = [passage._replace(offset=passage.offset + counted) for passage in self._deck.passages]
        self._passages = self._passages + later
        self._tune()

    def _click(self, block: FloatArray) -> None:
        metronome = self._metronome
        metronome.ring(block)
        for passage in self._passages:
            if passage.moving:
                metronome.pass_by(block, passage.offset, passage.length, passage.position, passage.second)
        for offset, accented, gain in self._ticks:
            metronome.begin(block, offset, accented=accented, gain=gain)

    def _report(self, block: FloatArray, heard_s: float, auditioned: int) -> None:
        board, deck = self._board, self._deck
        board.begin()
        board.state(
            applied=self._applied,
            playing=deck.transport.playing or self._counting is not None,
            generation=deck.generation,
            silenced=len(deck.mixer.silenced),
            stretched=deck.heard.stretching.key if deck.heard else 0,
            waiting=deck.waiting,
        )
        board.audition(self.audition.active, heard_s + auditioned / self.rate if auditioned else None)
        for passage in self._passages:
            board.heading(
                heard_s + passage.offset / self.rate,
                passage.position / passage.second,
                passage.length / self.rate,
                passage.speed if passage.moving else 0.0,
            )
        board.levels(*self._levels(block))
        board.end()

    def _levels(self, block: FloatArray) -> tuple[Cells, Cells, Cells]:
        """Peaks of the last PEAK_WINDOW_S, so that no poll at screen rate misses one; RMS smoothed; master peaks."""
        mixer = self._deck.mixer
        if self._deck.generation != self._measured or len(self._mean_squares) != len(mixer.signals):
            self._measured = self._deck.generation
            self._recent.clear()
            self._recent_length = 0
            self._mean_squares = np.zeros(len(mixer.signals))
        with np.errstate(all="ignore"):
            master = np.maximum(block.max(axis=0), -block.min(axis=0)).astype(np.float64)
        self._recent.append((len(block), mixer.peaks.copy(), master))
        self._recent_length += len(block)
        while len(self._recent) > 1 and self._recent_length - self._recent[0][0] >= PEAK_WINDOW_S * self.rate:
            self._recent_length -= self._recent.popleft()[0]
        peaks = np.max([peaks for _, peaks, _ in self._recent], axis=0)
        master = np.max([master for _, _, master in self._recent], axis=0)
        share = 1.0 - np.exp(-len(block) / (RMS_TIME_CONSTANT_S * self.rate))
        self._mean_squares += share * (mixer.mean_squares - self._mean_squares)
        return peaks, np.sqrt(self._mean_squares), master


def clock_s() -> float:
    """The clock of the board: monotonic, and the same in every process of the machine."""
    return time.perf_counter()
