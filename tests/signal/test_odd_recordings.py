"""Recordings at the edge of what can be: too long, too loud, too quiet, of odd rates and many channels."""

import struct

import numpy as np
import pytest
import soundfile

from soli.errors import InputError
from soli.memory import memory_bytes
from soli.signal import audio
from soli.signal.audio import Audio


def told(path) -> str:
    with pytest.raises(InputError) as error:
        audio.read(path)
    sentence = str(error.value)
    assert sentence.startswith("a.")
    assert "\n" not in sentence
    assert "; " in sentence
    return sentence


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192_000, 384_000])
def test_rates_of_every_machine_are_taken(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", np.ones((10, 1)) / 2, rate)
    assert audio.read(tmp_path / "a.wav").rate == rate


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rates_of_none_are_told(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", np.ones((10, 1)) / 2, rate)
    assert f"{rate} Hz cannot be used" in told(tmp_path / "a.wav")


def test_more_channels_than_can_be_heard_are_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.ones((10, 64)) / 2, 44100)
    assert audio.read(tmp_path / "a.wav").channels == 64
    soundfile.write(tmp_path / "a.wav", np.ones((10, 65)) / 2, 44100)
    assert "65 channels are more than 64" in told(tmp_path / "a.wav")


@pytest.mark.parametrize("peak", [1001.0, -1001.0, 1e6, -1e38])
def test_a_level_that_leaves_no_digits_is_told(tmp_path, peak):
    audio.write(tmp_path / "a.wav", Audio(np.array([[0.5], [peak]], np.float32), 44100))
    assert f"{20 * np.log10(abs(peak)):.0f} dB beyond full scale" in told(tmp_path / "a.wav")


def test_a_level_far_beyond_full_scale_is_kept(tmp_path):
    samples = np.array([[1000.0], [-1000.0], [0.25]], np.float32)
    audio.write(tmp_path / "a.wav", Audio(samples, 44100))
    np.testing.assert_array_equal(audio.read(tmp_path / "a.wav").samples, samples)


def test_numbers_of_few_digits_are_silence_where_there_is_nothing_else(tmp_path):
    quiet = np.full((10, 1), 1e-40, np.float32)
    audio.write(tmp_path / "a.wav", Audio(quiet.copy(), 44100))
    assert not audio.read(tmp_path / "a.wav").samples.any()
    quiet[3] = 1e-20
    audio.write(tmp_path / "a.wav", Audio(quiet.copy(), 44100))
    np.testing.assert_array_equal(audio.read(tmp_path / "a.wav").samples, quiet)


def test_what_takes_more_memory_than_there_is_is_told_before_it_is_read(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros((360_000, 2)), 1000)
    size = 4 * 360_000 * 2
    monkeypatch.setattr(audio, "memory_bytes", lambda: 4 * size)
    assert audio.read(tmp_path / "a.wav").length == 360_000
    monkeypatch.setattr(audio, "memory_bytes", lambda: 4 * size - 4)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_args, **_options: pytest.fail("was read"))
    assert "0.1 hours of sound" in told(tmp_path / "a.wav")


def test_this_computer_has_some_memory():
    assert 2**28 < memory_bytes() < 2**50


def test_a_header_that_claims_four_gigabytes_gives_what_is_there(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.ones((100, 1)) / 2, 44100, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = b"\xff\xff\xff\xf0"[::-1]
    path.write_bytes(content)
    assert audio.read(path).length == 100


def test_a_header_that_claims_days_is_told(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.ones((9000, 1)) / 2, 44100)
    content = bytearray(path.read_bytes())
    # STREAMINFO: the last 36 of the 64 bits that begin with the rate are the count of samples.
    content[18:26] = struct.pack(">Q", int.from_bytes(content[18:26], "big") | 2**36 - 1)
    path.write_bytes(content)
    assert "432.9 hours of sound" in told(path)


def test_what_breaks_off_is_read_as_far_as_it_goes_and_keeps_no_room_for_more(tmp_path):
    path = tmp_path / "a.mp3"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (88200, 1)), 44100)
    whole = audio.read(path).samples
    path.write_bytes(path.read_bytes()[:8000])
    samples = audio.read(path).samples
    assert 10_000 < len(samples) < 80_000
    np.testing.assert_allclose(samples[:10_000], whole[:10_000], atol=1e-5)
    assert samples.base is None or samples.base.nbytes == samples.nbytes


@pytest.mark.parametrize("suffix", [".au", ".snd", ".vox", ".gsm"])
def test_a_file_without_a_header_is_no_recording_whatever_it_is_called(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_text("words and no sound " * 1000)
    assert "not a recording" in told(tmp_path / f"a{suffix}")


def test_a_coding_that_cannot_be_sought_in_is_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((1600, 1)), 8000, subtype="GSM610")
    assert audio.read(tmp_path / "a.wav").length >= 1600
