"""What somebody who knows other editors tries first, each with the events that the platform sends."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from soli.project.pipeline import Loaded

CTRL, SHIFT, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


def idle(qtbot, piece):
    qtbot.waitUntil(lambda: not piece.session.opening and not piece.session.decomposing and not piece.worker.busy)


def pinch(canvas, x, value):
    at = QPointF(x, 100.0)
    device = QPointingDevice.primaryPointingDevice()
    kind = Qt.NativeGestureType.ZoomNativeGesture
    QApplication.sendEvent(canvas, QNativeGestureEvent(kind, device, 2, at, at, canvas.mapToGlobal(at), value, QPointF()))


def test_a_key_loops_the_selection_and_another_turns_the_loop_off(piece, canvas):
    piece.selection.set({1, 3})
    canvas.setFocus()
    QTest.keyClick(piece.window, Qt.Key.Key_BracketRight)
    notes = piece.document.state.notes
    assert piece.listening.loop == pytest.approx((notes[1].onset_s, notes[3].sounding_offset_s))
    assert piece.listening.loop_on
    QTest.keyClick(piece.window, Qt.Key.Key_L)
    assert not piece.listening.loop_on
    assert piece.listening.loop is not None


def test_shift_click_extends_the_selection_to_the_note(piece, canvas, place, hand):
    notes = piece.document.state.notes

    def middle(i):
        return place((notes[i].onset_s + notes[i].offset_s) / 2, notes[i].pitch)

    hand(canvas).click(*middle(1))
    hand(canvas).click(*middle(4), keys=SHIFT)
    assert {1, 2, 3, 4} <= piece.selection.ids
    assert not piece.selection.ids & {0, 5}
    hand(canvas).click(*middle(2), keys=CTRL)
    assert 2 not in piece.selection.ids


def test_all_of_a_pitch_and_all_of_a_layer_by_one_key(piece, canvas):
    notes = piece.document.state.notes
    piece.selection.set({11})
    canvas.setFocus()
    QTest.keyClick(piece.window, Qt.Key.Key_P, SHIFT)
    assert piece.selection.ids == {i for i, n in notes.items() if n.pitch == notes[11].pitch}
    QTest.keyClick(piece.window, Qt.Key.Key_L, SHIFT)
    assert piece.selection.ids == {i for i, n in notes.items() if n.layer == 1}


def test_a_pinch_zooms_at_the_fingers_and_one_that_closes_at_once_does_no_harm(piece, canvas):
    view = canvas.view
    time_s, span_s = view.time_at(300), view.span_s
    pinch(canvas, 300, 0.25)
    assert view.span_s == pytest.approx(span_s / 1.25)
    assert view.time_at(300) == pytest.approx(time_s)
    view.show(1.0, 2.0, 50, 60)
    span_s = view.span_s
    for value in (-1.0, -3.0):
        pinch(canvas, 300, value)
    assert span_s < view.span_s < 1000


def test_parts_of_a_notch_add_up_to_one(piece, canvas, hand):
    view = canvas.view
    hand(canvas).wheel(300, 100, 1, keys=CTRL)
    whole = view.span_s
    hand(canvas).wheel(300, 100, -1, keys=CTRL)
    for _ in range(8):
        hand(canvas).wheel(300, 100, 1 / 8, keys=CTRL)
    assert view.span_s == pytest.approx(whole)


def test_the_page_turns_with_the_playhead_and_stays_where_the_user_looks(piece):
    roll = piece.window.roll
    roll.view.show(0.0, 1.0, 44, 72)
    roll.set_playhead(0.9, follow=True)
    roll.set_playhead(1.05, follow=True)
    assert roll.view.start_s <= 1.05 <= roll.view.end_s
    roll.view.show(2.5, 3.5, 44, 72)
    elsewhere_s = roll.view.start_s
    assert elsewhere_s > 2.0
    for time_s in (1.1, 1.15, 1.2):
        roll.set_playhead(time_s, follow=True)
    assert roll.view.start_s == elsewhere_s, "who looks elsewhere is not called back"
    roll.set_playhead(0.1, follow=True)
    assert roll.view.start_s <= 0.1 <= roll.view.end_s, "what jumps is gone to"
    roll.view.show(2.5, 3.5, 44, 72)
    roll.set_playhead(0.2, follow=False)
    assert roll.view.start_s == elsewhere_s
    roll.set_playhead(0.2, follow=True)
    assert roll.view.start_s <= 0.2 <= roll.view.end_s, "what starts is gone to"


def test_a_layer_is_made_named_hidden_and_locked_by_keys_alone(piece, canvas):
    window = piece.window
    piece.selection.set({2, 11})
    canvas.setFocus()
    QTest.keyClick(window, Qt.Key.Key_L, CTRL)
    QTest.keyClicks(window.focusWidget(), "Wrong notes")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    made = piece.document.state.layers[-1]
    assert made.name == "Wrong notes"
    assert {n.id for n in piece.document.state.notes.values() if n.layer == made.id} == {2, 11}
    piece.selection.set_layer(made.id)
    canvas.setFocus()
    QTest.keyClick(window, Qt.Key.Key_K, SHIFT)
    QTest.keyClick(window, Qt.Key.Key_H, SHIFT)
    assert piece.document.state.layer(made.id).locked
    assert piece.document.state.layer(made.id).hidden
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    piece.selection.set({2, 11})
    QTest.keyClick(window, Qt.Key.Key_1, ALT)
    assert all(n.layer != made.id for n in piece.document.state.notes.values())


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("a.mid", "MIDI (*.mid)"),
        ("a.csv", "List of notes, FMP notebooks (*.csv)"),
        ("b.csv", "List of notes, Sonic Visualiser (*.csv)"),
    ],
)
def test_edited_notes_that_were_exported_come_back_as_the_roll_showed_them(piece, qtbot, tmp_path, monkeypatch, name, chosen):
    state = piece.document.state
    held = replace(state.notes[2], pedal_s=state.notes[2].offset_s + 0.3)
    piece.document.restore(Loaded(replace(state, notes=MappingProxyType({**state.notes, 2: held}))))
    piece.selection.set({0, 4})
    piece.window.roll.canvas.setFocus()
    QTest.keyClick(piece.window.roll.canvas, Qt.Key.Key_Up)

    def shown():
        notes = piece.document.state.notes.values()
        return sorted((round(n.onset_s, 3), round(n.sounding_offset_s, 3), n.pitch, n.velocity) for n in notes)

    before = shown()
    assert piece.document.history.done
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), chosen))
    piece.window.actions_["export_notes"].trigger()
    idle(qtbot, piece)
    piece.document.restore(
        Loaded(replace(piece.document.state, audio=None, notes=MappingProxyType({}), score=None, alignment=None))
    )
    piece.window.open_paths([tmp_path / name])
    idle(qtbot, piece)
    qtbot.waitUntil(lambda: len(piece.document.state.notes) == len(before))
    for mine, theirs in zip(shown(), before, strict=True):
        assert mine == pytest.approx(theirs, abs=1.01 if name.endswith(".csv") else 2e-3)
        assert mine[:3] == pytest.approx(theirs[:3], abs=2e-3)
