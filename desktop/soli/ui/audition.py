"""Notes on their own: lets a musician hear at once what the decomposition found of the notes under the pointer."""

import threading
from collections.abc import Callable, Collection
from typing import TypeAlias

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from soli.decompose import masking
from soli.errors import InputError
from soli.playback.mixer import RAMP_S
from soli.playback.player import LONGEST_AUDITION_S, Player
from soli.progress import Progress, Steps
from soli.project.document import Document
from soli.project.pipeline import Separation
from soli.project.state import State
from soli.score.notes import Note
from soli.signal.audio import Audio, FloatArray
from soli.ui.worker import Job, Worker

LEAD_S = 0.03  # what may be heard before the first onset, where that is aligned too late
RISEN, NEAR_S = 0.1, 0.15  # of the loudest sound until so long after the onset: what is quieter before is not waited for
POLL_MS = 20

NOT_SEPARATED = "This is the recording where the note sounds; decompose to hear the note alone."
CHANGED_SINCE = "This is the recording where the note sounds; decompose again to hear the changed note alone."
SOME_CHANGED = "Notes that changed since the decomposition are left out; decompose again to hear them."


class Audition(QObject):
    """Plays notes on their own. `worker` computes for this alone: behind a decomposition nothing would come at once.

    `started` tells the ids whose sound goes to the ear, `ended` comes when none sounds any more; notes that take the
    place of others are told by `started` alone. `said` tells in one sentence what is heard otherwise than expected.
    """

    started = Signal(frozenset)
    ended = Signal()
    said = Signal(str)

    def __init__(self, document: Document, player: Player, worker: Worker) -> None:
        super().__init__()
        self._document, self._player, self._worker = document, player, worker
        self._asked = 0
        self._lock = threading.Lock()  # held while a sound is handed over, so that none comes after what replaced it
        self._job: Job | None = None
        self._ids: frozenset[int] = frozenset()
        self._changes = 0  # of the document
        self._expected: Job | None = None
        self._found: tuple[frozenset[int], _Sound] | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        document.subscribe(self._follow)

    @property
    def ids(self) -> frozenset[int]:
        """The notes that are heard now."""
        return self._ids

    def note(self, ids: Collection[int]) -> None:
        """Hear notes alone, from the first onset on; only the newest request counts. Ids that are no notes are left out."""
        find = self._finding(ids)
        if find is None:
            return
        self._drop()
        number = self._asked

        def steps() -> Steps[tuple[frozenset[int], str]]:
            heard, signal, rate, remark = yield from find()
            with self._lock:  # from this thread, because the window's may be busy
                if number == self._asked:
                    self._player.audition(signal, rate)
            return heard, remark

        def done(result: tuple[frozenset[int], str]) -> None:
            if number != self._asked:
                return
            self._job = None
            self._ids, remark = result
            self.started.emit(self._ids)
            self._timer.start()
            if remark:
                self.said.emit(remark)

        def failed(sentence: str) -> None:
            if number == self._asked:
                self.stop()
                self.said.emit(sentence)

        job = Job("Hearing a note", steps)
        job.done.connect(done)
        job.failed.connect(failed)
        self._job = self._worker.submit(job)

    def expect(self, ids: Collection[int]) -> None:
        """Find the sound of a note that will perhaps be asked for, so that it is heard at once then; more than one are let be."""
        if self._expected is not None:
            self._expected.cancel()
            self._expected = None
        find = self._finding(ids) if len(ids) == 1 else None
        if find is not None:
            self._expected = self._worker.submit(Job("Finding a note", find))

    def component(self, component: int, time_s: float) -> None:
        """Play the note that sounds in a component of the last run at a time; its first one where the time is negative."""
        self.note(self._sounding_in(component, time_s))

    def expect_component(self, component: int, time_s: float) -> None:
        """Find that note's sound; see `expect`."""
        self.expect(self._sounding_in(component, time_s))

    def _sounding_in(self, component: int, time_s: float) -> frozenset[int]:
        separation, notes = self._document.separation, self._document.state.notes
        if separation is None:
            return frozenset()
        constraint, grid = separation.factors.constraint, separation.factors.grid
        if component >= len(constraint.components):
            return frozenset()  # of a run that goes on and knows more
        entries = constraint.entries
        rows = np.flatnonzero(entries.voice == constraint.components.voice[component])
        if time_s >= 0 and len(rows):
            distance = np.abs(entries.frame[rows] - time_s / grid.hop_s)
            rows = rows[distance <= distance.min() + 0.5]
        ids = [i for i in np.unique(constraint.bodies.note[entries.body[rows]]).tolist() if i in notes]
        return frozenset([min(ids, key=lambda i: notes[i].onset_s)] if ids else ())

    def stop(self) -> None:
        """Hear nothing of the notes any more."""
        sounding = bool(self._ids) or self._job is not None
        self._drop()
        if sounding:
            self._player.audition(np.zeros((0, 1), np.float32), 1)

    def _finding(self, ids: Collection[int]) -> "Callable[[], Steps[_Sound]] | None":
        """The way to the sound of notes as they are now, for the worker's thread; None where none of them is there.

        What was found last is remembered until the document changes.
        """
        state, separation, changes = self._document.state, self._document.separation, self._changes
        wanted = frozenset(ids) & state.notes.keys()
        if not wanted:
            return None

        def steps() -> Steps[_Sound]:
            yield Progress(0, 1, "Finding the note")
            with self._lock:
                found = self._found
            if found is None or found[0] != wanted or changes != self._changes:
                found = wanted, sound_of([state.notes[id_] for id_ in wanted], state, separation)
                with self._lock:
                    if changes == self._changes:
                        self._found = found
            yield Progress(1, 1, "Finding the note")
            return found[1]

        return steps

    def _drop(self) -> None:
        """What was asked before no longer counts, computed or not."""
        with self._lock:
            self._asked += 1
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _look(self) -> None:
        if self._ids and not self._player.status().auditioning:
            self._timer.stop()
            self._ids = frozenset()
            self.ended.emit()

    def _follow(self, aspects: frozenset[str]) -> None:
        with self._lock:
            self._changes += 1
            self._found = None
        if "recording" in aspects:
            self.stop()


