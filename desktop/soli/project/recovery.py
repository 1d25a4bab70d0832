"""After a crash: what was open then, when it was last written, and how it is opened again without ever going in circles."""

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from soli.errors import ProjectError
from soli.files import answering_steps
from soli.progress import Steps
from soli.project import lock
from soli.project.autosave import ABOUT, ATTEMPTS, OWNER, WORK
from soli.project.storage.database import guard, known_version
from soli.project.storage.file import Opened, open_steps
from soli.project.storage.recordings import ELSEWHERE_S

MOST_ATTEMPTS = 2
_SET_ASIDE = "set aside"
_MOST_SET_ASIDE = 5


@dataclass(frozen=True, eq=False)
class Leftover:
    """Work that was not saved when its program ended. It is this process's to open or discard, until `leave`.

    `written`: when it was last kept, local time. `path`: the project that it belongs to, None where it was never saved.
    `attempts`: how often it was begun to open it.
    """

    folder: Path
    title: str
    path: Path | None
    written: datetime
    attempts: int
    follows: bool
    lock: lock.Lock

    def leave(self) -> None:
        """Let it lie for the next start."""
        self.lock.release()

    def discard(self) -> None:
        """Remove it for good."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.release()

    @property
    def set_aside(self) -> bool:
        """Whether it could not be opened again and again, and is not to be offered any more."""
        return self.attempts >= MOST_ATTEMPTS


def place() -> Path:
    """Where the autosaves of this user lie."""
    from platformdirs import user_state_path

    return user_state_path("soli", appauthor=False) / "autosave"


def leftovers(where: Path) -> list[Leftover]:
    """What programs that are no longer running have left, newest first; never raises."""
    found: list[Leftover] = []
    try:
        folders = [entry for entry in where.iterdir() if entry.is_dir() and entry.name != _SET_ASIDE]
    except OSError:
        return []
    for folder in folders:
        held = lock.take(folder / OWNER)
        if held is None:
            continue  # its owner lives
        leftover = _leftover(folder, held)
        if leftover is None:  # it ended before anything was written
            shutil.rmtree(folder, ignore_errors=True)
            held.release()
        else:
            found.append(leftover)
    return sorted(found, key=lambda leftover: leftover.written, reverse=True)


def _leftover(folder: Path, held: lock.Lock) -> Leftover | None:
    work = folder / WORK
    try:
        # What it is about is said as soon as it holds something.
        newest = max(work.stat().st_mtime, (folder / ABOUT).stat().st_mtime)
        if not work.stat().st_size:
            return None
    except OSError:
        return None
    about: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError, RecursionError):
        stored = json.loads((folder / ABOUT).read_bytes()[: 2**20])
        about = stored if isinstance(stored, dict) else {}
    attempts = 0
    with contextlib.suppress(OSError):
        attempts = (folder / ATTEMPTS).stat().st_size
    path, title = about.get("path"), about.get("title")
    return Leftover(
        folder=folder,
        title=title if isinstance(title, str) and title else "Untitled",
        path=Path(path) if isinstance(path, str) and path and "\0" not in path else None,
        written=datetime.fromtimestamp(newest),
        attempts=attempts,
        follows=about.get("follows") is True,
        lock=held,
    )


def recover_steps(leftover: Leftover, *, known: Sequence[Path] = ()) -> Steps[Opened]:
    """Open a leftover; it stays until it is discarded.

    That it is tried is written down first: one that brings the program down is not tried for ever. Raises ProjectError for one
    that is damaged, NewerError for one of a newer Soli, which stays as it is.
    """
    with contextlib.suppress(OSError), (leftover.folder / ATTEMPTS).open("ab") as marker:
        marker.write(b".")
        marker.flush()
        os.fsync(marker.fileno())
    work = leftover.folder / WORK
    try:
        with closing(sqlite3.connect(work)) as db:
            guard(db)
            known_version(db, leftover.title)
            # Take in what the log still holds: from then on it is a project file like any other.
            db.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        reason = " ".join(str(error).split())  # it may quote what was found
        raise ProjectError(f"{leftover.title}: the work that was kept is damaged ({reason}); open the project itself") from error
    opened = yield from open_steps(work, known=known, name=leftover.path or Path(leftover.title), follows=leftover.follows)
    project = [leftover.path] if leftover.path is not None and opened.separation is None else []
    for path in (yield from answering_steps(project, ELSEWHERE_S)):
        with contextlib.suppress(ProjectError):
            saved = yield from open_steps(path, known=known)
            return _completed(opened, saved)
    return opened


def _completed(opened: Opened, saved: Opened) -> Opened:
    """What was recovered, with recording and layers of the project as it was last saved, where it has none itself yet."""
    recording, had = saved.state.audio, opened.state.audio
    if recording is None or (had is not None and had.fingerprint != recording.fingerprint):
        return opened
    if had is None and (opened.wanted is None or not opened.wanted.is_it(recording)):
        return opened
    state = replace(opened.state, audio=recording)
    if had is None:
        state = replace(state, recording_path=saved.state.recording_path)
        opened = replace(opened, embeds=saved.embeds, wanted=None, warning="")
    return replace(opened, state=state, separation=saved.separation)


def set_aside(leftover: Leftover) -> Path:
    """Put a leftover that cannot be opened where it is not offered again; the folder it lies in then. Few are held."""
    aside = leftover.folder.parent / _SET_ASIDE
    target = aside / leftover.folder.name
    try:
        aside.mkdir(exist_ok=True)
        leftover.folder.rename(target)
        leftover.lock.release()
        with contextlib.suppress(OSError):
            (target / OWNER).unlink()
        older = sorted(aside.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[_MOST_SET_ASIDE:]
        for folder in older:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        leftover.lock.release()
        return leftover.folder
    return target
