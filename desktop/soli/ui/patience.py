"""Says when a job gets no answer from a disk or a server, and where; whoever does not want to wait gives it up."""

from PySide6.QtCore import QObject, QTimer, Signal

from soli.ui.banner import Banner
from soli.ui.worker import HELD_UP_S, Job, Worker

PATIENCE_S = 4.0
_LOOK_MS = 200


class Patience(QObject):
    """Watches the jobs of a worker, and leaves behind those that are cancelled and cannot hear it.

    gives_up: also those that nobody is told of, as soon as they are late.
    """

    waits = Signal(str)  # a sentence about the job that is held up
    over = Signal(str)  # what was said holds no longer

    def __init__(self, worker: Worker, *, gives_up: bool = False) -> None:
        super().__init__()
        self._worker, self._gives_up = worker, gives_up
        self._told: tuple[Job, str] | None = None
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        worker.submitted.connect(self._timer.start)

    @property
    def sentence(self) -> str:
        """What is being waited for, where nothing was heard for some seconds; "" otherwise."""
        return self._told[1] if self._told is not None else ""

    def give_up(self) -> None:
        """Wait no longer for the job that is held up."""
        if self._told is not None:
            self._worker.give_up(self._told[0])
            self._look()

    def _look(self) -> None:
        job = self._worker.job
        visits = job.visits if job is not None else None
        silent_s = visits[1] if visits is not None else 0.0
        if self._told is not None and (job is not self._told[0] or silent_s < PATIENCE_S):
            told, self._told = self._told, None
            self.over.emit(told[1])
        if job is None:
            self._timer.stop()
        elif visits is not None and silent_s > (HELD_UP_S if job.is_cancelled or self._gives_up else PATIENCE_S):
            if job.is_cancelled or self._gives_up:
                self._worker.give_up(job)
            elif self._told is None:
                text = f"{job.name} waits for an answer from {visits[0]}; the disk or the network may be gone"
                self._told = job, text
                self.waits.emit(text)


class Waiting(QObject):
    """Says over the roll what somebody else's patience waits for, with a button to give it up."""

    def __init__(self, parent: QObject, patience: Patience, banner: Banner) -> None:
        super().__init__(parent)
        self._patience, self._banner = patience, banner
        patience.waits.connect(self._say)
        patience.over.connect(banner.take_back)

    def _say(self, sentence: str) -> None:
        self._banner.say("warning", sentence, action="Give up", act=self._patience.give_up)
