"""A drawer below the roll: pages that share its time axis or explain it, opened one at a time."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from soli.ui.theme import Theme

HEIGHT = 208


class Drawer(QWidget):
    """Pages with a tab each. `show_page` opens one, and closes the drawer when that one is open already."""

    page_changed = Signal(int)  # -1 when the drawer is closed
    left = Signal()  # it was closed while the keyboard was in it

    def __init__(self, pages: Sequence[tuple[str, QWidget]], theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("drawer")
        self.setFixedHeight(HEIGHT)
        self._stack = QStackedWidget()
        tabs = QHBoxLayout()
        tabs.setContentsMargins(10, 4, 8, 2)
        tabs.setSpacing(4)
        self._tabs: list[QToolButton] = []
        for index, (name, page) in enumerate(pages):
            self._stack.addWidget(page)
            tab = QToolButton()
            tab.setObjectName("tab")
            tab.setText(name)
            tab.setCheckable(True)
            tab.clicked.connect(lambda _=False, i=index: self.open(i))
            tabs.addWidget(tab)
            self._tabs.append(tab)
        tabs.addStretch()
        self.close_button = QToolButton()
        self.close_button.setObjectName("tab")
        self.close_button.setToolTip("Close this drawer")
        self.close_button.setAccessibleName("Close this drawer")
        self.close_button.clicked.connect(self.shut)
        tabs.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(tabs)
        layout.addWidget(self._stack, 1)
        theme.changed.connect(self._retheme)
        self._retheme()
        self.hide()

    @property
    def page(self) -> int:
        """The open page, or -1."""
        return self._stack.currentIndex() if self.isVisible() else -1

    def toggle(self, index: int) -> None:
        if self.page == index:
            self.shut()
        else:
            self.open(index)

    def open(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.show()
        self._tell()

    def open_page(self, page: QWidget) -> None:
        """Open the drawer at one of the widgets it was made of."""
        self.open(self._stack.indexOf(page))

    def shut(self) -> None:
        inside = self.isAncestorOf(self.window().focusWidget() or self)
        self.hide()
        self._tell()
        if inside:
            self.left.emit()

    def _tell(self) -> None:
        for i, tab in enumerate(self._tabs):
            tab.setChecked(i == self.page)
        self.page_changed.emit(self.page)

    def _retheme(self) -> None:
        self.close_button.setIcon(self._theme.icon("close"))
