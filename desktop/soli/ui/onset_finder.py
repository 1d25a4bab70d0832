"""Finds the onsets of the recording in the background, once somebody asks for them."""

from PySide6.QtCore import QObject, Signal

from soli.progress import Steps
from soli.project.document import Document
from soli.project.pipeline import Ear
from soli.score.heard_onsets import heard_onsets
from soli.score.notes import Times
from soli.signal.audio import Audio
from soli.ui.worker import Job, Worker


class OnsetFinder(QObject):
    """`find` listens to the recording of the document; `found` brings its onsets, seconds ascending."""

    found = Signal(object)

    def __init__(self, document: Document, worker: Worker, ear: Ear) -> None:
        super().__init__()
        self._document, self._worker, self._ear = document, worker, ear
        self._known: tuple[Audio, Times] | None = None
        self._job: Job | None = None
        self._listens_to: Audio | None = None

    def find(self) -> None:
        """Bring the onsets of the recording that is open; those found before come at once."""
        audio = self._document.state.audio
        if audio is None:
            return
        if self._known is not None and self._known[0] is audio:
            self.found.emit(self._known[1])
            return
        if self._job is not None:
            if self._listens_to is audio:
                return
            self._job.cancel()

        def steps() -> Steps[Times]:
            return heard_onsets(audio, (yield from self._ear.hearing_steps(audio)))

        job = Job("Finding onsets", steps)

        def done(onsets_s: Times) -> None:
            if self._document.state.audio is audio:
                self._known = (audio, onsets_s)
                self.found.emit(onsets_s)

        def ended() -> None:
            if self._job is job:
                self._job = self._listens_to = None

        job.done.connect(done)
        job.ended.connect(ended)
        self._job, self._listens_to = job, audio
        self._worker.submit(job)
