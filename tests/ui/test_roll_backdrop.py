"""The picture under the tools: however it was scrolled and mended, it is what would be painted anew; and that is little work."""

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from soli.project.state import Layer, State
from soli.score.notes import Note
from soli.ui.roll import backdrop
from soli.ui.roll.backdrop import Backdrop
from soli.ui.roll.boxes import SHARED_PX, Boxes, box_of, draw_rounded, fill
from soli.ui.roll.figures import Style, draw_figures
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.view import View

COLOURS = {0: QColor("#5ABBF8"), 1: QColor("#F4828F")}
GROUND = QColor("#0C0E13")


def field_of(*notes: Note) -> NoteField:
    layers = tuple(Layer(i, f"Layer {i}", colour.name()) for i, colour in COLOURS.items())
    return NoteField(State(notes=MappingProxyType({n.id: n for n in notes}), layers=layers))


def pixels(image: QImage) -> np.ndarray:
    values = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return values[:, : image.width(), 2::-1].astype(int)


class Stage:
    """A backdrop with notes, and what it was asked to paint."""

    def __init__(self, ratio: float, style: Style) -> None:
        self.ratio, self.style = ratio, style
        self.view = View()
        self.view.set_duration(100.0)
        self.view.resize(240, 160)
        self.view.go_to(40.0, 44.0, 50.0, 70.0)
        rng = np.random.default_rng(5)
        starts, pitches = rng.uniform(30, 55, 120), rng.integers(40, 80, 120)
        self.field = field_of(
            *(Note(i, s, s + 0.3, p, layer=i % 2) for i, (s, p) in enumerate(zip(starts, pitches.tolist(), strict=True)))
        )
        self.asked: list[tuple[int, int]] = []
        self.backdrop = Backdrop(self.draw)

    def draw(self, painter: QPainter, view: View) -> None:
        self.asked.append((view.width, view.height))
        painter.fillRect(0, 0, view.width, view.height, GROUND)
        draw_figures(painter, view, self.field, COLOURS, self.style)

    def painted(self, of: Backdrop | None = None) -> np.ndarray:
        image = QImage(round(240 * self.ratio), round(160 * self.ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self.ratio)
        with QPainter(image) as painter:
            (of or self.backdrop).paint(painter, self.view, QRect(0, 0, 240, 160), self.ratio, self.style)
        return pixels(image)


@pytest.fixture(params=[(1.0, Style.ROUNDED), (2.0, Style.ROUNDED), (1.5, Style.PLAIN), (1.0, Style.MOSAIC)], ids=str)
def stage(request, qapp):
    return Stage(*request.param)


ways = st.tuples(st.integers(-300, 300), st.integers(-60, 60))


@given(way=st.lists(ways, min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize(
    ("ratio", "style"), [(1.0, Style.ROUNDED), (2.0, Style.ROUNDED), (1.5, Style.PLAIN), (1.0, Style.MOSAIC)]
)
def test_a_picture_that_was_scrolled_is_what_would_be_painted_anew(qapp, ratio, style, way):
    stage = Stage(ratio, style)
    stage.painted()
    view = stage.view
    for across, down in way:
        view.scroll(seconds=across / (view.px_per_s * ratio), semitones=down / (view.px_per_semitone * ratio))
        scrolled, anew = stage.painted(), stage.painted(Backdrop(stage.draw))
        # Where an edge lies between two pixels either may have it.
        assert (np.abs(scrolled - anew).max(axis=2) > 2).mean() < 0.01


def test_scrolling_paints_only_what_comes_into_sight(stage):
    stage.painted()
    del stage.asked[:]
    stage.view.scroll(seconds=10 / stage.view.px_per_s)
    stage.painted()
    ((width, height),) = stage.asked
    assert width <= 12 + 2 * backdrop.AROUND_PX
    assert height <= 160 + 2 * backdrop.AROUND_PX
    stage.painted()
    assert len(stage.asked) == 1


def test_an_offset_of_parts_of_a_pixel_never_adds_up(stage):
    stage.painted()
    for _ in range(50):
        stage.view.scroll(seconds=0.3 / (stage.view.px_per_s * stage.ratio))
        scrolled = stage.painted()
    x, y = stage.view.way_from(*stage.backdrop._corner)
    assert abs(x) * stage.ratio <= 0.5 + 1e-6
    assert y == pytest.approx(0.0)
    anew = stage.painted(Backdrop(stage.draw))
    assert (np.abs(scrolled - anew).max(axis=2) > 2).mean() < 0.1


def test_what_was_spoiled_is_painted_again_and_nothing_else(stage):
    before = stage.painted()
    stage.field = field_of(Note(1, 41.0, 43.0, 60))
    assert (stage.painted() == before).all()
    stage.view.scroll(seconds=13 / (stage.view.px_per_s * stage.ratio))
    box = QRect(100, 40, 60, 80)
    stage.backdrop.spoil(stage.view, box)
    mended, anew = stage.painted(), stage.painted(Backdrop(stage.draw))
    left, top, right, bottom = (round(edge * stage.ratio) for edge in (box.left(), box.top(), box.right() + 1, box.bottom() + 1))
    inside = np.zeros(mended.shape[:2], bool)
    inside[top:bottom, left:right] = True
    assert (np.abs(mended - anew).max(axis=2)[inside] > 2).mean() < 0.02
    assert (mended != anew).any(axis=2)[~inside].any()


def test_another_look_or_scale_leaves_nothing_of_the_picture(stage):
    stage.painted()
    stage.field = field_of(Note(1, 41.0, 43.0, 60))
    stage.view.zoom_time(1.3)
    assert (stage.painted() == stage.painted(Backdrop(stage.draw))).all()
    stage.field = field_of(Note(1, 41.0, 43.0, 66))
    stage.backdrop.forget()
    assert (stage.painted() == stage.painted(Backdrop(stage.draw))).all()


def test_a_picture_larger_than_the_bound_is_not_kept(stage, monkeypatch):
    kept = stage.painted()
    assert stage.backdrop.nbytes > 0
    monkeypatch.setattr(backdrop, "MOST_BYTES", 1000)
    assert (np.abs(stage.painted() - kept).max(axis=2) > 2).mean() < 0.01
    assert stage.backdrop.nbytes == 0


def on_ground(ratio, paint) -> np.ndarray:
    image = QImage(round(200 * ratio), round(160 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(GROUND)
    with QPainter(image) as painter:
        paint(painter)
    return pixels(image)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 3.0])
@pytest.mark.parametrize(("width", "height"), [(12, 9), (30, 14), (150, 11), (20, 140)])
@pytest.mark.parametrize(("radius", "line_px"), [(2.5, 1.0), (3.0, 2.0)])
def test_rounded_boxes_look_as_qt_draws_them(ratio, width, height, radius, line_px):
    box, edge, ink = QRectF(20, 10, width, height), QColor(230, 120, 60), QColor(200, 100, 50, 150)
    air = line_px / 2
    box = box.adjusted(air, air, -air, -air)  # so that the outer edge lies on whole pixels

    def reference(painter):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(edge, line_px))
        painter.setBrush(ink)
        painter.drawRoundedRect(box, radius, radius)

    wanted = on_ground(ratio, reference)
    seen = on_ground(ratio, lambda p: draw_rounded(p, box_of(box), radius=radius, line_px=line_px, edge=edge, fill=ink))
    np.testing.assert_allclose(seen, wanted, atol=24)  # on the arc of a corner
    assert np.abs(seen - wanted).mean() < 0.1


@given(width=st.floats(0, 8), height=st.floats(0, 8), x=st.floats(20, 30), y=st.floats(20, 30))
def test_the_smallest_boxes_are_seen_and_stay_where_they_are(width, height, x, y):
    box, edge = QRectF(x, y, width, height), QColor(255, 255, 255)
    seen = on_ground(1.0, lambda p: draw_rounded(p, box_of(box), radius=2.5, line_px=1.0, edge=edge, fill=edge))
    rows, columns = np.nonzero((seen != on_ground(1.0, lambda _: None)).any(axis=2))
    assert len(rows) > 0
    for places, start, length in ((columns, x, width), (rows, y, height)):
        assert places.min() >= start - 1.1
        assert places.max() <= start + max(length, 1.0) + 1.1


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_boxes_of_any_height_are_filled_alike(ratio):
    rng = np.random.default_rng(2)
    count = 12
    many = Boxes(
        rng.uniform(0, 150, count), rng.uniform(0, 40, count), rng.uniform(1, 40, count), rng.uniform(2, 1.4 * SHARED_PX, count)
    )
    assert (many.height * ratio > SHARED_PX).any()
    assert (many.height * ratio < SHARED_PX).any()
    for i in range(count):
        one = Boxes(*(column[i : i + 1] for column in many))
        colour = QColor(90, 200, 120, 110)

        def reference(painter, one=one, colour=colour):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRects(one.rectangles())

        seen, wanted = on_ground(ratio, lambda p, one=one, colour=colour: fill(p, one, colour)), on_ground(ratio, reference)
        np.testing.assert_allclose(seen, wanted, atol=2)
