"""How soon a click is heard: `heard_after.py [TIMES] [LATENCY]`, PYTHONPATH=desktop:tests.

On a sound card in software: a sound on its own, and a strip that is muted while the music plays, from the call to the middle of
its ramp in what the card plays. The recorder's own delay, some milliseconds, is in the figures.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from playback.sound_card import RATE, SoundServer
from playback.waiting import eventually

from soli.playback.board import durations_s
from soli.playback.mixer import Strip
from soli.playback.player import ProcessPlayer

LEVEL = 0.25
CHUNK = 64 * 8


class Ear:
    """Hears the card, and says when which sample was heard."""

    def __init__(self, server: SoundServer) -> None:
        self._recorder = subprocess.Popen(
            [
                "parec", "-d", "soli.monitor", "--format=float32le", f"--rate={RATE}", "--channels=2", "--latency-msec=5",
                "--process-time-msec=2",
            ],
            env=os.environ | server.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._pieces: list[bytes] = []
        self.began_s = np.inf
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._recorder.stdout is not None
        heard = 0
        while piece := os.read(self._recorder.stdout.fileno(), CHUNK):
            self._pieces.append(piece)
            heard += len(piece) // 8
            # The piece that was least late says when the first sample was heard.
            self.began_s = min(self.began_s, time.perf_counter() - heard / RATE)

    def close(self) -> None:
        self._recorder.terminate()
        self._thread.join(timeout=5)
        self._recorder.wait(timeout=5)

    def sound(self) -> np.ndarray:
        whole = b"".join(self._pieces)
        return np.frombuffer(whole[: len(whole) // 8 * 8], np.float32).reshape(-1, 2)[:, 0]


def measure(ear: Ear, times: int, act: Callable[[], None], undo: Callable[[], None], *, rises: bool) -> None:
    rng = np.random.default_rng(0)
    asked_s = []
    for _ in range(times):
        time.sleep(rng.uniform(0.6, 0.9))
        asked_s.append(time.perf_counter())
        act()
        time.sleep(rng.uniform(0.6, 0.9))
        undo()
    time.sleep(1.0)
    loud = ear.sound() > LEVEL / 2
    turned = 1 + np.flatnonzero(loud[1:] & ~loud[:-1] if rises else ~loud[1:] & loud[:-1])
    heard_s = ear.began_s + turned / RATE
    after_ms = [1000 * (heard_s[heard_s > asked][0] - asked) for asked in asked_s]
    print(f"   p50 {np.median(after_ms):.0f} p95 {np.percentile(after_ms, 95):.0f} longest {max(after_ms):.0f} ms", flush=True)


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    latency_s = float(sys.argv[2]) if len(sys.argv) > 2 else None
    folder = Path(tempfile.mkdtemp(prefix="soli-sound-"))
    folder.chmod(0o700)
    server = SoundServer(folder)
    os.environ.update(server.environment)
    note, silence = np.full((2 * RATE, 2), LEVEL, np.float32), np.zeros((0, 2), np.float32)
    try:
        with closing(ProcessPlayer("pulse", latency_s=latency_s)) as player:
            assert eventually(lambda: len(durations_s(player.board)) > 0), player.status().message
            with closing(Ear(server)) as ear:
                print("a note alone")
                measure(ear, times, lambda: player.audition(note, RATE), lambda: player.audition(silence, RATE), rises=True)
            player.load([np.full((60 * RATE, 2), LEVEL, np.float32)], RATE, [Strip()])
            player.set_loop(0.0, 59.0)
            player.play()
            with closing(Ear(server)) as ear:
                print("a strip muted")
                muted, heard = [Strip(muted=True)], [Strip()]
                measure(ear, times, lambda: player.set_strips(muted), lambda: player.set_strips(heard), rises=False)
            print(f"underruns {player.status().underruns}; load {os.getloadavg()[0]:.1f} {player.status().message}")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
