"""What is closed or replaced is let go of: the window with all its objects, the piece that was open before."""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

from ui.conftest import running, small_piece

from soli.project.pipeline import Loaded


def parts_of_a_closed_window(qapp, qtbot) -> list[tuple[str, weakref.ref]]:
    with running(qtbot, qapp) as built:
        built.document.restore(Loaded(small_piece()))
        qtbot.waitUntil(lambda: not built.worker.busy and not built.picture_worker.busy, timeout=20_000)
        built.session.decompose()
        qtbot.waitUntil(lambda: built.document.separation is not None and not built.worker.busy, timeout=30_000)
        built.selection.set({0})
        built.listening.toggle_play()
        parts = [(name, weakref.ref(part)) for name, part in vars(built).items() if name != "settings"]
        parts += [("state", weakref.ref(built.document.state)), ("layers", weakref.ref(built.document.separation))]
    return parts


def wait_gone(qtbot, parts: list[tuple[str, weakref.ref]]) -> None:
    """Until nothing holds the parts; other threads may do so for a moment more."""

    def gone() -> None:
        gc.collect()
        assert [name for name, part in parts if part() is not None] == []

    qtbot.waitUntil(gone, timeout=20_000)


def test_a_window_that_was_closed_is_let_go_of(qapp, qtbot):
    parts = parts_of_a_closed_window(qapp, qtbot)
    wait_gone(qtbot, parts)


def test_the_piece_before_is_let_go_of(piece, qtbot):
    """Its sound above all, with the pictures and the layers made of it."""
    former = []
    for _ in range(2):
        piece.session.decompose()
        qtbot.waitUntil(lambda: piece.document.separation is not None and not piece.worker.busy, timeout=30_000)
        qtbot.waitUntil(lambda: not piece.picture_worker.busy, timeout=20_000)
        picture = piece.window.roll.canvas.scene.images["log"].picture
        whole = {"audio": piece.document.state.audio, "layers": piece.document.separation, "picture": picture}
        former += [(name, weakref.ref(part)) for name, part in whole.items()]
        del picture, whole
        piece.document.restore(Loaded(small_piece()))
        qtbot.waitUntil(lambda: not piece.worker.busy and not piece.picture_worker.busy, timeout=20_000)
    wait_gone(qtbot, former)


CLOSED_AMID_A_LONG_STEP = """
import threading, time
from PySide6.QtCore import QCoreApplication, QTimer
from soli import app
from soli.playback.player import FakePlayer
from soli.ui.worker import Job, Worker

begun = threading.Event()
look = QTimer()
look.timeout.connect(lambda: QCoreApplication.instance().quit() if begun.is_set() else None)

def steps():
    begun.set()
    time.sleep(600)
    yield

def warm_up(self):
    self.worker.submit(Job("Compiling", steps))
    look.start(50)

app.open_player = lambda *_, **__: FakePlayer()
app.Application.warm_up = warm_up
Worker.close.__defaults__ = (200,)
raise SystemExit(app.run(()))
"""


def test_a_step_that_goes_on_does_not_crash_the_program_at_its_end(tmp_path):
    homes = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    environment = {**os.environ, **homes, "PYTHONPATH": str(Path(__file__).parents[2] / "desktop")}
    command = [sys.executable, "-c", CLOSED_AMID_A_LONG_STEP]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")
