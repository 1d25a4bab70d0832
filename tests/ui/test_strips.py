"""Pan, flags, order and reset gestures of the strips, by mouse and by keys; each gesture is one step that undo takes back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from soli.playback.mixer import channel_gains
from soli.project import commands
from soli.project.document import _same
from soli.project.state import ORIGINAL, RESIDUAL
from soli.ui.mixer.pan_knob import spoken_pan

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def strip(app, strip_id):
    return app.window.mixer.strip_widget(strip_id)


def gains(app):
    strips = channel_gains(app.listening._strips(app.listening.channels))
    return dict(zip(app.listening.channels, strips.tolist(), strict=True))


def steps(app):
    return [edit.name for edit in app.document.history.done]


@given(st.floats(-1, 1))
def test_a_pan_is_read_out_on_its_side(pan):
    words = spoken_pan(pan)
    assert words == "C" if round(100 * pan) == 0 else words == f"{'L' if pan < 0 else 'R'} {round(100 * abs(pan))}"


def test_dragging_the_pan_is_one_step_heard_at_once_and_undone(separated, hand):
    first, knob = separated.document.state, strip(separated, 0).pan
    hand(knob).drag((11, 11), (11 + 45, 11), steps=9)
    assert separated.document.state.strip(0).pan == pytest.approx(0.5)
    assert strip(separated, 0).side.text() == "R 50"
    left, right = gains(separated)[0]
    assert right > left > 0
    assert steps(separated) == ["set pan of Right hand"]
    separated.document.undo()
    assert _same(separated.document.state, first)
    assert strip(separated, 0).side.text() == "C"


def test_a_pan_is_dragged_finely_and_centred(separated, hand):
    knob = strip(separated, 1).pan
    hand(knob).drag((11, 11), (11 - 45, 11), keys=CTRL)
    assert separated.document.state.strip(1).pan == pytest.approx(-0.05)
    QTest.mouseDClick(knob, LEFT)
    assert separated.document.state.strip(1).pan == 0.0
    hand(knob).drag((11, 11), (11, -400))
    assert separated.document.state.strip(1).pan == 1.0
    hand(knob).click(11, 11, keys=Qt.KeyboardModifier.ShiftModifier)
    assert separated.document.state.strip(1).pan == 0.0


def test_pan_and_gain_by_keys_are_steps_of_their_own(separated):
    separated.selection.set({0})  # Return would play it
    widget = strip(separated, 0)
    widget.pan.setFocus()
    for _ in range(3):
        QTest.keyClick(widget.pan, Qt.Key.Key_Right)
    QTest.keyClick(widget.pan, Qt.Key.Key_Left, CTRL)
    assert separated.document.state.strip(0).pan == pytest.approx(0.14)
    widget.fader.setFocus()
    QTest.keyClick(widget.fader, Qt.Key.Key_Down)
    QTest.keyClick(widget.fader, Qt.Key.Key_Down, CTRL)
    assert separated.document.state.strip(0).gain_db == pytest.approx(-0.6)
    assert steps(separated) == ["set pan of Right hand", "set gain of Right hand"]
    QTest.keyClick(widget.fader, Qt.Key.Key_Return)
    QTest.keyClick(widget.pan, Qt.Key.Key_Return)
    assert (separated.document.state.strip(0).gain_db, separated.document.state.strip(0).pan) == (0.0, 0.0)
    assert not separated.audition.ids


def test_a_wheel_that_passes_by_pans_nothing(separated, hand):
    hand(strip(separated, 0).pan).wheel(5, 5, 2)
    assert not separated.document.history.done
    strip(separated, 0).pan.setFocus()
    hand(strip(separated, 0).pan).wheel(5, 5, 2)
    assert separated.document.state.strip(0).pan == pytest.approx(0.1)


def test_eye_and_padlock_are_clicked_and_undone(piece, qtbot):
    first, widget = piece.document.state, strip(piece, 1)
    qtbot.mouseClick(widget.eye, LEFT)
    assert piece.document.state.hidden_layers == {1}
    assert set(piece.window.roll.canvas.field.notes.layer.tolist()) == {0}
    qtbot.mouseClick(widget.lock, LEFT)
    assert piece.document.state.locked_layers == {1}
    assert piece.document.state.hidden_layers == {1}
    assert steps(piece) == ["hide Left hand", "lock Left hand"]
    piece.document.undo()
    piece.document.undo()
    assert _same(piece.document.state, first)
    assert not widget.eye.isChecked()
    assert not widget.lock.isChecked()


def test_only_layers_can_be_hidden_or_locked(separated):
    for strip_id in (RESIDUAL, ORIGINAL):
        assert not strip(separated, strip_id).eye.isVisible()
        assert not strip(separated, strip_id).lock.isVisible()
    for strip_id in (0, 1):
        widget = strip(separated, strip_id)
        names = [c.accessibleName() for c in (widget.eye, widget.lock, widget.pan)]
        assert all(names)
        assert all(c.toolTip() for c in (widget.eye, widget.lock, widget.pan))


def test_all_but_this_and_only_this_are_one_click(separated):
    for button, silent in (("mute", {0}), ("solo", {1})):
        hit = getattr(strip(separated, 0), button)
        QTest.mouseClick(hit, LEFT, CTRL)
        assert separated.window.roll.canvas.audible.silent == silent
        separated.document.undo()
        assert separated.window.roll.canvas.audible.silent == frozenset()


def drag_head(app, strip_id, to, *, steps=8, let_go=True):
    """Drag the head of a strip to a point of the mixer."""
    widget = strip(app, strip_id)
    start = QPoint(widget.width() // 2, 4)
    end = widget.mapFromGlobal(app.window.mixer.mapToGlobal(to))
    QTest.mousePress(widget, LEFT, pos=start)
    for i in range(1, steps + 1):
        QTest.mouseMove(widget, start + (end - start) * i / steps)
        QApplication.processEvents()
    if let_go:
        QTest.mouseRelease(widget, LEFT, pos=end)


def test_a_strip_dragged_by_its_head_goes_to_another_place(piece):
    first = piece.document.state
    below = strip(piece, 1).geometry()
    drag_head(piece, 0, below.center() + QPoint(0, 20))
    assert [layer.id for layer in piece.document.state.layers] == [1, 0]
    QApplication.processEvents()
    assert strip(piece, 1).y() < strip(piece, 0).y()
    assert steps(piece) == ["move layer Right hand"]
    piece.document.undo()
    assert _same(piece.document.state, first)


def test_escape_puts_a_dragged_strip_back_and_a_short_way_moves_nothing(piece):
    order = piece.window.mixer._order
    drag_head(piece, 0, strip(piece, 1).geometry().center() + QPoint(0, 20), let_go=False)
    assert order.line.isVisible()
    QTest.keyClick(strip(piece, 0), Qt.Key.Key_Escape)
    assert not order.line.isVisible()
    QTest.mouseRelease(strip(piece, 0), LEFT)
    drag_head(piece, 0, strip(piece, 0).geometry().center())
    assert not piece.document.history.done
    assert piece.window.focusWidget() is piece.window.roll.canvas


def test_clipping_lights_up_until_it_is_clicked(separated):
    meter = strip(separated, 0).meter
    meter.show_levels([1.2], [0.4])
    meter.show_levels([0.1], [0.05])
    assert meter.clipped
    assert meter.accessibleDescription().endswith("has clipped")
    QTest.mouseClick(meter, LEFT)
    assert not meter.clipped
    assert "clipped" not in meter.accessibleDescription()


def test_the_bar_says_whether_mix_or_original_is_heard(separated, qtbot):
    switch = separated.window.transport.compare
    assert (switch.mix.isChecked(), switch.original.isChecked()) == (True, False)
    qtbot.mouseClick(switch.original, LEFT)
    assert separated.listening.comparing
    assert (switch.mix.isChecked(), switch.original.isChecked()) == (False, True)
    qtbot.mouseClick(switch.original, LEFT)
    assert separated.listening.comparing
    assert switch.original.isChecked()
    qtbot.mouseClick(switch.mix, LEFT)
    assert not separated.listening.comparing
    QTest.keyClick(separated.window, Qt.Key.Key_A)
    assert switch.original.isChecked()


def test_without_a_mix_there_is_nothing_to_compare(piece):
    switch = piece.window.transport.compare
    assert not switch.mix.isEnabled()
    assert not switch.mix.isChecked()
    assert not switch.original.isChecked()


def test_the_original_is_compared_as_loud_as_the_mix(separated, qtbot):
    state = separated.document.state
    strips = {i: replace(state.strip(i), gain_db=-12.0) for i in (0, 1, RESIDUAL)}
    separated.document.do(commands.set_strips(state, strips, "quieter"))
    separated.window.actions_["compare"].trigger()
    # It is weighed beside the window, and soon.
    qtbot.waitUntil(lambda: gains(separated)[ORIGINAL] == pytest.approx([10 ** (-12 / 20)] * 2, rel=0.02), timeout=20_000)
    heard = gains(separated)
    assert not any(np.any(heard[i]) for i in (0, 1, RESIDUAL))
    separated.window.actions_["compare"].trigger()
    assert 20 * math.log10(gains(separated)[0][0]) == pytest.approx(-12)


def test_sixteen_layers_are_reached_in_a_small_window(piece, qtbot):
    for number in range(14):
        piece.document.do(commands.add_layer(piece.document.state, f"Layer {number}"))
    piece.window.resize(900, 560)
    piece.window.show()
    QApplication.processEvents()
    mixer = piece.window.mixer
    assert all(widget.height() < 75 for widget in mixer.layer_strips)
    assert all(widget.eye.isVisible() and not widget.caption.isVisible() for widget in mixer.layer_strips)
    last = mixer.layer_strips[-1]
    area = last.parentWidget().parentWidget().parentWidget()
    piece.selection.set_layer(last.id)
    mixer.focus_active()
    QApplication.processEvents()
    assert not last.visibleRegion().isEmpty()
    assert area.width() >= last.width()
    assert not piece.window.jobs.plot.isVisible()  # the strips are worth more in a low window
    piece.window.resize(900, 800)
    QApplication.processEvents()
    assert all(widget.eye.isVisible() and widget.caption.isVisible() for widget in mixer.layer_strips)
    assert piece.window.jobs.plot.isVisible()
