"""In every state each command does something, or says why not: where it is pointed at, and when its key is pressed."""

from dataclasses import asdict, replace
from types import MappingProxyType

import pytest
import soundfile
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QMessageBox, QToolTip
from ui.conftest import small_piece

from soli.errors import InputError
from soli.progress import Progress
from soli.project import commands, pipeline
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.ui.keymap import PORTABLE
from soli.ui.safekeeping import Safekeeping


def endless(*_args, **_options):
    while True:
        yield Progress(1, 2, "Working")


def begin_with(app, state, *, chosen=()):
    app.document.restore(Loaded(state))
    app.selection.set(chosen)


def opening(app, monkeypatch, path):
    monkeypatch.setattr(pipeline, "open_recording_steps", endless)
    app.window.open_paths([path.with_suffix(".wav")])


def aligning(app, monkeypatch, _path):
    monkeypatch.setattr(pipeline, "realign_steps", endless)
    begin_with(app, small_piece(), chosen={0})
    app.session.align_again()


def first_aligning(app, monkeypatch, path):
    """The first alignment: there is a recording, and no note yet."""
    monkeypatch.setattr(pipeline, "place_score_steps", endless)
    begin_with(app, State(audio=small_piece().audio))
    app.window.open_paths([path.with_suffix(".mid")])


def decomposing(app, monkeypatch, _path):
    monkeypatch.setattr(pipeline, "separate_steps", endless)
    begin_with(app, small_piece(), chosen={0})
    app.session.decompose()


def locked(app, _monkeypatch, _path):
    begin_with(app, small_piece(), chosen={0})
    app.document.do(commands.set_layer_flags(app.document.state, 0, locked=True))


def left_out(app, _monkeypatch, _path):
    begin_with(app, small_piece(), chosen={0})
    app.document.do(commands.set_absent(app.document.state, {0}, absent=True))


def failed(app, _monkeypatch, path):
    app.window.open_paths([path.with_suffix(".txt")])


def read_only(app, monkeypatch, _path):
    monkeypatch.setattr(Safekeeping, "read_only", property(lambda _: True))
    begin_with(app, small_piece(), chosen={0})


NO_NOTES = {"notes": MappingProxyType({}), "score": None, "alignment": None, "layers": ()}
STATES = {
    "empty": lambda app, *_: begin_with(app, State()),
    "a score alone": lambda app, *_: begin_with(app, replace(small_piece(), audio=None)),
    "a recording alone": lambda app, *_: begin_with(app, replace(small_piece(), **NO_NOTES)),
    "nothing chosen": lambda app, *_: begin_with(app, small_piece()),
    "notes chosen": lambda app, *_: begin_with(app, small_piece(), chosen={0, 10}),
    "locked": locked,
    "left out": left_out,
    "opening": opening,
    "aligning for the first time": first_aligning,
    "aligning": aligning,
    "decomposing": decomposing,
    "failed": failed,
    "read-only": read_only,
}


@pytest.fixture(params=STATES)
def in_state(application, request, monkeypatch, tmp_path, qtbot):
    STATES[request.param](application, monkeypatch, tmp_path / "piece")
    yield application
    application.session.cancel()
    qtbot.waitUntil(lambda: not application.worker.busy, timeout=20_000)


def press(window, key):
    combination = QKeySequence(key, PORTABLE)[0]
    event = QKeyEvent(QEvent.Type.KeyPress, combination.key(), combination.keyboardModifiers())
    QApplication.sendEvent(window.roll.canvas, event)


def press_shortcut(window, key):
    """Ctrl and a key, as the platform would send it: to the shortcuts first."""
    QTest.keyClick(window.windowHandle(), key, Qt.KeyboardModifier.ControlModifier)


