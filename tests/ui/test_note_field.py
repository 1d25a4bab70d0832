"""What lies where on the roll: found as a look at every note would find it, and the same after edits as made anew."""

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.decompose.bodies import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.project import commands
from soli.project.state import Layer, State
from soli.score.notes import Note
from soli.ui.roll.note_field import NoteField, forbidden
from soli.ui.roll.stretches import Stretches, unions

times = st.floats(-2, 60, allow_nan=False).map(lambda t: round(t, 3))
lengths = st.one_of(st.just(0.0), st.floats(0, 0.01), st.floats(0.01, 3), st.floats(3, 200))
rectangles = st.lists(st.tuples(times, lengths, st.integers(40, 50), st.integers(0, 2)), max_size=40)


def stretches(boxes) -> Stretches:
    start = np.array([start for start, *_ in boxes], np.float64)
    length = np.array([length for _, length, *_ in boxes], np.float64)
    pitch, layer = (np.array([box[i] for box in boxes], np.int64) for i in (2, 3))
    return Stretches.of(np.arange(len(boxes)), pitch, layer, start, start + length, np.ones(len(boxes), np.float32))


@given(rectangles, times, lengths, st.floats(38, 52), st.floats(0, 6))
def test_the_index_finds_what_a_look_at_every_row_finds(boxes, start_s, length_s, lowest, height):
    field = stretches(boxes)
    end_s, highest = start_s + length_s, lowest + height
    naive = [
        i
        for i in range(len(field))
        if field.start_s[i] <= end_s
        and field.end_s[i] >= start_s
        and field.pitch[i] + 0.5 >= lowest
        and field.pitch[i] - 0.5 <= highest
    ]
    assert field.within(start_s, end_s, lowest, highest).tolist() == naive


def test_one_note_as_long_as_the_piece_does_not_make_the_search_look_at_all():
    starts = np.arange(10_000) * 0.1
    ends = starts + 0.05
    ends[0] = 1000.0
    ones = np.ones(10_000, np.int64)
    field = Stretches.of(np.arange(10_000), 60 * ones, 0 * ones, starts, ends, np.ones(10_000, np.float32))
    looked_at = []

    class Watched(np.ndarray):
        def __getitem__(self, rows):
            looked_at.append(np.size(rows))
            return np.asarray(super().__getitem__(rows))

    watched = replace(field, pitch=field.pitch.view(Watched))
    assert len(watched.within(500.0, 501.0, 0, 127)) == 12
    assert sum(looked_at) < 30


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 10)), max_size=30))
def test_unions_cover_the_same_places_and_do_not_touch(intervals):
    key, start, length = (np.array([i[k] for i in intervals], np.int64) for k in range(3))
    start = start.astype(float)
    found = list(zip(*(column.tolist() for column in unions(key, start, start + length)), strict=True))
    for place in np.arange(0, 51, 0.5):
        inside = {int(k) for k, a, n in intervals if a <= place <= a + n}
        assert {k for k, a, b in found if a <= place <= b} == inside
    assert all(a[0] != b[0] or b[1] > a[2] for a, b in pairwise(found))


def state_of(notes, mask=(), **fields) -> State:
    layers = tuple(Layer(i, f"Layer {i}", "#5ABBF8") for i in range(3))
    return State(notes=MappingProxyType({n.id: n for n in notes}), layers=layers, mask=tuple(mask), **fields)


@st.composite
def some_states(draw):
    boxes = draw(rectangles)
    notes = [Note(i, max(0.0, a), max(0.0, a) + n, pitch, layer=layer) for i, (a, n, pitch, layer) in enumerate(boxes)]
    absent = frozenset(draw(st.sets(st.sampled_from([n.id for n in notes]))) if notes else ())
    return state_of(notes, draw(strokes), absent=absent)


strokes = st.lists(
    st.builds(
        lambda pitch, start, length, allow, layer: MaskEdit(pitch, start, start + length, allow, layer),
        st.integers(40, 50),
        times,
        st.floats(0.1, 20),
        st.booleans(),
        st.one_of(st.none(), st.integers(0, 2)),
    ),
    max_size=5,
)


