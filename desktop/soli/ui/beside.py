"""The roll, and beside it the note table, with a handle between them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from soli.settings import Settings


class Beside(QSplitter):
    """A panel at the right of the roll that can be shown, hidden and widened; what the user chose is kept in the settings."""

    shown_changed = Signal(bool)

    def __init__(self, roll: QWidget, panel: QWidget, settings: Settings) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._panel, self._settings = panel, settings
        self.setObjectName("beside")
        self.setHandleWidth(5)
        self.addWidget(roll)
        self.addWidget(panel)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.splitterMoved.connect(self._remember)
        panel.setVisible(settings.note_table)
        self._give_width()

    @property
    def is_open(self) -> bool:
        return not self._panel.isHidden()

    def toggle(self) -> None:
        self.show_panel(not self.is_open)

    def show_panel(self, on: bool) -> None:
        """Show or hide the panel; the keyboard goes back to the roll when it was in what is hidden."""
        if on != self.is_open:
            self._settings.note_table = on
            self._panel.setVisible(on)
            if on:
                self._give_width()
            self.shown_changed.emit(on)

    def _give_width(self) -> None:
        wanted = self._settings.note_table_width
        self.setSizes([max(1, self.width() - wanted), wanted])

    def _remember(self) -> None:
        self._settings.note_table_width = self._panel.width()
