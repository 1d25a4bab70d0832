"""How loud the original is to be beside the mix: weighed as signals come, so that comparing asks for nothing."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from soli.playback.loudness import Loudness
from soli.playback.mixer import Strip
from soli.progress import Steps
from soli.project.state import ORIGINAL
from soli.signal.audio import FloatArray
from soli.ui.sounds import Sounds
from soli.ui.worker import Job, Worker


class Matching(QObject):
    """Knows the gain at which the original is as loud as any mix. `changed` comes when it has weighed other signals."""

    changed = Signal()

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker
        self._job: Job | None = None
        self._sounds: Sounds | None = None  # that were weighed last
        self._loudness: Loudness | None = None
        self._unweighed: list[tuple[int, int]] | None = []  # samples that have changed since then; None for perhaps all

    def take(self, sounds: Sounds, ranges: Sequence[tuple[int, int]] | None) -> None:
        """The player holds these sounds now, which differ in these samples from those before (None: perhaps in all)."""
        self.close()
        if ranges is None or self._unweighed is None:
            self._unweighed = None
        else:
            self._unweighed = [*self._unweighed, *ranges]
        if self._sounds is not None and (self._sounds.audio is not sounds.audio or self._sounds.channels != sounds.channels):
            self._sounds = self._loudness = None
        if sounds.separation is None:
            return
        former = None if self._unweighed is None else self._loudness
        changed = tuple(self._unweighed or ())

        def steps() -> Steps[Loudness]:
            separation, whole = sounds.separation, sounds.audio.samples
            assert separation is not None

            def original(first: int, end: int) -> FloatArray:
                return whole[first:end]

            signals = [original if c == ORIGINAL else partial(separation.signals.stretch, c) for c in sounds.channels]
            return (yield from Loudness.steps(signals, original, len(whole), sounds.audio.rate, former=former, changed=changed))

        job = Job("Weighing the loudness", steps)
        job.done.connect(partial(self._weighed, job, sounds))
        self._job = job
        self._worker.submit(job)

    def gain_db(self, channels: tuple[int, ...], strips: Sequence[Strip]) -> float:
        """For the original, beside these strips; 0 until they have been weighed."""
        if self._sounds is None or self._loudness is None or self._sounds.channels != channels:
            return 0.0
        return self._loudness.matching_gain_db(strips)

    def close(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _weighed(self, job: Job, sounds: Sounds, loudness: Loudness) -> None:
        if self._job is job:
            self._job, self._sounds, self._loudness, self._unweighed = None, sounds, loudness, []
            self.changed.emit()
