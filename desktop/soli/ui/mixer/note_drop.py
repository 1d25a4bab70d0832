"""Notes that are dragged out of the roll onto a strip go to its layer."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from soli.project.edits import count
from soli.ui.mixer.mixer_panel import MixerPanel
from soli.ui.roll.canvas import Canvas


class NoteDrop(QObject):
    """Follows the drags of a canvas: over a strip they mean its layer, over the button for new ones a new layer."""

    said = Signal(str)

    def __init__(self, canvas: Canvas, mixer: MixerPanel) -> None:
        super().__init__(canvas)
        self._canvas, self._mixer = canvas, mixer
        self._over: int | None = None  # the strip, or NEW
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

    def _target(self, event: QMouseEvent) -> int | None:
        if not self._canvas.tool.carries or self._canvas.rect().contains(event.position().toPoint()):
            return None
        return self._mixer.target_at(event.globalPosition())

    def _drag(self, event: QMouseEvent) -> bool:
        target = self._target(event)
        if target is None:
            self._leave()
            return False
        self._over = target
        self._mixer.welcome(target)
        self._mixer.drag_held.emit(event.globalPosition())
        self._canvas.hold_drag(True)
        self.said.emit(f"Release to move {count(len(self._canvas.tool.carries), 'note')} to {self._mixer.name_of(target)}")
        return True

    def _release(self, event: QMouseEvent) -> bool:
        target, ids = self._target(event), self._canvas.tool.carries
        self._leave()
        if target is None:
            return False
        self._canvas.drop_drag()
        name = self._mixer.name_of(target)
        self._mixer.take(ids, target)
        self.said.emit(f"Moved {count(len(ids), 'note')} to {name}")
        return True

    def _leave(self) -> None:
        if self._over is not None:
            self._over = None
            self._mixer.welcome(None)
            self._mixer.drag_held.emit(None)
            self._canvas.hold_drag(False)
