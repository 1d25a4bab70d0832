"""Nothing of the user's is lost: saves, keeps what is not saved on disk, and holds the project against other programs."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from soli.errors import ProjectError
from soli.project import lock, storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.document import Document
from soli.project.outlook import Outlook
from soli.project.pipeline import Separation
from soli.project.storage import Kept, Wanted

_ROUNDED_S = 2.0


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

    def opened(self, separation: Separation | None, wanted: Wanted | None) -> None:
        """The document has just been opened from its project file: what is in there, and what is missing."""
        self._filed, self.wanted = separation, wanted
        self._stamp = _stamp(self._path) if self._path is not None else None
        self._waits = wanted is not None and wanted.why != "changed" and separation is None
        self._keep()

    def save(self, path: Path) -> None:
        """Write the project. Raises ProjectError, in one sentence, when it is not safe."""
        document = self._document
        mine = self._path is not None and lock.of_project(path) == lock.of_project(self._path)
        if mine and _differ(self._stamp, _stamp(path)):
            raise ProjectError(
                f"{path.name}: another program has changed it since it was opened; "
                "save under another name, your work is still open"
            )
        held = self._hold_for(path)
        snapshot = self.snapshot()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            storage.save(
                path,
                snapshot.state,
                separation=snapshot.separation,
                outlook=snapshot.outlook,
                embed=snapshot.embed,
                kept=self._kept(snapshot),
                wanted=self.wanted,
            )
        except ProjectError:
            if held is not self._lock:
                held.release()
            raise
        finally:
            QApplication.restoreOverrideCursor()
        if held is not self._lock and self._lock is not None:
            self._lock.release()
        self._path, self._lock, self._filed, self._stamp = path, held, snapshot.separation, _stamp(path)
        document.saved(path, snapshot.state, snapshot.separation)

    def flush(self, snapshot: Snapshot) -> bool:
        """Write a snapshot to the autosave; True when it is there. May be called from any thread."""
        return self._autosave is not None and self._autosave.flush(snapshot) is not None

    def close(self, *, discard: bool = True) -> None:
        """End; what was kept goes unless the program is ended without asking the user."""
        if self._autosave is not None:
            self._autosave.close(discard=discard)
        if self._lock is not None:
            self._lock.release()

    def _hold_for(self, path: Path) -> lock.Lock:
        if self._lock is not None and self._path is not None and lock.of_project(path) == lock.of_project(self._path):
            return self._lock
        held = lock.take(lock.of_project(path))
        if held is None:
            host = lock.holder(lock.of_project(path))
            where = f" on {host}" if host else ""
            raise ProjectError(
                f"{path.name}: it is open in another Soli{where}; save under another name, your work is still open"
            )
        return held

    def _kept(self, snapshot: Snapshot) -> Kept | None:
        if snapshot.separation is not None:
            return self._autosave.flush(snapshot) if self._autosave is not None else None
        if self._waits and self._path is not None:
            return Kept(self._path)
        return None

    def _follow(self, aspects: frozenset[str]) -> None:
        document = self._document
        if document.path != self._path:
            if self._lock is not None:
                self._lock.release()
            self._path = document.path
            self._stamp = _stamp(document.path) if document.path is not None else None
            self._lock = lock.take(lock.of_project(document.path)) if document.path is not None else None
        if "recording" in aspects and {"separation", "notes"} <= aspects:  # another piece
            self._filed, self.wanted, self._waits = None, None, False
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
        elif document.path is not None and document.separation is self._filed:
            self._autosave.forget(self._filed, document.path)
        else:
            self._autosave.forget()


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
