"""What the opacity of a note says: how sure the alignment is of it, its activation, its velocity, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from soli.decompose.note_energy import as_strengths, note_energies
from soli.progress import Progress, Steps
from soli.project.document import Document
from soli.project.pipeline import Separation
from soli.score.notes import Note
from soli.ui.roll.note_field import StrengthOf
from soli.ui.worker import Job, Worker


@dataclass(frozen=True)
class Choice:
    """One meaning of opacity: its key in settings and actions, its name in the menu, a tip."""

    key: str
    name: str
    tip: str


CHOICES = (
    Choice("confidence", "Opacity by &confidence", "Notes that the sound bears out are opaque, doubtful ones pale"),
    Choice("energy", "Opacity by &activation energy", "Notes are as opaque as they are loud in the last decomposition"),
    Choice("velocity", "Opacity by &velocity", "Notes are as opaque as they are loud in the score"),
    Choice("none", "All notes &opaque", "The opacity of notes says nothing"),
)
BY_KEY = {choice.key: choice for choice in CHOICES}


class Opacity(QObject):
    """Tells the roll how strong each note is.

    Energies are worked out in `worker`, once a separation; until they are known all notes are opaque.
    """

    changed = Signal(object)  # StrengthOf, or None for the alignment's confidence

    def __init__(self, document: Document, worker: Worker) -> None:
        super().__init__()
        self._document, self._worker = document, worker
        self._choice = CHOICES[0]
        self._known: tuple[Separation | None, Mapping[int, float]] = (None, {})
        self._wanted: Separation | None = None
        document.subscribe(self._follow)

    @property
    def choice(self) -> Choice:
        return self._choice

    def use(self, key: str) -> None:
        self._choice = BY_KEY.get(key, CHOICES[0])
        if key == "energy":
            self._learn()
        self._tell()

    def _tell(self) -> None:
        energies = self._known[1]
        strengths: dict[str, StrengthOf | None] = {
            "confidence": None,
            "energy": lambda note: energies.get(note.id, 1.0),
            "velocity": _by_velocity,
            "none": _opaque,
        }
        self.changed.emit(strengths[self._choice.key])

    def _follow(self, aspects: frozenset[str]) -> None:
        if "separation" in aspects and self._choice.key == "energy":
            self._learn()

    def _learn(self) -> None:
        separation = self._document.separation
        if separation is self._known[0] or separation is self._wanted:
            return
        self._wanted = separation
        if separation is None:
            self._known = (None, {})
            self._tell()
            return

        def steps() -> Steps[Mapping[int, float]]:
            yield Progress(0, 1, "Measuring the notes")
            return as_strengths(note_energies(separation.factors))

        def done(energies: Mapping[int, float]) -> None:
            if self._document.separation is separation:
                self._known, self._wanted = (separation, energies), None
                self._tell()

        job = Job("Measuring the notes", steps)
        job.done.connect(done)
        self._worker.submit(job)


def _by_velocity(note: Note) -> float:
    return note.velocity / 127


def _opaque(_note: Note) -> float:
    return 1.0
