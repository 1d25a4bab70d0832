"""Layers that are locked or hidden: no tool reaches their notes, and it says why."""

import pytest
from project.states import content
from PySide6.QtCore import Qt
from ui.conftest import names

from soli.project import commands


def locked(piece, layer, **flags):
    piece.document.do(commands.set_layer_flags(piece.document.state, layer, **flags))
    piece.document.history.clear()


@pytest.mark.parametrize("name", ["Select", "Erase", "Split", "Draw"])
def test_a_locked_layer_is_not_edited_and_says_so(piece, canvas, place, hand, use, name):
    locked(piece, 1, locked=True)
    before = content(piece.document.state)
    use(name)
    said = []
    canvas.hint_changed.connect(said.append)
    hand(canvas).move(*place(0.6, 48))
    assert "Left hand is locked" in said[-1]
    assert canvas.cursor().shape() == Qt.CursorShape.ForbiddenCursor
    hand(canvas).drag(place(0.6, 48), place(1.6, 50))
    if name in {"Select", "Draw"}:
        assert "Left hand is locked" in said[-1], "said while it is dragged as well"
    assert content(piece.document.state) == before
    assert not piece.document.history.done


def test_what_is_locked_stays_when_it_is_selected_with_others(piece, canvas, place, hand, unchanged):
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, locked=True))
    piece.selection.set({0, 10})
    hand(canvas).drag(place(0.4, 64), place(0.4, 66))
    assert piece.document.state.notes[0].pitch == 66
    assert piece.document.state.notes[10].pitch == 48
    assert names(piece)[-1] == "move note"


def test_nothing_is_drawn_into_a_locked_layer(piece, canvas, place, hand, use):
    locked(piece, 1, locked=True)
    piece.selection.set_layer(1)
    use("Draw")
    said = []
    canvas.hint_changed.connect(said.append)
    hand(canvas).drag(place(3.0, 55), place(3.5, 55))
    hand(canvas).move(*place(3.2, 55))
    assert not piece.document.history.done
    assert "Left hand is locked" in said[-1]


def test_a_hidden_layer_is_not_hit(piece, canvas, place, hand, use):
    locked(piece, 1, hidden=True)
    hand(canvas).click(*place(0.6, 48))
    assert piece.selection.ids == frozenset()
    hand(canvas).drag(place(0.0, 72), place(3.9, 44))
    assert piece.selection.ids == {0, 1, 2, 3, 4, 5}
    use("Erase")
    hand(canvas).drag(place(0.3, 48), place(0.9, 48))
    assert 10 in piece.document.state.notes
