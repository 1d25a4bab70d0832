"""The right of the export dialog: which stretch, as what kind of file, and at which level."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QSizePolicy, QVBoxLayout, QWidget

from soli.project.export import NORMAL_PEAK_DBFS
from soli.signal.encoding import bits, writable
from soli.ui.dialogs.export_what import titled

FORM_NAMES = {
    "wav32f": "WAV, 32-bit float (exact)",
    "wav24": "WAV, 24-bit",
    "wav16": "WAV, 16-bit",
    "flac": "FLAC, 24-bit",
    "flac16": "FLAC, 16-bit",
    "ogg": "OGG Vorbis (lossy)",
    "mp3": "MP3 (lossy)",
}
RATES = (22050, 44100, 48000, 88200, 96000)
Range = tuple[float, float]


class How(QWidget):
    """Range, format, rate, dither and level. `changed` with every choice.

    rate: that of the recording in Hz, duration_s its length. ranges: other stretches than the whole, by what they are called.
    """

    changed = Signal()

    def __init__(self, rate: int, duration_s: float, ranges: Mapping[str, Range | None]) -> None:
        super().__init__()
        self.range = QComboBox()
        self.range.setAccessibleName("Range")
        self.range.setToolTip("Which stretch of the recording the files hold")
        self.range.addItem(f"Whole recording, {clock(duration_s)}", None)
        for name, stretch in ranges.items():
            if stretch is not None:
                self.range.addItem(f"{name}, {clock(stretch[0])} to {clock(stretch[1])}", stretch)
        self.form = QComboBox()
        self.form.setAccessibleName("File format")
        for form in writable():
            self.form.addItem(FORM_NAMES[form], form)
        self.rate = QComboBox()
        self.rate.setAccessibleName("Sample rate")
        self.rate.addItem(f"As the recording, {rate} Hz", None)
        for other in RATES:
            if other != rate:
                self.rate.addItem(f"{other} Hz", other)
        self.dither = QCheckBox("Dither")
        self.dither.setToolTip("A whisper of noise instead of the grit of rounding, in what is rounded to whole numbers")
        self.dither.setChecked(True)
        self.normalise = QCheckBox(f"Normalise together to {NORMAL_PEAK_DBFS:.0f} dBFS".replace("-", "−"))
        self.normalise.setToolTip("One gain for all files, so that the loudest peaks there and they still add up")
        self.range.currentIndexChanged.connect(self.changed)
        self.form.currentIndexChanged.connect(self._follow)
        self.rate.currentIndexChanged.connect(self.changed)
        self.dither.toggled.connect(self.changed)
        self.normalise.toggled.connect(self.changed)

        for choice in (self.range, self.form, self.rate):
            choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(14)
        rows.setVerticalSpacing(8)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        rows.addRow("Range", self.range)
        rows.addRow("Format", self.form)
        rows.addRow("Sample rate", self.rate)
        rows.addRow("", self.dither)
        rows.addRow("", self.normalise)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(titled("FILES"))
        layout.addLayout(rows)

    @property
    def range_s(self) -> Range | None:
        chosen: Range | None = self.range.currentData()
        return chosen

    @property
    def chosen_form(self) -> str:
        return str(self.form.currentData())

    @property
    def chosen_rate(self) -> int | None:
        chosen: int | None = self.rate.currentData()
        return chosen

    @property
    def peak_dbfs(self) -> float | None:
        return NORMAL_PEAK_DBFS if self.normalise.isChecked() else None

    def show_choices(self, form: str, choices: Mapping[str, Any]) -> None:
        """Choose what was chosen the last time, as far as there is such a thing."""
        self.form.setCurrentIndex(max(0, self.form.findData(form)))
        self.rate.setCurrentIndex(max(0, self.rate.findData(choices.get("rate"))))
        self.dither.setChecked(choices.get("dither", True) is not False)
        self.normalise.setChecked(choices.get("normalise") is True)
        self._follow()

    def _follow(self) -> None:
        self.dither.setEnabled(bits(self.chosen_form) is not None)
        self.changed.emit()


def clock(time_s: float) -> str:
    """A time as minutes, seconds and hundredths: 1:02.50."""
    hundredths = round(time_s * 100)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
