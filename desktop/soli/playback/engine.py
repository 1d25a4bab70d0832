"""The sound process: a PortAudio stream whose callback lets the desk render, and the loops that serve it.

A process of its own because whoever holds the interpreter lock for 100 ms stops the music, and only this one never
does. It lives as long as the pipe to its parent, and not longer.
"""

import contextlib
import gc
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing import connection, parent_process
from typing import Any, NamedTuple

import numpy as np

from soli.playback.board import read_board
from soli.playback.controls import Piece, by_signal
from soli.playback.desk import CHANNELS, Desk, clock_s
from soli.playback.fake import SilentClock
from soli.playback.mixer import RAMP_S, Mixer, Strip, channel_gains
from soli.playback.output import NoSoundError, Output, can_be_heard, hurry, library
from soli.playback.segments import Layout, Place, Segment, forget, views
from soli.playback.tiles import Tile, Tiles
from soli.signal import maps
from soli.signal.audio import FloatArray, resample
from soli.signal.patchwork import Patchwork, resampled_stretch

SILENT_RATE = 44100
# How long after it was not there a device is looked for, and at least how often.
LOOK_AFTER_S, LOOK_EVERY_S = 2.0, 10.0
FETCHED_S = 4.0
RESAMPLED_AT_ONCE = 2**20  # samples


class Load(NamedTuple):
    """Signals to play: where they lie, how fast they are, how they begin."""

    number: int
    generation: int
    place: Place
    layouts: tuple[Layout, ...]
    rate: int
    strips: tuple[Strip, ...]


class Patch(NamedTuple):
    """Stretches that take the place of others in the signals of load `generation`."""

    number: int
    generation: int
    pieces: tuple[Piece, ...]


def run(
    pipe: "connection.Connection[Any, Any]", board: Place, device: str | int | None, latency_s: float | None, first_channel: int
) -> None:
    """The whole life of the sound process; never returns.

    Understands ("command", number, name, arguments), ("load", Load), ("patch", Patch), ("audition", number, signal, rate),
    ("tile", Tile) after a ("sound", signal) for each of its sounds, so that no message is long,
    and ("close",); says ("ready", sentence, name of the device) once, ("deeper", seconds) when it feeds the device further
    ahead, ("settled", seconds) when it does so less far again, ("there",) when a device has come that was not there, and
    ("failed", what happened) or, of the device, ("lost", sentence) before it gives up.
    """
    code = 1
    quieten()
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's to answer
        threading.Thread(target=_die_with_parent, daemon=True).start()
        Engine(pipe, board, device, latency_s, first_channel).serve()
        code = 0
    except (EOFError, OSError):
        pass
    except Exception as error:
        with contextlib.suppress(OSError):
            pipe.send(("failed", f"The sound engine failed ({error})"))
    finally:
        # Not sys.exit: PortAudio's own exit handler may wait for ever on a device that is gone.
        os._exit(code)


