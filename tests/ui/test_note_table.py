"""The note table: rows in step with document and roll, edited and heard by the keyboard alone."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from ui.conftest import small_piece
from ui.note_tables import column, go, stand_alone

from soli.project import commands
from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.score.notes import Note
from soli.ui.panels.note_cells import CELLS, INDEX
from soli.ui.panels.note_columns import NoteColumns
from soli.ui.panels.note_filter import parse
from soli.ui.panels.note_table_model import NoteTableModel

# The offscreen platform says so of any panel without a window around it.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def alone(qtbot, theme):
    return stand_alone(qtbot, theme)


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
def test_whatever_happens_the_rows_are_what_filter_and_order_say(theme, steps, key, text):
    document, layers = Document(), small_piece().layers
    model = NoteTableModel(document, theme)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    model.use_filter(parse(text))
    model.sort(INDEX[key])
    persistent = []
    for notes in steps:
        document.restore(Loaded(State(notes=MappingProxyType(notes), layers=layers)))
        model.follow()
        fresh = NoteColumns(document.state)
        passing = parse(text)(fresh, {layer.id: layer.name for layer in layers})
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
