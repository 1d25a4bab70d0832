"""A recording that breaks off is told by what its header promises; a whole one, and one that promises nothing, never."""

import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from soli.progress import finish
from soli.project import pipeline
from soli.signal import audio
from soli.signal.headers import breaking_off, promised_duration_s

RATE, SECONDS = 44100, 6
FORMS = {
    "wav": ("WAV", "PCM_16", ".wav"),
    "float": ("WAV", "FLOAT", ".wav"),
    "rf64": ("RF64", "PCM_24", ".rf64"),
    "aiff": ("AIFF", "PCM_24", ".aiff"),
    "flac": ("FLAC", "PCM_16", ".flac"),
    "mp3": ("MP3", "MPEG_LAYER_III", ".mp3"),
}
SILENT = {"adpcm": ("WAV", "IMA_ADPCM", ".wav"), "ogg": ("OGG", "VORBIS", ".ogg"), "au": ("AU", "PCM_16", ".au")}


def recorded(folder, form, *, channels=2, rate=RATE):
    container, subtype, suffix = (FORMS | SILENT)[form]
    if container not in soundfile.available_formats():
        pytest.skip(f"libsndfile here writes no {container}")
    times = np.arange(SECONDS * rate) / rate
    sound = np.repeat(0.2 * np.sin(2 * np.pi * 440 * times)[:, None], channels, axis=1)
    sound += 0.01 * np.random.default_rng(0).standard_normal(sound.shape)
    path = folder / f"song{suffix}"
    with soundfile.SoundFile(path, "w", rate, channels, format=container, subtype=subtype) as file:
        for first in range(0, len(sound), 2**14):
            file.write(sound[first : first + 2**14])
    return path


@pytest.mark.parametrize("form", [*FORMS, *SILENT])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_whole_recording_is_not_said_to_break_off(tmp_path, form, channels):
    path = recorded(tmp_path, form, channels=channels)
    assert breaking_off(path, audio.read(path)) == ""
    if form in FORMS:
        assert promised_duration_s(path) == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_one_that_breaks_off_says_where(tmp_path, form, rate):
    path = recorded(tmp_path, form, rate=rate)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    loaded = finish(pipeline.open_recording_steps(path))
    assert loaded.state.audio.duration_s == pytest.approx(SECONDS / 2, abs=0.6)
    assert loaded.warning.startswith(f"{path.name} breaks off after 0:03 of 0:06")
    assert "\n" not in loaded.warning


def test_a_tag_before_an_mp3_is_no_part_of_it(tmp_path):
    path = recorded(tmp_path, "mp3")
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 8, 0]) + bytes(1024)
    path.write_bytes(tag + path.read_bytes())
    assert promised_duration_s(path) == pytest.approx(SECONDS, abs=0.15)


def test_a_length_that_was_never_filled_in_promises_nothing(tmp_path):
    path = recorded(tmp_path, "wav")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    for claimed in (0, 0xFFFFFFFF):
        data[at + 4 : at + 8] = struct.pack("<I", claimed)
        path.write_bytes(data)
        assert promised_duration_s(path) is None


@given(
    st.sampled_from([b"RIFF....WAVE", b"RF64....WAVE", b"FORM....AIFF", b"fLaC", b"ID3", b"\xff\xfb\x90"]),
    st.binary(max_size=300),
)
def test_no_header_is_too_odd(tmp_path_factory, head, rest):
    path = tmp_path_factory.getbasetemp() / "odd.bin"
    path.write_bytes(head + rest)
    promised_s = promised_duration_s(path)
    assert promised_s is None or promised_s >= 0


def test_reading_tells_how_far_it_is_and_can_be_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "_BLOCK_LENGTH", RATE)
    path = recorded(tmp_path, "flac")
    steps = audio.read_steps(path)
    told = [next(steps).fraction for _ in range(3)]
    assert told == pytest.approx([0, 1 / SECONDS, 2 / SECONDS])
    steps.close()
    assert list(steps) == []
    path.unlink()  # nothing holds it any more, which matters where open files cannot be removed


@pytest.mark.parametrize("form", [*FORMS, *SILENT])
def test_blocks_give_what_one_read_gives(tmp_path, monkeypatch, form):
    monkeypatch.setattr(audio, "_BLOCK_LENGTH", 5000)
    path = recorded(tmp_path, form)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(audio.read(path).samples, whole)
