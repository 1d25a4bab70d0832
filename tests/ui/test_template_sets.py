"""Joining and separating the templates of layers by the menu of a strip; decomposing from the last result."""

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMenu

from soli.ui.mixer.template_menu import add_template_menu


def entries(document, layer, qtbot):
    """The entries of the templates menu of a layer by their text, those of the submenu with an arrow."""
    menu = QMenu()
    qtbot.addWidget(menu)
    add_template_menu(menu, document, layer)
    actions = menu.actions()[0].menu().actions()
    found = {action.text(): action for action in actions if action.menu() is None}
    shared = next(action.menu() for action in actions if action.menu() is not None)
    found |= {f"→ {action.text()}": action for action in shared.actions()}
    return menu, found


def checked(document, layer, qtbot):
    _, found = entries(document, layer, qtbot)
    return {text for text, action in found.items() if action.isChecked()}


def choose(document, layer, text, qtbot):
    menu, found = entries(document, layer, qtbot)
    assert found[text].toolTip()
    found[text].trigger()
    menu.deleteLater()


def test_two_hands_are_one_instrument_until_they_are_separated(piece, qtbot):
    document = piece.document
    assert checked(document, 0, qtbot) == {"By instrument", "→ Left hand"}
    choose(document, 0, "Its own", qtbot)
    assert checked(document, 0, qtbot) == {"Its own"}
    assert checked(document, 1, qtbot) == {"By instrument"}
    choose(document, 0, "→ Left hand", qtbot)
    assert checked(document, 0, qtbot) == {"→ Left hand"}
    assert checked(document, 1, qtbot) == {"→ Right hand"}
    assert [edit.name for edit in document.history.done] == [
        "separate templates of Right hand",
        "share templates of Right hand with Left hand",
    ]
    document.undo()
    document.undo()
    assert checked(document, 0, qtbot) == {"By instrument", "→ Left hand"}
    # What is so already is no step.
    choose(document, 0, "→ Left hand", qtbot)
    assert not document.history.done


# A menu that opens raises itself, which the offscreen platform says it cannot.
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_strip_has_it_in_its_menu(piece):
    seen = []

    def look():
        menu = QApplication.activePopupWidget()
        if menu is None:
            QTimer.singleShot(20, look)
            return
        seen.extend(action.text() for action in menu.actions())
        menu.close()

    QTimer.singleShot(20, look)
    piece.window.mixer.strip_widget(0).menu_requested.emit(0, QPoint())
    assert "Templates" in seen


def test_separating_has_to_be_decomposed_again_and_undoing_does_not(separated, qtbot):
    document = separated.document
    before = document.separation
    choose(document, 0, "Its own", qtbot)
    assert document.stale
    qtbot.waitUntil(lambda: not separated.worker.busy, timeout=20_000)
    assert document.stale
    document.undo()
    assert not document.stale
    document.redo()
    separated.session.decompose()
    qtbot.waitUntil(lambda: document.separation is not before and not separated.worker.busy, timeout=30_000)
    assert not document.stale
    constraint = document.separation.factors.constraint
    right, left = (constraint.components.part[constraint.shares(constraint.bodies.of_layers(i)).any(axis=1)] for i in (0, 1))
    assert set(right.tolist()).isdisjoint(left.tolist())


def test_again_it_begins_from_the_last_result_and_from_scratch_with_shift(separated, qtbot):
    document, panel = separated.document, separated.window.jobs
    assert not separated.document.separation.factors.warm
    assert "last result" not in panel.says.text()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    for modifiers, warm in ((control, 1), (control | shift, 0)):
        before = document.separation
        qtbot.keyClick(separated.window.roll.canvas, Qt.Key.Key_D, modifiers)
        qtbot.waitUntil(lambda was=before: document.separation is not was and not separated.worker.busy, timeout=30_000)
        assert document.separation.factors.warm == warm
        qtbot.waitUntil(lambda warm=warm: ("from the last result" in panel.says.text()) == bool(warm), timeout=5_000)


def test_there_is_no_scratch_before_there_is_a_result(piece):
    assert not piece.window.actions_["decompose_anew"].isEnabled()
    assert piece.window.actions_["decompose"].isEnabled()
