"""Notes and their bodies over the spectrogram: culled by columns, drawn by colour, as one picture where they are very many."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from soli.ui.roll.mosaic import Mosaic
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.stretches import IntArray, Stretches, Times, unions
from soli.ui.roll.view import View

ROUNDED_UP_TO = 600  # rounded corners cost five times a plain rectangle
MOSAIC_FROM = 1800
LEAST_PX = 3.0
STRENGTHS = 4
BODY_ALPHA = 0.26
ABSENT_ALPHA = 0.22
FAR_PX = 50.0


def rectangles(view: View, pitch: IntArray, start_s: Times, end_s: Times, *, inset: float) -> list[QRectF]:
    """The boxes of stretches, at least LEAST_PX wide and 2 high."""
    # Far beyond the window coordinates lose their precision in the paint engine.
    left = np.maximum((start_s - view.start_s) * view.px_per_s, -FAR_PX)
    right = np.minimum((end_s - view.start_s) * view.px_per_s, view.width + FAR_PX)
    places = pitch.astype(np.float64)
    top = view.edges_of(places + 0.5)
    height = np.maximum(2.0, view.edges_of(places - 0.5) - top - 2 * inset)
    columns = (left, top + inset, np.maximum(LEAST_PX, right - left), height)
    return [QRectF(*box) for box in zip(*(column.tolist() for column in columns), strict=True)]


def boxes_of(view: View, field: Stretches, rows: IntArray, *, inset: float) -> list[QRectF]:
    return rectangles(view, field.pitch[rows], field.start_s[rows], field.end_s[rows], inset=inset)


class Figures:
    """Paints a NoteField. What is in view is looked up once for as long as field and view stay as they are."""

    def __init__(self) -> None:
        self._seen: tuple[object, ...] = ()
        self._notes: IntArray = np.zeros(0, np.int64)
        self._bodies: IntArray = np.zeros(0, np.int64)
        self._mosaic: tuple[object, Mosaic] | None = None
        self._chosen: tuple[frozenset[int], IntArray] = (frozenset(), np.zeros(0, np.int64))

    def paint(
        self,
        painter: QPainter,
        view: View,
        field: NoteField,
        colours: Mapping[int, QColor],
        exposed: QRectF,
        *,
        hidden: frozenset[int] = frozenset(),
        bright: bool = False,
    ) -> None:
        """Bodies, then notes: the colour of their layer, the paler the less their strength; darker edges on `bright` ground.

        `hidden` notes, and their bodies, are drawn by somebody else.
        """
        self._look(view, field)
        notes = self._notes
        if hidden:
            notes = notes[~np.isin(field.notes.id[notes], _array(hidden))]
        if len(self._notes) + len(self._bodies) > 2 * MOSAIC_FROM:
            self._paint_mosaic(painter, view, field, colours, notes, hidden)
            return
        bodies = self._bodies
        if hidden:
            bodies = bodies[~np.isin(field.bodies.id[bodies], _array(hidden))]
        bodies = _exposed(view, field.bodies, bodies, exposed)
        _draw_bodies(painter, view, field.bodies, bodies, colours)
        rounded = len(self._notes) <= ROUNDED_UP_TO and view.px_per_semitone > 5
        notes = _exposed(view, field.notes, notes, exposed)
        absent = np.isin(field.notes.id[notes], _array(field.absent)) if field.absent else np.zeros(len(notes), bool)
        _draw_notes(painter, view, field.notes, notes[~absent], colours, rounded=rounded, bright=bright)
        if absent.any():
            _draw_hollow(painter, view, field.notes, notes[absent], colours, rounded=rounded)

    def paint_selected(
        self, painter: QPainter, view: View, field: NoteField, selected: frozenset[int], exposed: QRectF, colour: QColor
    ) -> None:
        """A line around each selected note; a veil over them where they are very many."""
        if not selected:
            return
        self._look(view, field)
        if self._chosen[0] is not selected:
            self._chosen = (selected, _array(selected))
        rows = self._notes[np.isin(field.notes.id[self._notes], self._chosen[1])]
        _frame(painter, view, field.notes, _exposed(view, field.notes, rows, exposed), colour, among=len(rows))

    def _look(self, view: View, field: NoteField) -> None:
        key = (field.notes, field.bodies, view.start_s, view.span_s, view.extent, view.width, view.height, view.axis)
        if len(self._seen) == len(key) and all(a is b or a == b for a, b in zip(self._seen, key, strict=True)):
            return
        self._seen, self._mosaic = key, None
        self._notes = field.notes.within(view.start_s, view.end_s, view.bottom, view.top)
        self._bodies = field.bodies.within(view.start_s, view.end_s, view.bottom, view.top)

    def _paint_mosaic(
        self,
        painter: QPainter,
        view: View,
        field: NoteField,
        colours: Mapping[int, QColor],
        notes: IntArray,
        hidden: frozenset[int],
    ) -> None:
        key = (hidden, field.absent, tuple((i, colour.rgba()) for i, colour in colours.items()))
        if self._mosaic is None or self._mosaic[0] != key:
            made = _mosaic(view)
            bodies = self._bodies[~np.isin(field.bodies.id[self._bodies], _array(hidden))] if hidden else self._bodies
            _add(made, field.bodies, bodies, colours, [BODY_ALPHA], np.zeros(len(bodies), np.int64))
            alphas = [ABSENT_ALPHA, *(_alpha(step) for step in range(STRENGTHS))]
            steps = 1 + _steps(field.notes, notes)
            if field.absent:
                steps[np.isin(field.notes.id[notes], _array(field.absent))] = 0
            _add(made, field.notes, notes, colours, alphas, steps)
            self._mosaic = (key, made)
        self._mosaic[1].paint(painter, view, inset=min(1.0, 0.1 * view.px_per_semitone))


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
    rounded = among <= ROUNDED_UP_TO
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, rounded)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.8 if rounded else 1.0))
    boxes = boxes_of(view, field, rows, inset=0.5)
    _draw_boxes(painter, [box.adjusted(-0.5, 0, 0.5, 0) for box in boxes], 3.0 if rounded else 0.0)


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
    inset = min(2.0, view.px_per_semitone * 0.16)
    for layer, colour in colours.items():
        mine = rows[field.layer[rows] == layer]
        if len(mine) == 0:
            continue
        pale = QColor(colour)
        pale.setAlphaF(BODY_ALPHA * colour.alphaF())
        painter.setBrush(pale)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRects(rectangles(view, *unions(field.pitch[mine], field.start_s[mine], field.end_s[mine]), inset=inset))
        painted = mine[field.id[mine] < 0]
        if len(painted):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
            painter.drawRects(boxes_of(view, field, painted, inset=inset))


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
    inset = min(1.5, view.px_per_semitone * 0.12)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, rounded)
    steps = _steps(field, rows)
    for layer, colour in colours.items():
        for step in range(STRENGTHS):
            mine = rows[(field.layer[rows] == layer) & (steps == step)]
            if len(mine) == 0:
                continue
            fill = QColor(colour)
            fill.setAlphaF(_alpha(step) * colour.alphaF())
            edge = colour.darker(150) if bright else colour.lighter(118)
            painter.setBrush(fill)
            painter.setPen(QPen(edge, 1) if rounded else Qt.PenStyle.NoPen)
            _draw_boxes(painter, boxes_of(view, field, mine, inset=inset), 2.5 if rounded else 0.0)


def _draw_hollow(
    painter: QPainter, view: View, field: Stretches, rows: IntArray, colours: Mapping[int, QColor], *, rounded: bool
) -> None:
    """Notes that take no part."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, rounded)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer, colour in colours.items():
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine if rounded else Qt.PenStyle.SolidLine))
        boxes = boxes_of(view, field, rows[field.layer[rows] == layer], inset=1.5)
        _draw_boxes(painter, boxes, 2.5 if rounded else 0.0)


def _draw_boxes(painter: QPainter, boxes: list[QRectF], radius: float) -> None:
    if radius > 0:
        for box in boxes:
            painter.drawRoundedRect(box, radius, radius)
    elif boxes:
        painter.drawRects(boxes)


def _steps(field: Stretches, rows: IntArray) -> IntArray:
    """Strength of each row in STRENGTHS steps, the weakest 0."""
    return np.clip((field.strength[rows] * STRENGTHS).astype(np.int64), 0, STRENGTHS - 1)


def _alpha(step: int) -> float:
    return 0.46 + 0.16 * step


def _array(ids: frozenset[int]) -> IntArray:
    return np.fromiter(ids, np.int64, len(ids))
