"""What a fader or a pan knob is set to, read and typed beside it."""

import math
import re
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit

from soli.ui.mixer.fader import HIGHEST_DB, LOWEST_DB

_SILENCE = frozenset({"-∞", "-inf", "∞", "inf", "off"})
_PAN = re.compile(r"([lr]?)\s*([-+]?\d+(?:\.\d*)?)\s*%?\s*([lr]?)")


def gain_of(text: str) -> float | None:
    """The gain in dB that "-3", "+1,5 dB" or "-∞" says, at most HIGHEST_DB, -inf below LOWEST_DB; None where it says none."""
    words = _plain(text).removesuffix("db").strip()
    if words in _SILENCE:
        return -math.inf
    try:
        gain_db = float(words)
    except ValueError:
        return None
    if math.isnan(gain_db):
        return None
    return min(HIGHEST_DB, gain_db) if gain_db >= LOWEST_DB else -math.inf


def pan_of(text: str) -> float | None:
    """The pan from -1 to 1 that "L 30", "-30", "R 12.5" or "C" says, in percent; None where it says none."""
    words = _plain(text)
    if words in {"c", "center", "centre"}:
        return 0.0
    match = _PAN.fullmatch(words)
    if match is None or (match[1] and match[3]):
        return None
    side = -1.0 if "l" in (match[1], match[3]) else 1.0
    return min(1.0, max(-1.0, side * float(match[2]) / 100.0))


def _plain(text: str) -> str:
    return text.strip().casefold().replace("−", "-").replace(",", ".")


class ValueField(QLineEdit):
    """Reads as a label until it is clicked or reached by Tab; what is then typed is a value, if `value_of` finds one in it.

    Enter takes it over and gives the keys back, as Escape does, which leaves all as it was. So does going elsewhere,
    with what was typed taken over.
    """

    typed = Signal(float)
    left = Signal()

    def __init__(self, value_of: Callable[[str], float | None], width: int, tip: str) -> None:
        super().__init__()
        self._value_of = value_of
        self._shown = ""
        self._silent = False
        self._entered = False  # by a click that is not over yet
        self.setObjectName("value")
        self.setFrame(False)
        self.setFixedWidth(width)
        self.setToolTip(tip)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # that of the strip comes instead
        self.editingFinished.connect(self._take)

    def show_value(self, text: str, *, silent: bool) -> None:
        """Say a value; `silent` is one of a strip that is not heard."""
        self._shown = text
        if not self.isModified():
            self.setText(text)
        if silent != self._silent:
            self._silent = silent
            self.setProperty("silent", silent)
            self.style().unpolish(self)
            self.style().polish(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._entered = event.reason() == Qt.FocusReason.MouseFocusReason
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.deselect()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The click that brings the focus selects all, unless it was a drag over some of it."""
        super().mouseReleaseEvent(event)
        if self._entered and not self.hasSelectedText():
            self.selectAll()
        self._entered = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._show_again()
            self.left.emit()
            return
        super().keyPressEvent(event)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.left.emit()

    def _take(self) -> None:
        value = self._value_of(self.text()) if self.isModified() else None
        self._show_again()
        if value is not None:
            self.typed.emit(value)

    def _show_again(self) -> None:
        self.setText(self._shown)  # which says that nothing is modified
