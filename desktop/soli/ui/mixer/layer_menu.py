"""What the menu of a strip says about its layer on the roll: whether it is shown, whether it can be edited, and its place."""

from functools import partial

from PySide6.QtWidgets import QMenu

from soli.project import commands
from soli.project.document import Document


def add_layer_entries(menu: QMenu, document: Document, layer_id: int) -> None:
    """Entries that hide or show, lock or unlock a layer and move it among the others."""
    layers = document.state.layers
    place = next((n for n, layer in enumerate(layers) if layer.id == layer_id), None)
    if place is None:
        return
    layer = layers[place]
    hide = menu.addAction("Show on the roll" if layer.hidden else "Hide on the roll", partial(toggle_hidden, document, layer_id))
    hide.setToolTip("Its notes are heard all the same")
    lock = menu.addAction("Unlock its notes" if layer.locked else "Lock its notes", partial(toggle_locked, document, layer_id))
    lock.setToolTip("No edit reaches the notes of a locked layer")
    for text, step in (("Move up", -1), ("Move down", 1)):
        entry = menu.addAction(text, partial(move, document, layer_id, step))
        entry.setEnabled(0 <= place + step < len(layers))
    menu.setToolTipsVisible(True)


def toggle_hidden(document: Document, layer_id: int) -> None:
    layer = document.state.layer(layer_id)
    if layer is not None:
        document.do(commands.set_layer_flags(document.state, layer_id, hidden=not layer.hidden))


def toggle_locked(document: Document, layer_id: int) -> None:
    layer = document.state.layer(layer_id)
    if layer is not None:
        document.do(commands.set_layer_flags(document.state, layer_id, locked=not layer.locked))


def move(document: Document, layer_id: int, step: int) -> None:
    """Move a layer among the others, by `step` places down; up where it is negative."""
    ids = [layer.id for layer in document.state.layers]
    if layer_id in ids:
        document.do(commands.move_layer(document.state, layer_id, ids.index(layer_id) + step))
