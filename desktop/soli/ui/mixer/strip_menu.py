"""The menu of a strip: what is heard with it, and what becomes of its layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QMenu

from soli.project import commands
from soli.project.document import Document
from soli.project.state import LAYER_COLOURS, ORIGINAL
from soli.ui.mixer.layer_menu import add_layer_entries
from soli.ui.mixer.template_menu import add_template_menu
from soli.ui.selection import Selection
from soli.ui.theme import Theme

if TYPE_CHECKING:
    from soli.ui.mixer.mixer_panel import MixerPanel

# What a layer may be said to be played on, with the General MIDI program that stands for it.
INSTRUMENTS = {
    "Piano": 0,
    "Harpsichord": 6,
    "Vibraphone, bells": 11,
    "Organ": 19,
    "Guitar, lute": 24,
    "Plucked bass": 32,
    "Violin": 40,
    "Viola": 41,
    "Cello": 42,
    "Strings": 48,
    "Voice, choir": 52,
    "Trumpet": 56,
    "Horn": 60,
    "Saxophone": 65,
    "Oboe": 68,
    "Bassoon": 70,
    "Clarinet": 71,
    "Flute": 73,
}


class StripMenu:
    """Fills the menu of a strip with what can be done now."""

    def __init__(self, document: Document, selection: Selection, theme: Theme) -> None:
        self._document, self._selection, self._theme = document, selection, theme

    def fill(self, menu: QMenu, strip_id: int, mixer: MixerPanel) -> None:
        """Entries for the strip of a layer, of the residual or of the original."""
        state = self._document.state
        if self._document.separation is not None:
            menu.addAction("Hear only this", partial(mixer.solo_only, strip_id))
            if strip_id != ORIGINAL:
                menu.addAction("Hear all but this", partial(mixer.all_but, strip_id))
        if state.layer(strip_id) is None:
            return
        menu.addSeparator()
        menu.addAction("Rename", partial(mixer.rename, strip_id))
        self._add_colours(menu.addMenu("Colour"), strip_id, mixer)
        self._add_instruments(menu.addMenu("Instrument"), strip_id)
        add_template_menu(menu, self._document, strip_id)
        menu.addSeparator()
        add_layer_entries(menu, self._document, strip_id)
        menu.addSeparator()
        menu.addAction("Select its notes", partial(self.select, strip_id))
        assign = menu.addAction("Move selected notes here", partial(mixer.assign, strip_id))
        assign.setEnabled(bool(self._selection.ids))
        menu.addSeparator()
        others = [other for other in state.layers if other.id != strip_id]
        if others and not any(n.layer == strip_id for n in state.notes.values()):
            menu.addAction("Delete this empty layer", partial(self.merge, strip_id, others[0].id))
        merge = menu.addMenu("Merge into")
        merge.setEnabled(bool(others))
        for other in others:
            merge.addAction(other.name.replace("&", "&&"), partial(self.merge, strip_id, other.id))

    def select(self, layer: int) -> None:
        """Select the notes of a layer, and nothing else."""
        self._selection.set(n.id for n in self._document.state.notes.values() if n.layer == layer)

    def merge(self, layer: int, into: int) -> None:
        self._document.do(commands.remove_layer(self._document.state, layer, into))

    def set_program(self, layer: int, program: int, name: str) -> None:
        self._document.do(commands.set_program(self._document.state, layer, program, name))

    def recolour(self, layer: int, colour: str) -> None:
        self._document.do(commands.alter_layer(self._document.state, layer, colour=colour))

    def _add_colours(self, menu: QMenu, layer: int, mixer: MixerPanel) -> None:
        for colour, name in LAYER_COLOURS.items():
            action = menu.addAction(name, partial(self.recolour, layer, colour))
            action.setIconVisibleInMenu(True)
            pixmap = self._theme.pixmap("select", colour, 16)
            pixmap.fill(QColor(colour))
            action.setIcon(pixmap)
        menu.addSeparator()
        menu.addAction("Other…", partial(self._ask_colour, layer, mixer))

    def _add_instruments(self, menu: QMenu, layer: int) -> None:
        played = {n.program for n in self._document.state.notes.values() if n.layer == layer and not n.is_drum}
        for name, program in INSTRUMENTS.items():
            action = menu.addAction(name, partial(self.set_program, layer, program, name))
            action.setCheckable(True)
            action.setChecked(played == {program})
        menu.setEnabled(bool(played))

    def _ask_colour(self, layer: int, mixer: MixerPanel) -> None:
        known = self._document.state.layer(layer)
        colour = QColorDialog.getColor(QColor(known.colour if known else "#888888"), mixer, "Colour of the layer")
        if colour.isValid():
            self.recolour(layer, colour.name())
