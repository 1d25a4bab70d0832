"""What a menu says of the entry under the pointer: what it does beyond its words, and why it can do nothing now."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction, QHelpEvent
from PySide6.QtWidgets import QMenu, QToolTip

from soli.ui.plain import plain


class MenuTips(QObject):
    """Filters the events of menus. `remark` gives the words of an action, "" for none."""

    def __init__(self, parent: QObject, remark: Callable[[QAction], str]) -> None:
        super().__init__(parent)
        self._remark = remark

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(watched, QMenu) or not isinstance(event, QHelpEvent):
            return False
        action = watched.actionAt(event.pos())
        text = self._remark(action) if action is not None else ""
        if not text:
            return False  # entries that are no commands may have tips of their own
        QToolTip.showText(event.globalPos(), plain(text), watched, watched.actionGeometry(action))
        return True
