"""Edits and history: whatever is done can be undone and redone, and nothing else is touched."""

import inspect
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.states import EDITS, an_alignment, an_edit, content, states

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.playback.mixer import Strip
from soli.project import commands, layering
from soli.project.commands import Edit
from soli.project.history import History
from soli.project.state import ORIGINAL, RESIDUAL, Layer, State
from soli.score.notes import Note, Score

LEFT, RIGHT = Layer(0, "Left", "#5ABBF8"), Layer(1, "Right", "#F4828F")
NOTES = (Note(0, 1.0, 2.0, 60, layer=0), Note(1, 2.0, 3.0, 64, layer=0, pedal_s=3.5), Note(2, 3.0, 4.0, 67, layer=1))


@pytest.fixture
def state() -> State:
    return State(notes=MappingProxyType({n.id: n for n in NOTES}), layers=(LEFT, RIGHT))


def test_every_constructor_of_an_edit_is_drawn():
    constructors = {
        name
        for name, value in vars(commands).items()
        if inspect.isfunction(value) and not name.startswith("_") and inspect.signature(value).return_annotation is Edit
    }
    assert constructors == set(EDITS)


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_all_undone_is_the_first_state_and_all_redone_the_last(state, data):
    history, first = History(), state
    for _ in range(data.draw(st.integers(1, 7))):
        edit = data.draw(an_edit(state))
        if not edit.changes_nothing:
            state = history.do(state, edit)
        if data.draw(st.integers(0, 4)) == 0:
            history.end_gesture()
    last, steps = state, len(history.done)
    for _ in range(steps):
        state = history.undo(state)
    assert content(state) == content(first)
    assert history.last is None
    assert history.undo(state) is state
    for _ in range(steps):
        state = history.redo(state)
    assert content(state) == content(last)
    assert history.redo(state) is state


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_jumps_anywhere_and_back_lead_where_they_led_before(state, data):
    history, passed = History(), [content(state)]
    for _ in range(data.draw(st.integers(1, 6))):
        edit = data.draw(an_edit(state))
        if not edit.changes_nothing:
            state = history.do(state, edit)
            history.end_gesture()
            passed.append(content(state))
    at = len(passed) - 1
    assert len(history.done) == at
    for to in data.draw(st.lists(st.integers(-2, 8), max_size=6)):
        before = content(state)
        state, aspects = history.jump(state, to - at)
        at = min(max(0, to), len(passed) - 1)
        after = content(state)
        assert after == passed[at]
        assert {name for name in before if before[name] != after[name]} <= aspects
        assert (len(history.done), len(history.undone)) == (at, len(passed) - 1 - at)


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_an_edit_never_alters_the_state_it_is_given(state, data):
    before = content(state)
    edit = data.draw(an_edit(state))
    after = edit.apply(state)
    assert content(state) == before
    then = content(after)
    assert content(edit.revert(after)) == before
    assert content(after) == then


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_an_edit_says_truly_what_it_changes(state, data):
    edit = data.draw(an_edit(state))
    before, after = content(state), content(edit.apply(state))
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= edit.aspects
    assert edit.changes_nothing == (not changed)
    assert edit.sounds or not changed & {"notes", "absent", "mask", "settings"}


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_every_note_ends_after_it_begins_and_stays_on_the_roll(state, data):
    for _ in range(data.draw(st.integers(1, 4))):
        state = data.draw(an_edit(state)).apply(state)
    for i, note in state.notes.items():
        assert i == note.id
        assert note.onset_s < note.offset_s
        assert note.pedal_s == 0 or note.pedal_s >= note.offset_s
        assert 0 <= note.pitch <= 127


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_what_belongs_to_a_layer_belongs_to_one_that_is_there(state, data):
    for _ in range(data.draw(st.integers(1, 3))):
        state = data.draw(an_edit(state)).apply(state)
    there = {layer.id for layer in state.layers}
    assert len(there) == len(state.layers) > 0
    assert {note.layer for note in state.notes.values()} <= there
    assert {stroke.layer for stroke in state.mask} <= there | {None}
    assert set(state.strips) <= there | {RESIDUAL, ORIGINAL}
    assert state.absent <= set(state.notes)


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data(), seconds=st.integers(-3000, 3000).map(lambda ms: ms / 1000))
def test_moved_notes_keep_their_distances_and_lengths(state, data, seconds):
    ids = data.draw(st.sets(st.sampled_from(sorted(state.notes)))) if state.notes else set()
    after = commands.move_notes(state, ids, seconds=seconds, semitones=3).apply(state)
    ids = set(state.editable(ids))
    moves = {round(after.notes[i].onset_s - state.notes[i].onset_s, 6) for i in ids}
    assert len(moves) <= 1
    assert len({after.notes[i].pitch - state.notes[i].pitch for i in ids}) <= 1
    for i in ids:
        old, new = state.notes[i], after.notes[i]
        assert new.offset_s - new.onset_s == pytest.approx(old.offset_s - old.onset_s)
        assert new.onset_s >= min(0.0, old.onset_s)
    assert all(after.notes[i] is state.notes[i] for i in set(state.notes) - ids)


