"""What the roll says while files are dragged over the window: what a drop would do."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from soli.project.storage import SUFFIX
from soli.signal.audio import READABLE
from soli.ui.session import SCORES
from soli.ui.theme import Theme

MARGIN = 10
LONGEST_NAME = 48


class DropZone(QWidget):
    """Lies over the roll, seen only while something is dragged; the pointer goes through it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def welcome(self, paths: Sequence[Path]) -> None:
        """Say what dropping these files would do."""
        self.text = what_a_drop_does(paths)
        self.setAccessibleName(self.text)
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), self._theme.colour("canvas", 190))
            painter.setPen(QPen(self._theme.colour("accent"), 2.0))
            frame = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
            painter.drawRoundedRect(frame, 12, 12)
            painter.setFont(self._theme.font(15, weight=QFont.Weight.DemiBold))
            painter.setPen(self._theme.colour("ink"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(frame.adjusted(24, 0, -24, 0), int(flags), self.text)


def what_a_drop_does(paths: Sequence[Path]) -> str:
    """In words for the user; the files are judged by their names alone."""
    suffixes = [path.suffix.lower() for path in paths]
    strange = [p for p, suffix in zip(paths, suffixes, strict=True) if suffix not in (*READABLE, *SCORES, SUFFIX)]
    if strange:
        return f"Soli cannot open {_short(strange[0].name)}"
    if SUFFIX in suffixes:
        return f"Drop to open the project {_short(paths[suffixes.index(SUFFIX)].stem)}"
    scores = sum(suffix in SCORES for suffix in suffixes)
    recordings = len(paths) - scores
    if scores > 1 or recordings > 1:
        return "Drop one recording and its score"
    if scores and recordings:
        return "Drop to open the recording with its score"
    return f"Drop to open {_short(paths[0].name)}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 13]}…{name[-12:]}"
