"""A message over the roll: one sentence, what to do about it, and a way to close it. It never blocks the work."""

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from soli.ui.theme import Theme

INFORMATION_MS = 7000
READ_S = 4.0  # how long an error stays before anything may take its place
ICONS = {"error": ("warning", "bad"), "warning": ("warning", "warn"), "information": ("check", "good")}


class Banner(QFrame):
    """Errors and warnings stay until closed; information goes by itself."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._parent = theme, parent
        self._kind = "information"
        self._said_s = 0.0
        self._waiting: list[tuple[str, str, str, Callable[[], None] | None]] = []
        self._act: Callable[[], None] | None = None
        self.setObjectName("banner")
        self.icon = QLabel()
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.action = QPushButton()
        self.action.setObjectName("link")
        self.action.clicked.connect(self._do)
        self.close_button = QToolButton()
        self.close_button.setToolTip("Close this message")
        self.close_button.setAccessibleName("Close this message")
        self.close_button.clicked.connect(self._next)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(13, 7, 7, 7)
        layout.setSpacing(10)
        layout.addWidget(self.icon)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.action)
        layout.addWidget(self.close_button)
        self._timer = QTimer(self, singleShot=True, interval=INFORMATION_MS)
        self._timer.timeout.connect(self._next)
        theme.changed.connect(self._retheme)
        self.hide()

    def say(self, kind: str, text: str, *, action: str = "", act: Callable[[], None] | None = None) -> None:
        """Show a sentence. `kind` is "error", "warning" or "information"; `action` names a button that calls `act`.

        A fresh error is not covered by anything less: that comes when the error is closed.
        """
        fresh = self.isVisible() and self._kind == "error" and time.perf_counter() - self._said_s < READ_S
        if fresh and kind != "error":
            self._waiting.append((kind, text, action, act))
            return
        self._kind, self._act, self._said_s = kind, act, time.perf_counter()
        self.text.setText(text)
        self.setAccessibleName(f"{kind}: {text}")
        self.action.setText(action)
        self.action.setVisible(bool(action))
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self._retheme()
        self.show()
        self.raise_()
        self.place()
        if kind == "information":
            self._timer.start()
        else:
            self._timer.stop()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def take_back(self, text: str) -> None:
        """What was said holds no longer."""
        self._waiting = [said for said in self._waiting if said[1] != text]
        if not self.isHidden() and self.text.text() == text:
            self._next()

    def place(self) -> None:
        """Lie in the middle of the parent's top."""
        parent = self._parent
        width = min(640, parent.width() - 40)
        self.setFixedWidth(max(200, width))
        layout = self.layout()
        assert layout is not None
        self.setFixedHeight(max(46, layout.totalHeightForWidth(self.width())))
        self.move((parent.width() - self.width()) // 2, 14)

    def clear(self) -> None:
        """Nothing that was said holds any longer."""
        self._waiting.clear()
        self.hide()

    def _next(self) -> None:
        self.hide()
        if self._waiting:
            kind, text, action, act = self._waiting.pop(0)
            self.say(kind, text, action=action, act=act)

    def _do(self) -> None:
        self._next()
        if self._act is not None:
            self._act()

    def _retheme(self) -> None:
        name, colour = ICONS[self._kind]
        self.icon.setPixmap(self._theme.pixmap(name, getattr(self._theme.colours, colour), 20))
        self.close_button.setIcon(self._theme.icon("close"))
