"""Which layers share templates, and what choosing changes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from project.states import content, states

from soli.progress import finish
from soli.project import pipeline
from soli.project.commands import set_absent
from soli.project.refit import refit_separation_steps
from soli.project.state import Layer, State
from soli.project.template_sets import (
    has_own,
    join_templates,
    separate_templates,
    sharing,
    template_sets,
    templates_by_instrument,
)


@given(state=states(), data=st.data())
def test_choices_can_be_taken_back_and_sharing_is_mutual(state: State, data: st.DataObject) -> None:
    ids = [layer.id for layer in state.layers]
    for _ in range(data.draw(st.integers(0, 4))):
        layer, other = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(ids))
        choices = [separate_templates(state, layer), templates_by_instrument(state, layer)]
        if other != layer:
            choices.append(join_templates(state, layer, other))
        edit = data.draw(st.sampled_from(choices))
        after = edit.apply(state)
        assert content(edit.revert(after)) == content(state)
        state = after
    for a in ids:
        assert a not in sharing(state, a)
        assert all(a in sharing(state, b) for b in sharing(state, a) if b in ids)


@given(state=states(), data=st.data())
def test_own_is_own_and_joined_is_joined(state: State, data: st.DataObject) -> None:
    ids = [layer.id for layer in state.layers]
    layer = data.draw(st.sampled_from(ids))
    alone = separate_templates(state, layer).apply(state)
    assert has_own(alone, layer)
    assert not sharing(alone, layer)
    if len(ids) > 1:
        other = data.draw(st.sampled_from([i for i in ids if i != layer]))
        along = sharing(alone, other)
        joined = join_templates(alone, layer, other).apply(alone)
        assert sharing(joined, layer) >= {other, *along}


def test_only_who_shares_with_whom_matters_not_the_numbers() -> None:
    layers = tuple(Layer(i, str(i), "#000000", templates=group) for i, group in enumerate((7, None, 3, 7)))
    other = tuple(replace(layer, templates=None if layer.templates is None else 100 - layer.templates) for layer in layers)
    sets = template_sets(State(layers=layers))
    assert sets[0] == sets[3] != sets[2]
    assert 1 not in sets
    assert template_sets(State(layers=other)).keys() == sets.keys()
    assert template_sets(State(layers=layers[::-1])) == sets


def test_separated_templates_have_to_be_learnt(state: State, separation: pipeline.Separation) -> None:
    edit = separate_templates(state, state.layers[0].id)
    assert edit.sounds
    after = edit.apply(state)
    assert not separation.is_of(after)
    assert finish(refit_separation_steps(separation, after, whole=False)) is None
    assert separation.is_of(edit.revert(after))


def test_notes_left_out_by_hand_are_unwanted_and_those_that_the_recording_lacks_are_not(state: State) -> None:
    ids = sorted(state.notes)[:2]
    cut = replace(state, alignment=replace(state.alignment, absent=frozenset(ids[:1])), absent=frozenset(ids[:1]))  # type: ignore[type-var]
    assert pipeline.unwanted_notes(cut) == []
    both = set_absent(cut, ids, absent=True).apply(cut)
    assert [note.id for note in pipeline.unwanted_notes(both)] == ids[1:]
    phantoms = ~finish(pipeline.separate_steps(both)).factors.constraint.bodies.wanted
    assert phantoms.sum() == 1
