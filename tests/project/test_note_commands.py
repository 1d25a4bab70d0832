"""Edits of notes: cut, pasted, typed into a table, given tolerances of their own; and what a lock keeps as it is."""

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.states import EDITS, SECONDS, content, states

from soli.errors import InputError
from soli.project import commands
from soli.project.edits import NotesChange
from soli.project.history import History
from soli.project.state import Layer, State
from soli.score.notes import Note

LEFT, RIGHT = Layer(0, "Left", "#5ABBF8"), Layer(1, "Right", "#F4828F")
NOTES = (
    Note(0, 1.0, 2.0, 60, before_s=0.1, after_s=0.2),
    Note(1, 2.0, 3.0, 64, pedal_s=3.5),
    Note(2, 3.0, 4.0, 67, layer=1),
)
LAYER_EDITS = {
    "alter_layer",
    "remove_layer",
    "merge_layers",
    "set_layer_flags",
    "set_program",
    "place_score",
    "realign",
}


@pytest.fixture
def state() -> State:
    return State(notes=MappingProxyType({n.id: n for n in NOTES}), layers=(LEFT, RIGHT))


def locked(state: State, *ids: int) -> State:
    return replace(state, layers=tuple(replace(layer, locked=layer.id in ids) for layer in state.layers))


def sounding(state: State, at_s: float) -> Counter[tuple[int, int]]:
    return Counter((n.pitch, n.layer) for n in state.notes.values() if n.onset_s <= at_s < n.sounding_offset_s)


@settings(max_examples=60, deadline=None)
@given(state=states(), at_s=SECONDS.map(abs), times=st.lists(st.floats(-1, 25), max_size=8))
def test_cut_notes_sound_when_they_did(state, at_s, times):
    after = commands.split_notes(state, state.notes, at_s).apply(state)
    for time_s in times:
        assert sounding(after, time_s) == sounding(state, time_s)
    for i, note in state.notes.items():
        kept, new = after.notes[i], [n for n in after.notes.values() if n.id not in state.notes and n.onset_s == at_s]
        assert kept.onset_s == note.onset_s
        cut = kept != note
        assert cut <= bool(new)
        assert cut <= (note.onset_s < at_s < note.sounding_offset_s)
    # What is left out stays so in both parts.
    present = {n.id for n in after.present_notes()}
    for i in state.absent:
        assert i not in present
    assert len(present) - len(state.present_notes()) == sum(after.notes[n.id] != n for n in state.present_notes())


def test_a_note_that_the_pedal_holds_over_the_beginning_may_be_cut_there(state):
    early = replace(state.notes[1], id=9, onset_s=-0.5, offset_s=-0.25, pedal_s=1.0)
    state = replace(state, notes=MappingProxyType({**state.notes, 9: early}))
    after = commands.split_notes(state, [9], 0.0).apply(state)
    first, second = after.notes[9], after.notes[10]
    assert (first.onset_s, first.sounding_offset_s) == (-0.5, 0.0)
    assert (second.onset_s, second.sounding_offset_s) == (0.0, 1.0)


def test_the_parts_of_a_note_keep_the_tolerances_of_its_ends(state):
    edit = commands.split_notes(state, [0, 2], 1.5)
    after = edit.apply(state)
    assert edit.name == "split note"
    assert edit.added == (3,)
    assert (after.notes[0].onset_s, after.notes[0].offset_s) == (1.0, 1.5)
    assert (after.notes[0].before_s, after.notes[0].after_s) == (0.1, None)
    assert (after.notes[3].onset_s, after.notes[3].offset_s) == (1.5, 2.0)
    assert (after.notes[3].before_s, after.notes[3].after_s) == (None, 0.2)


def test_a_note_may_be_cut_where_the_pedal_holds_it(state):
    after = commands.split_notes(state, [1], 3.25).apply(state)
    first, second = after.notes[1], after.notes[3]
    assert (first.offset_s, first.pedal_s) == (3.0, 3.25)
    assert second.onset_s == 3.25
    assert second.onset_s < second.offset_s <= second.pedal_s == 3.5


