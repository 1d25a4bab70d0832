"""The middle of the channels and what deviates from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose.channels import analyse_steps, middle_magnitudes, spectra, synthesise_channels
from soli.errors import InputError
from soli.progress import finish
from soli.signal.audio import Audio
from soli.signal.spectrogram import Grid, magnitudes


def noise(length: int, channels: int, seed: int = 0) -> Audio:
    return Audio(np.random.default_rng(seed).uniform(-1, 1, (length, channels)).astype(np.float32), 22050)


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 9000), channels=st.integers(1, 6))
def test_what_is_taken_apart_is_put_together_again(length: int, channels: int) -> None:
    audio, grid = noise(length, channels), Grid(22050, length, 1024, 256)
    whole = synthesise_channels(*spectra(audio, grid, 0, grid.frames), grid, 0)
    np.testing.assert_allclose(whole[512 : 512 + length], audio.samples, atol=1e-5)


@pytest.mark.parametrize("channels", [2, 3])
def test_the_middle_is_the_mean_and_the_side_how_far_channels_are_from_it(channels: int) -> None:
    audio, grid = noise(20000, channels), Grid(22050, 20000, 1024, 256)
    V = finish(analyse_steps(audio, grid))
    np.testing.assert_allclose(V.middle, magnitudes(audio.mono(), grid), atol=1e-4)
    each = [magnitudes(audio.samples[:, c] - audio.mono(), grid) for c in range(channels)]
    assert V.side is not None
    np.testing.assert_allclose(V.side, np.sqrt(np.mean(np.square(each), axis=0)), atol=1e-4)


def test_equal_channels_have_no_side() -> None:
    audio, grid = noise(9000, 1), Grid(22050, 9000, 1024, 256)
    double = Audio(np.repeat(audio.samples, 2, axis=1), 22050)
    assert finish(analyse_steps(double, grid)).side is None
    assert finish(analyse_steps(audio, grid)).side is None


def test_channels_that_cancel_are_heard_all_the_same() -> None:
    audio, grid = noise(9000, 1), Grid(22050, 9000, 1024, 256)
    opposite = Audio(np.concatenate([audio.samples, -audio.samples], axis=1), 22050)
    V = finish(analyse_steps(opposite, grid))
    np.testing.assert_allclose(V.middle, magnitudes(audio.mono(), grid), rtol=1e-3, atol=1e-3)


def test_no_numbers_are_refused() -> None:
    samples = noise(9000, 2).samples.copy()
    samples[50, 1] = np.inf
    with pytest.raises(InputError, match="no numbers"):
        finish(analyse_steps(Audio(samples, 22050), Grid(22050, 9000, 1024, 256)))


@pytest.mark.parametrize("cancelling", [False, True])
def test_some_frames_alone_are_those_of_the_whole(cancelling: bool) -> None:
    audio, grid = noise(20000, 2), Grid(22050, 20000, 1024, 256)
    if cancelling:
        audio = Audio(audio.samples[:, :1] * np.array([1, -0.99], np.float32), 22050)
    V = finish(analyse_steps(audio, grid))
    assert V.joined == cancelling
    some = middle_magnitudes(audio, grid, 20, 37, joined=V.joined)
    np.testing.assert_allclose(some, V.middle[:, 20:37], rtol=1e-5, atol=1e-5)
