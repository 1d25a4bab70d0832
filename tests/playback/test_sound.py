"""What comes out of a sound card: played through a server of the test's own, recorded, compared with the offline mix."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from signal import SIGCONT, SIGSTOP

import numpy as np
import pytest
from playback.hearing import RAMPS, SILENT_ENOUGH, interpreter_held, lag, largest_difference, noise
from playback.sound_card import RATE, SoundServer
from playback.waiting import eventually

from soli.playback.board import durations_s
from soli.playback.mixer import Strip, mix_offline
from soli.playback.output import BLOCK_LENGTH
from soli.playback.player import ProcessPlayer
from soli.signal.audio import resample

pytestmark = pytest.mark.sound


@pytest.fixture
def player(sound_server: SoundServer) -> Iterator[ProcessPlayer]:
    # Fed far ahead, so that a machine busy with other things does not fail a test of the program.
    player = ProcessPlayer("pulse", latency_s=0.3)
    assert eventually(lambda: len(durations_s(player.board)) > 0)
    assert player.status().message == ""
    yield player
    player.close()


def test_what_is_heard_is_the_offline_mix_to_the_last_bit_of_90_decibels(
    sound_server: SoundServer, player: ProcessPlayer, layers: list[np.ndarray]
) -> None:
    strips = [Strip(-3, -0.5), Strip(-1, 0.5), Strip(), Strip(muted=True)]
    player.load(layers, RATE, strips)
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.1)
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert largest_difference(heard[0], mix_offline(layers, strips)) < SILENT_ENOUGH
    assert player.status().underruns == 0


def test_eight_layers_play_without_a_gap_while_the_window_holds_the_interpreter_lock(
    sound_server: SoundServer, player: ProcessPlayer
) -> None:
    signals = noise(6.0, 8)
    strips = [Strip(-0.5 * n, 0.1 * n) for n in range(8)]
    player.load(signals, RATE, strips)
    with sound_server.recording() as heard:
        with interpreter_held(0.6) as held_s:
            player.play()
            assert eventually(lambda: player.status().position_s > 0.1)
            assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert max(held_s) > 0.4, "the lock was let go too early to disturb anything"
    assert player.status().underruns == 0
    assert largest_difference(heard[0], mix_offline(signals, strips)) < SILENT_ENOUGH
    # Who waits for the lock takes as long as it is held; other programs on this computer cost some milliseconds.
    assert np.percentile(durations_s(player.board), 99) < BLOCK_LENGTH / RATE


def test_a_solo_is_heard_soon_and_does_not_click(sound_server: SoundServer) -> None:
    time_s = np.arange(4 * RATE) / RATE
    low = np.repeat(0.2 * np.sin(2 * np.pi * 110 * time_s)[:, None], 2, axis=1).astype(np.float32)
    with closing(ProcessPlayer("pulse", latency_s=0.15)) as player:
        player.load([low, np.zeros_like(low)], RATE, [Strip(), Strip()])
        with sound_server.recording() as heard:
            player.play()
            assert eventually(lambda: player.status().position_s > 1.0)
            asked_s = player.status().position_s
            player.set_strips([Strip(), Strip(soloed=True)])
            time.sleep(0.6)
            player.pause()
            time.sleep(0.3)
        if player.status().underruns:
            pytest.skip("this machine stalled for longer than a device waits: that would be heard as a click")
    sound = heard[0][:, 0]
    steepest = 0.2 * 2 * np.pi * 110 / RATE + 0.2 * np.pi / 2 / (0.005 * RATE)
    assert np.abs(np.diff(sound)).max() < 1.1 * steepest
    nonzero = np.flatnonzero(sound)
    sounded_s = (nonzero[-1] - nonzero[0]) / RATE
    # What is already on its way to the ear is still heard: the latency, which the position takes off.
    assert asked_s < sounded_s < asked_s + 0.3


def test_a_loop_repeats_to_the_sample(sound_server: SoundServer, player: ProcessPlayer) -> None:
    signals = noise(2.0, 2)
    player.load(signals, RATE, [Strip()] * 2)
    span = 13_131
    player.set_loop(0.5, 0.5 + span / RATE)
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.55)
        time.sleep(2.0)
        player.pause()
        time.sleep(0.3)
    expected = mix_offline(signals, [Strip()] * 2)[round(0.5 * RATE) : round(0.5 * RATE) + span]
    for turn in range(1, 5):
        stretch = heard[0][turn * span :]
        begin = lag(stretch[: 2 * span], expected)
        np.testing.assert_allclose(stretch[begin + 300 : begin + span - 300], expected[300:-300], atol=SILENT_ENOUGH)
    assert player.status().underruns == 0


@pytest.mark.parametrize("rate", [22050, 48000])
def test_a_recording_at_another_rate_is_heard_at_its_pitch(rate: int, sound_server: SoundServer, player: ProcessPlayer) -> None:
    signals = noise(1.5, 2, rate)
    player.load(signals, rate, [Strip(), Strip(-6)])
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.1)
        assert eventually(lambda: not player.status().playing)
        assert player.status().position_s == pytest.approx(1.5, abs=0.001)
        time.sleep(0.5)
    expected = mix_offline([resample(signal, rate, RATE) for signal in signals], [Strip(), Strip(-6)])
    assert largest_difference(heard[0], expected) < SILENT_ENOUGH


@pytest.mark.parametrize("sound_server", [48_000, 96_000], indirect=True)
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_the_sound_server_is_given_its_own_rate(rate: int, sound_server: SoundServer, player: ProcessPlayer) -> None:
    signals = noise(1.5, 2, rate)
    player.load(signals, rate, [Strip(), Strip(-6)])
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.1)
        assert eventually(lambda: not player.status().playing)
        assert player.status().position_s == pytest.approx(1.5, abs=0.001)
        time.sleep(0.5)
    expected = mix_offline([resample(signal, rate, sound_server.rate) for signal in signals], [Strip(), Strip(-6)])
    assert largest_difference(heard[0], expected) < SILENT_ENOUGH


def test_layers_swapped_in_live_leave_no_gap(sound_server: SoundServer, player: ProcessPlayer) -> None:
    whole = noise(3.0, 1)[0]
    player.load([whole], RATE, [Strip()])
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.5)
        player.load([0.75 * whole, 0.25 * whole], RATE, [Strip(), Strip()])
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert largest_difference(heard[0], whole) < SILENT_ENOUGH
    assert player.status().underruns == 0


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_stretches_replaced_live_leave_no_gap(rate: int, sound_server: SoundServer, player: ProcessPlayer) -> None:
    """Under the playhead and ahead of it, at the device's rate and at another."""
    whole, other = noise(3.0, 2, rate)
    first, end = round(0.2 * rate), round(2.5 * rate)
    patched = whole.copy()
    patched[first:end] = other[first:end]
    heard_whole, heard_patched = resample(whole, rate, RATE), resample(patched, rate, RATE)
    player.load([whole], rate, [Strip()])
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.8)
        player.patch([(0, first, other[first:end])])
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert player.status().underruns == 0
    start = lag(heard[0], heard_patched)
    # The device is fed 0.3 s ahead of the ear.
    before, after = slice(RAMPS, round(0.75 * RATE)), slice(round(1.8 * RATE), len(heard_patched) - RAMPS)
    for stretch, expected in ((before, heard_whole), (after, heard_patched)):
        difference = heard[0][start + stretch.start : start + stretch.stop] - expected[stretch]
        assert np.abs(difference).max() < SILENT_ENOUGH


