"""Which notes are selected, and which layer is the active one."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from soli.project.document import Document


class Selection(QObject):
    """Ids of the selected notes; those that vanish from document or sight leave it. The active layer gets what is drawn."""

    changed = Signal()
    layer_changed = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._ids: frozenset[int] = frozenset()
        self._layer = 0
        document.subscribe(self._follow)

    @property
    def ids(self) -> frozenset[int]:
        return self._ids

    @property
    def layer(self) -> int:
        """Id of the active layer."""
        return self._layer

    def set(self, ids: Iterable[int]) -> None:
        ids = frozenset(ids)
        if ids != self._ids:
            self._ids = ids
            self.changed.emit()

    def toggle(self, ids: Iterable[int]) -> None:
        self.set(self._ids ^ frozenset(ids))

    def set_layer(self, layer: int) -> None:
        if layer != self._layer:
            self._layer = layer
            self.layer_changed.emit()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"notes", "layers"} and self._ids:
            # What cannot be seen must not be deleted by mistake.
            notes, hidden = self._document.state.notes, self._document.state.hidden_layers
            self.set(i for i in self._ids if i in notes and notes[i].layer not in hidden)
        layers = self._document.state.layers
        if "layers" in aspects and layers and self._document.state.layer(self._layer) is None:
            self.set_layer(layers[0].id)
