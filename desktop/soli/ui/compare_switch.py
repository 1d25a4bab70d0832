"""Mix or original: says which of them is heard, and changes over."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget


class CompareSwitch(QWidget):
    """Two halves, the one that is heard is lit. `action` is checked while the original is heard."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._action = action
        self.mix = self._half("Mix", "left", "Hear the mix of the layers")
        self.original = self._half("Original", "right", "Hear the original recording, as loud as the mix")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.mix)
        row.addWidget(self.original)
        self.mix.clicked.connect(lambda: self._choose(False))
        self.original.clicked.connect(lambda: self._choose(True))
        action.changed.connect(self._follow)
        action.toggled.connect(lambda _: self._follow())
        self._follow()

    def _half(self, text: str, side: str, name: str) -> QPushButton:
        half = QPushButton(text)
        half.setObjectName("half")
        half.setProperty("side", side)
        half.setCheckable(True)
        half.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        half.setAccessibleName(name)
        return half

    def _choose(self, original: bool) -> None:
        if self._action.isChecked() != original:
            self._action.trigger()
        self._follow()

    def _follow(self) -> None:
        on, comparing = self._action.isEnabled(), self._action.isChecked()
        for half, heard in ((self.mix, not comparing), (self.original, comparing)):
            half.setEnabled(on)
            half.setChecked(on and heard)
            half.setToolTip(self._action.toolTip() if on else "Decompose first: there is no mix to compare with yet")
