"""A name that is typed in its place."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit


class NameEdit(QLineEdit):
    """A name that reads as a label until it is double-clicked or reached by F2."""

    named = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("name")
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrame(False)
        self._former = ""
        self.editingFinished.connect(self._finish)

    def edit(self) -> None:
        """Let the name be typed; Escape gives the former one back."""
        self._former = self.text()
        self.setReadOnly(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.selectAll()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly() and self.isEnabled():
            self.edit()
        else:
            super().mouseDoubleClickEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly():
            event.ignore()
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.isReadOnly():
            self.setText(self._former)
            self._finish()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isReadOnly():
            return
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.deselect()
        self.setCursorPosition(0)
        if self.text().strip() != self._former:
            self.named.emit(self.text().strip())
        self.clearFocus()
        self.left.emit()
