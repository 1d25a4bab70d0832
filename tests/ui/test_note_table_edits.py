"""Editing in the note table: cells are typed into, for one row or for all that are selected, a step each."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit
from ui.conftest import names
from ui.note_tables import enter, go, stand_alone, type_into

from soli.project import commands
from soli.project.pipeline import Loaded
from soli.project.state import State

# The offscreen platform says so of any panel without a window around it.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def alone(qtbot, theme):
    return stand_alone(qtbot, theme)


@pytest.mark.parametrize(
    ("key", "text", "field", "value"),
    [
        ("pitch", "C#4", "pitch", 61),
        ("pitch", "Db4", "pitch", 61),
        ("pitch", "61", "pitch", 61),
        ("pitch", "+12", "pitch", 78),
        ("onset", "2.5", "onset_s", 2.5),
        ("onset", "-0.2", "onset_s", 1.0),
        ("bar", "2", "onset_s", 3.2),
        ("bar", "+1", "onset_s", 3.2),
        ("beat", "1.5", "onset_s", 0.45),
        ("beat", "4", "onset_s", 1.7),
        ("length", "0.75", "offset_s", 1.95),
        ("length", "+0.1 s", "offset_s", 1.7),
        ("velocity", "99", "velocity", 99),
        ("velocity", "+99", "velocity", 127),
        ("before", "80", "before_s", 0.08),
        ("after", "0.25 s", "after_s", 0.25),
        ("after", "30 ms", "after_s", 0.03),
    ],
)
def test_a_cell_typed_into_is_one_edit(alone, key, text, field, value):
    before = alone.document.state.notes
    go(alone.table, 2, key)
    type_into(alone.table, text)
    after = alone.document.state.notes[2]
    assert getattr(after, field) == pytest.approx(value)
    assert len(alone.document.history.done) == 1
    if field == "onset_s":
        assert after.offset_s - after.onset_s == pytest.approx(before[2].offset_s - before[2].onset_s)
    assert alone.table.says.text() == "9 notes · 1 selected"
    alone.document.undo()
    assert dict(alone.document.state.notes) == dict(before)


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("pitch", "H4", "no pitch"),
        ("pitch", "+90", "leave"),
        ("onset", "soon", "no number"),
        ("onset", "1,5", "with a point"),
        ("onset", "-9", "before the recording"),
        ("onset", "99", "after the recording ends"),
        ("bar", "77", "bars 1 to 2"),
        ("bar", "2.5", "whole number"),
        ("beat", "9", "beats 1 to 4"),
        ("length", "0", "at least"),
        ("length", "nan", "no number"),
        ("velocity", "128", "0 to 127"),
        ("velocity", "loud", "whole number"),
        ("before", "-1", "from 0 to"),
        ("after", "inf", "no number"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_typed(alone, key, text, says):
    go(alone.table, 2, key)
    editor = type_into(alone.table, text)
    assert editor.isVisible()
    assert editor.text() == text
    assert says in alone.table.says.text()
    assert not alone.document.history.done
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert alone.table.says.text() == "9 notes · 1 selected"
    assert not alone.document.history.done
    assert alone.table.grid.hasFocus()


def test_looking_into_a_cell_changes_nothing(alone):
    note = alone.document.state.notes[2]
    alone.document.do(commands.alter_notes(alone.document.state, {2: {"onset_s": 1.23456789}}, "place"))
    for cell in ("pitch", "bar", "beat", "onset", "length", "velocity", "before", "after"):
        go(alone.table, 2, cell)
        QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
        enter(QApplication.focusWidget())
    assert names(alone) == ["place"]
    assert alone.document.state.notes[2].onset_s == 1.23456789
    assert note.id == 2


def test_a_figure_begins_an_edit_and_letters_stay_commands(piece, table, qtbot):
    go(table, 2, "velocity")
    QTest.keyClick(table.grid, Qt.Key.Key_9)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_7)
    enter(QApplication.focusWidget())
    assert piece.document.state.notes[2].velocity == 97
    QTest.keyClick(table.grid, Qt.Key.Key_X)
    assert piece.document.state.absent == {2}
    QTest.keyClick(table.grid, Qt.Key.Key_X, SHIFT)
    assert not piece.document.state.absent
    QTest.keyClick(table.grid, Qt.Key.Key_2, ALT)
    assert piece.document.state.notes[2].layer == 1
    QTest.keyClick(table.grid, Qt.Key.Key_Delete)
    assert 2 not in piece.document.state.notes
    assert len(names(piece)) == 5


def test_an_edit_is_for_all_selected_rows_and_is_one_step(alone):
    QTest.keyClick(alone.table.grid, Qt.Key.Key_A, CTRL)
    assert alone.selection.ids == alone.document.state.notes.keys()
    go(alone.table, 2, "velocity", select=False)
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    assert "all 9 selected notes" in alone.table.says.text()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    type_into(alone.table, "55")
    assert {n.velocity for n in alone.document.state.notes.values()} == {55}
    assert names(alone) == ["set velocity of 9 notes"]
    go(alone.table, 10, "onset", select=False)
    onsets = {n.id: n.onset_s for n in alone.document.state.notes.values()}
    type_into(alone.table, "0.3")
    moved = {n.id: n.onset_s - onsets[n.id] for n in alone.document.state.notes.values()}
    assert list(moved.values()) == pytest.approx([0.1] * 9)
    go(alone.table, 10, "after", select=False)
    type_into(alone.table, "200")
    assert {n.after_s for n in alone.document.state.notes.values()} == {0.2}
    type_into(alone.table, "auto")
    assert {n.after_s for n in alone.document.state.notes.values()} == {None}
    assert len(names(alone)) == 4


def test_an_editor_goes_with_its_row_and_with_its_piece(alone, qtbot):
    go(alone.table, 2, "velocity")
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    alone.document.do(commands.delete_notes(alone.document.state, [2]))
    qtbot.waitUntil(lambda: alone.table.grid.viewport().findChild(QLineEdit) is None, timeout=5000)
    go(alone.table, 3, "velocity")
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    QTest.keyClicks(QApplication.focusWidget(), "nonsense")
    alone.document.restore(Loaded(State()))
    qtbot.waitUntil(lambda: alone.table.grid.viewport().findChild(QLineEdit) is None, timeout=5000)
    assert alone.table.model.rowCount() == 0
    assert not alone.document.history.done


def test_ctrl_a_takes_only_what_the_filter_shows(alone):
    alone.table.filter.setText("left")
    alone.table.take_focus()
    QTest.keyClick(alone.table.grid, Qt.Key.Key_A, CTRL)
    assert alone.selection.ids == {10, 11, 12}


def test_a_layer_is_chosen_from_a_list(alone):
    go(alone.table, 2, "layer")
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    editor = alone.table.grid.viewport().findChild(QComboBox)
    assert [editor.itemText(i) for i in range(editor.count())] == ["Right hand", "Left hand"]
    QTest.keyClick(editor, Qt.Key.Key_Down)
    enter(editor)
    assert alone.document.state.notes[2].layer == 1
    assert names(alone) == ["assign note to Left hand"]


def test_the_last_column_leaves_notes_out(alone):
    go(alone.table, 2, "absent")
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    assert alone.document.state.absent == {2}
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    assert alone.document.state.absent == frozenset()


def test_notes_of_a_locked_layer_are_not_edited(alone):
    alone.document.do(commands.set_layer_flags(alone.document.state, 1, locked=True))
    go(alone.table, 10, "velocity")
    QTest.keyClick(alone.table.grid, Qt.Key.Key_F2)
    assert alone.table.grid.viewport().findChild(QLineEdit) is None
    assert alone.table.model.edit(alone.table.grid.currentIndex(), "3") == "The layer of this note is locked"
    assert alone.table.grid.currentIndex().data(Qt.ItemDataRole.ToolTipRole) == "Left hand is locked"
