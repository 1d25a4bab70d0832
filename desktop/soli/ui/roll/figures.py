"""Notes and their bodies over the spectrogram: drawn by colour, as one picture where they are very many."""

from collections.abc import Mapping
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from soli.ui.roll.boxes import LEAST_PX, boxes, boxes_of, draw_rounded, fill
from soli.ui.roll.mosaic import Mosaic
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.stretches import IntArray, Stretches, unions
from soli.ui.roll.view import View

ROUNDED_UP_TO = 600  # rounded corners cost five times a plain rectangle
MOSAIC_FROM = 1800
ROUNDED_FROM_PX = 5.0  # a semitone
STRENGTHS = 4
BODY_ALPHA = 0.26
ABSENT_ALPHA = 0.22
NOTE_INSET, BODY_INSET = (1.5, 0.12), (2.0, 0.16)  # pixels, and at most this part of the height
RADIUS_PX = 2.5


class Style(Enum):
    """How finely notes are drawn, the more of them the plainer."""

    ROUNDED = auto()
    PLAIN = auto()
    MOSAIC = auto()


def style_of(view: View, field: NoteField) -> Style:
    """The style for what is in view; all parts of a picture are to have the same."""
    region = view.start_s, view.end_s, view.bottom, view.top
    notes = len(field.notes.within(*region))
    if notes + len(field.bodies.within(*region)) > 2 * MOSAIC_FROM:
        return Style.MOSAIC
    return Style.ROUNDED if notes <= ROUNDED_UP_TO and view.px_per_semitone > ROUNDED_FROM_PX else Style.PLAIN


def draw_figures(
    painter: QPainter,
    view: View,
    field: NoteField,
    colours: Mapping[int, QColor],
    style: Style,
    *,
    hidden: frozenset[int] = frozenset(),
    bright: bool = False,
) -> None:
    """Bodies, then notes: the colour of their layer, the paler the less their strength; darker edges on `bright` ground.

    `hidden` notes, and their bodies, are drawn by somebody else.
    """
    notes, bodies = (rows.within(view.start_s, view.end_s, view.bottom, view.top) for rows in (field.notes, field.bodies))
    if hidden:
        away = _array(hidden)
        notes = notes[~np.isin(field.notes.id[notes], away)]
        bodies = bodies[~np.isin(field.bodies.id[bodies], away)]
    absent = np.isin(field.notes.id[notes], _array(field.absent)) if field.absent else np.zeros(len(notes), bool)
    if style is Style.MOSAIC:
        _paint_mosaic(painter, view, field, colours, notes, bodies, absent)
        return
    rounded = style is Style.ROUNDED
    _draw_bodies(painter, view, field.bodies, bodies, colours)
    _draw_notes(painter, view, field.notes, notes[~absent], colours, rounded=rounded, bright=bright)
    if absent.any():
        _draw_hollow(painter, view, field.notes, notes[absent], colours, rounded=rounded)


def draw_selected(
    painter: QPainter, view: View, field: NoteField, selected: frozenset[int], exposed: QRectF, colour: QColor
) -> None:
    """A line around each selected note; a veil over them where they are very many."""
    if not selected:
        return
    rows = field.notes.within(view.start_s, view.end_s, view.bottom, view.top)
    rows = rows[np.isin(field.notes.id[rows], _array(selected))]
    _frame(painter, view, field.notes, _exposed(view, field.notes, rows, exposed), colour, among=len(rows))


def _paint_mosaic(
    painter: QPainter,
    view: View,
    field: NoteField,
    colours: Mapping[int, QColor],
    notes: IntArray,
    bodies: IntArray,
    absent: NDArray[np.bool_],
) -> None:
    made = _mosaic(view)
    _add(made, field.bodies, bodies, colours, [BODY_ALPHA], np.zeros(len(bodies), np.int64))
    alphas = [ABSENT_ALPHA, *(_alpha(step) for step in range(STRENGTHS))]
    _add(made, field.notes, notes, colours, alphas, np.where(absent, 0, 1 + _steps(field.notes, notes)))
    made.paint(painter, view, inset=1.0)


def draw_framed(
    painter: QPainter,
    view: View,
    notes: Stretches,
    bodies: Stretches,
    colours: Mapping[int, QColor],
    frame: QColor,
    *,
    bright: bool = False,
) -> None:
    """Notes over their bodies with a line around each: those that a hand moves."""
    over, under = (field.within(view.start_s, view.end_s, view.bottom, view.top) for field in (notes, bodies))
    if len(over) > MOSAIC_FROM:
        made = _mosaic(view)
        _add(made, bodies, under, colours, [BODY_ALPHA], np.zeros(len(under), np.int64))
        made.paint(painter, view, inset=0.0)
    else:
        _draw_bodies(painter, view, bodies, under, colours)
        _draw_notes(painter, view, notes, over, colours, rounded=len(over) <= ROUNDED_UP_TO, bright=bright)
    _frame(painter, view, notes, over, frame, among=len(over))


