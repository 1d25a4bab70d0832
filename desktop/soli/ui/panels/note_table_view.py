"""The grid of the note table: its keys, and the editors in its cells."""

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QKeySequence, QValidator
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from soli.ui.panels.note_cells import CELLS, INDEX, TOGETHER
from soli.ui.panels.note_table_model import ABSENT, LAYER, SWATCH_PX, NoteTableModel
from soli.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
# Shortcuts of the window that mean something else in the table.
OWN_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_Home, Qt.Key.Key_End, *ENTER)
CELL_PAD_PX = 14
ROW_PAD_PX = 8


class NoteGrid(QTableView):
    """Arrows walk the cells; Space hears, Enter reveals; F2, a double click or a figure edits.

    `said` brings a sentence, and whether it tells of something wrong; "" when there is nothing to say any more.
    """

    hear_requested = Signal()
    reveal_requested = Signal()
    menu_requested = Signal(QPoint)
    said = Signal(str, bool)

    def __init__(self, model: NoteTableModel, theme: Theme) -> None:
        super().__init__()
        self._model, self._theme = model, theme
        self.setModel(model)
        self.setItemDelegate(NoteDelegate(self, model))
        self.setObjectName("notes")
        self.setAccessibleName("Notes")
        self.setAccessibleDescription("Space hears the note alone, Enter shows it on the roll, F2 edits the cell")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed | triggers.AnyKeyPressed)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(self.verticalHeader().ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        # Headings that know the selection ask about every row of it each time they are painted.
        self.horizontalHeader().setSelectionModel(QItemSelectionModel(model, self))
        self.sortByColumn(INDEX["onset"], Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.doubleClicked.connect(self._turn_over)
        theme.changed.connect(self._retheme)
        self._retheme()

    def chosen(self) -> list[int]:
        """Ids of the notes whose rows are selected, from the first row on."""
        rows: set[int] = set()
        selection = self.selectionModel().selection()
        for run in (selection.at(i) for i in range(selection.count())):
            rows.update(range(run.top(), run.bottom() + 1))
        return [self._model.ids[row] for row in sorted(rows)]

    def current(self) -> int | None:
        """Id of the note that the keyboard is on."""
        index = self.currentIndex()
        return self._model.ids[index.row()] if index.isValid() else None

    def meant(self, index: Index) -> list[int]:
        """The notes that an edit of a cell is for: all that are selected, if its own is among them."""
        chosen, own = self.chosen(), self._model.ids[index.row()]
        return chosen if own in chosen else [own]

    def edit_column(self, column: int) -> None:
        """Edit a column of the note that the keyboard is on, for all that are selected."""
        index = self.currentIndex()
        if index.isValid():
            there = self._model.index(index.row(), column)
            self.selectionModel().setCurrentIndex(there, self.selectionModel().SelectionFlag.NoUpdate)
            if column == ABSENT:
                self._turn_over(there)
            else:
                self.edit(there)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = event.key(), not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key == Qt.Key.Key_Space and plain:
            self.hear_requested.emit()
        elif key in ENTER and plain:
            self.reveal_requested.emit()
        elif key == Qt.Key.Key_F2 and self.currentIndex().column() == ABSENT:
            self._turn_over(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif event.text().isprintable() and event.text() and not _begins_figure(event):
            event.ignore()  # letters are commands of the window: nothing is searched for by them
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            box = self.visualRect(self.currentIndex())
            self.menu_requested.emit(self.viewport().mapToGlobal(box.bottomLeft()))
        else:
            self.menu_requested.emit(event.globalPos())

    def _turn_over(self, index: Index) -> None:
        """Leave notes out, or bring them back: a word that is there or not needs no editor."""
        if index.isValid() and index.column() == ABSENT:
            self.said.emit(self._model.edit(index, "" if index.data() else "out", self.meant(index)), True)

    def _retheme(self) -> None:
        self.setFont(self._theme.font(9, figures=True))
        metrics = QFontMetrics(self._theme.font(9, figures=True))
        self.verticalHeader().setMinimumSectionSize(metrics.height())
        self.verticalHeader().setDefaultSectionSize(metrics.height() + ROW_PAD_PX)
        heads = QFontMetrics(self._theme.font(8.5))
        for column, cell in enumerate(CELLS):
            body = metrics.horizontalAdvance(cell.widest) + (SWATCH_PX + 6 if column == LAYER else 0)
            self.setColumnWidth(column, max(body, heads.horizontalAdvance(f"{cell.heading} ↑")) + CELL_PAD_PX)


class NoteDelegate(QStyledItemDelegate):
    """Editors that stay open, and say why, until what is typed can be."""

    def __init__(self, grid: NoteGrid, model: NoteTableModel) -> None:
        super().__init__(grid)
        self._grid, self._model = grid, model
        self._index: Index = QModelIndex()
        self._meant: list[int] = []
        self.closeEditor.connect(lambda: self._grid.said.emit("", False))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        del option
        self._index, self._meant = QPersistentModelIndex(index), self._grid.meant(index)
        cell, number = CELLS[index.column()], len(self._meant)
        if number > 1:
            does = "moves all {} selected notes by as much" if cell.key in TOGETHER else "sets all {} selected notes"
            self._grid.said.emit(f"Enter {does.format(number)}; Esc leaves them as they are", False)
        if index.column() == LAYER:
            return self._choice(parent)
        editor = CellEditor(parent)
        editor.setValidator(CellValidator(editor, self._wrong, lambda text: self._grid.said.emit(text, True)))
        editor.setAccessibleName(f"{cell.heading}, {index.data(Qt.ItemDataRole.AccessibleTextRole)}")
        editor.setToolTip(cell.tip)
        editor.setAlignment(Qt.AlignmentFlag.AlignRight if cell.figures else Qt.AlignmentFlag.AlignLeft)
        editor.textEdited.connect(lambda: self._grid.said.emit("", False))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        super().updateEditorGeometry(editor, option, index)
        box = editor.geometry()
        if box.width() < editor.minimumSizeHint().width():
            box.setWidth(editor.minimumSizeHint().width())
        editor.setGeometry(box)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findData(self._model.layer_of(index)))
        elif isinstance(editor, QLineEdit):
            editor.setText(str(index.data()))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        del model
        if isinstance(editor, QComboBox):
            self._model.assign(self._meant, editor.currentData())
            return
        text = _typed(editor)
        # What was not touched is not rounded to what is shown of it.
        same = text == index.data() and (len(self._meant) == 1 or CELLS[index.column()].key in TOGETHER)
        if not same:
            wrong = self._model.edit(index, text, self._meant)
            if wrong:
                self._grid.said.emit(wrong, True)

    def _wrong(self, text: str) -> str:
        return self._model.check(self._index, text, self._meant) if self._index.isValid() else ""

    def _choice(self, parent: QWidget) -> QComboBox:
        editor = QComboBox(parent)
        editor.setAccessibleName("Layer")
        for layer in self._model.open_layers:
            editor.addItem(layer.name, layer.id)

        def take() -> None:
            self.commitData.emit(editor)
            self.closeEditor.emit(editor)

        editor.activated.connect(take)
        return editor


def _typed(editor: QObject) -> str:
    return editor.text() if isinstance(editor, QLineEdit) else ""


class CellEditor(QLineEdit):
    """Enter ends it, although Enter is a shortcut of the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cell")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ENTER:
            event.accept()
            return True
        return super().event(event)


class CellValidator(QValidator):
    """Lets anything be typed, and nothing be entered that `wrong` has a sentence about; `say` is given it then."""

    def __init__(self, editor: QLineEdit, wrong: Callable[[str], str], say: Callable[[str], object]) -> None:
        super().__init__(editor)
        self._editor, self._wrong, self._say = editor, wrong, say

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        state = QValidator.State.Intermediate if self._wrong(text) else QValidator.State.Acceptable
        return state, text, position

    def fixup(self, text: str) -> str:
        if self._editor.hasFocus():  # an editor that is left forgets what cannot be
            self._say(self._wrong(text))
        return text


def _is_own(event: QKeyEvent) -> bool:
    """Whether a key is for the table and not for the window."""
    plain = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
    return (plain and event.key() in OWN_KEYS) or _begins_figure(event) or event.matches(QKeySequence.StandardKey.SelectAll)


def _begins_figure(event: QKeyEvent) -> bool:
    held = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
    return not held and len(event.text()) == 1 and event.text() in "0123456789+-."
