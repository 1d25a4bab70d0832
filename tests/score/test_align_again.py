"""Aligning again between the anchors that changed, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from performances import assert_sound, errors, performed, piece
from synth import render

from soli.errors import InputError
from soli.progress import finish
from soli.score.alignment import align, realigned_steps
from soli.score.features import hear_steps
from soli.score.notes import Score

score = piece(20, bars=10)
truth = performed(score)
audio = render(truth)
hearing = finish(hear_steps(audio))


def at(score_s, off_s=0.0):
    """An anchor that puts the chord next to a time of the score where it sounds, or that far from it."""
    i = int(np.argmin([abs(note.onset_s - score_s) for note in score.notes]))
    return score.notes[i].onset_s, truth[i].onset_s + off_s


def again(previous, anchors, former_anchors, **options):
    steps = realigned_steps(audio, score, previous, anchors=anchors, former_anchors=former_anchors, hearing=hearing, **options)
    return finish(steps)


FORMER = (at(5), at(10), at(15))
previous = align(audio, score, anchors=FORMER, hearing=hearing)


@pytest.mark.parametrize(
    ("anchors", "changed_s"),
    [
        ((at(5), at(10, 0.15), at(15)), (5, 15)),
        ((at(5), at(7.5), at(10), at(15)), (5, 10)),
        ((at(5), at(15)), (5, 15)),
        ((at(10), at(15)), (-np.inf, 10)),
        ((at(5), at(10), at(15), at(18, -0.1)), (15, np.inf)),
    ],
    ids=["moved", "added", "removed", "first removed", "added last"],
)
def test_nothing_moves_outside_the_neighbouring_anchors(anchors, changed_s):
    result = again(previous, anchors, FORMER)
    assert_sound(result, score)
    low, high = changed_s
    moved = 0
    for i, note in enumerate(score.notes):
        if low < note.onset_s < high:
            moved += result.notes[i].onset_s != previous.notes[i].onset_s
            continue
        assert result.notes[i].onset_s == previous.notes[i].onset_s
        assert result.confidence[i] == previous.confidence[i]
        assert (note.id in result.absent) == (note.id in previous.absent)
        if not low < note.offset_s < high:
            assert result.notes[i] == previous.notes[i]
    assert moved
    knots, former_knots = (
        [(x, y) for x, y in zip(m.score_s.tolist(), m.recording_s.tolist(), strict=True) if not low < x < high]
        for m in (result.time_map, previous.time_map)
    )
    assert knots == former_knots
    for score_s, recording_s in anchors:
        assert float(result.time_map.to_recording(score_s)) == pytest.approx(recording_s, abs=1e-9)


@pytest.mark.parametrize("anchors", [(at(5), at(10, 0.15), at(15)), (at(10),), ()], ids=["moved", "removed", "none left"])
def test_it_agrees_with_aligning_from_the_beginning(anchors):
    fresh, result = align(audio, score, anchors=anchors, hearing=hearing), again(previous, anchors, FORMER)
    np.testing.assert_allclose([n.onset_s for n in result.notes], [n.onset_s for n in fresh.notes], atol=1e-9)
    # Past the last chord the map goes on at a pace that leans on the whole of it; so the last notes may end elsewhere.
    np.testing.assert_allclose(result.confidence[:-5], fresh.confidence[:-5], atol=1e-6)
    assert result.absent == fresh.absent


def test_the_way_back_leads_back():
    moved = again(previous, (at(5), at(10, 0.2), at(15)), FORMER)
    back = again(moved, FORMER, (at(5), at(10, 0.2), at(15)))
    assert back.notes == previous.notes
    assert np.array_equal(back.time_map.recording_s, previous.time_map.recording_s)


def test_the_same_anchors_change_nothing():
    assert again(previous, tuple(reversed(FORMER)), FORMER) is previous


def test_an_anchor_mends_what_is_wrong_around_it():
    wrong = align(audio, score, anchors=(at(10, 1.2),), hearing=hearing)
    result = again(wrong, (at(10),), (at(10, 1.2),))
    assert np.median(errors(result, truth)) < 0.02


@given(st.lists(st.tuples(st.floats(-1, 22), st.floats(0, audio.duration_s)), max_size=3))
@settings(max_examples=12, deadline=None)
def test_any_anchors_give_a_sound_alignment_or_a_reason(anchors):
    try:
        result = again(previous, anchors, FORMER)
    except InputError:
        return
    assert_sound(result, score)
    for score_s, recording_s in anchors:
        assert float(result.time_map.to_recording(score_s)) == pytest.approx(recording_s, abs=1e-9)


def test_another_score_is_aligned_anew():
    other = Score(score.notes[:40])
    steps = realigned_steps(audio, other, previous, anchors=FORMER, former_anchors=FORMER, hearing=hearing)
    assert_sound(finish(steps), other)
