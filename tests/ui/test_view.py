"""The view of the roll: zoom keeps what is under the pointer, and nothing leads out of the piece, on either axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.ui.roll.view import BOTTOM, HIGHEST_HZ, MARGIN_S, TOP, View, hertz_of, pitch_of

AXES = st.sampled_from(["log", "linear"])
moves = st.one_of(
    st.tuples(st.just("zoom_time"), st.floats(0.1, 10), st.floats(0, 800)),
    st.tuples(st.just("zoom_pitch"), st.floats(0.1, 10), st.floats(0, 500)),
    st.tuples(st.just("scroll"), st.floats(-100, 100), st.floats(-50, 50)),
    st.tuples(st.just("resize"), st.floats(1, 3000), st.floats(1, 2000)),
    st.tuples(st.just("show"), st.floats(-5, 100), st.floats(0, 100)),
    st.tuples(st.just("use_axis"), AXES, st.none()),
    st.tuples(st.just("bring_pitch_into_view"), st.floats(0, 127), st.none()),
)


@given(st.floats(0, 2000), st.lists(moves, max_size=12))
def test_whatever_is_done_the_view_stays_on_the_piece(duration_s, sequence):
    view = View()
    view.set_duration(duration_s)
    for name, a, b in sequence:
        if name == "scroll":
            view.scroll(seconds=a, semitones=b)
        elif name == "resize":
            view.resize(int(a), int(b))
        elif name == "show":
            view.show(a, a + b)
        elif b is None:
            getattr(view, name)(a)
        else:
            getattr(view, name)(a, b)
        assert view.start_s >= -MARGIN_S - 1e-9
        assert view.span_s > 0
        low, high = view.extent
        least, most = (BOTTOM, TOP) if view.axis == "log" else (0.0, HIGHEST_HZ)
        assert least - 1e-6 <= low < high <= most + 1e-6
        assert view.bottom < view.top <= TOP + 1e-6


@given(st.floats(0.2, 5), st.floats(0, 800), st.floats(5, 15))
def test_zooming_keeps_the_time_under_the_pointer(factor, x, start_s):
    view = View()
    view.set_duration(60)
    view.show(start_s, start_s + 20)
    before = view.time_at(x)
    view.zoom_time(factor, x)
    if view.start_s > 0 and view.end_s < 60 and view.span_s > 0.3:
        assert view.time_at(x) == pytest.approx(before, abs=1e-6)


@given(AXES, st.floats(0.5, 2), st.floats(0, 500))
def test_zooming_keeps_the_pitch_under_the_pointer(axis, factor, y):
    view = View()
    view.use_axis(axis)
    view.show(0, 10, 60, 80)
    before = view.hertz_at(y)
    view.zoom_pitch(factor, y)
    low, high = view.extent
    if (low > BOTTOM and high < TOP) if axis == "log" else (low > 0 and high < HIGHEST_HZ):
        assert view.hertz_at(y) == pytest.approx(before, rel=1e-6)


@given(AXES, st.floats(-10, 100), st.floats(16, 119))
def test_pixels_and_music_are_inverse(axis, time_s, pitch):
    view = View()
    view.set_duration(100)
    view.use_axis(axis)
    view.show(0, 50, 20, 110)
    assert view.time_at(view.x_of(time_s)) == pytest.approx(time_s, abs=1e-6)
    assert view.fine_pitch_at(view.edge_of(pitch)) == pytest.approx(pitch, abs=1e-6)
    middle = (view.y_of(round(pitch)) + view.y_of(round(pitch) - 1)) / 2
    assert view.pitch_at(middle) == round(pitch)
    assert view.hertz_at(view.edge_of(pitch)) == pytest.approx(hertz_of(pitch), rel=1e-6)


@given(AXES)
def test_pitches_lie_on_top_of_each_other_without_gaps(axis):
    view = View()
    view.use_axis(axis)
    for pitch in range(20, 110):
        assert view.y_of(pitch) + view.height_of(pitch) == pytest.approx(view.y_of(pitch - 1), abs=1e-6)
        if axis == "linear":  # the same for all would be the other axis
            assert view.height_of(pitch + 12) == pytest.approx(2 * view.height_of(pitch), rel=1e-6)


@given(st.floats(30, 90), st.floats(1, 20))
def test_another_axis_shows_what_was_shown(lowest, span):
    view = View()
    view.show(0, 10, lowest, lowest + span)
    view.use_axis("linear")
    assert view.bottom <= lowest + 0.01
    assert view.top >= lowest + span - 0.01
    view.use_axis("log")
    assert view.bottom <= lowest + 0.01
    assert view.top >= lowest + span - 0.01


@given(AXES, st.floats(-80, 80))
def test_panning_moves_what_is_shown_with_the_hand(axis, px):
    view = View()
    view.use_axis(axis)
    view.show(0, 10, 70, 80)
    before = view.hertz_at(250)
    view.scroll(semitones=px / view.px_per_semitone)
    assert view.hertz_at(250 + px) == pytest.approx(before, rel=1e-6)


def test_a_pitch_out_of_sight_is_brought_to_the_middle_and_one_in_sight_stays():
    for axis in ("log", "linear"):
        view = View()
        view.use_axis(axis)
        view.show(0, 10, 70, 74)
        view.bring_pitch_into_view(72)
        before = view.extent
        view.bring_pitch_into_view(95)
        assert view.edge_of(95) == pytest.approx(view.height / 2)
        assert view.extent != before


@given(st.floats(8.2, 8000))
def test_pitch_and_frequency_are_inverse(hertz):
    assert hertz_of(pitch_of(hertz)) == pytest.approx(hertz)
    assert pitch_of(440.0) == 69
