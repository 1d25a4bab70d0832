from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from soli.playback.mixer import BLOCK_LENGTH, Mixer
from soli.playback.transport import FADE_S, SHORTEST_LOOP_S, Transport

RATE = 8000
FADE = round(FADE_S * RATE)
SHORTEST = round(SHORTEST_LOOP_S * RATE)
LENGTH = 4000


@dataclass(frozen=True)
class Wish:
    name: str
    value: int = 0
    span: int = 0

    def tell(self, transport: Transport) -> None:
        if self.name == "seek":
            transport.seek(self.value)
        elif self.name == "resize":
            transport.resize(self.value)
        elif self.name == "loop":
            transport.set_loop((self.value, self.value + self.span) if self.span else None)
        else:
            getattr(transport, self.name)()


WISHES = st.one_of(
    st.builds(Wish, st.sampled_from(["play", "pause", "stop"])),
    st.builds(Wish, st.sampled_from(["seek", "resize"]), st.integers(0, LENGTH)),
    st.builds(Wish, st.just("loop"), st.integers(0, LENGTH - 1), st.integers(0, 2000)),
)
SESSIONS = st.lists(st.tuples(st.integers(1, 400), WISHES), max_size=12)


def heard(transport: Transport, signal: np.ndarray, blocks: list[int]) -> np.ndarray:
    mixer = Mixer([signal], np.ones((1, 1), np.float32), ramp_length=1)
    out = np.zeros((sum(blocks), 1), np.float32)
    start = 0
    for length in [part for block in blocks for part in _within(block, BLOCK_LENGTH)]:
        mixer.mix(transport.step(length), out[start : start + length])
        start += length
    return out[:, 0]


def session(wishes: list[tuple[int, Wish]], signal: np.ndarray, most: int) -> tuple[np.ndarray, Transport]:
    """Wishes, each after a wait of some samples, stepped in blocks of at most `most`."""
    transport = Transport(RATE)
    transport.resize(len(signal))
    pieces = []
    for wait, wish in [*wishes, (600, Wish("pause"))]:
        pieces.append(heard(transport, signal, _within(wait, most)))
        wish.tell(transport)
    return np.concatenate(pieces), transport


