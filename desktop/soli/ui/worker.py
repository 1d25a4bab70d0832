"""Runs pipeline generators one after another in a thread of their own, and tells the GUI thread how they go."""

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal, SignalInstance

from soli.errors import Cancelled, SoliError
from soli.progress import Progress, Steps

TELL_EVERY_S = 0.03
NICENESS = 5
HELD_UP_S = 2.0  # a place that has not answered for so long may never do so


class Job(QObject):
    """One run of a generator. Signals arrive in the GUI thread; exactly one of done, failed and cancelled comes last."""

    progressed = Signal(object)
    done = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()

    def __init__(self, name: str, steps: Callable[[], Steps[Any]]) -> None:
        super().__init__()
        self.name = name
        self.losses: list[float] = []
        self.loss_s: list[float] = []  # when each loss was known, in seconds from the start
        self.model: object = None  # what a decomposition has found so far
        self.started_s = 0.0
        self._steps: Callable[[], Steps[Any]] | None = steps
        self._stop = threading.Event()
        self._visit: tuple[Path, float] | None = None
        self._turn = threading.RLock()  # held while it is decided who ends it, the thread or whoever gives it up
        self._begun = self._over = False

    def cancel(self) -> None:
        """Stop at the next step; what was there before stays."""
        self._stop.set()

    @property
    def is_cancelled(self) -> bool:
        return self._stop.is_set()

    @property
    def visits(self) -> tuple[Path, float] | None:
        """The place that the work has not heard from, and for how many seconds; None where it visits none."""
        visit = self._visit
        return None if visit is None else (visit[0], time.perf_counter() - visit[1])

    def give_up(self) -> bool:
        """End it as cancelled at once; True where a thread is at work on it still, and may be so for ever."""
        self._stop.set()
        with self._turn:
            if self._over:
                return False
            self._over = True
        self.cancelled.emit()
        self.ended.emit()
        return self._begun

    def run(self) -> bool:
        """Drive the generator to its end; False where it was given up meanwhile. Called in the worker's thread."""
        with self._turn:
            unwanted, self._begun = self._over, not self._over
        if unwanted:
            return True
        self.started_s = time.perf_counter()
        end, what = self._outcome()
        # What the steps were made of, often minutes of sound, is not to live as long as whoever remembers this job.
        self._steps, self.model, self._visit = None, None, None
        with self._turn:
            if self._over:
                return False
            self._over = True
            end.emit(*what)
            self.ended.emit()
        return True

    def _outcome(self) -> tuple[SignalInstance, tuple[Any, ...]]:
        """The signal that tells how it ended, with what."""
        try:
            return self.done, (self._drive(),)
        except Cancelled:
            return self.cancelled, ()
        except SoliError as error:
            return self.failed, (str(error),)
        except MemoryError:
            return self.failed, (f"{self.name}: not enough memory; close other programs or use a shorter recording",)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            fault = f"{self.name} failed because of a fault in Soli ({type(error).__name__}: {error}); your work is untouched"
            return self.failed, (fault,)

    def _drive(self) -> Any:
        assert self._steps is not None
        steps, told_s = self._steps(), 0.0
        heard: tuple[object, ...] = ()
        try:
            while True:
                if self._stop.is_set():
                    raise Cancelled(f"{self.name} was cancelled")
                try:
                    progress: Progress = next(steps)
                except StopIteration as end:
                    return end.value
                if progress.loss is not None and self.losses[-1:] != [progress.loss]:
                    self.losses.append(progress.loss)
                    self.loss_s.append(time.perf_counter() - self.started_s)
                if progress.model is not None:
                    self.model = progress.model
                now_s = time.perf_counter()
                news = progress.step, progress.total, progress.what, progress.place
                if news != heard:
                    heard = news
                    self._visit = (progress.place, now_s) if progress.place is not None else None
                if now_s - told_s > TELL_EVERY_S:
                    told_s = now_s
                    with self._turn:
                        if not self._over:
                            self.progressed.emit(progress)
        finally:
            steps.close()


def _step_back() -> None:
    """Let the window have the processor first: this thread, and those it starts, run at a lower priority where that is known."""
    if sys.platform == "linux":  # elsewhere the priority of a single thread is not Python's to set
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)


class _Thread(QThread):
    """Runs jobs one after another, until it is told to end or a job of its own was given up."""

    def __init__(self, jobs: queue.SimpleQueue[Job | None], *, urgent: bool) -> None:
        super().__init__()
        self.setObjectName("soli worker")
        self._jobs, self._urgent = jobs, urgent

    def outlive(self) -> None:
        """Let go of whoever started it: Qt aborts when a thread that runs is deleted, as by itself where it ends the last."""
        self.setParent(QCoreApplication.instance())
        self.finished.connect(self._let_go)

    def _let_go(self) -> None:
        self.setParent(None)

    def run(self) -> None:
        if not self._urgent:
            _step_back()
        while (job := self._jobs.get()) is not None:
            if not job.run():
                return


class Worker(QObject):
    """A thread that computes. Jobs run in the order in which they were submitted.

    An `urgent` one does not step back behind the window: for short jobs whose end is waited for.
    """

    submitted = Signal()

    def __init__(self, *, urgent: bool = False) -> None:
        super().__init__()
        self._urgent = urgent
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._pending: list[Job] = []
        self._thread = _Thread(self._jobs, urgent=urgent)
        self._held_up: list[_Thread] = []  # behind jobs that were given up

    def start(self) -> None:
        """Begin, or begin again after `close`."""
        self._thread.start()

    def submit(self, job: Job) -> Job:
        self._pending.append(job)

        def ended() -> None:
            # Connections hold what they call, and that holds the job: only deleting it lets go of all of them.
            self._pending.remove(job)
            job.deleteLater()

        job.ended.connect(ended)
        self._jobs.put(job)
        self.submitted.emit()
        return job

    @property
    def busy(self) -> bool:
        return bool(self._pending)

    @property
    def is_running(self) -> bool:
        """Whether any thread of it has not ended, those that are held up for ever included."""
        return self._thread.isRunning() or any(thread.isRunning() for thread in self._held_up)

    @property
    def job(self) -> Job | None:
        """The one whose turn it is."""
        return self._pending[0] if self._pending else None

    def give_up(self, job: Job) -> None:
        """Wait no longer for a job that gets no answer; what comes after it runs in a new thread."""
        if job in self._pending and job.give_up():
            self._held_up = [thread for thread in self._held_up if thread.isRunning()] + [self._thread]
            self._thread.outlive()
            self._thread = _Thread(self._jobs, urgent=self._urgent)
            self._thread.start()

    def cancel_all(self) -> None:
        for job in self._pending:
            job.cancel()

    def close(self, timeout_ms: int = 8000, *, cancels: bool = True) -> bool:
        """Cancel everything, or wait for it, and end the thread; False where it goes on, as nothing answers or stops it."""
        if cancels:
            self.cancel_all()
        self._jobs.put(None)
        end_s = time.perf_counter() + timeout_ms / 1000
        while not (ended := self._thread.wait(50)) and time.perf_counter() < end_s:
            visits = self.job.visits if self.job is not None else None
            if visits is not None and visits[1] > HELD_UP_S:
                break
        if not ended:
            self._thread.outlive()
        return ended
