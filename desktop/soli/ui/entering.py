"""Enter belongs to the field that is typed in, whatever else in the window has it for a key; Space to no field of numbers."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget

ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class Entering(QObject):
    """Watches the field that has the focus, so that no action of the window takes Enter from it.

    A blank is no part of a number: in a number field Space goes on to the window, where it plays.
    """

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        application.focusChanged.connect(self._follow)

    def _follow(self, former: QWidget | None, now: QWidget | None) -> None:
        if former is not None:
            former.removeEventFilter(self)
        if isinstance(now, (QLineEdit, QAbstractSpinBox)):
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return False
        if isinstance(watched, QAbstractSpinBox) and event.key() == Qt.Key.Key_Space:
            event.ignore()
            return True
        if event.type() != QEvent.Type.ShortcutOverride or event.key() not in ENTER:
            return False
        if not isinstance(watched, (QLineEdit, QAbstractSpinBox)) or watched.isReadOnly():
            return False
        event.accept()
        return True
