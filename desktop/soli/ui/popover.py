"""A small form over the roll, there while the focus is in it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from soli.ui.theme import Theme

MARGIN_PX = 12


class Popover(QFrame):
    """Lies over `roll` until the focus goes elsewhere, or Escape gives it back."""

    def __init__(self, theme: Theme, roll: QWidget, name: str) -> None:
        super().__init__(roll)
        self._roll = roll
        self.hide()
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setObjectName("popover")
        self.setAccessibleName(name)
        self.setFont(theme.font())
        roll.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow_focus)

    def place(self) -> None:
        """Go to where it belongs on the roll."""
        raise NotImplementedError

    def holds(self, widget: QWidget) -> bool:
        """Whether the focus may be there without closing it."""
        return self.isAncestorOf(widget)

    def come(self, first: QWidget) -> None:
        """Appear, with the focus in `first`."""
        self.place()
        self.show()
        self.raise_()
        first.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Go away, and give the focus back to the roll."""
        self.hide()
        self._roll.setFocus(Qt.FocusReason.PopupFocusReason)

    def focusNextPrevChild(self, next_child: bool) -> bool:
        """Tab goes round within; the roll would take it for its notes."""
        widget = here = self.focusWidget() or self
        while True:
            neighbour = widget.nextInFocusChain() if next_child else widget.previousInFocusChain()
            if neighbour is None or neighbour is here:
                return False
            widget = neighbour
            by_tab = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
            if by_tab and self.isAncestorOf(widget) and widget.isVisible() and widget.isEnabled():
                reason = Qt.FocusReason.TabFocusReason if next_child else Qt.FocusReason.BacktabFocusReason
                widget.setFocus(reason)
                return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.place()
        return super().eventFilter(watched, event)

    def _follow_focus(self, _former: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.isVisible() and not self.holds(now):
            self.hide()