def test_what_can_do_nothing_says_why(in_state):
    window = in_state.window
    for name, action in window.actions_.all.items():
        why = action.toolTip().partition("\n")[2]
        if action.isEnabled():
            assert not why, name
            continue
        assert why, name
        assert why[0].isupper(), name
        assert len(why) < 80, name
        assert window.actions_.remark(action).endswith(why), name
        for key in window.actions_.keymap.keys(name):
            window.hint.setText("")
            press(window, key)
            assert window.hint.text() == why, (name, key)


def test_a_key_of_a_command_that_can_act_is_not_explained(piece):
    combination = QKeySequence("Ctrl+D", PORTABLE)[0]
    assert piece.window.actions_.refusal_of(combination) == ""
    begin_with(piece, State())
    assert "recording" in piece.window.actions_.refusal_of(combination)


def shown(app, asked):
    """All of the window that a command may alter."""
    window, document, listening = app.window, app.document, app.listening
    document_is = (id(document.state), len(document.history.done), len(document.history.undone), document.embeds)
    chosen = (app.selection.ids, app.selection.layer, QApplication.focusWidget(), QApplication.clipboard().text())
    heard = (listening.status.playing, listening.status.position_s, listening.loop, listening.loop_on, listening.comparing)
    heard += (listening.speed.wanted, listening.clicks.on, bool(app.audition.ids), app.audition._job)
    said = (window.hint.text(), window.roll.banner.text.text(), window.summary.text(), tuple(asked))
    checked = tuple(action.isChecked() for action in window.actions_.all.values())
    dialogs = tuple(widget for widget in QApplication.topLevelWidgets() if widget.isVisible())
    picture = window.grab().toImage()
    return (document_is, chosen, heard, said, checked, dialogs, asdict(app.settings), app.session.doing, picture)


# What is so already stays so, and is seen: the roll shows all, the mark is at the entry, the playhead is at the beginning.
STAYS = {"fit", "select_none", "select_all", "return", "stop", "full_speed", "system", "dark", "light", "snap_off"}
STAYS |= {"layers_track", "opacity_confidence", "click_medium", "count_in_0", "tool_select"}
STAYS |= {"copy"}  # the clipboard holds them already


@pytest.fixture
def asked(monkeypatch):
    """The names of the dialogs that have come; each is turned away."""
    names = []

    def turn_away(name, answer):
        return lambda *_args, **_options: names.append(name) or answer

    for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        monkeypatch.setattr(QFileDialog, name, turn_away(name, ("", "")))
    monkeypatch.setattr(QMessageBox, "about", turn_away("about", None))
    monkeypatch.setattr(QMessageBox, "question", turn_away("question", QMessageBox.StandardButton.Discard))
    monkeypatch.setattr(QDialog, "exec", turn_away("dialog", 0))
    return names


@pytest.mark.parametrize("what", ["empty", "nothing chosen", "notes chosen", "separated"])
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_what_can_act_does_something(application, what, asked, qtbot, monkeypatch, tmp_path):
    app, window = application, application.window
    STATES.get(what, STATES["notes chosen"])(app, monkeypatch, tmp_path)
    if what == "separated":
        app.session.decompose()
        qtbot.waitUntil(lambda: app.document.separation is not None and not app.worker.busy, timeout=30_000)
    state, separation, chosen = app.document.state, app.document.separation, app.selection.ids

    def settle():
        app.session.cancel()
        qtbot.waitUntil(lambda: not app.worker.busy and not app.session.decomposing, timeout=20_000)
        for widget in QApplication.topLevelWidgets():
            if widget is not window and widget.isVisible():
                widget.close()
        app.document.restore(Loaded(state), separation=separation)
        app.selection.set(chosen)
        window.roll.banner.clear()
        window.hint.setText("")
        window.roll.canvas.setFocus()
        qtbot.waitUntil(lambda: not app.worker.busy, timeout=20_000)
        QApplication.processEvents()

    silent = []
    for name, action in window.actions_.all.items():
        settle()
        if name in STAYS or name == "quit" or not action.isEnabled():
            continue
        before = shown(app, asked)
        action.trigger()
        QApplication.processEvents()
        for _ in range(100):
            if shown(app, asked) != before:
                break
            qtbot.wait(50)
        else:
            silent.append(name)
    settle()
    assert silent == []


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one has no popups to grab keys for
def test_menus_say_it_too(application, qtbot):
    menus = application.window.menuBar().findChildren(QMenu)
    decompose = application.window.actions_["decompose"]
    menu = next(menu for menu in menus if decompose in menu.actions())
    menu.popup(QPoint(100, 100))
    middle = menu.actionGeometry(decompose).center()
    QApplication.sendEvent(menu, QHelpEvent(QEvent.Type.ToolTip, middle, menu.mapToGlobal(middle)))
    assert QToolTip.text() == f"{decompose.toolTip().split(' (')[0]}\nOpen a recording first"
    menu.close()
    QToolTip.hideText()


