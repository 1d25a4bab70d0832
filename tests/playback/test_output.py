"""The stream between desk and device, with a device that does as it is told."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from soli.playback import output, sound_server
from soli.playback.board import SIZE, durations_s, read_board
from soli.playback.engine import Engine
from soli.playback.mixer import Mixer, Strip, channel_gains
from soli.playback.output import BLOCK_LENGTH, LATENCIES_S, SETTLES_AFTER_S, NoSoundError, Output

RATE = 48000


class Card:
    """A sounddevice of one device; `play` calls for a block, as the device would."""

    class PortAudioError(Exception):
        pass

    class CallbackStop(Exception):
        pass

    class CallbackAbort(Exception):
        pass

    def __init__(self, channels: int = 2, high_s: float = 0.03, name: str = "card") -> None:
        self.name = name
        self.channels, self.high_s, self.there = channels, high_s, True
        self.streams: list[SimpleNamespace] = []

    def query_devices(self, _device: object, _kind: str) -> dict[str, object]:
        if not self.there:
            raise self.PortAudioError("gone")
        return {
            "name": self.name, "max_output_channels": self.channels, "default_samplerate": float(RATE),
            "default_high_output_latency": self.high_s, "hostapi": 0,
        }  # fmt: skip

    def query_hostapis(self, _index: int) -> dict[str, object]:
        return {"name": "ALSA"}

    def OutputStream(self, *, callback: object, latency: float, **about: object) -> SimpleNamespace:
        if not self.there:
            raise self.PortAudioError("gone")
        stream = SimpleNamespace(callback=callback, latency=latency, active=False, closed=False, **about)
        stream.start = lambda: setattr(stream, "active", True)
        stream.close = lambda **_: setattr(stream, "closed", True)
        self.streams.append(stream)
        return stream

    def play(self, *, underflow: bool = False) -> np.ndarray:
        stream = self.streams[-1]
        out = np.full((BLOCK_LENGTH, stream.channels), 9.0, np.float32)
        times = SimpleNamespace(outputBufferDacTime=1.07, currentTime=1.0)
        try:
            stream.callback(out, BLOCK_LENGTH, times, SimpleNamespace(output_underflow=underflow))
        except (self.CallbackStop, self.CallbackAbort):
            stream.active = False
        return out


class Clock:
    """Seconds by hand; who waits is served a block by the device meanwhile."""

    def __init__(self, card: Card) -> None:
        self.now_s, self.card = 100.0, card

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.card.play()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    return use(Card(), monkeypatch)


@pytest.fixture
def clock(card: Card, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(card)
    monkeypatch.setattr(output, "clock_s", clock)
    monkeypatch.setattr(output, "time", clock)
    return clock


def use(card: Card, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setattr(output, "library", lambda: card)
    monkeypatch.setattr(output, "hurry", lambda **_: None)
    return card


def playing(latency_s: float | None = None, *, first_channel: int = 0) -> tuple[Output, np.ndarray]:
    cells = np.zeros(SIZE)
    opened = Output(cells, None, latency_s, first_channel)
    left_alone = np.tile(np.array([[0.5, 0.25]], np.float32), (10 * RATE, 1))
    opened.desk.post((1, "swap", (Mixer([left_alone], channel_gains([Strip()]), ramp_length=480), 1, RATE)))
    opened.desk.post((2, "play", ()))
    opened.start()
    return opened, cells


def dry(card: Card, clock: Clock, times: int, apart_s: float) -> None:
    for _ in range(times):
        clock.now_s += apart_s
        card.play(underflow=True)
        card.play(underflow=True)  # as some devices report it


def test_a_device_is_fed_so_far_ahead_that_a_change_is_heard_within_a_tenth_of_a_second(card: Card) -> None:
    playing()
    stream = card.streams[0]
    ramped_s = 0.005
    assert stream.latency == LATENCIES_S[0]
    assert stream.latency + stream.blocksize / RATE + ramped_s < 0.1


def test_a_device_that_asks_for_more_gets_more(monkeypatch: pytest.MonkeyPatch) -> None:
    card = use(Card(high_s=0.2), monkeypatch)
    playing()
    assert card.streams[0].latency == 0.2


def test_a_device_that_runs_dry_twice_is_fed_further_ahead_and_the_music_goes_on_where_it_was(card: Card, clock: Clock) -> None:
    opened, cells = playing()
    for _ in range(10):
        card.play()
    dry(card, clock, 1, 1.0)
    assert opened.deepen() is None
    dry(card, clock, 1, 5.0)
    before = opened.desk.transport.position
    assert opened.deepen() == LATENCIES_S[1]
    first, second = card.streams
    assert first.closed
    assert not first.active
    assert second.active
    assert second.latency == LATENCIES_S[1]
    assert opened.desk.transport.position == before
    np.testing.assert_array_equal(card.play(), np.tile(np.float32([0.5, 0.25]), (BLOCK_LENGTH, 1)))
    assert opened.desk.transport.position == before + BLOCK_LENGTH
    assert read_board(cells, clock.now_s).underruns == 4
    dry(card, clock, 2, 1.0)
    assert opened.deepen() == LATENCIES_S[2]
    dry(card, clock, 9, 1.0)
    assert opened.deepen() is None, "there is no more"
    assert opened.trouble() == ""


def test_after_a_long_calm_it_is_fed_less_far_ahead_again_in_silence(card: Card, clock: Clock) -> None:
    opened, _ = playing()
    dry(card, clock, 2, 1.0)
    assert opened.deepen() == LATENCIES_S[1]
    calm(opened, card, clock, SETTLES_AFTER_S + 60.0)  # while music plays nothing may be opened
    assert card.streams[-1].latency == LATENCIES_S[1]
    opened.desk.post((3, "pause", ()))
    settled = calm(opened, card, clock, 10.0)
    assert settled == [LATENCIES_S[0]]
    assert card.streams[-1].latency == LATENCIES_S[0]
    assert card.streams[-1].active
    opened.desk.post((4, "play", ()))
    card.play()
    np.testing.assert_array_equal(card.play()[-1], np.float32([0.5, 0.25]))


def test_what_was_too_soon_takes_longer_the_next_time(card: Card, clock: Clock) -> None:
    opened, _ = playing()
    opened.desk.post((3, "pause", ()))
    dry(card, clock, 2, 1.0)
    assert opened.deepen() == LATENCIES_S[1]
    assert calm(opened, card, clock, SETTLES_AFTER_S - 10.0) == []
    dry(card, clock, 1, 1.0)
    assert opened.deepen() is None
    assert calm(opened, card, clock, SETTLES_AFTER_S - 10.0) == []
    assert calm(opened, card, clock, 20.0) == [LATENCIES_S[0]]
    dry(card, clock, 2, 1.0)
    assert opened.deepen() == LATENCIES_S[1]
    assert calm(opened, card, clock, SETTLES_AFTER_S + 10.0) == []
    assert calm(opened, card, clock, SETTLES_AFTER_S) == [LATENCIES_S[0]]


def calm(opened: Output, card: Card, clock: Clock, seconds: float) -> list[float]:
    """Let time pass without a stall; which latencies it settles to."""
    settled = []
    until_s = clock.now_s + seconds
    while clock.now_s < until_s:
        clock.now_s += 0.5
        card.play()
        if (latency_s := opened.settle()) is not None:
            settled.append(latency_s)
    return settled


@pytest.mark.parametrize(("apart_s", "latency_s"), [(0.1, None), (61.0, None), (1.0, 0.1)])
def test_one_stall_or_rare_ones_or_a_chosen_latency_change_nothing(
    card: Card, clock: Clock, apart_s: float, latency_s: float | None
) -> None:
    opened, _ = playing(latency_s)
    dry(card, clock, 3, apart_s)
    assert opened.deepen() is None
    assert len(card.streams) == 1


def test_running_dry_in_silence_is_no_underrun_but_a_warning(card: Card, clock: Clock) -> None:
    opened, cells = playing()
    opened.desk.post((3, "pause", ()))
    for _ in range(10):
        card.play()
    dry(card, clock, 2, 1.0)
    assert read_board(cells, clock.now_s).underruns == 0
    assert opened.deepen() == LATENCIES_S[1]


def test_a_device_that_cannot_be_opened_again_is_said_to_be_lost(card: Card, clock: Clock) -> None:
    opened, _ = playing()
    dry(card, clock, 2, 1.0)
    card.there = False
    with pytest.raises(NoSoundError, match="cannot be opened"):
        opened.deepen()


def test_an_error_in_a_callback_is_silence_and_a_sentence(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, cells = playing()
    for _ in range(3):
        card.play()
    assert opened.failure == ""

    def broken(*_: object) -> None:
        raise FloatingPointError("a cable came loose")

    monkeypatch.setattr(opened.desk, "render", broken)
    for _ in range(3):
        assert not card.play().any()
    monkeypatch.undo()
    assert not card.play().any()
    assert opened.failure == "The sound engine failed (a cable came loose)"
    assert len(durations_s(cells)) >= 3


def test_a_device_that_asks_no_more_is_lost_and_not_waited_for(card: Card, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, _ = playing()
    card.play()
    assert opened.trouble() == ""
    monkeypatch.setattr(clock.card, "play", lambda: None)
    clock.now_s += 2.0
    assert opened.trouble() == ""
    clock.now_s += 2.0
    assert "no longer answers" in opened.trouble()
    asked_s = clock.now_s
    assert not opened.stop()
    assert clock.now_s < asked_s + 2.0


def test_a_stream_ends_in_its_own_callback(card: Card, clock: Clock) -> None:
    opened, _ = playing()
    card.play()
    assert opened.stop()
    assert not card.streams[0].active
    assert not card.play().any()


def test_one_loudspeaker_gets_both_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    card = use(Card(channels=1), monkeypatch)
    playing()
    card.play()
    np.testing.assert_allclose(card.play()[-1], [0.375])


def test_of_a_device_with_many_channels_the_chosen_ones_are_played_on(monkeypatch: pytest.MonkeyPatch) -> None:
    card = use(Card(channels=8), monkeypatch)
    playing(first_channel=4)
    card.play()
    np.testing.assert_allclose(card.play()[-1], [0.0, 0.0, 0.0, 0.0, 0.5, 0.25])


@pytest.mark.parametrize("channels", [2, 5])
def test_where_the_chosen_channels_are_missing_the_first_are_played_on(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    card = use(Card(channels=channels), monkeypatch)
    playing(first_channel=4)
    card.play()
    np.testing.assert_allclose(card.play()[-1], [0.5, 0.25])


@pytest.mark.parametrize(("name", "rate"), [("default", 96000), ("card", RATE)])
def test_what_leads_to_the_sound_server_is_played_at_its_rate(name: str, rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    card = use(Card(name=name), monkeypatch)
    monkeypatch.setattr(sound_server.sys, "platform", "linux")
    monkeypatch.setattr(sound_server, "server_output", lambda: sound_server.ServerOutput(96000, 2))
    opened = Output(np.zeros(SIZE), None, None)
    assert (opened.rate, card.streams[0].samplerate) == (rate, rate)


def test_without_a_sound_server_its_rate_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Card(name="default"), monkeypatch)
    monkeypatch.setattr(sound_server, "server_output", lambda: None)
    assert Output(np.zeros(SIZE), None, None).rate == RATE


def test_no_device_is_a_sentence(card: Card) -> None:
    card.there = False
    for device in (None, "kazoo"):
        with pytest.raises(NoSoundError, match="No sound device" if device is None else "kazoo") as raised:
            Output(np.zeros(SIZE), device, None)
        assert str(raised.value).count(".") == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_asking_for_the_right_to_come_first_leaves_this_thread_as_it_was(allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def schedule(*_: object) -> None:
        asked.append(threading.get_ident())
        if not allowed:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(output.sys, "platform", "linux")
    monkeypatch.setattr(output.os, "sched_setscheduler", schedule, raising=False)
    assert output.may_hurry() is allowed
    assert asked
    assert threading.get_ident() not in asked


@pytest.mark.parametrize(
    ("deeper", "settled", "sent"), [(0.15, None, [("deeper", 0.15)]), (None, 0.07, [("settled", 0.07)]), (None, None, [])]
)
def test_the_window_is_told_when_the_device_is_fed_otherwise(
    deeper: float | None, settled: float | None, sent: list[tuple[str, float]]
) -> None:
    told: list[tuple[str, float]] = []
    process = SimpleNamespace(_pipe=SimpleNamespace(send=told.append))
    stream = SimpleNamespace(failure="", trouble=lambda: "", deepen=lambda: deeper, settle=lambda: settled)
    assert Engine._goes_on(process, stream)
    assert told == sent


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        (SimpleNamespace(failure="It fell over", trouble=lambda: "The card is gone."), ("failed", "It fell over")),
        (SimpleNamespace(failure="", trouble=lambda: "The card is gone."), ("lost", "The card is gone.")),
    ],
)
def test_an_engine_that_failed_is_told_from_a_device_that_is_lost(stream: SimpleNamespace, sent: tuple[str, str]) -> None:
    told: list[tuple[str, str]] = []
    process = SimpleNamespace(_pipe=SimpleNamespace(send=told.append))
    assert not Engine._goes_on(process, stream)
    assert told == [sent]
