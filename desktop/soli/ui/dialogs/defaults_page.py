"""The page of the decomposition: the settings that new projects begin with."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.project.presets import from_table, to_table
from soli.settings import Settings
from soli.ui.dialogs.model_dialog import ModelForm
from soli.ui.dialogs.preset_row import PresetRow


class DefaultsPage(QWidget):
    """Keeps what is chosen as soon as it goes together; `changed` then."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        begin = QLabel("New projects begin with these; those that are there keep their own.")
        begin.setObjectName("quiet")
        begin.setWordWrap(True)
        self.form = ModelForm(from_table(settings.decomposition), editor_width=200)
        self.presets = PresetRow(settings, self.form)
        scroll = QScrollArea()
        scroll.setObjectName("sideScroll")
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.form)
        self.says = QLabel()
        self.says.setObjectName("warn")
        self.says.setWordWrap(True)
        self.restore = QPushButton("Restore defaults")
        self.restore.setToolTip("Begin with what separates well in most recordings")
        self.restore.setAutoDefault(False)
        self.restore.clicked.connect(lambda: self.form.show_settings(ModelSettings()))
        last = QHBoxLayout()
        last.addWidget(self.says, 1)
        last.addWidget(self.restore)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(begin)
        layout.addWidget(self.presets)
        layout.addWidget(scroll, 1)
        layout.addLayout(last)
        self.form.changed.connect(self._keep)
        self.presets.changed.connect(self.changed)
        self._keep()

    def _keep(self) -> None:
        try:
            chosen = self.form.settings()
        except InputError as error:
            self.says.setText(f"{str(error)[:1].upper()}{str(error)[1:]}. Until then the former settings are kept.")
            return
        self.says.clear()
        self.restore.setEnabled(chosen != ModelSettings())
        table = {} if chosen == ModelSettings() else to_table(chosen)
        if table != self._settings.decomposition:
            self._settings.decomposition = table
            self.changed.emit()
