"""The title of the piece at the right end of the menu bar, for windows whose other bars have no room for it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QMenuBar

from soli.ui.elided_label import ElidedLabel
from soli.ui.theme import Theme

MARGIN_PX = 18
APART_PX = 24  # from the last menu


class CornerTitle(ElidedLabel):
    """As wide as its words, or as what the menus leave. Where the menus lie outside of the window it never shows."""

    def __init__(self, bar: QMenuBar, theme: Theme) -> None:
        super().__init__()
        self._bar, self._theme = bar, theme
        self._wanted = False
        self.setObjectName("title")
        self.setContentsMargins(0, 0, MARGIN_PX, 0)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        bar.setCornerWidget(self, Qt.Corner.TopRightCorner)
        bar.installEventFilter(self)
        theme.changed.connect(self._retheme)
        self._retheme()

    def show_words(self, words: str, mark: str = "") -> None:
        super().show_words(words, mark)
        self._place()

    def use(self, wanted: bool) -> None:
        """Whether the title is to be here."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        menus = self._bar.actions()
        shown = self._wanted and bool(self.words) and not self._bar.isNativeMenuBar()
        self.setVisible(shown)
        if not (shown and menus):
            return
        last = self._bar.actionGeometry(menus[-1])
        width = max(0, min(self.whole_width, self._bar.width() - last.right() - APART_PX))
        if (width, last.bottom() + 1) != (self.width(), self.height()):
            self.setFixedSize(width, last.bottom() + 1)
            self._bar.setCornerWidget(self, Qt.Corner.TopRightCorner)  # lays it out again
            self.show()

    def _retheme(self) -> None:
        self.setFont(self._theme.font(10))
        self._place()
