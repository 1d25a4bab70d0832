"""Nothing of the user's is lost: saves, keeps what is not saved on disk, and holds the project against other programs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from soli.errors import ProjectError
from soli.progress import Progress, Steps
from soli.project import lock, storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.document import Document
from soli.project.outlook import Outlook
from soli.project.pipeline import Separation
from soli.project.storage import Kept, Wanted
from soli.ui.saving import Saving, Work

_ROUNDED_S = 2.0


@dataclass(frozen=True, eq=False)
class _Hold:
    """A project file as it is held: where, by which lock, and as it was last seen."""

    path: Path | None
    lock: lock.Lock | None
    stamp: tuple[float, int] | None


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
        self._path: Path | None = None
        self._lock: lock.Lock | None = None
        self._filed: Separation | None = None  # the results that lie in the project file
        self._stamp: tuple[float, int] | None = None  # of the project file as it was opened or saved here
        self._waits = False  # whether there may be results in it that wait for their recording
        self._piece = object()  # another one with each piece
        self.saving = Saving(self._begin)
        self.reading = threading.Lock()  # held while the project file is read, and while it is replaced
        document.subscribe(self._follow)

    @property
    def read_only(self) -> bool:
        """Whether another program holds the project that is open."""
        return self._path is not None and self._lock is None

    @property
    def holder(self) -> str:
        """Who holds it, in words."""
        host = lock.holder(lock.of_project(self._path)) if self._path is not None else ""
        return f"another Soli on {host}" if host else "another Soli"

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

    def opened(self, separation: Separation | None, wanted: Wanted | None, *, whole: bool = True) -> None:
        """The document was opened from its project file: what is in there, and what is missing.

        whole: all of it is read; where it is not, what may still come is not lost by saving.
        """
        self._filed, self.wanted = separation, wanted
        self._stamp = _stamp(self._path) if self._path is not None else None
        away = wanted is not None and wanted.why != "changed"
        self._waits = separation is None and (away or not whole)
        self._keep()

    def save(self, path: Path, done: Callable[[str], None]) -> None:
        """Write the project, in a thread of its own. `done` is called with "" when it is safe, or with what went wrong."""
        self.saving.ask(path, done)

    def _begin(self, path: Path) -> Work:
        document, piece, autosave = self._document, self._piece, self._autosave
        snapshot, former = self.snapshot(), _Hold(self._path, self._lock, self._stamp)
        # What was not read yet goes from file to file.
        unread = self._waits and snapshot.separation is None
        unheard = snapshot.embed and snapshot.state.audio is None
        kept = Kept(former.path, results=unread, recording=unheard) if former.path is not None and (unread or unheard) else None
        if autosave is not None and snapshot.separation is not None:
            autosave.hold(snapshot)

        def steps() -> Steps[_Hold]:
            yield Progress(0, 1, f"Saving {path.name}")
            found = autosave.held() if autosave is not None and snapshot.separation is not None else kept
            with self.reading:
                held = _held(path, former)
                safe = False
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
                    safe = True
                finally:
                    if not safe and held is not former.lock:
                        held.release()
            return _Hold(path, held, _stamp(path))

        def written(now: _Hold) -> None:
            if self._piece is not piece:  # what is open is another one
                if now.lock is not None and now.lock is not self._lock:
                    now.lock.release()
            else:
                if now.lock is not self._lock and self._lock is not None:
                    self._lock.release()
                filed = self._filed if unread else snapshot.separation
                self._path, self._lock, self._stamp, self._filed = path, now.lock, now.stamp, filed
                document.saved(path, snapshot.state, filed, embeds=snapshot.embed)
            self._settle()

        return steps, written, self._settle

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
        if self._lock is not None:
            self._lock.release()

    def _follow(self, aspects: frozenset[str]) -> None:
        document = self._document
        if document.path != self._path:
            if self._lock is not None:
                self._lock.release()
            self._path = document.path
            self._stamp = _stamp(document.path) if document.path is not None else None
            self._lock = lock.take(lock.of_project(document.path)) if document.path is not None else None
        if "recording" in aspects and {"separation", "notes"} <= aspects:  # another piece
            self._filed, self.wanted, self._waits, self._piece = None, None, False, object()
        elif "recording" in aspects:
            self.wanted = None
        self._keep()

    def _keep(self) -> None:
        if self._autosave is None:
            return
        document = self._document
        ran = document.separation is not None and document.path is None
        if document.edited or ran:
            self._autosave.keep(self.snapshot())
        elif self.saving.path is not None:
            return  # what was kept is being copied
        elif document.path is not None and document.separation is self._filed:
            self._autosave.forget(self._filed, document.path)
        else:
            self._autosave.forget()


def _held(path: Path, former: _Hold) -> lock.Lock:
    """The lock of the project `path`. Raises ProjectError where it is another program's, or was."""
    if former.path is not None and lock.of_project(path) == lock.of_project(former.path):
        if _differ(former.stamp, _stamp(path)):
            raise ProjectError(
                f"{path.name}: another program has changed it since it was opened; "
                "save under another name, your work is still open"
            )
        if former.lock is not None:
            return former.lock
    held = lock.take(lock.of_project(path))
    if held is None:
        host = lock.holder(lock.of_project(path))
        where = f" on {host}" if host else ""
        raise ProjectError(f"{path.name}: it is open in another Soli{where}; save under another name, your work is still open")
    return held


def _stamp(path: Path) -> tuple[float, int] | None:
    """When a file was last written, and how long it is; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime, found.st_size


def _differ(former: tuple[float, int] | None, now: tuple[float, int] | None) -> bool:
    """Whether a file was written by somebody else; one that is gone was not."""
    if former is None or now is None:
        return False
    # Other computers round times.
    return former[1] != now[1] or abs(former[0] - now[0]) > _ROUNDED_S
