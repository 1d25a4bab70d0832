"""What lies still under a moving hand, as one picture: scrolled with the view, painted anew only where it has changed."""

from collections.abc import Callable
from functools import reduce
from math import ceil

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainter, QPixmap

from soli.ui.roll.view import View

MOST_BYTES = 48 * 2**20
AROUND_PX = 16  # beyond a part that is painted lie lines and corners that reach into it
MOST_PARTS = 8  # that are painted one by one
Draw = Callable[[QPainter, View], None]


class Backdrop:
    """Holds what `draw` paints of a view. Only a picture of up to MOST_BYTES is kept; larger ones are painted each time."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._picture = QPixmap()
        self._known: tuple[object, ...] = ()
        self._corner = (0.0, 0.0)  # seconds and upper edge that the picture begins with
        self._stale: list[QRect] = []  # of its pixels

    @property
    def nbytes(self) -> int:
        return 4 * self._picture.width() * self._picture.height()

    def forget(self) -> None:
        """All of it may look different now."""
        self._known, self._picture = (), QPixmap()

    def spoil(self, view: View, box: QRect) -> None:
        """A box of the view (pixels) looks different now."""
        if self._picture.isNull() or self._known[:1] != (view.scale,):
            self.forget()
            return
        ratio = self._picture.devicePixelRatio()
        x, y = view.way_from(*self._corner)
        moved = QRectF(box).translated(x, y)
        corners = QRectF(moved.x() * ratio, moved.y() * ratio, moved.width() * ratio, moved.height() * ratio)
        stale = corners.toAlignedRect().intersected(self._picture.rect())
        if not stale.isEmpty() and not any(other.contains(stale) for other in self._stale):
            self._stale.append(stale)
        if len(self._stale) > MOST_PARTS:
            self._stale = [reduce(QRect.united, self._stale)]

    def paint(self, painter: QPainter, view: View, exposed: QRect, ratio: float, *looks: object) -> None:
        """Paint what is exposed of the view, to which the painter is clipped.

        With other `looks` than the last time, nothing of the picture is left.
        """
        width, height = ceil(view.width * ratio), ceil(view.height * ratio)
        if 4 * width * height > MOST_BYTES:
            self.forget()
            draw_part(painter, view, QRectF(exposed), self._draw)
            return
        known = (view.scale, ratio, *looks)
        if self._picture.isNull() or known != self._known:
            if self._picture.size() != QRect(0, 0, width, height).size():
                self._picture = QPixmap(width, height)
            self._picture.setDevicePixelRatio(ratio)
            self._known, self._corner = known, view.corner
            self._stale = [self._picture.rect()]
        else:
            self._scroll(view, ratio)
        self._mend(view, ratio)
        painter.drawPixmap(QPointF(0, 0), self._picture)

    def _scroll(self, view: View, ratio: float) -> None:
        """Move the picture by whole pixels of the screen: less than half of one it may be off."""
        across, down = (round(way * ratio) for way in view.way_from(*self._corner))
        if not across and not down:
            return
        whole = self._picture.rect()
        if abs(across) >= whole.width() or abs(down) >= whole.height():
            self._corner, self._stale = view.corner, [whole]
            return
        self._picture.scroll(-across, -down, whole)
        self._corner = view.beyond(*self._corner, across / ratio, down / ratio)
        kept = whole.translated(-across, -down).intersected(whole)
        beside = QRect(0 if across < 0 else kept.right() + 1, 0, abs(across), whole.height())
        above = QRect(kept.left(), 0 if down < 0 else kept.bottom() + 1, kept.width(), abs(down))
        moved = (stale.translated(-across, -down).intersected(whole) for stale in self._stale)
        self._stale = [box for box in (*moved, beside, above) if not box.isEmpty()]

    def _mend(self, view: View, ratio: float) -> None:
        if not self._stale:
            return
        x, y = view.way_from(*self._corner)
        with QPainter(self._picture) as painter:
            for box in self._stale:
                part = QRectF(box.x() / ratio, box.y() / ratio, box.width() / ratio, box.height() / ratio)
                painter.save()
                painter.setClipRect(part)
                painter.translate(x, y)
                draw_part(painter, view, part.translated(-x, -y), self._draw)
                painter.restore()
        self._stale = []


def draw_part(painter: QPainter, view: View, part: QRectF, draw: Draw) -> None:
    """Paint no more than a part of the view (pixels); the painter's clip is to keep what lies around it."""
    if part.contains(QRectF(0, 0, view.width, view.height)):
        draw(painter, view)
        return
    left, top = part.x() - AROUND_PX, part.y() - AROUND_PX
    width, height = (ceil(side) + 2 * AROUND_PX for side in (part.width(), part.height()))
    painter.translate(left, top)
    draw(painter, view.part(left, top, width, height))
    painter.translate(-left, -top)