def test_names_read_well(state):
    assert commands.move_notes(state, [0, 1, 2], semitones=1).name == "move 3 notes"
    assert commands.move_notes(state, [0], semitones=1).name == "move note"
    assert commands.stretch_notes(state, [0, 1], offset_s=0.1).name == "lengthen 2 notes"
    assert commands.stretch_notes(state, [0], onset_s=0.1).name == "shorten note"
    assert commands.delete_notes(state, [0, 1]).name == "delete 2 notes"
    assert commands.draw_note(state, pitch=60, onset_s=0, offset_s=1, layer=0).name == "draw note"
    assert commands.assign_layer(state, [0, 1], 1).name == "assign 2 notes to Right"
    assert commands.paint_mask(state, [MaskEdit(60, 0, 1, allow=True)]).name == "allow C4"
    assert commands.paint_mask(state, [MaskEdit(60, 0, 1, allow=False)]).name == "forbid C4"
    assert commands.set_absent(state, [0, 2], absent=True).name == "leave out 2 notes"
    assert commands.add_layer(state, " Voice ").name == "add layer Voice"
    assert commands.alter_layer(state, 0, name="Bass").name == "rename Left to Bass"
    assert commands.alter_layer(state, 0, colour="#000000").name == "colour Left"
    assert commands.remove_layer(state, 0, 1).name == "merge Left into Right"
    for name, strip in {
        "set gain of Left": Strip(gain_db=-3),
        "set pan of Left": Strip(pan=0.5),
        "mute Left": Strip(muted=True),
        "solo Left": Strip(soloed=True),
    }.items():
        assert commands.set_strip(state, 0, strip).name == name


VERBS = """add align allow assign bring change colour delete draw edit erase forbid free group hide leave lengthen limit lock
merge move mute paste place remove rename reset separate set share shorten show solo split unlock unmute unsolo"""


@settings(max_examples=60, deadline=None)
@given(state=states(), data=st.data())
def test_every_step_is_named_by_what_is_done(state, data):
    layers = tuple(replace(layer, name=f"Voice {layer.id}") for layer in state.layers)
    state = replace(state, layers=layers)
    name = data.draw(an_edit(state)).name
    assert name.split()[0] in VERBS.split()
    assert name == name.strip()
    assert not name.endswith((" of", " to", " for", " into"))
    assert "of note" not in name.replace("of notes", "")


@pytest.mark.parametrize(
    "nothing",
    [
        lambda s: commands.move_notes(s, [0, 1]),
        lambda s: commands.move_notes(s, [0], seconds=0.0),
        lambda s: commands.move_notes(s, [], seconds=1.0),
        lambda s: commands.stretch_notes(s, [0]),
        lambda s: commands.delete_notes(s, []),
        lambda s: commands.assign_layer(s, [0, 1], 0),
        lambda s: commands.set_absent(s, [0, 1], absent=False),
        lambda s: commands.paint_mask(s, []),
        lambda s: commands.alter_layer(s, 0, name="Left"),
        lambda s: commands.alter_layer(s, 0, name="  "),
        lambda s: commands.alter_layer(s, 0),
        lambda s: commands.remove_layer(s, 0, 0),
        lambda s: commands.set_strip(s, 0, Strip()),
        lambda s: commands.set_strip(s, ORIGINAL, Strip(muted=True)),
        lambda s: commands.set_strips(s, {0: Strip(), RESIDUAL: Strip()}, "solo"),
        lambda s: commands.set_settings(s, ModelSettings()),
    ],
)
def test_an_edit_that_changes_nothing_says_so(state, nothing):
    assert nothing(state).changes_nothing
    assert content(nothing(state).apply(state)) == content(state)


