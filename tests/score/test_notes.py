"""Notes and the map between score time and recording time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.errors import InputError
from soli.score.notes import Note, Score, TimeMap, frequency_hz, parse_pitch, pitch_name, warped


@st.composite
def maps(draw: st.DrawFn) -> TimeMap:
    steps = st.lists(st.integers(1, 5000), min_size=1, max_size=8)
    score = np.cumsum([draw(st.integers(-2000, 2000)), *draw(steps)]) / 1000
    pace = draw(st.lists(st.integers(1, 5000), min_size=len(score) - 1, max_size=len(score) - 1))
    return TimeMap(score, np.cumsum([draw(st.integers(-2000, 2000)), *pace]) / 1000)


def naive(x: float, knots: list[float], values: list[float]) -> float:
    """Piecewise linear with the outer segments going on, one number at a time."""
    i = next((i for i in range(1, len(knots) - 1) if x < knots[i]), len(knots) - 1)
    share = (x - knots[i - 1]) / (knots[i] - knots[i - 1])
    return values[i - 1] + share * (values[i] - values[i - 1])


@settings(deadline=None)
@given(maps(), st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_a_map_is_piecewise_linear_and_goes_on_beyond_its_ends(time_map, times):
    expected = [naive(t, time_map.score_s.tolist(), time_map.recording_s.tolist()) for t in times]
    np.testing.assert_allclose(time_map.to_recording(np.array(times)), expected, rtol=1e-9, atol=1e-6)


@settings(deadline=None)
@given(maps(), st.lists(st.integers(-20_000, 50_000).map(lambda ms: ms / 1000), min_size=2, max_size=20, unique=True))
def test_a_map_keeps_the_order_and_can_be_gone_back(time_map, times):
    ordered = np.sort(times)
    placed = time_map.to_recording(ordered)
    assert (np.diff(placed) > 0).all()
    np.testing.assert_allclose(time_map.to_score(placed), ordered, rtol=1e-6, atol=1e-6)


@settings(deadline=None)
@given(maps())
def test_a_map_passes_through_its_knots(time_map):
    np.testing.assert_allclose(time_map.to_recording(time_map.score_s), time_map.recording_s, atol=1e-9)


def test_times_of_any_shape_are_mapped():
    time_map = TimeMap(np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    assert float(time_map.to_recording(0.5)) == 2.0
    assert time_map.to_recording(np.zeros((2, 3))).shape == (2, 3)
    assert time_map.to_recording(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(
    ("score", "recording"),
    [
        ([0.0], [0.0]),
        ([], []),
        ([0, 0], [0, 1]),
        ([0, 1], [1, 0]),
        ([0, 1], [0, np.nan]),
        ([0, np.inf], [0, 1]),
        ([0, 1], [0, 1, 2]),
    ],
)
def test_what_is_no_increasing_map_is_refused(score, recording):
    with pytest.raises(ValueError, match=r"strictly increasing|same length"):
        TimeMap(np.array(score, float), np.array(recording, float))


def test_a_map_keeps_its_own_knots():
    knots = np.array([0.0, 1.0])
    time_map = TimeMap(knots, knots)
    knots[1] = 9.0
    assert time_map.score_s.tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        time_map.score_s[0] = 5.0


def test_warped_notes_are_the_same_notes_elsewhere():
    notes = (Note(3, 0.0, 1.0, 60, 99, 1, 2, 5, 1.5, 1), Note(9, 1.0, 2.0, 62))
    time_map = TimeMap(np.array([0.0, 1.0, 2.0]), np.array([10.0, 12.0, 13.0]))
    first, second = warped(notes, time_map)
    assert first == replace(notes[0], onset_s=10.0, offset_s=12.0, pedal_s=12.5)
    # No pedal stays no pedal, wherever zero seconds would lie.
    assert second == replace(notes[1], onset_s=12.0, offset_s=13.0, pedal_s=0.0)
    assert warped((), time_map) == ()


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (0, "C-1"), (127, "G9"), (61, "C♯4"), (63, "E♭4")])
def test_pitches_are_named(pitch, name):
    assert pitch_name(pitch) == name


def test_an_octave_doubles_the_frequency():
    assert frequency_hz(69) == 440.0
    assert frequency_hz(81) == pytest.approx(880.0)
    assert frequency_hz(69.5) / frequency_hz(69) == pytest.approx(2 ** (1 / 24))


def test_a_note_sounds_until_its_offset_or_as_long_as_the_pedal_holds_it():
    assert Note(0, 0.0, 1.0, 60).sounding_offset_s == 1.0
    assert Note(0, 0.0, 1.0, 60, pedal_s=2.5).sounding_offset_s == 2.5
    assert Score((Note(0, 0.0, 1.0, 60, pedal_s=2.5), Note(1, 1.0, 2.0, 60))).duration_s == 2.5
    assert Score(()).duration_s == 0.0


def test_the_tenth_channel_is_the_drums():
    assert [Note(0, 0, 1, 36, channel=c).is_drum for c in (0, 8, 9, 10)] == [False, False, True, False]


@pytest.mark.parametrize("pitch", range(128))
def test_every_pitch_is_read_from_its_own_name_and_number(pitch):
    assert parse_pitch(pitch_name(pitch)) == parse_pitch(pitch_name(pitch).lower()) == parse_pitch(f" {pitch} ") == pitch


def test_pitches_are_read_in_any_spelling():
    for text in ("C#4", "c♯4", "Db4", "D♭4", "61", "B##3", "Ebb4"):
        assert parse_pitch(text) == (62 if text == "Ebb4" else 61), text
    assert parse_pitch("Cb4") == parse_pitch("B3")


@pytest.mark.parametrize("text", ["", "H4", "C", "128", "C##", "G#9", "Cb-1", "4C", "C44", "sixty", "²", "C4 E4"])
def test_what_is_no_pitch_is_refused_in_a_sentence(text):
    with pytest.raises(InputError, match="pitch"):
        parse_pitch(text)
