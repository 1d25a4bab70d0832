"""The composition root: builds every object once, wires them, and runs the window."""

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from soli import __version__, settings
from soli.assets import asset
from soli.errors import SoliError
from soli.playback.player import Player, open_player
from soli.playback.stretch_process import StretchProcess
from soli.progress import Progress, Steps
from soli.project import recovery
from soli.project.document import Document
from soli.project.presets import from_table
from soli.ui import note_clipboard, outlook
from soli.ui.audition import Audition
from soli.ui.entering import Entering
from soli.ui.listening import Listening
from soli.ui.main_window import MainWindow
from soli.ui.recovering import Locating, Recovering
from soli.ui.safekeeping import Safekeeping
from soli.ui.selection import Selection
from soli.ui.session import Session
from soli.ui.sight import Sight
from soli.ui.theme import Theme
from soli.ui.worker import Job, Worker

FIRST_SIZE = (1440, 900)
LATER = ("soundfile", "mido", "scipy.fft", "pyqtgraph", "numba")  # slow to import, and not needed to show the window


class Application:
    """All objects of one running Soli. `close` ends the worker and the sound process."""

    def __init__(
        self, qt: QApplication, player: Player, preferences: settings.Settings, *, autosaves: Path | None = None
    ) -> None:
        self.settings = preferences
        self.theme = Theme(qt, preferences.theme)
        self.document = Document()
        self.worker = Worker()
        self.worker.start()
        self.player = player
        self.stretch_worker = Worker(urgent=True)
        self.stretch_worker.start()
        self.stretching = StretchProcess()
        self.listening = Listening(
            self.document, player, self.worker, stretch_worker=self.stretch_worker, stretch=self.stretching
        )
        self.listening.clicks.use(preferences)
        self.note_worker = Worker(urgent=True)
        self.note_worker.start()
        self.audition = Audition(self.document, player, self.note_worker)
        self.selection = Selection(self.document)
        self.keeper = Safekeeping(self.document, autosaves)
        self.session = Session(self.document, self.worker, self.keeper)
        self.session.projects.known_folders = preferences.known_folders
        self.session.pace = preferences.pace
        self.session.begin_with(from_table(preferences.decomposition))
        self.window = MainWindow(
            self.document, self.session, self.listening, self.audition, self.selection, self.theme, preferences
        )
        self.window.jobs.pace = partial(getattr, self.session, "pace")
        self.entering = Entering(qt, self.window)
        self.keeper.look = partial(outlook.look, self.window)
        self.session.projects.outlook_found.connect(self.window.show_outlook)
        self.locating = Locating(self.window, self.session, self.window.roll.banner)
        self.recovering = Recovering(self.window, self.session)
        self.picture_worker = Worker()
        self.picture_worker.start()
        self.sight = Sight(self.document, self.picture_worker, self.window.roll, self.window.actions_, preferences, self.theme)

    def show(self) -> None:
        """Show the window where it was last, as long as a screen is there."""
        box = self.settings.window
        screen = self.window.screen().availableGeometry()
        if len(box) == 4 and screen.intersects(QRect(*box)):
            self.window.setGeometry(*box)
        else:
            self.window.resize(min(FIRST_SIZE[0], screen.width()), min(FIRST_SIZE[1], screen.height()))
        if self.settings.maximised:
            self.window.showMaximized()
        else:
            self.window.show()

    def warm_up(self) -> None:
        """Import what the first job needs while the user looks for the files; the window is there already."""

        def steps() -> Steps[None]:
            for number, name in enumerate(LATER):
                yield Progress(number, len(LATER), "Warming up")
                # Not every Python has a numba; the decomposition does without.
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            with contextlib.suppress(SoliError):  # which is said when another speed is asked for
                self.stretching.start()

        self.worker.submit(Job("Warming up", steps))

    def close(self, *, discard: bool = True) -> None:
        """End everything; what is not saved is kept for the next start unless it is to be discarded."""
        note_clipboard.let_go()
        self.settings.pace = self.session.pace
        self.recovering.close()
        self.worker.close()
        self.keeper.close(discard=discard)
        self.note_worker.close()
        self.stretching.close()
        self.stretch_worker.close()
        self.picture_worker.close()
        self.listening.close()

    def leave(self) -> None:
        """End as quickly as it can be done, without a question; what is not saved is offered by the next start."""
        note_clipboard.let_go()
        self.settings.pace = self.session.pace
        self.window.remember_place()
        self.recovering.close()
        self.keeper.leave()
        self.stretching.close()
        self.listening.close()

    @property
    def still_computing(self) -> bool:
        """Whether a step goes on that nothing can stop, as compiling the kernels the first time."""
        workers = (self.worker, self.note_worker, self.stretch_worker, self.picture_worker)
        return self.keeper.is_running or any(worker.is_running for worker in workers)


def run(files: Sequence[Path], *, demo: bool = False) -> int:
    """Open the window, with files or the demo in it; return the exit status."""
    if _no_display():
        sys.stderr.write("soli: there is no display to open a window on; use soli separate, soli align or soli demo --headless\n")
        return 1
    os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "1")
    qt = QApplication([sys.argv[0]])
    qt.setApplicationName("Soli")
    qt.setApplicationVersion(__version__)
    qt.setDesktopFileName("soli")
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, True)
    qt.setWindowIcon(QIcon(str(asset("icons", "soli.svg"))))
    place = settings.place()
    preferences = settings.load(place)
    player = open_player(
        preferences.device or None, latency_s=preferences.latency_s, first_channel=max(0, preferences.first_channel)
    )
    autosaves = recovery.place()
    application = Application(qt, player, preferences, autosaves=autosaves)
    application.window.preferences_changed.connect(lambda: settings.save(place, preferences))
    application.show()
    application.warm_up()
    paths = [asset("demo", "recording.flac"), asset("demo", "score.mid")] if demo else [Path(f) for f in files]
    if paths:
        QTimer.singleShot(0, lambda: application.window.open_paths(paths))
    QTimer.singleShot(0, lambda: application.recovering.offer(autosaves))
    qt.commitDataRequest.connect(lambda _: application.keeper.keep_now())  # the session may end
    with _Ending(qt) as ending:
        status = qt.exec()
    if ending.asked:
        application.leave()
    else:
        # A window that was closed has asked what becomes of unsaved work.
        application.close(discard=not application.window.isVisible())
    settings.save(place, application.settings)
    if application.still_computing:  # Qt aborts when it finds a running thread at its end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _no_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return False
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class _Ending:
    """The program ends when it is told to by the terminal or by the system, which do not wait for an answer to a question."""

    SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

    def __init__(self, qt: QApplication) -> None:
        self._qt = qt
        self.asked = False
        # Qt alone would not hear of signals; Python looks at them when it is called.
        self._timer = QTimer(interval=200)
        self._timer.timeout.connect(self._look)

    def __enter__(self) -> Self:
        for name in self.SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, self._ask)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        if not self.asked:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # who has no patience with a close that takes long

    def _ask(self, *_: object) -> None:
        self.asked = True

    def _look(self) -> None:
        if self.asked:
            self._qt.exit(0)  # unlike quit, it asks no window