def test_a_sound_on_its_own_is_heard_to_the_sample_while_the_music_plays(
    sound_server: SoundServer, player: ProcessPlayer
) -> None:
    music, alone = noise(4.0, 2)
    player.load([music], RATE, [Strip()])
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.5)
        player.audition(alone[:RATE], RATE)
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert player.status().underruns == 0
    begin = lag(heard[0], alone[:RATE])
    assert np.abs(heard[0][begin : begin + RATE] - alone[:RATE])[RAMPS:-RAMPS].max() < SILENT_ENOUGH
    # The music went on underneath: after the sound it is where it would have been.
    start = lag(heard[0], music)
    after = begin + RATE + RAMPS
    assert np.abs(heard[0][after : start + len(music)] - music[after - start :]).max() < SILENT_ENOUGH


def test_the_music_goes_on_on_another_device(sound_server: SoundServer, player: ProcessPlayer) -> None:
    player.use_device("nobody has this one")
    assert eventually(lambda: "not found" in player.status().message)
    player.load([np.full((20 * RATE, 2), 0.25, np.float32)], RATE, [Strip()])
    player.play()
    assert eventually(lambda: player.status().position_s > 0.3)
    with sound_server.recording() as heard:
        player.use_device("pulse, ALSA", latency_s=0.3)
        asked_s = player.status().position_s
        assert eventually(lambda: not player.status().message and player.status().position_s > asked_s + 0.5)
    assert player.status().playing
    assert np.abs(heard[0]).max() == pytest.approx(0.25, abs=1e-3)
    assert player.status().position_s < asked_s + 10.0


def test_a_sound_card_that_goes_away_stops_the_music_and_nothing_else(sound_server: SoundServer, player: ProcessPlayer) -> None:
    player.load(noise(20.0, 2), RATE, [Strip()] * 2)
    player.play()
    assert eventually(lambda: player.status().position_s > 0.3)
    sound_server.kill()
    assert eventually(lambda: not player.status().playing)
    message = player.status().message
    assert "press play" in message
    assert message.count(".") == 1
    position_s = player.status().position_s
    player.play()
    assert eventually(lambda: player.status().position_s > position_s + 0.2)
    assert "silently" in player.status().message
    started_s = time.monotonic()
    player.close()
    assert time.monotonic() - started_s < 10


