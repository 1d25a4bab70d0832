"""Edits of the mask: what is erased is as if it had never been painted there, and all else as it was."""

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose.bodies import Bodies, MaskEdit, bodies
from soli.decompose.template_limit import TemplateLimit
from soli.project import commands
from soli.project.state import Layer, State
from soli.score.notes import Note

STEP_S = 0.25
TIMES = (np.arange(0, 64) + 0.5) * STEP_S
EDGES = st.integers(0, 64).map(lambda step: step * STEP_S)
LAYERS = (Layer(0, "Left", "#5ABBF8"), Layer(1, "Right", "#F4828F"))
NOTES = (Note(0, 1.0, 3.0, 60), Note(1, 4.0, 6.0, 60, layer=1), Note(2, 2.0, 5.0, 61))


@st.composite
def strokes(draw: st.DrawFn, most: int = 6) -> list[MaskEdit]:
    count = draw(st.integers(0, most))
    result = []
    for _ in range(count):
        start_s = draw(EDGES)
        layer = draw(st.sampled_from([None, 0, 1]))
        end_s = start_s + draw(st.integers(1, 16)) * STEP_S
        result.append(MaskEdit(draw(st.sampled_from([60, 61, 62])), start_s, end_s, draw(st.booleans()), layer))
    return result


def piece(mask: list[MaskEdit]) -> State:
    return State(notes=MappingProxyType({n.id: n for n in NOTES}), layers=LAYERS, mask=tuple(mask))


def support(state: State) -> dict[int, np.ndarray]:
    """For each pitch whether it may sound at each of TIMES, in whatever layer."""
    rows: Bodies = bodies(state.present_notes(), state.mask, state.settings)
    return {
        pitch: ((rows.start_s[mine] <= TIMES[:, None]) & (TIMES[:, None] < rows.end_s[mine])).any(axis=1)
        for pitch in (60, 61, 62)
        for mine in [rows.pitch == pitch]
    }


@settings(max_examples=80, deadline=None)
@given(mask=strokes(), erased=strokes(3))
def test_where_the_mask_is_erased_the_notes_alone_say_what_may_sound(mask, erased):
    erased = [replace(stroke, layer=None) for stroke in erased]
    state = piece(mask)
    after = commands.erase_mask(state, erased).apply(state)
    plain, before, now = support(piece([])), support(state), support(after)
    for pitch in now:
        gone = np.zeros(len(TIMES), bool)
        for stroke in erased:
            gone |= (stroke.pitch == pitch) & (stroke.start_s <= TIMES) & (stroke.end_s > TIMES)
        np.testing.assert_array_equal(now[pitch][gone], plain[pitch][gone])
        np.testing.assert_array_equal(now[pitch][~gone], before[pitch][~gone])


@settings(max_examples=80, deadline=None)
@given(mask=strokes(), erased=strokes(3))
def test_only_the_strokes_of_the_layer_that_is_named_are_erased(mask, erased):
    state = piece(mask)
    erased = [replace(stroke, layer=1) for stroke in erased]
    after = commands.erase_mask(state, erased).apply(state)
    assert [s for s in after.mask if s.layer != 1] == [s for s in mask if s.layer != 1]
    lengths = [sum(s.end_s - s.start_s for s in m if s.layer == 1) for m in (after.mask, mask)]
    assert lengths[0] <= lengths[1]


@settings(max_examples=60, deadline=None)
@given(mask=strokes(), steps=st.lists(st.tuples(st.booleans(), strokes(3)), max_size=5))
def test_painting_and_erasing_in_turn_are_taken_back_in_turn(mask, steps):
    state, done = piece(mask), []
    for erase, some in steps:
        edit = (commands.erase_mask if erase else commands.paint_mask)(state, some)
        done.append((state.mask, edit))
        state = edit.apply(state)
    for before, edit in reversed(done):
        after = state
        state = edit.revert(state)
        assert state.mask == before
        assert edit.apply(state).mask == after.mask


