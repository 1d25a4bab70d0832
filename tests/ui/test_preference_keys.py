"""The keys of commands, altered in the preferences: they hold at once, and none is taken twice without a question."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from soli import settings
from soli.app import Application
from soli.playback.player import FakePlayer
from soli.settings import Settings
from soli.ui.keymap import FIXED, portable

# The offscreen platform says so of every dialog that is shown.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def keys_of_actions(window) -> list[str]:
    return [key.toString() for action in window.findChildren(QAction) for key in action.shortcuts()]


def test_every_default_key_can_be_had_and_belongs_to_one_command(application):
    keymap = application.window.actions_.keymap
    keys = [key for command in keymap.commands.values() for key in command.keys]
    assert all(portable(key) == key for key in keys)
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set(keymap.fixed)
    assert set(FIXED) <= set(keymap.fixed)
    assert not keymap.changes()


def test_no_key_works_past_the_keymap(application):
    keymap = application.window.actions_.keymap
    assert sorted(keys_of_actions(application.window)) == sorted(key for name in keymap.commands for key in keymap.keys(name))
    assert not application.window.findChildren(QShortcut)


def test_new_keys_hold_at_once_in_menus_tooltips_and_on_the_rail(piece, preferences, qtbot):
    window, page = piece.window, preferences("Keys").keys
    page.choose("play")
    QTest.keyClick(page.field, Qt.Key.Key_P)
    assert window.actions_["play"].shortcut().toString() == "P"
    assert "(P)" in window.actions_["play"].toolTip()
    assert any("(P)" in button.toolTip() for button in window.transport.findChildren(QToolButton))
    page.choose("tool_draw")
    QTest.keyClick(page.field, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert window.actions_.tools[1].shortcut().toString() == "Ctrl+Alt+D"
    assert "Ctrl+Alt+D" in [caption.text() for caption in window.rail._captions]
    assert piece.settings.keys == {"play": ["P"], "tool_draw": ["Ctrl+Alt+D"]}


def test_new_keys_call_their_command_and_the_old_ones_do_not(piece, preferences, qtbot):
    dialog = preferences("Keys")
    dialog.keys.choose("select_all")
    QTest.keyClick(dialog.keys.field, Qt.Key.Key_F9)
    dialog.close()
    canvas = piece.window.roll.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not piece.selection.ids
    QTest.keyClick(canvas, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: piece.selection.ids == set(piece.document.state.notes))


def test_a_taken_key_is_asked_about_and_may_be_kept(piece, preferences):
    page = preferences("Keys").keys
    page.choose("fit")
    QTest.keyClick(page.field, Qt.Key.Key_Space)
    assert page.replace.isVisible()
    assert page.keep.isVisible()
    assert "“Play / pause”" in page.says.text()
    assert "Space" in page.says.text()
    page.keep.click()
    assert not page.replace.isVisible()
    assert not page._keymap.changes()
    assert piece.settings.keys == {}


def test_a_taken_key_may_be_replaced_and_the_other_command_goes_without(piece, preferences):
    window, page = piece.window, preferences("Keys").keys
    page.choose("about")
    QTest.keyClick(page.field, Qt.Key.Key_Space)
    page.replace.click()
    assert window.actions_["about"].shortcut().toString() == "Space"
    assert window.actions_["play"].shortcuts() == []
    assert len(set(keys_of_actions(window))) == len(keys_of_actions(window))
    # And back again: the default is with another command now.
    page.choose("play")
    page.reset.click()
    assert "“About Soli”" in page.says.text()
    page.replace.click()
    assert window.actions_["play"].shortcut().toString() == "Space"
    assert window.actions_["about"].shortcuts() == []
    page.reset_all.click()
    assert piece.settings.keys == {}
    assert not page.reset_all.isEnabled()


def test_a_question_is_forgotten_with_another_row(piece, preferences):
    page = preferences("Keys").keys
    page.choose("about")
    QTest.keyClick(page.field, Qt.Key.Key_Space)
    page.choose("fit")
    assert not page.replace.isVisible()
    page._replace()
    assert not page._keymap.changes()


def test_a_command_can_have_several_keys_or_none(piece, preferences):
    page = preferences("Keys").keys
    page.choose("play")
    page.as_well.setChecked(True)
    QTest.keyClick(page.field, Qt.Key.Key_P)
    assert [k.toString() for k in piece.window.actions_["play"].shortcuts()] == ["Space", "P"]
    page.clear.click()
    assert piece.window.actions_["play"].shortcuts() == []
    assert "(" not in piece.window.actions_["play"].toolTip()
    page.reset.click()
    assert piece.settings.keys == {}


@pytest.mark.parametrize(
    ("key", "modifier"), [(Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier)]
)
def test_a_fixed_key_is_refused_in_a_sentence(piece, preferences, key, modifier):
    page = preferences("Keys").keys
    page.choose("play")
    QTest.keyClick(page.field, key, modifier)
    assert "is fixed" in page.says.text()
    assert not page.replace.isVisible()
    assert piece.settings.keys == {}


def test_the_field_of_keys_is_no_trap_for_the_keyboard(preferences, qtbot):
    dialog = preferences("Keys")
    page = dialog.keys
    page.choose("play")
    page.field.setFocus()
    QTest.keyClick(page.field, Qt.Key.Key_Tab)
    assert dialog.focusWidget() is not page.field
    page.field.setFocus()
    QTest.keyClick(page.field, Qt.Key.Key_Escape)
    assert dialog.focusWidget() is page.table
    assert dialog.isVisible()
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert dialog.focusWidget() is page.field
    page.search.setFocus()
    QTest.keyClick(page.search, Qt.Key.Key_Return)
    assert dialog.focusWidget() is page.field
    assert dialog.isVisible()
    QTest.keyClick(page.search, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_columns_of_the_keys_stand_still_while_a_command_is_looked_for(preferences, qtbot):
    page = preferences("Keys").keys
    header = page.table.horizontalHeader()

    def places() -> list[int]:
        return [header.sectionViewportPosition(i) for i in range(3)] + [header.length(), page.table.viewport().width()]

    still = places()
    assert page.table.columnWidth(2) < page.table.columnWidth(0) + page.table.columnWidth(1)
    for text in ("z", "zoom", "ctrl+shift", "zebra", ""):
        page.search.clear()
        QTest.keyClicks(page.search, text)
        qtbot.waitUntil(lambda: places() == still, timeout=2000)


def test_commands_are_found_by_name_and_by_key(preferences):
    page = preferences("Keys").keys

    def shown() -> set[str]:
        return {page._text(row, 0) for row in range(page.table.rowCount()) if not page.table.isRowHidden(row)}

    everything = shown()
    page.search.setText("ctrl+shift+z")
    assert shown() == {"Redo"}
    page.search.setText("tool dra")
    assert shown() == {"Draw tool"}
    assert page._chosen() == "tool_draw"
    page.search.setText("zebra")
    assert shown() == set()
    page.search.clear()
    assert shown() == everything
    assert {"Move notes up a semitone", "Play / pause", "Move selected notes to layer 9"} <= everything


def test_what_is_fixed_cannot_be_chosen_for_new_keys(preferences):
    page = preferences("Keys").keys
    last = page.table.rowCount() - 1
    page.table.setCurrentCell(last, 0)
    assert not page.field.isEnabled()
    assert not page.clear.isEnabled()
    assert "fixed" in page.says.text()


def test_kept_keys_are_there_in_the_next_session(qapp, qtbot, tmp_path, preferences):
    page = preferences("Keys").keys
    page.choose("play")
    QTest.keyClick(page.field, Qt.Key.Key_P)
    kept = Settings(keys={"play": ["P"], "save": ["Ctrl+"], "fly": ["F5"]})
    settings.save(tmp_path / "settings.toml", kept)
    again = Application(qapp, FakePlayer(), settings.load(tmp_path / "settings.toml"))
    try:
        assert again.window.actions_["play"].shortcut() == QKeySequence("P")
        assert again.window.actions_["save"].shortcut() == QKeySequence("Ctrl+S")
    finally:
        again.close()
        again.window.deleteLater()
        qapp.processEvents()
