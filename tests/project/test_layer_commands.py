"""Edits of layers: shown, locked, sorted, joined; and which of them the decomposition hears of."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.states import content, states

from soli.decompose.constraints import MaskEdit
from soli.playback.mixer import Strip
from soli.project import commands, layering
from soli.project.state import Layer, State
from soli.score.notes import Note

LAYERS = tuple(Layer(i, name, "#5ABBF8") for i, name in enumerate(("Alto", "Bass", "Cello")))


@pytest.fixture
def state() -> State:
    notes = {i: Note(i, i, i + 1, 60, layer=i % 3) for i in range(6)}
    return State(notes=MappingProxyType(notes), layers=LAYERS, mask=(MaskEdit(60, 0, 1, True, 1), MaskEdit(60, 0, 1, True, 2)))


def test_layers_are_hidden_and_locked_by_name(state):
    for flags, name in (
        ({"hidden": True}, "hide Bass"),
        ({"locked": True}, "lock Bass"),
        ({"hidden": True, "locked": True}, "hide and lock Bass"),
    ):
        edit = commands.set_layer_flags(state, 1, **flags)
        after = edit.apply(state)
        assert edit.name == name
        assert after.layer(1) == replace(LAYERS[1], **flags)
        assert (after.hidden_layers, after.locked_layers) == (
            {1} if "hidden" in flags else set(),
            {1} if "locked" in flags else set(),
        )
        assert not edit.sounds
        back = commands.set_layer_flags(after, 1, **dict.fromkeys(flags, False))
        assert back.name == name.replace("hide", "show").replace("lock", "unlock")
        assert back.apply(after).layers == LAYERS
    assert commands.set_layer_flags(state, 1).changes_nothing
    assert commands.set_layer_flags(state, 1, hidden=False).changes_nothing


def test_layers_that_share_templates_are_heard_of(state):
    group = state.next_template_group()
    edit = commands.set_layer_templates(state, [0, 2], group)
    after = edit.apply(state)
    assert edit.name == "share templates of 2 layers"
    assert [layer.templates for layer in after.layers] == [group, None, group]
    assert edit.sounds
    assert after.next_template_group() != group
    assert commands.set_layer_templates(state, [1], group).name == "separate templates of Bass"
    back = commands.set_layer_templates(after, [0, 2], None)
    assert back.name == "group templates of 2 layers by instrument"
    assert back.sounds
    assert back.apply(after).layers == LAYERS


def test_sorting_into_layers_leaves_locked_ones_as_they_are(state):
    state = replace(
        state, layers=(LAYERS[0], replace(LAYERS[1], locked=True), LAYERS[2]), strips=MappingProxyType({1: Strip(-6.0)})
    )
    sorted_ = layering.split(state.notes.values(), (), "pitch:60")
    after = commands.set_layers(state, sorted_, "split").apply(state)
    assert [layer.name for layer in after.layers] == ["Bass", "C4 and above"]
    assert {i for i, note in after.notes.items() if note.layer == 1} == {1, 4}
    assert {note.layer for note in after.notes.values()} == {layer.id for layer in after.layers}
    assert [stroke.layer for stroke in after.mask] == [1, after.layers[1].id]
    assert dict(after.strips) == {1: Strip(-6.0)}
    assert len({layer.colour for layer in after.layers}) == 2
    named = replace(sorted_, layers=tuple(replace(layer, name="bass") for layer in sorted_.layers))
    assert [layer.name for layer in commands.set_layers(state, named, "split").apply(state).layers] == ["Bass", "bass 2"]


def test_several_layers_are_merged_in_one_step(state):
    edit = commands.merge_layers(state, [1, 2, 7], 0)
    after = edit.apply(state)
    assert edit.name.startswith("merge 2 layers into ")
    assert after.layers == LAYERS[:1]
    assert {note.layer for note in after.notes.values()} == {0}
    assert [stroke.layer for stroke in after.mask] == [0, 0]
    assert commands.merge_layers(state, [0], 0).changes_nothing
    assert commands.merge_layers(state, [0], 9).changes_nothing


@pytest.mark.parametrize(
    ("layer", "position", "order"),
    [(0, 2, [1, 2, 0]), (2, 0, [2, 0, 1]), (1, 99, [0, 2, 1]), (1, -4, [1, 0, 2]), (1, 1, [0, 1, 2])],
)
def test_a_layer_is_moved_to_its_place(state, layer, position, order):
    edit = commands.move_layer(state, layer, position)
    assert [known.id for known in edit.apply(state).layers] == order
    assert edit.changes_nothing == (order == [0, 1, 2])
    assert not edit.sounds


@settings(max_examples=80, deadline=None)
@given(state=states(), data=st.data())
def test_a_split_at_a_pitch_parts_just_these_notes(state, data):
    ids = state.editable(data.draw(st.sets(st.sampled_from([*state.notes, -5]))))
    pitch = data.draw(st.integers(0, 127))
    edit = commands.split_at_pitch(state, ids, pitch)
    after = edit.apply(state)
    above, below = ({i for i in ids if (state.notes[i].pitch >= pitch) is high} for high in (True, False))
    if not (above and below):
        assert edit.changes_nothing
        return
    upper, lower = commands.halves(state, ids, pitch)
    assert {i for i, n in after.notes.items() if n.layer == upper.id} == above
    assert {i for i, n in after.notes.items() if n.layer == lower.id} == below
    assert all(after.notes[i] == n for i, n in state.notes.items() if i not in ids)
    names = [layer.name.casefold() for layer in after.layers]
    assert {upper.id, lower.id} <= {layer.id for layer in after.layers}
    assert names.count(upper.name.casefold()) == names.count(lower.name.casefold()) == 1
    emptied = {n.layer for n in state.notes.values()} - {n.layer for n in after.notes.values()}
    assert {layer.id for layer in state.layers} - {layer.id for layer in after.layers} == emptied
    assert {stroke.layer for stroke in after.mask} - {None} <= {layer.id for layer in after.layers}
    assert content(edit.revert(after)) == content(state)


def test_the_halves_of_a_layer_take_its_place_colour_strip_and_templates():
    notes = {i: Note(i, i, i + 1, 50 + 5 * i, layer=1) for i in range(4)} | {9: Note(9, 0, 1, 40, layer=0)}
    layers = (Layer(0, "Bass", "#5ABBF8"), Layer(1, "Piano", "#F4828F", templates=3), Layer(2, "Empty", "#6FD08C"))
    state = State(notes=MappingProxyType(notes), layers=layers, strips=MappingProxyType({1: Strip(gain_db=-6.0, pan=0.5)}))
    after = commands.split_at_pitch(state, range(4), 60).apply(state)
    assert [layer.name for layer in after.layers] == ["Bass", "Piano from C4", "Piano below C4", "Empty"]
    upper, lower = after.layers[1:3]
    assert (upper.colour, upper.templates, lower.templates) == ("#F4828F", 3, 3)
    assert lower.colour not in {layer.colour for layer in state.layers}
    assert after.strip(upper.id) == after.strip(lower.id) == Strip(gain_db=-6.0, pan=0.5)
    assert 1 not in after.strips