def test_the_end_of_a_note_held_by_the_pedal_is_where_it_stops_sounding(state):
    longer = commands.stretch_notes(state, [1], offset_s=0.5).apply(state).notes[1]
    assert (longer.offset_s, longer.pedal_s) == (4.0, 0.0)


def test_the_beginning_of_a_note_may_move_into_what_the_pedal_holds(state):
    later = commands.stretch_notes(state, [1], onset_s=1.2).apply(state).notes[1]
    assert later.onset_s == pytest.approx(3.2)
    assert later.onset_s < later.offset_s <= later.pedal_s == 3.5


def test_a_note_before_the_recording_changes_pitch_without_moving(state):
    early = Note(0, -0.5, 0.5, 60)
    moved = commands.move_notes(State(notes={0: early}), [0], semitones=2).apply(State(notes={0: early})).notes[0]
    assert (moved.onset_s, moved.offset_s, moved.pitch) == (-0.5, 0.5, 62)


def test_a_drawn_note_takes_the_instrument_of_its_layer():
    clarinet = Note(4, 0.0, 1.0, 70, track=2, channel=3, program=71, layer=5)
    state = State(notes={4: clarinet}, layers=(Layer(5, "Clarinet", "#5ABBF8"),))
    edit = commands.draw_note(state, pitch=72, onset_s=2.0, offset_s=1.0, layer=5)
    (drawn,) = (note for i, note in edit.apply(state).notes.items() if i != 4)
    assert (drawn.track, drawn.channel, drawn.program, drawn.layer) == (2, 3, 71, 5)
    assert drawn.onset_s == 2.0
    assert drawn.id == 5


def test_a_new_alignment_moves_all_but_what_the_user_has_placed(state):
    aligned = replace(state, alignment=an_alignment(NOTES), absent=frozenset({2}))
    mine = commands.move_notes(aligned, [1], seconds=0.25, semitones=1).apply(aligned)
    mine = commands.assign_layer(mine, [0], 1).apply(mine)
    found = an_alignment([replace(n, onset_s=n.onset_s + 10, offset_s=n.offset_s + 10, pedal_s=0.0) for n in NOTES], {0})
    edit = commands.realign(mine, found, ((1.0, 11.0),), "anchor")
    after = edit.apply(mine)
    assert [after.notes[i].onset_s for i in (0, 1, 2)] == [11.0, 2.25, 13.0]
    assert (after.notes[0].layer, after.notes[1].pitch) == (1, 65)
    # What the user left out stays out; what the alignment does not find joins it.
    assert after.absent == {0, 2}
    assert (after.alignment, after.anchors) == (found, ((1.0, 11.0),))
    assert content(edit.revert(after)) == content(mine)


def test_a_note_deleted_is_not_missed_by_a_new_alignment(state):
    aligned = replace(state, alignment=an_alignment(NOTES), score=Score(NOTES))
    without = commands.delete_notes(aligned, [2]).apply(aligned)
    after = commands.realign(without, an_alignment(NOTES, {2}), (), "align").apply(without)
    assert sorted(after.notes) == [0, 1]
    assert after.absent == frozenset()
    assert after.next_note_id() == 3, "the id of a note of the score is not given away"


