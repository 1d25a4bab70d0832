"""A line of text that ends in an ellipsis where there is no room for all of it."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from soli.ui.plain import plain


class ElidedLabel(QLabel):
    """Takes the room that it is given; what does not fit is told by the tooltip and to a screen reader."""

    def __init__(self) -> None:
        super().__init__()
        self._words, self._mark = "", ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_words(self, words: str, mark: str = "") -> None:
        """Show `words`, cut as needed, and `mark` behind them, which stays whole."""
        self._words, self._mark = words, mark
        self.setAccessibleName(f"{words}{mark}")
        self._fit()

    @property
    def words(self) -> str:
        """All that it is to say."""
        return f"{self._words}{self._mark}"

    @property
    def whole_width(self) -> int:
        """The width, in pixels, in which nothing is cut."""
        margins = self.contentsMargins()
        return self.fontMetrics().horizontalAdvance(self.words) + margins.left() + margins.right() + 2

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        room = self.contentsRect().width() - metrics.horizontalAdvance(self._mark)
        words = metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, room)
        self.setText(f"{words}{self._mark}")
        self.setToolTip(plain(self._words) if words != self._words else "")
