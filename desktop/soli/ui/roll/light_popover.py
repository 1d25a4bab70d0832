"""Brightness and contrast of the spectrogram, as two sliders over a corner of the roll."""

from math import log

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QSlider, QWidget

from soli.ui.theme import Theme

BRIGHTEST = 1.0
CONTRASTS = (0.2, 5.0)
STEPS = 100  # of a slider to either side of its middle
MARGIN_PX = 12


class LightPopover(QFrame):
    """Closes when something else is clicked. `changed` carries brightness (-1 to 1) and contrast (0.2 to 5) as they are moved."""

    changed = Signal(float, float)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._roll = parent
        self.setObjectName("popover")
        self.setAccessibleName("Brightness and contrast of the spectrogram")
        self.brightness, self.contrast = (QSlider(Qt.Orientation.Horizontal) for _ in range(2))
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 12, 14, 12)
        grid.setHorizontalSpacing(12)
        for row, (name, slider) in enumerate((("&Brightness", self.brightness), ("&Contrast", self.contrast))):
            slider.setRange(-STEPS, STEPS)
            slider.setPageStep(STEPS // 10)
            slider.setMinimumWidth(180)
            slider.setAccessibleName(f"{name.replace('&', '')} of the spectrogram")
            slider.valueChanged.connect(self._tell)
            label = QLabel(name)
            label.setBuddy(slider)
            grid.addWidget(label, row, 0)
            grid.addWidget(slider, row, 1)
        self.reset = QPushButton("As at first")
        self.reset.setToolTip("Neither brighter nor darker, and plain contrast")
        self.reset.clicked.connect(lambda: self.show_light(0.0, 1.0, tell=True))
        grid.addWidget(self.reset, 2, 1, Qt.AlignmentFlag.AlignRight)
        self.setFont(theme.font())

    def open_over(self, brightness: float, contrast: float) -> None:
        """Show the light as it is, in the upper right corner of the roll."""
        self.show_light(brightness, contrast)
        self.adjustSize()
        corner = self._roll.mapToGlobal(QPoint(self._roll.width() - self.width() - MARGIN_PX, MARGIN_PX))
        self.move(corner)
        self.show()
        self.brightness.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_light(self, brightness: float, contrast: float, *, tell: bool = False) -> None:
        for slider, part in ((self.brightness, brightness / BRIGHTEST), (self.contrast, log(contrast) / log(CONTRASTS[1]))):
            slider.blockSignals(True)
            slider.setValue(round(STEPS * part))
            slider.blockSignals(False)
        if tell:
            self._tell()

    def _tell(self) -> None:
        # A factor of five either way: as far to the left as to the right.
        self.changed.emit(self.brightness.value() / STEPS * BRIGHTEST, CONTRASTS[1] ** (self.contrast.value() / STEPS))