def test_merging_a_layer_takes_its_notes_and_strokes_along(state):
    state = commands.paint_mask(state, [MaskEdit(60, 0, 1, True, 0), MaskEdit(61, 0, 1, False, None)]).apply(state)
    state = commands.set_strip(state, 0, Strip(gain_db=-6)).apply(state)
    merged = commands.remove_layer(state, 0, 1).apply(state)
    assert merged.layers == (RIGHT,)
    assert {note.layer for note in merged.notes.values()} == {1}
    assert [stroke.layer for stroke in merged.mask] == [1, None]
    assert 0 not in merged.strips


def test_sorting_into_layers_sends_strokes_where_most_notes_of_their_layer_go(state):
    state = commands.add_layer(state, "Empty").apply(state)
    strokes = [MaskEdit(60, 0, 1, True, 0), MaskEdit(60, 0, 1, True, 1), MaskEdit(60, 0, 1, True, 2)]
    state = commands.paint_mask(state, strokes).apply(state)
    split = layering.split(state.notes.values(), (), "pitch:66")
    after = commands.set_layers(state, split, "split").apply(state)
    assert [stroke.layer for stroke in after.mask] == [after.notes[0].layer, after.notes[2].layer, None]


def test_a_drag_of_a_fader_is_one_step_however_long(state):
    history, first = History(), state
    for step in range(500):
        state = history.do(state, commands.set_strip(state, 0, Strip(gain_db=-step / 10 - 0.1), gesture="gain 0"))
    assert len(history.done) == 1
    assert history.done[0].size < 3 * commands.set_strip(first, 0, Strip(gain_db=-1)).size
    assert state.strip(0).gain_db == -50.0
    assert content(history.undo(state)) == content(first)
    assert content(history.redo(first)) == content(state)


def test_a_new_gesture_is_a_new_step(state):
    history = History()
    for gesture, gain_db in (("gain 0", -1), ("gain 0", -2), ("gain 1", -3), ("", -4), ("", -5)):
        state = history.do(state, commands.set_strip(state, 0, Strip(gain_db=gain_db), gesture=gesture))
    assert len(history.done) == 4
    state = history.do(state, commands.set_strip(state, 0, Strip(gain_db=-6), gesture="gain 0"))
    history.end_gesture()
    history.do(state, commands.set_strip(state, 0, Strip(gain_db=-7), gesture="gain 0"))
    assert len(history.done) == 6


def test_a_drag_that_ends_where_it_began_is_no_step(state):
    history = History()
    moved = history.do(state, commands.set_strip(state, 0, Strip(gain_db=-1), gesture="gain 0"))
    back = history.do(moved, commands.set_strip(moved, 0, Strip(), gesture="gain 0"))
    assert back.strip(0) == Strip()
    # The strip was written down as it is by default: one step at most, and undone it is the first state.
    while history.last:
        back = history.undo(back)
    assert content(back) == content(state)


def test_a_new_edit_forgets_what_was_undone(state):
    history = History()
    state = history.do(state, commands.delete_notes(state, [0]))
    state = history.undo(state)
    state = history.do(state, commands.delete_notes(state, [1]))
    assert history.next is None
    assert [edit.name for edit in history.done] == ["delete note"]


def test_past_the_bound_the_oldest_steps_go_and_only_those():
    notes = MappingProxyType({i: Note(i, 1.0 * i, i + 0.5, 60) for i in range(100)})
    state = State(notes=notes)
    one = commands.delete_notes(state, [0]).size
    history = History(most_bytes=5 * one)
    for i in range(12):
        state = history.do(state, commands.delete_notes(state, [i]))
    names = [edit.changes[0].before[0].id for edit in history.done]
    assert names == [7, 8, 9, 10, 11]
    for _ in range(5):
        state = history.undo(state)
    assert sorted(state.notes) == list(range(7, 100))
    for _ in range(5):
        state = history.redo(state)
    state = history.do(state, commands.delete_notes(state, [12]))
    assert len(history.done) == 5


def test_one_step_larger_than_the_bound_can_still_be_undone():
    state = State(notes=MappingProxyType({i: Note(i, 1.0 * i, i + 0.5, 60) for i in range(100)}))
    history = History(most_bytes=1000)
    after = history.do(state, commands.delete_notes(state, range(100)))
    assert not after.notes
    assert content(history.undo(after)) == content(state)
