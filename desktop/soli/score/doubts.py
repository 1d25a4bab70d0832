"""Which notes the sound does not bear out, and what may be the matter with them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from soli.score.notes import Note

DOUBTFUL = 0.1  # right notes that others cover go down to about here
DRIFT_S = 2.0  # doubtful notes that follow each other for so long are no slip of a finger
DRIFT_NOTES = 6
ORNAMENT_S = 0.12


class Reason(Enum):
    """What may be the matter with a doubtful note."""

    SKIPPED = "not in the recording"
    DRIFT = "the score drifts here"
    ORNAMENT = "an ornament played otherwise"
    WRONG = "hardly heard: another note, or covered by others"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A note that the sound does not bear out: its id, its confidence from 0 to 1, and the likeliest reason."""

    note: int
    confidence: float
    reason: Reason


def doubts(notes: Sequence[Note], confidence: Mapping[int, float], absent: Collection[int] = ()) -> tuple[Doubt, ...]:
    """The doubtful notes, placed in the recording's seconds, in the order of their onsets.

    `confidence` is by id; a note that is not in it is the user's own and never doubtful. `absent` are ids of notes whose
    stretch of the score has no counterpart.
    """
    ordered = sorted((n for n in notes if n.id in confidence), key=lambda n: (n.onset_s, n.id))
    doubtful = [n.id in absent or confidence[n.id] < DOUBTFUL for n in ordered]
    drifting = _drifting(ordered, doubtful)
    found = []
    for i, note in enumerate(ordered):
        if not doubtful[i]:
            continue
        if note.id in absent:
            reason = Reason.SKIPPED
        elif i in drifting:
            reason = Reason.DRIFT
        elif note.offset_s - note.onset_s < ORNAMENT_S:
            reason = Reason.ORNAMENT
        else:
            reason = Reason.WRONG
        found.append(Doubt(note.id, confidence[note.id], reason))
    return tuple(found)


def _drifting(notes: Sequence[Note], doubtful: Sequence[bool]) -> set[int]:
    """Places in `notes` that lie in a long stretch of nothing but doubtful notes."""
    drifting: set[int] = set()
    start = 0
    for i in range(len(notes) + 1):
        if i < len(notes) and doubtful[i]:
            continue
        long = i - start >= DRIFT_NOTES and notes[i - 1].onset_s - notes[start].onset_s >= DRIFT_S
        if i > start and long:
            drifting.update(range(start, i))
        start = i + 1
    return drifting
