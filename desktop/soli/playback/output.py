"""A PortAudio stream that plays a desk, fed as far ahead as the machine turns out to need."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from soli.playback.board import BoardWriter, Cells
from soli.playback.desk import CHANNELS, Desk, clock_s
from soli.playback.sound_server import behind
from soli.signal.audio import FloatArray

BLOCK_LENGTH = 512
# How far a device is fed ahead by default. A change is heard within 100 ms with the first; the others are for machines
# that stand still for longer than that, and are taken once they have been seen to, for as long as that is not long ago.
LATENCIES_S = (0.07, 0.15, 0.3)
STALLS = 2
STALLS_WITHIN_S = 60.0
APART_S = 0.5
SETTLES_AFTER_S = 120.0  # without a stall; twice as long each time that it was too soon
SETTLES_AT_MOST_AFTER_S = 1920.0
SILENT_S = 2.0
LOST_AFTER_S = 3.0
LATENCY_TRACKING = 0.05
PATIENCE_S = 1.0


class NoSoundError(Exception):
    """No stream could be opened; its text is the sentence for the user."""


class Output:
    """A stream in the device's own rate that plays a desk.

    `device` is PortAudio's name or number of one, None for the default; its channels from `first_channel` on (from 0) are
    played on, the first ones if it has none so far. Where `latency_s` is None the stream begins with
    the first of LATENCIES_S, `deepen` takes it further, and `settle` back. Raises NoSoundError.
    """

    def __init__(self, cells: Cells, device: str | int | None, latency_s: float | None, first_channel: int = 0) -> None:
        self._device = device
        sounddevice = library()
        about = describe(device)
        present = int(about["max_output_channels"])
        self._first_channel = first_channel if 0 < first_channel <= present - CHANNELS else 0
        self._channels = self._first_channel + min(CHANNELS, present)
        self._name = str(about["name"])
        server = behind(about, str(sounddevice.query_hostapis(about["hostapi"])["name"]))
        rate = round(about["default_samplerate"]) if server is None else server.rate
        least_s = float(about["default_high_output_latency"])
        self._latencies_s = [max(least_s, latency) for latency in LATENCIES_S] if latency_s is None else [latency_s]
        self.desk = Desk(rate, cells)
        self._board = BoardWriter(cells)
        self._scratch = np.zeros((BLOCK_LENGTH, CHANNELS), np.float32)
        self._stop, self._abort = sounddevice.CallbackStop, sounddevice.CallbackAbort
        self._step = 0  # of the latencies
        self._settled = False
        self._settles_after_s = SETTLES_AFTER_S
        self._calm_since_s = self._silent_since_s = clock_s()
        self._ending: type[Exception] | None = None
        self._offset_s: float | None = None
        self._played = 0
        self._blocks = 0
        self._blocks_seen, self._seen_s = 0, clock_s()
        self._stalls_s: list[float] = []
        self._error: Exception | None = None
        self._open()

    @property
    def rate(self) -> int:
        return self.desk.rate

    @property
    def name(self) -> str:
        """What PortAudio calls the device."""
        return self._name

    def start(self) -> None:
        """Begin to play. Raises NoSoundError."""
        self._seen_s = clock_s()
        try:
            with in_real_time():  # inherited by the threads in which the device's driver works
                self._stream.start()
        except library().PortAudioError as error:
            raise NoSoundError(cannot_open(self._name)) from error

    def stop(self, *, at_once: bool = True) -> bool:
        """Let the stream end, what it was fed heard or not; False if the device no longer answers and it does not.

        The callback ends it: PortAudio's own abort cancels the audio thread wherever it is, and one that is cancelled
        while it waits for the interpreter lock takes the lock with it.
        """
        self._ending = self._abort if at_once else self._stop
        until_s = clock_s() + PATIENCE_S
        while self._stream.active:
            if clock_s() > until_s:
                return False
            time.sleep(0.005)
        return True

    @property
    def failure(self) -> str:
        """What went wrong in a callback, as the beginning of a sentence, or nothing: no sound comes from it any more."""
        return "" if self._error is None else f"The sound engine failed ({self._error})"

    def trouble(self) -> str:
        """Why the device no longer plays, in one sentence, or nothing. Called now and then."""
        now_s = clock_s()
        if self._blocks != self._blocks_seen:
            self._blocks_seen, self._seen_s = self._blocks, now_s
        if not self._stream.active or now_s - self._seen_s > LOST_AFTER_S:
            return f"The sound device {self._name} no longer answers; connect it or another one, then press play."
        return ""

    def deepen(self) -> float | None:
        """Feed the device further ahead if it has run dry of late; by how much then, in seconds. Called now and then.

        What it was fed is heard to its end; the silence until the next block is that of opening a device. Raises
        NoSoundError if the device cannot be opened again.
        """
        late = self._stalls_s
        if self._step + 1 >= len(self._latencies_s) or len(late) < STALLS or late[-1] - late[-STALLS] > STALLS_WITHIN_S:
            return None
        if self._settled:
            self._settles_after_s, self._settled = min(2 * self._settles_after_s, SETTLES_AT_MOST_AFTER_S), False
        return self._reopen(self._step + 1)

    def settle(self) -> float | None:
        """Feed the device less far ahead again after a long time without a stall; by how much then. Called now and then.

        In silence only, where the opening of a device is not heard. Raises NoSoundError as `deepen` does.
        """
        now_s, late = clock_s(), self._stalls_s
        if self.desk.sounding:
            self._silent_since_s = now_s
        calm_s = now_s - max([self._calm_since_s, *late[-1:]])
        if not self._step or now_s - self._silent_since_s < SILENT_S or calm_s < self._settles_after_s:
            return None
        self._settled = True
        return self._reopen(self._step - 1)

    def _reopen(self, step: int) -> float | None:
        """Go on with another latency; None if the device no longer answers."""
        if not self.stop(at_once=False):
            return None  # which is trouble, and found to be
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(timeout=PATIENCE_S)
        self._step, self._calm_since_s = step, clock_s()
        self._stalls_s, self._ending, self._offset_s, self._played, self._blocks = [], None, None, 0, 0
        self._open()
        self.start()
        return self._latencies_s[step]

    def _open(self) -> None:
        sounddevice = library()
        try:
            with in_real_time():
                self._stream = sounddevice.OutputStream(
                    samplerate=self.desk.rate,
                    blocksize=BLOCK_LENGTH,
                    device=self._device,
                    channels=self._channels,
                    dtype="float32",
                    latency=self._latencies_s[self._step],
                    callback=self._callback,
                )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise NoSoundError(cannot_open(self._name)) from error
        self._latency_s = float(self._stream.latency)

    def _close(self) -> None:
        with contextlib.suppress(Exception):
            self._stream.close(ignore_errors=True)

    def _callback(self, out: FloatArray, frames: int, times: Any, flags: Any) -> None:
        """Called from the audio thread."""
        if self._ending is not None:
            out.fill(0.0)
            raise self._ending
        started_s = clock_s()
        try:
            if not self._blocks:
                hurry(real_time=True)
            if flags.output_underflow:
                self._stall(started_s)
            heard_s = self._heard_s(started_s, times)
            if self._error is not None:
                out.fill(0.0)
            elif self._channels == CHANNELS:
                self.desk.render(out, heard_s)
            else:
                both = self._scratch[:frames]
                self.desk.render(both, heard_s)
                if self._channels == 1:
                    np.mean(both, axis=1, keepdims=True, out=out)
                else:
                    out[:, : self._first_channel] = 0.0
                    out[:, self._first_channel :] = both
            self._played += frames
            self._blocks += 1
            self._board.duration(clock_s() - started_s)
        except Exception as error:  # whatever it is, the device gets silence and the parent a sentence
            out.fill(0.0)
            self._error = error

    def _stall(self, now_s: float) -> None:
        """The device has run dry; some report it with two blocks in a row."""
        if self.desk.sounding:
            self._board.underrun()
        if not self._stalls_s or now_s - self._stalls_s[-1] > APART_S:
            self._stalls_s = [*self._stalls_s[1 - STALLS :], now_s]

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


def library() -> Any:
    """The sounddevice module. Raises NoSoundError where PortAudio is missing or does not start."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    try:
        import sounddevice
    except Exception as error:  # an OSError where the library is missing, its own where it does not start
        raise NoSoundError(
            f"There is no sound because of PortAudio ({error}); install libportaudio2 and start Soli again."
        ) from error
    return sounddevice


