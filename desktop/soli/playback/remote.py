"""The player whose sound lives in a process of its own."""

import atexit
import contextlib
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from soli.errors import DeviceError
from soli.playback.board import SIZE, Cells, Reading
from soli.playback.controls import Controls, Piece
from soli.playback.engine import Load, Patch, run
from soli.playback.segments import Layout, Segment, store, sweep, views
from soli.playback.tiles import Tile
from soli.signal.audio import FloatArray

FAREWELL_S = 2.0
TAKEN_AFTER_S = 1.0
PAUSE_S = 10.0  # at least, between two starts that nobody asked for
PLAYS = frozenset({"play", "play_range", "count_in"})


class ProcessPlayer(Controls):
    """Starts the sound process in the background, at once, and keeps what is asked of it until it is there.

    `device` is PortAudio's name or number of one, or None for the default. `latency_s` is how far the device is to be
    fed ahead: the more, the fewer stalls are heard, and the later a change. None is enough for a change to be heard within
    100 ms, and more once the device has run dry. `first_channel`, from 0, is the first of those that are played on.
    When the process dies the status says so, and another is started, with the same load, strips, loop and position: at
    once, and what was playing goes on, or, if that was just done, with the next play or audition. When its device is lost
    playback stops. A process that found no device gives way to another as soon as there is one.
    Raises DeviceError when there is no memory for its board.
    """

    def __init__(self, device: str | int | None = None, *, latency_s: float | None = None, first_channel: int = 0) -> None:
        super().__init__()
        self._chosen = (device, latency_s, first_channel)
        self._board = Segment(8 * SIZE, in_memory=True)
        self._cells = self._board.doubles()
        self._outbox: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._loaded: tuple[Segment, tuple[Layout, ...], int] | None = None
        self._patches: list[tuple[float, int, tuple[Piece, ...]]] = []  # when, number: not yet in the segment
        self._audition: tuple[int, FloatArray, int] | None = None
        self._engine_message = ""
        self._notice = ""  # what has happened to it, until something is to be heard again
        self._news = ""
        self._has_come = False  # a device that was missing; the next process plays on it
        self._goes_on = False  # what a dead process played is played on by the next
        self._range_end_s: float | None = None  # where what plays ends, if it is a stretch that was asked for
        self._fed_ahead = ""
        self._revived_s = -PAUSE_S
        self._dead = False
        self._closed = False
        self._process: SpawnProcess | None = None
        self._ready: SpawnProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._listener: threading.Thread | None = None
        self._keeper = threading.Thread(target=self._keep, name="soli sound keeper", daemon=True)
        self._keeper.start()
        atexit.register(self.close)

    def use_device(self, device: str | int | None, *, latency_s: float | None = None, first_channel: int = 0) -> None:
        with self._lock:
            if not self._closed:
                self._chosen = (device, latency_s, first_channel)
                self._outbox.put(("device",))

    @property
    def process_id(self) -> int | None:
        """Of the sound process, while there is one."""
        return self._process.pid if self._process and not self._dead else None

    @property
    def board(self) -> Cells:
        """What the sound process writes, for `board.durations_s`: valid until `close`."""
        return self._cells

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        self._outbox.put(None)
        self._keeper.join(timeout=FAREWELL_S)
        if self._keeper.is_alive() and self._process is not None:
            self._process.kill()  # which frees a keeper that waits for it, or for a full pipe
            self._keeper.join(timeout=FAREWELL_S)
        if self._listener is not None:
            self._listener.join(timeout=FAREWELL_S)
        with self._lock:
            self._cells = self._cells.copy()
            self._release(self._board)
            if self._loaded:
                self._release(self._loaded[0])
                self._loaded = None
            self._patches.clear()

    def _stage(self, signals: Sequence[FloatArray], rate: int) -> Callable[[], None]:
        segment, layouts = store(signals)

        def swap_in() -> None:
            if self._closed:
                self._release(segment)
                return
            if self._loaded:
                self._release(self._loaded[0])
            self._loaded = (segment, layouts, rate)
            self._patches.clear()
            self._sent += 1
            self._outbox.put(self._load_message_for(self._sent))

        return swap_in

    def _send(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name in {"play", "play_range", "count_in", "pause", "stop", "seek"}:
            self._range_end_s = arguments[1] if name == "play_range" else None
        if not self._closed:
            self._outbox.put(("command", number, name, arguments))

    def _send_tile(self, tile: Tile) -> None:
        if not self._closed:
            self._outbox.put(("tile", tile))

    def _send_patch(self, number: int, pieces: Sequence[Piece]) -> None:
        if not self._closed:
            self._patches.append((time.monotonic(), number, tuple(pieces)))
            self._write_patches(all_of_them=self._dead)
            self._outbox.put(("patch", Patch(number, self._generation, tuple(pieces))))

    def _write_patches(self, *, all_of_them: bool) -> None:
        """Write into the segment what the process has taken over and no longer reads there, for one that may follow it."""
        if self._loaded is None or not self._patches:
            return
        applied, until = self._reading().applied, time.monotonic() - TAKEN_AFTER_S
        signals = views(self._loaded[0], self._loaded[1], writeable=True)
        while self._patches and (all_of_them or (self._patches[0][0] < until and self._patches[0][1] <= applied)):
            _, _, pieces = self._patches.pop(0)
            for index, first, piece in pieces:
                signals[index][first : first + len(piece)] = piece

    def _send_audition(self, number: int, piece: FloatArray, rate: int) -> None:
        if not self._closed:
            # Only the newest is kept: signals that wait for a process that hangs would fill the memory.
            self._audition = (number, piece, rate)
            self._outbox.put(("audition", number))

    def _reading(self) -> Reading:
        reading = super()._reading()
        if self._dead or self._closed:
            return replace(reading, playing=False, peaks=(), rms=(), master_peak=(0.0, 0.0), auditioning=False)
        return reading

    def _is_playing(self, reading: Reading) -> bool:
        return not self._closed and (self._goes_on if self._dead else super()._is_playing(reading))

    def _is_heard(self) -> bool:
        """Whether the music or a note alone plays."""
        with self._lock:
            reading = self._reading()
            return self._is_playing(reading) or self._is_auditioning(reading)

    def _is_auditioning(self, reading: Reading) -> bool:
        return not self._closed and super()._is_auditioning(reading)

    def _message(self, reading: Reading) -> str:
        return self._notice or self._engine_message or super()._message(reading) or self._fed_ahead

    def _tell_news(self) -> str:
        return self._news

    @staticmethod
    def _release(segment: Segment) -> None:
        segment.unlink()
        segment.close()

    def _load_message_for(self, number: int) -> tuple[Any, ...]:
        if self._loaded is None:
            raise ValueError("nothing is loaded")
        segment, layouts, rate = self._loaded
        return ("load", Load(number, self._generation, segment.place, layouts, rate, self._strips))

    def _keep(self) -> None:
        """The keeper's thread: starts the process, passes everything on, starts it again when something is to be heard."""
        sweep()
        self._start_process()
        while (message := self._outbox.get()) is not None:
            if message[0] == "device":
                self._change_process()
                continue
            if message[0] == "again":
                if self._dead:
                    self._revived_s = time.monotonic()
                    self._revive(("command", 0, "play" if self._goes_on else "pause", ()))
                continue
            if message[0] == "audition" or (message[0] == "command" and message[2] in PLAYS):
                self._notice = ""
            if self._dead:
                # What is asked of the dead is remembered by Controls and told to the next one.
                if message[0] == "audition":
                    self._revive(self._take_audition(message[1]))
                elif message[0] == "command" and message[2] in PLAYS:
                    self._revive(("command", 0, *message[2:]))
                continue
            if message[0] == "audition":
                message = self._take_audition(message[1])
            if message is not None and self._pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    for part in _parts(message):
                        self._pipe.send(part)
        self._end_process(self._process)

    def _take_audition(self, number: int) -> tuple[Any, ...] | None:
        """The message with the signal of audition `number`, unless a newer one has taken its place."""
        with self._lock:
            if self._audition is None or self._audition[0] != number:
                return None
            (_, piece, rate), self._audition = self._audition, None
        return ("audition", number, piece, rate)

    def _start_process(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        self._pipe = ours
        process = spawn.Process(target=run, args=(theirs, self._board.place, *self._chosen), name="soli sound", daemon=True)
        try:
            process.start()
        except (OSError, RuntimeError, DeviceError) as error:
            self._notice = f"The sound engine cannot be started ({error}); press play to try again."
            self._dead, self._goes_on = True, False
            self._asked_audition = (0, False)
            ours.close()
            return
        finally:
            theirs.close()
        self._process = process
        self._listener = threading.Thread(target=self._listen, args=(process, ours), name="soli sound listener", daemon=True)
        self._listener.start()

    def _listen(self, process: SpawnProcess, pipe: "Connection[Any, Any]") -> None:
        """The listener's thread: hears the process until its end, expected or not."""
        ended, lost = "The sound engine stopped unexpectedly", ""
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, *about = pipe.recv()
                if kind == "ready":
                    self._ready = process
                    self._engine_message, name = about
                    if self._has_come and not self._engine_message:
                        self._news = f"The sound device {name} is there; the music plays on it."
                    self._has_come = False
                elif kind == "deeper" and self._is_heard():
                    # While nothing plays nothing was missing, and nobody needs to know.
                    self._fed_ahead = (
                        f"The computer was too busy to feed the sound device in time; it is fed {1000 * about[0]:.0f} ms ahead "
                        "from now on, and changes are heard that much later."
                    )
                elif kind == "settled":
                    self._fed_ahead = ""
                elif kind == "there":
                    self._has_come = True
                    self._outbox.put(("device",))
                elif kind == "failed":
                    ended = about[0]
                elif kind == "lost":
                    lost = about[0]
        process.join(timeout=FAREWELL_S)
        with self._lock:
            if self._closed or process is not self._process:
                return
            again = time.monotonic() - self._revived_s >= PAUSE_S
            # Where a device was pulled out the music does not go on by itself, on whatever is the next.
            self._goes_on = again and not lost and self._is_playing(self._reading())
            if lost:
                self._notice = lost
            elif not again:
                self._notice = f"{ended}; press play to start it again."
            else:
                self._notice = f"{ended} and was started again{'; the music goes on' if self._goes_on else ''}."
            self._engine_message = self._news = ""
            self._dead = True
            if self._audition is None:
                self._asked_audition = (0, False)
            if again:
                self._outbox.put(("again",))

    def _change_process(self) -> None:
        """End the process and start another, on the device that is wanted now, which goes on with what this one did."""
        self._notice = ""
        with self._lock:
            former, self._process = self._process, None  # so that nobody takes its end for a death
            reading = self._reading()
            number, position_s = self._asked_position
            position_s = position_s if number > reading.applied else reading.position_s
            playing = self._is_playing(reading)
            self._sent += 1
            self._asked_position, self._asked_playing = (self._sent, position_s), (self._sent, playing)
        self._end_process(former)
        with self._lock:
            # What was asked meanwhile is remembered by Controls and told to the new process at once.
            waiting: list[tuple[Any, ...] | None] = []
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.append(self._outbox.get_nowait())
            self._audition = None
            if None in waiting:
                self._outbox.put(None)
                return
            self._dead, self._goes_on = True, self._asked_playing[1]
            self._revive(("command", 0, "play" if self._goes_on else "pause", ()))

    def _revive(self, wish: tuple[Any, ...] | None) -> None:
        """Start another process and tell it everything that the former one knew, then `wish`: to play or to audition.

        To play is to play on: what was a stretch that is played once still is.
        """
        if wish is None:
            return
        with self._lock:
            number, position_s = self._asked_position
            reading = self._reading()
            position_s = position_s if number > reading.applied else reading.position_s
            if wish[0] == "command" and wish[2] == "play" and self._range_end_s is not None:
                wish = ("command", 0, "play_range", (position_s, self._range_end_s))
            if self._pipe is not None:
                self._pipe.close()
            self._asked_position = (self._sent + 2, position_s)
            self._asked_playing = (self._sent + 4, wish[0] == "command" and wish[2] in PLAYS)
            self._asked_audition = (self._sent + 4, wish[0] == "audition")
            self._cells[:] = 0.0
            self._engine_message = self._fed_ahead = ""
            self._dead = False
            self._start_process()
            if self._dead or self._pipe is None:
                return
            self._write_patches(all_of_them=True)
            with contextlib.suppress(OSError, ValueError):
                if self._loaded:
                    self._pipe.send(self._load_message_for(self._sent + 1))
                self._pipe.send(("command", self._sent + 2, "seek", (position_s,)))
                self._pipe.send(("command", self._sent + 3, "set_loop", self._loop or (None, None)))
                self._pipe.send(("command", self._sent + 3, "beats", self._beats))
                self._pipe.send(("command", self._sent + 3, "metronome", (self._metronome,)))
                self._pipe.send((wish[0], self._sent + 4, *wish[2:]))
            self._sent += 4

    def _end_process(self, process: SpawnProcess | None) -> None:
        pipe = self._pipe
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.send(("close",))
        if process is not None:
            # One that still starts has nothing to take leave of, and would hear of its end only then.
            process.join(timeout=FAREWELL_S if process is self._ready else 0.0)
            if process.is_alive():
                process.kill()
                process.join(timeout=FAREWELL_S)
        if pipe is not None:
            pipe.close()


def _parts(message: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """A message as short ones: reading a long one would keep the sound process from its sound."""
    if message[0] != "tile":
        return [message]
    tile: Tile = message[1]
    return [*(("sound", sound) for sound in tile.sounds), ("tile", tile._replace(sounds=()))]
