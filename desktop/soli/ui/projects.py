"""Opening projects: from a file, after a crash, and with the recording where the user says that it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from soli.progress import Progress, Steps
from soli.project import pipeline, recovery, storage
from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.project.recovery import Leftover
from soli.project.storage import Opened
from soli.ui.safekeeping import Safekeeping
from soli.ui.spoken import sentence
from soli.ui.worker import Job, Worker

if TYPE_CHECKING:
    from soli.ui.session import Session


class Projects(QObject):
    """Brings projects into the document of a session, one at a time; what cannot be had with them is told or asked for."""

    outlook_found = Signal(object)  # what the window showed when the project was saved
    recording_wanted = Signal(object, str)  # a Wanted, and a sentence

    def __init__(self, session: Session, document: Document, worker: Worker, keeper: Safekeeping) -> None:
        super().__init__()
        self._session, self._document, self._worker, self._keeper = session, document, worker, keeper
        self.known_folders: Callable[[], Sequence[Path]] = tuple  # which the user has chosen files from

    def open(self, path: Path, *, located: Path | None = None) -> None:
        asked = self._session.decomposing
        if asked and not self._session.may_replace():
            return
        known = self.known_folders()

        def opened(found: Opened) -> None:
            if asked or self._session.may_replace():
                self._show_opened(found, path)
                self._session.remember(path)

        self._session.run_opening("Opening", lambda: storage.open_steps(path, known=known, located=located), opened)

    def _show_opened(self, found: Opened, path: Path | None, *, saved: bool = True) -> None:
        self._document.restore(found, path=path, separation=found.separation, embeds=found.embeds, saved=saved)
        self._keeper.opened(found.separation, found.wanted)
        if found.outlook is not None:
            self.outlook_found.emit(found.outlook)
        if self._keeper.read_only and path is not None:
            text = f"{path.name} is open in {self._keeper.holder}: changes can be saved under another name"
            self._session.said.emit("warning", text)
        if found.wanted is not None:
            self.recording_wanted.emit(found.wanted, sentence(found.warning))
        elif found.warning:
            self._session.said.emit("warning", sentence(found.warning))

    def recover(self, leftover: Leftover) -> None:
        """Open work that a crash has left; it stays on disk until it is kept anew."""
        known = self.known_folders()

        def opened(found: Opened) -> None:
            self._show_opened(found, leftover.path, saved=False)
            snapshot = self._keeper.snapshot()

            def steps() -> Steps[None]:
                yield Progress(0, 1, "Keeping what was recovered")
                if self._keeper.flush(snapshot):
                    leftover.discard()
                else:
                    leftover.leave()

            self._worker.submit(Job("Keeping", steps))
            self._session.said.emit("information", f"Here is {leftover.title} as it was; save it to keep it")

        self._session.run_opening(
            "Opening",
            lambda: recovery.recover_steps(leftover, known=known),
            opened,
            failed=lambda: self.put_aside(leftover, "it is damaged"),
            cancelled=leftover.leave,
        )

    def put_aside(self, leftover: Leftover, reason: str) -> None:
        """Do not offer a leftover again, and say where it is."""
        folder = recovery.set_aside(leftover)
        self._session.said.emit(
            "warning", f"Work on {leftover.title} that was kept cannot be opened ({reason}); it was put aside in {folder}"
        )

    @property
    def folder(self) -> Path | None:
        path = self._document.path or self._document.state.recording_path
        return path.parent if path is not None else None

    def locate(self, path: Path) -> None:
        """Take `path` for the recording of the project that is open without it."""
        project, wanted = self._document.path, self._keeper.wanted
        if project is not None and not self._document.edited and not self._document.history.done:
            self.open(project, located=path)
            return

        def opened(loaded: Loaded) -> None:
            assert loaded.state.audio is not None
            self._document.attach(path, loaded.state.audio)
            if wanted is not None and not wanted.is_it(loaded.state.audio):
                self._session.said.emit("warning", f"{path.name} is another recording than the one this project was made with")

        self._session.run_opening("Opening", lambda: pipeline.open_recording_steps(path), opened)
