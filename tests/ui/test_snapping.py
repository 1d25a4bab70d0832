"""Where dragged times hold on: against a search through all lines, and under the hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from soli.project import commands
from soli.project.document import Document
from soli.signal.spectrogram import Grid
from soli.ui.roll.snapping import MODES, Snapping, nearest, subdivided
from soli.ui.roll.toolbox import index_of

ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton
TIMES = st.floats(-5, 40, allow_nan=False)
LINES = st.lists(st.integers(0, 30_000).map(lambda ms: ms / 1000), max_size=30, unique=True).map(lambda ts: np.array(sorted(ts)))


@given(LINES, TIMES, st.floats(0, 2))
def test_what_holds_is_the_nearest_line_in_reach(lines, time_s, reach_s):
    found = nearest(lines, time_s, reach_s=reach_s)
    away = np.abs(lines - time_s)
    if len(lines) == 0 or away.min() > reach_s:
        assert found is None
    else:
        assert found in lines.tolist()
        assert abs(found - time_s) == away.min()


@given(LINES, TIMES)
def test_a_grid_holds_everything_inside_it_and_nothing_far_outside(lines, time_s):
    found = nearest(lines, time_s)
    if len(lines) == 0:
        assert found is None
    elif lines[0] <= time_s <= lines[-1]:
        assert abs(found - time_s) == np.abs(lines - time_s).min()
    elif found is not None:
        assert found in (lines[0], lines[-1])
        assert abs(found - time_s) <= np.diff(lines).max(initial=0.0) / 2


@given(LINES, st.integers(1, 4))
def test_parts_of_beats_keep_the_beats_and_are_equal_within_each(lines, parts):
    divided = subdivided(lines, parts)
    assert (np.diff(divided) > 0).all()
    if len(lines) > 1:
        assert divided[::parts] == pytest.approx(lines)
        steps = np.diff(divided).reshape(len(lines) - 1, parts)
        assert steps == pytest.approx(np.repeat(steps[:, :1], parts, axis=1))


def test_without_a_piece_nothing_holds():
    snapping = Snapping(Document())
    for mode in MODES:
        snapping.use(mode.key)
        assert snapping.snap(1.234, reach_s=1.0) == 1.234
        assert snapping.line_s is None
        assert snapping.cell(1.0) is None
    snapping.use("no such mode")
    assert snapping.mode is MODES[0]


def test_each_mode_comes_round():
    snapping = Snapping(Document())
    seen = []
    for _ in MODES:
        seen.append(snapping.mode.key)
        snapping.cycle()
    assert sorted(seen) == sorted(mode.key for mode in MODES)
    assert snapping.mode is MODES[0]
    snapping.cycle(-1)
    assert snapping.mode is MODES[-1]


# Under the hand


def test_the_onset_of_the_grabbed_note_holds_on_to_beats_and_alt_passes_by(piece, canvas, place, hand):
    canvas.snapping.use("beats")  # 0.2, 0.7, 1.2 ...
    hand(canvas).drag(place(0.4, 64), place(1.33, 64))
    assert piece.document.state.notes[0].onset_s == pytest.approx(1.2)
    hand(canvas).drag(place(1.4, 64), place(1.53, 64), keys=ALT)
    assert piece.document.state.notes[0].onset_s == pytest.approx(1.33, abs=0.02)


def test_the_stretched_end_holds_on(piece, canvas, place, hand):
    canvas.snapping.use("halves")
    x, y = place(0.6, 64)
    hand(canvas).drag((x - 2, y), place(0.93, 64))
    assert piece.document.state.notes[0].offset_s == pytest.approx(0.95)
    x, y = place(0.2, 64)
    hand(canvas).drag((x + 2, y), place(0.43, 64))
    assert piece.document.state.notes[0].onset_s == pytest.approx(0.45)


def test_several_notes_keep_their_distances_when_one_holds_on(piece, canvas, place, hand):
    canvas.snapping.use("beats")
    piece.document.do(commands.move_notes(piece.document.state, {1}, seconds=0.07))
    piece.selection.set({0, 1})
    hand(canvas).drag(place(0.4, 64), place(0.97, 64))
    notes = piece.document.state.notes
    assert notes[0].onset_s == pytest.approx(0.7)
    assert notes[1].onset_s - notes[0].onset_s == pytest.approx(0.57)


def test_drawing_and_cutting_hold_on(piece, canvas, place, hand):
    canvas.snapping.use("beats")
    canvas.use_tool(index_of("Draw"))
    hand(canvas).drag(place(2.65, 55), place(3.25, 55))
    (drawn,) = piece.selection.ids
    note = piece.document.state.notes[drawn]
    assert (note.onset_s, note.offset_s) == pytest.approx((2.7, 3.2))
    hand(canvas).click(*place(1.25, 55))
    (clicked,) = piece.selection.ids
    note = piece.document.state.notes[clicked]
    assert (note.onset_s, note.offset_s) == pytest.approx((1.2, 1.7)), "a click draws a step of the grid"
    canvas.snapping.use("halves")
    canvas.use_tool(index_of("Split"))
    hand(canvas).click(*place(2.9, 55))
    assert piece.document.state.notes[drawn].offset_s == pytest.approx(2.95)


def test_the_pencil_shows_where_a_note_would_begin(piece, canvas, place, hand):
    canvas.use_tool(index_of("Draw"))
    canvas.snapping.use("beats")
    hand(canvas).move(*place(2.65, 55))
    assert canvas.snapping.line_s == pytest.approx(2.7)
    hand(canvas).move(*place(2.65, 55), keys=ALT)
    assert canvas.snapping.line_s is None
    hand(canvas).move(*place(0.4, 64))
    assert canvas.snapping.line_s is None, "on a note it would not draw"


def test_frames_are_those_of_the_decomposition(piece, canvas):
    audio = piece.document.state.audio
    hop_s = Grid.for_recording(audio.rate, audio.length).hop_s
    canvas.snapping.use("frames")
    for time_s in (0.0, 0.123, 1.5, 3.99):
        snapped = canvas.snap(time_s)
        assert snapped / hop_s == pytest.approx(round(snapped / hop_s))
        assert abs(snapped - time_s) <= hop_s / 2 + 1e-9
    assert canvas.snap(0.123, bypass=True) == 0.123


def test_onsets_are_looked_for_once_they_are_asked_for(piece, canvas, qtbot):
    canvas.snapping.use("onsets")
    assert canvas.snapping.finding
    assert canvas.snap(0.69) == 0.69, "nothing holds until they are known"
    qtbot.waitUntil(lambda: not canvas.snapping.finding, timeout=20_000)
    assert canvas.snap(0.69) == pytest.approx(0.7, abs=0.01)
    far = canvas.snap(0.45)
    assert far == 0.45, "an onset far away does not hold"
    canvas.snapping.use("off")
    canvas.snapping.use("onsets")
    assert not canvas.snapping.finding


def test_another_recording_has_other_onsets(piece, canvas, qtbot):
    canvas.snapping.use("onsets")
    qtbot.waitUntil(lambda: not canvas.snapping.finding, timeout=20_000)
    from dataclasses import replace

    from soli.project.pipeline import Loaded
    from soli.signal.audio import Audio

    silence = Audio(np.zeros((16_000, 1), np.float32), 8000)
    piece.document.restore(Loaded(replace(piece.document.state, audio=silence)))
    assert canvas.snapping.finding
    qtbot.waitUntil(lambda: not canvas.snapping.finding, timeout=20_000)
    assert len(canvas.snapping.lines) == 0


def test_an_anchor_holds_on_to_what_is_heard_and_not_to_beats(piece, canvas, place, hand, qtbot):
    asked = []
    canvas.anchor_set.connect(lambda _, recording_s: asked.append(recording_s))
    canvas.use_tool(index_of("Anchor"))
    canvas.snapping.use("onsets")
    qtbot.waitUntil(lambda: not canvas.snapping.finding, timeout=20_000)
    hand(canvas).drag(place(0.4, 64), place(0.88, 64))
    assert asked[-1] == pytest.approx(0.7, abs=0.01)
    assert asked[-1] in canvas.snapping.lines.tolist()
    piece.session.cancel()
    qtbot.waitUntil(lambda: not piece.session.opening, timeout=20_000)


def test_a_line_shows_what_holds_while_it_is_dragged(piece, canvas, place, hand):
    canvas.snapping.use("beats")
    mouse = hand(canvas)
    mouse.press(*place(0.4, 64))
    mouse.move(*place(1.33, 64), button=LEFT)
    assert canvas.snapping.line_s == pytest.approx(1.2)
    x = round(canvas.view.x_of(1.2))
    shown = canvas.grab().toImage().pixelColor(x, 20)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.snapping.line_s is None
    bare = canvas.grab().toImage().pixelColor(x, 20)
    mouse.release(*place(1.33, 64))
    assert shown.red() > bare.red() + 60
    assert not piece.document.history.done


def test_a_loop_drawn_on_the_ruler_holds_on(piece, canvas, hand):
    canvas.snapping.use("beats")
    ruler, view = piece.window.roll.ruler, canvas.view
    hand(ruler).drag((view.x_of(0.75), 10), (view.x_of(2.12), 10))
    assert piece.listening.loop == pytest.approx((0.7, 2.2))
    assert canvas.snapping.line_s is None


# The button and the keys


def test_the_rail_says_what_times_snap_to_and_the_key_goes_on(piece, canvas):
    rail, actions = piece.window.rail, piece.window.actions_
    assert rail.snap.accessibleName() == "Snap to: Off"
    QTest.keyClick(piece.window, Qt.Key.Key_G)
    assert canvas.snapping.mode.key == "frames"
    assert rail.snap.accessibleName() == "Snap to: Frames"
    assert rail.snap.isChecked()
    QTest.keyClick(piece.window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.snapping.mode.key == "off"
    assert not rail.snap.isChecked()
    actions["snap_thirds"].trigger()
    assert canvas.snapping.mode.key == "thirds"
    assert [mode.key for mode in MODES if actions[f"snap_{mode.key}"].isChecked()] == ["thirds"]
    actions["snap_thirds"].trigger()
    assert actions["snap_thirds"].isChecked(), "chosen again it stays chosen"
    assert piece.settings.snap == "thirds"
    assert [a.text().replace("&", "") for a in rail.snap.menu().actions()] == [mode.name for mode in MODES]


@pytest.mark.parametrize("height", [560, 800])
def test_the_rail_keeps_every_tool_in_sight(piece, height, qtbot):
    window = piece.window
    window.resize(900, height)
    qtbot.waitUntil(lambda: window.height() == height)
    rail = window.rail
    bottoms = [widget.geometry().bottom() for widget in (rail.snap, *rail._captions)]
    assert max(bottoms) <= rail.height()
    boxes = [caption.geometry() for caption in rail._captions]
    assert all(a.bottom() < b.top() for a, b in pairwise(boxes))
