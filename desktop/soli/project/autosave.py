"""What is open and not saved lies on disk within seconds: a thread writes it to a database of its own while the user goes on.

A folder for each open project: `owner.lock`, held as long as its program runs; `work.soli`, a project file that is written in
place with a write-ahead log; `about.json`, of what and when. See `recovery` for what becomes of it after a crash.
"""

import contextlib
import json
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soli.errors import Cancelled, ProjectError
from soli.files import Stamp, beside
from soli.progress import Steps
from soli.project import lock
from soli.project.outlook import Outlook
from soli.project.pipeline import Separation
from soli.project.state import State
from soli.project.storage.blocks import remove
from soli.project.storage.copying import copy_results_steps
from soli.project.storage.file import Kept, create
from soli.project.storage.recordings import NAME, Wanted, write_recording_steps
from soli.project.storage.results import has_results, remove_results, write_results_steps
from soli.project.storage.state_tables import write_state
from soli.signal.audio import Audio

DELAY_S = 1.0  # edits that come together are written together
QUIET_S = 2.0  # layers are written when nothing has come for that long
_BUSY_S = 0.3
WORK, ABOUT, OWNER, ATTEMPTS = "work.soli", "about.json", "owner.lock", "attempts"

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is open: everything that a project file holds, and which one that is."""

    state: State
    separation: Separation | None = None
    outlook: Outlook | None = None
    path: Path | None = None
    title: str = ""
    embed: bool = False
    wanted: Wanted | None = None


def _follows(snapshot: Snapshot) -> bool:
    """Whether the recording was opened by its name, so that it may be again.

    Not so where the project holds it itself: the name beside it was never followed, and may lead anywhere.
    """
    inside = snapshot.embed and snapshot.path is not None
    return not inside and (snapshot.wanted is None or snapshot.wanted.why != "outside")


class Autosave:
    """Writes snapshots to a folder of its own within `place`, from a thread of its own.

    `told` is called, in that thread, with a sentence when that begins to fail.
    """

    def __init__(self, place: Path, told: Callable[[str], None] = lambda _: None, *, delay_s: float = DELAY_S) -> None:
        self._place, self._told, self._delay_s = place, told, delay_s
        self._folder: Path | None = None
        self._lock: lock.Lock | None = None
        self._db: sqlite3.Connection | None = None
        # Shared with the thread, under the condition.
        self._changed = threading.Condition()
        self._next: Snapshot | None = None
        self._forgets = self._closing = self._failing = False
        self._held: Snapshot | None = None  # what is to lie on the disk whatever comes, and stay there
        self._urgent = False  # whether it does not yet
        self._last: Separation | None = None
        self._differs: Ranges | None = None  # from what lies in the database, or in `_base`; None: everywhere
        self._base: tuple[Path, Stamp] | None = None
        self._packed: Separation | None = None  # what lies in the database
        self._recorded: Audio | None = None
        self._written: State | None = None
        self._between: Snapshot | None = None  # came while results were being written, and is written but for its own
        self._thread = threading.Thread(target=self._run, name="soli autosave", daemon=True)
        self._thread.start()

    # From the thread of the user

    def keep(self, snapshot: Snapshot) -> None:
        """Write this when the user pauses, in a second at the latest. To be called with every change of what is separated."""
        with self._changed:
            self._follow(snapshot.separation)
            self._next = snapshot
            self._changed.notify_all()

    def forget(self, separation: Separation | None = None, base: tuple[Path, Stamp] | None = None) -> None:
        """All is safe elsewhere: remove what was written. The results of `separation` lie in the project `base`, as it is now."""
        with self._changed:
            self._next, self._forgets, self._packed = None, True, None
            self._last, self._base, self._differs = separation, None, None
            if separation is not None and base is not None:
                self._base, self._differs = base, []
            self._changed.notify_all()

    def hold(self, snapshot: Snapshot) -> None:
        """Write a snapshot at once, with its results, whatever comes meanwhile, and hold these until `release`. Does not wait.

        It is the newest one: what was to be kept before goes with it.
        """
        with self._changed:
            self._follow(snapshot.separation)
            self._next, self._held, self._urgent, self._failing = None, snapshot, True, False
            self._changed.notify_all()

    def held(self, *, timeout_s: float = 600.0) -> Kept | None:
        """Wait until what is to be held is written; where its results lie then, or None where that failed."""
        with self._changed:
            snapshot = self._held
            done = self._changed.wait_for(lambda: self._closing or not self._urgent, timeout_s)
            if snapshot is None or not done or self._urgent or self._failing or self._folder is None:
                return None
            if self._packed is not snapshot.separation:
                return None
            return Kept(self._folder / WORK, results=snapshot.separation is not None, recording=snapshot.embed, live=True)

    def release(self) -> None:
        """What was held may be written over."""
        with self._changed:
            self._held, self._urgent = None, False
            self._changed.notify_all()

    def flush(self, snapshot: Snapshot) -> Kept | None:
        """Write a snapshot at once, with its results, and wait; where these lie then, or None where that failed."""
        self.hold(snapshot)
        kept = self.held()
        self.release()
        return kept

    def close(self, *, discard: bool = True, timeout_s: float = 10.0) -> None:
        """End the thread; what it wrote goes, unless it is to stay for the next start."""
        with self._changed:
            self._closing, self._forgets = True, discard
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _follow(self, separation: Separation | None) -> None:
        """Add up where the layers differ from those that are written."""
        if separation is self._last:
            return
        if separation is None or self._last is None or not separation.patched or self._differs is None:
            self._differs = None
        else:
            self._differs = [*self._differs, *separation.patched]
        self._last = separation

    # In the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._forgets or self._urgent or self._next is not None)
                if not self._forgets:
                    self._changed.wait_for(lambda: self._closing or self._forgets or self._urgent, self._delay_s)
                held = self._held if self._urgent else None
                snapshot = held or self._next
                if held is None:
                    self._next = None
                forgets, self._forgets, closing = self._forgets, False, self._closing
            if forgets:
                self._remove()
            if snapshot is not None and not (forgets and closing):
                self._attempt(snapshot, held=held is not None, closing=closing)
            if closing:
                self._let_go()
                return

    def _attempt(self, snapshot: Snapshot, *, held: bool, closing: bool) -> None:
        try:
            self._write(snapshot)
            if not closing and (held or self._quiet()):
                self._write_results(snapshot)
        except Cancelled:
            pass  # what has come goes first
        except (OSError, sqlite3.Error, ProjectError, UnicodeError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or error
            with self._changed:
                fresh, self._failing = not self._failing, True
            with contextlib.suppress(sqlite3.Error):
                self._close_database()
            if fresh:
                self._told(f"your work cannot be kept between saves ({reason}); save the project, or make room on the disk")
        else:
            with self._changed:
                self._failing = False
        with self._changed:
            if held and self._held is snapshot:
                self._urgent = False
            between, self._between = self._between, None
            if between is not None and self._next is None and between.separation is not snapshot.separation:
                self._next = between  # its results are still to be written
            self._changed.notify_all()

    def _write(self, snapshot: Snapshot) -> None:
        db = self._open_database()
        assert self._folder is not None
        with db:
            write_state(db, snapshot.state, None, snapshot.outlook, snapshot.wanted, since=self._written)
        self._written = snapshot.state
        about = {
            "title": snapshot.title,
            "path": str(snapshot.path) if snapshot.path else None,
            "written": time.time(),
            "follows": _follows(snapshot),
        }
        with beside(self._folder / ABOUT) as partial:
            partial.write_text(json.dumps(about), encoding="utf-8")

    def _quiet(self) -> bool:
        """Whether nothing more comes for a while, and what lies there may be written over."""
        with self._changed:
            busy = self._changed.wait_for(
                lambda: self._closing or self._forgets or self._urgent or self._next is not None, QUIET_S
            )
            return not busy and self._held is None

    def _write_results(self, snapshot: Snapshot) -> None:
        db, separation = self._open_database(), snapshot.separation
        recording = snapshot.state.audio if snapshot.embed else None
        if recording is not self._recorded:
            with db:
                remove(db, NAME)
            self._recorded = None
            if recording is not None:
                with db:
                    self._drive(write_recording_steps(db, recording), snapshot, aside=True)
            self._recorded = recording
        with self._changed:
            if self._last is not separation:
                return  # more has come
            if separation is self._packed and (separation is None) != has_results(db):
                return
            differs, base = self._differs, self._base
        if separation is None:
            with db:
                remove_results(db)
        else:
            if differs is None or not has_results(db):
                with db:
                    remove_results(db)
                if differs is not None and base is not None:
                    with db:
                        self._drive(copy_results_steps(db, *base), snapshot, aside=True)
            whole = not has_results(db)
            if whole:
                with db:
                    remove_results(db)  # what of them was copied
            with db:
                self._drive(write_results_steps(db, separation, None if whole else differs), snapshot, aside=whole)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._changed:
            self._packed = separation
            if self._last is separation:
                self._differs = []
            elif self._differs is not None:
                self._differs = self._differs[len(differs or ()) :]

    def _drive(self, steps: Steps[None], snapshot: Snapshot, *, aside: bool) -> None:
        """Write what belongs to `snapshot`.

        aside: nothing is read of it before it is whole, so that edits which come meanwhile can be written in between.
        """
        with contextlib.closing(steps):
            for _ in steps:
                with self._changed:
                    newer, held = self._next, self._held is snapshot
                    if self._closing or self._forgets or (self._urgent and not held and self._held_differs(snapshot)):
                        raise Cancelled("something else is to be done first")
                    if newer is None:
                        continue
                    if not held and (not aside or newer.separation is not snapshot.separation):
                        raise Cancelled("something else is to be written first")
                    if not aside:
                        continue
                    self._next = None
                self._write(newer)
                self._between = newer

    def _held_differs(self, snapshot: Snapshot) -> bool:
        """Whether what is to be held has other results than `snapshot`, or needs more."""
        held = self._held
        return held is not None and (held.separation, held.embed) != (snapshot.separation, snapshot.embed)

    def _open_database(self) -> sqlite3.Connection:
        if self._db is None:
            if self._folder is None:
                folder = self._place / secrets.token_hex(8)
                folder.mkdir(parents=True, mode=0o700)
                self._lock = lock.take(folder / OWNER)
                self._folder = folder
            with self._changed:
                self._packed, self._recorded = None, None
            self._written = None
            # Whoever copies from it holds up no more than the clearing of its log, which can be done the next time.
            db = sqlite3.connect(self._folder / WORK, timeout=_BUSY_S)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")  # whole after any crash; seconds may go when the power does
                # Where the disk was full before, there may be a file with nothing in it.
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                    create(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _close_database(self) -> None:
        if self._db is not None:
            db, self._db = self._db, None
            db.close()

    def _remove(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._close_database()
        if self._folder is not None:
            folder, self._folder = self._folder, None
            shutil.rmtree(folder, ignore_errors=True)
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _let_go(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._close_database()
        if self._lock is not None:
            self._lock.release()
