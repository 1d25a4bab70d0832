"""A screen that nobody sees: an X server with a window manager, programs on it, and a hand for mouse and keys.

    with XServer() as screen, screen.soli("demo", home=tmp_path) as program:
        window = program.window("Soli")
        window.click(40, 20)
        window.key("ctrl+z")
        screen.screenshot(tmp_path / "after.png")

Every wait is bounded and ends in a TimeoutError that says what was waited for and what the program wrote last.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

PROGRAMS = {"Xvfb": "xvfb", "matchbox-window-manager": "", "xdotool": "", "import": "imagemagick"}
CHECKOUT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 1280, 800


def missing_programs() -> list[str]:
    """The Debian packages that a journey needs and this machine lacks."""
    return [package or program for program, package in PROGRAMS.items() if shutil.which(program) is None]


def wait_until(condition: Callable[[], T | None], what: str, *, timeout_s: float = 60, every_s: float = 0.05) -> T:
    """The first true value of `condition`; TimeoutError(what) when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(every_s)


class XServer:
    """Xvfb on a free display, and matchbox, which makes every main window fill the screen."""

    def __init__(self, *, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        self.display = ""
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        reading, writing = os.pipe()
        screen = f"{self.width}x{self.height}x24"
        try:
            command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
            self._spawn(command, pass_fds=(writing,))
        finally:
            os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            # The number comes in one piece, and an end of file when Xvfb could not start.
            if not select.select([answer], [], [], 60)[0]:
                raise TimeoutError("waited 60 s for Xvfb to name its display")
            number = answer.readline().strip().decode()
        if not number:
            raise RuntimeError("Xvfb could not start")
        self.display = f":{number}"
        self._spawn(["matchbox-window-manager", "-use_titlebar", "no"], env=self._environment())
        # The number of desktops is known once a window manager rules the screen.
        wait_until(lambda: self._xdotool("get_num_desktops", check=False).returncode == 0, "the window manager")

    def _spawn(self, command: Sequence[str], **options: object) -> None:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._processes.append(subprocess.Popen(command, **quiet, **options))  # type: ignore[call-overload]

    def stop(self) -> None:
        """End the window manager and the server; what still runs after 5 s is killed."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def soli(self, *arguments: str | Path, home: Path, env: dict[str, str] | None = None) -> "Program":
        """`python -m soli ARGUMENTS` on this screen, with `home` and all settings below it; `env` adds to its environment."""
        return self.run([sys.executable, "-m", "soli", *map(str, arguments)], home=home, env=env)

    def run(self, command: Sequence[str], *, home: Path, env: dict[str, str] | None = None) -> "Program":
        """Any program on this screen."""
        home.mkdir(parents=True, exist_ok=True)
        return Program(self, command, home, {**self._environment(), **_clean_environment(home), **(env or {})})

    def screenshot(self, path: Path) -> Path:
        """Write the screen as a picture; the format follows the suffix."""
        subprocess.run(["import", "-window", "root", str(path)], env=self._environment(), check=True, timeout=60)
        return path

    def pixels(self) -> NDArray[np.uint8]:
        """The screen as (height, width, 3) red, green and blue."""
        command = ["import", "-window", "root", "-depth", "8", "rgb:-"]
        answer = subprocess.run(command, env=self._environment(), check=True, timeout=60, stdout=subprocess.PIPE)
        return np.frombuffer(answer.stdout, dtype=np.uint8).reshape(self.height, self.width, 3)

    def windows(self, title: str = "", *, pid: int | None = None) -> list["XWindow"]:
        """The visible windows whose title matches the regular expression, of the process `pid` if it is given."""
        of_process = ["--all", "--pid", str(pid)] if pid is not None else []
        answer = self._xdotool("search", "--onlyvisible", *of_process, "--name", title or ".", check=False)
        return [XWindow(self, int(line)) for line in answer.stdout.split()]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "DISPLAY": self.display, "LANG": "C.UTF-8"}

    def _xdotool(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["xdotool", *words], env=self._environment(), check=check, timeout=60, capture_output=True)


class Program:
    """A program on the screen, with a process group of its own; leaving the `with` ends the whole group."""

    def __init__(self, screen: XServer, command: Sequence[str], home: Path, environment: dict[str, str]) -> None:
        self.screen = screen
        # One each: programs that share a home would write into each other's lines.
        self.log = next(log for n in count() if not (log := home / f"log{n}.txt").exists())
        # Sockets live here, and their paths may not be long.
        self._runtime = tempfile.TemporaryDirectory(prefix="soli-")
        environment = {"XDG_RUNTIME_DIR": self._runtime.name, **environment}
        with self.log.open("ab") as log:
            # What runs these tests may ignore signals, and those who are started inherit that.
            self._process = subprocess.Popen(
                ["env", "--default-signal=HUP,INT,TERM", *command],
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """Everything the program wrote so far, standard output and error together."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def window(self, title: str = "", *, timeout_s: float = 60) -> "XWindow":
        """The program's visible window whose title matches; waits for it, and fails at once if the program has ended."""
        return self.wait_until(
            lambda: next(iter(self.screen.windows(title, pid=self.pid)), None), f"a window {title!r}", timeout_s=timeout_s
        )

    def wait_until(self, condition: Callable[[], T | None], what: str, *, timeout_s: float = 60) -> T:
        """The first true value of `condition`; an error when the program ends before, or the time is over."""

        def alive_and_true() -> T | None:
            if not self.is_running:
                raise RuntimeError(f"the program ended before {what}: {self.output[-2000:]}")
            return condition()

        try:
            return wait_until(alive_and_true, what, timeout_s=timeout_s)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the program wrote: {self.output[-2000:]}") from None

    def wait(self, *, timeout_s: float = 60) -> int:
        """The exit status of a program that ends by itself."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"waited {timeout_s:g} s for the end; the program wrote: {self.output[-2000:]}") from None

    def stop(self) -> None:
        """Ask the group to end, kill what is left of it after 5 s."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._runtime.cleanup()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class XWindow:
    """A window under the hand: positions in pixels from its upper left corner; keys go where the focus is."""

    def __init__(self, screen: XServer, window_id: int) -> None:
        self.screen = screen
        self.id = window_id

    @property
    def title(self) -> str:
        return self.screen._xdotool("getwindowname", str(self.id)).stdout.decode().rstrip("\n")

    @property
    def is_visible(self) -> bool:
        return any(window.id == self.id for window in self.screen.windows())

    def geometry(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) on the screen."""
        lines = self.screen._xdotool("getwindowgeometry", "--shell", str(self.id)).stdout.decode().splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def move(self, x: float, y: float) -> None:
        self._hand(*self._to(x, y))

    def click(self, x: float, y: float, *, button: int = 1, times: int = 1, modifiers: Sequence[str] = ()) -> None:
        press = ["click", "--repeat", str(times), "--delay", "60", str(button)]
        self._hand(*self._to(x, y), "sleep", "0.05", *_held(modifiers, press))

    def drag(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        steps: int = 20,
        button: int = 1,
        modifiers: Sequence[str] = (),
    ) -> None:
        """Press, move in even steps of 15 ms, release."""
        moves = ["mousedown", str(button)]
        for part in np.linspace(0, 1, steps + 1)[1:]:
            moves += ["sleep", "0.015", *self._to(x0 + part * (x1 - x0), y0 + part * (y1 - y0))]
        moves += ["sleep", "0.05", "mouseup", str(button)]
        self._hand(*self._to(x0, y0), "sleep", "0.05", *_held(modifiers, moves))

    def scroll(self, x: float, y: float, clicks: int, *, modifiers: Sequence[str] = ()) -> None:
        """Turn the wheel: up for positive clicks, down for negative."""
        turns = ["click", "--repeat", str(abs(clicks)), "--delay", "30", "4" if clicks > 0 else "5"]
        self._hand(*self._to(x, y), "sleep", "0.05", *_held(modifiers, turns))

    def key(self, *names: str) -> None:
        """Strike keys by their X names: "space", "ctrl+z", "Return"."""
        self._hand("key", "--delay", "40", *names)

    def type(self, text: str) -> None:
        self._hand("type", "--delay", "20", text)

    def _to(self, x: float, y: float) -> list[str]:
        return ["mousemove", "--window", str(self.id), str(round(x)), str(round(y))]

    def _hand(self, *words: str) -> None:
        self.screen._xdotool(*words)


def _held(modifiers: Sequence[str], words: list[str]) -> list[str]:
    down = [word for name in modifiers for word in ("keydown", name)]
    up = [word for name in reversed(modifiers) for word in ("keyup", name)]
    return [*down, *words, *up]


def _clean_environment(home: Path) -> dict[str, str]:
    """What a program sees of this machine: nothing of its user, no session bus, no sound server, this checkout's package."""
    folders = {"XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    environment = {name: str(home / folder) for name, folder in folders.items()}
    environment |= {
        "HOME": str(home),
        "QT_QPA_PLATFORM": "xcb",
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "PYTHONPATH": str(CHECKOUT / "desktop"),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUNBUFFERED": "1",
    }
    kept = ("LD_LIBRARY_PATH", "PYTHONWARNINGS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    return environment | {name: os.environ[name] for name in kept if name in os.environ}
