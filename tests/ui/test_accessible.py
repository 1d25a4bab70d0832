"""The roll for a screen reader: a list of notes, and the note that the keys are on."""

import gc

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from soli.project import commands
from soli.project.document import Document
from soli.score.notes import pitch_name
from soli.ui import announce as announcing
from soli.ui.roll import accessible
from soli.ui.roll.canvas import Canvas
from soli.ui.roll.view import View
from soli.ui.selection import Selection
from soli.ui.spoken import spoken_note, spoken_pitch
from soli.ui.theme import Theme

Text, Role = QAccessible.Text, QAccessible.Role


@pytest.fixture
def told(monkeypatch):
    """Events that a screen reader gets: kind, and the name of what they are about."""
    events = []

    def tell(event):
        of = event.accessibleInterface()
        text = event.message() if event.type() == QAccessible.Event.Announcement else of.text(Text.Name)
        events.append((event.type(), text))

    was = QAccessible.isActive()
    QAccessible.setActive(True)
    monkeypatch.setattr(accessible, "tell", tell)
    monkeypatch.setattr(announcing, "tell", tell)
    yield events
    QAccessible.setActive(was)


def roll_of(canvas):
    interface = QAccessible.queryAccessibleInterface(canvas)
    assert interface.role() == Role.List
    return interface


def names(roll):
    return [roll.child(i).text(Text.Name) for i in range(roll.childCount())]


def test_pitches_are_said_as_words():
    assert spoken_pitch("C♯4") == "C sharp 4"
    assert spoken_pitch("E♭4") == "E flat 4"
    assert spoken_pitch("C4") == "C 4"
    assert spoken_pitch("C♯-1") == "C sharp minus 1"
    names = [pitch_name(pitch) for pitch in range(128)]
    assert len({spoken_pitch(name) for name in names}) == 128
    assert all(spoken_pitch(name)[0] == name[0] for name in names)


def test_a_note_is_said_as_a_reader_of_scores_would():
    assert spoken_note("C♯4", bar=12, layer="left hand", marks=("muted",)) == "C sharp 4, bar 12, left hand, muted"
    assert spoken_note("C♯4") == "C sharp 4"


def test_the_roll_is_a_list_of_its_notes_in_order(piece, canvas):
    piece.document.do(commands.set_absent(piece.document.state, [1], absent=True))
    canvas.set_audible(frozenset({1}))
    roll = roll_of(canvas)
    assert roll.text(Text.Name) == "Piano roll"
    assert names(roll)[:4] == [
        "E 4, bar 1, Right hand",
        "C 3, bar 1, Left hand, muted",
        "F 4, bar 1, Right hand, left out",
        "F sharp 4, bar 1, Right hand",
    ]
    assert roll.childCount() == 9
    assert [roll.indexOfChild(roll.child(i)) for i in range(9)] == list(range(9))
    assert all(roll.child(i).role() == Role.ListItem for i in range(9))
    assert roll.child(9) is None


def test_edits_are_found_in_the_list(piece, canvas):
    roll = roll_of(canvas)
    first = roll.child(0)
    piece.document.do(commands.move_notes(piece.document.state, [0], semitones=-3))
    assert names(roll)[0] == "C sharp 4, bar 1, Right hand"
    piece.document.do(commands.delete_notes(piece.document.state, [0]))
    assert not first.isValid() or first.text(Text.Name) == ""
    assert names(roll)[0] == "C 3, bar 1, Left hand"
    piece.document.undo()
    assert roll.childCount() == 9
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, hidden=True))
    assert roll.childCount() == 6


def test_notes_lie_where_they_are_painted(piece, canvas, place):
    roll = roll_of(canvas)
    x, y = place(0.4, 64)
    at = canvas.mapToGlobal(QPoint(round(x), round(y)))
    item = roll.childAt(at.x(), at.y())
    assert item.text(Text.Name) == "E 4, bar 1, Right hand"
    assert item.rect().contains(at)
    x, y = place(3.9, 71)
    at = canvas.mapToGlobal(QPoint(round(x), round(y)))
    assert roll.childAt(at.x(), at.y()) is None


def test_tab_says_the_next_note_and_edits_say_what_it_became(piece, canvas, told):
    canvas.setFocus()
    piece.selection.set(())
    told.clear()
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert told == [(QAccessible.Event.Focus, "E 4, bar 1, Right hand")]
    item = roll_of(canvas).focusChild()
    assert item.text(Text.Name) == "E 4, bar 1, Right hand"
    assert item.state().selected
    assert item.state().focused
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert told[-1] == (QAccessible.Event.Focus, "C 3, bar 1, Left hand")
    assert not item.state().selected
    QTest.keyClick(canvas, Qt.Key.Key_Backtab)
    assert told[-1] == (QAccessible.Event.Focus, "E 4, bar 1, Right hand")
    QTest.keyClick(canvas, Qt.Key.Key_Down)
    assert told[-1] == (QAccessible.Event.NameChanged, "E flat 4, bar 1, Right hand")
    QTest.keyClick(piece.window, Qt.Key.Key_X)
    assert told[-1] == (QAccessible.Event.NameChanged, "E flat 4, bar 1, Right hand, left out")
    piece.window.actions_["select_all"].trigger()
    assert told[-1] == (QAccessible.Event.Announcement, "9 notes selected")


def test_what_is_done_elsewhere_is_not_said_by_the_roll(piece, canvas, told, qtbot):
    piece.window.actions_["note_table"].trigger()
    qtbot.waitUntil(piece.window.note_table.grid.hasFocus, timeout=5000)
    told.clear()
    piece.selection.set({3})
    assert told == []
    assert canvas.accessibleDescription() == "G 4, bar 1, Right hand"


def test_ruler_keys_and_overview_say_what_they_show(piece, canvas, qtbot):
    roll = piece.window.roll
    roll.view.show(0.0, 2.0, 48, 60)
    qtbot.waitUntil(lambda: "0:00 to 0:02" in roll.ruler.accessibleDescription(), timeout=5000)
    assert roll.ruler.accessibleDescription().endswith(", bar 1")
    assert roll.minimap.accessibleDescription() == "showing 0:00 to 0:02 of 0:04"
    low, high = roll.view.pitch_at(canvas.height()), roll.view.pitch_at(0)
    lowest, highest = (spoken_pitch(piece.document.state.pitch_name(pitch)) for pitch in (low, high))
    assert f"{lowest} to {highest}" in roll.keyboard.accessibleDescription()


def test_a_roll_that_is_gone_takes_its_notes_along(qapp):
    theme = Theme(qapp, "dark")
    for _ in range(5):
        document = Document()
        document.do(commands.draw_note(document.state, pitch=60, onset_s=1.0, offset_s=2.0, layer=0))
        canvas = Canvas(document, Selection(document), View(), theme)
        roll = QAccessible.queryAccessibleInterface(canvas)
        item = roll.child(0)
        assert item.text(Text.Name).startswith("C 4")
        canvas.deleteLater()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        del canvas, document, roll
        gc.collect()
        assert item.text(Text.Name) == ""
        assert not item.isValid()
