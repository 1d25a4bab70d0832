"""The list of keyboard shortcuts, and of what the pointer does."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

POINTER = (
    ("Scroll pitch; time", "Wheel; Shift+wheel"),
    ("Zoom time; pitch, at the pointer", "Ctrl+wheel; Ctrl+Shift+wheel"),
    ("Pan", "Middle drag"),
    ("Select several; toggle; extend", "Drag; Ctrl+click; Shift+click"),
    ("Next, previous note", "Tab, Shift+Tab on the roll"),
    ("Move notes by a semitone; an octave", "Up, Down; with Ctrl"),
    ("Move notes in time", "Left, Right; with Ctrl farther"),
    ("Fader: fine; to 0 dB", "Ctrl+drag; double-click"),
)


class KeysDialog(QDialog):
    """Reads only: what each key does."""

    def __init__(self, parent: QWidget, rows: list[tuple[str, str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(520, 620)
        rows = [*rows, *POINTER]
        table = QTableWidget(len(rows), 2)
        table.setAccessibleName("Keyboard shortcuts")
        table.setHorizontalHeaderLabels(["What", "Keys"])
        table.horizontalHeader().hide()
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        for i, (what, keys) in enumerate(rows):
            for column, text in enumerate((what, keys)):
                item = QTableWidgetItem(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
                table.setItem(i, column, item)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 14)
        layout.addWidget(table)
        layout.addWidget(buttons)
