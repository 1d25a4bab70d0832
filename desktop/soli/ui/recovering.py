"""At the start: asks about work that was not saved when Soli ended, and about recordings that are not where they were."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QWidget

from soli.project import recovery
from soli.project.recovery import Leftover
from soli.project.storage import Wanted
from soli.signal.audio import READABLE
from soli.ui.inquiry import folder_to_begin

if TYPE_CHECKING:
    from soli.ui.banner import Banner
    from soli.ui.session import Session


def when(written: datetime, now: datetime) -> str:
    """A time as one speaks of it: "14:32 today", "yesterday at 9:05" or "3 May 2026 at 9:05"."""
    clock = f"{written.hour}:{written.minute:02}"
    days = (now.date() - written.date()).days
    if days == 0:
        return f"{clock} today"
    return f"yesterday at {clock}" if days == 1 else f"{written.day} {written:%B %Y} at {clock}"


class Recovering(QObject):
    """Offers leftovers, one after another, newest first. Whoever turns away finds them at the next start."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._waiting: list[Leftover] = []
        self.box: QMessageBox | None = None

    def offer(self, place: Path) -> None:
        """Look for leftovers in `place` and ask about them. What could not be opened before is put aside and told."""
        for leftover in recovery.leftovers(place):
            if leftover.set_aside:
                self._session.projects.put_aside(leftover, "it could not be opened before")
            else:
                self._waiting.append(leftover)
        self._next()

    def close(self) -> None:
        """Let what was not asked about lie for the next start."""
        for leftover in self._waiting:
            leftover.leave()
        self._waiting.clear()

    def _next(self) -> None:
        if not self._waiting:
            return
        leftover = self._waiting[0]
        of = leftover.path.name if leftover.path else leftover.title
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved work")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"Soli ended before {of} was saved. Open the work that was kept at {when(leftover.written, datetime.now())}?")
        box.setInformativeText(
            f"It belongs to {leftover.path}, which stays as it is until you save." if leftover.path else "It was never saved."
        )
        accept = box.addButton("Open it", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Discard it", QMessageBox.ButtonRole.DestructiveRole)
        later = box.addButton("Later", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(accept)
        box.setEscapeButton(later)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def answered(_: int) -> None:
            answer: QPushButton | object = box.clickedButton()
            self.box = None
            if not self._waiting or self._waiting[0] is not leftover:
                return
            self._waiting.pop(0)
            if answer is accept:
                self.close()  # one piece is open at a time: the others wait for the next start
                self._session.projects.recover(leftover)
                return
            if answer is discard:
                leftover.discard()
            else:
                leftover.leave()
            self._next()

        box.finished.connect(answered)
        self.box = box
        box.open()


class Locating(QObject):
    """Asks where the recording of a project is, with a button in the message that says so."""

    def __init__(self, window: QWidget, session: Session, banner: Banner) -> None:
        super().__init__(window)
        self._window, self._session, self._banner = window, session, banner
        session.projects.recording_wanted.connect(self._say)

    def _say(self, wanted: Wanted, text: str) -> None:
        if wanted.why == "outside":
            self._banner.say("warning", text, action="Open it", act=lambda: self._session.projects.locate(wanted.path))
        else:
            self._banner.say("warning", text, action="Locate…", act=lambda: self.ask(wanted))

    def ask(self, wanted: Wanted) -> None:
        sounds = " ".join(f"*{suffix}" for suffix in READABLE)
        start = folder_to_begin(self._session.projects.folder or "")
        name, _ = QFileDialog.getOpenFileName(
            self._window, f"Locate {wanted.path.name}", start, f"Recordings ({sounds});;All files (*)"
        )
        if name:
            self._session.projects.locate(Path(name))