def _within(length: int, most: int) -> list[int]:
    return [most] * (length // most) + ([length % most] if length % most else [])


def ramp(length: int = LENGTH) -> np.ndarray:
    """A signal that tells its own position: sample n is n + 1."""
    return np.arange(1, length + 1, dtype=np.float32)[:, None]


def at_play(length: int = LENGTH) -> Transport:
    transport = Transport(RATE)
    transport.resize(length)
    transport.play()
    return transport


def test_playing_fades_in_and_then_is_the_signal() -> None:
    out = heard(at_play(), ramp(), [1000])
    np.testing.assert_array_equal(out[FADE:], ramp()[FADE:1000, 0])
    assert (out[:FADE] <= ramp()[:FADE, 0]).all()
    assert out[0] < 0.1


@given(SESSIONS, st.integers(1, 97))
def test_the_block_size_does_not_matter(wishes: list[tuple[int, Wish]], most: int) -> None:
    signal = np.random.default_rng(0).standard_normal((LENGTH, 1)).astype(np.float32)
    whole, left = session(wishes, signal, 10_000)
    cut, right = session(wishes, signal, most)
    np.testing.assert_array_equal(cut, whole)
    assert left.position == right.position
    assert left.playing == right.playing


@given(SESSIONS)
def test_nothing_anyone_does_clicks(wishes: list[tuple[int, Wish]]) -> None:
    """In a constant signal every step between samples is a fade's; none is larger than a fade's steepest."""
    wishes = [(wait, wish) for wait, wish in wishes if wish.name != "resize"]  # the end itself is a step here
    out, _ = session(wishes, np.ones((LENGTH + 5000, 1), np.float32), 10_000)
    assert np.abs(np.diff(out, prepend=0)).max(initial=0) < 2.0 / FADE
    assert out.max(initial=0) <= 1 + 1e-6


@given(SESSIONS)
def test_the_position_is_inside_the_recording(wishes: list[tuple[int, Wish]]) -> None:
    signal = np.ones((LENGTH, 1), np.float32)
    transport = Transport(RATE)
    transport.resize(LENGTH)
    for wait, wish in wishes:
        wish.tell(transport)
        heard(transport, signal, [wait])
        inside = transport.loop[1] if transport.loop else 0
        assert 0 <= transport.position <= max(LENGTH, inside + FADE)


@given(st.integers(0, 1500), st.integers(SHORTEST, 1500))
def test_a_loop_repeats_to_the_sample(start: int, span: int) -> None:
    transport = at_play()
    transport.set_loop((start, start + span))
    transport.seek(start)
    out = heard(transport, ramp(), [FADE + 4 * span])
    place = np.arange(len(out)) % span
    settled = place >= FADE
    np.testing.assert_array_equal(out[settled], (start + place + 1)[settled])


@given(st.integers(0, 100))
def test_a_loop_is_never_shorter_than_the_shortest(span: int) -> None:
    transport = at_play()
    transport.set_loop((100, 100 + span))
    assert transport.loop is not None
    assert transport.loop[1] - transport.loop[0] == max(span, SHORTEST)


def test_a_loop_entered_during_a_fade_keeps_its_time() -> None:
    transport = at_play()
    transport.set_loop((1000, 1500))
    transport.seek(1500 - FADE // 2)
    out = heard(transport, ramp(), [1000])
    expected = 1001 + (np.arange(len(out)) - FADE // 2) % 500
    # Two fades long: the seek's, and the jump's that had to wait for it.
    np.testing.assert_array_equal(out[2 * FADE : 450], expected[2 * FADE : 450])
    np.testing.assert_array_equal(out[600:900], expected[600:900])


def test_setting_a_loop_elsewhere_goes_there_and_one_around_the_playhead_does_not() -> None:
    transport = at_play()
    heard(transport, ramp(), [500])
    transport.set_loop((400, 900))
    assert transport.position == 500
    transport.set_loop((2000, 2500))
    assert transport.position == 2000
    transport.set_loop(None)
    heard(transport, ramp(), [1000])
    assert transport.position == 3000


@given(st.integers(0, LENGTH - FADE - 1))
def test_a_seek_is_heard_at_once_and_from_the_sample(position: int) -> None:
    transport = at_play()
    heard(transport, ramp(), [300])
    transport.seek(position)
    out = heard(transport, ramp(), [FADE + 1])
    assert out[-1] == position + FADE + 1


def test_pausing_fades_out_and_keeps_the_place() -> None:
    transport = at_play()
    heard(transport, ramp(), [500])
    transport.pause()
    out = heard(transport, ramp(), [FADE + 100])
    assert out[0] > 400
    assert not out[FADE:].any()
    assert transport.position == 500


def test_stop_goes_back_to_where_play_began() -> None:
    transport = at_play()
    transport.seek(700)
    heard(transport, ramp(), [500])
    transport.stop()
    heard(transport, ramp(), [500])
    assert transport.position == 700
    assert not transport.playing


def test_the_end_stops_and_play_begins_again() -> None:
    transport = at_play()
    out = heard(transport, ramp(), [LENGTH + 100])
    assert out[LENGTH - 1] == LENGTH
    assert not out[LENGTH:].any()
    assert not transport.playing
    assert transport.position == LENGTH
    transport.play()
    assert transport.position == 0


def test_a_seek_that_waits_for_a_fade_outlives_the_end() -> None:
    transport = at_play()
    transport.seek(LENGTH - FADE // 2)
    heard(transport, ramp(), [1])
    transport.seek(100)
    out = heard(transport, ramp(), [4 * FADE])
    assert transport.playing
    assert out[-1] == 100 + 4 * FADE - (FADE - 1)


def test_a_recording_that_gets_shorter_than_the_playhead_fades_out_and_stops_at_its_end() -> None:
    transport = at_play()
    ones = np.ones((LENGTH, 1), np.float32)
    heard(transport, ones, [1000])
    transport.resize(600)
    out = heard(transport, ones, [200])
    assert np.abs(np.diff(out, prepend=1)).max() < 2.0 / FADE
    assert not out[FADE:].any()
    assert not transport.playing
    assert transport.position == 600


def test_there_is_nothing_to_play_before_a_load() -> None:
    transport = Transport(RATE)
    transport.play()
    assert not transport.playing
    assert transport.step(100) == []


def test_another_rate_keeps_the_time() -> None:
    transport = at_play()
    transport.set_loop((800, 1600))
    heard(transport, ramp(), [300])
    other = transport.at_rate(2 * RATE)
    assert other.position == 2 * transport.position
    assert other.loop == (1600, 3200)
    assert other.playing


@given(SESSIONS)
def test_headings_tell_where_the_playhead_is_at_every_sample(wishes: list[tuple[int, Wish]]) -> None:
    transport = Transport(RATE)
    transport.resize(LENGTH)
    for wait, wish in wishes:
        wish.tell(transport)
        transport.step(wait)
        covered = 0
        for heading in transport.headings:
            assert heading.offset == covered
            covered += heading.length
        assert covered == wait
        last = transport.headings[-1]
        if last.moving and transport.playing and wait > FADE:
            assert last.position + last.length == transport.position
