"""The empty window: the keyboard begins where the work begins, and what is being opened is not asked for again."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import small_piece

from soli.project.pipeline import Loaded


def test_the_keyboard_begins_at_the_button_that_opens(application):
    welcome = application.window.roll.welcome
    assert application.window.focusWidget() is welcome.buttons[0]
    assert welcome.buttons[0].text() == "Open…"


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_the_button_with_the_keys_is_pressed_by_space_and_enter(application, key):
    pressed = []
    button = application.window.roll.welcome.buttons[1]
    button.clicked.disconnect()
    button.clicked.connect(lambda: pressed.append(key))
    button.setFocus()
    QTest.keyClick(button, key)
    assert pressed == [key]


def test_what_is_being_opened_is_not_asked_for_again(application, tmp_path, qtbot):
    welcome = application.window.roll.welcome
    score = tmp_path / "list.csv"
    score.write_text("start;duration;pitch;velocity;label\n0.5;0.5;60;0.8;piano\n")
    application.session.open_files([score])
    assert welcome.text.text() == "Opening…"
    assert all(button.isHidden() for button in welcome.buttons)
    assert application.window.focusWidget() is application.window.roll.canvas
    qtbot.waitUntil(lambda: welcome.isHidden() and not application.worker.busy, timeout=20_000)


def test_a_file_that_cannot_be_opened_leaves_the_way_to_begin(application, tmp_path, qtbot):
    welcome = application.window.roll.welcome
    score = tmp_path / "broken.mid"
    score.write_bytes(b"no score")
    application.session.open_files([score])
    qtbot.waitUntil(lambda: welcome.text.text() != "Opening…", timeout=20_000)
    assert all(button.isVisible() for button in welcome.buttons)


def test_the_keys_are_those_of_the_roll_once_there_is_a_piece(application, qtbot):
    application.document.restore(Loaded(small_piece()))
    assert application.window.focusWidget() is application.window.roll.canvas
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: application.listening.status.playing, timeout=20_000)
