"""Two hands in one track: found as a slow, plain search finds them, and right for most notes of real pieces."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.assets import asset
from soli.project import hands
from soli.project.hands import left_hand
from soli.score import midi
from soli.score.notes import Note

JOPLIN = Path(__file__).parents[3] / "shared" / "eval" / "joplin_maple_leaf"
CHORDS = st.lists(st.lists(st.integers(21, 108), min_size=1, max_size=5, unique=True), max_size=6)


def played(chords, *, step_s=0.5):
    """A note an element, with the chords `step_s` apart."""
    pitches = [(i * step_s, pitch) for i, chord in enumerate(chords) for pitch in chord]
    return [Note(i, onset_s, onset_s + step_s, pitch) for i, (onset_s, pitch) in enumerate(pitches)]


def cheapest(chords, step_s):
    """The least cost of any way of both hands, over all pairs of places at once."""
    left, right = (grid.ravel() for grid in np.meshgrid(hands.PLACES, hands.PLACES, indexing="ij"))
    way = abs(left[:, None] - left) + abs(right[:, None] - right)
    pause = hands.MOVING / (1 + step_s / hands.PAUSE_S)
    pairs, notes = hands._pair_costs().ravel(), hands._note_costs().reshape(128, -1)
    cost = np.zeros(len(left))
    for i, chord in enumerate(chords):
        moved = cost if i == 0 else (cost[:, None] + pause * way).min(axis=0)
        cost = moved + pairs + notes[chord].sum(axis=0)
    return cost.min()


def cost_of(chords, middles, step_s):
    """The least cost of the ways whose hands are that far apart in the middle."""
    left, right = (grid.ravel() for grid in np.meshgrid(hands.PLACES, hands.PLACES, indexing="ij"))
    pause = hands.MOVING / (1 + step_s / hands.PAUSE_S)
    pairs, notes = hands._pair_costs().ravel(), hands._note_costs().reshape(128, -1)
    cost = np.zeros(len(left))
    for i, (chord, middle) in enumerate(zip(chords, middles, strict=True)):
        way = abs(left[:, None] - left) + abs(right[:, None] - right)
        moved = cost if i == 0 else (cost[:, None] + pause * way).min(axis=0)
        cost = np.where((left + right) / 2 == middle, moved + pairs + notes[chord].sum(axis=0), np.inf)
    return cost.min()


@settings(max_examples=12, deadline=None)
@given(CHORDS.filter(bool), st.sampled_from([0.1, 0.5, 2.0]))
def test_no_way_of_the_hands_is_cheaper(chords, step_s):
    middles = hands._middles(hands._chords(played(chords, step_s=step_s)))
    assert cost_of(chords, middles, step_s) == pytest.approx(cheapest(chords, step_s), rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(CHORDS, st.randoms(use_true_random=False))
def test_in_a_chord_the_left_hand_lies_below_whatever_the_order_of_the_notes(chords, random):
    notes = played(chords)
    left = left_hand(notes)
    assert left <= {n.id for n in notes}
    for onset_s in {n.onset_s for n in notes}:
        low, high = ([n.pitch for n in notes if n.onset_s == onset_s and (n.id in left) is side] for side in (True, False))
        assert max(low, default=-1) < min(high, default=128)
    random.shuffle(notes)
    assert left_hand(notes) == left


def test_hands_wander_together_where_no_pitch_parts_them():
    # Both rise by two octaves: the left ends where the right began.
    chords = [[40 + i, 47 + i, 64 + i, 68 + i] for i in range(0, 25)]
    left = left_hand(played(chords))
    assert left == {4 * i + place for i in range(25) for place in (0, 1)}


def test_a_hand_that_rests_does_not_take_the_notes_of_the_other():
    chords = [[45, 52, 72, 76]] * 4 + [[72], [74], [76], [77], [79], [76], [74]] * 4
    notes = played(chords, step_s=0.25)
    assert {n.pitch for n in notes if n.id in left_hand(notes)} == {45, 52}


def right_share(path):
    score = midi.read(path)
    first, second = sorted({n.track for n in score.notes})
    left = first if "left" in score.track_names[first].lower() else second
    found = left_hand([Note(n.id, n.onset_s, n.offset_s, n.pitch) for n in score.notes])
    return np.mean([(n.id in found) == (n.track == left) for n in score.notes])


def middle_c_share(path):
    score = midi.read(path)
    first, second = sorted({n.track for n in score.notes})
    left = first if "left" in score.track_names[first].lower() else second
    return np.mean([(n.pitch < 60) == (n.track == left) for n in score.notes])


@pytest.mark.parametrize("name", ["score.mid", "performance.mid"])
def test_most_notes_of_the_demo_are_given_to_the_hand_that_plays_them(name):
    assert right_share(asset("demo", name)) > 0.93 > middle_c_share(asset("demo", name)) + 0.1


@pytest.mark.skipif(not JOPLIN.exists(), reason="the evaluation pieces lie beside the checkout, and are not here")
@pytest.mark.parametrize("name", ["score.mid", "performance.mid"])
def test_most_notes_of_a_rag_are_given_to_the_hand_that_plays_them(name):
    assert right_share(JOPLIN / name) > 0.96 > middle_c_share(JOPLIN / name) + 0.1