def _frame(painter: QPainter, view: View, field: Stretches, rows: IntArray, colour: QColor, *, among: int) -> None:
    """A line around each row, plainer the more there are `among` them; a veil over them where they are very many."""
    if among > MOSAIC_FROM:
        veil = _mosaic(view)
        colour = QColor(colour)
        colour.setAlphaF(0.6)
        veil.add(field, rows, np.zeros(len(rows), np.int64), [colour])
        veil.paint(painter, view, inset=0.0)
        return
    framed = boxes_of(view, field, rows, inset=0.5).grown(0.5)
    if among <= ROUNDED_UP_TO:
        draw_rounded(painter, framed, radius=3.0, line_px=1.8, edge=colour)
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.0))
    painter.drawRects(framed.rectangles())


def _mosaic(view: View) -> Mosaic:
    return Mosaic(view.width, view.px_per_s, view.start_s, int(np.floor(view.bottom)), int(np.ceil(view.top)))


def _add(
    mosaic: Mosaic, field: Stretches, rows: IntArray, colours: Mapping[int, QColor], alphas: list[float], step: IntArray
) -> None:
    """Rows of the layers that have a colour, in one of `alphas` each."""
    layers = np.array(sorted(colours), np.int64)
    if len(layers) == 0 or len(rows) == 0:
        return
    place = np.minimum(layers.searchsorted(field.layer[rows]), len(layers) - 1)
    known = layers[place] == field.layer[rows]
    inks = []
    for layer in layers.tolist():
        for alpha in alphas:
            ink = QColor(colours[layer])
            ink.setAlphaF(alpha * ink.alphaF())
            inks.append(ink)
    mosaic.add(field, rows[known], (place * len(alphas) + step)[known], inks)


def _exposed(view: View, field: Stretches, rows: IntArray, exposed: QRectF) -> IntArray:
    """Rows that may touch a part of the window."""
    if exposed.width() >= view.width:
        return rows
    left, right = view.time_at(exposed.left() - LEAST_PX - 2), view.time_at(exposed.right() + 2)
    return rows[(field.end_s[rows] >= left) & (field.start_s[rows] <= right)]


def _draw_bodies(painter: QPainter, view: View, field: Stretches, rows: IntArray, colours: Mapping[int, QColor]) -> None:
    """What may sound: a paler body that reaches as far as the support of H does; one where several overlap."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    inset, part = BODY_INSET
    for layer, colour in colours.items():
        mine = rows[field.layer[rows] == layer]
        if len(mine) == 0:
            continue
        pale = QColor(colour)
        pale.setAlphaF(BODY_ALPHA * colour.alphaF())
        joined = unions(field.pitch[mine], field.start_s[mine], field.end_s[mine])
        fill(painter, boxes(view, *joined, inset=inset, part=part), pale)
        painted = mine[field.id[mine] < 0]
        if len(painted):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
            painter.drawRects(boxes_of(view, field, painted, inset=inset, part=part).rectangles())


def _draw_notes(
    painter: QPainter,
    view: View,
    field: Stretches,
    rows: IntArray,
    colours: Mapping[int, QColor],
    *,
    rounded: bool,
    bright: bool,
) -> None:
    inset, part = NOTE_INSET
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    steps = _steps(field, rows)
    for layer, colour in colours.items():
        for step in range(STRENGTHS):
            mine = rows[(field.layer[rows] == layer) & (steps == step)]
            if len(mine) == 0:
                continue
            ink = QColor(colour)
            ink.setAlphaF(_alpha(step) * colour.alphaF())
            many = boxes_of(view, field, mine, inset=inset, part=part)
            if rounded:
                edge = colour.darker(150) if bright else colour.lighter(118)
                draw_rounded(painter, many, radius=RADIUS_PX, line_px=1.0, edge=edge, fill=ink)
            else:
                fill(painter, many, ink)


def _draw_hollow(
    painter: QPainter, view: View, field: Stretches, rows: IntArray, colours: Mapping[int, QColor], *, rounded: bool
) -> None:
    """Notes that take no part."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, rounded)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer, colour in colours.items():
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine if rounded else Qt.PenStyle.SolidLine))
        many = boxes_of(view, field, rows[field.layer[rows] == layer], inset=1.5).rectangles()
        if not rounded:
            painter.drawRects(many)
            continue
        for box in many:
            painter.drawRoundedRect(box, RADIUS_PX, RADIUS_PX)


def _steps(field: Stretches, rows: IntArray) -> IntArray:
    """Strength of each row in STRENGTHS steps, the weakest 0."""
    return np.clip((field.strength[rows] * STRENGTHS).astype(np.int64), 0, STRENGTHS - 1)


def _alpha(step: int) -> float:
    return 0.46 + 0.16 * step


def _array(ids: frozenset[int]) -> IntArray:
    return np.fromiter(ids, np.int64, len(ids))