def slow_alignment(monkeypatch):
    """Alignments that go on until the list that is returned holds something."""
    let_go, real = [], pipeline.realign_steps

    def patient(*args, **options):
        while not let_go:
            yield Progress(0, 2, "Aligning")
        return (yield from real(*args, **options))

    monkeypatch.setattr(pipeline, "realign_steps", patient)
    return let_go


def test_a_decomposition_asked_for_while_the_score_is_aligned_follows_that(piece, monkeypatch, qtbot):
    let_go, window = slow_alignment(monkeypatch), piece.window
    piece.session.align_again()
    press_shortcut(window, Qt.Key.Key_D)
    assert "as soon as the score is aligned" in window.hint.text()
    assert "as soon as the score is aligned" in window.summary.text()
    assert not piece.session.decomposing
    press_shortcut(window, Qt.Key.Key_D)
    assert "Esc stops both" in window.actions_["decompose"].toolTip()
    let_go.append(True)
    qtbot.waitUntil(lambda: piece.document.separation is not None, timeout=30_000)
    assert piece.document.separation.is_of(piece.document.state), "it knows the new alignment"
    assert "as soon as" not in window.summary.text()


def test_what_is_cancelled_or_fails_is_followed_by_nothing(piece, monkeypatch, qtbot):
    def broken(*_args, **_options):
        yield Progress(0, 2, "Aligning")
        raise InputError("this cannot be aligned")

    slow_alignment(monkeypatch)
    piece.session.align_again()
    piece.session.decompose()
    assert piece.session.doing.decomposes_next
    QTest.keyClick(piece.window.roll.canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not piece.worker.busy, timeout=20_000)
    assert not piece.session.doing.decomposes_next
    assert not piece.session.decomposing
    monkeypatch.setattr(pipeline, "realign_steps", broken)
    piece.session.align_again()
    piece.session.decompose()
    qtbot.waitUntil(lambda: not piece.worker.busy, timeout=20_000)
    assert "cannot be aligned" in piece.window.roll.banner.text.text()
    assert not piece.session.doing.decomposes_next
    assert piece.document.separation is None


def test_where_nothing_was_to_be_had_it_says_so(application, monkeypatch, qtbot, tmp_path):
    begin_with(application, State())
    soundfile.write(tmp_path / "alone.wav", small_piece().audio.samples, 8000)
    application.window.open_paths([tmp_path / "alone.wav"])
    application.window.actions_["decompose"].trigger()
    assert "as soon as everything is open" in application.window.hint.text()
    qtbot.waitUntil(lambda: "nothing to decompose" in application.window.roll.banner.text.text(), timeout=20_000)
    assert application.document.state.audio is not None


def test_the_commands_of_layers_follow_the_active_one(piece):
    actions = piece.window.actions_
    assert not actions["move_layer_up"].isEnabled()
    piece.selection.set_layer(1)
    assert actions["move_layer_up"].isEnabled()
    assert not actions["move_layer_down"].isEnabled()
