"""Scrolls the strips while a drag is held near their upper or lower edge."""

from PySide6.QtCore import QObject, QPointF, QTimer, Signal
from PySide6.QtWidgets import QScrollArea

EDGE_PX = 34
STEP_PX = 9
INTERVAL_MS = 30


class SideScroll(QObject):
    """`hold` tells where on the screen the pointer of a drag is (None: it is over); `scrolled` comes after each step."""

    scrolled = Signal(QPointF)

    def __init__(self, area: QScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self._at = QPointF()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._step)

    def hold(self, at: QPointF | None) -> None:
        if at is None:
            self._timer.stop()
            return
        self._at = at
        if self._way() and not self._timer.isActive():
            self._timer.start()

    def _way(self) -> int:
        view = self._area.viewport()
        inside = view.mapFromGlobal(self._at)
        if not -EDGE_PX <= inside.x() <= view.width() + EDGE_PX:
            return 0
        return -STEP_PX if inside.y() < EDGE_PX else STEP_PX if inside.y() > view.height() - EDGE_PX else 0

    def _step(self) -> None:
        bar, way = self._area.verticalScrollBar(), self._way()
        before = bar.value()
        bar.setValue(before + way)
        if bar.value() == before:
            self._timer.stop()
        else:
            self.scrolled.emit(self._at)
