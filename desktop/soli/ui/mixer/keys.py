"""Keys that a control of the mixer takes before the window's commands do."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


def wants_return(event: QEvent) -> bool:
    """Accept the question whether Return belongs to the control; elsewhere it plays the selected notes."""
    if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ENTER:
        event.accept()
        return True
    return False
