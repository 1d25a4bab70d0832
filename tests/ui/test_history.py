"""The list of steps: what was done by name, where the piece stands, and a jump to anywhere."""

import random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from soli.project import commands


@pytest.fixture
def panel(piece):
    """The panel in a piece with three steps, the drawer open at it."""
    for pitch in (1, 2, 3):
        piece.document.do(commands.move_notes(piece.document.state, {0}, semitones=pitch))
    piece.window.actions_["drawer_history"].trigger()
    return piece.window.history


def rows(panel) -> list[str]:
    return [panel.list.model().index(row).data() for row in range(panel.list.model().rowCount())]


def test_it_lists_every_step_and_marks_where_the_piece_stands(piece, panel):
    assert panel.isVisible()
    assert len(rows(panel)) == 4
    assert rows(panel)[1:] == [edit.name[:1].upper() + edit.name[1:] for edit in piece.document.history.done]
    assert panel.list.currentIndex().row() == 3
    piece.document.undo()
    assert len(rows(panel)) == 4
    assert panel.list.currentIndex().row() == 2


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_a_click_jumps_there(piece, panel, row):
    states = {3: piece.document.state}
    for step in (2, 1, 0):
        piece.document.undo()
        states[step] = piece.document.state
    box = panel.list.visualRect(panel.list.model().index(row))
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert piece.document.state.notes == states[row].notes
    assert len(piece.document.history.done) == row
    assert panel.list.currentIndex().row() == row
    assert len(rows(panel)) == 4


def test_the_keyboard_jumps_too(piece, panel):
    panel.list.setFocus()
    for _ in range(2):
        QTest.keyClick(panel.list, Qt.Key.Key_Up)
    assert len(piece.document.history.done) == 3  # walking looks only
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert len(piece.document.history.done) == 1
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    QTest.keyClick(panel.list, Qt.Key.Key_Space)
    assert len(piece.document.history.done) == 3


def test_a_new_step_after_going_back_takes_the_place_of_those_undone(piece, panel):
    piece.document.go_to(1)
    piece.document.do(commands.delete_notes(piece.document.state, {1}))
    assert len(rows(panel)) == 3
    assert panel.list.currentIndex().row() == 2


def test_a_screen_reader_hears_which_steps_are_undone(piece, panel):
    piece.document.go_to(1)
    model, role = panel.list.model(), Qt.ItemDataRole.AccessibleTextRole
    told = [model.index(row).data(role) for row in range(model.rowCount())]
    assert told[0].endswith("done")
    assert told[1].endswith("here now")
    assert all(text.endswith("undone") for text in told[2:])


def test_without_a_step_it_says_so(piece):
    piece.window.actions_["drawer_history"].trigger()
    panel = piece.window.history
    assert len(rows(panel)) == 1
    assert "Nothing" in panel.says.text()
    piece.document.do(commands.delete_notes(piece.document.state, {1}))
    assert "1 step" in panel.says.text()


def test_it_costs_nothing_while_it_is_closed(piece):
    piece.document.do(commands.delete_notes(piece.document.state, {1}))
    assert rows(piece.window.history) == []


def test_it_follows_every_way_through_history(piece, panel):
    rng = random.Random(5)
    for _ in range(60):
        history = piece.document.history
        if rng.random() < 0.5:
            piece.document.do(commands.move_notes(piece.document.state, {rng.randrange(6)}, seconds=rng.choice([0.01, 0.02])))
        else:
            piece.document.go_to(rng.randrange(len(history.done) + len(history.undone) + 1))
        steps = (*history.done, *history.undone)
        assert rows(panel) == ["Beginning", *(edit.name[:1].upper() + edit.name[1:] for edit in steps)]
        assert panel.list.currentIndex().row() == len(history.done)
