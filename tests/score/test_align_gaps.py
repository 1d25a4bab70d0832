"""What has no counterpart is said, and limits of the tempo are kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from performances import assert_sound, performed, piece
from synth import render

from soli.errors import InputError
from soli.score.alignment import align
from soli.score.gaps import Gap, described
from soli.score.limits import LIMITS, checked_limits, within_paces
from soli.score.notes import Beat, Score
from soli.signal.audio import Audio

score = piece(30, bars=16)
truth = performed(score, rubato=0.05)
whole = render(truth)


def second_of(score_s):
    """The sample of the recording just before the chord at a time of the score sounds."""
    return int((next(t.onset_s for n, t in zip(score.notes, truth, strict=True) if n.onset_s >= score_s) - 0.02) * whole.rate)


def spliced(*pieces):
    return Audio(np.concatenate([whole.samples[start:stop] for start, stop in pieces]), whole.rate)


def test_nothing_is_said_of_a_piece_played_as_written():
    alignment = align(whole, score)
    assert alignment.gaps == ()
    assert alignment.notice == ""


def test_applause_is_no_music_played_again():
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal((6 * whole.rate, 1))).astype(np.float32)
    alignment = align(Audio(np.concatenate([noise, whole.samples, noise]), whole.rate), score)
    assert alignment.notice == ""


def test_a_cut_is_said_with_its_bars():
    barred = replace(score, beats=tuple(Beat(0.5 * k, k // 4 + 1, k % 4 + 1) for k in range(64)))
    alignment = align(spliced((0, second_of(10)), (second_of(18), None)), barred)
    (gap,) = alignment.gaps
    assert gap.score_start_s == pytest.approx(10, abs=0.5)
    assert gap.score_stop_s == pytest.approx(18, abs=0.5)
    assert gap.recording_length_s < 1
    assert alignment.notice == "Bars 6 to 9 of the score (0:10 to 0:18) are not in the recording."


def test_a_repeat_in_the_middle_is_said():
    alignment = align(spliced((0, second_of(18)), (second_of(8), None)), score)
    (gap,) = alignment.gaps
    again_s = (second_of(18) - second_of(8)) / whole.rate
    assert gap.recording_length_s == pytest.approx(again_s, abs=1)
    assert gap.score_length_s < 1
    assert "s of the recording" in alignment.notice
    assert "no counterpart" in alignment.notice
    assert not alignment.absent


def test_halves_played_twice_are_said():
    half = second_of(16)
    alignment = align(spliced((0, half), (second_of(0), half), (half, None), (half, None)), score)
    assert sum(gap.recording_length_s for gap in alignment.gaps) == pytest.approx(whole.duration_s - 1, rel=0.15)


def test_the_sentence_names_what_there_is():
    beats = tuple(Beat(2.0 * k, k + 1, 1) for k in range(40))
    cut, more = Gap(20.0, 28.0, 30.0, 30.2), Gap(40.0, 40.0, 50.0, 62.3)
    assert described((), Score(())) == ""
    assert described((cut,), Score(())) == "0:20 to 0:28 of the score is not in the recording."
    assert described((cut, more), Score((), beats=beats)) == (
        "Bars 11 to 14 of the score (0:20 to 0:28) are not in the recording; "
        "12.3 s of the recording (0:50 to 1:02) have no counterpart in the score at bar 21 (0:40)."
    )
    assert described((cut,) * 5, Score(())).endswith("and so in 2 more places.")


@pytest.mark.parametrize("limits", [(0, 2), (1.5, 2), (0.5, 0.9), (-1, 2), (0.5, float("inf")), (float("nan"), 2)])
def test_limits_that_no_music_keeps_are_refused(limits):
    with pytest.raises(InputError, match="local tempo"):
        checked_limits(limits)


def test_the_map_keeps_to_the_limits():
    swaying = performed(score, rubato=0.5)
    audio = render(swaying)
    for slowest, fastest in ((1 / 1.2, 1.2), LIMITS):
        alignment = align(audio, score, limits=(slowest, fastest))
        assert_sound(alignment, score)
        # The chords begin and end the piece; the knots outside go on from there.
        paces = (np.diff(alignment.time_map.recording_s) / np.diff(alignment.time_map.score_s))[1:-1]
        assert paces.max() / paces.min() <= fastest / slowest * 1.001


def test_anchors_beyond_the_limits_are_refused_with_the_reason():
    def anchor(score_s, off_s):
        return next((n.onset_s, t.onset_s + off_s) for n, t in zip(score.notes, truth, strict=True) if n.onset_s >= score_s)

    anchors = [anchor(10, 0.8), anchor(14, -0.8)]
    align(whole, score, anchors=anchors)
    with pytest.raises(InputError, match="times as fast"):
        align(whole, score, anchors=anchors, limits=(0.9, 1.1))


steps = st.lists(st.tuples(st.floats(0.01, 5), st.floats(-3, 8)), min_size=1, max_size=12)


@given(steps, st.floats(0.1, 1), st.floats(1, 4), st.integers(0, 11))
def test_places_within_paces(steps, least, most, pinned):
    score_s, wanted = np.cumsum(np.array(steps), axis=0).T
    pin = (float(score_s[pinned % len(steps)]), 2.0)
    found = within_paces(score_s, wanted, [pin], (least, most))
    paces = np.diff(found) / np.diff(score_s)
    assert (paces >= least - 1e-6).all()
    assert (paces <= most + 1e-6).all()
    assert found[pinned % len(steps)] == 2.0
    assert np.array_equal(within_paces(score_s, found, [], (least - 1e-3, most + 1e-3)), found)
