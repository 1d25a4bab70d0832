"""Whether the music ever stutters: `soak.py MINUTES [--hold] [--latency SECONDS] [--ordinary]`, PYTHONPATH=desktop:tests.

Plays eight layers for so many minutes on a sound card in software while the window beside it decomposes the demo again and again
on all cores and scrolls the roll; with --hold it also holds its interpreter lock for 200 ms at a time. Prints the underruns, how
far the recording of what was heard is from the offline mix, the time that the callback took, and how often the machine itself
stood still, which is heard however the program is made. With --ordinary the sound process has no privileges of priority.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playback.hearing import SILENT_ENOUGH, interpreter_held, lag, noise, standstills
from playback.sound_card import RATE, SoundServer
from playback.waiting import eventually

from soli.playback.board import durations_s
from soli.playback.mixer import Strip, mix_offline
from soli.playback.output import BLOCK_LENGTH
from soli.playback.player import ProcessPlayer

LAYERS = 8
PERIOD_S = BLOCK_LENGTH / RATE
UNIQUE_S = 30.0
RAMP_S = 0.02
POLL_S = 40.0  # the board remembers a little more


class Outcome(NamedTuple):
    """`disturbed`: how many seconds of the recording differ by more than -90 dBFS; `difference` of all others.

    `callbacks_s`: how long each took. `standstills_s`: how long the machine stood still each time; `held_s` the lock.
    """

    underruns: int
    disturbed: int
    difference: float
    callbacks_s: np.ndarray
    standstills_s: list[float]
    held_s: list[float]
    decompositions: int
    scrolled: int
    message: str
    load: float

    def says(self) -> str:
        p50, p99, p999 = 1000 * np.percentile(self.callbacks_s, [50, 99, 99.9])
        decibels = 20 * np.log10(max(self.difference, 1e-12))
        stood = ", ".join(f"{1000 * s:.0f}" for s in sorted(self.standstills_s, reverse=True)[:12])
        return (
            f"underruns {self.underruns}; disturbed seconds {self.disturbed}; elsewhere {decibels:.0f} dBFS\n"
            f"callback p50 {p50:.2f} p99 {p99:.2f} p99.9 {p999:.2f} longest {1000 * self.callbacks_s.max():.2f} ms "
            f"of a period of {1000 * PERIOD_S:.1f} ms\n"
            f"the machine stood still {len(self.standstills_s)} times: {stood or 'never'} ms; load {self.load:.1f}\n"
            f"lock held {len(self.held_s)} times, longest {1000 * max(self.held_s, default=0):.0f} ms; "
            f"{self.decompositions} decompositions, {self.scrolled} frames scrolled{'; ' + self.message if self.message else ''}"
        )


def soak(
    server: SoundServer, seconds: float, *, hold: bool = False, latency_s: float | None = None, launcher: Path | None = None
) -> Outcome:
    """Play for `seconds` on a sound card, and listen. `launcher` starts the sound process in place of Python."""
    strips = [Strip(-0.5 * n, 0.1 * n) for n in range(LAYERS)]
    unique = noise(min(seconds, UNIQUE_S), LAYERS)
    times = -(-round(seconds * RATE) // len(unique[0]))
    signals = [np.tile(signal, (times, 1))[: round(seconds * RATE)] for signal in unique]
    with ExitStack() as stack:
        busy = stack.enter_context(closing(Busy()))
        multiprocessing.set_executable(str(launcher or sys.executable))
        player = stack.enter_context(closing(ProcessPlayer("pulse", latency_s=latency_s)))
        player.load(signals, RATE, strips)
        assert eventually(lambda: len(durations_s(player.board)) > 0), player.status().message
        multiprocessing.set_executable(sys.executable)
        heard = stack.enter_context(server.recording())
        stood = stack.enter_context(standstills())
        held_s = stack.enter_context(interpreter_held(0.2)) if hold else []
        callbacks_s = []
        player.play()
        until_s, poll_s = time.monotonic() + 2 * seconds + 30, time.monotonic() + POLL_S
        started = False
        while (status := player.status()).playing or not started:
            started = started or status.position_s > 0.0
            busy.turn()
            if time.monotonic() > poll_s:
                callbacks_s.append(durations_s(player.board))
                poll_s += POLL_S
            assert time.monotonic() < until_s, f"the music does not end: {status}"
        callbacks_s.append(durations_s(player.board))
        time.sleep(0.5)
    expected = mix_offline(unique, strips)
    disturbed, difference = compare(heard[0], expected, len(signals[0]))
    return Outcome(
        status.underruns,
        disturbed,
        difference,
        np.concatenate(callbacks_s),
        stood,
        held_s,
        busy.decompositions,
        busy.scrolled,
        status.message,
        os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def compare(heard: np.ndarray, expected: np.ndarray, length: int) -> tuple[int, float]:
    """How many seconds of `length` samples, the repeated `expected`, are not there; how far the others are off.

    After a gap the next second is looked for where it may be.
    """
    sought = round(3.0 * RATE)
    offset = lag(heard[: RATE + 2 * sought], expected[:RATE])
    disturbed, difference = 0, 0.0
    ramp = round(RAMP_S * RATE)
    for start in range(0, length, RATE):
        places = np.arange(start + (ramp if start == 0 else 0), min(start + RATE, length))
        wanted = expected[places % len(expected)]
        for _ in range(2):
            found = heard[offset + places[0] : offset + places[-1] + 1]
            off = float(np.abs(found - wanted).max()) if len(found) == len(wanted) else np.inf
            if off < SILENT_ENOUGH:
                break
            around = max(0, offset + int(places[0]) - sought)
            offset = around + lag(heard[around : around + 2 * sought + RATE], wanted) - int(places[0])
        if off < SILENT_ENOUGH:
            difference = max(difference, off)
        else:
            disturbed += 1
    return disturbed, difference


class Busy:
    """A window that decomposes the demo over and over, and scrolls."""

    def __init__(self) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")
        from big_piece import wheel
        from PySide6.QtCore import QPoint
        from PySide6.QtWidgets import QApplication

        from soli.app import Application
        from soli.assets import asset
        from soli.playback.fake import FakePlayer
        from soli.settings import Settings

        self._qt = QApplication.instance() or QApplication(sys.argv[:1])
        self._soli = Application(self._qt, FakePlayer(live=False), Settings())
        self._soli.window.resize(1400, 800)
        self._soli.show()
        self._soli.window.open_paths([asset("demo", "recording.flac"), asset("demo", "score.mid")])
        self._turn, self._wheel = QPoint(-60, 0), wheel
        self.decompositions = self.scrolled = 0
        while self._works():
            self._qt.processEvents()
            time.sleep(0.001)

    def turn(self) -> None:
        """One turn of the event loop: a frame."""
        soli = self._soli
        if not self._works():
            self.decompositions += 1
            soli.session.decompose()
        canvas = soli.window.roll.canvas
        self.scrolled += 1
        if self.scrolled % 100 == 0:
            self._turn = -self._turn
        self._wheel(canvas, 600, 300, turn=self._turn)
        self._qt.processEvents()
        time.sleep(0.005)

    def close(self) -> None:
        self._soli.session.cancel()
        self._soli.close()
        self._soli.window.deleteLater()
        self._qt.processEvents()

    def _works(self) -> bool:
        session = self._soli.session
        return bool(session.opening or session.decomposing or self._soli.worker.busy)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--latency", type=float)
    parser.add_argument("--ordinary", action="store_true")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soli-sound-"))
    folder.chmod(0o700)
    server = SoundServer(folder)
    os.environ.update(server.environment)
    launcher = _without_privileges(folder) if asked.ordinary else None
    try:
        print(soak(server, 60 * asked.minutes, hold=asked.hold, latency_s=asked.latency, launcher=launcher).says(), flush=True)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _without_privileges(folder: Path) -> Path:
    """A Python without the right to come before others, which root has."""
    plain = folder / "plain"
    plain.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice {sys.executable} "$@"\n')
    plain.chmod(0o700)
    return plain


if __name__ == "__main__":
    main()
