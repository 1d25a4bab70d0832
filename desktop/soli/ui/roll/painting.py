"""How the grid, the loop, the playhead and what lies over the notes are drawn."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, floor

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QTransform

from soli.ui.beats import Beats
from soli.ui.roll.boxes import FAR_PX, Boxes, box_of, fill
from soli.ui.roll.mosaic import premultiplied
from soli.ui.roll.stretches import Times
from soli.ui.roll.view import View
from soli.ui.theme import Theme

HATCH_PX = 10.0
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})


def rectangle(view: View, pitch: float, start_s: float, end_s: float, *, inset: float = 0.0) -> QRectF:
    """The box of a note: at least 3 pixels wide, so that the shortest can be seen and hit."""
    left = view.x_of(start_s)
    return QRectF(left, view.y_of(pitch) + inset, max(3.0, view.x_of(end_s) - left), max(2.0, view.height_of(pitch) - 2 * inset))


def between(one: QColor, other: QColor, part: float) -> QColor:
    """The colour that lies `part` of the way from one to another."""
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return QColor(*(round(a + part * (b - a)) for a, b in pairs))


def draw_upright(painter: QPainter, x: float, height: float, colour: QColor, *, width_px: float) -> None:
    """A line from top to bottom at a place between pixels: each of those it touches as far as it covers it."""
    ratio = painter.device().devicePixelRatioF()
    left, right = (x - width_px / 2) * ratio, (x + width_px / 2) * ratio
    for column in range(floor(left), ceil(right)):
        ink = QColor(colour)
        ink.setAlphaF(colour.alphaF() * (min(right, column + 1.0) - max(left, float(column))))
        fill(painter, box_of(QRectF(column / ratio, 0, 1 / ratio, height)), ink)


def draw_grid(painter: QPainter, view: View, theme: Theme, beats: Beats) -> None:
    """Bar lines, and a line under every C; beats too when there is room."""
    first, last = (int(i) for i in np.searchsorted(beats.time_s, (view.start_s, view.end_s)))
    is_bar = beats.is_bar[first:last]
    places = np.floor((beats.time_s[first:last] - view.start_s) * view.px_per_s + 0.5)
    inks = [
        (places[rows], theme.colour("faint", alpha))
        for rows, apart_s, least_px, alpha in ((~is_bar, beats.beat_s, 24, 34), (is_bar, beats.bar_s, 8, 80))
        if rows.any() and apart_s * view.px_per_s > least_px
    ]
    if inks:
        _draw_uprights(painter, view, inks)
    tops = np.array([floor(view.y_of(pitch - 1) + 0.5) for pitch in range(12 * int(view.bottom // 12), int(view.top) + 12, 12)])
    lines = np.ones(len(tops))
    fill(painter, Boxes(0 * lines, tops * lines, view.width * lines, lines), theme.colour("faint", 60))


def _draw_uprights(painter: QPainter, view: View, inks: Sequence[tuple[Times, QColor]]) -> None:
    """Lines from top to bottom a pixel wide, many in a colour.

    In one of them each pixel lies far in memory from the one above: a row of pixels of all lines, made high, is quicker.
    """
    ratio = painter.device().devicePixelRatioF()
    width = ceil(view.width * ratio)
    row = np.zeros(width, np.uint32)
    for places, ink in inks:
        spots = np.floor(places * ratio + 0.5).astype(np.int64)[:, None] + np.arange(max(1, round(ratio)))
        row[spots[(spots >= 0) & (spots < width)]] = premultiplied(ink)
    image = QImage(row.data, width, 1, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(0, 0, width / ratio, view.height), image)


def draw_beyond(painter: QPainter, view: View, theme: Theme, end_s: float | None) -> None:
    """Before the recording and after its end (None: there is none) there is nothing to hear."""
    shade = theme.colour("ground", 150)
    left, right = view.x_of(0.0), view.x_of(end_s) if end_s is not None else view.width
    if left > 0:
        fill(painter, box_of(QRectF(0, 0, round(left), view.height)), shade)
    if right < view.width:
        fill(painter, box_of(QRectF(round(right), 0, view.width - round(right), view.height)), shade)


def draw_loop(painter: QPainter, view: View, theme: Theme, loop: tuple[float, float], *, on: bool) -> None:
    """The stretch that is played again and again: a tint, and an edge at either end."""
    left, right = (min(max(view.x_of(t), -FAR_PX), view.width + FAR_PX) for t in loop)
    fill(painter, box_of(QRectF(left, 0, right - left, view.height)), theme.colour("accent", 22 if on else 10))
    painter.setPen(QPen(theme.colour("accent", 150 if on else 60), 1))
    for x in (round(left) + 0.5, round(right) - 0.5):
        painter.drawLine(QLineF(x, 0, x, view.height))


def draw_forbidden(painter: QPainter, view: View, box: QRectF, theme: Theme) -> None:
    """Where a pitch may not sound: hatched, so that it is seen without colour too. A note under it keeps its own colour."""
    ratio = painter.device().devicePixelRatioF()
    side = round(HATCH_PX * ratio)
    # The hatch hangs on the piece, not on the window: it scrolls with what it covers.
    painter.setBrushOrigin(QPointF(*(-(floor(way * ratio + 0.5) % side) / ratio for way in view.corner_px)))
    hatch = QBrush(_hatch(theme.colours.canvas, theme.colours.bad, ratio))
    hatch.setTransform(QTransform.fromScale(1 / ratio, 1 / ratio))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(box, hatch)
    painter.setBrushOrigin(QPointF())
    painter.setPen(QPen(theme.colour("bad", 120), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)


@lru_cache(maxsize=8)
def _hatch(gap: str, line: str, ratio: float) -> QImage:
    """One tile of lines, each in a gap cut out of what lies below: on any colour they stand out, and no veil makes mud of it."""
    side = round(HATCH_PX * ratio)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((gap, 2.6), (line, 1.1)):
            painter.setPen(QPen(QColor(colour), width * ratio))
            for shift in (-side, 0, side):  # the corners belong to the lines beside it
                painter.drawLine(QLineF(shift - side, 2 * side, shift + 2 * side, -side))
    return image


def draw_playhead(painter: QPainter, view: View, theme: Theme, time_s: float) -> None:
    draw_upright(painter, view.x_of(time_s), view.height, theme.colour("accent"), width_px=1.6)


def draw_snap_line(painter: QPainter, view: View, theme: Theme, time_s: float) -> None:
    """Where a dragged time holds on."""
    x = round(view.x_of(time_s)) + 0.5
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(theme.colour("accent", 210), 1))
    painter.drawLine(QLineF(x, 0, x, view.height))