@pytest.mark.parametrize("at_s", [0.5, 1.0, 1.001, 1.999, 2.0, math.nan, math.inf])
def test_no_note_is_cut_at_its_ends_or_outside(state, at_s):
    assert commands.split_notes(state, [0], at_s).changes_nothing


def test_tolerances_are_set_kept_and_taken_away(state):
    edit = commands.set_tolerances(state, [0, 1], before_s=0.5)
    after = edit.apply(state)
    assert edit.name == "set tolerance of 2 notes"
    assert [(after.notes[i].before_s, after.notes[i].after_s) for i in (0, 1)] == [(0.5, 0.2), (0.5, None)]
    reset = commands.set_tolerances(after, [0, 1], before_s=None, after_s=None)
    assert reset.name == "reset tolerance of 2 notes"
    assert all(reset.apply(after).notes[i].before_s is None for i in (0, 1))
    far = commands.set_tolerances(state, [0], before_s=-3, after_s=1e9).apply(state).notes[0]
    assert far.before_s == 0.0
    assert far.after_s == 30.0
    assert commands.set_tolerances(state, [0]).changes_nothing
    for wrong in (math.nan, math.inf, "1"):
        with pytest.raises(InputError, match="no number of seconds"):
            commands.set_tolerances(state, [0], after_s=wrong)


def test_a_drag_of_a_tolerance_is_one_step_that_holds_each_note_once(state):
    history, first = History(), state
    for step in range(300):
        state = history.do(state, commands.set_tolerances(state, [0, 1], after_s=step / 100, gesture="tolerance"))
    assert len(history.done) == 1
    assert history.done[0].size <= 2 * commands.set_tolerances(first, [0, 1], after_s=1).size
    assert state.notes[1].after_s == 2.99
    assert content(history.undo(state)) == content(first)
    assert content(history.redo(first)) == content(state)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_two_changes_of_notes_are_as_one(data):
    """Each may add, alter and remove; the second what the first has done too."""
    ids = st.sets(st.integers(0, 5))
    passed = [{i: Note(i, 0.0, 1.0, 60) for i in data.draw(ids)}]
    for step in (1, 2):
        kept = {i: note for i, note in passed[-1].items() if i not in data.draw(ids)}
        altered = {i: Note(i, 0.0, 1.0, data.draw(st.integers(60, 60 + step))) for i in data.draw(ids)}
        passed.append(kept | altered)
    first, second = (
        NotesChange(
            tuple(note for i, note in before.items() if after.get(i) != note),
            tuple(note for i, note in after.items() if before.get(i) != note),
        )
        for before, after in pairwise(passed)
    )
    both = first.followed(second)
    assert dict(both.apply(State(notes=MappingProxyType(passed[0]))).notes) == passed[2]
    assert dict(both.inverse().apply(State(notes=MappingProxyType(passed[2]))).notes) == passed[0]
    assert len(both.before) + len(both.after) <= len(passed[0]) + len(passed[2])
    assert (both.size == 0) == (passed[0] == passed[2])


def test_a_drag_of_a_tolerance_back_to_where_it_began_is_no_step(state):
    history = History()
    there = history.do(state, commands.set_tolerances(state, [0], after_s=1.0, gesture="tolerance"))
    back = history.do(there, commands.set_tolerances(there, [0], after_s=0.2, gesture="tolerance"))
    assert content(back) == content(state)
    assert history.last is None


