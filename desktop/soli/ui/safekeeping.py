"""Nothing of the user's is lost: saves, keeps what is not saved on disk, and holds the project against other programs."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Signal

from soli.files import Stamp, stamp_of
from soli.progress import Progress, Steps
from soli.project import storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.document import Document
from soli.project.outlook import Outlook
from soli.project.pipeline import Separation
from soli.project.storage import Kept, Wanted
from soli.ui.safekeeping_hold import Hold, Holding, hold_for_saving
from soli.ui.saving import Saving, Work

_LOOK_S = 0.1
_LEAVE_S = 4.0  # sessions that end wait for some seconds


class Safekeeping(QObject):
    """Follows the document. `place`: the folder of the autosaves; None for none.

    look: what the window shows, to be kept along.
    """

    told = Signal(str)  # a sentence about what cannot be kept; comes from another thread

    def __init__(self, document: Document, place: Path | None) -> None:
        super().__init__()
        self._document = document
        self.look: Callable[[], Outlook | None] = lambda: None
        self.wanted: Wanted | None = None  # the recording that is missing
        self._autosave = Autosave(place, self.told.emit) if place is not None else None
        self.holding = Holding()
        self._filed: Separation | None = None  # the results that lie in the project file
        self._waits = False  # whether there may be results in it that wait for their recording
        self._piece = object()  # another one with each piece
        self.saving = Saving(self._begin)
        self._reading = threading.Lock()  # held while the project file is read, and while it is replaced
        document.subscribe(self._follow)

    @property
    def read_only(self) -> bool:
        """Whether another program holds the project that is open."""
        return self.holding.now is not None and self.holding.now.read_only

    @property
    def holder(self) -> str:
        """Who holds it, in words."""
        return self.holding.now.holder if self.holding.now is not None else ""

    def snapshot(self) -> Snapshot:
        document = self._document
        return Snapshot(
            document.state,
            document.separation,
            self.look(),
            document.path,
            document.title,
            document.embeds,
            self.wanted,
        )

    def opened(
        self, separation: Separation | None, wanted: Wanted | None, *, stamp: Stamp | None = None, whole: bool = True
    ) -> None:
        """The document was opened from its project file: what is in there, and what is missing.

        stamp: the file as it was read. whole: all of it is read; where it is not, what may still come is not lost by saving.
        """
        self._filed, self.wanted = separation, wanted
        hold = self.holding.now
        if hold is not None and stamp is not None:
            hold.stamp = stamp
            if hold.read_only:  # it may be free by now
                self.holding.follow(hold.path, stamp)
        away = wanted is not None and wanted.why != "changed"
        self._waits = separation is None and (away or not whole)
        self._keep()

    def reading_steps(self, place: Path) -> Steps[threading.Lock]:
        """Wait until the project file, at `place`, is neither read nor replaced; the lock that sees to it, which is held then."""
        while True:
            lock = self._reading
            if lock.acquire(timeout=_LOOK_S):
                return lock
            yield Progress(0, 1, f"Waiting for {place.name}", place=place)

    def forget_reading(self, *held: threading.Lock) -> None:
        """Whoever still holds `held` may never let go of it: wait for it no longer."""
        if any(lock is self._reading and lock.locked() for lock in held):
            self._reading = threading.Lock()

    def save(self, path: Path, done: Callable[[str], None]) -> None:
        """Write the project, in a thread of its own. `done` is called with "" when it is safe, or with what went wrong."""
        self.saving.ask(path, done)

    def _begin(self, path: Path) -> Work:
        document, piece, autosave = self._document, self._piece, self._autosave
        snapshot, former = self.snapshot(), self.holding.now
        reading: list[threading.Lock] = []
        # What was not read yet goes from file to file.
        unread = self._waits and snapshot.separation is None
        unheard = snapshot.embed and snapshot.state.audio is None
        kept = Kept(former.path, results=unread, recording=unheard) if former is not None and (unread or unheard) else None
        if autosave is not None and snapshot.separation is not None:
            autosave.hold(snapshot)

        def steps() -> Steps[Hold]:
            yield Progress(0, 1, f"Saving {path.name}")
            found = autosave.held() if autosave is not None and snapshot.separation is not None else kept
            reading.append((yield from self.reading_steps(former.path if former is not None else path)))
            try:
                yield Progress(0, 1, f"Saving {path.name}", place=path)
                hold, safe = hold_for_saving(path, former), False
                try:
                    yield from storage.save_steps(
                        path,
                        snapshot.state,
                        separation=snapshot.separation,
                        outlook=snapshot.outlook,
                        embed=snapshot.embed,
                        kept=found,
                        wanted=snapshot.wanted,
                    )
                    hold.stamp = stamp_of(path)
                    safe = True
                finally:
                    if not safe:
                        drop(hold)
            finally:
                reading[0].release()
            return hold

        def drop(hold: Hold) -> None:
            if former is not None and hold.shares(former):
                hold.pass_on()
            else:
                hold.let_go()

        def written(hold: Hold) -> None:
            now = self.holding.now
            if self._piece is piece:
                filed = self._filed if unread else snapshot.separation
                self._filed = filed
                self.holding.adopt(hold)
                document.saved(path, snapshot.state, filed, embeds=snapshot.embed)
            elif now is not None and hold.shares(now):  # the same project was opened again
                hold.pass_on()
            else:
                self.holding.let_go(hold)
            self._settle()

        def failed() -> None:
            self.forget_reading(*reading)
            self._settle()

        return steps, written, failed

    def _settle(self) -> None:
        if self._autosave is not None:
            self._autosave.release()
        self._keep()

    def flush(self, snapshot: Snapshot) -> bool:
        """Write a snapshot to the autosave; True when it is there. May be called from any thread."""
        return self._autosave is not None and self._autosave.flush(snapshot) is not None

    def close(self, *, discard: bool = True) -> None:
        """End when all is written that is to be saved; what was kept goes unless the program is ended without asking the user."""
        self.saving.close()
        if self._autosave is not None:
            self._autosave.close(discard=discard)
        self.holding.close()

    def keep_now(self, *, timeout_s: float = _LEAVE_S) -> None:
        """Put what is not saved on the disk at once, edits before layers, and wait for that."""
        if self._autosave is not None and self._unsaved:
            self._autosave.hold(self.snapshot())
            self._autosave.held(timeout_s=timeout_s)
            self._autosave.release()

    def leave(self, *, timeout_s: float = _LEAVE_S) -> None:
        """End at once, and ask nothing: what is not saved is kept for the next start."""
        end_s = time.monotonic() + timeout_s
        if self._autosave is not None and self._unsaved:
            self._autosave.hold(self.snapshot())
        # What is being saved may come to its end.
        while self.saving.path is not None and time.monotonic() < end_s - timeout_s / 2:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 50)
        if self._autosave is not None:
            if self._unsaved:
                self._autosave.held(timeout_s=max(0.0, end_s - time.monotonic()))
            self._autosave.close(discard=not self._unsaved)
        self.holding.close()

    @property
    def is_running(self) -> bool:
        """Whether threads go on that nothing answers."""
        return self.saving.is_running or self.holding.is_running

    @property
    def _unsaved(self) -> bool:
        document = self._document
        return document.edited or (document.separation is not None and document.path is None)

    def _follow(self, aspects: frozenset[str]) -> None:
        document = self._document
        if document.path != (self.holding.now.path if self.holding.now is not None else None):
            self.holding.follow(document.path)
        if "recording" in aspects and {"separation", "notes"} <= aspects:  # another piece
            self._filed, self.wanted, self._waits, self._piece = None, None, False, object()
        elif "recording" in aspects:
            self.wanted = None
        self._keep()

    def _keep(self) -> None:
        if self._autosave is None:
            return
        document = self._document
        if self._unsaved:
            self._autosave.keep(self.snapshot())
        elif self.saving.path is not None:
            return  # what was kept is being copied
        else:
            hold = self.holding.now
            base = (hold.path, hold.stamp) if hold is not None and hold.stamp is not None else None
            self._autosave.forget(self._filed, base if document.separation is self._filed else None)
