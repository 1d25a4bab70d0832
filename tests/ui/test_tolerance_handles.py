"""The handles of a note: how far it may sound before its onset and after its offset, set by hand."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from ui.conftest import names

LEFT = Qt.MouseButton.LeftButton


def double_click(canvas, x, y):
    at = QPointF(x, y)
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick):
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), LEFT, held, Qt.KeyboardModifier.NoModifier))
    QApplication.sendEvent(
        canvas,
        QMouseEvent(
            QEvent.Type.MouseButtonRelease,
            at,
            canvas.mapToGlobal(at),
            LEFT,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        ),
    )


def handle(canvas, note, side):
    return next(h for h in canvas.tool.handles.all() if h.note.id == note and h.side == side)


def test_dragging_a_handle_sets_the_tolerance_of_all_selected_notes(piece, canvas, place, hand, unchanged):
    piece.selection.set({0, 1})
    grip = handle(canvas, 0, "before")
    y = place(0.0, 64)[1]
    hand(canvas).drag((grip.x, y), (grip.x - 30, y))
    wanted = grip.tolerance_s + 30 / canvas.view.px_per_s
    assert [piece.document.state.notes[i].before_s for i in (0, 1)] == pytest.approx([wanted, wanted])
    assert [piece.document.state.notes[i].after_s for i in (0, 1)] == [None, None]
    grip = handle(canvas, 1, "after")
    y = place(0.0, 65)[1]
    hand(canvas).drag((grip.x, y), (grip.x - 15, y))
    assert piece.document.state.notes[0].after_s == pytest.approx(grip.tolerance_s - 15 / canvas.view.px_per_s)
    assert names(piece) == ["widen tolerance of 2 notes", "narrow tolerance of 2 notes"]


def test_a_tolerance_of_nothing_can_be_taken_hold_of_again(piece, canvas, place, hand, unchanged):
    piece.selection.set({0})
    y = place(0.0, 64)[1]
    grip = handle(canvas, 0, "after")
    hand(canvas).drag((grip.x, y), (grip.x - 500, y))
    assert piece.document.state.notes[0].after_s == 0.0
    grip = handle(canvas, 0, "after")
    hand(canvas).drag((grip.x, y), (grip.x + 20, y))
    assert piece.document.state.notes[0].after_s == pytest.approx(20 / canvas.view.px_per_s)


def test_the_body_follows_the_handle(piece, canvas, place, hand):
    piece.selection.set({0})
    y = place(0.0, 64)[1]
    grip = handle(canvas, 0, "before")
    mouse = hand(canvas)
    mouse.press(grip.x, y)
    mouse.move(grip.x - 20, y, button=LEFT)
    assert canvas.tool.hidden == {0}
    _, spread = canvas.tool._ghost.placed(before_s=canvas.tool._tolerance())
    mouse.release(grip.x - 20, y)
    shown = canvas.field.bodies
    (row,) = np.flatnonzero(shown.id == 0)
    assert shown.start_s[row] == pytest.approx(spread.start_s[0])


def test_a_double_click_on_a_handle_gives_the_instruments_own_back(piece, canvas, place, hand, unchanged):
    piece.selection.set({0})
    y = place(0.0, 64)[1]
    own = handle(canvas, 0, "before").tolerance_s
    grip = handle(canvas, 0, "before")
    hand(canvas).drag((grip.x, y), (grip.x - 25, y))
    grip = handle(canvas, 0, "before")
    double_click(canvas, grip.x, y)
    assert piece.document.state.notes[0].before_s is None
    assert handle(canvas, 0, "before").tolerance_s == pytest.approx(own)
    assert names(piece) == ["widen tolerance", "reset tolerance"]


def test_a_handle_says_what_it_is(piece, canvas, place, hand):
    piece.selection.set({0})
    said = []
    canvas.hint_changed.connect(said.append)
    grip = handle(canvas, 0, "before")
    hand(canvas).move(grip.x, place(0.0, 64)[1])
    assert "may sound 120 ms before its onset" in said[-1]
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor
    assert not canvas.grab().isNull()


def test_handles_are_there_only_where_they_can_be_hit(piece, canvas):
    piece.selection.set({0})
    assert canvas.tool.handles.all()
    canvas.view.show(0.0, 400.0)
    canvas.view.span_s = 400.0
    assert canvas.tool.handles.all() == []
