"""Gain and pan typed into a strip: what is read is what is heard, in one step that is undone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import names

from soli.project.state import RESIDUAL
from soli.ui.mixer.fader import HIGHEST_DB, LOWEST_DB, spoken_gain
from soli.ui.mixer.pan_knob import spoken_pan
from soli.ui.mixer.value_field import gain_of, pan_of


@given(st.floats(LOWEST_DB, HIGHEST_DB) | st.just(-math.inf))
def test_a_gain_is_read_as_it_is_written(gain_db):
    assert gain_of(spoken_gain(gain_db)) == pytest.approx(gain_db, abs=0.05)


@given(st.floats(-1.0, 1.0))
def test_a_pan_is_read_as_it_is_written(pan):
    assert pan_of(spoken_pan(pan)) == pytest.approx(pan, abs=0.0051)


@pytest.mark.parametrize(
    ("text", "gain_db"),
    [("-3", -3.0), (" −3,5 dB ", -3.5), ("+1.5DB", 1.5), ("90", HIGHEST_DB), ("-70", -math.inf), ("off", -math.inf)]
    + [(text, None) for text in ("", "loud", "nan", "1 2", "dB")],
)
def test_gains_are_read(text, gain_db):
    assert gain_of(text) == gain_db


@pytest.mark.parametrize(
    ("text", "pan"),
    [("l30", -0.3), ("30 L", -0.3), ("-30 %", -0.3), ("12,5", 0.125), ("R 400", 1.0), ("centre", 0.0), ("0", 0.0)]
    + [(text, None) for text in ("", "l", "l 3 r", "left", "1e2")],
)
def test_pans_are_read(text, pan):
    assert pan_of(text) == pan


@given(st.text())
def test_whatever_is_typed_is_a_value_within_the_range_or_none(text):
    gain_db, pan = gain_of(text), pan_of(text)
    assert gain_db is None or gain_db == -math.inf or LOWEST_DB <= gain_db <= HIGHEST_DB
    assert pan is None or -1.0 <= pan <= 1.0


def types(field, text, key=Qt.Key.Key_Return) -> None:
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QTest.keyClicks(field, text)
    if key is not None:
        QTest.keyClick(field, key)


@pytest.mark.parametrize("strip_id", [0, RESIDUAL])
def test_a_typed_gain_is_one_step_and_enter_gives_the_keys_back(separated, qtbot, strip_id):
    strip = separated.window.mixer.strip_widget(strip_id)
    types(strip.gain, "-4.5")
    assert separated.document.state.strip(strip_id).gain_db == -4.5
    assert strip.gain.text() == spoken_gain(-4.5)
    assert strip.fader.gain_db == -4.5
    assert names(separated) == [f"set gain of {'the residual' if strip_id == RESIDUAL else 'Right hand'}"]
    qtbot.waitUntil(separated.window.roll.canvas.hasFocus)
    separated.document.undo()
    assert strip.gain.text() == "0.0 dB"


def test_a_typed_pan_is_one_step(separated):
    strip = separated.window.mixer.strip_widget(1)
    types(strip.side, "l 30")
    assert separated.document.state.strip(1).pan == -0.3
    assert strip.side.text() == "L 30"
    assert names(separated) == ["set pan of Left hand"]


@pytest.mark.parametrize(("text", "key"), [("-4", Qt.Key.Key_Escape), ("loud", Qt.Key.Key_Return), ("0", Qt.Key.Key_Return)])
def test_what_is_given_up_or_no_value_or_no_change_leaves_all_as_it_was(separated, qtbot, text, key):
    field = separated.window.mixer.strip_widget(0).gain
    types(field, text, key)
    assert field.text() == "0.0 dB"
    assert not names(separated)
    qtbot.waitUntil(separated.window.roll.canvas.hasFocus)


def test_going_elsewhere_takes_over_what_was_typed(separated, qtbot):
    field = separated.window.mixer.strip_widget(0).gain
    types(field, "-4", key=None)
    separated.window.roll.canvas.setFocus()
    qtbot.waitUntil(lambda: separated.document.state.strip(0).gain_db == -4.0)


def test_keys_of_the_window_are_typed_and_do_nothing_else_meanwhile(separated):
    field = separated.window.mixer.strip_widget(0).gain
    types(field, "-l1s", key=None)
    assert field.text() == "-l1s"
    assert not separated.listening.loop_on
    QTest.keyClick(field, Qt.Key.Key_Escape)


def test_a_strip_that_is_not_heard_says_its_gain_faintly(separated):
    mixer = separated.window.mixer
    mixer.solo_only(0)
    assert [bool(mixer.strip_widget(i).gain.property("silent")) for i in (0, 1)] == [False, True]
    mixer.solo_only(0)
    assert not mixer.strip_widget(1).gain.property("silent")
