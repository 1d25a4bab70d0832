"""Where the loop begins and ends, typed: in bars and beats of the score, or in minutes and seconds of the recording."""

import re
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from soli.playback.transport import SHORTEST_LOOP_S
from soli.ui.beats import Beats, time_of
from soli.ui.popover import MARGIN_PX, Popover
from soli.ui.roll.ruler import clock
from soli.ui.theme import Theme

BARS, SECONDS = "Bars and beats", "Minutes and seconds"
_PLACE = re.compile(r"(?:bar)?\s*(\d+)(?:[\s.·:,]+(\d+(?:[.,]\d+)?))?")
_TIME = re.compile(r"(?:(\d+):)?(\d+(?:[.,]\d*)?)\s*s?")


def place_text(beats: Beats, time_s: float) -> str:
    """A time as bar and beat, "6.2.5" for halfway between the second beat of bar 6 and the third; "" before the first bar."""
    index = beats.at(time_s + 1e-6)
    if index is None:
        return ""
    following = float(beats.time_s[index + 1]) if index + 1 < len(beats) else float(beats.time_s[index]) + _last_step(beats)
    part = (time_s - float(beats.time_s[index])) / max(following - float(beats.time_s[index]), 1e-6)
    rest = f"{min(max(part, 0.0), 0.999):.3f}"[1:].rstrip("0").rstrip(".")
    return f"{beats.bar[index]}.{beats.beat[index]}{rest}"


def time_of_place(beats: Beats, text: str) -> float | None:
    """Seconds of the recording of "6", "6.2" or "6.2.5"; None where it is no place of the score."""
    match = _PLACE.fullmatch(text.strip().casefold())
    if match is None or not len(beats):
        return None
    bar, beat = int(match[1]), float((match[2] or "1").replace(",", "."))
    if bar == int(beats.bar[-1]) + 1 and beat == 1.0:  # where the last bar ends
        return float(beats.time_s[-1]) + _last_step(beats)
    return time_of(beats, bar, beat)


def time_of_clock(text: str) -> float | None:
    """Seconds of "83.5" or "1:23.5"; None where it is no time."""
    match = _TIME.fullmatch(text.strip().casefold())
    return None if match is None else 60.0 * int(match[1] or 0) + float(match[2].replace(",", "."))


def _last_step(beats: Beats) -> float:
    return float(beats.time_s[-1] - beats.time_s[-2]) if len(beats) > 1 else 0.5


class LoopPopover(Popover):
    """`chosen` carries beginning and end in seconds of the recording, `ended` that nothing is to be repeated."""

    chosen = Signal(float, float)
    ended = Signal()

    def __init__(
        self, theme: Theme, roll: QWidget, beats: Callable[[], Beats], loop: Callable[[], tuple[float, float] | None]
    ) -> None:
        super().__init__(theme, roll, "Loop from and to")
        self._beats, self._loop = beats, loop
        self.start, self.end = QLineEdit(), QLineEdit()
        self.unit = QComboBox()
        self.unit.setAccessibleName("Loop given in")
        self.unit.currentTextChanged.connect(lambda _: self._fill())
        self.problem = QLabel()
        self.problem.setObjectName("problem")
        self.problem.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 12, 14, 12)
        grid.setHorizontalSpacing(10)
        for row, (name, field) in enumerate((("&From", self.start), ("&To", self.end))):
            label = QLabel(name)
            label.setBuddy(field)
            field.setAccessibleName(f"Loop {name.replace('&', '').lower()}")
            field.setFixedWidth(190)
            field.returnPressed.connect(self._apply)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        label = QLabel("&In")
        label.setBuddy(self.unit)
        grid.addWidget(label, 2, 0)
        grid.addWidget(self.unit, 2, 1)
        grid.addWidget(self.problem, 3, 0, 1, 2)
        self.apply = QPushButton("Loop")
        self.apply.setObjectName("primary")
        self.apply.setToolTip("Repeat this (Enter)")
        self.apply.clicked.connect(self._apply)
        self.none = QPushButton("No loop")
        self.none.clicked.connect(self._end)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.none)
        buttons.addWidget(self.apply)
        grid.addLayout(buttons, 4, 0, 1, 2)

    def toggle(self) -> None:
        if self.isVisible():
            self.leave()
        else:
            self.open()

    def open(self) -> None:
        """Show the loop as it is, to be typed anew."""
        kept, units = self.unit.currentText(), [BARS, SECONDS] if len(self._beats()) else [SECONDS]
        if any(not place_text(self._beats(), time_s) for time_s in self._loop() or ()):
            kept = SECONDS  # no bar has begun there
        self.unit.blockSignals(True)
        self.unit.clear()
        self.unit.addItems(units)
        self.unit.setCurrentText(kept if kept in units else units[0])
        self.unit.blockSignals(False)
        self._fill()
        self.come(self.start)
        self.start.selectAll()

    def _fill(self) -> None:
        """Say where the loop is, in the unit that is chosen."""
        bars, loop = self.unit.currentText() == BARS, self._loop()
        for field, time_s in zip((self.start, self.end), loop or (None, None), strict=True):
            text = "" if time_s is None else place_text(self._beats(), time_s) if bars else clock(time_s, decimals=3)
            field.setText(text)
            field.setPlaceholderText("bar.beat, as 6.2 or 6.2.5" if bars else "m:ss.mmm, or seconds")
        self.none.setEnabled(loop is not None)
        self._say("")

    def _apply(self) -> None:
        bars = self.unit.currentText() == BARS
        times: list[float] = []
        for name, field in (("From", self.start), ("To", self.end)):
            time_s = time_of_place(self._beats(), field.text()) if bars else time_of_clock(field.text())
            if time_s is None:
                self._say(f"{name}: {'no such bar and beat in the score' if bars else 'no time, such as 83.5 or 1:23.5'}")
                field.setFocus(Qt.FocusReason.OtherFocusReason)
                field.selectAll()
                return
            times.append(time_s)
        start_s, end_s = times
        if end_s - start_s < SHORTEST_LOOP_S - 1e-9:
            self._say(f"The end must come {1000 * SHORTEST_LOOP_S:.0f} ms after the beginning, or later")
            return
        self._say("")
        self.chosen.emit(start_s, end_s)
        self.leave()

    def _end(self) -> None:
        self.ended.emit()
        self.leave()

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.adjustSize()

    def place(self) -> None:
        """In the middle at the top."""
        self.adjustSize()
        self.move(max(MARGIN_PX, (self._roll.width() - self.width()) // 2), MARGIN_PX)

    def holds(self, widget: QWidget) -> bool:
        return super().holds(widget) or widget is self.unit.view()