_Sound: TypeAlias = tuple[frozenset[int], FloatArray, int, str]


def sound_of(notes: Collection[Note], state: State, separation: Separation | None) -> _Sound:
    """What there is to hear of notes: their ids, samples (length, channels), the rate, and a remark or nothing.

    The separated sound of those that the separation knows as they are; where it knows none, the stretch of the recording.
    Notes that begin beyond what is heard of one sound are left out. Raises InputError, in one sentence, when there is
    nothing to hear.
    """
    if state.audio is None:
        raise InputError("There is no recording to hear the note in; open one first.")
    first_s = min(note.onset_s for note in notes)
    notes = [note for note in notes if note.onset_s < first_s + LONGEST_AUDITION_S]
    known = [note for note in notes if separation is not None and _knows(separation, note)]
    if separation is not None and known:
        remark = SOME_CHANGED if len(known) < len(notes) else ""
        heard, signal = known, _separated(known, separation, state.audio)
    else:
        remark = CHANGED_SINCE if separation is not None else NOT_SEPARATED
        heard, signal = list(notes), _stretch(notes, state.audio)
    return frozenset(note.id for note in heard), signal, state.audio.rate, remark


def _knows(separation: Separation, note: Note) -> bool:
    """Whether the separation found this note: of the same pitch, at the same time or nearly so."""
    then = separation.source.notes.get(note.id)
    if then is None or note.id in separation.source.absent or then.pitch != note.pitch:
        return False
    return then.onset_s < note.sounding_offset_s and note.onset_s < then.sounding_offset_s


def _separated(notes: Collection[Note], separation: Separation, audio: Audio) -> FloatArray:
    ids = [note.id for note in notes]
    first, samples = masking.note_alone(audio, separation.factors, ids)
    if not samples.any():
        raise InputError("The decomposition found no sound of this note.")
    onset = round(min(separation.source.notes[id_].onset_s for id_ in ids) * audio.rate) - first
    return samples[_risen(samples, onset, audio.rate) :]


def _risen(samples: FloatArray, onset: int, rate: int) -> int:
    """Where a sound is to begin that is to be heard at once: just before it rises, with room for the player's fade.

    Not after its onset, and not much before: the window of the analysis reaches far ahead.
    """
    first, onset = max(0, onset - round(LEAD_S * rate)), max(0, onset)
    level = np.abs(samples[first : onset + round(NEAR_S * rate)]).max(axis=1)
    rises = int(np.argmax(level >= RISEN * level.max(initial=0))) if len(level) else 0
    return max(first, min(first + rises, onset) - round(RAMP_S * rate))


def _stretch(notes: Collection[Note], audio: Audio) -> FloatArray:
    begin_s, end_s = min(note.onset_s for note in notes) - LEAD_S, max(note.sounding_offset_s for note in notes)
    samples = audio.samples[max(0, round(begin_s * audio.rate)) : max(0, round(end_s * audio.rate))]
    if not len(samples):
        raise InputError("The note lies outside of the recording.")
    return samples
