"""The note table: rows in step with document and roll, edited and heard by the keyboard alone."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, QPersistentModelIndex, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QMenu
from ui.conftest import names, small_piece

from soli.project import commands
from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.score.notes import Note
from soli.ui.panels.note_cells import CELLS, INDEX
from soli.ui.panels.note_columns import NoteColumns
from soli.ui.panels.note_filter import parse
from soli.ui.panels.note_table import NoteTable
from soli.ui.panels.note_table_model import NoteTableModel
from soli.ui.selection import Selection
from soli.ui.theme import Theme

# The offscreen platform says so of any panel without a window around it.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def table(piece, qtbot):
    """The note table, open, with the keyboard in its first row."""
    QTest.keyClick(piece.window, Qt.Key.Key_N)
    table = piece.window.note_table
    qtbot.waitUntil(table.grid.hasFocus, timeout=5000)
    return table


@pytest.fixture(scope="module")
def theme(qapp):
    return Theme(qapp, "dark")


@pytest.fixture(scope="module")
def small():
    return small_piece()


@dataclass
class Alone:
    """A note table with nothing around it."""

    document: Document
    selection: Selection
    table: NoteTable


@pytest.fixture
def alone(qtbot, theme, small):
    document = Document()
    selection = Selection(document)
    table = NoteTable(document, selection, theme)
    qtbot.addWidget(table)
    table.resize(430, 500)
    table.show()
    qtbot.waitExposed(table).__enter__()
    table.activateWindow()
    document.restore(Loaded(small))
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


# What is shown


def test_every_note_is_a_row_with_all_that_is_known_of_it(piece, table):
    piece.document.restore(
        Loaded(replace(piece.document.state, absent=frozenset({1}), alignment=confident(piece.document.state)))
    )
    piece.document.do(commands.set_tolerances(piece.document.state, [10], before_s=0.06))
    assert column(table, "pitch") == ["E4", "C3", "F4", "F♯4", "D3", "G4", "A♭4", "E3", "A4"]
    row = table.model.row(10)
    assert [table.model.index(row, i).data() for i in range(len(CELLS))] == [
        "C3", "Left hand", "1", "1.00", "0.200", "0.800", "70", "0.25", "60", "auto", "",
    ]  # fmt: skip
    assert table.model.index(table.model.row(1), INDEX["absent"]).data() == "out"
    assert table.says.text() == "9 notes"


def confident(state):
    return replace(state.alignment, confidence=np.full(len(state.alignment.notes), 0.25, np.float32))


@pytest.mark.parametrize("key", [cell.key for cell in CELLS])
def test_each_column_sorts_both_ways(alone, key):
    rows = sorted(alone.table.model.ids)
    alone.table.grid.sortByColumn(INDEX[key], Qt.SortOrder.AscendingOrder)
    up = list(alone.table.model.ids)
    headings = [alone.table.model.headerData(i, Qt.Orientation.Horizontal) for i in range(len(CELLS))]
    assert headings == [f"{cell.heading} ↑" if cell.key == key else cell.heading for cell in CELLS]
    alone.table.grid.sortByColumn(INDEX[key], Qt.SortOrder.DescendingOrder)
    assert sorted(up) == sorted(alone.table.model.ids) == rows
    values = {
        "pitch": lambda n: n.pitch,
        "onset": lambda n: n.onset_s,
        "length": lambda n: n.offset_s - n.onset_s,
        "velocity": lambda n: n.velocity,
        "layer": lambda n: n.layer,
    }
    if key in values:
        notes = alone.document.state.notes
        assert [values[key](notes[i]) for i in up] == sorted(values[key](n) for n in notes.values())
        assert [values[key](notes[i]) for i in alone.table.model.ids] == sorted(
            (values[key](n) for n in notes.values()), reverse=True
        )


def test_a_filter_shows_some_and_says_what_it_does_not_understand(table):
    QTest.keyClick(table.window(), Qt.Key.Key_F, CTRL)
    assert table.filter.hasFocus()
    QTest.keyClicks(table.filter, "left")
    assert column(table, "pitch") == ["C3", "D3", "E3"]
    assert table.says.text() == "3 of 9 notes"
    QTest.keyClicks(table.filter, " velocity >")
    assert "Velocity of what" in table.says.text()
    assert table.model.rowCount() == 3, "what was understood before still holds"
    QTest.keyClicks(table.filter, " 90")
    assert table.model.rowCount() == 0
    assert table.nothing.isVisible()
    assert "No note is like that" in table.nothing.text()
    QTest.keyClick(table.filter, Qt.Key.Key_Escape)
    assert table.model.rowCount() == 9
    assert not table.nothing.isVisible()
    QTest.keyClick(table.filter, Qt.Key.Key_Return)
    assert table.grid.hasFocus()


def test_without_notes_the_table_says_how_to_get_some(application):
    application.window.actions_["note_table"].trigger()
    table = application.window.note_table
    assert table.nothing.isVisible()
    assert "Open a score" in table.nothing.text()
    assert table.says.text() == ""


# In step with the roll


def test_choosing_rows_selects_on_the_roll_and_choosing_on_the_roll_scrolls_to_the_row(piece, table, qtbot):
    go(table, 10)
    assert piece.selection.ids == {10}
    assert piece.selection.layer == 1
    QTest.keyClick(table.grid, Qt.Key.Key_Down, SHIFT)
    assert piece.selection.ids == {10, 1}
    table.grid.setFixedHeight(table.grid.horizontalHeader().height() + 3 * table.grid.verticalHeader().defaultSectionSize())
    piece.selection.set({5})
    qtbot.waitUntil(lambda: table.grid.chosen() == [5], timeout=5000)
    assert table.grid.current() == 5
    assert table.grid.rowAt(table.grid.visualRect(table.grid.currentIndex()).center().y()) == table.model.row(5)
    assert table.grid.viewport().rect().contains(table.grid.visualRect(table.grid.currentIndex()).center())
    assert piece.selection.ids == {5}


def test_what_a_filter_hides_stays_selected_on_the_roll(alone, qtbot):
    alone.selection.set({0, 10})
    qtbot.waitUntil(lambda: set(alone.table.grid.chosen()) == {0, 10}, timeout=5000)
    alone.table.filter.setText("left")
    assert alone.table.grid.chosen() == [10]
    assert alone.selection.ids == {0, 10}
    alone.table.filter.clear()
    assert set(alone.table.grid.chosen()) == {0, 10}


def test_enter_shows_the_note_on_the_roll(piece, table):
    view = piece.window.roll.view
    view.show(3.0, 3.4)
    go(table, 0)
    QTest.keyClick(table.grid, Qt.Key.Key_Return)
    assert view.start_s <= piece.document.state.notes[0].onset_s <= view.end_s


def test_an_edit_of_one_note_leaves_the_rows_the_selection_and_the_place_alone(alone):
    go(alone.table, 4, "velocity")
    resets = []
    alone.table.model.modelReset.connect(lambda: resets.append(1))
    alone.document.do(commands.move_notes(alone.document.state, [0], semitones=1))
    assert column(alone.table, "pitch")[0] == "F4"
    alone.document.do(commands.move_notes(alone.document.state, [0], seconds=3.0))
    assert alone.table.model.ids[-1] == 0
    alone.document.do(commands.delete_notes(alone.document.state, [10]))
    alone.document.undo()
    assert alone.table.grid.current() == 4
    assert alone.table.grid.currentIndex().column() == INDEX["velocity"]
    assert alone.table.grid.chosen() == [4]
    assert alone.selection.ids == {4}
    assert not resets


def test_the_table_keeps_its_width_and_whether_it_is_open(piece, table, qtbot):
    window = piece.window
    window.beside.setSizes([400, 500])
    window.beside.splitterMoved.emit(400, 1)
    width = table.width()
    assert piece.settings.note_table
    assert piece.settings.note_table_width == width
    QTest.keyClick(window, Qt.Key.Key_N)
    assert not table.isVisible()
    assert not window.actions_["note_table"].isChecked()
    assert window.roll.canvas.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_N)
    assert table.width() == width
    table.close_button.click()
    assert not piece.settings.note_table


# Edits by the keyboard


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


def test_space_plays_the_note_alone(separated, qtbot):
    window = separated.window
    QTest.keyClick(window, Qt.Key.Key_N)
    go(window.note_table, 3)
    with qtbot.waitSignal(separated.audition.started, timeout=10_000) as heard:
        QTest.keyClick(window.note_table.grid, Qt.Key.Key_Space)
    assert heard.args == [frozenset({3})]


def test_notes_alike_are_selected_by_keys(piece, table):
    piece.document.do(commands.alter_notes(piece.document.state, {3: {"pitch": 64}}, "place"))
    go(table, 0)
    QTest.keyClick(table.grid, Qt.Key.Key_P, SHIFT)
    assert piece.selection.ids == {0, 3}
    QTest.keyClick(table.grid, Qt.Key.Key_L, SHIFT)
    assert piece.selection.ids == {0, 1, 2, 3, 4, 5}


def test_the_menu_of_the_rows_edits_and_sorts(alone):
    go(alone.table, 2)
    menu = QMenu()
    alone.table.fill_menu(menu)
    entries = {action.text(): action for action in menu.actions()}
    by_name = {a.text(): a for a in entries["Sort by"].menu().actions()}
    assert by_name["Onset s"].isChecked()
    by_name["Note"].trigger()
    assert column(alone.table, "pitch")[0] == "C3"
    edits = {a.text(): a for a in entries["Edit note"].menu().actions()}
    edits["Vel.…"].trigger()
    assert alone.table.grid.currentIndex().column() == INDEX["velocity"]
    assert isinstance(QApplication.focusWidget(), QLineEdit)


def test_f6_walks_through_roll_table_and_strips(separated):
    window, table = separated.window, separated.window.note_table
    window.beside.show_panel(True)
    window.roll.canvas.setFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert table.grid.hasFocus()
    assert "Space hears the note" in window.hint.text()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.mixer.isAncestorOf(window.focusWidget())


# For those who cannot see it


def test_a_screen_reader_reads_rows_and_cells(piece, table):
    piece.document.do(commands.set_absent(piece.document.state, [11], absent=True))
    piece.window.mixer.silent_changed.emit(frozenset({1}))
    interface = QAccessible.queryAccessibleInterface(table.grid)
    assert interface.role() == QAccessible.Role.Table
    assert interface.text(QAccessible.Text.Name) == "Notes"
    index = table.model.index(table.model.row(11), INDEX["pitch"])
    # Row by row, headings first; the headings of rows count although they are not shown.
    width = len(CELLS) + 1
    cell = interface.child((index.row() + 1) * width + index.column() + 1)
    assert cell.role() == QAccessible.Role.Cell
    assert cell.text(QAccessible.Text.Name) == "D 3, bar 1, Left hand, muted, left out"
    cell = interface.child((index.row() + 1) * width + INDEX["velocity"] + 1)
    assert cell.text(QAccessible.Text.Name) == "velocity 70, D 3, bar 1, Left hand, muted, left out"


# The model against the plain truth


@st.composite
def histories(draw):
    """Some notes, and what becomes of them, step by step."""
    steps = []
    for _ in range(draw(st.integers(1, 5))):
        ids = draw(st.sets(st.integers(0, 40), max_size=40))
        steps.append({i: Note(i, draw(st.integers(0, 5)), 6.0, draw(st.integers(50, 54)), i, layer=i % 2) for i in sorted(ids)})
    return steps


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(histories(), st.sampled_from(["onset", "pitch", "velocity"]), st.sampled_from(["", "left", "c#", "not d"]))
def test_whatever_happens_the_rows_are_what_filter_and_order_say(theme, small, steps, key, text):
    document = Document()
    model = NoteTableModel(document, theme)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    model.use_filter(parse(text))
    model.sort(INDEX[key])
    persistent = []
    for notes in steps:
        document.restore(Loaded(State(notes=MappingProxyType(notes), layers=small.layers)))
        model.follow()
        fresh = NoteColumns(document.state)
        passing = parse(text)(fresh, {layer.id: layer.name for layer in small.layers})
        value = {"onset": lambda n: n.onset_s, "pitch": lambda n: n.pitch, "velocity": lambda n: n.velocity}[key]
        expected = [notes[i] for i, passes in zip(fresh.id.tolist(), passing, strict=True) if passes]
        expected.sort(key=lambda n: (value(n), n.onset_s, n.id))
        assert list(model.ids) == [n.id for n in expected]
        assert [model.index(row, INDEX["velocity"]).data() for row in range(model.rowCount())] == [
            str(n.velocity) for n in expected
        ]
        for note, index in persistent:
            assert not index.isValid() or model.ids[index.row()] == note, "who holds a row holds a note"
        persistent = [(n.id, QPersistentModelIndex(model.index(row, 0))) for row, n in enumerate(expected[:5])]
    del tester
