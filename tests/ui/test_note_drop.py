"""Notes are dragged out of the roll onto a strip: it lights up, and letting go gives them to its layer."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from soli.project import commands
from soli.project.document import _same
from soli.project.state import ORIGINAL


@pytest.fixture
def carry(piece, canvas, hand, place):
    """Drags a note from the roll to a widget, and lets go there unless told not to."""

    def carried(note_id, widget, *, let_go=True, keys=Qt.KeyboardModifier.NoModifier):
        note = piece.document.state.notes[note_id]
        x, y = place((note.onset_s + note.offset_s) / 2, note.pitch)
        end = canvas.mapFromGlobal(widget.mapToGlobal(QPointF(widget.width() / 2, widget.height() / 2)))
        mouse = hand(canvas)
        mouse.press(x, y, keys=keys)
        for i in range(1, 9):
            mouse.move(x + (end.x() - x) * i / 8, y + (end.y() - y) * i / 8, button=Qt.MouseButton.LeftButton, keys=keys)
        if let_go:
            mouse.release(end.x(), end.y(), keys=keys)
        return end

    return carried


def welcoming(piece):
    return [strip.id for strip in piece.window.mixer.layer_strips if strip._welcoming]


def test_a_note_dropped_on_a_strip_goes_to_its_layer_and_stays_where_it_was(piece, carry):
    first = piece.document.state
    carry(2, piece.window.mixer.strip_widget(1), let_go=False)
    assert welcoming(piece) == [1]
    assert piece.window.hint.text() == "Release to move the note to Left hand"
    assert not piece.document.history.done
    carry(2, piece.window.mixer.strip_widget(1))
    note = piece.document.state.notes[2]
    assert note.layer == 1
    assert (note.onset_s, note.pitch) == (first.notes[2].onset_s, first.notes[2].pitch)
    assert welcoming(piece) == []
    assert [edit.name for edit in piece.document.history.done] == ["assign note to Left hand"]
    piece.document.undo()
    assert _same(piece.document.state, first)


def test_all_selected_notes_go_along_and_the_roll_stays(piece, carry, canvas):
    start_s = canvas.view.start_s
    piece.selection.set({0, 1, 2})
    carry(1, piece.window.mixer.strip_widget(1))
    assert {i for i, n in piece.document.state.notes.items() if n.layer == 1} == {0, 1, 2, 10, 11, 12}
    QTest.qWait(100)
    assert canvas.view.start_s == start_s
    assert not canvas.tool.dragging


def test_a_note_dropped_on_the_button_makes_a_layer(piece, carry):
    carry(3, piece.window.mixer.add)
    new = piece.document.state.layers[-1]
    assert piece.document.state.notes[3].layer == new.id
    assert len(piece.document.state.layers) == 3
    assert not piece.window.mixer.strip_widget(new.id).name.isReadOnly()


def test_what_comes_back_to_the_roll_is_moved_there(piece, carry, canvas, hand, place):
    end = carry(2, piece.window.mixer.strip_widget(1), let_go=False)
    x, y = place(1.4, 70)
    hand(canvas).move(x, y, button=Qt.MouseButton.LeftButton)
    assert welcoming(piece) == []
    assert not canvas.tool.away
    hand(canvas).release(x, y)
    assert piece.document.state.notes[2].layer == 0
    assert piece.document.state.notes[2].pitch == 70
    assert end.x() > canvas.width()


def test_escape_over_a_strip_drops_nothing(piece, carry, canvas, hand):
    end = carry(2, piece.window.mixer.strip_widget(1), let_go=False)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert welcoming(piece) == []
    hand(canvas).release(end.x(), end.y())
    assert not piece.document.history.done


def test_beside_the_strips_of_layers_nothing_happens(piece, carry):
    first = piece.document.state
    carry(2, piece.window.mixer.strip_widget(ORIGINAL), let_go=False)
    assert piece.window.hint.text() == "Release over a layer to move the note there"
    carry(2, piece.window.mixer.strip_widget(ORIGINAL))
    assert piece.document.state is first


@pytest.mark.parametrize("locked", [0, 1])
def test_locked_layers_neither_give_nor_take(piece, carry, locked):
    piece.document.do(commands.set_layer_flags(piece.document.state, locked, locked=True))
    carry(2, piece.window.mixer.strip_widget(1), let_go=False)
    assert welcoming(piece) == []
    carry(2, piece.window.mixer.strip_widget(1))
    assert piece.document.state.notes[2].layer == 0


def test_strips_scroll_under_notes_that_are_held_at_their_edge(piece, carry, canvas, qtbot):
    for number in range(14):
        piece.document.do(commands.add_layer(piece.document.state, f"Layer {number}"))
    piece.window.resize(1100, 560)
    qtbot.wait_settled(piece.window)
    mixer = piece.window.mixer
    area = mixer.parentWidget().parentWidget().parentWidget()
    view = area.viewport()
    assert area.verticalScrollBar().maximum() > 0
    note = piece.document.state.notes[2]
    x, y = canvas.view.x_of(note.onset_s + 0.2), canvas.view.y_of(note.pitch) + canvas.view.px_per_semitone / 2
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    low = canvas.mapFromGlobal(view.mapToGlobal(QPoint(view.width() // 2, view.height() - 8)))
    for i in range(1, 6):
        QTest.mouseMove(canvas, QPoint(round(x), round(y)) + (low - QPoint(round(x), round(y))) * i / 5)
    qtbot.waitUntil(lambda: area.verticalScrollBar().value() == area.verticalScrollBar().maximum(), timeout=20_000)
    last = mixer.layer_strips[-1]
    there = canvas.mapFromGlobal(last.mapToGlobal(QPoint(20, 10)))
    QTest.mouseMove(canvas, there)
    assert welcoming(piece) == [last.id]
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=there)
    assert piece.document.state.notes[2].layer == last.id