def test_a_stroke_is_cut_at_the_edges_of_what_is_erased():
    state = piece([MaskEdit(60, 1.0, 5.0, False), MaskEdit(60, 2.0, 3.0, True, 0), MaskEdit(62, 1.0, 5.0, True, 1)])
    edit = commands.erase_mask(state, [MaskEdit(60, 2.0, 3.0, False)])
    assert edit.name == "erase mask"
    assert edit.apply(state).mask == (
        MaskEdit(60, 1.0, 2.0, False),
        MaskEdit(60, 3.0, 5.0, False),
        MaskEdit(62, 1.0, 5.0, True, 1),
    )


def test_erasing_from_the_beginning_takes_what_lies_before_it_too():
    state = piece([MaskEdit(60, -0.5, 2.0, False)])
    assert commands.erase_mask(state, [MaskEdit(60, 0.0, 1.0, False)]).apply(state).mask == (MaskEdit(60, 1.0, 2.0, False),)


def test_nothing_painted_nothing_erased():
    state = piece([MaskEdit(60, 1.0, 2.0, True, 0)])
    for some in (
        [],
        [MaskEdit(60, 2.0, 3.0, True)],
        [MaskEdit(61, 1.0, 2.0, True)],
        [MaskEdit(60, 1.5, 1.5, True)],
        [MaskEdit(60, math.nan, 2.0, True)],
    ):
        assert commands.erase_mask(state, some).changes_nothing


def test_what_an_eraser_changes_is_kept_and_not_the_whole_mask():
    state = piece([MaskEdit(60, at, at + 0.5, True, 0) for at in range(1000)])
    edit = commands.erase_mask(state, [MaskEdit(60, 500.0, 501.0, True), MaskEdit(60, 3.25, 4.0, True)])
    assert edit.size < 5 * commands.paint_mask(state, [MaskEdit(60, 0, 1, True, 0)]).size
    assert len(edit.apply(state).mask) == 999


def test_the_strokes_of_a_locked_layer_stay_as_they_are():
    mine = (MaskEdit(60, 1.0, 2.0, True, 1), MaskEdit(60, 1.0, 2.0, True, 0), MaskEdit(60, 1.0, 2.0, False))
    state = replace(piece([*mine]), layers=(LAYERS[0], replace(LAYERS[1], locked=True)))
    assert commands.paint_mask(state, [MaskEdit(61, 1.0, 2.0, True, 1)]).changes_nothing
    assert commands.paint_mask(state, mine).apply(state).mask == (*mine, mine[1], replace(mine[2], layer=0))
    assert commands.erase_mask(state, [MaskEdit(60, 0.0, 3.0, True)]).apply(state).mask == mine[:1]


@settings(max_examples=50, deadline=None)
@given(strokes(), st.sampled_from([0, 1]))
def test_no_brush_changes_what_a_locked_layer_may_use(painted, locked):
    state = replace(piece([]), layers=tuple(replace(layer, locked=layer.id == locked) for layer in LAYERS))

    def theirs(some: State) -> list[tuple[float, ...]]:
        found = bodies(some.present_notes(), some.mask, some.settings)
        mine = found.of_layers(locked)
        columns = (found.pitch, found.start_s, found.end_s)
        return sorted(zip(*(column[mine].tolist() for column in columns), strict=True))

    named = [stroke for stroke in painted if not stroke.allow or stroke.layer is not None]
    assert theirs(commands.paint_mask(state, named).apply(state)) == theirs(state)


def test_a_rectangle_is_one_step_of_several_strokes():
    state = piece([])
    edit = commands.paint_mask(state, [MaskEdit(pitch, 1.0, 2.0, True, 1) for pitch in range(60, 72)])
    assert edit.name == "allow C4 to B4"
    assert len(edit.apply(state).mask) == 12
    assert edit.revert(edit.apply(state)).mask == ()


def test_templates_are_limited_and_freed_by_pitch():
    state = piece([])
    limit = TemplateLimit(harmonics=4, tolerance_cents=25.0)
    edit = commands.limit_template(state, [60, 64], limit)
    limited = edit.apply(state)
    assert edit.name == "limit 2 templates"
    assert edit.sounds
    assert dict(limited.template_limits) == {60: limit, 64: limit}
    free = commands.limit_template(limited, [60], None)
    assert free.name == "free template of C4"
    assert dict(free.apply(limited).template_limits) == {64: limit}
    assert commands.limit_template(state, [60], TemplateLimit()).changes_nothing
    assert commands.limit_template(state, [-1, 128], limit).changes_nothing
