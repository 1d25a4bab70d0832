"""Other speeds and clicks as they come out of a sound card, through the sound process."""

import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playback.hearing import SILENT_ENOUGH, largest_difference
from playback.sound_card import RATE, SoundServer
from playback.waiting import eventually

from soli.playback.board import durations_s
from soli.playback.metronome import click
from soli.playback.mixer import Strip, mix_offline
from soli.playback.player import ProcessPlayer
from soli.playback.stretch import Excerpt, reader, stretched_length
from soli.playback.tiles import Stretching
from soli.signal.audio import resample

pytestmark = pytest.mark.sound


@pytest.fixture
def player(sound_server: SoundServer) -> Iterator[ProcessPlayer]:
    player = ProcessPlayer("pulse", latency_s=0.3)
    assert eventually(lambda: len(durations_s(player.board)) > 0)
    yield player
    player.close()


def stretch(player: ProcessPlayer, parts: list[np.ndarray], rate: int, speed: float, key: int = 1) -> list[np.ndarray]:
    """Bring all tiles of `parts` and turn to them; the same sound in one piece."""
    whole = sum(parts[1:], parts[0])
    length = stretched_length(len(whole), speed)
    channels = tuple(part.shape[1] for part in parts)
    stretching = Stretching(key, player.generation, speed, rate, length, channels)
    excerpt = Excerpt(stretching.span(0)[0], stretching.span(stretching.tiles - 1)[1], rate, speed)
    sounds = [reader(sound)(*excerpt.source) for sound in (whole, *parts)]
    made = excerpt.made_of(np.concatenate(sounds, axis=1), whole.shape[1])
    everything = np.split(made, np.cumsum([sound.shape[1] for sound in sounds])[:-1], axis=1)[1:]
    for number, tile in enumerate(zip(*map(stretching.parts, everything), strict=True)):
        player.add_tile(stretching, number, tile)
    player.hear(stretching)
    assert eventually(lambda: player.status().stretched == key)
    return [part[stretching.margin :][:length] for part in everything]


def notes(rate: int) -> list[np.ndarray]:
    time_s = np.arange(3 * rate) / rate
    rng = np.random.default_rng(5)
    tone = 0.1 * np.sin(2 * np.pi * 330 * time_s) * np.exp(-time_s % 0.7)
    return [np.stack([tone, 0.5 * tone], 1).astype(np.float32), (0.02 * rng.standard_normal((3 * rate, 2))).astype(np.float32)]


@pytest.mark.parametrize("rate", [RATE, RATE // 2])
def test_what_is_heard_at_another_speed_is_the_offline_mix_of_what_is_stretched(
    sound_server: SoundServer, player: ProcessPlayer, rate: int
) -> None:
    parts, strips = notes(rate), [Strip(-2.0), Strip(0.0, 0.3)]
    player.load(parts, rate, strips)
    stretched = stretch(player, parts, rate, 0.8)
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 0.1)
        assert eventually(lambda: not player.status().playing)
        time.sleep(0.5)
    expected = mix_offline([resample(part, rate, RATE) for part in stretched], strips)
    # Where the whole is cut off before it is resampled, its last samples ring; a tile goes on beyond them.
    assert largest_difference(heard[0], expected[:-500]) < SILENT_ENOUGH
    assert player.status().position_s == pytest.approx(3.0, abs=0.01)
    assert player.status().underruns == 0


def test_a_process_that_has_died_knows_the_beats_again_and_plays_what_was_recorded(
    sound_server: SoundServer, player: ProcessPlayer
) -> None:
    parts = [np.zeros((3 * RATE, 2), np.float32)]
    player.load(parts, RATE, [Strip()])
    stretch(player, parts, RATE, 0.5)
    player.set_beats([0.5, 1.0], [True, False])
    player.set_metronome(0.8)
    assert eventually(lambda: player.process_id is not None)
    former = player.process_id
    os.kill(former, signal.SIGKILL)
    assert eventually(lambda: player.process_id != former)
    with sound_server.recording() as heard:
        player.play()
        assert eventually(lambda: player.status().position_s > 2.0)
        player.pause()
        time.sleep(0.3)
    assert player.process_id != former
    assert player.status().stretched == 0
    expected = np.zeros((2 * RATE, 2), np.float32)
    for beat_s, accented in ((0.5, True), (1.0, False)):
        sound = 0.8 * click(RATE, accented=accented)
        expected[round(beat_s * RATE) :][: len(sound)] += sound
    assert largest_difference(heard[0], expected) < SILENT_ENOUGH
