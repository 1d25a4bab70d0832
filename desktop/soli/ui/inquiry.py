"""Questions about places of the user's, asked beside the window: a disk or a server that does not answer does not stop it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer

from soli.files import answering_steps

AT_ONCE_S = 0.05  # most places answer in less, and nothing flickers then
LATE_S = 3.0
_LOOK_MS = 50
_MOST = 4  # threads that may be held up at a time
_START_S = 0.5


@dataclass(eq=False)
class _Question:
    what: Callable[[], Any]
    answered: Callable[[Any], None]
    late: Callable[[], None]
    asked_s: float = field(default_factory=time.monotonic)
    answer: list[Any] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    is_late: bool = False

    def ask(self) -> None:
        try:
            self.answer.append(self.what())
        finally:
            self.done.set()


class Inquiry(QObject):
    """Asks one thing at a time; a new question takes the place of the last."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: list[_Question] = []  # without an answer yet
        self._last: _Question | None = None
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def ask(self, what: Callable[[], Any], answered: Callable[[Any], None], late: Callable[[], None]) -> None:
        """Call `what` in a thread, then `answered` with what it gives; `late` when that does not come for some seconds."""
        question = self._last = _Question(what, answered, late)
        if self._begin(question) and question.done.wait(AT_ONCE_S):
            self._look()
        else:
            self._timer.start()

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._last = None
        self._timer.stop()

    def _begin(self, question: _Question) -> bool:
        self._asked = [other for other in self._asked if not other.done.is_set()]
        if len(self._asked) >= _MOST:
            return False
        self._asked.append(question)
        threading.Thread(target=question.ask, name="soli asks", daemon=True).start()
        return True

    def _look(self) -> None:
        question = self._last
        if question is None:
            return
        if question.done.is_set():
            self.forget()
            question.answered(question.answer[0])
            return
        if question not in self._asked:
            self._begin(question)  # others were held up
        if not question.is_late and time.monotonic() - question.asked_s > LATE_S:
            question.is_late = True
            question.late()


def folder_to_begin(*wanted: str | Path) -> str:
    """The first of the folders that answers soon, for a file dialog to begin in; the home folder where none does."""
    for folder in (Path(name) for name in wanted if str(name)):
        steps = answering_steps([folder], _START_S)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                if end.value:
                    return str(folder)
                break
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    return str(Path.home())
