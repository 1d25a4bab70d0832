"""Has the spectrograms of the recording drawn in the background, the part that is looked at before the others."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from soli.progress import Steps
from soli.project.document import Document
from soli.signal.audio import Audio
from soli.signal.linear_spectrogram import LinearSpectrogramMaker
from soli.signal.log_spectrogram import LogSpectrogramMaker
from soli.signal.picture import Picture
from soli.ui.roll.minimap import loudness
from soli.ui.roll.view import Axis
from soli.ui.worker import Job, Worker

Maker = LogSpectrogramMaker | LinearSpectrogramMaker
MAKERS: dict[Axis, Callable[[Audio], Maker]] = {"log": LogSpectrogramMaker, "linear": LinearSpectrogramMaker}


class Pictures(QObject):
    """One picture an axis, from the first time it is wanted until another recording comes. `log` is always wanted."""

    ready = Signal(str, object)  # the axis and its Picture, which is still growing; None: there is none any more
    grew = Signal(str)
    loudness_ready = Signal(object)

    def __init__(self, document: Document, worker: Worker) -> None:
        super().__init__()
        self._document, self._worker = document, worker
        self._audio: Audio | None = None
        self._seen_s = (0.0, 0.0)
        self._makers: dict[Axis, Maker] = {}
        self._jobs: dict[Axis, Job] = {}
        self._wanted: set[Axis] = {"log"}
        document.subscribe(self._follow)

    def look_at(self, start_s: float, end_s: float) -> None:
        """Say which stretch of the recording is in sight."""
        self._seen_s = (start_s, end_s)
        for maker in tuple(self._makers.values()):
            maker.look_at(start_s, end_s)

    def want(self, axis: Axis) -> None:
        """Draw the picture of an axis, if it is not there yet."""
        self._wanted.add(axis)
        if self._audio is not None and axis not in self._jobs:
            self._draw(axis, self._audio)

    def _follow(self, aspects: frozenset[str]) -> None:
        audio = self._document.state.audio
        if "recording" not in aspects or audio is self._audio:
            return
        for job in self._jobs.values():
            job.cancel()
        self._makers, self._jobs, self._audio = {}, {}, audio
        for axis in MAKERS:
            self.ready.emit(axis, None)
        self.loudness_ready.emit(None)
        for axis in sorted(self._wanted):
            self.want(axis)

    def _draw(self, axis: Axis, audio: Audio) -> None:
        made: list[Maker] = []

        def steps() -> Steps[NDArray[np.float32] | None]:
            peaks = loudness(audio) if axis == "log" else None
            maker = MAKERS[axis](audio)
            maker.look_at(*self._seen_s)
            made.append(maker)
            yield from maker.steps()
            return peaks

        def grew() -> None:
            if self._jobs.get(axis) is not job or not made:
                return
            if axis not in self._makers:
                self._makers[axis] = made[0]
                picture: Picture = made[0].picture
                self.ready.emit(axis, picture)
            self.grew.emit(axis)

        def drawn(peaks: NDArray[np.float32] | None) -> None:
            grew()
            if self._jobs.get(axis) is job:
                self._makers.pop(axis, None)  # it holds what the picture was made of
                if peaks is not None:
                    self.loudness_ready.emit(peaks)

        job = Job("Drawing the spectrogram", steps)
        self._jobs[axis] = job
        job.progressed.connect(lambda _: grew())
        job.done.connect(drawn)
        self._worker.submit(job)
