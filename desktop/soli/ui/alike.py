"""Notes that have something in common with those that are selected: what a layer may be made of."""

from collections.abc import Callable, Collection, Hashable, Mapping

from soli.project.state import State
from soli.score.doubts import doubts
from soli.score.notes import Note
from soli.ui.roll.hits import shown

COMMON: Mapping[str, Callable[[Note], Hashable]] = {
    "pitch": lambda note: note.pitch,
    "pitch_class": lambda note: note.pitch % 12,
    "layer": lambda note: note.layer,
    "voice": lambda note: (note.track, note.channel),
}


def alike(state: State, ids: Collection[int], what: str) -> frozenset[int]:
    """Ids of the notes `ids` and of all that are shown and share `what`, a key of COMMON, with one of them."""
    of = COMMON[what]
    wanted = {of(state.notes[i]) for i in ids}
    return frozenset(ids) | shown(state, (i for i, note in state.notes.items() if of(note) in wanted))


def unsure(state: State) -> frozenset[int]:
    """Ids of the shown notes that the sound does not bear out."""
    alignment = state.alignment
    if alignment is None:
        return frozenset()
    confidence = dict(zip((n.id for n in alignment.notes), alignment.confidence.tolist(), strict=True))
    return shown(state, (doubt.note for doubt in doubts(tuple(state.notes.values()), confidence, state.absent)))
