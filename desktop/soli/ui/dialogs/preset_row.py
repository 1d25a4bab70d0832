"""Named settings of the decomposition: choose, save as, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QLabel, QMessageBox, QPushButton, QWidget

from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.project.presets import from_table, to_table
from soli.settings import Settings

if TYPE_CHECKING:
    from soli.ui.dialogs.model_dialog import ModelForm

STANDARD = "Standard"
OWN = "Own settings"
LONGEST_NAME = 60


class PresetRow(QWidget):
    """Shows which preset the form holds, if any. `changed` when presets come or go."""

    changed = Signal()

    def __init__(self, settings: Settings, form: ModelForm) -> None:
        super().__init__()
        self._settings, self._form = settings, form
        self.choice = QComboBox()
        self.choice.setAccessibleName("Preset")
        self.choice.setToolTip("Settings under a name")
        self.choice.setMinimumWidth(222)
        self.choice.activated.connect(self._use)
        self.save = QPushButton("Save as…")
        self.save.setToolTip("Keep these settings under a name")
        self.save.clicked.connect(self._ask_name)
        self.delete = QPushButton("Delete")
        self.delete.setToolTip("Forget this preset; projects that were made with it keep their settings")
        self.delete.clicked.connect(self._delete)
        caption = QLabel("Preset")
        caption.setBuddy(self.choice)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(caption)
        row.addSpacing(8)
        row.addWidget(self.choice)
        row.addWidget(self.save)
        row.addWidget(self.delete)
        row.addStretch()
        for button in (self.save, self.delete):
            button.setAutoDefault(False)
        form.changed.connect(self._show)
        self._show()

    def keep(self, name: str) -> None:
        """Save what the form holds under a name; a preset of that name is replaced."""
        self._settings.presets = {**self._settings.presets, name: to_table(self._form.settings())}
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        try:
            held: ModelSettings | None = replace(self._form.settings(), tuning_cents=0.0)
        except InputError:
            held = None
        names = sorted(self._settings.presets, key=str.casefold)
        known = {STANDARD: ModelSettings(), **{name: from_table(self._settings.presets[name]) for name in names}}
        same = [name for name, settings in known.items() if settings == held]
        # Of presets that are alike, the one that was chosen stays.
        former = self.choice.currentText()
        shown = former if former in same else (same[0] if same else OWN)
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItems(list(known) if same else [OWN, *known])
        self.choice.setCurrentIndex(self.choice.findText(shown))
        self.choice.blockSignals(False)
        self.save.setEnabled(held is not None)
        self.delete.setEnabled(shown in self._settings.presets)

    def _use(self, _index: int) -> None:
        name = self.choice.currentText()
        if name == OWN:
            return
        chosen = from_table(self._settings.presets.get(name, {}))
        tuning_cents = self._form.tuning_cents
        self._form.show_settings(replace(chosen, tuning_cents=tuning_cents))

    def _ask_name(self) -> None:
        former = self.choice.currentText()
        name, accepted = QInputDialog.getText(
            self, "Save preset", "Name of the preset", text=former if former in self._settings.presets else ""
        )
        name = " ".join(name.split())[:LONGEST_NAME]
        if not accepted or not name:
            return
        if name in {STANDARD, OWN}:
            QMessageBox.information(self, "Save preset", f"“{name}” is Soli's own; choose another name.")
        elif name not in self._settings.presets or self._may("Save preset", f"Replace the preset “{name}”?"):
            self.keep(name)

    def _delete(self) -> None:
        name = self.choice.currentText()
        if name in self._settings.presets and self._may("Delete preset", f"Delete the preset “{name}”?"):
            self._settings.presets = {n: table for n, table in self._settings.presets.items() if n != name}
            self._show()
            self.changed.emit()

    def _may(self, title: str, question: str) -> bool:
        return QMessageBox.question(self, title, question) == QMessageBox.StandardButton.Yes
