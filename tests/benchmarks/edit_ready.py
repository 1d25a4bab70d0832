"""From the edit of one note to its new sound in the player: `edit_ready.py AUDIO SCORE [EDITS]`, PYTHONPATH=desktop.

Everything between is the window's own: the refit, its publication, the copy into what the player plays. Run by hand: seconds on
a shared machine are no test.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    from PySide6.QtWidgets import QApplication

    from soli.app import Application
    from soli.playback.player import open_player
    from soli.project.edits import alter
    from soli.settings import Settings

    qt = QApplication(sys.argv[:1])
    soli = Application(qt, open_player(), Settings())
    soli.show()
    ready: list[float] = []
    soli.listening.ready.connect(lambda: ready.append(time.perf_counter()))

    def wait(done: Callable[[], bool]) -> None:
        while not done():
            qt.processEvents()
            time.sleep(0.0002)

    def idle() -> bool:
        return not (soli.session.opening or soli.session.decomposing or soli.session.following or soli.worker.busy)

    soli.window.open_paths([Path(name) for name in sys.argv[1:3]])
    wait(idle)
    soli.session.decompose()
    wait(lambda: soli.document.separation is not None and idle())
    rng, taken = np.random.default_rng(0), []
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 60):
        note = int(rng.choice(list(soli.document.state.notes)))
        edit = alter(soli.document.state, "Lengthen note", [note], lambda n: replace(n, offset_s=n.offset_s + 0.2))
        ready.clear()
        begin = time.perf_counter()
        soli.document.do(edit)
        wait(lambda: bool(ready))
        taken.append(1000 * (ready[-1] - begin))
        wait(idle)
    p50, p95 = np.percentile(taken, (50, 95))
    print(f"{len(taken)} edits: p50 {p50:.1f}, p95 {p95:.1f}, longest {max(taken):.1f} ms")
    soli.close()


if __name__ == "__main__":
    main()
