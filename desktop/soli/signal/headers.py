"""What the header of a recording promises, to tell a file that breaks off: WAV, RF64, AIFF, FLAC, and MP3 with a VBR header."""

import os
from pathlib import Path
from typing import BinaryIO

from soli.signal.audio import Audio

_SLACK_S = 0.2  # encoders pad, and some headers count the padding
_MOST_CHUNKS, _MOST_TAG = 1000, 2**28
_UNKNOWN = (0, 0xFFFFFFFF)  # what a recorder writes that does not know the length yet

# Version and sample rate of MPEG layer III by their bits; samples a frame.
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_FRAME_LENGTHS = {3: 1152, 2: 576, 0: 576}


def breaking_off(path: Path, recording: Audio) -> str:
    """A sentence where the file `path` holds less than its header promises; "" where it does not, or the header tells nothing."""
    promised_s = promised_duration_s(path)
    if promised_s is None or promised_s <= recording.duration_s + _SLACK_S:
        return ""
    return (
        f"{path.name} breaks off after {_clock(recording.duration_s)} of {_clock(promised_s)}; "
        "what is there is open, copy the file again to have the rest"
    )


def promised_duration_s(path: Path) -> float | None:
    """How long the recording `path` is by its header, in seconds; None where that is not known. Never raises for odd files."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            file.seek(0)
            if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
                return _of_wav(file)
            if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
                return _of_aiff(file)
            if head[:4] == b"fLaC":
                return _of_flac(file)
            if head[:3] == b"ID3" or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0):
                return _of_mp3(file)
    except (OSError, ValueError, IndexError):
        pass
    return None


def _chunks(file: BinaryIO, order: str) -> dict[bytes, tuple[bytes, int]]:
    """The first bytes and the claimed size of each chunk, as far as there are any; the sound comes last."""
    found: dict[bytes, tuple[bytes, int]] = {}
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        size = int.from_bytes(head[4:], "little" if order == "little" else "big")
        found[head[:4]] = (file.read(min(size, 40)), size)
        if head[:4] in (b"data", b"SSND") and (b"COMM" in found or order == "little"):
            break
        at += 8 + size + size % 2
    return found


def _of_wav(file: BinaryIO) -> float | None:
    chunks = _chunks(file, "little")
    if b"fmt " not in chunks or b"data" not in chunks:
        return None
    form, size = chunks[b"fmt "][0], chunks[b"data"][1]
    rate, bytes_a_sample = int.from_bytes(form[4:8], "little"), int.from_bytes(form[12:14], "little")
    plain = int.from_bytes(form[:2], "little") in (1, 3, 0xFFFE)  # others pack many samples into a block
    if size == 0xFFFFFFFF and b"ds64" in chunks:
        size = int.from_bytes(chunks[b"ds64"][0][8:16], "little")
    if not plain or size in _UNKNOWN or not rate or not bytes_a_sample:
        return None
    return size / bytes_a_sample / rate


def _of_aiff(file: BinaryIO) -> float | None:
    form, _ = _chunks(file, "big").get(b"COMM", (b"", 0))
    if len(form) < 18:
        return None
    count, exponent = int.from_bytes(form[2:6], "big"), int.from_bytes(form[8:10], "big") & 0x7FFF
    if not 16383 <= exponent < 16383 + 32:
        return None
    rate = int.from_bytes(form[10:18], "big") / 2 ** (63 - (exponent - 16383))
    return count / rate if rate and count not in _UNKNOWN else None


def _of_flac(file: BinaryIO) -> float | None:
    info = file.read(8 + 18)[8:]
    rate, count = int.from_bytes(info[10:13], "big") >> 4, int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF
    return count / rate if rate and count else None


def _of_mp3(file: BinaryIO) -> float | None:
    """By the Xing, Info or VBRI header in the first frame; a file without one tells nothing."""
    tag = file.read(10)
    at = 0
    if tag[:3] == b"ID3":
        size = sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))
        at = 10 + size + (10 if tag[5] & 0x10 else 0)
    if at > min(_MOST_TAG, os.fstat(file.fileno()).st_size):
        return None
    file.seek(at)
    frame = file.read(256)
    if len(frame) < 64 or frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:  # layer III
        return None
    version, row = frame[1] >> 3 & 3, frame[2] >> 2 & 3
    if version not in _RATES or row == 3:
        return None
    mono = frame[3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    xing, frames = frame[4 + side :], 0
    if xing[:4] in (b"Xing", b"Info") and int.from_bytes(xing[4:8], "big") & 1:
        frames = int.from_bytes(xing[8:12], "big")
    elif frame[36:40] == b"VBRI":
        frames = int.from_bytes(frame[50:54], "big")
    return frames * _FRAME_LENGTHS[version] / _RATES[version][row] if frames else None


def _clock(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
