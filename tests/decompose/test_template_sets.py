"""Layers that the user lets share one set of templates, or gives one of their own."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose.amendment import matching_parts
from soli.decompose.bodies import ScoreInformation, bodies, parts
from soli.decompose.constraints import build
from soli.decompose.model import decompose_steps
from soli.decompose.refit import refit_steps
from soli.decompose.settings import ModelSettings
from soli.progress import finish
from soli.score.notes import DRUM_CHANNEL, Note
from soli.signal.spectrogram import Grid

HANDS = (
    *melody((72, 76, 79, 76), first_id=0),
    *(replace(n, layer=1) for n in melody((60, 64, 67, 64), first_id=10, track=1)),
)
VIOLINS = tuple(replace(note, program=40) for note in HANDS)

layered_notes = st.lists(
    st.builds(
        lambda pitch, layer, track, program, drum: Note(
            0, 0.0, 1.0, pitch, layer=layer, track=track, program=program, channel=DRUM_CHANNEL if drum else track
        ),
        st.integers(40, 80),
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from([0, 40, 52]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
).map(lambda notes: [replace(note, id=n) for n, note in enumerate(notes)])
set_numbers = st.dictionaries(st.integers(0, 3), st.integers(0, 2))


@given(notes=layered_notes, sets=set_numbers, grouping=st.sampled_from(["instrument", "track", "one"]))
def test_layers_share_a_part_where_their_numbers_are_the_same(notes: list[Note], sets: dict[int, int], grouping: str) -> None:
    index, groups = parts(notes, grouping=grouping, sets=sets)  # type: ignore[arg-type]
    plain, _ = parts(notes, grouping=grouping)  # type: ignore[arg-type]
    assert set(index.tolist()) == set(range(len(groups)))
    for n, a in enumerate(notes):
        assert groups[index[n]].is_drum == a.is_drum
        for m, b in enumerate(notes[:n]):
            same = index[n] == index[m]
            if a.is_drum != b.is_drum:
                assert not same
            elif a.layer in sets or b.layer in sets:
                assert same == (sets.get(a.layer) == sets.get(b.layer))
            elif grouping != "one" and not sets:
                assert same == (plain[n] == plain[m])


@given(notes=layered_notes, grouping=st.sampled_from(["instrument", "track", "one"]))
def test_without_numbers_it_is_as_the_instruments_say(notes: list[Note], grouping: str) -> None:
    index, groups = parts(notes, grouping=grouping)  # type: ignore[arg-type]
    # Numbers for layers that hold nothing change nothing.
    other, others = parts(notes, grouping=grouping, sets={17: 4})  # type: ignore[arg-type]
    np.testing.assert_array_equal(index, other)
    assert groups == others


def test_a_joined_part_is_the_instrument_that_has_most_notes() -> None:
    notes = [replace(note, program=73 if note.layer else 40) for note in HANDS[:7]]
    assert [group.program for group in parts(notes, sets={0: 5, 1: 5})[1]] == [40]


def test_separate_layers_share_no_component_and_joined_ones_share_all() -> None:
    grid = Grid.for_recording(22050, 3 * 22050)
    same_pitches = tuple(replace(note, pitch=60 + note.id % 10) for note in HANDS)

    def components_of(sets: dict[int, int], layer: int) -> set[int]:
        constraint = build(bodies(same_pitches, sets=sets), grid)
        shares = constraint.shares(constraint.bodies.of_layers(layer))
        return set(np.flatnonzero((shares * constraint.H).any(axis=1)).tolist())

    assert components_of({}, 0) == components_of({}, 1)
    assert components_of({0: 1, 1: 1}, 0) == components_of({0: 1, 1: 1}, 1)
    assert components_of({0: 1, 1: 2}, 0).isdisjoint(components_of({0: 1, 1: 2}, 1))
    assert components_of({1: 2}, 0).isdisjoint(components_of({1: 2}, 1))


def test_joining_and_separating_is_no_local_matter() -> None:
    audio, quick = render(HANDS), ModelSettings(iterations=3)
    for notes, first, second in ((HANDS, {}, {1: 0}), (VIOLINS, {}, {0: 0, 1: 0}), (HANDS, {0: 0, 1: 1}, {})):
        factors = finish(decompose_steps(audio, ScoreInformation(notes, sets=first), quick))
        assert finish(refit_steps(audio, factors, ScoreInformation(notes, sets=second))).whole
        assert not finish(refit_steps(audio, factors, ScoreInformation(notes, sets=first))).whole


def test_a_note_may_go_to_a_layer_with_templates_of_its_own() -> None:
    audio, sets = render(HANDS), {0: 0, 1: 1}
    factors = finish(decompose_steps(audio, ScoreInformation(HANDS, sets=sets), ModelSettings(iterations=3)))
    moved = [replace(note, layer=1) if note.id == 2 else note for note in HANDS]
    after = finish(refit_steps(audio, factors, ScoreInformation(moved, sets=sets)))
    assert not after.whole
    assert after.factors.H.any()
    np.testing.assert_array_equal(matching_parts(factors.constraint, bodies(moved, sets=sets)), [0, 1])


def test_a_warm_start_knows_the_parts_that_stay() -> None:
    audio, quick = render(HANDS, duration_s=6.0), ModelSettings(iterations=4)
    factors = finish(decompose_steps(audio, ScoreInformation(VIOLINS), quick))
    again = finish(decompose_steps(audio, ScoreInformation(VIOLINS, sets={0: 3, 1: 7}), quick, start=factors))
    assert again.warm == 1
    assert not again.H[again.constraint.H == 0].any()
