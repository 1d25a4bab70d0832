"""A note table for tests, with nothing around it, and what is done in its cells."""

from dataclasses import dataclass

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from ui.conftest import small_piece

from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.ui.panels.note_cells import INDEX
from soli.ui.panels.note_table import NoteTable
from soli.ui.selection import Selection


@dataclass
class Alone:
    """A note table with nothing around it."""

    document: Document
    selection: Selection
    table: NoteTable


def stand_alone(qtbot, theme) -> Alone:
    """A note table of the small piece, with the keyboard in it."""
    document = Document()
    selection = Selection(document)
    table = NoteTable(document, selection, theme)
    qtbot.addWidget(table)
    table.resize(430, 500)
    table.show()
    qtbot.waitExposed(table).__enter__()
    table.activateWindow()
    document.restore(Loaded(small_piece()))
    table.take_focus()
    return Alone(document, selection, table)


def column(table, key):
    return [table.model.index(row, INDEX[key]).data() for row in range(table.model.rowCount())]


def go(table, note, key="pitch", *, select=True):
    """Put the keyboard on a cell of a note."""
    index = table.model.index(table.model.row(note), INDEX[key])
    table.grid.setFocus()
    flags = QItemSelectionModel.SelectionFlag
    table.grid.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows if select else flags.NoUpdate)


def type_into(table, text):
    """Edit the cell that the keyboard is on; gives the editor if it stays open."""
    QTest.keyClick(table.grid, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, text)
    if not text:
        QTest.keyClick(editor, Qt.Key.Key_Delete)
    enter(editor)
    return editor


def enter(editor):
    """Enter, and what an editor does about it once it has seen the key itself."""
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
