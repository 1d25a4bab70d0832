"""What a screen reader should say at once, wherever the focus is."""

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtWidgets import QWidget


def announce(widget: QWidget, text: str) -> None:
    """Have `text` said, for `widget`, when the user has finished what they do."""
    if text and QAccessible.isActive():
        tell(QAccessibleAnnouncementEvent(widget, text))


def tell(event: QAccessibleEvent) -> None:
    """Hand an event to the screen reader."""
    QAccessible.updateAccessibility(event)
