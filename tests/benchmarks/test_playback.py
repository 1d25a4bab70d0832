"""What a block costs: the callback must stay far below its period, and the window asks for the status 60 times a second."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from soli.playback.mixer import Mixer, Read, Strip, channel_gains
from soli.playback.output import BLOCK_LENGTH
from soli.playback.player import FakePlayer

RATE = 44100
PERIOD_S = BLOCK_LENGTH / RATE


def signals(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal((4 * RATE, 2))).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("layers", [8, 32])
def test_mixing_one_block(benchmark: BenchmarkFixture, layers: int) -> None:
    mixer = Mixer(signals(layers), channel_gains([Strip(-3.0, 0.2)] * layers))
    out = np.zeros((BLOCK_LENGTH, 2), np.float32)
    benchmark(mixer.mix, [Read(0, BLOCK_LENGTH, 1000)], out)
    assert benchmark.stats is None or benchmark.stats.stats.median < PERIOD_S / 4


def test_a_whole_callback_of_eight_layers(benchmark: BenchmarkFixture) -> None:
    player = FakePlayer(live=False)
    player.load(signals(8), RATE, [Strip()] * 8)
    player.set_loop(0.0, 1.0)
    player.play()
    benchmark(player.step, BLOCK_LENGTH)
    assert benchmark.stats is None or benchmark.stats.stats.median < PERIOD_S / 4


def test_asking_for_the_status(benchmark: BenchmarkFixture) -> None:
    player = FakePlayer(live=False)
    player.load(signals(10), RATE, [Strip()] * 10)
    player.play()
    for _ in range(300):
        player.step(BLOCK_LENGTH // 4)
    benchmark(player.status)
    assert benchmark.stats is None or benchmark.stats.stats.median < 0.002
