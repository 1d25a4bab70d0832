"""Notes that are dragged out of the roll onto a strip go to its layer."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from soli.ui.mixer.mixer_panel import MixerPanel
from soli.ui.roll.canvas import Canvas


class NoteDrop(QObject):
    """Follows the drags of a canvas: over a strip they mean its layer, over the button for new ones a new layer."""

    said = Signal(str)

    def __init__(self, canvas: Canvas, mixer: MixerPanel) -> None:
        super().__init__(canvas)
        self._canvas, self._mixer = canvas, mixer
        self._over = False  # whether notes are held over the strips
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._canvas:
            return False
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            return self._drag(event)
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            return self._release(event)
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._leave()
        return False

    def _carried_over(self, event: QMouseEvent) -> bool:
        """Whether notes are held over the strips."""
        return bool(self._canvas.tool.carries) and self._mixer.covers(event.globalPosition())

    def _drag(self, event: QMouseEvent) -> bool:
        if not self._carried_over(event):
            self._leave()
            return False
        at, notes = event.globalPosition(), named(len(self._canvas.tool.carries))
        target, self._over = self._mixer.target_at(at), True
        self._mixer.welcome(target)
        self._mixer.drag_held.emit(at)
        self._canvas.hold_drag(True)
        where = f"Release to move {notes} to {self._mixer.name_of(target)}" if target is not None else ""
        self.said.emit(where or f"Release over a layer to move {notes} there")
        return True

    def _release(self, event: QMouseEvent) -> bool:
        over, ids = self._carried_over(event), self._canvas.tool.carries
        self._leave()
        if not over:
            return False
        self._canvas.drop_drag()  # between the strips it means nothing, and surely no way to the end of the piece
        target = self._mixer.target_at(event.globalPosition())
        if target is not None:
            name = self._mixer.name_of(target)
            self._mixer.take(ids, target)
            self.said.emit(f"Moved {named(len(ids))} to {name}")
        return True

    def _leave(self) -> None:
        if self._over:
            self._over = False
            self._mixer.welcome(None)
            self._mixer.drag_held.emit(None)
            self._canvas.hold_drag(False)


def named(number: int) -> str:
    return "the note" if number == 1 else f"{number} notes"
