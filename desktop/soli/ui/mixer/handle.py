"""What the fader and the pan knob have in common under the hand."""

from collections.abc import Mapping
from typing import ClassVar

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from soli.ui.mixer.keys import ENTER, wants_return
from soli.ui.theme import Theme

FINE = 0.1  # of the way of a drag, with Ctrl
PAUSE_MS = 700  # steps that follow each other faster are one


class Handle(QSlider):
    """A value around zero, finer than the steps of a slider, which are for those who have it read to them and set it thus.

    Double-click or Return goes to zero; arrows step, with Ctrl finely, and the wheel does where the focus is.
    `let_go` tells that a gesture is over: a drag, or steps without a pause between them.
    """

    let_go = Signal()

    steps: ClassVar[Mapping[Qt.Key, float]] = {}
    fine_step: ClassVar[float] = 1.0  # what Ctrl makes of a step
    wheel_step: ClassVar[float] = 1.0  # of a notch

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._drag: tuple[QPointF, float] | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.let_go)
        self.valueChanged.connect(self._set_from_outside)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def move_to(self, value: float) -> None:
        """Take over a value and tell of it."""
        raise NotImplementedError

    def stepped(self, step: float) -> float:
        """The value that lies a step further, at most where the way ends."""
        raise NotImplementedError

    def value_at(self, step: int) -> float:
        """The value that a step of the slider stands for."""
        raise NotImplementedError

    def show_step(self, step: int) -> None:
        """Say where it is, without telling of it."""
        self.blockSignals(True)
        self.setValue(step)
        self.blockSignals(False)
        self.update()

    def reset(self) -> None:
        self.move_to(0.0)
        self.let_go.emit()

    def event(self, event: QEvent) -> bool:
        return wants_return(event) or super().event(event)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = None
            self.let_go.emit()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._drag = None
        self.reset()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, fine = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in ENTER:
            self.reset()
        elif key in self.steps:
            self._step(self.steps[key] * (self.fine_step if fine else 1.0))
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that only passes by scrolls the strips.
        if self.hasFocus():
            self._step(self.wheel_step * event.angleDelta().y() / 120)
            event.accept()
        else:
            event.ignore()

    def _set_from_outside(self, step: int) -> None:
        """What reads the screen has set the slider: nothing else tells of it."""
        self.move_to(self.value_at(step))
        self._pause.start()

    def _step(self, step: float) -> None:
        self.move_to(self.stepped(step))
        self._pause.start()
