"""Menus that are filled when they open: of the roll, of the layers, of recent files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from soli.project.document import Document
from soli.settings import Settings
from soli.ui.actions import Actions
from soli.ui.menus import ALIKE
from soli.ui.panels.note_table import NoteTable
from soli.ui.roll.canvas import Canvas

ON_THE_ROLL = (
    "hear", "loop_selection", "zoom_selection", "", "cut", "copy", "paste", "repeat_notes", "delete", "",
    "split_notes", "snap_notes", "leave_out", "bring_back", "", "new_layer",
)  # fmt: skip


class PopupMenus(QObject):
    """Fills menus with what there is now."""

    opened = Signal(list)  # paths to open
    layer_chosen = Signal(int)  # the layer that the selected notes go to
    pitch_chosen = Signal(int)  # the pitch all notes of which are to be selected
    template_asked = Signal(int)  # the pitch whose template is to be seen
    template_freed = Signal(int)  # the pitch whose template is to be limited no longer

    def __init__(self, window: QWidget, actions: Actions, document: Document, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._actions, self._document, self._settings = window, actions, document, settings

    def open_roll(self, canvas: Canvas, at: QPoint) -> None:
        """The menu of the roll, at a point of the screen."""
        menu = QMenu(self._window)
        self._add(menu, ON_THE_ROLL)
        self._add_groups(menu)
        pitch = canvas.note_pitch(at)
        if pitch is not None:
            menu.addSeparator()
            self._add_template(menu, pitch)
        canvas.add_menu(menu, at)
        menu.deleteLater()

    def open_key(self, pitch: int, at: QPoint) -> None:
        """The menu of a piano key, at a point of the screen."""
        menu = QMenu(self._window)
        chosen = menu.addAction(
            f"Select all notes of {self._document.state.pitch_name(pitch)}", partial(self.pitch_chosen.emit, pitch)
        )
        chosen.setEnabled(any(note.pitch == pitch for note in self._document.state.notes.values()))
        self._add_template(menu, pitch)
        menu.exec(at)
        menu.deleteLater()

    def _add(self, menu: QMenu, keys: Sequence[str]) -> None:
        menu.installEventFilter(self._actions.menu_tips)
        for key in keys:
            if key:
                menu.addAction(self._actions[key])
            else:
                menu.addSeparator()

    def _add_groups(self, menu: QMenu) -> None:
        """What makes groups of notes, and layers of them."""
        self.fill_layers(menu.addMenu("Move to layer"))
        like = menu.addMenu("Select notes like this")
        like.setToolTipsVisible(True)
        like.setEnabled(any(self._actions[key].isEnabled() for key in ALIKE))
        self._add(like, ALIKE)

    def _add_template(self, menu: QMenu, pitch: int) -> None:
        name = self._document.state.pitch_name(pitch)
        menu.addAction(f"Template of {name}…", partial(self.template_asked.emit, pitch))
        if pitch in self._document.state.template_limits:
            menu.addAction(f"No limits for the template of {name}", partial(self.template_freed.emit, pitch))

    def open_rows(self, table: NoteTable, at: QPoint) -> None:
        """The menu of the note table, at a point of the screen."""
        menu = QMenu(self._window)
        self._add(menu, ON_THE_ROLL)
        self._add_groups(menu)
        menu.addSeparator()
        table.fill_menu(menu)
        menu.exec(at)
        menu.deleteLater()

    def fill_layers(self, menu: QMenu) -> None:
        """One entry a layer, with the keys Alt+1 to Alt+9."""
        menu.clear()
        chosen = self._actions["cut"].isEnabled()
        menu.setEnabled(chosen and bool(self._document.state.layers))
        for index, layer in enumerate(self._document.state.layers):
            if index < len(self._actions.assign):
                action = self._actions.assign[index]
                action.setText(layer.name.replace("&", "&&"))
                menu.addAction(action)
            else:
                menu.addAction(layer.name.replace("&", "&&"), partial(self.layer_chosen.emit, layer.id))

    def fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for name in self._settings.recent:
            menu.addAction(name.replace("&", "&&"), partial(self.opened.emit, [Path(name)]))
        if self._settings.recent:
            menu.addSeparator()
            menu.addAction("Clear this list", self._settings.recent.clear)
        else:
            menu.addAction("Nothing yet").setEnabled(False)
