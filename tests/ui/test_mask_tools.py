"""The tools that edit the mask: what each gesture does, as one named step that can be undone, and what it shows meanwhile."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project.states import content
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import names

from soli.decompose.constraints import Kind, MaskEdit, bodies, build
from soli.project import commands
from soli.signal.pitch_finding import partial_pitches
from soli.signal.spectrogram import Grid
from soli.ui.roll.sweep import Sweep
from soli.ui.roll.toolbox import TOOLS

RIGHT = Qt.MouseButton.RightButton
LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def pictured(piece, canvas, qtbot):
    """The piece once its spectrogram is there."""
    qtbot.waitUntil(lambda: canvas.heard(0.0, 4.0, 64).shape[1] > 30, timeout=20_000)
    return piece


def support(state):
    """Which pitches may sound in which frame, as the engine has it; bool, shape (128, frames)."""
    grid = Grid.for_recording(state.audio.rate, state.audio.length)
    constraint = build(bodies(state.present_notes(), state.mask, state.settings), grid, state.settings)
    allowed = np.zeros((128, grid.frames), bool)
    tones = constraint.components.kind == Kind.SUSTAIN
    np.logical_or.at(allowed, constraint.components.pitch[tones], constraint.H[tones] > 0)
    return allowed


def shown(canvas, state):
    """The same as the roll shows it; what lies beyond the end of the recording is drawn there, where nothing is heard."""
    grid, field = Grid.for_recording(state.audio.rate, state.audio.length), canvas.field.bodies
    painted = np.zeros((128, grid.frames), bool)
    inside = (field.start_s <= state.audio.duration_s) & (field.end_s >= 0)
    for pitch, start, end in zip(field.pitch[inside], field.start_s[inside], field.end_s[inside], strict=True):
        first, last = (int(np.clip(round(t / grid.hop_s), 0, grid.frames - 1)) for t in (start, end))
        painted[pitch, first : last + 1] = True
    return painted


def test_each_tool_has_a_digit_of_its_own():
    keys = [tool.key for tool in TOOLS]
    assert len(set(keys)) == len(keys)
    by_name = {tool.name: tool.key for tool in TOOLS}
    assert [by_name[name] for name in ("Allow", "Forbid", "Rectangle", "Mask eraser", "Harmonic", "Anchor")] == list("567890")


# The rectangle


@pytest.mark.parametrize(
    ("button", "keys", "allows"),
    [(LEFT, Qt.KeyboardModifier.NoModifier, True), (RIGHT, Qt.KeyboardModifier.NoModifier, False), (LEFT, SHIFT, False)],
)
def test_a_rectangle_allows_or_forbids_all_of_its_pitches(piece, canvas, place, hand, use, unchanged, button, keys, allows):
    piece.selection.set_layer(1)
    use("Rectangle")
    hand(canvas).drag(place(1.0, 55), place(2.2, 48), button=button, keys=keys)
    strokes = piece.document.state.mask
    assert [stroke.pitch for stroke in strokes] == list(range(48, 56))
    for stroke in strokes:
        assert stroke.allow is allows
        assert (stroke.start_s, stroke.end_s) == pytest.approx((1.0, 2.2), abs=0.02)
        assert stroke.layer == (1 if allows else None)
    assert names(piece) == ["allow C3 to G3" if allows else "forbid C3 to G3"]


def test_a_rectangle_reads_out_its_size(piece, canvas, place, hand, use, monkeypatch):
    said = []
    monkeypatch.setattr("soli.ui.roll.rectangle_tool.draw_chip", lambda *args: said.append(args[-1]))
    use("Rectangle")
    mouse = hand(canvas)
    mouse.press(*place(1.0, 55))
    mouse.move(*place(2.2, 48), button=LEFT)
    canvas.grab()
    mouse.move(*place(2.2, 55), button=LEFT)
    canvas.grab()
    mouse.release(*place(2.2, 55))
    assert said == ["1.20 s, C3–G3", "1.20 s, G3"]


def test_a_click_with_the_rectangle_or_escape_does_nothing(piece, canvas, place, hand, use):
    use("Rectangle")
    hand(canvas).click(*place(1.0, 55))
    mouse = hand(canvas)
    mouse.press(*place(1.0, 55))
    mouse.move(*place(2.2, 48), button=LEFT)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    mouse.release(*place(2.2, 48))
    assert not piece.document.history.done


# The mask eraser


def test_erasing_gives_the_support_back_to_the_notes(piece, canvas, place, hand, use, unchanged):
    before = support(piece.document.state)
    use("Forbid")
    hand(canvas).drag(place(0.3, 64), place(0.5, 64))
    use("Allow")
    hand(canvas).drag(place(2.0, 60), place(3.0, 60))
    use("Mask eraser")
    hand(canvas).drag(place(0.1, 64), place(0.9, 64))
    hand(canvas).drag(place(2.3, 60), place(2.6, 60))
    assert names(piece) == ["forbid E4", "allow C4", "erase mask", "erase mask"]
    left = [(s.pitch, round(s.start_s, 1), round(s.end_s, 1)) for s in piece.document.state.mask]
    assert left == [(60, 2.0, 2.3), (60, 2.6, 3.0)]
    after = support(piece.document.state)
    assert (after[61:] == before[61:]).all()
    hand(canvas).drag(place(1.0, 60), place(3.9, 60))
    assert (support(piece.document.state) == before).all()
    assert not piece.document.state.mask


def test_erasing_where_nothing_was_painted_is_no_step(piece, canvas, place, hand, use):
    use("Mask eraser")
    hand(canvas).drag(place(0.1, 64), place(0.9, 64))
    hand(canvas).drag(place(0.1, 64), place(0.9, 64), button=RIGHT)
    assert not piece.document.history.done
    assert not piece.document.state.mask


def test_the_eraser_shows_what_will_be_there_before_it_is_done(piece, canvas, place, hand, use):
    use("Forbid")
    hand(canvas).drag(place(0.25, 64), place(0.55, 64))
    x, y = place(0.4, 64)
    here = (round(x), round(y) - 4)
    forbidden = canvas.grab().toImage().pixelColor(*here)
    use("Mask eraser")
    mouse = hand(canvas)
    mouse.press(*place(0.2, 64))
    mouse.move(*place(0.6, 64), button=LEFT)
    during = canvas.grab().toImage().pixelColor(*here)
    mouse.release(*place(0.6, 64))
    assert not piece.document.state.mask
    assert during != forbidden
    note = canvas.layer_colour(0)
    assert abs(during.hue() - note.hue()) < 20, "the note is seen in the colour of its layer"


@given(st.lists(st.tuples(st.integers(50, 53), st.integers(0, 20)), min_size=1, max_size=20))
def test_a_sweep_holds_every_point_it_passed_in_few_stretches(points):
    sweep = Sweep()
    for start, end in pairwise([points[0], *points]):
        sweep.go((start[0], start[1] / 10), (end[0], end[1] / 10))
    stretches = sweep.stretches()
    for pitch, tenths in points:
        assert any(p == pitch and a <= tenths / 10 <= b for p, a, b in stretches)
    for pitch in {p for p, _, _ in stretches}:
        mine = [(a, b) for p, a, b in stretches if p == pitch]
        assert all(before[1] < after[0] for before, after in pairwise(mine)), "they touch and are not joined"
    low, high = min(t for _, t in points) / 10, max(t for _, t in points) / 10
    assert all(low - 1e-9 <= a <= b <= high + 1e-9 for _, a, b in stretches)


def test_scribbling_in_one_place_stays_one_stroke(piece, canvas, place, hand, use, unchanged):
    use("Allow")
    mouse = hand(canvas)
    mouse.press(*place(2.0, 60))
    for _ in range(10):
        mouse.move(*place(2.6, 60), button=LEFT)
        mouse.move(*place(1.9, 60), button=LEFT)
    mouse.release(*place(1.9, 60))
    (stroke,) = piece.document.state.mask
    assert (stroke.start_s, stroke.end_s) == pytest.approx((1.9, 2.6), abs=0.02)


def test_strokes_snap_to_beats_and_alt_lets_them_go(piece, canvas, place, hand, use, unchanged):
    canvas.snapping.use("beats")
    use("Allow")
    hand(canvas).drag(place(0.75, 60), place(1.62, 60))
    hand(canvas).drag(place(2.75, 60), place(3.0, 60), keys=ALT)
    use("Rectangle")
    hand(canvas).drag(place(0.75, 50), place(1.62, 50))
    held, free, rectangle = piece.document.state.mask
    assert (held.start_s, held.end_s) == pytest.approx((0.7, 1.7), abs=1e-6)
    assert (free.start_s, free.end_s) == pytest.approx((2.75, 3.0), abs=0.02)
    assert (rectangle.start_s, rectangle.end_s) == pytest.approx((0.7, 1.7), abs=1e-6)


@pytest.mark.parametrize("tool", ["Allow", "Rectangle", "Harmonic"])
def test_a_locked_layer_takes_no_stroke(pictured, canvas, place, hand, use, tool):
    document = pictured.document
    document.do(commands.set_layer_flags(document.state, 0, locked=True))
    pictured.selection.set_layer(0)
    use(tool)
    assert canvas.tool.says(canvas.tool.start or _pointer(canvas, *place(1.0, 60))) == "Right hand is locked"
    hand(canvas).drag(place(0.3, 64), place(0.5, 66))
    assert not document.state.mask
    hand(canvas).drag(place(0.3, 64), place(0.5, 66), button=RIGHT)
    assert all(not stroke.allow for stroke in document.state.mask)
    assert document.state.mask


def _pointer(canvas, x, y):
    from soli.ui.roll.tools import Pointer

    return Pointer(x, y, canvas.view.time_at(x), canvas.view.pitch_at(y))


# The harmonic brush


@pytest.mark.parametrize(("button", "allows"), [(LEFT, True), (RIGHT, False)])
@pytest.mark.parametrize("partial", [1, 2, 3])
def test_painting_over_a_partial_allows_its_pitch(pictured, canvas, place, hand, use, unchanged, partial, button, allows):
    canvas.view.show(0.0, 4.0, 40, 100)
    use("Harmonic")
    pitch = float(partial_pitches(64, partial)[-1])
    x0, x1 = (canvas.view.x_of(t) for t in (0.3, 0.55))
    y = canvas.view.edge_of(pitch + 0.1)
    hand(canvas).drag((x0, y), (x1, y), button=button)
    (stroke,) = pictured.document.state.mask
    assert (stroke.pitch, stroke.allow, stroke.layer) == (64, allows, pictured.selection.layer if allows else None)
    assert (stroke.start_s, stroke.end_s) == pytest.approx((0.3, 0.55), abs=0.02)
    assert names(pictured) == ["allow E4" if allows else "forbid E4"]


def test_the_comb_is_shown_while_the_hand_paints(pictured, canvas, place, hand, use, monkeypatch):
    said = []
    monkeypatch.setattr("soli.ui.roll.harmonic_brush.draw_chip", lambda *args: said.append(args[-1]))
    canvas.view.show(0.0, 4.0, 40, 100)
    use("Harmonic")
    x, y = canvas.view.x_of(0.3), canvas.view.edge_of(76.1)
    hints = []
    canvas.hint_changed.connect(hints.append)
    mouse = hand(canvas)
    mouse.press(x, y)
    mouse.move(canvas.view.x_of(0.5), y, button=LEFT)
    fundamental = (round(canvas.view.x_of(0.4)), round(canvas.view.edge_of(64.0)))
    during = canvas.grab().toImage().pixelColor(*fundamental)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    mouse.release(x, y)
    assert said[-1] == "E4  ·  partial 2 here"
    assert hints[-1].startswith("E4  ·  partial 2 here   ·   0.30 to 0.50 s"), "the pitch it allows, not the row of the hand"
    assert canvas.grab().toImage().pixelColor(*fundamental) != during
    assert not pictured.document.history.done


def test_shift_takes_the_row_itself_and_silence_has_no_pitch(pictured, canvas, place, hand, use, unchanged):
    canvas.view.show(0.0, 4.0, 20, 116)
    use("Harmonic")
    hand(canvas).drag(place(0.3, 76), place(0.5, 76), keys=SHIFT)
    assert [stroke.pitch for stroke in pictured.document.state.mask] == [76]
    hand(canvas).drag(place(0.3, 115), place(0.5, 115))
    assert len(pictured.document.state.mask) == 1, "nothing sounds above half the sampling rate"


# What the roll shows is what the engine gets

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["Allow", "Forbid", "Rectangle", "Mask eraser", "tolerance"]),
        st.integers(45, 70),
        st.integers(45, 70),
        st.floats(0.05, 3.9),
        st.floats(0.05, 3.9),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def test_after_any_strokes_the_roll_shows_what_the_engine_gets(piece, canvas, place, hand, use):
    document = piece.document
    first = content(document.state)

    @given(STEPS)
    def holds(steps):
        while document.history.last:
            document.undo()
        for tool, pitch, other, start_s, end_s, right in steps:
            if tool == "tolerance":
                ids = [n.id for n in document.state.notes.values() if n.pitch % 5 == pitch % 5]
                document.do(commands.set_tolerances(document.state, ids, before_s=start_s / 20, after_s=end_s / 10))
            else:
                use(tool)
                hand(canvas).drag(place(start_s, pitch), place(end_s, other), button=RIGHT if right else LEFT)
            assert (shown(canvas, document.state) == support(document.state)).all()
        while document.history.last:
            document.undo()
        assert content(document.state) == first
        assert (shown(canvas, document.state) == support(document.state)).all()

    holds()


def test_erasing_over_everything_undoes_all_painting(piece, canvas, place, hand, use):
    state = piece.document.state
    strokes = [
        MaskEdit(60, 0.5, 1.5, allow=True, layer=0),
        MaskEdit(64, 0.0, 3.0, allow=False),
        MaskEdit(48, 1.0, 2.0, allow=True),
    ]
    piece.document.do(commands.paint_mask(state, strokes))
    use("Mask eraser")
    mouse = hand(canvas)
    mouse.press(*place(0.0, 70))
    for pitch in range(70, 45, -1):
        mouse.move(*place(3.99 if pitch % 2 else 0.0, pitch), button=LEFT)
        mouse.move(*place(0.0 if pitch % 2 else 3.99, pitch), button=LEFT)
    mouse.release(*place(0.0, 46))
    assert not piece.document.state.mask
    assert (support(piece.document.state) == support(state)).all()
