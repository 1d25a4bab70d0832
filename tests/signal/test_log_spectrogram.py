"""The spectrogram as a picture: what sounds is where its key is, and it can be looked at while it grows."""

import numpy as np
import pytest

from soli.progress import finish
from soli.score.notes import frequency_hz
from soli.signal.audio import Audio
from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH, MOST_FRAMES, ROWS, ROWS_PER_SEMITONE, LogSpectrogramMaker


def sine(hertz: float, rate: int = 44100, seconds: float = 1.0, level: float = 0.5) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio((level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None], rate)


def picture(recording: Audio) -> np.ndarray:
    return finish(LogSpectrogramMaker(recording).steps()).values


def pitch_of(column: np.ndarray) -> float:
    """Where the brightest rows lie, as a pitch."""
    brightest = np.flatnonzero(column == column.max())
    return LOWEST_PITCH - 0.5 + (brightest.mean() + 0.5) / ROWS_PER_SEMITONE


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
@pytest.mark.parametrize("octave", range(1, 8))
def test_an_a_lies_in_the_rows_of_its_key(octave, rate):
    pitch = 21 + 12 * octave
    values = picture(sine(frequency_hz(pitch), rate))
    column = values[:, values.shape[1] // 2]
    # Within the key: half a semitone either way, and by the middle of the piano half of that.
    assert abs(pitch_of(column) - pitch) <= (0.5 if octave < 3 else 0.25)
    assert column.max() > 200
    # An octave up and down is dark: no image, no leak.
    for other in (pitch - 12, pitch + 12):
        rows = slice((other - LOWEST_PITCH) * ROWS_PER_SEMITONE, (other - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE)
        assert column[max(0, rows.start) : rows.stop].max(initial=0) < 0.5 * column.max()


def test_a_quarter_tone_is_seen():
    values = picture(sine(frequency_hz(69.5)))
    assert pitch_of(values[:, 50]) == pytest.approx(69.5, abs=0.2)


def test_a_semitone_between_two_notes_is_seen_as_two_lines():
    low, high = sine(frequency_hz(60)), sine(frequency_hz(61))
    column = picture(Audio(low.samples + high.samples, 44100))[:, 50].astype(int)
    centre = [(pitch - LOWEST_PITCH) * ROWS_PER_SEMITONE + 2 for pitch in (60, 61)]
    between = column[centre[0] : centre[1]].min()
    assert min(column[centre[0] - 1], column[centre[1]]) > between


@pytest.mark.parametrize("length", [1, 10, 44100])
def test_silence_is_black(length):
    assert not picture(Audio(np.zeros((length, 1), np.float32), 44100)).any()


def test_what_lies_above_half_the_rate_is_black():
    values = picture(Audio(np.random.default_rng(0).standard_normal((8000, 1)).astype(np.float32), 8000))
    top = int((69 + 12 * np.log2(4000 / 440) - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE)
    assert not values[top:].any()
    assert values[: top - 8].mean() > 50


def test_a_quiet_recording_is_as_bright_as_a_loud_one():
    np.testing.assert_allclose(picture(sine(440, level=0.5)).astype(int), picture(sine(440, level=0.01)), atol=1)


def test_a_short_sound_in_a_long_silence_sets_the_brightness():
    samples = np.zeros((44100 * 20, 1), np.float32)
    samples[44100 * 7 : 44100 * 7 + 4410] = sine(440, seconds=0.1).samples
    values = picture(Audio(samples, 44100))
    assert values.max() >= 250
    # Not burnt out: only the tone itself is at the brightest.
    assert (values == 255).mean() < 0.001


@pytest.mark.parametrize("length", [1, 2, 63, 441, 3000])
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_recordings_shorter_than_a_window_are_drawn(length, rate):
    samples = np.random.default_rng(1).uniform(-1, 1, (length, 2)).astype(np.float32)
    maker = LogSpectrogramMaker(Audio(samples, rate))
    drawn = finish(maker.steps())
    assert drawn.values.shape == (ROWS, drawn.ready)
    assert drawn.values.dtype == np.uint8
    assert drawn.values.any()


def test_a_short_picture_fills_from_the_left_and_stays_as_it_is():
    maker = LogSpectrogramMaker(sine(440, seconds=6))
    steps, before, columns = maker.steps(), 0, np.zeros((ROWS, 0), np.uint8)
    assert maker.picture.ready == 0
    for progress in steps:
        ready = maker.picture.ready
        assert ready > before
        assert (progress.step, progress.total) == (ready, maker.picture.values.shape[1])
        np.testing.assert_array_equal(maker.picture.values[:, :before], columns)
        assert not maker.picture.values[:, ready:].any()
        before, columns = ready, maker.picture.values[:, :ready].copy()
    assert before == maker.picture.values.shape[1]


def test_a_column_lies_at_its_time():
    samples = np.zeros((44100, 1), np.float32)
    samples[22050] = 1
    drawn = finish(LogSpectrogramMaker(Audio(samples, 44100)).steps())
    heard = np.flatnonzero(drawn.values[-60:].any(axis=0)) * drawn.hop_s
    assert heard.mean() == pytest.approx(0.5, abs=drawn.hop_s)
    assert drawn.values.shape[1] * drawn.hop_s == pytest.approx(1.0, abs=2 * drawn.hop_s)


def test_hours_of_music_have_a_bounded_number_of_frames():
    # A strip of memory read at a stride of zero: three hours that take no room.
    hours = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (3 * 3600 * 44100, 1), (0, 0))
    recording = Audio.__new__(Audio)
    object.__setattr__(recording, "samples", hours)
    object.__setattr__(recording, "rate", 44100)
    drawn = LogSpectrogramMaker(recording).picture
    assert drawn.values.shape[1] <= MOST_FRAMES + 1
    assert drawn.values.shape[1] * drawn.hop_s == pytest.approx(3 * 3600, rel=1e-3)


def test_the_rows_are_those_of_the_roll():
    assert ROWS == (HIGHEST_PITCH - LOWEST_PITCH + 1) * ROWS_PER_SEMITONE