@st.composite
def edited(draw, state):
    """The state after one edit, of many kinds."""
    ids = sorted(state.notes)
    chosen = draw(st.sets(st.sampled_from(ids), max_size=5)) if ids else set()
    kind = draw(st.sampled_from(["move", "delete", "draw", "absent", "paint", "assign", "unpaint", "hide"]))
    if kind == "move" and chosen:
        edit = commands.move_notes(state, chosen, seconds=draw(st.floats(-5, 5)), semitones=draw(st.integers(-3, 3)))
    elif kind == "delete" and chosen:
        edit = commands.delete_notes(state, chosen)
    elif kind == "absent" and chosen:
        edit = commands.set_absent(state, chosen, absent=draw(st.booleans()))
    elif kind == "assign" and chosen:
        edit = commands.assign_layer(state, chosen, draw(st.integers(0, 2)))
    elif kind == "unpaint":
        return replace(state, mask=state.mask[:-1])
    elif kind == "hide":
        layers = tuple(replace(layer, hidden=draw(st.booleans())) for layer in state.layers)
        return replace(state, layers=layers)
    elif kind == "paint":
        edit = commands.paint_mask(state, draw(strokes.filter(bool)))
    else:
        edit = commands.draw_note(state, pitch=draw(st.integers(40, 50)), onset_s=draw(times), offset_s=70.0, layer=1)
    return edit.apply(state)


def rows_of(field: Stretches):
    columns = (field.id, field.pitch, field.layer, field.start_s.round(9), field.end_s.round(9), field.strength)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@given(st.data())
def test_a_field_that_followed_edits_is_the_field_made_anew(data):
    state = data.draw(some_states())
    field = NoteField(state)
    for _ in range(3):
        former, state = field, data.draw(edited(state))
        field = former.updated(state)
        anew = NoteField(state)
        assert rows_of(field.notes) == rows_of(anew.notes)
        assert rows_of(field.bodies) == rows_of(anew.bodies)
        assert field.absent == anew.absent
        assert set(field.forbidden) == set(anew.forbidden)
        near = [stroke for stroke in field.forbidden if stroke.start_s <= 12.0 and stroke.end_s >= 9.0]
        assert field.forbidden_within(9.0, 12.0) == near
        if field.region is not None:
            differ = set(rows_of(field.bodies)) ^ set(rows_of(former.bodies))
            differ |= set(rows_of(field.notes)) ^ set(rows_of(former.notes))
            start_s, end_s, lowest, highest = field.region
            for _, pitch, _, begin, end, _ in differ:
                assert start_s <= begin + 1e-6
                assert end <= end_s + 1e-6
                assert lowest <= pitch <= highest


def test_a_small_edit_says_where_it_looks_different():
    state = state_of([Note(i, 2.0 * i, 2.0 * i + 1, 45) for i in range(20)])
    field = NoteField(state)
    moved = field.updated(commands.move_notes(state, {10}, seconds=0.5, semitones=2).apply(state))
    assert moved.region is not None
    start_s, end_s, lowest, highest = moved.region
    assert 19 < start_s <= 20.0
    assert 21.5 <= end_s < 23
    assert (lowest, highest) == (45, 47)
    assert field.updated(state).region == (np.inf, -np.inf, np.inf, -np.inf)
    assert field.updated(replace(state, settings=ModelSettings(after_s=2.0))).region is None


def test_notes_of_hidden_layers_are_neither_shown_nor_hit():
    state = state_of([Note(1, 0.0, 2.0, 45, layer=0), Note(2, 0.0, 2.0, 45, layer=1), Note(3, 0.0, 2.0, 47, layer=1)])
    field = NoteField(state)
    assert field.note_at(1.0, 47) == 3
    hidden = replace(state, layers=tuple(replace(layer, hidden=layer.id == 1) for layer in state.layers))
    field = field.updated(hidden)
    assert field.notes.id.tolist() == [1]
    assert set(field.bodies.layer.tolist()) == {0}
    assert field.note_at(1.0, 45) == 1
    assert field.note_at(1.0, 47) is None
    assert list(field.notes_in(0, 3, 40, 50)) == [1]


def test_strength_is_what_is_asked_for():
    state = state_of([Note(1, 0.0, 1.0, 45, velocity=127), Note(2, 2.0, 3.0, 45, velocity=64)])
    field = NoteField(state, lambda note: note.velocity / 127)
    assert field.notes.strength.tolist() == pytest.approx([1.0, 64 / 127], abs=1e-6)
    assert field.updated(state).notes.strength.tolist() == [1.0, 1.0]


@given(strokes)
def test_a_place_is_forbidden_if_the_last_stroke_over_it_forbids(mask):
    pieces = forbidden(mask)
    for pitch in range(40, 51):
        for place in np.arange(-2.03, 62, 0.7):
            over = [stroke for stroke in mask if stroke.pitch == pitch and stroke.start_s <= place < stroke.end_s]
            shown = any(piece.pitch == pitch and piece.start_s <= place < piece.end_s for piece in pieces)
            assert shown is bool(over and not over[-1].allow)
