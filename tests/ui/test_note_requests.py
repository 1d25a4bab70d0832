"""Notes by menu and key: copy and paste, repeat, split, snap, select; one named step each, undone without a trace."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from ui.conftest import names

from soli.project import commands
from soli.score.notes import Note
from soli.ui import note_clipboard

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture(autouse=True)
def empty_clipboard():
    yield
    if QGuiApplication.instance() is not None:
        QGuiApplication.clipboard().clear()


def test_the_program_ends_well_with_notes_on_the_clipboard(tmp_path):
    program = """
from PySide6.QtWidgets import QApplication
from soli.app import Application
from soli.playback.player import FakePlayer
from soli.score.notes import Note
from soli.settings import Settings
from soli.ui import note_clipboard
soli = Application(QApplication([]), FakePlayer(), Settings())
note_clipboard.put([Note(0, 0.0, 1.0, 60)])
soli.close()
"""
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def notes_of(piece, ids):
    return sorted((piece.document.state.notes[i] for i in ids), key=lambda n: (n.onset_s, n.id))


@pytest.fixture
def seek(piece, qtbot):
    def sought(time_s):
        piece.listening.seek(time_s)
        qtbot.waitUntil(lambda: piece.listening.status.position_s == pytest.approx(time_s, abs=0.001), timeout=20_000)

    return sought


def press(piece, key, keys=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(piece.window.roll.canvas, key, keys)


def test_what_is_copied_is_pasted_at_the_playhead(piece, canvas, seek, unchanged):
    piece.selection.set({0, 1, 10})
    press(piece, Qt.Key.Key_C, CTRL)
    seek(2.0)
    press(piece, Qt.Key.Key_V, CTRL)
    pasted = notes_of(piece, piece.selection.ids)
    originals = notes_of(piece, {0, 1, 10})
    assert not piece.selection.ids & {0, 1, 10}
    assert [(n.pitch, n.layer) for n in pasted] == [(n.pitch, n.layer) for n in originals]
    assert [n.onset_s for n in pasted] == pytest.approx([n.onset_s + 1.8 for n in originals])
    assert names(piece) == ["paste 3 notes"]


def test_what_is_cut_can_be_pasted(piece, canvas, seek, unchanged):
    piece.selection.set({0})
    press(piece, Qt.Key.Key_X, CTRL)
    assert 0 not in piece.document.state.notes
    seek(1.5)
    press(piece, Qt.Key.Key_V, CTRL)
    (note,) = notes_of(piece, piece.selection.ids)
    assert (note.onset_s, note.pitch) == (pytest.approx(1.5), 64)
    assert names(piece) == ["cut note", "paste note"]


def test_where_there_is_nothing_to_paste_that_is_said(piece, canvas):
    QGuiApplication.clipboard().setText("words")
    said = []
    piece.window.notes.said.connect(said.append)
    press(piece, Qt.Key.Key_V, CTRL)
    assert not piece.document.history.done
    assert "copy some first" in said[-1]


def test_repeating_puts_the_notes_where_they_end(piece, canvas, unchanged):
    piece.selection.set({0, 1})
    end_s = max(n.sounding_offset_s for n in notes_of(piece, {0, 1}))
    press(piece, Qt.Key.Key_R, CTRL)
    again = notes_of(piece, piece.selection.ids)
    assert again[0].onset_s == pytest.approx(end_s)
    assert again[1].onset_s - again[0].onset_s == pytest.approx(0.5)
    assert names(piece) == ["repeat 2 notes"]


def test_the_selected_notes_are_split_at_the_playhead_or_all_that_sound(piece, canvas, seek, unchanged):
    seek(0.4)
    piece.selection.set({0})
    press(piece, Qt.Key.Key_E, CTRL)
    assert piece.document.state.notes[0].offset_s == pytest.approx(0.4, abs=0.002)
    assert len(piece.selection.ids) == 2
    piece.selection.set(())
    seek(0.8)
    press(piece, Qt.Key.Key_E, CTRL)
    assert names(piece) == ["split note", "split 2 notes"]


def test_no_note_at_the_playhead_is_said(piece, canvas, seek):
    seek(0.05)
    said = []
    piece.window.notes.said.connect(said.append)
    press(piece, Qt.Key.Key_E, CTRL)
    assert said
    assert not piece.document.history.done


def test_notes_are_snapped_to_the_grid_in_one_step(piece, canvas, unchanged):
    piece.document.do(commands.move_notes(piece.document.state, {0, 1}, seconds=0.06))
    canvas.snapping.use("beats")
    piece.selection.set({0, 1, 2})
    press(piece, Qt.Key.Key_Q)
    assert [n.onset_s for n in notes_of(piece, {0, 1, 2})] == pytest.approx([0.2, 0.7, 1.2])
    assert [n.offset_s - n.onset_s for n in notes_of(piece, {0, 1})] == pytest.approx([0.4, 0.4])
    assert names(piece)[-1] == "snap 2 notes"
    press(piece, Qt.Key.Key_Q)
    assert len(names(piece)) == 2
    assert canvas.snapping.line_s is None


def test_arrows_with_shift_and_alt_stretch_in_one_step(piece, canvas, unchanged):
    piece.selection.set({0, 1})
    for _ in range(3):
        press(piece, Qt.Key.Key_Right, SHIFT)
    press(piece, Qt.Key.Key_Left, SHIFT | CTRL)
    assert [n.offset_s for n in notes_of(piece, {0, 1})] == pytest.approx([0.53, 1.03])
    for _ in range(2):
        press(piece, Qt.Key.Key_Left, ALT)
    assert [n.onset_s for n in notes_of(piece, {0, 1})] == pytest.approx([0.18, 0.68])
    assert len(names(piece)) == 2


def test_hidden_layers_are_left_out_of_what_is_selected(piece, canvas):
    press(piece, Qt.Key.Key_A, CTRL)
    assert len(piece.selection.ids) == 9
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, hidden=True))
    assert piece.selection.ids == {0, 1, 2, 3, 4, 5}, "what cannot be seen leaves the selection"
    press(piece, Qt.Key.Key_A, CTRL)
    assert piece.selection.ids == {0, 1, 2, 3, 4, 5}
    piece.selection.set({0, 1})
    press(piece, Qt.Key.Key_I)
    assert piece.selection.ids == {2, 3, 4, 5}


def test_into_a_locked_layer_nothing_is_pasted_and_that_is_said(piece, canvas, seek):
    piece.selection.set({10})
    press(piece, Qt.Key.Key_C, CTRL)
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, locked=True))
    count = len(piece.document.state.notes)
    said = []
    piece.window.notes.said.connect(said.append)
    press(piece, Qt.Key.Key_V, CTRL)
    assert len(piece.document.state.notes) == count
    assert "locked" in said[-1]


# What is on the clipboard

NOTES = st.builds(
    Note,
    id=st.integers(0, 1000),
    onset_s=st.floats(-5, 1000),
    offset_s=st.floats(1000, 2000),
    pitch=st.integers(0, 127),
    velocity=st.integers(0, 127),
    track=st.integers(0, 20),
    channel=st.integers(0, 15),
    program=st.integers(0, 127),
    pedal_s=st.floats(0, 3000),
    layer=st.integers(0, 20),
    before_s=st.none() | st.floats(0, 10),
    after_s=st.none() | st.floats(0, 10),
)


@given(st.lists(NOTES, max_size=5))
def test_notes_come_back_from_the_clipboard_as_they_were(qapp, notes):
    note_clipboard.put(notes)
    assert note_clipboard.has_notes()
    assert note_clipboard.take() == tuple(notes)


WHOLE = {"id": 1, "onset_s": 0.0, "offset_s": 1.0, "pitch": 60}


@pytest.mark.parametrize(
    "wrong",
    [
        {"pitch": 128}, {"pitch": -1}, {"pitch": 60.5}, {"pitch": "C4"}, {"pitch": True}, {"pitch": None},
        {"onset_s": float("nan")}, {"offset_s": float("inf")}, {"offset_s": -1.0}, {"channel": 16}, {"layer": -1},
        {"onset_s": 1e300},
    ],
)  # fmt: skip
def test_what_only_calls_itself_notes_is_not_pasted(wrong):
    assert len(note_clipboard.read(json.dumps([WHOLE]).encode())) == 1
    assert note_clipboard.read(json.dumps([WHOLE, {**WHOLE, **wrong}]).encode()) == ()


@given(st.binary(max_size=60))
def test_any_bytes_are_no_notes(text):
    assert note_clipboard.read(text) == ()


@pytest.mark.parametrize("text", [b"{}", b"[1]", b"[[]]", b"null", b'[{"id": 1}]', b"[" * 100_000])
def test_other_tables_are_no_notes(qapp, text):
    data = QMimeData()
    data.setData(note_clipboard.MIME, text)
    QGuiApplication.clipboard().setMimeData(data)
    assert note_clipboard.take() == ()


def test_the_menu_does_not_speak_of_a_selection_where_there_is_none(piece):
    action = piece.window.actions_["new_layer"]
    piece.selection.set({0})
    assert action.text() == "&New layer of the selection"
    piece.selection.set(set())
    assert action.text() == "&New layer"
