"""Every note as a row, in step with the roll: to look up, to filter, to edit and to hear by the keyboard alone."""

from collections.abc import Sequence
from functools import partial
from html import escape

from PySide6.QtCore import QEvent, QItemSelection, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from soli.errors import InputError
from soli.project.commands import count
from soli.project.document import Document
from soli.ui.announce import announce
from soli.ui.panels import note_filter
from soli.ui.panels.note_cells import CELLS
from soli.ui.panels.note_table_model import NoteTableModel
from soli.ui.panels.note_table_view import NoteGrid
from soli.ui.selection import Selection
from soli.ui.theme import Theme

FOLLOW_MS = 40  # a rubber band selects faster than rows need to follow
LEAST_WIDTH = 236
MOST_STRETCHES = 64
ASPECTS = frozenset({"notes", "absent", "alignment", "score", "layers", "recording"})
HINT = "Note table: Space hears the note, Enter shows it on the roll · F2 or a figure edits the cell, +5 adds · Ctrl+A takes all"
NO_NOTES = "No notes yet\n\nOpen a score, or draw notes on the roll"
NO_MATCH = "No note is like that\n\nEsc in the filter shows all again"


class NoteTable(QWidget):
    """Rows follow the selection of the roll, and lead it. `revealed` asks to scroll there, `hear_requested` to hear notes."""

    revealed = Signal(int)
    hear_requested = Signal(object)
    menu_requested = Signal(QPoint)
    closed = Signal()
    hint_changed = Signal(str)

    def __init__(self, document: Document, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._document, self._selection, self._theme = document, selection, theme
        self._leading = False  # the roll follows the table
        self._following = False  # the table follows the roll or the document
        self.model = NoteTableModel(document, theme)
        self.grid = NoteGrid(self.model, theme)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: C#4, left, bar 12-20, velocity > 90")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter the notes")
        self.filter.setToolTip(_as_table(note_filter.HELP))
        self.filter.setAccessibleDescription("; ".join(f"{words}: {meaning}" for words, meaning in note_filter.HELP))
        self.filter.textChanged.connect(self._filter)
        self.filter.installEventFilter(self)
        self._filter_wrong = ""
        self._said = ""
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.close_button = QToolButton()
        self.close_button.setObjectName("tab")
        self.close_button.setToolTip("Close the note table")
        self.close_button.setAccessibleName("Close the note table")
        self.close_button.clicked.connect(self.closed)
        self.nothing = QLabel(self.grid)
        self.nothing.setObjectName("quiet")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self.grid.installEventFilter(self)
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=FOLLOW_MS)
        self._timer.timeout.connect(self._follow_selection)
        self.grid.selectionModel().selectionChanged.connect(self._lead)
        self.model.shuffling.connect(self._let_go)
        self.model.layoutChanged.connect(self._shuffled)
        self.grid.hear_requested.connect(self._hear)
        self.grid.reveal_requested.connect(self._reveal)
        self.grid.menu_requested.connect(self.menu_requested)
        self.grid.said.connect(self._say)
        document.subscribe(self._follow)
        selection.changed.connect(self._selected)
        theme.changed.connect(self._retheme)
        self._retheme()
        self._say("", False)

    def set_silent(self, layers: frozenset[int]) -> None:
        """Which layers are not heard now."""
        self.model.set_silent(layers)

    def focus_filter(self) -> None:
        """Give the keyboard to the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def take_focus(self) -> None:
        """Give the keyboard to the rows, on one of the selected notes."""
        if not self.grid.currentIndex().isValid() and self.model.ids:
            self.grid.selectionModel().setCurrentIndex(self.model.index(0, 0), self.grid.selectionModel().SelectionFlag.NoUpdate)
        self.grid.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def fill_menu(self, menu: QMenu) -> None:
        """Put what can be done to the rows that are selected into a menu."""
        current = self.grid.current()
        number = len(self.grid.chosen()) or 1
        if current is not None:
            editing = menu.addMenu(f"Edit {count(number, 'note')}")
            for column, cell in enumerate(CELLS):
                if cell.edits:
                    editing.addAction(f"{cell.heading}…", partial(self.grid.edit_column, column))
            menu.addAction("Show on the roll\tEnter", self._reveal)
        sorting = menu.addMenu("Sort by")
        header = self.grid.horizontalHeader()
        for column, cell in enumerate(CELLS):
            action = sorting.addAction(cell.heading, partial(self._sort, column))
            action.setCheckable(True)
            action.setChecked(header.sortIndicatorSection() == column)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.grid and event.type() == QEvent.Type.Resize:
            self._place_nothing()
        elif watched is self.grid and event.type() == QEvent.Type.FocusIn:
            self.hint_changed.emit(HINT)
        elif watched is self.filter and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._filter_key(event)
        return super().eventFilter(watched, event)

    # In step with document and roll

    def _follow(self, aspects: frozenset[str]) -> None:
        if self.isVisible() and aspects & ASPECTS:
            self._refresh()

    def _refresh(self) -> None:
        self._following = True
        self.model.follow()
        self._following = False
        self._follow_selection(scroll=False)

    def _selected(self) -> None:
        if self.isVisible() and not self._leading:
            self._timer.start()

    def _follow_selection(self, *, scroll: bool = True) -> None:
        """Select the rows of the notes that are selected on the roll, and bring one of them into sight."""
        self._timer.stop()
        runs = self.model.rows(self._selection.ids)
        picked = self.grid.selectionModel()
        flags = picked.SelectionFlag
        self._following = True
        if runs != _merged(picked.selection()):
            self._let_go()
            chosen, last = QItemSelection(), len(CELLS) - 1
            for first, end in runs:
                chosen.select(self.model.index(first, 0), self.model.index(end, last))
            picked.select(chosen, flags.ClearAndSelect)
        if runs and scroll:
            row = self._nearest(runs)
            column = max(0, self.grid.currentIndex().column())
            picked.setCurrentIndex(self.model.index(row, column), flags.NoUpdate)
            self.grid.scrollTo(self.model.index(row, column))
        self._following = False
        self._show()

    def _let_go(self) -> None:
        """Select no rows if they are many apart: Qt takes long to compare such selections, or to move them."""
        picked = self.grid.selectionModel()
        if picked.selection().count() > MOST_STRETCHES:
            following, self._following = self._following, True
            picked.clearSelection()
            self._following = following

    def _shuffled(self) -> None:
        if not self._following:  # the user sorts; after an edit the selection is followed anyway
            self._follow_selection(scroll=False)

    def _nearest(self, runs: list[tuple[int, int]]) -> int:
        """The row to go to: the current one if it is selected, else one that is in sight, else the first."""
        current = self.grid.currentIndex().row()
        if any(first <= current <= last for first, last in runs):
            return current
        top = self.grid.rowAt(0)
        bottom = self.grid.rowAt(self.grid.viewport().height() - 1)
        bottom = bottom if bottom >= 0 else len(self.model.ids) - 1
        return next((max(first, top) for first, last in runs if first <= bottom and last >= top), runs[0][0])

    def _lead(self) -> None:
        if self._following:
            return
        self._timer.stop()
        ids = self.grid.chosen()
        self._leading = True
        self._selection.set(ids)
        current = self.grid.current()
        if current in self._selection.ids:
            self._selection.set_layer(self._document.state.notes[current].layer)
        self._leading = False
        self._show()

    # What the user asks for

    def _hear(self) -> None:
        current = self.grid.current()
        if current is not None:
            chosen = frozenset(self.grid.chosen())
            self.hear_requested.emit(chosen if current in chosen else frozenset({current}))

    def _reveal(self) -> None:
        current = self.grid.current()
        if current is not None:
            if current not in self._selection.ids:
                self.grid.selectRow(self.grid.currentIndex().row())
            self.revealed.emit(current)

    def _sort(self, column: int) -> None:
        header = self.grid.horizontalHeader()
        again = header.sortIndicatorSection() == column and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        self.grid.sortByColumn(column, Qt.SortOrder.DescendingOrder if again else Qt.SortOrder.AscendingOrder)

    def _filter(self, text: str) -> None:
        try:
            holds = note_filter.parse(text)
        except InputError as error:
            wrong = str(error)
            self._filter_wrong = wrong[:1].upper() + wrong[1:]
            self._say("", False)
            return
        self._filter_wrong = ""
        self._following = True
        self.model.use_filter(holds)
        self._following = False
        self._follow_selection()
        self._say("", False)
        announce(self.filter, self._counted())

    def _filter_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self.filter.text():
            self.filter.clear()
            return True
        if event.key() in {Qt.Key.Key_Escape, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.take_focus()
            return True
        return False

    # What the user sees

    def _say(self, text: str, wrong: bool) -> None:
        """Say a sentence about an edit; without one what is wrong with the filter, or how many notes there are."""
        if text or self._filter_wrong:
            announce(self.says, text or self._filter_wrong)
        self.says.setObjectName("bad" if (wrong and text) or (self._filter_wrong and not text) else "quiet")
        self.says.style().polish(self.says)
        self.says.setText(text or self._filter_wrong or self._counted())
        self._said = text

    def _counted(self) -> str:
        shown, total, chosen = len(self.model.ids), len(self.model.columns), len(self._selection.ids)
        whole = "1 note" if total == 1 else f"{total} notes"
        parts = [whole if shown == total else f"{shown} of {whole}"]
        if chosen:
            parts.append(f"{chosen} selected")
        return " · ".join(parts) if total else ""

    def _show(self) -> None:
        shown, total = len(self.model.ids), len(self.model.columns)
        if not self._said and not self._filter_wrong:
            self.says.setText(self._counted())
        self.nothing.setText("" if shown else NO_MATCH if total else NO_NOTES)
        self.nothing.setVisible(not shown)
        self._place_nothing()

    def _place_nothing(self) -> None:
        self.nothing.setGeometry(self.grid.viewport().geometry().adjusted(16, 0, -16, 0))

    def _lay_out(self) -> None:
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(LEAST_WIDTH)
        heading = QLabel("NOTES")
        heading.setObjectName("heading")
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch()
        head.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.filter)
        layout.addWidget(self.says)
        layout.addWidget(self.grid, 1)

    def _retheme(self) -> None:
        self.close_button.setIcon(self._theme.icon("close"))
        self.says.setFont(self._theme.font(8.5, figures=True))


def _merged(selection: QItemSelection) -> list[tuple[int, int]]:
    """The stretches of rows of a selection, in order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    runs = [selection.at(i) for i in range(selection.count())]
    for first, last in sorted((run.top(), run.bottom()) for run in runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _as_table(rows: Sequence[tuple[str, str]]) -> str:
    lines = (f"<tr><td><b>{escape(words)}</b>&nbsp;&nbsp;</td><td>{escape(meaning)}</td></tr>" for words, meaning in rows)
    return f"<table>{''.join(lines)}</table>"