def test_a_table_alters_what_is_typed_and_nothing_else(state):
    changes = {0: {"onset_s": 5.0, "velocity": 12}, 1: {"duration_s": 0.25, "pitch": 65}, 2: {"layer": 0, "after_s": 1.5}}
    edit = commands.alter_notes(state, changes, "edit 3 notes")
    after = edit.apply(state).notes
    assert edit.name == "edit 3 notes"
    assert after[0] == replace(NOTES[0], onset_s=5.0, offset_s=6.0, velocity=12)
    assert after[1] == replace(NOTES[1], offset_s=2.25, pedal_s=0.0, pitch=65)
    assert after[2] == replace(NOTES[2], layer=0, after_s=1.5)
    moved = commands.alter_notes(state, {1: {"onset_s": 2.5}}, "edit").apply(state).notes[1]
    assert (moved.onset_s, moved.offset_s, moved.pedal_s) == (2.5, 3.5, 4.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"onset_s": -0.1},
        {"onset_s": math.nan},
        {"onset_s": 1e9},
        {"onset_s": "now"},
        {"duration_s": 0.0},
        {"duration_s": -1.0},
        {"offset_s": 0.5},
        {"pitch": 128},
        {"pitch": 60.5},
        {"pitch": True},
        {"velocity": -1},
        {"layer": 9},
        {"layer": None},
        {"before_s": math.inf},
        {"id": 5},
        {"colour": "red"},
    ],
)
def test_a_table_refuses_in_a_sentence_what_no_note_can_have(state, wrong):
    with pytest.raises(InputError):
        commands.alter_notes(state, {0: wrong}, "edit")


def test_notes_are_pasted_as_they_lie_to_each_other(state):
    copied = commands.copy_notes(state, [2, 0, 99])
    assert [note.id for note in copied] == [0, 2]
    edit = commands.paste_notes(state, copied, 10.0, 2)
    after = edit.apply(state)
    assert edit.name == "paste 2 notes"
    assert edit.added == (3, 4)
    assert after.notes[3] == replace(NOTES[0], id=3, onset_s=10.0, offset_s=11.0, pitch=62)
    assert after.notes[4] == replace(NOTES[2], id=4, onset_s=12.0, offset_s=13.0, pitch=69)
    elsewhere = commands.paste_notes(state, copied, -4.0, 200, layer=1).apply(state)
    assert [(elsewhere.notes[i].onset_s, elsewhere.notes[i].pitch, elsewhere.notes[i].layer) for i in (3, 4)] == [
        (0.0, 120, 1),
        (2.0, 127, 1),
    ]


def test_notes_are_pasted_into_a_piece_without_layers(state):
    after = commands.paste_notes(State(), NOTES, 0.0).apply(State())
    assert len(after.layers) == 1
    assert {note.layer for note in after.notes.values()} == {after.layers[0].id}


@settings(max_examples=60, deadline=None)
@given(state=states(), data=st.data())
def test_no_edit_of_notes_or_strokes_reaches_a_locked_layer(state, data):
    closed = locked(state, *data.draw(st.sets(st.sampled_from([layer.id for layer in state.layers]))))
    name = data.draw(st.sampled_from(sorted(set(EDITS) - LAYER_EDITS)))
    after = EDITS[name](data.draw, closed).apply(closed)

    def inside(some: State) -> tuple[object, ...]:
        notes = {i: (note, i in some.absent) for i, note in some.notes.items() if note.layer in closed.locked_layers}
        return notes, [stroke for stroke in some.mask if stroke.layer in closed.locked_layers]

    assert inside(after) == inside(closed)


def test_an_edit_of_locked_notes_alone_is_none(state):
    closed = locked(state, 0)
    for edit in (
        commands.move_notes(closed, [0, 1], seconds=1.0),
        commands.delete_notes(closed, [0]),
        commands.draw_note(closed, pitch=60, onset_s=0, offset_s=1, layer=0),
        commands.assign_layer(closed, [2], 0),
        commands.set_tolerances(closed, [0], after_s=1.0),
        commands.alter_notes(closed, {0: {"pitch": 3}}, "edit"),
        commands.alter_notes(closed, {2: {"layer": 0}}, "edit"),
        commands.paste_notes(closed, NOTES[:2], 1.0),
    ):
        assert edit.changes_nothing
    mixed = commands.move_notes(closed, [0, 2], seconds=1.0)
    assert mixed.name == "move note"
    assert mixed.apply(closed).notes[0] == NOTES[0]
