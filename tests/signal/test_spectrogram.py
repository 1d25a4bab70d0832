"""The STFT grid: where frames lie, and that blocks of them add up to the signal again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.signal.spectrogram import Grid, analyse, magnitudes, synthesise


def noise(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)


def resynthesised(signal: np.ndarray, grid: Grid, block: int) -> np.ndarray:
    result = np.zeros(grid.length + 2 * grid.window_length + grid.hop_length * 2, np.float32)
    half = grid.window_length // 2
    for start in range(0, grid.frames, block):
        stop = min(start + block, grid.frames)
        stretch = synthesise(analyse(signal, grid, start, stop), grid, start)
        result[start * grid.hop_length : start * grid.hop_length + len(stretch)] += stretch
    return result[half : half + grid.length]


@settings(max_examples=40, deadline=None)
@given(length=st.integers(0, 3000), block=st.integers(1, 40), overlap=st.sampled_from([4, 8]))
def test_blocks_analysed_and_synthesised_add_up_to_the_signal(length: int, block: int, overlap: int) -> None:
    grid = Grid(8000, length, 256, 256 // overlap)
    signal = noise(length)
    np.testing.assert_allclose(resynthesised(signal, grid, block), signal, atol=2e-6)


def test_a_block_of_frames_is_the_same_as_those_frames_of_the_whole() -> None:
    grid, signal = Grid(8000, 5000, 512, 128), noise(5000)
    np.testing.assert_allclose(analyse(signal, grid, 7, 19), analyse(signal, grid)[:, 7:19], atol=1e-4)


def test_spectra_agree_with_the_definition() -> None:
    grid, signal = Grid(8000, 700, 64, 16), noise(700)
    padded = np.concatenate([np.zeros(32), signal, np.zeros(96)])
    naive = [np.fft.rfft(padded[n * 16 : n * 16 + 64] * grid.window()) for n in range(grid.frames)]
    np.testing.assert_allclose(analyse(signal, grid).T, naive, atol=1e-4)
    np.testing.assert_allclose(magnitudes(signal, grid, block=5).T, np.abs(naive), atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_a_bin_is_about_as_wide_at_any_rate(rate: int) -> None:
    grid = Grid.for_recording(rate, rate)
    assert 3.5 < grid.frequencies_hz()[1] < 8
    assert grid.frequencies_hz()[-1] == pytest.approx(rate / 2)


def test_every_sample_lies_under_some_frame() -> None:
    grid = Grid.for_recording(22050, 100_001)
    assert (grid.frames - 1) * grid.hop_length >= grid.length
    assert grid.times_s()[-1] >= grid.length / grid.rate