def test_a_card_that_is_unplugged_stops_the_music_and_one_that_comes_later_is_played_on(
    sound_server: SoundServer, player: ProcessPlayer
) -> None:
    player.load([np.full((60 * RATE, 2), 0.25, np.float32)], RATE, [Strip()])
    player.play()
    assert eventually(lambda: player.status().position_s > 0.3)
    sound_server.unplug()
    assert eventually(lambda: not player.status().playing)
    assert "press play" in player.status().message
    stopped_s = player.status().position_s
    player.play()
    assert eventually(lambda: player.status().position_s > stopped_s + 0.2)
    assert "silently" in player.status().message
    sound_server.plug()
    with sound_server.recording() as heard:
        assert eventually(lambda: not player.status().message, 40.0)
        assert player.status().playing
        went_on_s = player.status().position_s
        assert eventually(lambda: player.status().position_s > went_on_s + 1.0)
    assert player.status().news == "The sound device pulse is there; the music plays on it."
    assert np.abs(heard[0]).max() == pytest.approx(0.25, abs=1e-3)


def test_an_error_in_the_callback_is_told_and_the_music_goes_on(sound_server: SoundServer, player: ProcessPlayer) -> None:
    player.load([np.full((60 * RATE, 2), 0.25, np.float32)], RATE, [Strip()])
    player.play()
    assert eventually(lambda: player.status().position_s > 0.3)
    former = player.process_id
    player._send(0, "what_nobody_knows", ())  # the audio thread stumbles over it
    assert eventually(lambda: "The sound engine failed" in player.status().message)
    assert player.status().message.endswith(" and was started again; the music goes on.")
    failed_s = player.status().position_s
    assert eventually(lambda: player.process_id not in (None, former))
    with sound_server.recording() as heard:
        assert eventually(lambda: player.status().position_s > failed_s + 0.5)
    assert player.status().playing
    player.play()
    assert np.abs(heard[0]).max() == pytest.approx(0.25, abs=1e-3)


def test_a_layer_with_values_that_are_no_numbers_is_left_out_and_named_whenever_it_comes(
    sound_server: SoundServer, player: ProcessPlayer
) -> None:
    sounds = noise(2.0, 3)
    broken = sounds[1].copy()
    broken[RATE] = np.nan
    player.load([sounds[0], broken, sounds[2][:RATE]], RATE, [Strip()] * 3, names=["Left hand", "Right hand", "Flute"])
    with sound_server.recording() as heard:
        player.play()
        assert player.status().message.startswith("Right hand is silent")
        assert eventually(lambda: player.status().position_s > 0.1)
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    assert player.status().underruns == 0
    assert largest_difference(heard[0], mix_offline([sounds[0], sounds[2][:RATE]], [Strip()] * 2)) < SILENT_ENOUGH
    player.patch([(0, 0, np.full((10, 2), np.inf, np.float32))])
    assert player.status().message.startswith("Left hand, Right hand are silent")
    player.set_loop(0.0, 0.9)
    player.play()
    assert eventually(lambda: player.status().peaks[2] > 0.0)
    assert eventually(lambda: player.status().peaks[:2] == (0.0, 0.0))


def test_a_player_without_a_card_finds_the_one_that_is_plugged_in(sound_server: SoundServer) -> None:
    sound_server.unplug()
    with closing(ProcessPlayer("pulse")) as player:
        assert eventually(lambda: "silently" in player.status().message)
        silent = player.process_id
        sound_server.plug()
        assert eventually(lambda: not player.status().message, 40.0)
        assert eventually(lambda: player.process_id not in (None, silent))
        assert not player.status().playing


def test_a_process_that_is_stopped_now_and_then_feeds_the_card_further_ahead_and_goes_on(sound_server: SoundServer) -> None:
    (signal,) = noise(60.0, 1)
    with closing(ProcessPlayer("pulse")) as player:
        player.load([signal], RATE, [Strip()])
        player.play()
        assert eventually(lambda: player.status().position_s > 0.5)
        before_s = player.status().position_s
        for _ in range(2):
            os.kill(player.process_id or 0, SIGSTOP)
            time.sleep(0.4)
            os.kill(player.process_id or 0, SIGCONT)
            time.sleep(1.0)
        assert eventually(lambda: "ahead from now on" in player.status().message)
        assert player.status().underruns >= 2
        assert player.status().position_s > before_s
        with sound_server.recording() as heard:
            first_s = player.status().position_s
            time.sleep(2.0)
            last_s = player.status().position_s
        assert player.status().playing
    expected = signal[round(first_s * RATE) - RATE : round(last_s * RATE) + RATE]
    piece = heard[0][RATE // 2 : RATE]
    begin = lag(expected, piece)
    assert np.abs(expected[begin : begin + len(piece)] - piece).max() < SILENT_ENOUGH
