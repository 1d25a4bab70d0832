"""How long the window stands still while Soli works: `python tests/benchmarks/window_live.py [AUDIO SCORE]` (the demo without).

Prints when the window was there, and the longest gaps between two turns of the event loop while a piece is opened and aligned,
decomposed, played, and decomposed while it plays. Run by hand: seconds on a shared machine are no test.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    began_s = time.perf_counter()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    sys.path.insert(0, str(ROOT / "desktop"))
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from soli.app import Application
    from soli.assets import asset
    from soli.playback.player import open_player
    from soli.settings import Settings

    qt = QApplication(sys.argv[:1])
    soli = Application(qt, open_player(), Settings())
    soli.show()
    qt.processEvents()
    print(f"window after {time.perf_counter() - began_s:.2f} s")
    soli.warm_up()
    gaps: list[float] = []
    last_s = [time.perf_counter()]

    def beat() -> None:
        now_s = time.perf_counter()
        gaps.append(now_s - last_s[0])
        last_s[0] = now_s

    timer = QTimer(interval=1)
    timer.timeout.connect(beat)
    timer.start()

    def stage(name: str, done: Callable[[], bool]) -> None:
        while not done():
            qt.processEvents()
            time.sleep(0.0005)
        longest = sorted(gaps, reverse=True)[:5]
        print(f"{name:28s} longest gaps {', '.join(f'{1000 * gap:.0f}' for gap in longest)} ms")
        gaps.clear()

    def idle() -> bool:
        return not (soli.session.opening or soli.session.decomposing or soli.worker.busy)

    paths = [Path(name) for name in sys.argv[1:]] or [asset("demo", "recording.flac"), asset("demo", "score.mid")]
    soli.window.open_paths(paths)
    stage("open and align", idle)
    soli.session.decompose()
    stage("decompose", idle)
    soli.listening.toggle_play()
    until_s = time.perf_counter() + 3
    stage("play", lambda: time.perf_counter() > until_s)
    soli.session.decompose()
    stage("decompose while it plays", idle)
    print(f"underruns {soli.listening.status.underruns}")
    soli.close()


if __name__ == "__main__":
    main()
