"""How notes, their bodies and the grid are drawn: culled by columns, drawn by colour."""

from collections.abc import Iterable, Mapping

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from soli.score.notes import pitch_name
from soli.ui.beats import Beats
from soli.ui.roll.note_field import IntArray, Stretches
from soli.ui.roll.view import View
from soli.ui.theme import Theme

ROUNDED_UP_TO = 1500  # rounded corners cost ten times a plain rectangle
STRENGTHS = 4
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})


def rectangle(view: View, pitch: float, start_s: float, end_s: float, *, inset: float = 0.0) -> QRectF:
    """The box of a note: at least 3 pixels wide, so that the shortest can be seen and hit."""
    height = view.px_per_semitone
    left = view.x_of(start_s)
    return QRectF(left, view.y_of(pitch) + inset, max(3.0, view.x_of(end_s) - left), max(2.0, height - 2 * inset))


def rectangles(view: View, field: Stretches, rows: IntArray, *, inset: float) -> list[QRectF]:
    left = (field.start_s[rows] - view.start_s) * view.px_per_s
    # Far beyond the window coordinates lose their precision in the paint engine.
    right = np.minimum((field.end_s[rows] - view.start_s) * view.px_per_s, view.width + 50.0)
    left = np.maximum(left, -50.0)
    top = (view.top - field.pitch[rows] - 0.5) * view.px_per_semitone + inset
    height = max(2.0, view.px_per_semitone - 2 * inset)
    return [
        QRectF(x, y, w, height)
        for x, y, w in zip(left.tolist(), top.tolist(), np.maximum(3.0, right - left).tolist(), strict=True)
    ]


