"""Runs pipeline generators one after another in a thread of their own, and tells the GUI thread how they go."""

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from soli.errors import Cancelled, SoliError
from soli.progress import Progress, Steps

TELL_EVERY_S = 0.03
NICENESS = 5


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

    def cancel(self) -> None:
        """Stop at the next step; what was there before stays."""
        self._stop.set()

    @property
    def is_cancelled(self) -> bool:
        return self._stop.is_set()

    def run(self) -> None:
        """Drive the generator to its end. Called in the worker's thread."""
        self.started_s = time.perf_counter()
        try:
            result = self._drive()
        except Cancelled:
            self.cancelled.emit()
        except SoliError as error:
            self.failed.emit(str(error))
        except MemoryError:
            self.failed.emit(f"{self.name}: not enough memory; close other programs or use a shorter recording")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self.failed.emit(
                f"{self.name} failed because of a fault in Soli ({type(error).__name__}: {error}); your work is untouched"
            )
        else:
            self.done.emit(result)
        # What the steps were made of, often minutes of sound, is not to live as long as whoever remembers this job.
        self._steps, self.model = None, None
        self.ended.emit()

    def _drive(self) -> Any:
        assert self._steps is not None
        steps, told_s = self._steps(), 0.0
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
                if now_s - told_s > TELL_EVERY_S:
                    told_s = now_s
                    self.progressed.emit(progress)
        finally:
            steps.close()


def _step_back() -> None:
    """Let the window have the processor first: this thread, and those it starts, run at a lower priority where that is known."""
    if sys.platform == "linux":  # elsewhere the priority of a single thread is not Python's to set
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)


class Worker(QThread):
    """A thread that computes. Jobs run in the order in which they were submitted.

    An `urgent` one does not step back behind the window: for short jobs whose end is waited for.
    """

    def __init__(self, *, urgent: bool = False) -> None:
        super().__init__()
        self._urgent = urgent
        self.setObjectName("soli worker")
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._pending: list[Job] = []

    def submit(self, job: Job) -> Job:
        self._pending.append(job)

        def ended() -> None:
            # Connections hold what they call, and that holds the job: only deleting it lets go of all of them.
            self._pending.remove(job)
            job.deleteLater()

        job.ended.connect(ended)
        self._jobs.put(job)
        return job

    @property
    def busy(self) -> bool:
        return bool(self._pending)

    def cancel_all(self) -> None:
        for job in self._pending:
            job.cancel()

    def close(self, timeout_ms: int = 8000, *, cancels: bool = True) -> None:
        """Cancel everything, or wait for it, and end the thread."""
        if cancels:
            self.cancel_all()
        self._jobs.put(None)
        self.wait(timeout_ms)

    def run(self) -> None:
        if not self._urgent:
            _step_back()
        while (job := self._jobs.get()) is not None:
            job.run()
