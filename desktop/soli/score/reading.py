"""A score from whatever file holds one."""

from pathlib import Path

from soli.score import midi
from soli.score.note_lists import read_note_list
from soli.score.notes import Score

MIDI_SUFFIXES = (".mid", ".midi", ".smf", ".kar")
LIST_SUFFIXES = (".csv", ".tsv")
SUFFIXES = MIDI_SUFFIXES + LIST_SUFFIXES


def read_score(path: Path) -> Score:
    """Read a list of notes (CSV) or a Standard MIDI File, whichever the suffix says. Raises InputError, in one sentence."""
    return read_note_list(path) if path.suffix.lower() in LIST_SUFFIXES else midi.read(path)
