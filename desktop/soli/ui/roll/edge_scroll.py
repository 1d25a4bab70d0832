"""Scrolls the roll while a drag is held at its left or right edge."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from soli.ui.roll.view import View

EDGE_PX = 2.0  # a drag that begins near the edge is not meant to scroll
INTERVAL_MS = 30
FASTEST_S = 0.05  # parts of the window in an interval
FAR_PX = 120.0  # beyond the edge, where it is fastest


class EdgeScroll(QObject):
    """`hold` tells where the pointer of a drag is; `scrolled` is called after each step of the view."""

    def __init__(self, view: View, scrolled: Callable[[], None]) -> None:
        super().__init__()
        self._view, self._scrolled = view, scrolled
        self._speed = 0.0
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._step)

    def hold(self, x: float) -> None:
        """The pointer of a drag is at `x`, in pixels of the window."""
        beyond = min(0.0, x - EDGE_PX) + max(0.0, x - (self._view.width - EDGE_PX))
        self._speed = max(-1.0, min(1.0, beyond / FAR_PX))
        if self._speed == 0.0:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def let_go(self) -> None:
        """The drag is over."""
        self._timer.stop()

    def _step(self) -> None:
        former_s = self._view.start_s
        self._view.scroll(seconds=self._speed * FASTEST_S * self._view.span_s)
        if self._view.start_s == former_s:
            self._timer.stop()
        else:
            self._scrolled()
