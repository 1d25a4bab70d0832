"""The project file that is open, held against other programs. Its place may not answer: nobody waits for it here."""

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from soli.errors import ProjectError
from soli.files import Stamp, stamp_of
from soli.progress import Progress, Steps
from soli.project import lock
from soli.ui.patience import Patience
from soli.ui.worker import Job, Worker

_ROUNDINGS_NS = (2 * 10**9, 10**9, 10**6, 10**3, 100)  # as disks and servers keep times
_SOON_S = 2.0  # for what is known in a moment, where anything answers
_AGAIN_MS = 3000


class Hold:
    """A project file as this program holds it: by which lock, or who does instead.

    `stamp`: the file as it was read or written here. What a look at its place tells is there once `known` is set. Methods may be
    called from any thread.
    """

    def __init__(self, path: Path, stamp: Stamp | None = None) -> None:
        self.path, self.stamp = path, stamp
        self.known = threading.Event()
        self.holder = ""
        self._place: Path | None = None
        self._lock: lock.Lock | None = None
        self._turn = threading.Lock()
        self._gone = False

    @property
    def read_only(self) -> bool:
        """Whether another program holds it, as far as is known."""
        return self.known.is_set() and self._lock is None

    @property
    def is_current(self) -> bool:
        """Whether the file is as it was read or written here; one that is gone is."""
        return not _differ(self.stamp, stamp_of(self.path))

    def take(self) -> None:
        """Lock the file; where another program has it, say who."""
        self._take(lock.of_project(self.path))

    def let_go(self) -> None:
        with self._turn:
            self._gone, held, self._lock = True, self._lock, None
        if held is not None:
            held.release()

    def shares(self, other: "Hold") -> bool:
        """Whether both hold a file by the same lock."""
        return self._lock is not None and self._lock is other._lock

    def pass_on(self) -> None:
        """Leave the lock to the other that shares it."""
        with self._turn:
            self._gone, self._lock = True, None

    def _take(self, place: Path, held: lock.Lock | None = None) -> None:
        held = held or lock.take(place)
        holder = lock.holder(place) if held is None else ""
        stamp = stamp_of(self.path)
        with self._turn:
            gone = self._gone
            if not gone:
                self._place, self._lock, self.stamp = place, held, self.stamp or stamp
                self.holder = f"another Soli on {holder}" if holder else "another Soli"
                self.known.set()
        if gone and held is not None:
            held.release()


def hold_for_saving(path: Path, former: Hold | None) -> Hold:
    """A hold of the project `path`, which may be written over; by the lock of `former` where that is the same project.

    Raises ProjectError where the file is another program's, or was changed by one.
    """
    place, hold = lock.of_project(path), Hold(path)
    shared = None
    if former is not None and former.known.wait(_SOON_S) and former._place == place:
        if not former.is_current:
            raise ProjectError(
                f"{path.name}: another program has changed it since it was opened; "
                "save under another name, your work is still open"
            )
        shared = former._lock
    hold._take(place, shared)
    if hold.read_only:
        raise ProjectError(f"{path.name}: it is open in {hold.holder}; save under another name, your work is still open")
    return hold


class Holding(QObject):
    """Holds one project at a time; what that takes is done in a thread of its own, in order.

    While another program holds the project, it looks now and then whether it has let go.
    """

    changed = Signal()  # more is known
    freed = Signal(bool)  # it was read-only; whether it can be saved now, as nobody has changed it

    def __init__(self) -> None:
        super().__init__()
        self.now: Hold | None = None
        self._worker = Worker(urgent=True)
        self._worker.start()
        self._patience = Patience(self._worker, gives_up=True)
        self._again = QTimer(self, interval=_AGAIN_MS)
        self._again.timeout.connect(self._look_again)

    @property
    def is_running(self) -> bool:
        return self._worker.is_running

    @property
    def busy(self) -> bool:
        """Whether more may be known in a moment."""
        return self._worker.busy

    def follow(self, path: Path | None, stamp: Stamp | None = None) -> None:
        """Hold the project `path`, which was read as `stamp` says, instead of the one before."""
        hold = Hold(path, stamp) if path is not None else None
        self.adopt(hold)
        if hold is not None:
            self._do(hold, hold.take, lambda: self._taken(hold))

    def adopt(self, hold: Hold | None) -> None:
        """Hold what `hold` does, instead of the one before."""
        former, self.now = self.now, hold
        self._again.stop()
        if former is not None and hold is not None and hold.shares(former):
            former.pass_on()
        elif former is not None:
            self.let_go(former)

    def let_go(self, hold: Hold) -> None:
        self._do(hold, hold.let_go)

    def when_known(self, then: Callable[[], None]) -> None:
        """Call `then` once it is known who holds the project; all the same where its place does not answer."""
        if self.now is None or self.now.known.is_set():
            then()
        else:
            self._do(self.now, lambda: None, then)

    def close(self) -> None:
        """Let go, and wait for that as long as it makes sense."""
        self._again.stop()
        if self.now is not None:
            self.let_go(self.now)
        self._worker.close(cancels=False)

    def _taken(self, hold: Hold) -> None:
        if hold is self.now:
            if hold.read_only:
                self._again.start()
            self.changed.emit()

    def _look_again(self) -> None:
        former = self.now
        if former is None or self._worker.busy:
            return
        hold, current = Hold(former.path, former.stamp), [False]

        def take() -> None:
            hold.take()
            current[0] = hold.is_current

        def taken() -> None:
            if self.now is not former or not hold.known.is_set() or hold.read_only:
                return
            self._again.stop()
            if current[0]:
                self.adopt(hold)
            else:
                self.let_go(hold)
            self.changed.emit()
            self.freed.emit(current[0])

        self._do(hold, take, taken)

    def _do(self, hold: Hold, what: Callable[[], None], then: Callable[[], None] = lambda: None) -> None:
        def steps() -> Steps[None]:
            yield Progress(0, 1, f"Holding {hold.path.name}", place=hold.path)
            what()

        job = Job("Holding", steps)
        job.ended.connect(then)
        self._worker.submit(job)


def _differ(former: Stamp | None, now: Stamp | None) -> bool:
    """Whether a file was written by somebody else; one that is gone was not.

    A place may round its times, some only after a while: of two times one may be the other rounded. Times that no place rounds so
    far are compared as they are, as a program may save twice within a second and to the same length.
    """
    if former is None or now is None:
        return False
    return former[1] != now[1] or abs(former[0] - now[0]) > max(_rounding_ns(former[0]), _rounding_ns(now[0]))


def _rounding_ns(time_ns: int) -> int:
    """What a time was rounded to at most, as its digits tell."""
    return next((step for step in _ROUNDINGS_NS if time_ns % step == 0), 0)
