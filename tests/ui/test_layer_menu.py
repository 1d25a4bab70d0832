"""Layers are hidden, locked and moved from their strips and by keys; each is one step that undo takes back."""

import pytest
from PySide6.QtWidgets import QMenu

from soli.ui.mixer.layer_menu import add_layer_entries


@pytest.fixture
def entry(piece):
    """Chooses an entry of the menu of a layer."""

    def choose(layer: int, text: str) -> None:
        menu = QMenu()
        add_layer_entries(menu, piece.document, layer)
        (action,) = [action for action in menu.actions() if action.text() == text]
        assert action.isEnabled(), text
        action.trigger()

    return choose


def texts(piece, layer: int) -> dict[str, bool]:
    menu = QMenu()
    add_layer_entries(menu, piece.document, layer)
    return {action.text(): action.isEnabled() for action in menu.actions()}


def test_a_layer_is_hidden_and_shown_again(piece, entry):
    first = piece.document.state
    entry(0, "Hide on the roll")
    assert piece.document.state.hidden_layers == {0}
    assert piece.window.mixer.strip_widget(0).eye.isChecked()
    assert piece.document.history.last.name == "hide Right hand"
    entry(0, "Show on the roll")
    assert piece.document.state.layers == first.layers
    piece.document.undo()
    assert "Show on the roll" in texts(piece, 0)
    piece.document.undo()
    assert piece.document.state.layers == first.layers


def test_a_layer_is_locked_and_its_notes_stay(piece, entry):
    entry(1, "Lock its notes")
    assert piece.window.mixer.strip_widget(1).lock.isChecked()
    piece.selection.set(piece.document.state.notes)
    piece.window.actions_["delete"].trigger()
    assert {note.layer for note in piece.document.state.notes.values()} == {1}
    entry(1, "Unlock its notes")
    piece.window.actions_["delete"].trigger()
    assert not piece.document.state.notes


def test_layers_are_moved_as_far_as_there_are_places(piece, entry):
    assert texts(piece, 0)["Move up"] is False
    assert texts(piece, 1)["Move down"] is False
    entry(0, "Move down")
    assert [layer.id for layer in piece.document.state.layers] == [1, 0]
    entry(0, "Move up")
    assert [layer.id for layer in piece.document.state.layers] == [0, 1]


def test_the_keys_concern_the_active_layer(piece):
    piece.selection.set_layer(1)
    piece.window.actions_["hide_layer"].trigger()
    piece.window.actions_["lock_layer"].trigger()
    assert piece.document.state.hidden_layers == {1}
    assert piece.document.state.locked_layers == {1}
    piece.window.actions_["hide_layer"].trigger()
    assert not piece.document.state.hidden_layers


def test_a_layer_that_is_gone_has_no_entries(piece):
    assert texts(piece, 99) == {}
