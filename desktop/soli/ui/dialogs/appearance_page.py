"""The page of looks: the theme, and what the roll does while the music plays."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QLabel, QRadioButton, QVBoxLayout, QWidget

from soli.settings import Settings
from soli.ui.theme import THEMES, Theme


class AppearancePage(QWidget):
    """Puts the choice into the settings; `changed` when there is another."""

    changed = Signal()

    def __init__(self, settings: Settings, theme: Theme) -> None:
        super().__init__()
        self._settings = settings
        self.themes: dict[str, QRadioButton] = {}
        group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(9)
        layout.addWidget(_heading("THEME"))
        for name, text in THEMES.items():
            button = QRadioButton(text)
            button.setChecked(theme.name == name)
            button.clicked.connect(lambda _=False, n=name: self._use(n))
            group.addButton(button)
            layout.addWidget(button)
            self.themes[name] = button
        layout.addSpacing(10)
        layout.addWidget(_heading("ROLL"))
        self.follow = QCheckBox("Follow the playhead")
        self.follow.setToolTip("Scroll along while the music plays")
        self.follow.setChecked(settings.follow_playhead)
        self.follow.clicked.connect(self._set_follow)
        layout.addWidget(self.follow)
        layout.addStretch()

    def _use(self, name: str) -> None:
        self._settings.theme = name
        self.changed.emit()

    def _set_follow(self, on: bool) -> None:
        self._settings.follow_playhead = on
        self.changed.emit()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    return label
