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
from collections import deque
from multiprocessing import connection, parent_process
from typing import Any, NamedTuple

import numpy as np

from soli.playback.board import BoardWriter, Cells
from soli.playback.controls import Piece, by_signal
from soli.playback.desk import CHANNELS, Desk, clock_s
from soli.playback.fake import SilentClock
from soli.playback.mixer import RAMP_S, Mixer, Strip, channel_gains
from soli.playback.segments import Layout, Place, Segment, forget, views
from soli.signal.audio import FloatArray, resample
from soli.signal.patchwork import Patchwork, resampled_stretch

BLOCK_LENGTH = 1024
SILENT_RATE = 44100
LOST_AFTER_S = 3.0
LATENCY_TRACKING = 0.05


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


def run(pipe: "connection.Connection[Any, Any]", board: Place, device: str | int | None, latency_s: float | None) -> None:
    """The whole life of the sound process; never returns.

    Understands ("command", number, name, arguments), ("load", Load), ("patch", Patch), ("audition", number, signal, rate)
    and ("close",); says ("ready", sentence) once, and ("failed", sentence) before it gives up.
    """
    code = 1
    quieten()
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's to answer
        threading.Thread(target=_die_with_parent, daemon=True).start()
        Engine(pipe, board, device, latency_s).serve()
        code = 0
    except (EOFError, OSError):
        pass
    except Exception as error:
        with contextlib.suppress(OSError):
            pipe.send(("failed", f"The sound engine failed ({error}); press play to start it again."))
    finally:
        # Not sys.exit: PortAudio's own exit handler may wait for ever on a device that is gone.
        os._exit(code)


class Engine:
    """The desk, what drives it (a stream, or a clock where there is no device), and the parent's wishes."""

    def __init__(
        self, pipe: "connection.Connection[Any, Any]", board: Place, device: str | int | None, latency_s: float | None
    ) -> None:
        self._pipe = pipe
        self._board = Segment(place=board)
        cells = self._board.doubles()
        self._orders: queue.SimpleQueue[Load | Patch] = queue.SimpleQueue()
        self._prepared: _Prepared | None = None
        self._arrived: deque[Segment] = deque()
        self._held: list[Segment] = []
        self._newest: Place | None = None
        self._clock: SilentClock | None = None
        self._output: Output | None = None
        message = ""
        _hurry(real_time=False)  # inherited by the threads in which the device's driver works
        try:
            self._output = Output(cells, device, latency_s)
            self._desk = self._output.desk
            self._output.start()
        except _NoSoundError as error:
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
        pipe.send(("ready", message))

    def serve(self) -> None:
        """Do what the parent says until it says close or is gone. Raises EOFError when it is gone."""
        threading.Thread(target=self._prepare_orders, daemon=True).start()
        try:
            while True:
                if self._pipe.poll(0.5):
                    message = self._pipe.recv()
                    if message[0] == "close":
                        return
                    self._obey(message)
                self._let_go()
                if self._output and (trouble := self._output.trouble()):
                    self._pipe.send(("failed", trouble))
                    return
        except (EOFError, OSError):
            # The parent is gone without a word: nobody else will remove its file.
            if self._newest:
                forget(self._newest)
            raise
        finally:
            if self._output:
                self._output.stop()

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
        if message[0] == "audition":
            _, number, signal, rate = message
            self._desk.post((number, "audition", (resample(signal, rate, self._desk.rate),)))
            return
        _, number, name, arguments = message
        if name == "strips":
            strips, generation = arguments
            name, arguments = "aim", (channel_gains(strips, CHANNELS), generation)
        self._desk.post((number, name, arguments))

    def _prepare_orders(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)
        while True:
            orders = [self._orders.get()]
            while not self._orders.empty():
                orders.append(self._orders.get())
            newest = max((at for at, order in enumerate(orders) if isinstance(order, Load)), default=0)
            for order in orders[newest:]:
                if isinstance(order, Patch):
                    self._prepare_patch(order)
                    continue
                with contextlib.suppress(FileNotFoundError):  # a newer load has taken its place, and comes next
                    self._prepare(order)
            del orders, order  # what they hold is large, and the next may be long in coming

    def _prepare(self, load: Load) -> None:
        segment, rate = Segment(place=load.place), self._desk.rate
        recorded = tuple(map(Patchwork, views(segment, load.layouts)))
        signals = recorded
        if load.rate != rate:
            signals = tuple(Patchwork(resample(signal, load.rate, rate)) for signal in views(segment, load.layouts))
        self._prepared = _Prepared(load.generation, load.rate, recorded, signals)
        mixer = Mixer(signals, channel_gains(load.strips, CHANNELS), ramp_length=round(RAMP_S * rate))
        self._arrived.append(segment)
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


