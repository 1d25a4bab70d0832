"""Opening projects: from a file, after a crash, and with the recording where the user says that it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from soli.assets import asset
from soli.errors import NewerError, ProjectError
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
        known, keeper = self._known(), self._keeper
        reading: list[threading.Lock] = []
        arrival = Arrival(self, path, asked=asked)

        def steps() -> Steps[Opened]:
            reading.append((yield from keeper.reading_steps(path)))
            try:
                return (yield from storage.open_steps(path, known=known, located=located))
            finally:
                reading[0].release()

        def stopped() -> None:
            keeper.forget_reading(*reading)
            arrival.stop()

        self._session.run_opening("Opening", steps, arrival.end, cancelled=stopped, shown=arrival.look)

    def _show_opened(self, found: Opened, path: Path | None, *, saved: bool = True) -> None:
        self._document.restore(found, path=path, separation=found.separation, embeds=found.embeds, saved=saved)
        self._keeper.opened(found.separation, found.wanted)
        if found.outlook is not None:
            self.outlook_found.emit(found.outlook)
        self.tell(found, path)

    def tell(self, found: Opened, path: Path | None) -> None:
        """Say what is to be said of a project that was opened, once it is known whether another program holds it."""
        self._keeper.holding.when_known(lambda: self._tell(found, path) if self._document.path == path else None)

    def _tell(self, found: Opened, path: Path | None) -> None:
        texts = [found.warning] if found.warning else []
        if self._keeper.read_only and path is not None:
            texts.append(f"{path.name} is open in {self._keeper.holder}: changes can be saved under another name")
        if found.wanted is not None:
            self.recording_wanted.emit(found.wanted, sentence("; ".join(texts)))
        elif texts:
            self._session.said.emit("warning", sentence("; ".join(texts)))

    def recover(self, leftover: Leftover) -> None:
        """Open work that a crash has left; it stays on disk until it is kept anew."""
        known = self._known()

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

        def found() -> Steps[Opened]:
            try:
                return (yield from recovery.recover_steps(leftover, known=known))
            except (MemoryError, NewerError):
                leftover.leave()
                raise
            except Exception as error:
                raise ProjectError(_put_aside(leftover, "it is damaged")) from error

        self._session.run_opening("Opening", found, opened, cancelled=leftover.leave)

    def put_aside(self, leftover: Leftover, reason: str) -> None:
        """Do not offer a leftover again, and say where it is."""
        self._session.said.emit("warning", _put_aside(leftover, reason))

    def _known(self) -> list[Path]:
        """Where a recording may be opened without asking: folders that the user has chosen from, and that of the demo."""
        return [*self.known_folders(), asset("demo")]

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


class Arrival:
    """Shows the project `path` while it is read: notes and view at once, then the recording, then the layers.

    asked: whether the user has said already that it may take the place of what is open.
    """

    def __init__(self, projects: Projects, path: Path, *, asked: bool) -> None:
        self._projects, self._path, self._may_begin = projects, path, asked
        self._asking = self._refused = self._begun = False
        self._whole: Opened | None = None  # read to its end while the user was being asked

    def look(self, found: object) -> None:
        """Show what has been read so far, an Opened, where there is more than is shown."""
        if not isinstance(found, Opened) or self._asking or self._refused:
            return
        if not self._begun:
            self._begin(found)
        document = self._projects._document
        if self._is_open and found.state.audio is not None and document.state.audio is None:
            before = self._projects._keeper.look()
            document.complete(recording=(found.state.recording_path, found.state.audio), embeds=found.embeds)
            if found.outlook is not None and before is not None:
                # The user may have looked elsewhere meanwhile.
                names = ("start_s", "end_s", "lowest", "highest")
                self._projects.outlook_found.emit(replace(found.outlook, **{name: getattr(before, name) for name in names}))

    def end(self, found: Opened) -> None:
        """All is read."""
        if self._asking:
            self._whole = found
            return
        self.look(found)
        if not self._is_open:
            return
        if found.separation is not None:
            self._projects._document.complete(separation=found.separation)
        self._projects._keeper.opened(found.separation, found.wanted, stamp=found.stamp)
        self._projects.tell(found, self._path)
        self._projects._session.remember(self._path)

    def stop(self) -> None:
        if self._is_open:
            text = f"{self._path.name} was not read to its end: open it again to hear it; what is not read stays in it"
            self._projects._session.said.emit("warning", text)

    @property
    def _is_open(self) -> bool:
        return self._begun and self._projects._document.path == self._path

    def _begin(self, found: Opened) -> None:
        if not self._may_begin:
            self._asking = True
            self._may_begin = self._projects._session.may_replace()
            self._asking, self._refused = False, not self._may_begin
            if self._whole is not None and not self._refused:
                self.end(self._whole)
                return
            if self._refused:
                self._projects._session.cancel()
                return
        self._begun = True
        self._projects._document.restore(found, path=self._path, embeds=found.embeds)
        self._projects._keeper.opened(None, found.wanted, stamp=found.stamp, whole=False)
        if found.outlook is not None:
            self._projects.outlook_found.emit(found.outlook)


def _put_aside(leftover: Leftover, reason: str) -> str:
    folder = recovery.set_aside(leftover)
    return f"Work on {leftover.title} that was kept cannot be opened ({reason}); it was put aside in {folder}"
