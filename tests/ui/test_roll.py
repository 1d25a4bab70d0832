"""The roll under the hand: each gesture is one named edit, and undone it leaves the document as it was."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import names

from soli.decompose import masking
from soli.decompose.constraints import Kind, build
from soli.project import commands
from soli.signal.spectrogram import Grid
from soli.ui.roll.toolbox import index_of

CTRL = Qt.KeyboardModifier.ControlModifier
RIGHT = Qt.MouseButton.RightButton


def test_dragging_a_note_moves_it_in_time_and_pitch(piece, canvas, place, hand, unchanged):
    hand(canvas).drag(place(0.4, 64), place(0.9, 67))
    moved = piece.document.state.notes[0]
    assert moved.pitch == 67
    assert moved.onset_s == pytest.approx(0.7, abs=0.02)
    assert moved.offset_s - moved.onset_s == pytest.approx(0.4)
    assert names(piece) == ["move note"]


def test_dragging_an_end_stretches_the_note(piece, canvas, place, hand, unchanged):
    x, y = place(0.6, 64)
    hand(canvas).drag((x - 2, y), place(0.8, 64))
    assert piece.document.state.notes[0].offset_s == pytest.approx(0.8, abs=0.03)
    x, y = place(0.2, 64)
    hand(canvas).drag((x + 2, y), place(0.1, 64))
    assert piece.document.state.notes[0].onset_s == pytest.approx(0.1, abs=0.03)
    assert names(piece) == ["lengthen note", "lengthen note"]


def test_a_rubber_band_selects_what_it_touches_and_the_selection_moves_as_one(piece, canvas, place, hand, unchanged):
    hand(canvas).drag(place(0.0, 70), place(1.5, 63))
    assert piece.selection.ids == {0, 1, 2}
    hand(canvas).drag(place(0.4, 64), place(0.4, 66))
    assert [piece.document.state.notes[i].pitch for i in (0, 1, 2)] == [66, 67, 68]
    assert names(piece) == ["move 3 notes"]


def test_ctrl_toggles_and_empty_ground_deselects(piece, canvas, place, hand):
    hand(canvas).click(*place(0.4, 64))
    hand(canvas).click(*place(0.9, 65), keys=CTRL)
    assert piece.selection.ids == {0, 1}
    hand(canvas).click(*place(0.4, 64), keys=CTRL)
    assert piece.selection.ids == {1}
    hand(canvas).click(*place(3.9, 71))
    assert piece.selection.ids == frozenset()
    assert not piece.document.history.done


def test_drawing_makes_a_note_of_the_active_layer(piece, canvas, place, hand, unchanged):
    piece.selection.set_layer(1)
    canvas.use_tool(index_of("Draw"))
    hand(canvas).drag(place(3.0, 55), place(3.5, 55))
    (drawn,) = piece.selection.ids
    note = piece.document.state.notes[drawn]
    assert (note.pitch, note.layer) == (55, 1)
    assert (note.onset_s, note.offset_s) == pytest.approx((3.0, 3.5), abs=0.02)


def test_erasing_by_a_drag_is_one_step(piece, canvas, place, hand, unchanged):
    canvas.use_tool(index_of("Erase"))
    hand(canvas).drag(place(0.4, 64), place(1.4, 66), steps=40)
    assert not {0, 1, 2} & piece.document.state.notes.keys()
    assert names(piece) == ["delete 3 notes"]


@pytest.mark.parametrize(
    ("tool", "button", "allows"),
    [
        ("Allow", Qt.MouseButton.LeftButton, True),
        ("Allow", RIGHT, False),
        ("Forbid", Qt.MouseButton.LeftButton, False),
        ("Forbid", RIGHT, True),
    ],
)
def test_brushes_allow_and_forbid(piece, canvas, place, hand, unchanged, tool, button, allows):
    canvas.use_tool(index_of(tool))
    hand(canvas).drag(place(2.0, 60), place(2.5, 60), button=button)
    (stroke,) = piece.document.state.mask
    assert stroke.allow is allows
    assert stroke.pitch == 60
    assert (stroke.start_s, stroke.end_s) == pytest.approx((2.0, 2.5), abs=0.02)
    assert stroke.layer == (piece.selection.layer if allows else None)


def test_keys_move_delete_and_walk_the_notes(piece, canvas, place, hand, unchanged):
    hand(canvas).click(*place(0.4, 64))
    QTest.keyClick(canvas, Qt.Key.Key_Up)
    QTest.keyClick(canvas, Qt.Key.Key_Down, CTRL)
    assert piece.document.state.notes[0].pitch == 53
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert piece.selection.ids == {10}
    QTest.keyClick(piece.window, Qt.Key.Key_Delete)
    assert 10 not in piece.document.state.notes
    assert piece.selection.ids == frozenset()


def test_escape_forgets_a_drag(piece, canvas, place, hand):
    mouse = hand(canvas)
    mouse.press(*place(0.4, 64))
    mouse.move(*place(2.0, 70), button=Qt.MouseButton.LeftButton)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    mouse.release(*place(2.0, 70))
    assert not piece.document.history.done


def test_what_the_roll_shows_is_the_support_the_engine_gets(piece, canvas, place, hand):
    canvas.use_tool(index_of("Allow"))
    hand(canvas).drag(place(3.0, 58), place(3.4, 58))
    canvas.use_tool(index_of("Forbid"))
    hand(canvas).drag(place(0.3, 64), place(0.45, 64))
    state, shown = piece.document.state, canvas.field.bodies
    grid = Grid.for_recording(state.audio.rate, state.audio.length)
    from soli.decompose.constraints import bodies

    notes = sorted(state.notes.values(), key=lambda n: (n.onset_s, n.id))
    constraint = build(bodies(notes, state.mask, state.settings), grid, state.settings)
    painted = np.zeros((128, grid.frames), bool)
    for pitch, start, end in zip(shown.pitch, shown.start_s, shown.end_s, strict=True):
        first, last = (int(np.clip(round(t / grid.hop_s), 0, grid.frames - 1)) for t in (start, end))
        painted[pitch, first : last + 1] = True
    engine = np.zeros_like(painted)
    sustained = constraint.components.kind == Kind.SUSTAIN
    np.logical_or.at(engine, constraint.components.pitch[sustained], constraint.H[sustained] > 0)
    assert (painted == engine).all()
    assert engine[58].any()
    assert not (constraint.H[constraint.components.pitch == 64] > 0)[:, int(0.36 / grid.hop_s)].any() or grid.hop_s > 0.05


def test_a_forbidden_stretch_allowed_again_is_not_shown_forbidden(piece, canvas, place, hand):
    canvas.use_tool(index_of("Forbid"))
    hand(canvas).drag(place(1.0, 60), place(2.0, 60))
    canvas.use_tool(index_of("Allow"))
    hand(canvas).drag(place(1.4, 60), place(1.6, 60))
    pieces = [(s.start_s, s.end_s) for s in canvas.field.forbidden]
    assert pieces == [pytest.approx((1.0, 1.4), abs=0.02), pytest.approx((1.6, 2.0), abs=0.02)]


def test_the_wheel_zooms_at_the_pointer_and_scrolls(piece, canvas, hand):
    view = canvas.view
    x = 300.0
    before = view.time_at(x)
    hand(canvas).wheel(x, 100, 2, keys=CTRL)
    assert view.time_at(x) == pytest.approx(before)
    assert view.span_s < 4.2
    top = view.top
    hand(canvas).wheel(x, 100, -1)
    assert view.top < top


def test_hovering_a_note_says_what_it_is(piece, canvas, place, hand, qtbot):
    hand(canvas).move(*place(0.4, 64))
    qtbot.waitUntil(lambda: canvas.card.note == 0)
    assert canvas.describe(0)[0] == "E4  ·  bar 1  ·  Right hand"
    assert not canvas.grab().isNull()


def test_a_screen_reader_hears_the_selected_note(piece, canvas):
    piece.selection.set({10})
    assert canvas.accessibleDescription() == "C 3, bar 1, Left hand"
    piece.selection.set({0, 10})
    assert canvas.accessibleDescription() == "2 notes selected"


def test_a_piece_without_a_score_is_drawn_by_hand_and_decomposed(piece, canvas, place, hand, qtbot):
    from dataclasses import replace
    from types import MappingProxyType

    from soli.project.pipeline import Loaded

    bare = replace(piece.document.state, score=None, alignment=None, notes=MappingProxyType({}), layers=())
    piece.document.restore(Loaded(bare))
    qtbot.waitUntil(lambda: not piece.worker.busy)
    canvas.view.show(0.0, 4.0, 44, 72)
    canvas.use_tool(index_of("Draw"))
    hand(canvas).drag(place(0.2, 64), place(0.6, 64))
    assert len(piece.document.state.notes) == 1
    assert [layer.name for layer in piece.document.state.layers] == ["Layer 1"]
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None, timeout=30_000)
    assert np.abs(next(iter(piece.document.separation.layers.values()))).max() > 0.01
    while piece.document.history.last:
        piece.document.undo()
    assert not piece.document.state.notes
    assert not piece.document.state.layers


def test_dragging_a_bar_line_or_a_note_with_the_anchor_tool_aligns_again(piece, canvas, place, hand, qtbot, unchanged):
    canvas.use_tool(index_of("Anchor"))
    hand(canvas).drag(place(0.4, 64), place(0.45, 64))
    qtbot.waitUntil(lambda: not piece.session.opening and bool(piece.document.history.done), timeout=20_000)
    state = piece.document.state
    assert state.anchors == (pytest.approx((0.2, 0.25), abs=0.01),)
    assert state.notes[0].onset_s == pytest.approx(state.anchors[0][1], abs=0.005)
    assert names(piece)[0].startswith("set anchor at 0.2")
    bar_s = float(canvas.beats.time_s[4])
    hand(canvas).drag(place(bar_s, 70), place(bar_s + 0.05, 70))
    qtbot.waitUntil(lambda: len(piece.document.state.anchors) == 2, timeout=20_000)
    piece.session.remove_anchor(piece.document.state.anchors[0][0])
    qtbot.waitUntil(lambda: len(piece.document.state.anchors) == 1, timeout=20_000)


def test_notes_left_out_take_no_part_and_come_back(piece, canvas, unchanged):
    piece.selection.set({0, 1})
    before = len(canvas.field.bodies.id)
    piece.window.actions_["leave_out"].trigger()
    assert piece.document.state.absent == {0, 1}
    assert len(canvas.field.bodies.id) == before - 2
    assert 0 not in {n.id for n in piece.document.state.present_notes()}
    piece.window.actions_["bring_back"].trigger()
    assert len(canvas.field.bodies.id) == before
    assert names(piece) == ["leave out 2 notes", "bring back 2 notes"]


def test_a_plain_click_on_a_note_plays_it_alone_and_escape_ends_it(separated, canvas, place, hand, qtbot):
    play = separated.player.audition
    # So long that it is not over before anybody has looked.
    separated.player.audition = lambda signal, rate: play(np.tile(signal, (100, 1)), rate)
    hand(canvas).click(*place(0.4, 64))
    qtbot.waitUntil(lambda: separated.audition.ids == {0} and separated.player.status().auditioning, timeout=20_000)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not separated.player.status().auditioning, timeout=20_000)
    assert separated.selection.ids == {0}, "the first Escape only ends the note"


def test_a_press_finds_the_sound_that_its_release_lets_hear(separated, canvas, place, hand, monkeypatch, qtbot):
    found, alone = [], masking.note_alone
    monkeypatch.setattr(masking, "note_alone", lambda *given: found.append(given[2]) or alone(*given))
    hand(canvas).press(*place(0.4, 64))
    qtbot.waitUntil(lambda: found == [[0]], timeout=20_000)
    assert separated.audition.ids == frozenset()
    with qtbot.waitSignal(separated.audition.started, timeout=20_000) as started:
        hand(canvas).release(*place(0.4, 64))
    assert started.args == [frozenset({0})]
    assert found == [[0]]


def test_dragging_and_toggling_make_no_sound(separated, canvas, place, hand, qtbot):
    asked = []
    canvas.note_clicked.connect(asked.append)
    hand(canvas).drag(place(0.4, 64), place(0.6, 64))
    hand(canvas).click(*place(0.9, 65), keys=CTRL)
    hand(canvas).click(*place(3.9, 71))
    assert asked == []


def test_a_fast_stroke_of_the_brush_leaves_no_holes(piece, canvas, place, hand, unchanged):
    canvas.use_tool(index_of("Allow"))
    hand(canvas).drag(place(1.0, 50), place(3.0, 64), steps=2)
    strokes = piece.document.state.mask
    assert [stroke.pitch for stroke in strokes] == list(range(50, 65))
    assert strokes[0].start_s == pytest.approx(1.0, abs=0.02)
    assert strokes[-1].end_s == pytest.approx(3.0, abs=0.02)
    for one, other in pairwise(strokes):
        assert other.start_s <= one.end_s + 0.01


def test_a_fast_drag_of_the_eraser_takes_every_note_on_its_way(piece, canvas, place, hand, unchanged):
    canvas.use_tool(index_of("Erase"))
    hand(canvas).drag(place(0.4, 64), place(2.9, 69), steps=1)
    assert not {0, 1, 2, 3, 4, 5} & piece.document.state.notes.keys()


def test_drawing_on_a_note_makes_no_second_one(piece, canvas, place, hand):
    canvas.use_tool(index_of("Draw"))
    hand(canvas).click(*place(0.4, 64))
    hand(canvas).click(*place(0.4, 64))
    assert not piece.document.history.done
    assert piece.selection.ids == {0}


def test_nudges_of_one_selection_are_one_step(piece, canvas, place, hand, unchanged):
    hand(canvas).click(*place(0.4, 64))
    for _ in range(3):
        QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert len(piece.document.history.done) == 1
    hand(canvas).click(*place(0.9, 65))
    QTest.keyClick(canvas, Qt.Key.Key_Up)
    assert len(piece.document.history.done) == 2


def test_notes_beyond_the_end_of_the_recording_can_be_gone_to(piece, canvas, unchanged):
    document, view = piece.document, canvas.view
    length_s = document.state.duration_s
    view.scroll(seconds=1000)
    assert view.end_s < length_s + 1
    document.do(commands.alter_notes(document.state, {0: {"onset_s": length_s + 20}}, "move note"))
    canvas.reveal(0)
    assert view.start_s < length_s + 20 < view.end_s
    piece.window.roll.fit()
    assert view.end_s < length_s + 1, "the whole piece is the recording"
    assert not piece.window.roll.minimap.grab().isNull()
