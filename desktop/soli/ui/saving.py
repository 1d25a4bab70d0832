"""Projects are written in a thread of their own, one after another, while the window goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from soli.progress import Steps
from soli.ui.patience import Patience
from soli.ui.worker import Job, Worker

Work = tuple[Callable[[], Steps[Any]], Callable[[Any], None], Callable[[], None]]

_LONGEST_MS = 600_000
_SOON_MS = 150  # what is written by then is not worth a message


@dataclass(eq=False)
class _Order:
    path: Path
    done: list[Callable[[str], None]] = field(default_factory=list)


class Saving(QObject):
    """Writes one project at a time; whoever asks meanwhile comes next.

    `begin(path)`, called when it is the turn of `path`, gives the steps that write it, what is to be called with their result,
    and what where there is none.
    """

    changed = Signal()

    def __init__(self, begin: Callable[[Path], Work]) -> None:
        super().__init__()
        self._begin = begin
        self._waiting: deque[_Order] = deque()
        self._running: _Order | None = None
        self._job: Job | None = None
        self._worker = Worker()
        self.patience = Patience(self._worker)

    @property
    def path(self) -> Path | None:
        """What is being written, or would be next; None where all is written."""
        return self._running.path if self._running is not None else None

    def ask(self, path: Path, done: Callable[[str], None]) -> None:
        """Write to `path` what is open when it is its turn. `done` is called with "" then, or with what went wrong."""
        order = next((order for order in self._waiting if order.path == path), None)
        if order is None:
            order = _Order(path)
            self._waiting.append(order)
        order.done.append(done)
        if self._running is None:
            self._go_on()

    def close(self) -> None:
        """Wait until all is written, as long as the place answers."""
        while self._running is not None:
            if not self._worker.close(_LONGEST_MS, cancels=False):
                return
            # What was written is told as if the window still ran, and that begins with the next one.
            QCoreApplication.sendPostedEvents()
        self._worker.close(_LONGEST_MS, cancels=False)

    @property
    def is_running(self) -> bool:
        return self._worker.is_running

    def give_up(self) -> None:
        """Wait no longer for what is being written: nobody gets to hear what becomes of it."""
        if self._job is not None:
            self._worker.give_up(self._job)

    def _go_on(self) -> None:
        order = self._running = self._waiting.popleft() if self._waiting else None
        if order is not None:
            self._run(order)
        self.changed.emit()

    def _run(self, order: _Order) -> None:
        steps, finished, failed = self._begin(order.path)
        job = Job(f"Saving {order.path.name}", steps)
        results: list[Any] = []
        wrong: list[str] = []

        def ended() -> None:
            self._running = self._job = None
            if results:
                finished(results[0])
            else:
                failed()
            self._go_on()
            for tell in order.done:
                tell("" if results else "".join(wrong))

        job.done.connect(results.append)
        job.failed.connect(wrong.append)
        job.ended.connect(ended)
        job.cancelled.connect(lambda: wrong.append(_given_up(order.path)))
        self._job = job
        self._worker.start()
        self._worker.submit(job)


def _given_up(path: Path) -> str:
    where = f"the project {path.name} was not saved, as {path.parent} did not answer"
    return f"{where}; save under another name, your work is still open"


class Wait(QDialog):
    """Nothing but a message while the project is being written, and a way back to the window.

    Where the place does not answer, it says so, and lets it be given up.
    """

    def __init__(self, window: QWidget, saving: Saving) -> None:
        super().__init__(window)
        self._saving = saving
        name = self._name = saving.path.name if saving.path is not None else "the project"
        self.setWindowTitle("Saving")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(f"Saving {name}")
        self.back = QPushButton("Back to the window")
        self.back.setToolTip("Saving goes on; nothing is closed")
        self.back.setAutoDefault(False)
        self.back.clicked.connect(self.reject)
        self.give_up = QPushButton("Give up")
        self.give_up.setToolTip("Do not wait for an answer; what is open stays open, and unsaved")
        self.give_up.setAutoDefault(False)
        self.give_up.clicked.connect(saving.give_up)
        self.give_up.hide()
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.give_up)
        buttons.addWidget(self.back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addWidget(self.text)
        layout.addWidget(bar)
        layout.addLayout(buttons)
        self.setMinimumWidth(360)
        self.back.setFocus()
        saving.changed.connect(self._look)
        saving.patience.waits.connect(self._say)
        saving.patience.over.connect(self._say_no_more)
        self._say(saving.patience.sentence)

    def run(self) -> bool:
        """Wait; True when all is written, False when the user went back."""
        if self._saving.path is None:
            return True
        loop, soon = QEventLoop(self), QTimer(self, singleShot=True, interval=_SOON_MS)
        self.finished.connect(loop.quit)
        soon.timeout.connect(loop.quit)
        soon.start()
        # Nothing is edited between the answer and the end: at first nothing is heard, then there is the message before it.
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        soon.stop()
        if self._saving.path is not None:
            self.open()
            loop.exec()
        return self._saving.path is None

    def _say(self, sentence: str) -> None:
        self.text.setText(sentence or f"Saving {self._name}…")
        self.give_up.setVisible(bool(sentence))

    def _say_no_more(self, _sentence: str) -> None:
        self._say("")

    def _look(self) -> None:
        if self._saving.path is None:
            self.accept()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.reject()
        event.accept()
