"""The steps of the work by name: where the piece stands, and a jump to any of them."""

from operator import is_
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView, QVBoxLayout, QWidget

from soli.project.commands import Edit
from soli.project.document import Document
from soli.ui.theme import Theme

BEGIN = "Beginning"
ROW_HEIGHT = 25
Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """A row for the beginning and one for each step, done or undone, oldest first."""

    def __init__(self, document: Document, theme: Theme) -> None:
        super().__init__()
        self._document, self._theme = document, theme
        self._edits: tuple[Edit, ...] | None = None  # None before it is shown for the first time
        self.now = 0

    def follow(self) -> None:
        """Show what the history holds now."""
        history, former = self._document.history, self._edits
        self.now = len(history.done)
        edits = (*history.done, *history.undone)
        if former is None:
            self.beginResetModel()
            self._edits = edits
            self.endResetModel()
            return
        # There may be tens of thousands: only the rows that differ are told of.
        alike = next((i for i, same in enumerate(map(is_, edits, former)) if not same), min(len(edits), len(former)))
        if alike < len(former):
            self.beginRemoveRows(QModelIndex(), alike + 1, len(former))
            self._edits = former[:alike]
            self.endRemoveRows()
        if alike < len(edits):
            self.beginInsertRows(QModelIndex(), alike + 1, len(edits))
            self._edits = edits
            self.endInsertRows()
        self.dataChanged.emit(self.index(0), self.index(len(edits)))

    def name(self, row: int) -> str:
        """What a step is called, as the first word of a line."""
        if row == 0 or not self._edits:
            return BEGIN
        name = self._edits[row - 1].name
        return name[:1].upper() + name[1:]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() or self._edits is None else len(self._edits) + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            where = "here now" if row == self.now else "done" if row < self.now else "undone"
            return f"{self.name(row)}, {where}"
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.colour("accent" if row == self.now else "ink" if row < self.now else "faint")
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(9.5, weight=QFont.Weight.DemiBold if row == self.now else QFont.Weight.Normal)
        return None


class HistoryPanel(QWidget):
    """A page of the drawer. A click, Return or Space goes to a step; the arrows only look."""

    def __init__(self, document: Document, theme: Theme) -> None:
        super().__init__()
        self._document = document
        self._model = HistoryModel(document, theme)
        self.says = QLabel()
        self.says.setObjectName("quiet")
        # A table, because a list asks for every row whenever one is added.
        self.list = QTableView()
        self.list.setModel(self._model)
        self.list.setShowGrid(False)
        self.list.setTabKeyNavigation(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.horizontalHeader().hide()
        self.list.horizontalHeader().setStretchLastSection(True)
        self.list.verticalHeader().hide()
        self.list.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.list.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.list.setAccessibleName("Steps")
        self.list.setToolTip("Click a step to go there")
        self.list.clicked.connect(lambda index: self._go(index.row()))
        self.list.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addWidget(self.says)
        layout.addWidget(self.list, 1)
        document.subscribe(self._follow)
        theme.changed.connect(self._show)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        keys = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}
        if isinstance(event, QKeyEvent) and event.key() in keys:
            # Space and Return are keys of commands; here they are the list's own.
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._go(self.list.currentIndex().row())
                return True
        return super().eventFilter(watched, event)

    def _follow(self, aspects: frozenset[str]) -> None:
        if "history" in aspects and self.isVisible():
            self._show()

    def _show(self) -> None:
        if not self.isVisible():
            return
        self._model.follow()
        index = self._model.index(self._model.now)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)
        done, undone = self._model.now, self._model.rowCount() - 1 - self._model.now
        if not done and not undone:
            self.says.setText("Nothing has been done yet")
        else:
            more = f", {undone} undone" if undone else ""
            self.says.setText(f"{done} {'step' if done == 1 else 'steps'}{more}; choose one to go there")

    def _go(self, row: int) -> None:
        if row >= 0:
            self._document.go_to(row)
