"""What may be the matter with notes that the sound does not bear out."""

from hypothesis import given
from hypothesis import strategies as st
from synth import melody

from soli.score.doubts import DOUBTFUL, Reason, doubts

NOTES = melody(range(60, 80), step_s=0.5)


@given(st.lists(st.floats(0, 1), min_size=20, max_size=20), st.sets(st.integers(0, 19)))
def test_just_the_doubtful_and_the_absent_are_listed_in_order(confidence, absent):
    found = doubts(NOTES, dict(enumerate(confidence)), absent)
    assert [d.note for d in found] == [i for i, c in enumerate(confidence) if c < DOUBTFUL or i in absent]
    assert all((d.reason is Reason.SKIPPED) == (d.note in absent) for d in found)


def test_a_note_of_the_users_own_is_never_doubtful():
    assert doubts(NOTES, {}) == ()


def test_a_long_run_of_doubtful_notes_is_a_drift_and_a_short_one_is_not():
    confidence = {i: 0.0 if 4 <= i < 12 or i == 15 else 1.0 for i in range(20)}
    reasons = {d.note: d.reason for d in doubts(NOTES, confidence)}
    assert {reasons[i] for i in range(4, 12)} == {Reason.DRIFT}
    assert reasons[15] is Reason.WRONG


def test_a_short_note_may_be_an_ornament():
    notes = melody((60, 62, 64), step_s=0.1, length_s=0.08)
    assert [d.reason for d in doubts(notes, {0: 1.0, 1: 0.0, 2: 1.0})] == [Reason.ORNAMENT]
