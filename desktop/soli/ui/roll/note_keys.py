"""The keys of the roll that work on the selected notes themselves: arrows nudge and stretch, Tab walks."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from soli.project import commands
from soli.project.document import Document
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.view import View
from soli.ui.selection import Selection

NUDGE_S = 0.01
FARTHER = 10
ACROSS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
UPWARDS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class NoteKeys:
    """Does what a key means for the selected notes. Presses that follow each other are one step of history."""

    def __init__(self, document: Document, selection: Selection, view: View) -> None:
        self._document, self._selection, self._view = document, selection, view

    def press(self, event: QKeyEvent) -> bool:
        """Whether the key is one of these: arrows move, with Shift they stretch the end, with Alt the beginning."""
        keys, key = event.modifiers(), Qt.Key(event.key())
        farther = bool(keys & Qt.KeyboardModifier.ControlModifier)
        shift, alt = bool(keys & Qt.KeyboardModifier.ShiftModifier), bool(keys & Qt.KeyboardModifier.AltModifier)
        if key in ACROSS:
            seconds = ACROSS[key] * NUDGE_S * (FARTHER if farther else 1)
            if shift or alt:
                self._stretch(onset_s=seconds if alt else 0.0, offset_s=seconds if shift else 0.0)
            else:
                self.move(seconds=seconds)
            return True
        if key in UPWARDS and not (shift or alt):
            self.move(semitones=UPWARDS[key] * (12 if farther else 1))
            return True
        return False

    def walk(self, field: NoteField, step: int) -> int | None:
        """Select the note after (or before) the selected one, in order of onset; its id."""
        ids = field.notes.id.tolist()
        if not ids:
            return None
        places = [place for place, note_id in enumerate(ids) if note_id in self._selection.ids] or [-1 if step > 0 else len(ids)]
        note_id = int(ids[((max(places) if step > 0 else min(places)) + step) % len(ids)])
        self._selection.set({note_id})
        return note_id

    def move(self, *, seconds: float = 0.0, semitones: int = 0) -> None:
        """Move the selected notes; where there are none, what the roll shows."""
        if self._selection.ids:
            edit = commands.move_notes(self._document.state, self._selection.ids, seconds=seconds, semitones=semitones)
            self._document.do(replace(edit, gesture="nudge"))
        else:
            self._view.scroll(seconds=10 * seconds * self._view.span_s / 2, semitones=semitones)

    def _stretch(self, *, onset_s: float, offset_s: float) -> None:
        edit = commands.stretch_notes(self._document.state, self._selection.ids, onset_s=onset_s, offset_s=offset_s)
        self._document.do(replace(edit, gesture="nudge onset" if onset_s else "nudge offset"))
