"""The notes as a table for Qt: sorted, filtered, and kept in step with the document row by row."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from soli.errors import InputError
from soli.project import commands
from soli.project.document import Document
from soli.project.state import Layer, State
from soli.ui.beats import NO_BAR
from soli.ui.panels.note_cells import CELLS, INDEX, edit_of, order, shown
from soli.ui.panels.note_columns import NoteColumns
from soli.ui.panels.note_filter import Filter, parse
from soli.ui.plain import plain
from soli.ui.spoken import marks_of, spoken_note
from soli.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
MOST_RUNS = 16  # more separate stretches of rows than this come or go at once by filling the table anew
SWATCH_PX = 10
SILENT_OPACITY = 0.38
LAYER, PITCH, ABSENT = INDEX["layer"], INDEX["pitch"], INDEX["absent"]
READABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
EDITABLE = READABLE | Qt.ItemFlag.ItemIsEditable
_NO_INDEX = QModelIndex()


class NoteTableModel(QAbstractTableModel):
    """A row a note that the filter lets pass. `edit` does what typing into a cell asks for, `check` whether it can be."""

    shuffling = Signal()  # rows are about to change places

    def __init__(self, document: Document, theme: Theme) -> None:
        super().__init__()
        self._document, self._theme = document, theme
        self.columns = NoteColumns()
        self._filter: Filter = parse("")
        self._sorted_by = "onset"
        self._descending = False
        self._rows: NDArray[np.int64] = np.zeros(0, np.int64)  # of the columns, in the order in which they are shown
        self._ids: list[int] = []
        self._row_of: dict[int, int] = {}
        self._state = State()
        self._swatches: dict[tuple[str, bool], QIcon] = {}
        self.silent: frozenset[int] = frozenset()

    # What is shown

    @property
    def ids(self) -> Sequence[int]:
        """Ids of the notes shown, from the first row on."""
        return self._ids

    @property
    def open_layers(self) -> list[Layer]:
        """The layers that notes can be put into."""
        return [layer for layer in self._state.layers if not layer.locked]

    def layer_of(self, index: Index) -> int:
        """Id of the layer of the note in a row."""
        return int(self.columns.layer[self._rows[index.row()]])

    def row(self, note_id: int) -> int | None:
        """The row of a note, if it is shown."""
        return self._row_of.get(note_id)

    def rows(self, ids: Iterable[int]) -> list[tuple[int, int]]:
        """The stretches of rows, first and last of each, that show the notes `ids`."""
        return _runs([row for row in map(self._row_of.get, ids) if row is not None])

    def use_filter(self, holds: Filter) -> None:
        self._filter = holds
        self._refill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by, self._descending = CELLS[column].key, order == Qt.SortOrder.DescendingOrder
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(CELLS) - 1)
        self._arrange(self._wanted())

    def set_silent(self, layers: frozenset[int]) -> None:
        """Which layers are not heard now."""
        self.silent = layers
        if self._ids:
            self.dataChanged.emit(self.index(0, LAYER), self.index(len(self._ids) - 1, LAYER))

    def follow(self) -> None:
        """Take over what changed in the document since the last time."""
        former, self._state = self._state, self._document.state
        difference = self.columns.follow(self._state)
        if difference.all_altered or not former.notes:
            self._refill()
            return
        if difference:
            self._arrange(self._wanted())
            self._tell(difference.altered)
        if self._state.layers != former.layers and self._ids:
            if not difference:
                self._arrange(self._wanted())  # a filter may speak of names
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(CELLS) - 1))

    # Qt's questions

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(CELLS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            cell = CELLS[section]
            # In words of its own: the style would paint its arrow over the heading.
            return f"{cell.heading} {'↓' if self._descending else '↑'}" if cell.key == self._sorted_by else cell.heading
        if role == Qt.ItemDataRole.ToolTipRole:
            return CELLS[section].tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        edits = CELLS[index.column()].edits and index.column() != ABSENT
        return EDITABLE if edits and not self._locked(int(self._rows[index.row()])) else READABLE

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = int(self._rows[index.row()]), index.column()
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole}:
            return self._text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            faint = bool(self.columns.absent[row]) or (CELLS[column].key in {"before", "after"} and self._auto(row, column))
            return self._theme.colour("faint" if faint else "ink")
        if role == Qt.ItemDataRole.DecorationRole and column == LAYER:
            layer = self._state.layer(int(self.columns.layer[row]))
            return self._swatch(layer.colour, faint=layer.id in self.silent) if layer else None
        if role == Qt.ItemDataRole.ToolTipRole:
            layer = self._state.layer(int(self.columns.layer[row]))
            return plain(f"{layer.name} is locked") if layer and layer.locked else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, column)
        return None

    def edit(self, index: Index, text: str, others: Collection[int] = ()) -> str:
        """Do what typing `text` into a cell asks for, for the notes `others` too; "" or what is wrong with it."""
        at = self._ids[index.row()]
        try:
            edit = edit_of(CELLS[index.column()].key, self._state, self.columns.beats, {at, *others}, at, text)
        except InputError as error:
            return _sentence(error)
        self._document.do(edit)
        return ""

    def assign(self, ids: Collection[int], layer: int) -> None:
        """Put notes into a layer."""
        self._document.do(commands.assign_layer(self._state, ids, layer))

    def check(self, index: Index, text: str, others: Collection[int] = ()) -> str:
        """What would be wrong with typing `text` into a cell, or ""."""
        at = self._ids[index.row()]
        try:
            edit_of(CELLS[index.column()].key, self._state, self.columns.beats, {at, *others}, at, text)
        except InputError as error:
            return _sentence(error)
        return ""

    # Inside

    def _swatch(self, colour: str, *, faint: bool) -> QIcon:
        """A spot of a layer's colour, faint where the layer is not heard."""
        if (colour, faint) not in self._swatches:
            pixmap = QPixmap(2 * SWATCH_PX, 2 * SWATCH_PX)
            pixmap.setDevicePixelRatio(2.0)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setOpacity(SILENT_OPACITY if faint else 1.0)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colour))
                painter.drawRoundedRect(QRectF(0, 0, SWATCH_PX, SWATCH_PX), 3, 3)
            icon = QIcon(pixmap)
            icon.addPixmap(pixmap, QIcon.Mode.Selected)  # or the style would tint it
            self._swatches[colour, faint] = icon
        return self._swatches[colour, faint]

    def _text(self, row: int, column: int) -> str:
        if column == LAYER:
            layer = self._state.layer(int(self.columns.layer[row]))
            return layer.name if layer else ""
        if column == ABSENT:
            return "out" if self.columns.absent[row] else ""
        return shown(CELLS[column].key, self.columns, row)

    def _auto(self, row: int, column: int) -> bool:
        return bool(np.isnan(getattr(self.columns, f"{CELLS[column].key}_s")[row]))

    def _locked(self, row: int) -> bool:
        layer = self._state.layer(int(self.columns.layer[row]))
        return layer is not None and layer.locked

    def _spoken(self, row: int, column: int) -> str:
        """The whole note, after the figure that the cell is for."""
        c = self.columns
        layer = self._state.layer(int(c.layer[row]))
        bar = None if c.bar[row] == NO_BAR else int(c.bar[row])
        marks = marks_of(
            silent=int(c.layer[row]) in self.silent,
            absent=bool(c.absent[row]),
            locked=layer is not None and layer.locked,
            hidden=layer is not None and layer.hidden,
        )
        note = spoken_note(c.pitch_name(row), bar=bar, layer=layer.name if layer else "", marks=marks)
        said = self._text(row, column)
        if column in {PITCH, INDEX["bar"], LAYER, ABSENT} or not said:
            return note
        return f"{CELLS[column].key} {said}, {note}"

    def _wanted(self) -> NDArray[np.int64]:
        """Rows of the columns that the filter lets pass, in order."""
        names = {layer.id: layer.name for layer in self._state.layers}
        rows = np.flatnonzero(self._filter(self.columns, names))
        return order(self._sorted_by, self.columns, rows, descending=self._descending)

    def _refill(self) -> None:
        self.beginResetModel()
        self._show(self._wanted())
        self.endResetModel()

    def _show(self, rows: NDArray[np.int64]) -> None:
        self._rows = rows
        self._ids = self.columns.id[rows].tolist()
        self._row_of = dict(zip(self._ids, range(len(self._ids)), strict=True))

    def _tell(self, ids: Iterable[int]) -> None:
        """Some notes show other figures."""
        for first, last in self.rows(ids)[:MOST_RUNS]:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(CELLS) - 1))

    def _arrange(self, rows: NDArray[np.int64]) -> None:
        """Show other rows, or the same in another order: what stays keeps its selection and its place under the eye."""
        wanted = self.columns.id[rows].tolist()
        if wanted == self._ids:
            self._rows = rows  # the columns may hold them elsewhere
            return
        there, here = set(wanted), self._row_of.keys()
        gone = _runs([self._row_of[i] for i in here - there])
        new = there - here
        come = _runs([row for row, i in enumerate(wanted) if i in new]) if new else []
        if len(gone) + len(come) > MOST_RUNS or not wanted:
            self._refill()
            return
        kept = [i for i in wanted if i not in new] if new else wanted
        if gone or come:
            self._sync()
        for first, last in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._ids[first : last + 1]
            self._rows = np.delete(self._rows, slice(first, last + 1))
            self._number()
            self.endRemoveRows()
        self._permute(kept)
        for first, last in come:
            self.beginInsertRows(QModelIndex(), first, last)
            self._ids[first:first] = wanted[first : last + 1]
            self._rows = np.insert(self._rows, first, rows[first : last + 1])
            self._number()
            self.endInsertRows()
        self._rows = rows

    def _permute(self, wanted: list[int]) -> None:
        if wanted == self._ids:
            return
        self.shuffling.emit()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [self._ids[index.row()] for index in before]
        self._ids = wanted
        self._sync()
        after = [self.index(self._row_of[i], index.column()) for i, index in zip(ids, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _sync(self) -> None:
        """Find the rows of the columns again. While rows go, notes that are no more are still asked for."""
        self._rows = np.array(list(map(self.columns.row_of.get, self._ids, repeat(0))), np.int64)
        self._number()

    def _number(self) -> None:
        self._row_of = dict(zip(self._ids, range(len(self._ids)), strict=True))


def _sentence(error: InputError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if CELLS[column].figures else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """First and last of each stretch of rows that follow each other."""
    if not rows:
        return []
    rows = sorted(rows)
    breaks = [i for i, (a, b) in enumerate(pairwise(rows)) if b != a + 1]
    starts, ends = [0, *(i + 1 for i in breaks)], [*breaks, len(rows) - 1]
    return [(rows[a], rows[b]) for a, b in zip(starts, ends, strict=True)]
