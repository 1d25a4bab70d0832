"""A software sound card for the tests: a PulseAudio server of their own, whose null sink can be listened to."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

RATE = 44100


class SoundServer:
    """A running server; its null sink plays in stereo at `rate` Hz and its monitor can be recorded."""

    def __init__(self, folder: Path, *, rate: int = RATE) -> None:
        self._folder, self.rate = folder, rate
        self._card = ("sink_name=soli", f"rate={rate}", "format=float32le", "channels=2", "norewinds=1")
        self.environment = {
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/native",
        }
        quiet = {name: value for name, value in os.environ.items() if name not in ("PULSE_SERVER", "DISPLAY")}
        quiet |= {name: value for name, value in self.environment.items() if name != "PULSE_SERVER"}
        self._server = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=30", "--use-pid-file=no", "--disable-shm=yes",
                "--realtime=no",
                "-L", f"module-null-sink {' '.join(self._card)}",
                "-L", f"module-native-protocol-unix socket={folder}/native auth-anonymous=1",
            ],
            env=quiet, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        # A card keeps time whatever the machine does; a server that shares its cores with tests has to be let forward.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._server.pid, -15)
        self._wait_until_it_answers()
        self._control("set-default-sink", "soli")
        self._control("set-default-source", "soli.monitor")

    @contextmanager
    def recording(self) -> Iterator[list[np.ndarray]]:
        """Record what is heard meanwhile; afterwards the list holds it, float32 (length, 2)."""
        heard: list[np.ndarray] = []
        path = self._folder / f"heard-{time.monotonic_ns()}.raw"
        recorder = subprocess.Popen(
            [
                "parec", "-d", "soli.monitor", "--format=float32le", f"--rate={self.rate}", "--channels=2",
                "--latency-msec=20", str(path),
            ],
            env=os.environ | self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.05)
            yield heard
            time.sleep(0.3)  # the newest 70 ms are lost when a recorder stops
        finally:
            _end(recorder)
        whole = path.read_bytes()
        heard.append(np.frombuffer(whole[: len(whole) // 8 * 8], np.float32).reshape(-1, 2))

    def kill(self) -> None:
        """Take the sound card away at once."""
        self._server.kill()
        self._server.wait(timeout=5)

    def unplug(self) -> None:
        """Take the card away, the server stays."""
        self._control("unload-module", "module-null-sink")

    def plug(self) -> None:
        """Put the card back."""
        self._control("load-module", "module-null-sink", *self._card)
        self._control("set-default-sink", "soli")
        self._control("set-default-source", "soli.monitor")

    def stop(self) -> None:
        _end(self._server)

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", *words], env=os.environ | self.environment, capture_output=True, timeout=30, check=False)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                if self._control("info").returncode == 0:
                    return
            time.sleep(0.1)
        self.stop()
        pytest.skip("the software sound server did not start here")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=5)