def draw_grid(painter: QPainter, view: View, theme: Theme, beats: Beats) -> None:
    """Bar lines, and a line under every C; beats too when there is room."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    first, last = np.searchsorted(beats.time_s, (view.start_s, view.end_s))
    bars: list[QLineF] = []
    others: list[QLineF] = []
    for i in range(int(first), int(last)):
        x = round(view.x_of(float(beats.time_s[i]))) + 0.5
        (bars if beats.is_bar[i] else others).append(QLineF(x, 0, x, view.height))
    room = view.width / max(1, int(last) - int(first))
    if room > 24:
        painter.setPen(QPen(theme.colour("faint", 34), 1))
        painter.drawLines(others)
    if bars and view.width / len(bars) > 8:
        painter.setPen(QPen(theme.colour("faint", 80), 1))
        painter.drawLines(bars)
    painter.setPen(QPen(theme.colour("faint", 60), 1))
    for pitch in range(12 * int(view.bottom // 12), int(view.top) + 12, 12):
        y = round(view.y_of(pitch - 1)) + 0.5
        painter.drawLine(QLineF(0, y, view.width, y))


def draw_bodies(painter: QPainter, view: View, field: Stretches, colours: Mapping[int, QColor]) -> None:
    """What may sound: a paler body that reaches as far as the support of H does."""
    rows = field.within(view.start_s, view.end_s, view.bottom, view.top)
    painter.setPen(Qt.PenStyle.NoPen)
    inset = min(2.0, view.px_per_semitone * 0.16)
    for layer, colour in colours.items():
        mine = rows[field.layer[rows] == layer]
        if len(mine) == 0:
            continue
        pale = QColor(colour)
        pale.setAlphaF(0.26 * colour.alphaF())
        painter.setBrush(pale)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRects(rectangles(view, field, mine, inset=inset))
        painted = mine[field.id[mine] < 0]
        if len(painted):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
            painter.drawRects(rectangles(view, field, painted, inset=inset))


def draw_notes(
    painter: QPainter,
    view: View,
    field: Stretches,
    colours: Mapping[int, QColor],
    *,
    hidden: frozenset[int] = frozenset(),
    bright: bool = False,
) -> None:
    """The notes: the colour of their layer, the paler the less the sound supports them; darker edges on `bright` ground."""
    rows = field.within(view.start_s, view.end_s, view.bottom, view.top)
    if hidden:
        rows = rows[~np.isin(field.id[rows], list(hidden))]
    inset = min(1.5, view.px_per_semitone * 0.12)
    rounded = len(rows) <= ROUNDED_UP_TO and view.px_per_semitone > 5
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, rounded)
    steps = np.minimum((field.strength[rows] * STRENGTHS).astype(np.int64), STRENGTHS - 1)
    for layer, colour in colours.items():
        for step in range(STRENGTHS):
            mine = rows[(field.layer[rows] == layer) & (steps == step)]
            if len(mine) == 0:
                continue
            fill = QColor(colour)
            fill.setAlphaF((0.46 + 0.16 * step) * colour.alphaF())
            edge = colour.darker(150) if bright else colour.lighter(118)
            painter.setBrush(fill)
            painter.setPen(QPen(edge, 1) if rounded else Qt.PenStyle.NoPen)
            boxes = rectangles(view, field, mine, inset=inset)
            if rounded:
                for box in boxes:
                    painter.drawRoundedRect(box, 2.5, 2.5)
            else:
                painter.drawRects(boxes)


def draw_absent(painter: QPainter, view: View, field: Stretches, colours: Mapping[int, QColor], absent: frozenset[int]) -> None:
    """Notes that take no part: hollow."""
    rows = field.within(view.start_s, view.end_s, view.bottom, view.top)
    rows = rows[np.isin(field.id[rows], list(absent))]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer, colour in colours.items():
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
        for box in rectangles(view, field, rows[field.layer[rows] == layer], inset=1.5):
            painter.drawRoundedRect(box, 2.5, 2.5)


def draw_selected(painter: QPainter, boxes: Iterable[QRectF], theme: Theme) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour("selection"), 1.8))
    for box in boxes:
        painter.drawRoundedRect(box.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)


def draw_forbidden(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """Where a pitch may not sound: hatched, so that it is seen without colour too."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(box, theme.colour("canvas", 120))
    painter.fillRect(box, QBrush(theme.colour("bad", 190), Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(theme.colour("bad", 150), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)


def draw_playhead(painter: QPainter, view: View, theme: Theme, time_s: float) -> None:
    x = view.x_of(time_s)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(theme.colour("accent"), 1.6))
    painter.drawLine(QLineF(x, 0, x, view.height))


def draw_snap_line(painter: QPainter, view: View, theme: Theme, time_s: float) -> None:
    """Where a dragged time holds on."""
    x = round(view.x_of(time_s)) + 0.5
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(theme.colour("accent", 210), 1))
    painter.drawLine(QLineF(x, 0, x, view.height))


def draw_card(painter: QPainter, view: View, theme: Theme, near: QRectF, title: str, details: str) -> None:
    """A small card beside a note that says what it is."""
    title_font, detail_font = theme.font(9.5, weight=theme.font().Weight.DemiBold), theme.font(8.5, figures=True)
    painter.setFont(title_font)
    width = painter.fontMetrics().horizontalAdvance(title)
    painter.setFont(detail_font)
    width = max(width, painter.fontMetrics().horizontalAdvance(details)) + 26
    height = 48.0
    left = min(max(6.0, near.left()), view.width - width - 6.0)
    top = near.top() - height - 10 if near.top() > height + 16 else near.bottom() + 10
    box = QRectF(left, top, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(theme.colour("border"), 1))
    painter.setBrush(theme.colour("surface", 238))
    painter.drawRoundedRect(box, 7, 7)
    painter.setFont(title_font)
    painter.setPen(theme.colour("ink"))
    painter.drawText(QPointF(left + 13, top + 20), title)
    painter.setFont(detail_font)
    painter.setPen(theme.colour("dim"))
    painter.drawText(QPointF(left + 13, top + 37), details)


def spoken_pitch(pitch: int) -> str:
    """A pitch as a screen reader says it well."""
    return pitch_name(pitch).replace("♯", " sharp ").replace("♭", " flat ")
