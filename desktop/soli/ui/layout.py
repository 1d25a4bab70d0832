"""Where the parts of the window lie: transport on top, roll and drawer in the middle, strips at the right."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from soli.ui.mixer.mixer_panel import MixerPanel
from soli.ui.mixer.side_scroll import SideScroll

SIDE_WIDTH = 296
STATUS_HEIGHT = 26


def side_bar(mixer: MixerPanel, *pinned: QWidget) -> QWidget:
    """The strips, and under them what is `pinned`: strips scroll, what a run does stays in sight."""
    side = _surface("side")
    inner = QWidget()
    strips = QVBoxLayout(inner)
    strips.setContentsMargins(12, 12, 12, 4)
    strips.addWidget(mixer)
    strips.addStretch()
    scroll = QScrollArea()
    scroll.setObjectName("sideScroll")
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(inner)
    under = QVBoxLayout()
    under.setContentsMargins(12, 8, 12, 12)
    under.setSpacing(12)
    for widget in pinned:
        under.addWidget(widget)
    around = QVBoxLayout(side)
    around.setContentsMargins(1, 0, 0, 0)
    around.setSpacing(0)
    around.addWidget(scroll, 1)
    around.addLayout(under)
    mixer.shown.connect(lambda strip: scroll.ensureWidgetVisible(strip, 0, 12))
    dragged = SideScroll(scroll)
    mixer.drag_held.connect(dragged.hold)
    dragged.scrolled.connect(mixer.drag_on)
    side.setFixedWidth(SIDE_WIDTH)
    return side


def status_bar(hint: QLabel, summary: QLabel) -> QWidget:
    """The line at the bottom: what the pointer would do, and what the piece is made of."""
    status = _surface("statusbar")
    status.setFixedHeight(STATUS_HEIGHT)
    line = QHBoxLayout(status)
    line.setContentsMargins(14, 0, 14, 0)
    hint.setObjectName("quiet")
    hint.setMinimumWidth(80)
    summary.setObjectName("quiet")
    line.addWidget(hint, 1)
    line.addWidget(summary)
    return status


def central(*, transport: QWidget, rail: QWidget, roll: QWidget, drawer: QWidget, side: QWidget, status: QWidget) -> QWidget:
    """All parts in their places."""
    middle = QVBoxLayout()
    middle.setSpacing(0)
    middle.addWidget(roll, 1)
    middle.addWidget(drawer)
    body = QHBoxLayout()
    body.setSpacing(0)
    body.addWidget(rail)
    body.addLayout(middle, 1)
    body.addWidget(side)
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(transport)
    layout.addLayout(body, 1)
    layout.addWidget(status)
    return whole


def _surface(name: str) -> QWidget:
    widget = QWidget()
    widget.setObjectName(name)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return widget
