"""Any group of notes can be a layer: all that have something in common with a note are two clicks away."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.states import states
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication
from ui.conftest import small_piece

from soli.project import commands
from soli.project.document import _same
from soli.project.pipeline import Loaded
from soli.ui.alike import COMMON, alike, unsure


@settings(max_examples=60, deadline=None)
@given(state=states(), data=st.data())
def test_what_is_alike_shares_it_and_nothing_shown_is_missed(state, data):
    ids = data.draw(st.sets(st.sampled_from(sorted(state.notes)))) if state.notes else set()
    what = data.draw(st.sampled_from(sorted(COMMON)))
    found, of = alike(state, ids, what), COMMON[what]
    assert ids <= found
    wanted = {of(state.notes[i]) for i in ids}
    for i, note in state.notes.items():
        shown = note.layer not in state.hidden_layers
        assert (i in found) == (i in ids or (shown and of(note) in wanted))


# The offscreen platform has no popups to grab keys for.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def chosen(piece, canvas):
    """Right-clicks a note and chooses an entry of a submenu of what opens."""

    def choose(note_id, submenu, text):
        note, view = piece.document.state.notes[note_id], canvas.view
        at = QPoint(round(view.x_of(note.onset_s + 0.1)), round(view.y_of(note.pitch) + view.height_of(note.pitch) / 2))
        found = []

        def pick():
            menu = QApplication.activePopupWidget()
            try:
                (inner,) = [a.menu() for a in menu.actions() if a.menu() is not None and a.text() == submenu]
                (entry,) = [a for a in inner.actions() if a.text().replace("&", "") == text]
                assert entry.isEnabled()
                found.append(entry)
            finally:
                menu.close()

        QTimer.singleShot(50, pick)
        piece.window.popups.open_roll(canvas, canvas.mapToGlobal(at))
        found[0].trigger()

    return choose


def test_every_e_is_a_layer_after_two_clicks_and_a_key(piece, chosen):
    first = piece.document.state
    chosen(0, "Select notes like this", "Select all of this pitch class")
    es = {i for i, n in first.notes.items() if n.pitch % 12 == 4}
    assert len(es) == 2
    assert piece.selection.ids == es
    piece.window.actions_["new_layer"].trigger()
    new = piece.document.state.layers[-1].id
    assert {i for i, n in piece.document.state.notes.items() if n.layer == new} == es
    piece.document.undo()
    assert _same(piece.document.state, first)


def test_a_note_is_moved_to_a_layer_by_its_menu(piece, chosen):
    chosen(2, "Move to layer", "Left hand")
    assert piece.document.state.notes[2].layer == 1


def test_a_voice_is_a_track_and_a_channel_of_the_score(piece):
    piece.selection.set({10})
    piece.window.actions_["select_voice"].trigger()
    assert piece.selection.ids == {10, 11, 12}


def test_unsure_notes_are_selected_at_once(piece):
    assert unsure(piece.document.state) == frozenset()
    alignment = piece.document.state.alignment
    confidence = np.array([0.01 if n.id == 3 else 0.99 for n in alignment.notes], np.float32)
    shaky = replace(alignment, confidence=confidence)
    piece.document.do(commands.realign(piece.document.state, shaky, (), "align"))
    piece.window.actions_["select_unsure"].trigger()
    assert piece.selection.ids == {3}


def test_layers_are_moved_by_keys_as_far_as_there_are_places(piece):
    actions = piece.window.actions_
    assert not actions["move_layer_up"].isEnabled()
    actions["move_layer_down"].trigger()
    assert [layer.id for layer in piece.document.state.layers] == [1, 0]
    assert not actions["move_layer_down"].isEnabled()
    actions["move_layer_up"].trigger()
    assert [layer.id for layer in piece.document.state.layers] == [0, 1]


def test_layers_are_split_from_one_submenu(piece):
    (bar,) = [a.menu() for a in piece.window.menuBar().actions() if a.text() == "&Layers"]
    (split,) = [a.menu() for a in bar.actions() if a.menu() is not None and a.text().replace("&", "") == "Split"]
    texts = [a.text().replace("&", "") for a in split.actions() if a.text()]
    assert Counter(texts) == Counter(["At a pitch…", "By hand", "By track", "By channel", "All in one layer"])
    piece.window.actions_["layers_one"].trigger()
    assert len(piece.document.state.layers) == 1
    piece.window.actions_["layers_hand"].trigger()
    assert [layer.name for layer in piece.document.state.layers] == ["Right hand", "Left hand"]


def test_the_menu_of_layers_comes_back_once_there_are_notes_to_move(application, qtbot):
    (edit,) = [a.menu() for a in application.window.menuBar().actions() if a.text() == "&Edit"]

    def layers():
        edit.popup(application.window.mapToGlobal(application.window.rect().center()))
        qtbot.waitUntil(edit.isVisible)
        (inner,) = [a for a in edit.actions() if a.text().replace("&", "") == "Move to layer"]
        edit.close()
        return inner.isEnabled(), [a.text() for a in inner.menu().actions()]

    assert layers() == (False, [])
    application.document.restore(Loaded(small_piece()))
    assert layers()[0] is False
    application.selection.set({2})
    assert layers() == (True, ["Right hand", "Left hand"])


def test_without_a_note_the_menu_of_the_roll_opens_no_list_of_what_cannot_be_done(piece, canvas):
    enabled = {}

    def look():
        menu = QApplication.activePopupWidget()
        try:
            enabled.update({a.text().replace("&", ""): a.isEnabled() for a in menu.actions() if a.menu() is not None})
        finally:
            menu.close()

    piece.selection.set(())
    QTimer.singleShot(50, look)
    piece.window.popups.open_roll(canvas, canvas.mapToGlobal(canvas.rect().center()))
    assert enabled["Move to layer"] is False
