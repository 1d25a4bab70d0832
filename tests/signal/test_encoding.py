"""Sound in files: what dither does to it, what is written as it is, and that the same sound is the same file."""

import time

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.signal import encoding
from soli.signal.encoding import FORMS, encoded, objection, quantised
from soli.signal.library import FORMATS

LOSSY = ("ogg", "mp3")


def sine(length=44100, channels=2, level=0.3):
    turns = np.arange(length)[:, None] * (0.01 + 0.003 * np.arange(channels))
    return (level * np.sin(2 * np.pi * turns)).astype(np.float32)


def written(path, samples, form, **options):
    for _ in encoded(path, samples, 44100, form, **options):
        pass
    return path


@pytest.mark.parametrize("depth", [16, 24])
def test_dither_has_no_mean_and_a_variance_that_the_signal_does_not_move(depth):
    step = 2.0 ** (1 - depth)
    for level in (0.0, 0.25, 0.5, 0.9):  # where between two steps the signal lies
        samples = np.full((200_000, 1), 0.0, np.float64) + (level - 2**10) * step
        samples = samples.astype(np.float32)
        error = (quantised(samples, depth, rng=np.random.default_rng(1)) >> (32 - depth)) - samples.astype(np.float64) / step
        assert abs(error.mean()) < 0.01
        assert error.var() == pytest.approx(1 / 4, rel=0.02)
        assert np.abs(error).max() <= 1.5


def test_without_dither_each_sample_is_the_nearest_step():
    samples = sine(1000)
    found = quantised(samples, 16) / 2.0**31
    assert np.abs(found - samples).max() <= 0.5 * 2.0**-15
    assert np.abs(quantised(samples, 16, rng=np.random.default_rng(0)) / 2.0**31 - samples).max() <= 1.5 * 2.0**-15


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 2**32))
def test_dither_does_not_depend_on_how_a_signal_is_cut(lengths, seed):
    samples = sine(sum(lengths))
    whole = quantised(samples, 16, rng=np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    pieces = [quantised(piece, 16, rng=rng) for piece in np.split(samples, np.cumsum(lengths)[:-1])]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=30))
def test_what_lies_on_the_grid_is_written_as_it_is_even_with_dither(tmp_path_factory, steps):
    samples = (np.array(steps, np.float64) / 2**23).astype(np.float32)[:, None]
    path = tmp_path_factory.getbasetemp() / "grid.wav"
    written(path, samples, "wav24", rng=np.random.default_rng(0))
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32", always_2d=True)[0], samples)


def test_what_is_too_loud_is_clipped_and_does_not_wrap():
    loud = np.array([[1.5], [-1.5], [1.0], [-1.0], [3e8]], np.float32)
    for depth in (16, 24):
        found = quantised(loud, depth, rng=np.random.default_rng(0)) / 2.0**31
        np.testing.assert_allclose(found, np.clip(loud, -1, 1), atol=4 * 2.0 ** (1 - depth))


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"ogg"}))
def test_the_same_sound_is_the_same_file_whenever_it_is_written(monkeypatch, tmp_path, form):
    if form not in encoding.writable():
        pytest.skip(f"the libsndfile here does not write {form}")
    first = written(tmp_path / "a", sine(), form, rng=np.random.default_rng(3)).read_bytes()
    time.sleep(1.05)  # libsndfile writes the second
    assert written(tmp_path / "b", sine(), form, rng=np.random.default_rng(3)).read_bytes() == first


@pytest.mark.parametrize("form", ["wav32f", "wav24"])
def test_a_zero_of_either_sign_is_the_same_zero(tmp_path, form):
    zeros = np.array([[0.0], [-0.0]], np.float32)
    assert written(tmp_path / "a", zeros, form).read_bytes() == written(tmp_path / "b", zeros[::-1], form).read_bytes()


@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_forms_are_as_long_and_sound_alike(tmp_path, form, channels):
    if form not in encoding.writable():
        pytest.skip(f"the libsndfile here does not write {form}")
    samples = sine(200_000, channels)
    found, rate = soundfile.read(written(tmp_path / "a", samples, form), always_2d=True)
    assert rate == 44100
    assert found.shape == samples.shape
    assert np.square(found - samples).sum() < 0.02 * np.square(samples).sum()


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (96000, 2), (192000, 6), (22050, 9), (400_000, 1)])
def test_what_is_not_objected_to_can_be_written(tmp_path, form, rate, channels):
    if form not in encoding.writable():
        pytest.skip(f"the libsndfile here does not write {form}")
    said = objection(form, rate, channels)
    try:
        for _ in encoded(tmp_path / "a", sine(5000, channels), rate, form):
            pass
    except InputError:
        assert said
    else:
        assert not said
        assert soundfile.info(tmp_path / "a").samplerate == rate


@pytest.mark.parametrize("form", ["wav16", "wav24", "wav32f"])
def test_a_wav_file_beyond_its_sizes_is_one_with_larger_sizes(tmp_path, form, monkeypatch):
    samples = sine(5000, 2)
    for name, largest in (("small", 10**6), ("large", 100), ("again", 100)):
        monkeypatch.setattr(encoding, "LARGEST_WAV", largest)
        assert list(encoded(tmp_path / f"{name}.wav", samples, 44100, form))[-1] == len(samples)
    assert soundfile.info(tmp_path / "small.wav").format == "WAV"
    assert soundfile.info(tmp_path / "large.wav").format == "RF64"
    small, large = (soundfile.read(tmp_path / f"{name}.wav", dtype="float32")[0] for name in ("small", "large"))
    np.testing.assert_array_equal(large, small)
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "large.wav").read_bytes()


def test_an_unknown_form_is_told_with_those_that_are_known():
    assert "choose one of wav32f, wav24" in objection("aac", 44100, 2)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_estimates_of_size_are_near(tmp_path, form):
    noise = (0.05 * np.random.default_rng(0).standard_normal((100_000, 2))).astype(np.float32)
    size = written(tmp_path / "a", noise, form).stat().st_size
    assert encoding.file_bytes(form, 100_000, 2) == pytest.approx(size, rel=0.4 if form == "flac" else 0.02)
