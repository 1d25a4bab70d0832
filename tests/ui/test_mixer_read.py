"""The mixer as it is read to those who do not see it, and reached by keys."""

import math

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import names

from soli.project.state import ORIGINAL, RESIDUAL
from soli.ui.mixer import meter as meters
from soli.ui.mixer.fader import LOWEST_DB
from soli.ui.mixer.meter import Meter


def strip(app, strip_id):
    return app.window.mixer.strip_widget(strip_id)


def read(widget):
    return QAccessible.queryAccessibleInterface(widget)


def test_figures_are_read_and_not_only_what_they_are_of(separated):
    window = separated.window
    assert read(window.mixer.null).text(QAccessible.Text.Name).startswith("null −")
    assert read(window.transport.time).text(QAccessible.Text.Name) == "0:00.000"
    assert read(window.transport.time.parentWidget()).text(QAccessible.Text.Name) == "Position"


def test_strips_are_read_from_top_to_bottom(separated):
    mixer = read(separated.window.mixer)
    found = [mixer.child(i).text(QAccessible.Text.Name) for i in range(mixer.childCount())]
    assert [name for name in found if name in {"Right hand", "Left hand", "Residual", "Original"}] == [
        "Right hand",
        "Left hand",
        "Residual",
        "Original",
    ]


def test_tab_walks_all_controls_of_all_strips_in_order(separated, qtbot):
    mixer = separated.window.mixer
    expected = [control for i in (0, 1, RESIDUAL, ORIGINAL) for control in strip(separated, i).controls]
    mixer.add.setFocus()
    qtbot.waitUntil(mixer.add.hasFocus)
    seen = []
    for _ in expected:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert [w.accessibleName() for w in seen] == [w.accessibleName() for w in expected]
    assert all(w.accessibleName() for w in seen)


def test_return_asks_for_the_menu_of_a_strip(separated, qtbot):
    widget = strip(separated, RESIDUAL)
    widget.menu_requested.disconnect()
    widget.menu_button.setFocus()
    qtbot.waitUntil(widget.menu_button.hasFocus)
    with qtbot.waitSignal(widget.menu_requested) as asked:
        QTest.keyClick(widget.menu_button, Qt.Key.Key_Return)
    assert asked.args[0] == RESIDUAL


@pytest.mark.parametrize(("step", "gain_db"), [(-5, -5.0), (3, 3.0), (round(LOWEST_DB), -math.inf)])
def test_a_gain_is_read_in_decibels_and_set_by_what_reads_it(separated, qtbot, step, gain_db):
    fader = strip(separated, 0).fader
    value = read(fader).valueInterface()
    assert value.currentValue() == 0
    value.setCurrentValue(step)
    assert separated.document.state.strip(0).gain_db == gain_db
    assert names(separated) == ["set gain of Right hand"]
    assert read(fader).valueInterface().currentValue() == step
    separated.document.undo()
    assert read(fader).valueInterface().currentValue() == 0


def test_a_pan_is_read_in_percent_and_set_by_what_reads_it(separated):
    knob = strip(separated, 0).pan
    read(knob).valueInterface().setCurrentValue(-30)
    assert separated.document.state.strip(0).pan == -0.3
    assert names(separated) == ["set pan of Right hand"]


@pytest.fixture
def meter(application, monkeypatch):
    monkeypatch.setattr(meters, "TELL_EVERY_S", 0.0)
    return Meter(application.theme, about="A click clears the clip light")


def tip(meter) -> str:
    QApplication.sendEvent(meter, QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(1, 1)))
    return meter.toolTip()


@pytest.mark.qt_log_ignore("does not support raise")
def test_a_meter_says_what_it_shows(meter):
    meter.show_levels([0.5], [0.5 / math.sqrt(2)])
    assert meter.words == "peak −6.0 dBFS, RMS −9.0 dBFS"
    assert read(meter).text(QAccessible.Text.Description) == meter.words
    assert tip(meter) == "Peak −6.0 dBFS, RMS −9.0 dBFS. A click clears the clip light"
    meter.show_levels([1.2], [0.5])
    assert meter.accessibleDescription() == "peak 1.6 dBFS, RMS −6.0 dBFS; has clipped"
    QTest.mouseClick(meter, Qt.MouseButton.LeftButton)
    assert "clipped" not in meter.accessibleDescription()


def test_a_meter_in_silence_says_so(meter):
    assert meter.words == "peak −∞ dBFS, RMS −∞ dBFS"


def test_a_clip_light_is_reached_by_tab_and_put_out_by_return(separated, qtbot):
    light, before = strip(separated, 0).meter, strip(separated, 0).side
    light.show_levels([1.2], [0.4])
    before.setFocus()
    qtbot.waitUntil(before.hasFocus)
    QTest.keyClick(before, Qt.Key.Key_Tab)
    assert light.hasFocus()
    QTest.keyClick(light, Qt.Key.Key_Return)
    assert not light.clipped
    assert strip(separated, 1).solo.hasFocus()
    assert light.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert not separated.audition.ids
