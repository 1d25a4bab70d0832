"""What to export, as what, and where to."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from soli.project.export import Stem
from soli.project.state import State
from soli.signal.audio import FORMATS

FORMAT_NAMES = {
    "wav32f": "WAV, 32-bit float (exact)",
    "wav24": "WAV, 24-bit",
    "wav16": "WAV, 16-bit",
    "flac": "FLAC, 24-bit",
}


class ExportDialog(QDialog):
    """Chooses stems, mix, format and folder; says which files would be written over."""

    def __init__(
        self, parent: QWidget, state: State, stems: Sequence[Stem], folder: Path, form: str, *, stale: bool = False
    ) -> None:
        super().__init__(parent)
        self._state = state
        self.setWindowTitle("Export layers")
        self.setMinimumWidth(460)
        heading = QLabel("LAYERS")
        heading.setObjectName("heading")
        self._stems = {stem.id: QCheckBox(stem.name) for stem in stems}
        self._names = {stem.id: stem.name for stem in stems}
        listed = QWidget()
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        for box in self._stems.values():
            box.setChecked(True)
            box.toggled.connect(self._check)
            column.addWidget(box)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(listed)
        scroll.setMaximumHeight(240)
        self._mix = QCheckBox("The mix as it is heard now")
        self._mix.setToolTip("Layers, residual and original with their gains, pans, solos and mutes")
        self._mix.toggled.connect(self._check)

        self._format = QComboBox()
        self._format.setAccessibleName("File format")
        for key in FORMATS:
            self._format.addItem(FORMAT_NAMES[key], key)
        self._format.setCurrentIndex(max(0, list(FORMATS).index(form) if form in FORMATS else 0))
        self._format.currentIndexChanged.connect(self._check)
        self._folder = QLineEdit(str(folder))
        self._folder.setAccessibleName("Folder")
        self._folder.textChanged.connect(self._check)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self._folder, 1)
        row.addWidget(browse)
        self._says = QLabel()
        self._says.setObjectName("quiet")
        self._says.setWordWrap(True)
        self._says.setMinimumHeight(34)
        self._says.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stale = QLabel("Edits since the last run are not in these files; decompose again to hear them.")
        self.stale.setObjectName("bad")
        self.stale.setWordWrap(True)
        self.stale.setVisible(stale)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._export = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self._export.setObjectName("primary")
        self._export.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(9)
        layout.addWidget(heading)
        layout.addWidget(scroll)
        layout.addWidget(self._mix)
        layout.addSpacing(6)
        layout.addWidget(self._titled("FORMAT"))
        layout.addWidget(self._format)
        layout.addSpacing(6)
        layout.addWidget(self._titled("FOLDER"))
        layout.addLayout(row)
        layout.addWidget(self._says)
        layout.addWidget(self.stale)
        layout.addWidget(buttons)
        self._check()

    @property
    def chosen(self) -> list[int]:
        return [i for i, box in self._stems.items() if box.isChecked()]

    @property
    def mix(self) -> bool:
        return self._mix.isChecked()

    @property
    def form(self) -> str:
        return str(self._format.currentData())

    @property
    def folder(self) -> Path:
        return Path(self._folder.text().strip()).expanduser()

    def _titled(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName("heading")
        return label

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the layers", str(self.folder))
        if folder:
            self._folder.setText(folder)

    def _check(self) -> None:
        suffix = FORMATS[self.form][2]
        names = [self._names[i] + suffix for i in self.chosen]
        if self.mix:
            names.append(f"mix{suffix}")
        named = bool(self._folder.text().strip())
        self._export.setEnabled(bool(names) and named)
        if not named:
            self._says.setText("Choose a folder to write to")
        elif not names:
            self._says.setText("Choose at least one layer, or the mix")
        else:
            over = [name for name in names if (self.folder / name).exists()]
            replaced = f" Replaces {', '.join(over)}." if over else ""
            clipped = "" if self.form == "wav32f" else " Whole-number formats clip what is louder than full scale."
            self._says.setText(f"Writes {len(names)} {'file' if len(names) == 1 else 'files'}.{replaced}{clipped}")
