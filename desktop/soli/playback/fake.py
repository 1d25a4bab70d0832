"""A clock in the place of a sound device, and the player that runs on it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from soli.playback.board import Reading, read_board
from soli.playback.controls import Controls, Piece, by_signal
from soli.playback.desk import CHANNELS, Desk, clock_s
from soli.playback.mixer import RAMP_S, Mixer, channel_gains
from soli.playback.tiles import Tile, Tiles
from soli.signal.audio import FloatArray, resample
from soli.signal.patchwork import Patchwork

CLOCK_BLOCK_LENGTH = 512
FALLEN_BEHIND_S = 0.25


class SilentClock:
    """Lets a desk play in real time to nobody, in a thread of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soli silent clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        out = np.zeros((CLOCK_BLOCK_LENGTH, CHANNELS), np.float32)
        due_s = clock_s()
        while not self._over.wait(max(0.0, due_s - clock_s())):
            desk = self._desk
            desk.render(out, due_s)
            desk.retired.clear()
            due_s += len(out) / desk.rate
            if clock_s() - due_s > FALLEN_BEHIND_S:
                due_s = clock_s()


class FakePlayer(Controls):
    """A player without a device: the same desk, heard by nobody.

    With `live` it runs in real time; otherwise `step` renders by hand and returns what would have been heard.
    `message` is said in every status, for instance why there is no sound.
    """

    def __init__(self, *, live: bool = True, rate: int = 44100, message: str = "") -> None:
        super().__init__()
        self.device: str | int | None = None
        self.latency_s: float | None = None
        self.first_channel = 0
        self._own_message = message
        self._desk = Desk(rate, self._cells)
        self._time_s = 0.0
        self._rate = rate
        self._signals: tuple[Patchwork, ...] = ()
        self._tiles = Tiles()
        self._clock = SilentClock(self._desk) if live else None
        if self._clock:
            self._clock.start()

    def step(self, length: int) -> FloatArray:
        """What is heard in the next `length` samples, float32, shape (length, 2)."""
        if self._clock:
            raise RuntimeError("a live player is stepped by its clock")
        out = np.zeros((length, CHANNELS), np.float32)
        self._desk.render(out, self._time_s)
        self._time_s += length / self._desk.rate
        return out

    def use_device(self, device: str | int | None, *, latency_s: float | None = None, first_channel: int = 0) -> None:
        """Remember what is asked; the clock stays."""
        self.device, self.latency_s, self.first_channel = device, latency_s, first_channel

    def close(self) -> None:
        if self._clock:
            self._clock.stop()

    def _stage(self, signals: Sequence[FloatArray], rate: int) -> Callable[[], None]:
        def swap_in() -> None:
            self._rate = rate
            self._signals = tuple(map(Patchwork, signals))
            mixer = Mixer(self._signals, channel_gains(self._strips), ramp_length=round(RAMP_S * rate))
            self._command("swap", mixer, self._generation, rate)

        return swap_in

    def _send(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "strips":
            strips, generation = arguments
            name, arguments = "aim", (channel_gains(strips), generation)
        self._desk.post((number, name, arguments))

    def _send_tile(self, tile: Tile) -> None:
        for command in self._tiles.commands(tile, self._rate):
            self._desk.post(command)

    def _send_patch(self, number: int, pieces: Sequence[Piece]) -> None:
        wanted = by_signal(pieces)
        self._signals = tuple(signal.patched(wanted.get(index, ())) for index, signal in enumerate(self._signals))
        self._desk.post((number, "patch", (self._signals, self._generation)))

    def _send_audition(self, number: int, piece: FloatArray, rate: int) -> None:
        # The desk has the rate of the newest load by the time that it comes to this.
        self._desk.post((number, "audition", (resample(piece, rate, self._rate),)))

    def _reading(self) -> Reading:
        return read_board(self._cells, clock_s() if self._clock else self._time_s)

    def _message(self, reading: Reading) -> str:
        return self._own_message or super()._message(reading)
