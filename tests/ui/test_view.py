"""The view of the roll: zoom keeps what is under the pointer, and nothing leads out of the piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.ui.roll.view import MARGIN_S, View

moves = st.one_of(
    st.tuples(st.just("zoom_time"), st.floats(0.1, 10), st.floats(0, 800)),
    st.tuples(st.just("zoom_pitch"), st.floats(0.1, 10), st.floats(0, 500)),
    st.tuples(st.just("scroll"), st.floats(-100, 100), st.floats(-50, 50)),
    st.tuples(st.just("resize"), st.floats(1, 3000), st.floats(1, 2000)),
    st.tuples(st.just("show"), st.floats(-5, 100), st.floats(0, 100)),
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
        else:
            getattr(view, name)(a, b)
        assert view.start_s >= -MARGIN_S - 1e-9
        assert view.span_s > 0
        assert 15.49 <= view.bottom < view.top <= 120.51


@given(st.floats(0.2, 5), st.floats(0, 800), st.floats(5, 15))
def test_zooming_keeps_the_time_under_the_pointer(factor, x, start_s):
    view = View()
    view.set_duration(60)
    view.show(start_s, start_s + 20)
    before = view.time_at(x)
    view.zoom_time(factor, x)
    if view.start_s > 0 and view.end_s < 60 and view.span_s > 0.3:
        assert view.time_at(x) == pytest.approx(before, abs=1e-6)


@given(st.floats(-10, 100), st.floats(16, 119))
def test_pixels_and_music_are_inverse(time_s, pitch):
    view = View()
    view.set_duration(100)
    assert view.time_at(view.x_of(time_s)) == pytest.approx(time_s, abs=1e-6)
    assert view.pitch_at(view.y_of(round(pitch)) + view.px_per_semitone / 2) == round(pitch)
