"""Brightness and contrast of the spectrogram, as two sliders over a corner of the roll."""

from math import log

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSlider, QWidget

from soli.ui.popover import MARGIN_PX, Popover
from soli.ui.theme import Theme

BRIGHTEST = 1.0
CONTRASTS = (0.2, 5.0)
STEPS = 100  # of a slider to either side of its middle


class LightPopover(Popover):
    """`changed` carries brightness (-1 to 1) and contrast (0.2 to 5) as they are moved."""

    changed = Signal(float, float)

    def __init__(self, theme: Theme, roll: QWidget) -> None:
        super().__init__(theme, roll, "Brightness and contrast of the spectrogram")
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
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Neither brighter nor darker, and plain contrast")
        self.reset.clicked.connect(lambda: self.show_light(0.0, 1.0, tell=True))
        grid.addWidget(self.reset, 2, 1, Qt.AlignmentFlag.AlignRight)

    def toggle(self, brightness: float, contrast: float) -> None:
        """Show the light as it is, in the upper right corner of the roll; or go away."""
        if self.isVisible():
            self.leave()
            return
        self.show_light(brightness, contrast)
        self.come(self.brightness)

    def show_light(self, brightness: float, contrast: float, *, tell: bool = False) -> None:
        for slider, part in ((self.brightness, brightness / BRIGHTEST), (self.contrast, log(contrast) / log(CONTRASTS[1]))):
            slider.blockSignals(True)
            slider.setValue(round(STEPS * part))
            slider.blockSignals(False)
        if tell:
            self._tell()

    def place(self) -> None:
        """In the upper right corner."""
        self.adjustSize()
        self.move(self._roll.width() - self.width() - MARGIN_PX, MARGIN_PX)

    def _tell(self) -> None:
        # A factor of five either way: as far to the left as to the right.
        self.changed.emit(self.brightness.value() / STEPS * BRIGHTEST, CONTRASTS[1] ** (self.contrast.value() / STEPS))
