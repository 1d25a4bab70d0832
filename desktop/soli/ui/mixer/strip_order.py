"""Layers are put into another order by dragging the head of a strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QFrame

from soli.project import commands
from soli.project.document import Document

if TYPE_CHECKING:
    from soli.ui.mixer.mixer_panel import MixerPanel

LINE_PX = 3


class StripOrder:
    """Shows a line where a dragged strip would go, and puts its layer there."""

    def __init__(self, mixer: MixerPanel, document: Document) -> None:
        self._mixer, self._document = mixer, document
        self._place: int | None = None
        self.line = QFrame(mixer)
        self.line.setObjectName("insertion")
        self.line.hide()

    def drag(self, layer_id: int, at: QPointF) -> None:
        """The head of a strip is held at a point of the screen."""
        strips = self._mixer.layer_strips
        ids = [strip.id for strip in strips]
        if layer_id not in ids:
            return
        y, mine = self._mixer.mapFromGlobal(at).y(), ids.index(layer_id)
        gap = sum(y > strip.geometry().center().y() for strip in strips)
        # Once it is taken out, the places after it are one less.
        place = gap - (gap > mine)
        self._place = place if place != mine else None
        under = strips[gap - 1].geometry().bottom() + 3 if gap else strips[0].geometry().top() - 5
        self.line.setGeometry(0, under, self._mixer.width(), LINE_PX)
        self.line.setVisible(self._place is not None)
        self.line.raise_()

    def drop(self, layer_id: int, keep: bool) -> None:
        """The strip was let go; without `keep` it stays where it was."""
        place, self._place = self._place, None
        self.line.hide()
        if keep and place is not None:
            self._document.do(commands.move_layer(self._document.state, layer_id, place))
