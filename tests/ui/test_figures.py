"""How notes and bodies are painted: where the view has them, once where they overlap, alike in every style."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from soli.decompose.settings import ModelSettings
from soli.project.state import Layer, State
from soli.score.notes import Note
from soli.ui.roll import figures
from soli.ui.roll.figures import draw_figures, draw_selected, style_of
from soli.ui.roll.mosaic import Mosaic
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.stretches import Stretches
from soli.ui.roll.view import View

COLOURS = {0: QColor("#5ABBF8"), 1: QColor("#F4828F")}
SETTINGS = ModelSettings(before_s=0.5, after_s=0.5)


def state_of(*notes, **fields) -> State:
    layers = tuple(Layer(i, f"Layer {i}", colour.name()) for i, colour in COLOURS.items())
    return State(notes=MappingProxyType({n.id: n for n in notes}), layers=layers, settings=SETTINGS, **fields)


@pytest.fixture(params=["log", "linear"])
def view(request):
    view = View()
    view.set_duration(20)
    view.resize(800, 600)
    view.use_axis(request.param)
    view.show(0, 10, 58, 66)
    return view


def painted(view, state, *, selected=frozenset(), exposed=None, **options) -> np.ndarray:
    """Pixels as red, green and blue; on black."""
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    image.fill(0)
    field = NoteField(state)
    box = exposed or QRectF(0, 0, view.width, view.height)
    with QPainter(image) as painter:
        painter.setClipRect(box)
        draw_figures(painter, view, field, COLOURS, style_of(view, field), **options)
        draw_selected(painter, view, field, selected, box, QColor("#FFFFFF"))
    return np.frombuffer(image.constBits(), np.uint8).reshape(view.height, view.width, 4)[:, :, 2::-1].astype(int)


def at(pixels, view, time_s, pitch) -> tuple[int, ...]:
    y = (view.y_of(pitch) + view.y_of(pitch - 1)) / 2
    return tuple(pixels[round(y), round(view.x_of(time_s))].tolist())


@pytest.fixture(params=["rounded", "plain", "mosaic"])
def style(request, monkeypatch):
    """Each way of painting, though the notes are few."""
    if request.param != "rounded":
        monkeypatch.setattr(figures, "ROUNDED_UP_TO", 0)
    if request.param == "mosaic":
        monkeypatch.setattr(figures, "MOSAIC_FROM", 0)


def test_notes_lie_at_their_pitch_and_time_over_paler_bodies(view, style):
    pixels = painted(view, state_of(Note(1, 2.0, 4.0, 62)))
    note, body = at(pixels, view, 3.0, 62), at(pixels, view, 4.25, 62)
    assert note[2] > body[2] > 0
    for time_s, pitch in ((3.0, 63), (3.0, 61), (1.3, 62), (4.7, 62)):
        assert at(pixels, view, time_s, pitch) == (0, 0, 0)


def test_bodies_that_overlap_are_no_darker_than_one(view, style):
    one = painted(view, state_of(Note(1, 2.0, 3.0, 62)))
    two = painted(view, state_of(Note(1, 2.0, 3.0, 62), Note(2, 3.9, 5.0, 62)))
    overlap, alone = at(two, view, 3.45, 62), at(one, view, 3.25, 62)
    assert alone != (0, 0, 0)
    assert overlap == alone


def test_all_styles_have_the_same_inks(view, monkeypatch):
    state = state_of(Note(1, 2.0, 4.0, 62), Note(2, 5.0, 6.0, 60, layer=1))
    seen = []
    for rounded, mosaic in ((600, 1800), (0, 1800), (0, 0)):
        monkeypatch.setattr(figures, "ROUNDED_UP_TO", rounded)
        monkeypatch.setattr(figures, "MOSAIC_FROM", mosaic)
        pixels = painted(view, state)
        seen.append([at(pixels, view, *place) for place in ((4.25, 62), (5.5, 60), (4.7, 60))])
    for other in seen[1:]:
        np.testing.assert_allclose(other, seen[0], atol=50)  # the mosaic shows notes without the body under them
        np.testing.assert_allclose(other[0], seen[0][0], atol=1)


def test_hidden_notes_are_left_to_others_and_absent_ones_are_hollow(view, style):
    state = state_of(Note(1, 2.0, 4.0, 62), Note(2, 5.0, 7.0, 60, layer=1))
    assert at(painted(view, state, hidden=frozenset({2})), view, 6.0, 60) != at(painted(view, state), view, 6.0, 60)
    absent = painted(view, replace(state, absent=frozenset({2})))
    full = painted(view, state)
    assert sum(at(absent, view, 6.0, 60)) < 0.6 * sum(at(full, view, 6.0, 60))


def test_selected_notes_are_marked(view, style):
    state = state_of(Note(1, 2.0, 4.0, 62), Note(2, 5.0, 7.0, 60))
    plain, chosen = painted(view, state), painted(view, state, selected=frozenset({2}))
    changed = (plain != chosen).any(axis=2)
    x = np.flatnonzero(changed.any(axis=0))
    assert view.x_of(5.0) - 3 <= x.min() <= view.x_of(5.0) + 3
    assert view.x_of(7.0) - 3 <= x.max() <= view.x_of(7.0) + 3


def test_a_strip_painted_alone_is_that_part_of_the_whole(view, style):
    notes = [Note(i, 0.4 * i, 0.4 * i + 0.7, 58 + i % 9, layer=i % 2) for i in range(24)]
    state = state_of(*notes)
    whole = painted(view, state, selected=frozenset({3, 9}))
    for left in (0, 131, 400, 790):
        strip = painted(view, state, selected=frozenset({3, 9}), exposed=QRectF(left, 0, 10, view.height))
        np.testing.assert_array_equal(strip[:, left : left + 10], whole[:, left : left + 10])


def test_the_stronger_the_more_opaque(view, style):
    state = state_of(*(Note(i, 1.0 + 2 * i, 2.5 + 2 * i, 62, velocity=v) for i, v in enumerate((10, 60, 127))))
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    image.fill(0)
    with QPainter(image) as painter:
        field = NoteField(state, lambda note: note.velocity / 127)
        draw_figures(painter, view, field, COLOURS, style_of(view, field))
    blues = [image.pixelColor(round(view.x_of(1.75 + 2 * i)), round(view.edge_of(62))).blue() for i in range(3)]
    assert blues[0] < blues[1] < blues[2]


boxes = st.lists(st.tuples(st.floats(-3, 30), st.floats(0, 12), st.integers(50, 60), st.integers(0, 3)), min_size=1, max_size=30)


@given(boxes)
def test_a_mosaic_has_in_each_cell_the_last_of_what_lies_there(notes):
    start, length = (np.array([n[i] for n in notes], np.float64) for i in (0, 1))
    pitch, kind = (np.array([n[i] for n in notes], np.int64) for i in (2, 3))
    ids = np.arange(len(notes))
    field = Stretches(ids, pitch, 0 * ids, start, start + length, np.ones(len(notes), np.float32))
    colours = [QColor(10 * (i + 1), 0, 0) for i in range(4)]
    mosaic = Mosaic(40, 2.0, 0.0, 52, 58)
    mosaic.add(field, ids, kind, colours)
    image = mosaic.image()
    for row in range(7):
        for column in range(40):
            here = [
                k
                for a, n, p, k in notes
                if p == 58 - row and np.floor(2 * a) <= column < max(np.ceil(2 * (a + n)), np.floor(2 * a) + 2)
            ]
            colour = image.pixelColor(column, row)
            assert colour.red() == (10 * (max(here) + 1) if here else 0)
            assert colour.alpha() == (255 if here else 0)
