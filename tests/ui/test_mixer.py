"""Strips, faders and meters: what is clicked is in the document and in the player, and can be undone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from soli.project.state import ORIGINAL, RESIDUAL
from soli.ui.mixer.fader import HIGHEST_DB, LOWEST_DB, gain_at, position_of


@given(st.floats(LOWEST_DB + 1.0, HIGHEST_DB))
def test_a_fader_place_and_its_gain_are_inverse(gain_db):
    assert gain_at(position_of(gain_db)) == pytest.approx(gain_db, abs=0.02)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_fader_farther_right_is_never_quieter(one, other):
    low, high = sorted((one, other))
    assert gain_at(low) <= gain_at(high)
    assert gain_at(0.0) == -math.inf


def strip(app, strip_id):
    return app.window.mixer.strip_widget(strip_id)


def heard(app):
    """What the player was told: the ids of the strips that sound."""
    from soli.playback.mixer import channel_gains

    gains = channel_gains(app.listening._strips(app.listening.channels))
    return {i for i, row in zip(app.listening.channels, gains, strict=True) if np.any(row > 0)}


def test_before_a_decomposition_the_original_is_heard(piece):
    assert piece.listening.channels == (ORIGINAL,)
    assert heard(piece) == {ORIGINAL}
    assert not strip(piece, 0).solo.isEnabled()


def test_after_it_the_layers_and_the_residual_are(separated):
    assert separated.listening.channels == (0, 1, RESIDUAL, ORIGINAL)
    assert heard(separated) == {0, 1, RESIDUAL}
    assert separated.window.mixer.null.text().startswith("null −")


def test_solo_and_mute_by_mouse_are_undone(separated, qtbot):
    qtbot.mouseClick(strip(separated, 1).solo, Qt.MouseButton.LeftButton)
    assert heard(separated) == {1}
    assert separated.window.roll.canvas.audible.silent == {0}
    qtbot.mouseClick(strip(separated, 1).mute, Qt.MouseButton.LeftButton)
    assert heard(separated) == set()
    assert [edit.name for edit in separated.document.history.done] == ["solo Left hand", "mute Left hand"]
    separated.document.undo()
    separated.document.undo()
    assert heard(separated) == {0, 1, RESIDUAL}
    assert not strip(separated, 1).solo.isChecked()


def test_hearing_only_one_and_all_but_one(separated):
    separated.window.mixer.solo_only(0)
    assert heard(separated) == {0}
    separated.window.mixer.solo_only(0)
    assert heard(separated) == {0, 1, RESIDUAL}
    separated.window.mixer.all_but(0)
    assert heard(separated) == {1, RESIDUAL}


def test_compare_hears_the_original_alone_and_comes_back(separated):
    separated.window.actions_["compare"].trigger()
    assert heard(separated) == {ORIGINAL}
    separated.window.actions_["compare"].trigger()
    assert heard(separated) == {0, 1, RESIDUAL}
    assert not separated.document.history.done


def test_dragging_a_fader_is_one_step_and_double_click_resets(separated, hand):
    fader = strip(separated, 0).fader
    middle = fader.height() / 2
    hand(fader).drag((fader._x(position_of(0.0)), middle), (fader._x(position_of(-20.0)), middle), steps=12)
    assert separated.document.state.strip(0).gain_db == pytest.approx(-20, abs=0.5)
    assert [edit.name for edit in separated.document.history.done] == ["set gain of Right hand"]
    assert strip(separated, 0).gain.text().startswith("−")
    separated.document.undo()
    assert fader.gain_db == 0.0
    QTest.keyClick(fader, Qt.Key.Key_Right)
    assert separated.document.state.strip(0).gain_db == 0.5
    QTest.mouseDClick(fader, Qt.MouseButton.LeftButton)
    assert separated.document.state.strip(0).gain_db == 0.0


def test_a_layer_is_renamed_recoloured_and_merged(piece, qtbot):
    widget = strip(piece, 0)
    widget.name.edit()
    widget.name.setText("Melody")
    QTest.keyClick(widget.name, Qt.Key.Key_Return)
    assert piece.document.state.layer(0).name == "Melody"
    piece.window.mixer.menus.recolour(0, "#123456")
    assert piece.document.state.layer(0).colour == "#123456"
    piece.window.mixer.menus.merge(1, 0)
    assert [layer.id for layer in piece.document.state.layers] == [0]
    assert {n.layer for n in piece.document.state.notes.values()} == {0}
    while piece.document.history.last:
        piece.document.undo()
    assert [layer.name for layer in piece.document.state.layers] == ["Right hand", "Left hand"]
    assert strip(piece, 1).caption.text() == "3 notes"


def test_selected_notes_go_to_another_layer_by_key_and_to_a_new_one(piece, canvas):
    piece.selection.set({0, 1})
    piece.window.actions_.assign[1].trigger()
    assert {piece.document.state.notes[i].layer for i in (0, 1)} == {1}
    piece.window.actions_["new_layer"].trigger()
    new = piece.document.state.layers[-1]
    assert {piece.document.state.notes[i].layer for i in (0, 1)} == {new.id}
    assert strip(piece, new.id).caption.text() == "2 notes"


def test_meters_move_with_the_music(separated, qtbot):
    separated.listening.toggle_play()
    meters = strip(separated, 0).meter, separated.window.transport.master
    qtbot.waitUntil(lambda: all(meter.held_db > -40 for meter in meters), timeout=20_000)
    separated.listening.toggle_play()
    qtbot.waitUntil(lambda: not separated.listening.status.playing, timeout=20_000)


def test_every_control_of_a_strip_has_a_name_for_screen_readers(separated):
    for strip_id in (0, 1, RESIDUAL, ORIGINAL):
        widget = strip(separated, strip_id)
        names = [c.accessibleName() for c in (widget.solo, widget.mute, widget.fader, widget.meter, widget.menu_button)]
        assert all(names)
        assert len(set(names)) == len(names)


def test_layers_that_came_after_the_run_claim_none_of_its_sound(separated):
    separated.session.split_layers("pitch:66")
    for layer in separated.document.state.layers:
        assert not strip(separated, layer.id).solo.isEnabled(), layer.name
        assert "not separated yet" in strip(separated, layer.id).caption.text()
    separated.document.undo()
    assert strip(separated, 0).solo.isEnabled()


def test_escape_gives_a_name_back(piece):
    widget = strip(piece, 0)
    widget.name.edit()
    widget.name.setText("zzz")
    QTest.keyClick(widget.name, Qt.Key.Key_Escape)
    assert piece.document.state.layer(0).name == "Right hand"
    assert widget.name.text() == "Right hand"
    assert widget.name.isReadOnly()


def test_a_wheel_that_passes_by_changes_nothing(separated, hand):
    hand(strip(separated, 0).fader).wheel(5, 5, 2)
    hand(separated.window.jobs.method).wheel(5, 5, 2)
    assert not separated.document.history.done


def test_strips_are_walked_and_pressed_by_keys(separated):
    separated.window.mixer.focus_active()
    first = strip(separated, 0).solo
    assert separated.window.focusWidget() is first
    QTest.keyClick(first, Qt.Key.Key_Return)
    assert separated.document.state.strip(0).soloed
    QTest.keyClick(first, Qt.Key.Key_Down)
    assert separated.window.focusWidget() is strip(separated, 1).solo
    assert separated.selection.layer == 1


def test_the_instrument_of_a_layer_is_chosen_and_undone(piece):
    piece.window.mixer.menus.set_program(0, 73, "Flute")
    programs = {n.layer: n.program for n in piece.document.state.notes.values()}
    assert programs == {0: 73, 1: 0}
    assert piece.window.actions_["undo"].text() == "&Undo set instrument to Flute"
    piece.document.undo()
    assert {n.program for n in piece.document.state.notes.values()} == {0}
