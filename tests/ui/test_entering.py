"""Enter ends what is typed, also while notes are selected that it would play elsewhere."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@pytest.fixture
def heard(separated):
    """How often Enter meant to hear the selected notes."""
    times = []
    separated.window.actions_["hear"].triggered.connect(lambda: times.append(1))
    return times


@pytest.mark.parametrize("key", ENTER)
def test_a_new_layer_of_the_selection_gets_the_name_that_is_typed(separated, heard, qtbot, key):
    separated.selection.set({0, 1})
    separated.window.actions_["new_layer"].trigger()
    field = QApplication.focusWidget()
    qtbot.keyClicks(field, "Verse")
    QTest.keyClick(field, key)
    assert separated.document.state.layers[-1].name == "Verse"
    assert not heard
    assert QApplication.focusWidget() is not field


def test_a_figure_is_entered_and_nothing_is_heard(separated, heard, qtbot):
    separated.selection.set({0})
    separated.window.actions_["drawer_tempo"].trigger()
    spin = separated.window.tempo.slowest
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, "0.50")
    with qtbot.waitSignal(separated.window.tempo.limits_set) as limits:
        QTest.keyClick(spin, Qt.Key.Key_Return)
    assert limits.args[0] == 0.5
    assert not heard
    qtbot.waitUntil(lambda: not separated.worker.busy, timeout=20_000)


def test_elsewhere_enter_plays_the_selected_notes(separated, heard):
    separated.selection.set({0})
    canvas = separated.window.roll.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert len(heard) == 1


@pytest.mark.parametrize("key", ENTER)
def test_a_speed_that_is_typed_is_taken_over_and_the_keys_are_those_of_the_roll_again(piece, qtbot, key):
    speed = piece.window.transport.speed
    speed.setFocus()
    speed.selectAll()
    qtbot.keyClicks(speed, "60")
    QTest.keyClick(speed, key)
    assert speed.value() == 60
    assert QApplication.focusWidget() is piece.window.roll.canvas


def test_escape_leaves_the_speed_as_it_was(piece, qtbot):
    speed = piece.window.transport.speed
    speed.setFocus()
    speed.selectAll()
    qtbot.keyClicks(speed, "60")
    QTest.keyClick(speed, Qt.Key.Key_Escape)
    assert (speed.value(), speed.text()) == (100, "100 %")
    assert QApplication.focusWidget() is piece.window.roll.canvas


def test_space_plays_while_a_number_is_typed(piece, qtbot):
    speed = piece.window.transport.speed
    speed.setFocus()
    speed.selectAll()
    QTest.keyClick(speed, Qt.Key.Key_Space)
    assert speed.text() == "100 %"
    qtbot.waitUntil(lambda: piece.listening.status.playing, timeout=20_000)
