"""Which notes are selected, and which layer is the active one."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from soli.project.document import Document


class Selection(QObject):
    """Ids of the selected notes. Notes that vanish from the document leave it; the active layer gets what is drawn."""

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
        if "notes" in aspects:
            self.set(self._ids & self._document.state.notes.keys())
        layers = self._document.state.layers
        if "layers" in aspects and layers and self._document.state.layer(self._layer) is None:
            self.set_layer(layers[0].id)
