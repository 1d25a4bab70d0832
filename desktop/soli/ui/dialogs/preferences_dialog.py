"""Preferences: a page each for sound, appearance, keys, and what new projects begin with. Every change holds at once."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from soli.settings import Settings
from soli.ui.actions import Actions
from soli.ui.dialogs.appearance_page import AppearancePage
from soli.ui.dialogs.audio_page import AudioPage
from soli.ui.dialogs.defaults_page import DefaultsPage
from soli.ui.dialogs.keys_page import KeysPage
from soli.ui.theme import Theme

SIZE = (960, 640)
ROW_HEIGHT = 32
PAGES = ("Audio", "Appearance", "Keys", "Decomposition")


class PreferencesDialog(QDialog):
    """Changes `settings` in place; `changed` with the name of the page on which something was chosen."""

    changed = Signal(str)

    def __init__(self, parent: QWidget, settings: Settings, actions: Actions, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.audio = AudioPage(settings)
        self.appearance = AppearancePage(settings, theme)
        self.keys = KeysPage(actions, theme)
        self.defaults = DefaultsPage(settings)
        self.list = QListWidget()
        self.list.setObjectName("pages")
        self.list.setAccessibleName("Pages")
        self.list.setFixedWidth(148)
        self._stack = QStackedWidget()
        pages = (self.audio, self.appearance, self.keys, self.defaults)
        chosen = (self.audio.changed, self.appearance.changed, self.keys.changed, self.defaults.changed)
        for name, page, signal in zip(PAGES, pages, chosen, strict=True):
            item = QListWidgetItem(name, self.list)
            item.setSizeHint(QSize(0, ROW_HEIGHT))
            self._stack.addWidget(_titled(name, page))
            signal.connect(lambda n=name: self.changed.emit(n))
        self.list.currentRowChanged.connect(self._stack.setCurrentIndex)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        # Return belongs to the fields and lists of the pages; Esc closes.
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        right = QVBoxLayout()
        right.setContentsMargins(22, 18, 22, 14)
        right.setSpacing(12)
        right.addWidget(self._stack, 1)
        right.addWidget(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.list)
        layout.addLayout(right, 1)
        self.resize(SIZE[0], min(SIZE[1], parent.height()))
        self.show_page(PAGES[0])

    def show_page(self, name: str) -> None:
        """Open one of PAGES, with the keyboard where one begins there."""
        self.list.setCurrentRow(PAGES.index(name))
        (self.keys.search if name == "Keys" else self.list).setFocus()


def _titled(name: str, page: QWidget) -> QWidget:
    title = QLabel(name)
    title.setObjectName("pageTitle")
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(12)
    layout.addWidget(title)
    layout.addWidget(page, 1)
    return whole
