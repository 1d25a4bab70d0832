"""Recordings: everything the file library writes is read back, and everything else is told in one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.errors import InputError
from soli.signal import audio
from soli.signal.audio import Audio
from soli.signal.library import FORMATS

# (container, subtype, suffix, how far a sample may be off)
WRITTEN = [
    ("WAV", "PCM_U8", ".wav", 2**-6),
    ("WAV", "PCM_16", ".wav", 2**-14),
    ("WAV", "PCM_24", ".wav", 2**-22),
    ("WAV", "PCM_32", ".wav", 2**-22),
    ("WAV", "FLOAT", ".wav", 0.0),
    ("WAV", "DOUBLE", ".wav", 0.0),
    ("WAVEX", "PCM_24", ".wav", 2**-22),
    ("RF64", "FLOAT", ".rf64", 0.0),
    ("W64", "PCM_16", ".w64", 2**-14),
    ("FLAC", "PCM_16", ".flac", 2**-14),
    ("FLAC", "PCM_24", ".flac", 2**-22),
    ("AIFF", "PCM_16", ".aif", 2**-14),
    ("AIFF", "FLOAT", ".aiff", 0.0),
    ("AU", "PCM_16", ".au", 2**-14),
    ("CAF", "PCM_16", ".caf", 2**-14),
    ("OGG", "VORBIS", ".ogg", 0.1),
    ("OGG", "OPUS", ".opus", 0.1),
    ("MP3", "MPEG_LAYER_III", ".mp3", 0.1),
]
ALL_CHANNELS = [(1, 44100), (2, 44100), (6, 48000), (8, 8000), (3, 22050), (2, 192000), (1, 96000), (4, 11025)]


def tone(rate: int, channels: int, length: int = 4000) -> np.ndarray:
    time = np.arange(length)[:, None] / rate
    return (0.5 * np.sin(2 * np.pi * 400 * time + np.arange(channels))).astype(np.float32)


@pytest.mark.parametrize(("container", "subtype", "suffix", "off"), WRITTEN)
def test_every_format_is_read_back(tmp_path, container, subtype, suffix, off):
    path, samples = tmp_path / f"a{suffix}", tone(48000, 2, 48000)
    soundfile.write(path, samples, 48000, format=container, subtype=subtype)
    recording = audio.read(path)
    assert (recording.rate, recording.channels) == (48000, 2)
    assert recording.samples.dtype == np.float32
    if container not in {"MP3", "OGG"}:
        assert recording.length == 48000
    middle = slice(12000, 36000)
    assert np.abs(recording.samples[middle] - samples[middle]).max() <= off
    assert suffix in audio.READABLE


@pytest.mark.parametrize(("channels", "rate"), ALL_CHANNELS)
@pytest.mark.parametrize("form", sorted(FORMATS))
def test_what_is_written_is_read_with_its_rate_channels_and_length(tmp_path, channels, rate, form):
    recording = Audio(tone(rate, channels), rate)
    path = tmp_path / f"a{FORMATS[form][2]}"
    audio.write(path, recording, form)
    back = audio.read(path)
    assert (back.rate, back.channels, back.length) == (rate, channels, recording.length)
    assert back.duration_s == recording.length / rate
    assert np.abs(back.samples - recording.samples).max() <= (0 if form == "wav32f" else 2**-14)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=50), st.sampled_from(["wav24", "wav32f", "flac"]))
def test_samples_of_24_bits_survive_to_the_last_bit(tmp_path_factory, values, form):
    samples = (np.array(values, np.float64) / 2**23).astype(np.float32)[:, None]
    path = tmp_path_factory.getbasetemp() / f"bits{FORMATS[form][2]}"
    audio.write(path, Audio(samples.copy(), 44100), form)
    np.testing.assert_array_equal(audio.read(path).samples, samples)


def test_float_files_keep_what_is_louder_than_full_scale(tmp_path):
    samples = np.array([[3.5], [-2.0]], np.float32)
    audio.write(tmp_path / "a.wav", Audio(samples, 44100))
    np.testing.assert_array_equal(audio.read(tmp_path / "a.wav").samples, samples)


BAD = {
    "empty.wav": b"",
    "text.wav": b"these are words and no sound\n" * 40,
    "header.wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "score.mp3": b"MThd\0\0\0\6\0\1\0\1\1\xe0",
    "zeros.flac": bytes(1000),
    "magic.flac": b"fLaC" + bytes(100),
    "magic.ogg": b"OggS" + bytes(100),
    "magic.aiff": b"FORM\0\0\0\0AIFF",
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_is_no_recording_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name])
    with pytest.raises(InputError, match=name) as told:
        audio.read(tmp_path / name)
    assert "\n" not in str(told.value)
    assert "choose" in str(told.value)


def test_a_recording_without_samples_is_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 2)), 44100)
    with pytest.raises(InputError, match="the recording is empty"):
        audio.read(tmp_path / "a.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_told(tmp_path, value):
    samples = tone(44100, 2)
    samples[-1, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 44100, subtype="FLOAT")
    with pytest.raises(InputError, match="NaN or infinity"):
        audio.read(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["missing.wav", "no/such/folder.wav", "x" * 3000, "a.wav/b.wav", "\x00"])
def test_a_file_that_is_not_there_is_told(tmp_path, name):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(InputError, match="no such file"):
        audio.read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".aiff"])
def test_a_damaged_file_is_read_or_told(tmp_path, suffix):
    whole = tmp_path / f"whole{suffix}"
    soundfile.write(whole, tone(22050, 2, 6000), 22050)
    content, rng = whole.read_bytes(), np.random.default_rng(2)
    path = tmp_path / f"broken{suffix}"
    for trial in range(30):
        broken = bytearray(content)
        if trial % 2:
            del broken[rng.integers(len(broken)) :]
        else:
            for at in rng.integers(0, min(len(broken), 200), 3):
                broken[at] = rng.integers(256)
        path.write_bytes(broken)
        try:
            recording = audio.read(path)
        except InputError as told:
            lines = str(told).splitlines()
        else:
            lines = [""]
            assert np.isfinite(recording.samples).all()
        assert len(lines) == 1


@pytest.mark.skipif(os.name == "nt", reason="file names are bytes on POSIX alone")
def test_file_names_in_any_encoding_are_read_and_written(tmp_path):
    for name in (b"caf\xe9.wav", "Übung 🎻.wav".encode(), b"-x.wav", b"a\nb.wav", b"x" * 251 + b".wav"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        audio.write(path, Audio(tone(8000, 1), 8000))
        assert audio.read(path).length == 4000
        path.unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(monkeypatch, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"former")

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(InputError, match="No space left on device") as told:
        audio.write(path, Audio(tone(8000, 1), 8000))
    assert "\n" not in str(told.value)
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("target", ["missing/a.wav", "file/a.wav", "folder"])
def test_a_place_that_cannot_be_written_is_told(tmp_path, target):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="choose another folder or format"):
        audio.write(tmp_path / target, Audio(tone(8000, 1), 8000))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("samples", [np.zeros(5, np.float32), np.zeros((5, 1)), np.zeros((5, 1, 1), np.float32)])
def test_samples_of_another_shape_or_type_are_no_audio(samples):
    with pytest.raises(ValueError, match="float32"):
        Audio(samples, 44100)


def test_samples_are_read_only_and_mono_is_the_mean():
    recording = Audio(np.array([[1.0, 0.0], [0.5, -0.5]], np.float32), 2)
    assert recording.mono().tolist() == [0.5, 0.0]
    assert recording.mono().dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        recording.samples[0] = 0


def test_a_fingerprint_is_of_the_sound_and_not_of_the_file():
    first = Audio(tone(8000, 2), 8000)
    assert Audio(tone(8000, 2), 8000).fingerprint == first.fingerprint
    wide = Audio(tone(8000, 2).reshape(-1, 1), 8000)
    altered = tone(8000, 2)
    altered[-1, -1] += np.float32(2**-20)
    others = [Audio(tone(8000, 2), 8001), wide, Audio(altered, 8000), Audio(tone(8000, 2)[:-1].copy(), 8000)]
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 5


@pytest.mark.parametrize(("rate", "to_rate"), [(44100, 22050), (8000, 48000), (22050, 22050)])
def test_resampling_keeps_a_tone_and_its_duration(rate, to_rate):
    samples = tone(rate, 2, rate)
    resampled = audio.resample(samples, rate, to_rate)
    assert resampled.dtype == np.float32
    assert abs(len(resampled) - to_rate) <= 1
    middle = slice(to_rate // 4, 3 * to_rate // 4)
    np.testing.assert_allclose(resampled[middle], tone(to_rate, 2, to_rate)[middle], atol=1e-3)
