"""What the roll says while it is empty: what to bring, and a way to bring it."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from soli.ui.theme import Theme

INVITATION = "Drop a recording and its score (MIDI or CSV) here"


class Welcome(QWidget):
    """Lies over the canvas until there is a recording or a score. The keyboard begins at its first button."""

    def __init__(self, theme: Theme, parent: QWidget, actions: dict[str, QAction]) -> None:
        super().__init__(parent)
        self._theme, self._parent = theme, parent
        self.setAccessibleName("Begin")
        self.title = QLabel("Hear any notes of a recording on their own")
        self.text = QLabel(INVITATION)
        self.text.setObjectName("quiet")
        self.buttons: list[QPushButton] = []
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        for key, text, primary in (("open", "Open…", True), ("demo", "Try the demo", False)):
            button = QPushButton(text)
            button.setObjectName("primary" if primary else "")
            button.setMinimumHeight(34)
            button.setAutoDefault(True)  # Enter too
            self.buttons.append(button)
            button.clicked.connect(actions[key].trigger)
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch()
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addStretch()
        theme.changed.connect(self._retheme)
        self._retheme()

    def sizeHint(self) -> QSize:
        return QSize(520, 240)

    def show_opening(self, opening: bool) -> None:
        """Say that something is being opened instead of asking for it."""
        if opening:
            self._give_keys_back()
        self.text.setText("Opening…" if opening else INVITATION)
        for button in self.buttons:
            button.setVisible(not opening)

    def setVisible(self, visible: bool) -> None:
        if not visible:
            self._give_keys_back()
        super().setVisible(visible)

    def _give_keys_back(self) -> None:
        # Else the keyboard goes to whatever comes next in the window.
        if any(button.hasFocus() for button in self.buttons):
            self._parent.setFocus(Qt.FocusReason.OtherFocusReason)

    def place(self) -> None:
        """Stand in the middle of the parent."""
        parent = self._parent
        size = self.sizeHint().boundedTo(parent.size() - QSize(24, 24))
        self.resize(size)
        self.move((parent.width() - size.width()) // 2, (parent.height() - size.height()) // 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour("faint", 150), 1.4, Qt.PenStyle.DashLine))
            painter.setBrush(self._theme.colour("surface", 200))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 14, 14)

    def _retheme(self) -> None:
        self.title.setFont(self._theme.font(15, weight=QFont.Weight.DemiBold))
        self.text.setFont(self._theme.font(10.5))
        self.update()
