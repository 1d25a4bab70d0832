"""The rail at the left edge: the tools, each with the digit that picks it, and what times snap to."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QSpacerItem, QToolButton, QVBoxLayout, QWidget

from soli.ui.actions import Actions
from soli.ui.keymap import NATIVE, native
from soli.ui.roll.snapping import MODES, Snapping
from soli.ui.theme import Theme

WIDTH = 48
BUTTON = QSize(36, 34)
LEAST_BUTTON_HEIGHT = 25
GAP = 5


class ToolRail(QWidget):
    """One button a tool, and one with the menu of what to snap to; they draw together in a low window."""

    def __init__(self, theme: Theme, actions: Actions, snapping: Snapping) -> None:
        super().__init__()
        self._theme, self._actions, self._snapping = theme, actions, snapping
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self._captions: list[QLabel] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(5, 6, 5, 4)
        self._layout.setSpacing(0)
        for action in actions.tools:
            self._add_tool(action)
        self._layout.addStretch()
        self.snap = QToolButton()
        self._snap_caption = self._add(self.snap)
        self.snap.setCheckable(True)
        self.snap.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.snap)
        for mode in MODES:
            menu.addAction(actions[f"snap_{mode.key}"])
        self.snap.setMenu(menu)
        snapping.changed.connect(self._show_snapping)
        actions["snap_next"].changed.connect(self._show_snapping)
        theme.changed.connect(self._retheme)
        self._retheme()

    def _add_tool(self, action: QAction) -> None:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setAccessibleName(f"{action.iconText()} tool")
        caption = self._add(button)

        def follow() -> None:
            caption.setText(action.shortcut().toString(NATIVE))

        action.changed.connect(follow)
        follow()

    def _add(self, button: QToolButton) -> QLabel:
        button.setIconSize(QSize(20, 20))
        button.setFixedWidth(BUTTON.width())
        button.setMinimumHeight(LEAST_BUTTON_HEIGHT)
        button.setMaximumHeight(BUTTON.height())
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        caption = QLabel()
        caption.setObjectName("quiet")
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        caption.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._captions.append(caption)
        self._layout.addWidget(button, 10, Qt.AlignmentFlag.AlignHCenter)
        self._layout.addWidget(caption)
        self._layout.addSpacerItem(QSpacerItem(0, GAP, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Maximum))
        return caption

    def _show_snapping(self) -> None:
        """The button says what times snap to, and the menus mark it."""
        mode = self._snapping.mode
        for other in MODES:
            self._actions[f"snap_{other.key}"].setChecked(other is mode)
        waits = "; they are being looked for" if self._snapping.finding else ""
        self.snap.setChecked(mode.key != "off")
        self.snap.setAccessibleName(f"Snap to: {mode.name}")
        keys = ", ".join(native(key) for key in self._actions.keymap.keys("snap_next"))
        self.snap.setToolTip(f"Snap to: {mode.name}{waits} ({keys} for the next; Alt ignores it while dragging)")
        self._snap_caption.setText(mode.short)

    def _retheme(self) -> None:
        for caption in self._captions:
            caption.setFont(self._theme.font(7.5, figures=True))
        self.snap.setIcon(self._theme.icon("snap"))
        self._show_snapping()
