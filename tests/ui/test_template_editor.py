"""Limits of a pitch's template: chosen by numbers or by dragging, one named step each, heard once the layers follow."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import names

from soli.decompose.constraints import Kind
from soli.decompose.template_limit import TemplateLimit
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.score.notes import DRUM_CHANNEL


@pytest.fixture
def editor(piece, qtbot):
    """The drawer open at the template of E4, the pitch of the melody's first note."""
    piece.selection.set({0})
    piece.window.actions_["drawer_template"].trigger()
    qtbot.waitUntil(piece.window.template_editor.isVisible)
    return piece.window.template_editor


def limits(piece):
    return dict(piece.document.state.template_limits)


def test_the_drawer_shows_the_template_of_the_selected_pitch(piece, editor):
    assert editor.heading.text() == "Template of E4"
    assert editor.pitch.text() == "E4"
    assert editor.harmonics.text() == editor.width_cents.text() == "auto"
    piece.selection.set({10})
    assert editor.heading.text() == "Template of C3"
    piece.selection.set({0, 10})
    assert editor.heading.text() == "Template of C3", "two pitches have no one template"
    editor.pitch.stepUp()
    assert editor.heading.text() == "Template of C♯3"


def test_the_boxes_limit_it_in_named_steps(piece, editor):
    before = limits(piece)
    QTest.keyClick(editor.harmonics, Qt.Key.Key_Up)
    QTest.keyClick(editor.harmonics, Qt.Key.Key_Up)
    QTest.keyClick(editor.harmonics, Qt.Key.Key_Up)
    QTest.keyClick(editor.width_cents, Qt.Key.Key_Up)
    assert limits(piece) == {64: TemplateLimit(3, 10)}
    assert names(piece) == ["limit template of E4", "limit template of E4"], "the steps of one box are one step of history"
    piece.document.undo()
    assert limits(piece) == {64: TemplateLimit(3, None)}
    assert editor.width_cents.text() == "auto"
    editor.free.click()
    assert limits(piece) == before
    assert names(piece)[-1] == "free template of E4"
    assert not editor.free.isEnabled()
    while piece.document.history.last:
        piece.document.undo()
    assert limits(piece) == before


def test_typing_a_number_is_one_step(piece, editor):
    editor.harmonics.setFocus()
    editor.harmonics.selectAll()
    QTest.keyClicks(editor.harmonics, "12")
    QTest.keyClick(editor.harmonics, Qt.Key.Key_Return)
    assert limits(piece) == {64: TemplateLimit(12, None)}
    assert len(names(piece)) == 1


def test_dragging_the_edge_of_a_partial_widens_all(piece, editor, hand):
    view = editor.view
    y = view.height() / 2
    start, (_, right) = view.edge_px(6)[1], view.edge_px(8)
    assert not piece.document.history.done
    mouse = hand(view)
    mouse.move(start, y)
    assert view.cursor().shape() == Qt.CursorShape.SizeHorCursor
    mouse.press(start, y)
    mouse.move(start + 6, y, button=Qt.MouseButton.LeftButton)
    assert view.dragging
    assert not piece.document.history.done, "a drag is one step, when it is done"
    assert editor.width_cents.chosen is not None
    wide = editor.width_cents.chosen
    mouse.release(start + 6, y)
    assert limits(piece) == {64: TemplateLimit(None, wide)}
    assert wide > 40
    assert view.edge_px(8)[1] > right + 2
    assert names(piece) == ["limit template of E4"]
    edge = view.edge_px(8)[1]
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(edge), round(y)))
    assert limits(piece) == {}


def test_escape_gives_a_drag_up(piece, editor, hand):
    view = editor.view
    x, y = view.edge_px(6)[1], view.height() / 2
    mouse = hand(view)
    mouse.press(x, y)
    view.setFocus()
    mouse.move(x + 8, y, button=Qt.MouseButton.LeftButton)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    mouse.release(x + 8, y)
    assert not piece.document.history.done
    assert editor.width_cents.text() == "auto"


def test_the_bars_in_the_side_lead_to_the_editor(separated, qtbot):
    separated.window.resize(1280, 1000)
    separated.selection.set({0})
    qtbot.waitUntil(separated.window.template.isVisible)
    QTest.mouseDClick(separated.window.template.bars, Qt.MouseButton.LeftButton)
    assert separated.window.template_editor.isVisible()
    assert separated.window.template_editor.heading.text() == "Template of E4"


def test_the_layers_follow_a_limit(separated, qtbot):
    document, editor = separated.document, separated.window.template_editor
    separated.selection.set({0})
    separated.window.actions_["drawer_template"].trigger()
    former = document.separation
    document.do(commands.limit_template(document.state, [64], TemplateLimit(2, 40.0)))
    assert document.stale
    qtbot.waitUntil(lambda: document.separation is not former and not document.stale, timeout=20_000)
    factors = document.separation.factors
    tones = (factors.components.pitch == 64) & (factors.components.kind == Kind.SUSTAIN)
    hertz = factors.grid.frequencies_hz()
    assert factors.W[hertz > 2.7 * 329.6][:, tones].max() == 0
    assert factors.W[:, tones].sum() > 0
    shown = editor.view._spectrum
    assert np.asarray(shown.learnt)[hertz > 2.7 * 329.6].max() == 0
    assert shown.harmonics == 2
    assert not editor.grab().isNull()


