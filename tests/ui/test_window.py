"""The window in all its states: nothing warns, nothing overlaps, everything has a name."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider

from soli.project import commands
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.ui.dialogs.model_dialog import ModelDialog


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(900, 560), (1280, 800), (1920, 1080)])
def test_every_state_can_be_looked_at_in_both_themes(separated, theme, size):
    window = separated.window
    window.actions_[theme].trigger()
    window.resize(*size)
    separated.selection.set({0})
    QApplication.processEvents()
    picture = window.grab().toImage()
    assert picture.size() == QSize(*size)
    ground = picture.pixelColor(window.transport.x() + 3, 40)
    assert (ground.lightness() > 128) is (theme == "light")


def test_the_empty_window_offers_a_way_to_begin(application):
    assert application.window.roll.welcome.isVisible()
    for key in ("play", "decompose", "export", "save", "undo", "delete"):
        assert not application.window.actions_[key].isEnabled(), key


def test_every_control_says_what_it_is(separated):
    for kind in (QAbstractButton, QComboBox, QSlider):
        for widget in separated.window.findChildren(kind):
            if widget.isVisible():
                assert widget.accessibleName() or getattr(widget, "text", str)(), widget.objectName()
    for button in separated.window.findChildren(QAbstractButton):
        if button.isVisible() and button.objectName() not in {"link", "primary"}:
            assert button.toolTip() or button.text(), button


def test_no_two_actions_share_a_key(application):
    keys = {}
    for action in application.window.findChildren(QAction):
        for key in action.shortcuts():
            assert keys.setdefault(key.toString(), action) is action, key.toString()


def test_digit_keys_pick_tools(piece):
    for index, action in enumerate(piece.window.actions_.tools):
        action.trigger()
        assert piece.window.roll.canvas.tool.name == action.text()
        assert action.shortcut().toString() == str((index + 1) % 10)


def test_undo_names_what_it_would_undo(piece):
    piece.window.mixer.toggle(0, mute=True)
    assert piece.window.actions_["undo"].text() == "&Undo mute Right hand"
    piece.document.undo()
    assert piece.window.actions_["redo"].text() == "&Redo mute Right hand"


def test_the_ruler_seeks_and_loops(piece, hand, qtbot):
    ruler, view = piece.window.roll.ruler, piece.window.roll.view
    piece.window.jobs.method.setFocus()
    hand(ruler).click(view.x_of(1.0), 10)
    assert piece.window.focusWidget() is piece.window.roll.canvas
    assert piece.listening.status.position_s == pytest.approx(1.0, abs=0.02)
    hand(ruler).drag((view.x_of(0.5), 30), (view.x_of(1.5), 30))
    assert piece.listening.loop == pytest.approx((0.5, 1.5), abs=0.02)
    assert piece.window.actions_["loop"].isChecked()
    piece.window.actions_["loop"].trigger()
    assert not piece.listening.loop_on


def test_a_piano_key_selects_all_notes_of_its_pitch(piece, hand):
    view, keyboard = piece.window.roll.view, piece.window.roll.keyboard
    hand(keyboard).click(5, view.y_of(64) + 1)
    assert piece.selection.ids == {0}


def test_the_play_button_offers_pause_while_it_plays(piece, qtbot):
    action = piece.window.actions_["play"]
    still = action.icon().pixmap(20).toImage()
    action.trigger()
    qtbot.waitUntil(lambda: piece.listening.status.playing, timeout=20_000)
    assert action.isChecked()
    assert action.icon().pixmap(20).toImage() != still
    action.trigger()
    qtbot.waitUntil(lambda: not piece.listening.status.playing, timeout=20_000)
    assert action.icon().pixmap(20).toImage() == still


def test_the_model_dialog_gives_back_what_it_was_given(piece):
    from dataclasses import replace

    settings = replace(piece.document.state.settings, iterations=33, beta=2.0, after_s=0.5, method="nae", initialisation="both")
    dialog = ModelDialog(piece.window, settings, piece.settings)
    assert dialog.settings() == settings
    dialog.show_settings(type(settings)())
    assert dialog.settings() == type(settings)()


def test_the_model_dialog_keeps_what_it_does_not_show_in_full(piece):
    from dataclasses import replace

    finer = {"harmonics": 100, "iterations": 5000, "after_s": 0.4567, "prior": 0.123, "learning_rate": 1e-6, "tolerance": 1e-9}
    settings = replace(piece.document.state.settings, beta=0.5, **finer)
    dialog = ModelDialog(piece.window, settings, piece.settings)
    assert dialog.settings() == settings
    dialog.form._editors["harmonics"].setValue(20)
    assert dialog.settings() == replace(settings, harmonics=20)


def test_how_far_a_gradient_goes_and_when_a_run_has_settled_can_be_chosen(piece):
    dialog = ModelDialog(piece.window, piece.document.state.settings, piece.settings)
    dialog.form._editors["learning_rate"].setValue(0.2)
    dialog.form._editors["tolerance"].setValue(0.001)
    assert (dialog.settings().learning_rate, dialog.settings().tolerance) == (0.2, 0.001)
    for name in ("learning_rate", "tolerance"):
        editor = dialog.form._editors[name]
        editor.setValue(editor.minimum())
    dialog.settings()  # the lowest that is offered is accepted


def test_settings_that_do_not_go_together_are_said_and_cannot_be_accepted(piece):
    from PySide6.QtWidgets import QDialogButtonBox

    dialog = ModelDialog(piece.window, piece.document.state.settings, piece.settings)
    accept = dialog._buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert accept.isEnabled()
    updates = dialog.form._editors["updates"]
    updates.setCurrentIndex(updates.findData("relu"))
    assert not accept.isEnabled()
    assert "relu" in dialog._says.text()


def test_f6_walks_through_the_panes(separated, qtbot):
    window = separated.window
    window.roll.canvas.setFocus()
    seen = []
    for _ in range(3):
        window.actions_["next_pane"].trigger()
        seen.append(window.focusWidget())
    assert seen[-1] is window.roll.canvas
    assert window.mixer.isAncestorOf(seen[0])
    assert seen[1] is window.jobs.method


def test_each_menu_underlines_each_letter_once(separated):
    for action in separated.window.menuBar().actions():
        letters = []
        for entry in action.menu().actions():
            text = entry.text().replace("&&", "")
            if "&" in text:
                letters.append(text[text.index("&") + 1].casefold())
        assert len(set(letters)) == len(letters), action.text()


def test_an_error_is_not_covered_by_what_comes_after(application):
    banner = application.window.roll.banner
    banner.say("error", "the project is damaged")
    banner.say("warning", "there is no sound device")
    assert banner.text.text() == "the project is damaged"
    banner.close_button.click()
    assert banner.text.text() == "there is no sound device"
    banner.close_button.click()
    assert not banner.isVisible()


def test_the_clock_stays_whole_in_the_smallest_window(piece, qtbot):
    piece.window.resize(900, 560)
    QApplication.processEvents()
    transport = piece.window.transport
    assert transport.time.width() >= transport.time.fontMetrics().horizontalAdvance("00:00.000")
    assert not transport.place.isVisible()
    assert piece.window.jobs.isVisible()
    bottom = piece.window.jobs.mapTo(piece.window, piece.window.jobs.rect().bottomLeft()).y()
    assert bottom <= piece.window.height()


def test_words_of_the_transport_are_cut_with_an_ellipsis_or_not_at_all(piece, qtbot):
    transport, long = piece.window.transport, "Waltz in D flat major, Op. 64 No. 1, played by somebody"
    for width in (900, 1000, 1280, 1600):
        piece.window.resize(width, 600)
        transport.show_title(long, edited=True)
        transport.show_stale(separated=True, stale=True)
        qtbot.waitUntil(lambda width=width: transport.width() == width)
        QApplication.processEvents()
        button = transport.decompose
        assert button.width() >= button.sizeHint().width()
        assert transport.peak.geometry().right() <= transport.width()
        assert button.geometry().right() < transport.master.geometry().left()
        if transport.title.isVisible():
            assert transport.title.text().endswith("…   •  edited")
            assert transport.title.fontMetrics().horizontalAdvance(transport.title.text()) <= transport.title.width()
            assert transport.title.toolTip() == long
    assert transport.title.isVisible()
    before = transport.decompose.width()
    transport.show_stale(separated=True, stale=False)
    QApplication.processEvents()
    assert transport.decompose.width() == before
    transport.show_title("Lied", edited=False)
    assert (transport.title.text(), transport.title.toolTip()) == ("Lied", "")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [900, 1000, 1100, 1280, 1499, 1500, 1600])
def test_the_title_can_be_read_in_every_width(piece, qtbot, width, theme):
    window = piece.window
    piece.theme.use(theme)
    score = replace(piece.document.state.score, title="Waltz in D flat major, Op. 64 No. 1")
    piece.document.restore(Loaded(replace(piece.document.state, score=score)))
    piece.document.do(commands.delete_notes(piece.document.state, [0]))
    window.resize(width, 700)
    qtbot.wait_settled(window)
    shown = [label for label in (window.transport.title, window.corner_title) if label.isVisible()]
    assert len(shown) == 1
    (label,) = shown
    assert label.text() == f"{score.title}   •  edited"
    assert label.width() >= label.whole_width
    menus = window.menuBar().actions()
    if label is window.corner_title:
        assert label.geometry().left() > window.menuBar().actionGeometry(menus[-1]).right()
        assert label.geometry().right() < width
        middles = {window.menuBar().actionGeometry(menu).center().y() for menu in menus}
        assert all(abs(label.geometry().center().y() - middle) <= 1 for middle in middles)


def test_a_title_that_is_too_long_leaves_the_menus_alone(piece, qtbot):
    window = piece.window
    score = replace(piece.document.state.score, title="A very long title " * 20)
    window.resize(900, 600)
    piece.document.restore(Loaded(replace(piece.document.state, score=score)))
    qtbot.wait_settled(window)
    bar = window.menuBar()
    assert window.corner_title.text().endswith("…")
    assert window.corner_title.toolTip() == score.title
    assert window.corner_title.geometry().left() > bar.actionGeometry(bar.actions()[-1]).right() > 0
    piece.document.restore(Loaded(State()))
    assert not window.corner_title.isVisible()