class Engine:
    """The desk, what drives it (a stream, or a clock where there is no device), and the parent's wishes."""

    def __init__(
        self,
        pipe: "connection.Connection[Any, Any]",
        board: Place,
        device: str | int | None,
        latency_s: float | None,
        first_channel: int,
    ) -> None:
        self._pipe = pipe
        self._board = Segment(place=board)
        cells = self._cells = self._board.doubles()
        self._orders: queue.SimpleQueue[Load | Patch | Tile] = queue.SimpleQueue()
        self._prepared: _Prepared | None = None
        self._sounds: list[FloatArray] = []  # of the tile that comes after them
        self._tiles = Tiles()
        self._arrived: deque[Segment] = deque()
        self._held: list[Segment] = []
        self._newest: Place | None = None
        self._device = device
        self._come = threading.Event()
        self._ahead: _Ahead | None = None
        self._clock: SilentClock | None = None
        self._output: Output | None = None
        message = ""
        hurry(real_time=False)
        try:
            self._output = Output(cells, device, latency_s, first_channel)
            self._desk = self._output.desk
            self._output.start()
        except NoSoundError as error:
            message = str(error)
            self._output = None
            self._desk = Desk(SILENT_RATE, cells)
            self._clock = SilentClock(self._desk)
        # A collection in the middle of a block would be heard; nothing here makes reference cycles as it plays.
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(0.0005)
        if self._clock:
            self._clock.start()
        pipe.send(("ready", message, self._output.name if self._output else ""))

    def serve(self) -> None:
        """Do what the parent says until it says close or is gone. Raises EOFError when it is gone."""
        threading.Thread(target=self._prepare_orders, daemon=True).start()
        if self._output is None:
            threading.Thread(target=self._look_for_device, daemon=True).start()
        try:
            while True:
                if self._pipe.poll(0.5):
                    message = self._pipe.recv()
                    if message[0] == "close":
                        return
                    self._obey(message)
                self._let_go()
                self._fetch(read_board(self._cells, clock_s()).position_s)
                if self._output and not self._goes_on(self._output):
                    return
                if self._come.is_set():
                    self._pipe.send(("there",))
                    self._come.clear()
        except (EOFError, OSError):
            # The parent is gone without a word: nobody else will remove its file.
            if self._newest:
                forget(self._newest)
            raise
        finally:
            if self._output:
                self._output.stop()

    def _goes_on(self, output: Output) -> bool:
        """Whether the stream still plays; the parent is told what has become of it."""
        if output.failure:
            self._pipe.send(("failed", output.failure))
            return False
        try:
            trouble, fed_s, deeper = output.trouble(), None, True
            if not trouble:
                fed_s = output.deepen()
            if not trouble and fed_s is None:
                fed_s, deeper = output.settle(), False
        except NoSoundError as error:
            trouble = str(error)
        if trouble:
            self._pipe.send(("lost", trouble))
            return False
        if fed_s is not None:
            self._pipe.send(("deeper" if deeper else "settled", fed_s))
        return True

    def _look_for_device(self) -> None:
        """See now and then whether the device has come that was not there."""
        with contextlib.suppress(NoSoundError):
            library()  # where it is missing there is nothing to look for
            pause_s = LOOK_AFTER_S
            while True:
                time.sleep(pause_s)
                pause_s = min(1.5 * pause_s, LOOK_EVERY_S)
                if can_be_heard(self._device):
                    self._come.set()
                    return

    def _obey(self, message: tuple[Any, ...]) -> None:
        if message[0] == "load":
            load: Load = message[1]
            self._newest = load.place
            longest = max((layout.length for layout in load.layouts), default=0)
            self._desk.post((load.number, "expect", (longest / load.rate,)))
            self._orders.put(load)
            return
        if message[0] == "patch":
            self._orders.put(message[1])
            return
        if message[0] == "sound":
            self._sounds.append(message[1])
            return
        if message[0] == "tile":
            self._orders.put(message[1]._replace(sounds=tuple(self._sounds)))
            self._sounds.clear()
            return
        if message[0] == "audition":
            _, number, signal, rate = message
            self._desk.post((number, "audition", (resample(signal, rate, self._desk.rate),)))
            return
        _, number, name, arguments = message
        if name == "strips":
            strips, generation = arguments
            name, arguments = "aim", (channel_gains(strips, CHANNELS), generation)
        if name == "seek":
            self._fetch(arguments[0])
        self._desk.post((number, name, arguments))

    def _fetch(self, position_s: float) -> None:
        """Have what is heard from `position_s` on in memory in time: the audio thread must not wait for a disk."""
        if self._ahead is not None:
            rate = self._desk.rate
            self._ahead.fetch(round(position_s * rate), round(FETCHED_S * rate))

    def _prepare_orders(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)
        # What the resampler imports is imported now: the first note at another rate would wait for it, and all behind it.
        resample(np.zeros((1, 1), np.float32), 1, 2)
        while True:
            orders = [self._orders.get()]
            while not self._orders.empty():
                orders.append(self._orders.get())
            newest = max((at for at, order in enumerate(orders) if isinstance(order, Load)), default=0)
            for order in orders[newest:]:
                if isinstance(order, Patch):
                    self._prepare_patch(order)
                    continue
                if isinstance(order, Tile):
                    for command in self._tiles.commands(order, self._desk.rate):
                        self._desk.post(command)
                    continue
                with contextlib.suppress(FileNotFoundError):  # a newer load has taken its place, and comes next
                    self._prepare(order)
            del orders, order  # what they hold is large, and the next may be long in coming

    def _prepare(self, load: Load) -> None:
        segment, rate = Segment(place=load.place), self._desk.rate
        recorded = tuple(map(Patchwork, views(segment, load.layouts)))
        self._arrived.append(segment)
        heard, layouts, signals = segment, load.layouts, recorded
        if load.rate != rate:
            heard, layouts = _resampled(recorded, load.rate, rate)
            signals = tuple(map(Patchwork, views(heard, layouts)))
            self._arrived.append(heard)
        self._ahead = _Ahead(heard, layouts)
        self._prepared = _Prepared(load.generation, load.rate, recorded, signals)
        mixer = Mixer(signals, channel_gains(load.strips, CHANNELS), ramp_length=round(RAMP_S * rate))
        self._desk.post((load.number, "swap", (mixer, load.generation, rate)))

    def _prepare_patch(self, patch: Patch) -> None:
        prepared, rate = self._prepared, self._desk.rate
        if prepared is None or prepared.generation != patch.generation:
            return
        wanted = by_signal(patch.pieces)
        recorded = tuple(s.patched(wanted.get(index, ())) for index, s in enumerate(prepared.recorded))
        signals = recorded
        if prepared.rate != rate:
            signals = tuple(
                heard.patched(
                    [
                        resampled_stretch(recorded[index], first, first + len(piece), rate=prepared.rate, to_rate=rate)
                        for first, piece in wanted.get(index, ())
                    ]
                )
                for index, heard in enumerate(prepared.signals)
            )
        self._prepared = prepared._replace(recorded=recorded, signals=signals)
        self._desk.post((patch.number, "patch", (signals, patch.generation)))

    def _let_go(self) -> None:
        """Free what the audio thread has put away."""
        self._desk.retired.clear()
        while self._arrived:
            self._held.append(self._arrived.popleft())
        self._held = [segment for segment in self._held if not segment.close()]