def test_without_a_recording_there_is_nothing_to_limit(application, qtbot):
    application.window.actions_["drawer_template"].trigger()
    editor = application.window.template_editor
    assert not editor.harmonics.isEnabled()
    assert not editor.free.isEnabled()
    assert not editor.grab().isNull()


def choose(widget, x, y, pick=""):
    """Open the context menu at a point, pick the entry that begins with `pick`, and say what it offered."""
    texts = []

    def answer():
        menu = QApplication.activePopupWidget()
        if menu is None:
            QTimer.singleShot(5, answer)
            return
        chosen = None
        for action in menu.actions():
            texts.append(action.text())
            if pick and action.text().startswith(pick):
                chosen = action
        menu.close()
        if chosen is not None:
            chosen.trigger()

    QTimer.singleShot(5, answer)
    at = QPoint(round(x), round(y))
    QApplication.sendEvent(widget, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at)))
    return texts


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one has no popups to grab keys for
def test_a_piano_key_leads_to_its_template_and_bears_a_mark(piece, canvas, place):
    keyboard, document = piece.window.roll.keyboard, piece.document
    y = place(1.0, 60)[1]
    assert choose(keyboard, 20, y, "Template of C4") == ["Select all notes of C4", "Template of C4…"]
    assert piece.window.drawer.page == 4
    assert piece.window.template_editor.heading.text() == "Template of C4"
    plain = keyboard.grab().toImage()
    document.do(commands.limit_template(document.state, [60], TemplateLimit(5)))
    marked = keyboard.grab().toImage()
    at = (7, round(canvas.view.edge_of(60.0)))
    assert plain.pixelColor(*at) != marked.pixelColor(*at)
    choose(keyboard, 20, canvas.view.edge_of(60.0), "No limits")
    assert limits(piece) == {}
    assert keyboard.grab().toImage().pixelColor(*at) == plain.pixelColor(*at)
    assert not piece.selection.ids


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one has no popups to grab keys for
def test_a_note_leads_to_the_template_of_its_pitch(piece, canvas, place):
    choose(canvas, *place(0.9, 65), "Template of F4")
    assert piece.window.template_editor.heading.text() == "Template of F4"
    piece.selection.set(())
    assert not any(text.startswith("Template") for text in choose(canvas, *place(3.6, 71)))


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one has no popups to grab keys for
def test_a_key_selects_all_notes_of_its_pitch_from_the_menu_too(piece, canvas, place):
    choose(piece.window.roll.keyboard, 20, place(1.0, 65)[1], "Select all notes")
    assert piece.selection.ids == {1}


def test_a_limit_that_lies_beyond_the_boxes_is_kept_until_it_is_altered(piece, editor):
    wide = replace(piece.document.state, template_limits=MappingProxyType({64: TemplateLimit(80, 300.0)}))
    piece.document.restore(Loaded(wide))
    editor.show_pitch(64)
    assert limits(piece) == {64: TemplateLimit(80, 300.0)}
    assert (editor.harmonics.value(), editor.width_cents.value()) == (50, 100)


def test_without_a_pitch_there_is_a_dash(piece, qtbot):
    piece.window.actions_["drawer_template"].trigger()
    editor = piece.window.template_editor
    qtbot.waitUntil(editor.isVisible)
    assert editor.pitch.text() == "–"
    assert not editor.pitch.isEnabled()
    piece.selection.set({0})
    assert editor.pitch.text() == "E4"
    editor.show_pitch(0)
    assert editor.pitch.text() == "C-1"
    piece.document.restore(Loaded(State()))
    assert editor.pitch.text() == "–"


def test_a_drum_has_a_spectrum_but_nothing_to_limit(separated, editor, qtbot):
    state = separated.document.state
    drums = {i: replace(n, channel=DRUM_CHANNEL) if n.pitch == 64 else n for i, n in state.notes.items()}
    separated.document.restore(Loaded(replace(state, notes=MappingProxyType(drums))))
    separated.session.decompose()
    qtbot.waitUntil(lambda: separated.document.separation is not None and not separated.session.decomposing)
    separated.selection.set(())
    separated.selection.set({0})
    assert editor.heading.text() == "Template of the drum at E4"
    assert not editor.harmonics.isEnabled()
    assert not editor.width_cents.isEnabled()
    assert editor.view._spectrum.learnt is not None
    assert "no partials" in editor.view.accessibleName()
    assert separated.window.template.heading.text().endswith("drum")
    assert "no harmonics" in separated.window.template.bars.accessibleName()
    editor.view.grab()  # paints, and finds no edge to hold, without a warning
    QTest.mouseMove(editor.view, editor.view.rect().center())
    separated.selection.set({1})
    assert editor.harmonics.isEnabled()