def describe(device: str | int | None) -> dict[str, Any]:
    """What PortAudio says of a device that can be heard. Raises NoSoundError if it is not there."""
    sounddevice = library()
    try:
        about: dict[str, Any] = sounddevice.query_devices(device, "output")
    except (sounddevice.PortAudioError, ValueError) as error:
        which = "No sound device was found" if device is None else f"The sound device {device} was not found"
        raise NoSoundError(f"{which}, so the music runs silently until it is there; connect it, or choose one.") from error
    return about


def can_be_heard(device: str | int | None) -> bool:
    """Whether a device that was not there has come, and takes sound. Only for a process in which no stream is open.

    Takes a second, and much longer with a driver that hangs.
    """
    sounddevice = library()
    asked = threading.Event()

    def silence(out: FloatArray, _frames: int, _times: Any, _flags: Any) -> None:
        out.fill(0.0)
        if asked.is_set():
            raise sounddevice.CallbackStop
        asked.set()

    try:
        sounddevice._terminate()  # PortAudio looks for devices only once
        sounddevice._initialize()
        about = describe(device)
        stream = sounddevice.OutputStream(
            samplerate=about["default_samplerate"],
            blocksize=BLOCK_LENGTH,
            device=device,
            channels=min(CHANNELS, int(about["max_output_channels"])),
            dtype="float32",
            callback=silence,
        )
        stream.start()
        heard = asked.wait(PATIENCE_S)
        until_s = clock_s() + PATIENCE_S
        while heard and stream.active and clock_s() < until_s:
            time.sleep(0.02)
        # One that hangs is left alone: closing it could wait for ever.
        if heard and not stream.active:
            stream.close(ignore_errors=True)
    except (NoSoundError, sounddevice.PortAudioError, ValueError):
        return False
    return heard


def hurry(*, real_time: bool) -> None:
    """Ask that the calling thread, and those it starts, come before others; many systems do not let them."""
    with contextlib.suppress(AttributeError, OSError):
        if real_time:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
        else:
            os.setpriority(os.PRIO_PROCESS, 0, -11)


def may_hurry() -> bool:
    """Whether this system lets the audio thread come before all others. Elsewhere than on Linux its driver sees to that."""
    allowed = sys.platform != "linux"

    def ask() -> None:  # a thread of its own, which ends with its priority
        nonlocal allowed
        with contextlib.suppress(AttributeError, OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
            allowed = True

    if not allowed:
        thread = threading.Thread(target=ask, name="soli priority")
        thread.start()
        thread.join()
    return allowed


@contextlib.contextmanager
def in_real_time() -> Iterator[None]:
    """Ask that threads which are started meanwhile come before all others."""
    hurry(real_time=True)
    try:
        yield
    finally:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def cannot_open(name: object) -> str:
    return (
        f"The sound device {name} cannot be opened, so the music runs silently until it can; close other programs that "
        "use it, or choose another in the preferences."
    )
