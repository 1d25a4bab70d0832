"""What every player offers the window, and what all players have in common: commands out, the board in."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from soli.playback.board import SIZE, Cells, Reading, read_board
from soli.playback.desk import CHANNELS, clock_s
from soli.playback.metronome import CountIn
from soli.playback.mixer import Strip, fold
from soli.playback.tiles import Stretching, Tile
from soli.playback.transport import SHORTEST_LOOP_S
from soli.signal.audio import FloatArray

LONGEST_AUDITION_S = 30.0

# Index of a signal in the newest load, first sample, samples.
Piece: TypeAlias = tuple[int, int, FloatArray]


@dataclass(frozen=True, slots=True)
class PlayerStatus:
    """What is going on. `position_s` is what the ear hears now, the output's latency taken off.

    `peaks` (of the last 40 ms) and `rms` (smoothed over 100 ms) are one a strip, after its fader, linear;
    `master_peak` is left and right. `underruns` counts blocks of music that the device did not get in time.
    `message` is one sentence for the user on what is not as it should be, or empty; `news` one on what has become well again,
    until the next trouble. `auditioning`: a sound on its own is heard in place of the mix.
    `stretched` is the key of the tiles that are heard, 0 for what was recorded; `waiting`: it goes on as soon as the next
    one is there.
    """

    position_s: float = 0.0
    playing: bool = False
    peaks: tuple[float, ...] = ()
    rms: tuple[float, ...] = ()
    master_peak: tuple[float, float] = (0.0, 0.0)
    underruns: int = 0
    message: str = ""
    news: str = ""
    auditioning: bool = False
    stretched: int = 0
    waiting: bool = False


class Player(Protocol):
    """Plays the newest load, in two channels. Every method but `load` and `close` returns at once."""

    def load(self, signals: Sequence[FloatArray], rate: int, strips: Sequence[Strip], *, names: Sequence[str] = ()) -> None:
        """Swap in `signals`, float32, each (length, channels), lengths may differ, without a gap; the position stays.

        Mono is heard on both sides, more than two channels are folded. A signal that holds values that are no numbers
        is silenced and the status says so, by its name if `names` has one for each. Raises DeviceError when there is no
        room for them. Copies the signals (0.5 GB for three minutes of eight stereo layers), so call it from a worker thread;
        it may be called from any.
        """

    def patch(self, pieces: Sequence[tuple[int, int, FloatArray]]) -> None:
        """Replace stretches of the newest load, heard at once and cross-faded within 10 ms; position and gains stay.

        `pieces`: index of the signal, first sample, float32 (samples, channels); later ones over earlier ones. What lies
        outside of a signal is cut off. All is then as after a load of the patched signals, but for one that was
        silenced: it stays so until the next load. Copies the pieces alone; may be called from any thread.
        Raises ValueError for a signal that is not there, or a stereo piece of a mono one.
        """

    def set_strips(self, strips: Sequence[Strip]) -> None:
        """Move to these gains within 10 ms; one strip for each signal of the newest load."""

    def play(self) -> None: ...

    def play_range(self, start_s: float, end_s: float) -> None:
        """Play [start_s, end_s) once, whatever the loop, and be back at its start."""

    def count_in(self, clicks: CountIn, *, gain: float = 1.0) -> None:
        """Click at a linear gain, and play from where the last of it ends; what ends play ends this too."""

    def set_beats(self, times_s: Sequence[float], accents: Sequence[bool]) -> None:
        """Where the metronome clicks, in seconds of the recording that rise, and which of the clicks are accented."""

    def set_metronome(self, gain: float) -> None:
        """How loud the metronome is, linear; 0 for none. It is heard beside the strips."""

    @property
    def generation(self) -> int:
        """The number of the newest load, of which stretched sound must be."""

    def add_tile(self, stretching: Stretching, number: int, sounds: Sequence[FloatArray]) -> None:
        """Hold tile `number` of the newest load at another speed: one sound a signal, with its margins, float32.

        Keys rise: the first tile of another one takes the place of all tiles before. May be called from any thread.
        """

    def drop_tiles(self, stretching: Stretching, numbers: Collection[int]) -> None:
        """Let tiles go that are far from what is heard; where one is missing the music halts until it comes."""

    def hear(self, stretching: Stretching | None) -> None:
        """Turn to the stretched signals, as far as their tiles are there, or (None) to those that were loaded.

        What is heard fades out and the other one fades in where it was, within 10 ms. A load that comes while stretched
        signals are heard waits, and these go on, until something is turned to.
        """

    def pause(self) -> None: ...

    def stop(self) -> None:
        """Pause, and go back to where play began."""

    def seek(self, position_s: float) -> None: ...

    def set_loop(self, start_s: float | None, end_s: float | None = None) -> None:
        """Repeat [start_s, end_s), stretched to 20 ms if shorter; None ends it. A playhead outside goes to its start."""

    def audition(self, signal: FloatArray, rate: int) -> None:
        """Hear `signal`, float32 (length, channels), once and at once, in place of the mix, playing or not.

        The position stays what it is, or goes on. The signal is heard up to LONGEST_AUDITION_S, rises and falls over
        10 ms at its ends, and cross-fades with what it replaces. An empty one, play() and stop() end what is heard; so
        does one with values that are no numbers. Copies the signal (0.7 MB for two stereo seconds). May be called from
        any thread. Starts a sound process that has died.
        """

    def use_device(self, device: str | int | None, *, latency_s: float | None = None, first_channel: int = 0) -> None:
        """Play on another device, or on the same opened anew, as a player made with these would; all else stays as it is.

        The music halts for about a second and goes on where it was. What cannot be opened is said in the status.
        """

    def status(self) -> PlayerStatus:
        """Cheap enough to be asked for every painted frame."""

    def close(self) -> None:
        """Stop and let go of everything, within a few seconds whatever happens; may be called again."""


class Controls(ABC):
    """The common part of all players: numbers the commands, remembers what was asked, reads the board.

    A player gives `_send`, `_send_patch`, `_send_audition`, `_send_tile`, and `_stage`, which takes the prepared signals and
    returns the call that swaps them in.
    """

    def __init__(self) -> None:
        self._cells: Cells = np.zeros(SIZE)
        self._lock = threading.RLock()
        self._sent = 0
        self._asked_playing = (0, False)
        self._asked_position = (0, 0.0)
        self._asked_audition = (0, False)
        self._beats: tuple[tuple[float, ...], tuple[bool, ...]] = ((), ())
        self._metronome = 0.0
        self._loop: tuple[float, float] | None = None
        self._strips: tuple[Strip, ...] = ()
        self._names: tuple[str, ...] = ()
        self._generation = 0
        self._shapes: tuple[tuple[int, ...], ...] = ()
        self._broken: frozenset[int] = frozenset()

    def load(self, signals: Sequence[FloatArray], rate: int, strips: Sequence[Strip], *, names: Sequence[str] = ()) -> None:
        if len(signals) != len(strips):
            raise ValueError(f"{len(signals)} signals need as many strips, not {len(strips)}")
        prepared, broken = prepare(signals)
        swap_in = self._stage(prepared, rate)
        with self._lock:
            self._strips = tuple(strips)
            self._names = tuple(names) if len(names) == len(signals) else ()
            self._generation += 1
            self._shapes, self._broken = tuple(signal.shape for signal in prepared), broken
            swap_in()

    def patch(self, pieces: Sequence[tuple[int, int, FloatArray]]) -> None:
        # Folded and copied before the lock is taken: the window waits for it with every command.
        copies = [(index, first, _heard(np.array(piece, np.float32))) for index, first, piece in pieces]
        finite = [_is_finite(piece) for _, _, piece in copies]
        with self._lock:
            fitting: list[Piece] = []
            for (index, first, piece), sound in zip(copies, finite, strict=True):
                fitting += self._fitting(index, first, piece, sound)
            if fitting:
                self._sent += 1
                self._send_patch(self._sent, fitting)

    def _fitting(self, index: int, first: int, piece: FloatArray, finite: bool) -> list[Piece]:
        """What of a piece belongs into the signal; silence throughout if it holds values that are no numbers."""
        if not 0 <= index < len(self._shapes):
            raise ValueError(f"there is no signal {index} among {len(self._shapes)}")
        length, channels = self._shapes[index]
        if index in self._broken:
            return []
        if piece.shape[1] > channels:
            raise ValueError(f"signal {index} has {channels} channels, not {piece.shape[1]}")
        piece, first = piece[max(0, -first) : max(0, length - first)], max(0, first)
        if not len(piece):
            return []
        if not finite:
            self._broken |= {index}
            return [(index, 0, np.zeros((length, 1), np.float32))]
        return [(index, first, piece)]

    def set_strips(self, strips: Sequence[Strip]) -> None:
        with self._lock:
            if len(strips) != len(self._strips):
                raise ValueError(f"{len(self._strips)} signals need as many strips, not {len(strips)}")
            self._strips = tuple(strips)
            self._command("strips", self._strips, self._generation)

    def play(self) -> None:
        self._ask_playing(True, "play", end_audition=True)

    def play_range(self, start_s: float, end_s: float) -> None:
        with self._lock:
            self._asked_position = (self._sent + 1, max(0.0, float(start_s)))
            self._asked_playing = (self._sent + 1, end_s > start_s)
            self._asked_audition = (self._sent + 1, False)
            self._command("play_range", max(0.0, float(start_s)), float(end_s))

    def count_in(self, clicks: CountIn, *, gain: float = 1.0) -> None:
        self._ask_playing(True, "count_in", clicks, gain, end_audition=True)

    def set_beats(self, times_s: Sequence[float], accents: Sequence[bool]) -> None:
        with self._lock:
            self._beats = (tuple(map(float, times_s)), tuple(map(bool, accents)))
            self._command("beats", *self._beats)

    def set_metronome(self, gain: float) -> None:
        with self._lock:
            self._metronome = max(0.0, float(gain))
            self._command("metronome", self._metronome)

    @property
    def generation(self) -> int:
        return self._generation

    def add_tile(self, stretching: Stretching, number: int, sounds: Sequence[FloatArray]) -> None:
        first, end = stretching.span(number)
        wanted = [(end - first, channels) for channels in stretching.channels]
        if [sound.shape for sound in sounds] != wanted:
            raise ValueError(f"tile {number} must have the shapes {wanted}")
        with self._lock:
            self._sent += 1
            self._send_tile(Tile(self._sent, stretching, number, tuple(sounds)))

    def drop_tiles(self, stretching: Stretching, numbers: Collection[int]) -> None:
        with self._lock:
            self._sent += 1
            self._send_tile(Tile(self._sent, stretching, dropped=frozenset(numbers)))

    def hear(self, stretching: Stretching | None) -> None:
        with self._lock:
            self._sent += 1
            self._send_tile(Tile(self._sent, stretching, heard=True))

    def pause(self) -> None:
        self._ask_playing(False, "pause")

    def stop(self) -> None:
        self._ask_playing(False, "stop", end_audition=True)

    def seek(self, position_s: float) -> None:
        position_s = max(0.0, float(position_s))
        with self._lock:
            self._asked_position = (self._sent + 1, position_s)
            self._command("seek", position_s)

    def set_loop(self, start_s: float | None, end_s: float | None = None) -> None:
        with self._lock:
            if start_s is None or end_s is None:
                self._loop = None
                self._command("set_loop", None, None)
            else:
                start_s = max(0.0, float(start_s))
                self._loop = (start_s, max(float(end_s), start_s + SHORTEST_LOOP_S))
                self._command("set_loop", *self._loop)

    def audition(self, signal: FloatArray, rate: int) -> None:
        piece = audible(signal, rate)
        with self._lock:
            self._sent += 1
            self._asked_audition = (self._sent, len(piece) > 0)
            self._send_audition(self._sent, piece, rate)

    def status(self) -> PlayerStatus:
        reading = self._reading()
        count = len(self._strips)
        current = reading.generation == self._generation and len(reading.peaks) == count
        nothing = (0.0,) * count
        number, position_s = self._asked_position
        return PlayerStatus(
            position_s=position_s if number > reading.applied else reading.position_s,
            playing=self._is_playing(reading),
            peaks=reading.peaks if current else nothing,
            rms=reading.rms if current else nothing,
            master_peak=reading.master_peak,
            underruns=reading.underruns,
            message=self._message(reading),
            news=self._tell_news(),
            auditioning=self._is_auditioning(reading),
            stretched=reading.stretched,
            waiting=reading.waiting,
        )

    @abstractmethod
    def _stage(self, signals: Sequence[FloatArray], rate: int) -> Callable[[], None]: ...

    @abstractmethod
    def _send(self, number: int, name: str, arguments: tuple[Any, ...]) -> None: ...

    @abstractmethod
    def _send_patch(self, number: int, pieces: Sequence[Piece]) -> None: ...

    @abstractmethod
    def _send_tile(self, tile: Tile) -> None: ...

    @abstractmethod
    def _send_audition(self, number: int, piece: FloatArray, rate: int) -> None: ...

    def _reading(self) -> Reading:
        return read_board(self._cells, clock_s())

    def _is_playing(self, reading: Reading) -> bool:
        number, playing = self._asked_playing
        if number > reading.applied:
            return playing
        # The engine reaches the end before the ear does.
        return reading.playing or (playing and reading.moving)

    def _is_auditioning(self, reading: Reading) -> bool:
        number, auditioning = self._asked_audition
        return auditioning if number > reading.applied else reading.auditioning

    def _message(self, reading: Reading) -> str:
        if self._broken:
            broken = sorted(self._broken)
            if self._names:
                which = ", ".join(self._names[index] for index in broken)
            else:
                which = f"Strip{'s' if len(broken) > 1 else ''} {', '.join(str(index + 1) for index in broken)}"
            which += " are" if len(broken) > 1 else " is"
            return f"{which} silent because of values that are no numbers; decompose again."
        if reading.silenced:
            return "A layer holds values that are no numbers and is left out where it does; decompose again."
        return ""

    def _tell_news(self) -> str:
        return ""

    def _ask_playing(self, playing: bool, name: str, *arguments: Any, end_audition: bool = False) -> None:
        with self._lock:
            if end_audition:
                self._asked_audition = (self._sent + 1, False)
            self._asked_playing = (self._sent + 1, playing)
            self._command(name, *arguments)

    def _command(self, name: str, *arguments: Any) -> None:
        self._sent += 1
        self._send(self._sent, name, arguments)


def audible(signal: FloatArray, rate: int) -> FloatArray:
    """A copy of what can be heard of `signal`, in one or two channels; nothing if it holds values that are no numbers."""
    piece = np.array(signal[: round(LONGEST_AUDITION_S * rate)], np.float32)
    if not piece.size or not np.isfinite(piece).all():
        return np.zeros((0, CHANNELS), np.float32)
    return fold(piece.reshape(len(piece), -1), CHANNELS)


def prepare(signals: Sequence[FloatArray]) -> tuple[list[FloatArray], frozenset[int]]:
    """The signals with one or two channels each, those with values that are no numbers silenced; which these are."""
    prepared: list[FloatArray] = []
    broken: list[int] = []
    for index, signal in enumerate(signals):
        folded = _heard(np.asarray(signal, np.float32))
        if not _is_finite(folded):
            broken.append(index)
            folded = np.zeros((len(folded), 1), np.float32)
        prepared.append(folded)
    return prepared, frozenset(broken)


def by_signal(pieces: Sequence[Piece]) -> dict[int, list[tuple[int, FloatArray]]]:
    """The pieces of each signal, in their order."""
    sorted_pieces: dict[int, list[tuple[int, FloatArray]]] = {}
    for index, first, piece in pieces:
        sorted_pieces.setdefault(index, []).append((first, piece))
    return sorted_pieces


def _heard(signal: FloatArray) -> FloatArray:
    return fold(signal.reshape(len(signal), -1), CHANNELS) if signal.size else np.zeros((len(signal), 1), np.float32)


def _is_finite(signal: FloatArray) -> bool:
    return all(np.isfinite(signal[start : start + 65536]).all() for start in range(0, len(signal), 65536))
