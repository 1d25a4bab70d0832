"""Makes the README's pictures from the demo: `python packaging/screenshots.py` (needs no display)."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "packaging" / "screenshots"
SIZE = (1440, 900)


def main() -> int:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    sys.path.insert(0, str(ROOT / "desktop"))
    from PySide6.QtWidgets import QApplication

    from soli.app import Application
    from soli.assets import asset
    from soli.decompose.constraints import MaskEdit
    from soli.playback.player import FakePlayer
    from soli.project import commands
    from soli.settings import Settings
    from soli.ui.roll.brushes import AllowBrush
    from soli.ui.roll.toolbox import index_of

    qt = QApplication(sys.argv[:1])
    soli = Application(qt, FakePlayer(), Settings())
    window, document = soli.window, soli.document
    window.resize(*SIZE)
    window.show()

    def wait(done: Callable[[], bool]) -> None:
        while not done() or soli.worker.busy:
            qt.processEvents()
            time.sleep(0.005)

    window.open_paths([asset("demo", "recording.flac"), asset("demo", "score.mid")])
    wait(lambda: bool(document.state.notes))
    soli.session.decompose()
    wait(lambda: document.separation is not None)
    window.mixer.toggle(1, solo=True)
    soli.selection.set({min(document.state.notes, key=lambda i: abs(document.state.notes[i].onset_s - 5.2))})
    soli.listening.seek(5.9)
    soli.listening.set_loop((4.1, 7.3))
    window.roll.view.show(2.6, 9.8, 44, 88)
    for theme in ("dark", "light"):
        window.actions_[theme].trigger()
        qt.processEvents()
        _save(window, f"{theme}.png")
    window.actions_["dark"].trigger()
    document.do(commands.paint_mask(document.state, [MaskEdit(53, 6.0, 7.0, allow=True, layer=1)]))
    document.do(commands.paint_mask(document.state, [MaskEdit(61, 5.5, 6.1, allow=False)]))
    window.actions_.tools[index_of(AllowBrush.name)].trigger()
    window.roll.view.show(4.6, 7.6, 48, 70)
    qt.processEvents()
    _save(window.roll, "mask.png")
    soli.close()
    return 0


def _save(widget: object, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    widget.grab().save(str(FOLDER / name))  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