class _Prepared(NamedTuple):
    """The newest load and its patches: as recorded at `rate`, and as heard at the device's (the same where they agree)."""

    generation: int
    rate: int
    recorded: tuple[Patchwork, ...]
    signals: tuple[Patchwork, ...]


class _NoSoundError(Exception):
    """No stream could be opened; its text is the sentence for the user."""


class Output:
    """A PortAudio stream in the device's own rate that plays a desk. Raises _NoSoundError."""

    def __init__(self, cells: Cells, device: str | int | None, latency_s: float | None) -> None:
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        try:
            import sounddevice
        except Exception as error:  # an OSError where the library is missing, its own where it does not start
            raise _NoSoundError(
                f"There is no sound because of PortAudio ({error}); install libportaudio2 and start Soli again."
            ) from error
        try:
            about = sounddevice.query_devices(device, "output")
        except (sounddevice.PortAudioError, ValueError) as error:
            which = "No sound device was found" if device is None else f"The sound device {device} was not found"
            raise _NoSoundError(f"{which}, so the music runs silently; connect it, or choose one in the preferences.") from error
        self._channels = min(CHANNELS, int(about["max_output_channels"]))
        self._name = str(about["name"])
        rate = round(about["default_samplerate"])
        self.desk = Desk(rate, cells)
        self._board = BoardWriter(cells)
        self._scratch = np.zeros((BLOCK_LENGTH, CHANNELS), np.float32)
        self._played = 0
        self._offset_s: float | None = None
        self._blocks_seen, self._seen_s = 0, clock_s()
        self._blocks = 0
        self._error: Exception | None = None
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=rate,
                blocksize=BLOCK_LENGTH,
                device=device,
                channels=self._channels,
                dtype="float32",
                latency="high" if latency_s is None else latency_s,
                callback=self._callback,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise _NoSoundError(_cannot_open(self._name)) from error
        self._latency_s = float(self._stream.latency)

    def start(self) -> None:
        """Begin to play. Raises _NoSoundError."""
        import sounddevice

        self._seen_s = clock_s()
        try:
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise _NoSoundError(_cannot_open(self._name)) from error

    def stop(self) -> None:
        """End the stream, but do not wait for ever for a device that no longer answers."""
        thread = threading.Thread(target=self._abort, daemon=True)
        thread.start()
        thread.join(timeout=1.0)

    def trouble(self) -> str:
        """Why the stream no longer plays, in one sentence, or nothing. Called now and then."""
        if self._error is not None:
            return f"The sound engine failed ({self._error}); press play to start it again."
        now_s = clock_s()
        if self._blocks != self._blocks_seen:
            self._blocks_seen, self._seen_s = self._blocks, now_s
        if not self._stream.active or now_s - self._seen_s > LOST_AFTER_S:
            return f"The sound device {self._name} no longer answers; connect it or another one, then press play."
        return ""

    def _abort(self) -> None:
        with contextlib.suppress(Exception):
            self._stream.abort(ignore_errors=True)

    def _callback(self, out: FloatArray, frames: int, times: Any, flags: Any) -> None:
        """Called from the audio thread."""
        started_s = clock_s()
        try:
            if not self._blocks:
                _hurry(real_time=True)
            if flags.output_underflow and self.desk.sounding:
                self._board.underrun()
            heard_s = self._heard_s(started_s, times)
            if self._channels == CHANNELS:
                self.desk.render(out, heard_s)
            else:
                both = self._scratch[:frames]
                self.desk.render(both, heard_s)
                np.mean(both, axis=1, keepdims=True, out=out)
            self._played += frames
            self._blocks += 1
            self._board.duration(clock_s() - started_s)
        except Exception as error:  # whatever it is, the device gets silence and the parent a sentence
            out.fill(0.0)
            self._error = error

    def _heard_s(self, now_s: float, times: Any) -> float:
        """When this block reaches the ear: the device's word, steadied, because callbacks come in fits and starts."""
        latency_s = times.outputBufferDacTime - times.currentTime
        if not 0.0 < latency_s < 2.0:
            latency_s = self._latency_s
        offset_s = now_s + latency_s - self._played / self.desk.rate
        if self._offset_s is None or abs(offset_s - self._offset_s) > 0.1:
            self._offset_s = offset_s
        self._offset_s += LATENCY_TRACKING * (offset_s - self._offset_s)
        return self._offset_s + self._played / self.desk.rate


def _hurry(*, real_time: bool) -> None:
    """Ask that the calling thread, and those it starts, come before others; many systems do not let them."""
    with contextlib.suppress(AttributeError, OSError):
        if real_time:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
        else:
            os.setpriority(os.PRIO_PROCESS, 0, -11)


def _cannot_open(name: object) -> str:
    return (
        f"The sound device {name} cannot be opened, so the music runs silently; close other programs that use it "
        "or choose another in the preferences."
    )


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
