"""The page of keys: every command with its keys, found by either, and other keys for it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from soli.errors import InputError
from soli.ui.actions import Actions
from soli.ui.keymap import PORTABLE, native
from soli.ui.menus import place_of
from soli.ui.theme import Theme

COLUMNS = ("Command", "Menu", "Keys")
MARGIN_PX, WIDEST_PX = 24, 270
BY_HAND = (
    ("Scroll pitch; time", "Wheel; Shift+wheel; two fingers"),
    ("Zoom time; pitch, at the pointer", "Ctrl+wheel or pinch; Ctrl+Shift+wheel"),
    ("Pan", "Middle drag"),
    ("Select several; toggle; extend", "Drag; Ctrl+click; Shift+click"),
    ("Copy notes; pass by what they snap to; keep to one direction", "Ctrl+drag; Alt; Shift"),
    ("Fader: fine; to 0 dB", "Ctrl+drag; double-click"),
    ("Fader: half a dB; 6 dB", "Arrows; Page Up, Page Down"),
)


class KeysPage(QWidget):
    """Shows the keymap and changes it; `changed` when it has. A key that another command has is asked about first."""

    changed = Signal()

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._keymap, self._theme = actions.keymap, theme
        self._pending: tuple[str, tuple[str, ...]] | None = None  # what is asked about
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a command or a key")
        self.search.setAccessibleName("Find a command or a key")
        self.search.setToolTip("The first that is found takes the new keys: Return goes there")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Keyboard shortcuts")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.table.currentCellChanged.connect(lambda *_: self._choose())
        self.field = KeyField()
        self.search.returnPressed.connect(lambda: self.field.setFocus(Qt.FocusReason.OtherFocusReason))
        self.table.itemActivated.connect(lambda _: self.field.setFocus(Qt.FocusReason.OtherFocusReason))
        self.field.setAccessibleName("New keys for the chosen command")
        self.field.setToolTip("Press the keys; Esc goes back to the list")
        self.field.pressed.connect(self._press)
        self.field.left.connect(lambda: self.table.setFocus(Qt.FocusReason.OtherFocusReason))
        self.as_well = QCheckBox("beside those it has")
        self.as_well.setToolTip("Add the new keys, and keep the others of this command")
        self.clear = QPushButton("No keys")
        self.clear.setToolTip("Take the keys of this command away")
        self.clear.clicked.connect(lambda: self._bind(()))
        self.reset = QPushButton("Default")
        self.reset.setToolTip("Give this command its default keys again")
        self.reset.clicked.connect(lambda: self._bind(self._keymap.defaults(self._chosen())))
        self.reset_all = QPushButton("All defaults")
        self.reset_all.setToolTip("Give every command its default keys again")
        self.reset_all.clicked.connect(self._reset_all)
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setMinimumHeight(34)
        self.replace = QPushButton("Replace")
        self.replace.setToolTip("Take the keys from the other command")
        self.replace.clicked.connect(self._replace)
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Leave all keys as they are")
        self.keep.clicked.connect(lambda: self._ask(None))
        for button in (self.clear, self.reset, self.reset_all, self.replace, self.keep):
            button.setAutoDefault(False)
        self._lay_out()
        self._fill()
        theme.changed.connect(self._fill)

    def _lay_out(self) -> None:
        caption = QLabel("New keys")
        caption.setBuddy(self.field)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(self.field, 1)
        row.addWidget(self.as_well)
        row.addSpacing(8)
        for button in (self.clear, self.reset, self.reset_all):
            row.addWidget(button)
        answer = QHBoxLayout()
        answer.addWidget(self.says, 1)
        answer.addWidget(self.replace)
        answer.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        layout.addLayout(answer)

    def choose(self, name: str) -> None:
        """Make a command the one that new keys are for."""
        for row in range(self.table.rowCount()):
            if self._name_at(row) == name:
                self.table.setCurrentCell(row, 0)

    def _fill(self) -> None:
        chosen, keymap = self._chosen(), self._keymap
        rows = [
            (c.id, c.name, place_of(c.id), "   ".join(native(key) for key in keymap.keys(c.id))) for c in keymap.commands.values()
        ]
        rows += [("", what, "Fixed", native(key)) for key, what in keymap.fixed.items()]
        rows += [("", what, "Fixed", how) for what, how in BY_HAND]
        self.table.blockSignals(True)
        self.table.setRowCount(len(rows))
        for row, (name, *texts) in enumerate(rows):
            changed = bool(name) and keymap.is_changed(name)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, name)
                if not name or column == 1:
                    item.setForeground(self._theme.colour("dim"))
                if changed and column == 2:
                    item.setForeground(self._theme.colour("accent"))
                    item.setToolTip("Not the default")
                self.table.setItem(row, column, item)
        self.table.blockSignals(False)
        self._keep_widths()
        self._filter()
        self.choose(chosen or rows[0][0])
        self._choose()

    def _keep_widths(self) -> None:
        """Columns as wide as all of their texts need, whichever of these are shown: nothing jumps while the user types."""
        metrics = self.table.fontMetrics()
        for column in (1, 2):
            needed = max(metrics.horizontalAdvance(self._text(row, column)) for row in range(self.table.rowCount()))
            self.table.setColumnWidth(column, min(needed + MARGIN_PX, WIDEST_PX))

    def _filter(self) -> None:
        words = self.search.text().casefold().split()
        for row in range(self.table.rowCount()):
            texts = " ".join(self._text(row, column) for column in range(len(COLUMNS))).casefold()
            self.table.setRowHidden(row, not all(word in texts for word in words))
        shown = [row for row in range(self.table.rowCount()) if not self.table.isRowHidden(row)]
        if shown and self.table.currentRow() not in shown:
            self.table.setCurrentCell(shown[0], 0)

    def _choose(self) -> None:
        name = self._chosen()
        self._pending = None
        for widget in (self.field, self.as_well, self.clear, self.reset):
            widget.setEnabled(bool(name))
        self.field.clear()
        if name:
            self.clear.setEnabled(bool(self._keymap.keys(name)))
            self.reset.setEnabled(self._keymap.is_changed(name))
        self.reset_all.setEnabled(bool(self._keymap.changes()))
        self._ask(None)

    def _press(self, key: str) -> None:
        name = self._chosen()
        keys = (*self._keymap.keys(name), key) if self.as_well.isChecked() else (key,)
        self._bind(keys)

    def _bind(self, keys: tuple[str, ...], *, replace: bool = False) -> None:
        name = self._chosen()
        try:
            others = self._keymap.bind(name, keys, replace=replace)
        except InputError as error:
            self._ask(None)
            self._say(str(error), warns=True)
            return
        if others and not replace:
            self._ask((name, keys))
            taken = {key for other in others for key in self._keymap.keys(other.id)} & set(keys)
            which = " and ".join(native(key) for key in keys if key in taken)
            names = " and ".join(f"“{other.name}”" for other in others)
            self._say(f"{which} already {'calls' if len(taken) == 1 else 'call'} {names}. Replace it there?", warns=True)
            self.keep.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._show_changed()

    def _replace(self) -> None:
        if self._pending is not None:
            self._bind(self._pending[1], replace=True)
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _reset_all(self) -> None:
        self._keymap.reset()
        self._show_changed()

    def _show_changed(self) -> None:
        self._fill()
        self.changed.emit()

    def _ask(self, pending: tuple[str, tuple[str, ...]] | None) -> None:
        """Show the two answers while there is a question."""
        asked, self._pending = self._pending is not None, pending
        self.replace.setVisible(pending is not None)
        self.keep.setVisible(pending is not None)
        if pending is None:
            self.field.clear()
            self._say("Choose a command and press the new keys." if self._chosen() else "These keys are fixed.")
            if asked:
                self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, text: str, *, warns: bool = False) -> None:
        self.says.setText(text)
        self.says.setAccessibleName(text)
        self.says.setObjectName("warn" if warns else "quiet")
        self.says.style().unpolish(self.says)
        self.says.style().polish(self.says)

    def _chosen(self) -> str:
        """The id of the chosen command; "" for what is fixed."""
        return self._name_at(self.table.currentRow())

    def _name_at(self, row: int) -> str:
        item = self.table.item(row, 0)
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def _text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return item.text() if item is not None else ""


class KeyField(QKeySequenceEdit):
    """Takes one key with its modifiers. Tab walks on, Esc leaves: neither can be a key of a command."""

    pressed = Signal(str)  # portable spelling
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumSequenceLength(1)
        self.keySequenceChanged.connect(self._tell)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.left.emit()
                return True
            plain = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
            if event.key() in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab} and plain:
                self.focusNextPrevChild(event.key() == Qt.Key.Key_Tab)
                return True
        return super().event(event)

    def _tell(self, sequence: QKeySequence) -> None:
        if not sequence.isEmpty():
            self.pressed.emit(sequence.toString(PORTABLE))
