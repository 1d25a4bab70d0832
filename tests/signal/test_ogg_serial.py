"""The serial number of an Ogg stream follows from the sound: checksums stay right, and the same sound is the same file."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from soli.signal.encoding import encoded, writable
from soli.signal.ogg_serial import set_serial

RATE = 44100
CHECKSUM = slice(22, 26)


def checksum(page: bytes) -> int:
    """CRC-32 as RFC 3533 has it, bit by bit."""
    register = 0
    for byte in page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ 0x04C11DB7 if register & 0x80000000 else register << 1) & 0xFFFFFFFF
    return register


def page(serial: int, number: int, packets: list[bytes]) -> bytes:
    lengths = bytes(len(packet) for packet in packets)
    head = b"OggS\0\0" + bytes(8) + serial.to_bytes(4, "little") + number.to_bytes(4, "little") + bytes(4)
    whole = head + bytes([len(packets)]) + lengths + b"".join(packets)
    return whole[:22] + checksum(whole).to_bytes(4, "little") + whole[26:]


@given(
    before=st.integers(0, 2**32 - 1),
    after=st.integers(0, 2**32 - 1),
    pages=st.lists(st.lists(st.binary(max_size=255), max_size=12), min_size=1, max_size=5),
)
def test_pages_are_as_if_written_with_the_number(tmp_path_factory, before, after, pages):
    path = tmp_path_factory.getbasetemp() / "stream.ogg"
    path.write_bytes(b"".join(page(before, i, packets) for i, packets in enumerate(pages)))
    set_serial(path, after)
    assert path.read_bytes() == b"".join(page(after, i, packets) for i, packets in enumerate(pages))


@pytest.mark.parametrize("content", [b"RIFF....WAVE" * 9, b"OggS"])
def test_what_is_no_stream_is_refused(tmp_path, content):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(ValueError, match="Ogg"):
        set_serial(tmp_path / "other", 1)


@pytest.mark.parametrize("form", writable())
def test_the_same_sound_is_the_same_file_in_every_form(tmp_path, form):
    sound = 0.3 * np.random.default_rng(0).standard_normal((3 * RATE, 2)).astype(np.float32)
    for name in ("one", "two"):
        for _ in encoded(tmp_path / name, sound, RATE, form, rng=np.random.default_rng(5)):
            pass
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_sound_has_another_number_and_all_of_it_is_heard(tmp_path):
    rng = np.random.default_rng(0)
    serials = set()
    for _ in range(3):
        sound = 0.1 * rng.standard_normal((2 * RATE, 1)).astype(np.float32)
        for _ in encoded(tmp_path / "sound.ogg", sound, RATE, "ogg"):
            pass
        serials.add((tmp_path / "sound.ogg").read_bytes()[14:18])
        heard, _ = soundfile.read(tmp_path / "sound.ogg", dtype="float32", always_2d=True)
        # A page whose checksum is wrong would be left out.
        assert heard.shape == sound.shape
        assert np.abs(heard - sound).max() < 0.5
    assert len(serials) == 3
