"""The bar on top: title, transport, clock, compare, decompose, master level."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFont, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from soli.playback.player import PlayerStatus
from soli.ui.beats import Beats
from soli.ui.compare_switch import CompareSwitch
from soli.ui.elided_label import ElidedLabel
from soli.ui.mixer.meter import Meter, spoken_level
from soli.ui.roll.ruler import clock
from soli.ui.speed_field import SpeedField
from soli.ui.theme import Theme

HEIGHT = 56
LEAST_WIDTH_FOR_TITLE = 1500
STALE_WORDS = "Decompose again"


EDITED = "   •  edited"


class TransportBar(QWidget):
    """Shows where the music is and how loud; its buttons are the window's actions."""

    def __init__(self, theme: Theme, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self.brand = QLabel("Soli")
        self.brand.setObjectName("brand")
        self.title = ElidedLabel()
        self.title.setObjectName("title")
        left = QHBoxLayout()
        left.setSpacing(12)
        left.addWidget(self.brand)
        left.addWidget(self.title, 1)

        middle = QHBoxLayout()
        middle.setSpacing(6)
        self.buttons = {name: self._button(actions[name]) for name in ("return", "play", "loop", "metronome")}
        for button in self.buttons.values():
            middle.addWidget(button)
        self.buttons["loop"].addAction(actions["loop_exact"])
        self.buttons["loop"].addAction(actions["loop_selection"])
        self.buttons["metronome"].addActions(
            [action for name, action in actions.items() if name.startswith(("click_", "count_in_"))]
        )
        middle.addSpacing(6)
        middle.addWidget(self._clock())
        self.tempo = QLabel()
        self.tempo.setObjectName("quiet")
        self.tempo.setFixedWidth(66)
        self.tempo.setToolTip("Tempo at the playhead, in beats a minute, as fast as it plays now")
        self.speed = SpeedField(theme)
        middle.addWidget(self.speed)
        middle.addSpacing(4)
        middle.addWidget(self.tempo)
        self.compare = CompareSwitch(actions["compare"])
        middle.addWidget(self.compare)

        right = QHBoxLayout()
        right.setSpacing(14)
        self.decompose = QPushButton("Decompose")
        self.decompose.setObjectName("primary")
        self.decompose.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._bind(self.decompose, actions["decompose"])
        right.addStretch(1)
        right.addWidget(self.decompose)
        self.master = Meter(
            theme,
            bars=2,
            bar_height=5,
            has_rms=False,
            about="Peaks of what is heard, left and right; the number is the loudest of late. A click clears the clip light",
        )
        self.master.setAccessibleName("Level of the mix")
        self.master.setFixedWidth(132)
        self.peak = QLabel("−∞ dBFS")
        self.peak.setObjectName("quiet")
        self.peak.setFixedWidth(76)
        self.peak.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        right.addWidget(self.master, 0, Qt.AlignmentFlag.AlignVCenter)
        right.addWidget(self.peak)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 0, 16, 0)
        layout.setSpacing(16)
        layout.addLayout(left, 3)
        layout.addLayout(middle)
        layout.addLayout(right, 3)
        theme.changed.connect(self._retheme)
        self._retheme()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the clock stays whole and the rest makes room."""
        width = event.size().width()
        self.tempo.setVisible(width >= 1080)
        self.place.setVisible(width >= 1040)
        self.brand.setVisible(width >= LEAST_WIDTH_FOR_TITLE)
        self.title.setVisible(width >= LEAST_WIDTH_FOR_TITLE)
        self.master.setFixedWidth(132 if width >= 1180 else 70)
        super().resizeEvent(event)

    def show_title(self, title: str, *, edited: bool) -> None:
        self.title.show_words(title, EDITED if edited and title else "")

    def show_stale(self, *, separated: bool, stale: bool) -> None:
        """The button is loud while there is something to hear that is not heard yet."""
        self.decompose.setText(STALE_WORDS if separated and stale else "Decompose")
        role = "quietly" if separated and not stale else "primary"
        if self.decompose.objectName() != role:
            self._set_role(role)

    def show_speed(self, speed: float, *, busy: bool) -> None:
        """Say how fast it plays, and whether that is still being prepared."""
        self.speed.show_speed(speed, busy=busy)

    def show_status(self, status: PlayerStatus, beats: Beats) -> None:
        self.time.setText(clock(status.position_s, decimals=3))
        self.place.setText(beats.place(status.position_s))
        tempo = beats.tempo_bpm(status.position_s)
        self.tempo.setText(f"♩ = {tempo * self.speed.speed:.0f}" if tempo is not None else "")
        left, right = status.master_peak
        self.master.show_levels([left, right], [left, right])
        self.peak.setText(spoken_level(self.master.held_db))

    def _clock(self) -> QFrame:
        frame = QFrame()
        frame.setObjectName("clock")
        frame.setAccessibleName("Position")
        frame.setFixedHeight(36)
        self.time = QLabel("0:00.000")
        self.place = QLabel()
        self.place.setObjectName("quiet")
        self.place.setFixedWidth(86)
        row = QHBoxLayout(frame)
        row.setContentsMargins(13, 0, 8, 0)
        row.setSpacing(11)
        row.addWidget(self.time)
        row.addWidget(self.place)
        return frame

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        button.setIconSize(QSize(20, 20))
        button.setFixedSize(40, 36)
        button.setAccessibleName(action.iconText())
        return button

    def _bind(self, button: QPushButton, action: QAction) -> None:
        """A push button that does, shows and enables what the action does."""

        def follow() -> None:
            button.setEnabled(action.isEnabled())
            button.setChecked(action.isChecked())
            button.setToolTip(action.toolTip())

        button.clicked.connect(action.trigger)
        action.changed.connect(follow)
        action.toggled.connect(lambda _: follow())
        follow()

    def _retheme(self) -> None:
        self.time.setFont(self._theme.font(14, weight=QFont.Weight.DemiBold, figures=True))
        self.time.setFixedWidth(self.time.fontMetrics().horizontalAdvance("00:00.000") + 2)
        for label in (self.place, self.tempo, self.peak):
            label.setFont(self._theme.font(9, figures=True))
        self.title.setFont(self._theme.font(10))
        self._keep_room()

    def _keep_room(self) -> None:
        """The button is as wide as its longest words, so that nothing moves when it says them."""
        button, words, role = self.decompose, self.decompose.text(), self.decompose.objectName()
        button.setMinimumWidth(0)
        button.setText(STALE_WORDS)
        self._set_role("primary")
        button.setMinimumWidth(button.sizeHint().width())
        button.setText(words)
        self._set_role(role)

    def _set_role(self, role: str) -> None:
        self.decompose.setObjectName(role)
        self.decompose.style().unpolish(self.decompose)
        self.decompose.style().polish(self.decompose)