class _Ahead(NamedTuple):
    """Where what is heard lies, to be read into memory before it is needed."""

    segment: Segment
    layouts: tuple[Layout, ...]

    def fetch(self, first: int, count: int) -> None:
        """Samples `first` to `first + count` of all signals."""
        for layout in self.layouts:
            length = min(count, layout.length - first)
            if length > 0:
                self.segment.fetch(layout.start + first * layout.channels, length * layout.channels)


def _resampled(signals: Sequence[Patchwork], rate: int, to_rate: int) -> tuple[Segment, tuple[Layout, ...]]:
    """The signals at another rate, in a segment that nobody else finds."""
    layouts, start = [], 0
    for recorded in signals:
        length, channels = (2 * len(recorded) * to_rate + rate) // (2 * rate), recorded.shape[1]
        layouts.append(Layout(start, length, channels))
        start += length * channels
    segment = Segment(4 * start)
    try:
        for layout, recorded in zip(layouts, signals, strict=True):
            _write_resampled(segment, layout, recorded, rate, to_rate)
    finally:
        segment.unlink()
    return segment, tuple(layouts)


def _write_resampled(segment: Segment, layout: Layout, recorded: Patchwork, rate: int, to_rate: int) -> None:
    """A part at a time, so that what lies in files never comes into memory whole."""
    import soxr

    stream = soxr.ResampleStream(rate, to_rate, layout.channels, dtype="float32", quality="HQ")
    there = 0
    for start in range(0, len(recorded), RESAMPLED_AT_ONCE):
        stop = min(start + RESAMPLED_AT_ONCE, len(recorded))
        pieces = recorded.cut(start, stop)
        part = stream.resample_chunk(np.concatenate(pieces), last=stop == len(recorded))[: layout.length - there]
        segment.write(layout.start + there * layout.channels, part)
        there += len(part)
        for piece in pieces:
            maps.release(piece)


class _Prepared(NamedTuple):
    """The newest load and its patches: as recorded at `rate`, and as heard at the device's (the same where they agree)."""

    generation: int
    rate: int
    recorded: tuple[Patchwork, ...]
    signals: tuple[Patchwork, ...]


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        threading.Event().wait(2.0)  # the serving loop sees it too, and tidies up more
        os._exit(1)


def quieten() -> None:
    """ALSA and JACK write to stderr of every device they miss; what matters goes through the pipe."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
