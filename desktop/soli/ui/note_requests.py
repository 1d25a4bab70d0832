"""What the user asks for of notes by menu and key: copy and paste, split, snap, select many at once."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from soli.project import commands
from soli.project.edits import Edit
from soli.ui import note_clipboard
from soli.ui.roll.canvas import Canvas
from soli.ui.roll.hits import shown


class NoteRequests(QObject):
    """Works on the selection of a canvas. `position_s` tells where the playhead is."""

    said = Signal(str)

    def __init__(self, canvas: Canvas, position_s: Callable[[], float]) -> None:
        super().__init__()
        self._canvas, self._document, self._selection = canvas, canvas.document, canvas.selection
        self._position_s = position_s

    def copy(self) -> None:
        note_clipboard.put(commands.copy_notes(self._document.state, self._selection.ids))

    def cut(self) -> None:
        state = self._document.state
        ids = state.editable(self._selection.ids)
        note_clipboard.put(commands.copy_notes(state, ids))
        self._document.do(replace(commands.delete_notes(state, ids), name=f"cut {commands.count(len(ids), 'note')}"))

    def paste(self) -> None:
        """Put what was copied at the playhead."""
        notes = note_clipboard.take()
        if notes:
            self._add(commands.paste_notes(self._document.state, notes, self._position_s()))
        else:
            self.said.emit("There are no notes to paste: copy some first")

    def repeat(self) -> None:
        """The selected notes once more, where the last of them ends."""
        state = self._document.state
        notes = commands.copy_notes(state, state.editable(self._selection.ids))
        if notes:
            edit = commands.paste_notes(state, notes, max(note.sounding_offset_s for note in notes))
            self._add(replace(edit, name=f"repeat {commands.count(len(notes), 'note')}"))

    def split_at_playhead(self) -> None:
        """Cut the selected notes that sound at the playhead, or all that do where none is selected."""
        state, at_s = self._document.state, self._position_s()
        sounding = self._canvas.field.notes_in(at_s, at_s, 0, 127)
        ids = self._selection.ids.intersection(sounding) if self._selection.ids else sounding
        edit = commands.split_notes(state, ids, at_s)
        if edit.changes_nothing:
            self.said.emit("No note that can be cut sounds at the playhead")
            return
        self._document.do(edit)
        if self._selection.ids:
            self._selection.set(self._selection.ids | (self._document.state.notes.keys() - state.notes.keys()))

    def snap(self) -> None:
        """Move the onset of each selected note to where it would snap."""
        state, canvas = self._document.state, self._canvas
        places = {i: canvas.snap(state.notes[i].onset_s) for i in state.editable(self._selection.ids)}
        canvas.snapping.let_go()
        moved = {i: {"onset_s": max(0.0, place)} for i, place in places.items() if abs(place - state.notes[i].onset_s) > 1e-9}
        if moved:
            self._document.do(commands.alter_notes(state, moved, f"snap {commands.count(len(moved), 'note')}"))
        else:
            self.said.emit("The selected notes lie where they snap already")

    def select_all(self) -> None:
        self._selection.set(shown(self._document.state, self._document.state.notes))

    def invert(self) -> None:
        self._selection.set(shown(self._document.state, self._document.state.notes) - self._selection.ids)

    def _add(self, edit: Edit) -> None:
        state = self._document.state
        self._document.do(edit)
        made = self._document.state.notes.keys() - state.notes.keys()
        if made:
            self._selection.set(made)
            self._canvas.reveal(min(made))
        else:
            self.said.emit("The layer of these notes is locked")
