"""The tools for notes under the hand: each gesture is one named step, undone it leaves an equal document."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from project.states import content
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import names, there_and_back

from soli.decompose.constraints import bodies
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.score.notes import Note

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton
RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def lay(piece, canvas, qtbot):
    """Open the small piece with other fields."""

    def opened(**fields):
        piece.document.restore(Loaded(replace(piece.document.state, **fields)))
        qtbot.waitUntil(lambda: not piece.worker.busy, timeout=20_000)
        canvas.view.show(0.0, 4.0, 44, 72)

    return opened


def notes_of(*notes):
    return MappingProxyType({note.id: note for note in notes})


# Select


def test_shift_keeps_a_drag_to_one_direction(piece, canvas, place, hand, unchanged):
    hand(canvas).drag(place(0.4, 64), place(0.45, 68), keys=SHIFT)
    assert (piece.document.state.notes[0].onset_s, piece.document.state.notes[0].pitch) == (0.2, 68)
    hand(canvas).drag(place(0.4, 68), place(1.4, 69), keys=SHIFT)
    assert piece.document.state.notes[0].onset_s == pytest.approx(1.2, abs=0.02)
    assert piece.document.state.notes[0].pitch == 68
    assert names(piece) == ["move note", "move note"]


def test_a_hand_that_means_another_pitch_leaves_the_time(piece, canvas, place, hand, unchanged):
    x, y = place(0.4, 64)
    hand(canvas).drag((x, y), (x + 2, place(0.4, 66)[1]))
    assert (piece.document.state.notes[0].onset_s, piece.document.state.notes[0].pitch) == (0.2, 66)


def test_ctrl_drag_copies_the_selected_notes(piece, canvas, place, hand, unchanged):
    piece.selection.set({0, 1})
    hand(canvas).drag(place(0.4, 64), place(2.4, 60), keys=CTRL)
    state = piece.document.state
    assert (state.notes[0].onset_s, state.notes[1].onset_s) == (0.2, 0.7)
    copies = sorted((state.notes[i] for i in piece.selection.ids), key=lambda n: n.onset_s)
    assert [n.pitch for n in copies] == [60, 61]
    assert [n.onset_s for n in copies] == pytest.approx([2.2, 2.7], abs=0.02)
    assert not piece.selection.ids & {0, 1}
    assert names(piece) == ["copy 2 notes"]


def test_ctrl_drag_of_a_note_that_is_not_selected_copies_it_alone(piece, canvas, place, hand, unchanged):
    piece.selection.set({4, 5})
    hand(canvas).drag(place(0.4, 64), place(0.4, 60), keys=CTRL)
    (copy,) = piece.selection.ids
    assert piece.document.state.notes[copy].pitch == 60
    assert names(piece) == ["copy note"]


def test_ctrl_click_takes_out_of_the_selection_when_it_is_let_go(piece, canvas, place, hand):
    piece.selection.set({0, 1})
    mouse = hand(canvas)
    mouse.press(*place(0.4, 64), keys=CTRL)
    assert piece.selection.ids == {0, 1}
    mouse.release(*place(0.4, 64), keys=CTRL)
    assert piece.selection.ids == {1}
    assert not piece.document.history.done


def test_several_notes_stretch_together(piece, canvas, place, hand, unchanged):
    piece.selection.set({0, 1, 2})
    before = dict(piece.document.state.notes)
    x, y = place(0.6, 64)
    hand(canvas).drag((x - 2, y), (x + 40, y))
    longer = 42 / canvas.view.px_per_s
    for i in (0, 1, 2):
        assert piece.document.state.notes[i].offset_s == pytest.approx(before[i].offset_s + longer)
    assert names(piece) == ["lengthen 3 notes"]


def test_escape_gives_the_notes_and_the_former_selection_back(piece, canvas, place, hand):
    mouse = hand(canvas)
    piece.selection.set({5})
    before = content(piece.document.state)
    for start, end in ((place(0.4, 64), place(2.0, 70)), (place(0.05, 71), place(1.6, 63))):
        mouse.press(*start)
        mouse.move(*end, button=LEFT)
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        mouse.release(*end)
        assert canvas.tool.hidden == frozenset()
        assert content(piece.document.state) == before
    assert piece.selection.ids == {0}, "the band was forgotten, the note that was pressed before it stays selected"
    assert not piece.document.history.done


def test_while_a_note_is_dragged_its_body_goes_along(piece, canvas, place, hand):
    mouse = hand(canvas)
    mouse.press(*place(0.4, 64))
    mouse.move(*place(1.9, 70), button=LEFT)
    ghost = canvas.tool._ghost
    notes, spread = ghost.placed(seconds=1.5, semitones=6)
    edit = commands.move_notes(piece.document.state, {0}, seconds=1.5, semitones=6)
    (after,) = (n for n in edit.apply(piece.document.state).notes.values() if n.id == 0)
    rows = bodies([after], (), piece.document.state.settings)
    assert (notes.pitch[0], notes.start_s[0], notes.end_s[0]) == (
        after.pitch,
        after.onset_s,
        pytest.approx(after.sounding_offset_s),
    )
    assert (spread.start_s[0], spread.end_s[0]) == pytest.approx((rows.start_s[0], rows.end_s[0]))
    assert canvas.tool.hidden == {0}
    mouse.release(*place(1.9, 70))


def colour_at(canvas, x, y):
    return canvas.grab().toImage().pixelColor(round(x), round(y))


def test_the_body_leaves_its_place_while_it_is_dragged(piece, canvas, place, hand):
    mouse = hand(canvas)
    body = place(0.75, 64)  # behind the end of the first note, where nothing else is
    covered = colour_at(canvas, *body)
    piece.document.do(commands.delete_notes(piece.document.state, {0}))
    bare = colour_at(canvas, *body)
    piece.document.undo()
    mouse.press(*place(0.4, 64))
    mouse.move(*place(3.0, 64), button=LEFT)
    left = colour_at(canvas, *body)
    mouse.release(*place(3.0, 64))
    assert covered != bare
    assert left == bare


def test_a_drag_held_beyond_the_edge_scrolls_on(piece, canvas, place, hand, qtbot, unchanged):
    canvas.view.show(0.0, 2.0, 44, 72)
    mouse, start_s = hand(canvas), canvas.view.start_s
    mouse.press(*place(0.4, 64))
    mouse.move(canvas.width() + 60, place(0.4, 64)[1], button=LEFT)
    qtbot.waitUntil(lambda: canvas.view.start_s > start_s + 0.5, timeout=5000)
    # Beside the roll are the strips, where a note is dropped into a layer; back on the roll it is moved.
    mouse.move(canvas.width() - 9, place(0.4, 64)[1], button=LEFT)
    end_s = canvas.view.time_at(canvas.width() - 9)
    mouse.release(canvas.width() - 9, place(0.4, 64)[1])
    assert piece.document.state.notes[0].onset_s == pytest.approx(end_s - 0.2, abs=0.02)
    assert names(piece) == ["move note"]
    stays_s = canvas.view.start_s
    qtbot.wait(100)
    assert canvas.view.start_s == stays_s


def test_escape_ends_the_scrolling_too(piece, canvas, place, hand, qtbot):
    canvas.view.show(1.0, 2.0, 44, 72)
    mouse, start_s = hand(canvas), canvas.view.start_s
    mouse.press(*place(1.05, 71))
    mouse.move(-60, place(1.0, 50)[1], button=LEFT)
    qtbot.waitUntil(lambda: canvas.view.start_s < start_s, timeout=5000)
    assert not canvas.grab().isNull()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    stays_s = canvas.view.start_s
    qtbot.wait(100)
    assert canvas.view.start_s == stays_s
    mouse.release(-60, place(1.0, 50)[1])


# Split


def test_the_scissors_cut_the_note_under_the_pointer(piece, canvas, place, hand, use, unchanged):
    use("Split")
    piece.selection.set({5})
    hand(canvas).click(*place(0.45, 64))
    state = piece.document.state
    (new,) = state.notes.keys() - {0, 1, 2, 3, 4, 5, 10, 11, 12}
    assert state.notes[0].offset_s == pytest.approx(0.45, abs=0.01)
    assert state.notes[new].onset_s == state.notes[0].offset_s
    assert state.notes[new].offset_s == pytest.approx(0.6)
    assert piece.selection.ids == {5}
    assert names(piece) == ["split note"]


def test_the_scissors_cut_all_selected_notes_that_sound_there(piece, canvas, place, hand, use, unchanged):
    use("Split")
    piece.selection.set({0, 10, 5})
    hand(canvas).click(*place(0.45, 64))
    state = piece.document.state
    assert len(state.notes) == 11
    assert state.notes[0].offset_s == state.notes[10].offset_s == pytest.approx(0.45, abs=0.01)
    assert len(piece.selection.ids) == 5, "both parts stay selected"
    assert names(piece) == ["split 2 notes"]


def test_the_scissors_on_empty_ground_or_at_an_edge_do_nothing(piece, canvas, place, hand, use):
    use("Split")
    hand(canvas).click(*place(3.9, 70))
    x, y = place(0.2, 64)
    hand(canvas).click(x, y)
    assert not piece.document.history.done
    assert not canvas.grab().isNull()


def test_escape_forgets_the_cut(piece, canvas, place, hand, use):
    use("Split")
    mouse = hand(canvas)
    mouse.press(*place(0.45, 64))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    mouse.release(*place(0.45, 64))
    assert not piece.document.history.done


# Draw and erase


def test_a_click_draws_a_short_note_and_the_right_button_erases_it(piece, canvas, place, hand, use, unchanged):
    use("Draw")
    hand(canvas).click(*place(3.0, 55))
    (drawn,) = piece.selection.ids
    assert piece.document.state.notes[drawn].offset_s - piece.document.state.notes[drawn].onset_s == pytest.approx(0.25)
    hand(canvas).drag(place(2.95, 55), place(3.3, 55), button=RIGHT)
    assert drawn not in piece.document.state.notes
    assert names(piece) == ["draw note", "delete note"]


def test_a_note_may_be_drawn_from_its_end(piece, canvas, place, hand, use, unchanged):
    use("Draw")
    hand(canvas).drag(place(3.5, 55), place(3.0, 55))
    (drawn,) = piece.selection.ids
    note = piece.document.state.notes[drawn]
    assert (note.onset_s, note.offset_s) == pytest.approx((3.0, 3.5), abs=0.01)


def test_drawing_on_a_note_moves_it(piece, canvas, place, hand, use, unchanged):
    use("Draw")
    hand(canvas).drag(place(0.4, 64), place(0.4, 66))
    assert piece.document.state.notes[0].pitch == 66
    assert names(piece) == ["move note"]


def test_escape_forgets_what_is_being_drawn(piece, canvas, place, hand, use):
    use("Draw")
    mouse = hand(canvas)
    for start in (place(3.0, 55), place(0.4, 64)):
        mouse.press(*start)
        mouse.move(*place(3.5, 58), button=LEFT)
        assert not canvas.grab().isNull()
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        mouse.release(*place(3.5, 58))
    assert not piece.document.history.done


# Odd input


def test_a_note_without_length_can_be_taken_hold_of(piece, canvas, place, hand, lay):
    lay(notes=notes_of(Note(0, 1.0, 1.0, 60, layer=0)), alignment=None, score=None)
    before = content(piece.document.state)
    x, y = place(1.0, 60)
    hand(canvas).drag((x + 1, y), place(2.0, 62))
    note = piece.document.state.notes[0]
    assert note.pitch == 62
    assert note.onset_s == pytest.approx(2.0, abs=0.02)
    assert note.offset_s == note.onset_s
    assert canvas.tool.handles.all()
    there_and_back(piece, before)


def test_of_two_layers_on_one_pitch_the_active_one_is_hit(piece, canvas, place, hand, lay):
    lay(notes=notes_of(Note(0, 1.0, 2.0, 60, layer=0), Note(1, 1.0, 2.0, 60, layer=1)), alignment=None, score=None)
    for layer in (0, 1, 0):
        piece.selection.set(())
        piece.selection.set_layer(layer)
        hand(canvas).click(*place(1.5, 60))
        assert piece.selection.ids == {layer}


def test_between_two_notes_the_one_under_the_pointer_is_hit(piece, canvas, place, hand, lay):
    lay(notes=notes_of(Note(0, 1.0, 2.0, 60), Note(1, 2.0, 3.0, 60)), alignment=None, score=None)
    x, y = place(2.0, 60)
    hand(canvas).click(x - 1, y)
    assert piece.selection.ids == {0}
    hand(canvas).click(x + 1, y)
    assert piece.selection.ids == {1}


def test_ten_thousand_notes_in_a_second_are_moved_cut_and_erased(piece, canvas, place, hand, use, lay):
    many = [Note(i, 1.0 + (i % 100) / 100, 1.2 + (i % 100) / 100, 50 + i // 1000, layer=i % 2) for i in range(10_000)]
    lay(notes=notes_of(*many), alignment=None, score=None)
    before = content(piece.document.state)
    hand(canvas).drag(place(0.9, 61), place(2.5, 49))
    assert len(piece.selection.ids) == 10_000
    hand(canvas).drag(place(2.1, 55), place(2.6, 57))
    assert not canvas.grab().isNull()
    use("Split")
    hand(canvas).click(*place(2.65, 57))
    use("Erase")
    hand(canvas).drag(place(1.5, 55), place(2.5, 55))
    assert names(piece)[0] == "move 10000 notes"
    assert names(piece)[1].startswith("split")
    assert names(piece)[2].startswith("delete")
    assert len(names(piece)) == 3
    there_and_back(piece, before)


def test_notes_beyond_the_end_of_the_recording_are_edited_like_others(piece, canvas, place, hand, lay):
    lay(notes=notes_of(Note(0, 30.0, 31.0, 60)), alignment=None, score=None)
    before = content(piece.document.state)
    canvas.view.set_duration(40.0)
    canvas.view.show(29.0, 33.0, 44, 72)
    hand(canvas).drag(place(30.5, 60), place(31.5, 61))
    assert piece.document.state.notes[0].onset_s == pytest.approx(31.0, abs=0.02)
    assert piece.document.state.notes[0].pitch == 61
    there_and_back(piece, before)
