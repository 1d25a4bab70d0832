"""Pictures of spectrograms while they are made: all of it coarsely first, then where one looks; bounded in bytes."""

import numpy as np
import pytest

from soli.progress import finish
from soli.signal import linear_spectrogram, log_spectrogram
from soli.signal.audio import Audio
from soli.signal.linear_spectrogram import HIGHEST_HZ, LinearSpectrogramMaker
from soli.signal.log_spectrogram import LogSpectrogramMaker
from soli.signal.picture import COARSE, COARSE_FROM

MAKERS = [LogSpectrogramMaker, LinearSpectrogramMaker]
RATE = 8000


def noise(seconds: float, rate: int = RATE) -> Audio:
    rng = np.random.default_rng(0)
    return Audio((0.1 * rng.standard_normal((round(seconds * rate), 1))).astype(np.float32), rate)


def hours(count: float, rate: int = 44100) -> Audio:
    """Silence that takes no room: a strip of memory read at a stride of zero."""
    samples = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (round(count * 3600 * rate), 2), (0, 0))
    recording = Audio.__new__(Audio)
    object.__setattr__(recording, "samples", samples)
    object.__setattr__(recording, "rate", rate)
    return recording


def test_a_long_picture_can_be_seen_whole_before_a_part_is_fine():
    maker = LogSpectrogramMaker(noise(120))
    steps = maker.steps()
    frames = maker.picture.values.shape[1]
    assert frames > COARSE_FROM
    while maker.picture.ready < frames:
        assert next(steps).step == 0
    coarse = maker.picture.values.copy()
    assert (coarse.max(axis=0) > 0).all()
    # Frames that one of the first look stands for are alike, and end half-way to the next.
    edge = COARSE * 10 + COARSE // 2
    assert (coarse[:, edge - COARSE : edge] == coarse[:, [edge - 1]]).all()
    assert (coarse[:, edge] != coarse[:, edge - 1]).any()
    np.testing.assert_array_equal(coarse[:, COARSE * 10], finish(LogSpectrogramMaker(noise(120)).steps()).values[:, COARSE * 10])


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("frames", [COARSE_FROM, COARSE_FROM + 1, COARSE_FROM + COARSE // 2, COARSE_FROM + COARSE - 1, 4500])
def test_every_frame_is_filled_whatever_the_length(maker, frames):
    made = maker(noise((frames - 1) / 100))
    assert made.picture.values.shape[1] == frames
    done = finish(made.steps())
    filled = np.zeros(frames, int)
    for start, stop in done.filled:
        filled[start:stop] += 1
    assert (filled == 2).all()  # once coarsely, once finely
    assert done.ready == frames


def test_what_is_looked_at_is_made_first():
    maker = LogSpectrogramMaker(noise(120))
    maker.look_at(80.0, 90.0)
    steps = maker.steps()
    while next(steps).step == 0:
        pass
    start, stop = maker.picture.filled[-1]
    assert start * maker.picture.hop_s <= 85.0 <= stop * maker.picture.hop_s
    maker.look_at(20.0, 22.0)
    next(steps)
    start, stop = maker.picture.filled[-1]
    assert start * maker.picture.hop_s <= 21.0 <= stop * maker.picture.hop_s


def test_the_order_makes_no_difference_in_the_end():
    one, other = LogSpectrogramMaker(noise(60)), LogSpectrogramMaker(noise(60))
    other.look_at(30, 40)
    np.testing.assert_array_equal(finish(one.steps()).values, finish(other.steps()).values)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0, 3520.0])
def test_a_sine_lies_at_its_frequency(hertz):
    time = np.arange(44100) / 44100
    recording = Audio((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None], 44100)
    picture = finish(LinearSpectrogramMaker(recording).steps())
    column = picture.values[:, 50]
    row = np.flatnonzero(column == column.max()).mean() + 0.5
    assert picture.lowest + row / picture.rows_per_unit == pytest.approx(hertz, abs=1.5 / picture.rows_per_unit)


def test_harmonics_lie_at_equal_distances():
    time = np.arange(44100) / 44100
    tone = sum(np.sin(2 * np.pi * 300 * n * time) / n for n in range(1, 9)) / 8
    picture = finish(LinearSpectrogramMaker(Audio(tone.astype(np.float32)[:, None], 44100)).steps())
    column = picture.values[:, 50].astype(int)
    peaks = np.flatnonzero((column[1:-1] > column[:-2]) & (column[1:-1] >= column[2:]) & (column[1:-1] > 140)) + 1
    np.testing.assert_allclose(np.diff(peaks[:8]) / picture.rows_per_unit, 300, atol=2 / picture.rows_per_unit)


def test_above_half_the_rate_the_linear_picture_is_black():
    values = finish(LinearSpectrogramMaker(noise(1)).steps()).values
    top = int(RATE / 2 / HIGHEST_HZ * linear_spectrogram.ROWS) + 1
    assert not values[top:].any()
    assert values[: top - 4].mean() > 50


@pytest.mark.parametrize("count", [0.5, 3, 12])
def test_hours_of_music_take_no_more_memory(count):
    for maker, module in ((LogSpectrogramMaker, log_spectrogram), (LinearSpectrogramMaker, linear_spectrogram)):
        picture = maker(hours(count)).picture
        assert picture.values.nbytes <= module.ROWS * (module.MOST_FRAMES + 1)
        assert picture.values.shape[1] * picture.hop_s == pytest.approx(count * 3600, rel=1e-2)
