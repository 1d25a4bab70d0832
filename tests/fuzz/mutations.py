"""Files damaged in every way that a seed can choose: MIDI files, recordings, lists of notes. The same seed, the same file."""

import io
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import soundfile

Rng = np.random.Generator
SIZES = (0, 1, 2, 5, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def damaged(content: bytes, other: bytes, rng: Rng, *, head: int) -> bytes:
    """`content` with one to four wounds, most of them in its first `head` bytes; `other` is what is spliced in."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not data:
            break
        reach = min(head, len(data)) if rng.random() < 0.8 else len(data)
        WOUNDS[int(rng.integers(len(WOUNDS)))](data, int(rng.integers(reach)), other, rng)
    return bytes(data)


def _flip(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    data[at] ^= 1 << int(rng.integers(8))


def _set(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    data[at] = int(rng.choice((0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256)))))


def _cut(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    del data[max(at, int(rng.integers(len(data)))) :]


def _lose(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    del data[at : at + int(rng.integers(1, 40))]


def _repeat(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    data[at:at] = data[at : at + int(rng.integers(1, 200))] * int(rng.integers(1, 5))


def _splice(data: bytearray, at: int, other: bytes, rng: Rng) -> None:
    start = int(rng.integers(len(other)))
    data[at:at] = other[start : start + int(rng.integers(1, 300))]


def _noise(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    data[at:at] = rng.bytes(int(rng.integers(1, 60)))


def _count(data: bytearray, at: int, _other: bytes, rng: Rng) -> None:
    """A length, a count or a rate that lies, in either order of bytes and on the grid that such fields lie on."""
    width = int(rng.choice((2, 4, 8)))
    at -= at % 2
    value = int(rng.choice(SIZES)) if rng.random() < 0.8 else int(rng.integers(2**32))
    value = value << 32 if width == 8 and rng.random() < 0.5 else value
    data[at : at + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little" if rng.random() < 0.5 else "big")


WOUNDS: tuple[Callable[[bytearray, int, bytes, Rng], None], ...] = (_flip, _set, _cut, _lose, _repeat, _splice, _noise, _count)


def number(value: int) -> bytes:
    """A MIDI number of variable length."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.insert(0, value & 0x7F | 0x80)
    return bytes(groups)


def chunk(tag: bytes, body: bytes, size: int | None = None) -> bytes:
    return tag + struct.pack(">I", len(body) if size is None else size) + body


def _midi_track(rng: Rng) -> bytes:
    """Events of every kind, with and without running status; few with a delta near 2**28."""
    body, status = bytearray(), 0
    for _ in range(int(rng.integers(1, 40))):
        body += number(2**28 - 1 - int(rng.integers(3)) if rng.random() < 0.003 else int(rng.integers(500)))
        kind = int(rng.integers(12))
        if kind < 8:
            event = int(rng.choice((0x90, 0x90, 0x90, 0x80, 0xB0, 0xC0, 0xE0))) | int(rng.integers(3))
            if event != status or rng.random() < 0.5:
                body.append(event)
                status = event
            first = 64 if event & 0xF0 == 0xB0 else int(rng.integers(128))
            body += bytes([first] if event & 0xF0 == 0xC0 else [first, int(rng.integers(128))])
        elif kind == 8:
            tempo = int(rng.choice((0, 1, 500_000, 0xFFFFFF)))
            body += b"\xff\x51\x03" + tempo.to_bytes(3, "big")
        elif kind == 9:
            body += b"\xff\x58\x04" + bytes([int(rng.choice((0, 3, 4, 255))), int(rng.choice((0, 2, 3, 7, 255))), 24, 8])
        elif kind == 10:
            name = rng.bytes(int(rng.integers(30)))
            body += b"\xff\x03" + number(len(name)) + name
        else:
            body += b"\xf0" + number(5) + rng.bytes(4) + b"\xf7"
    return bytes(body) + b"\0\xff\x2f\0"


def _midi_whole(rng: Rng) -> bytes:
    tracks = [_midi_track(rng) for _ in range(int(rng.integers(1, 5)))]
    division = int(rng.choice((1, 96, 480, 32767, 0xE728) if rng.random() < 0.9 else (0xE250, 0xE800, 0x8000, 0xFFFF, 0)))
    kind = int(rng.choice((0, 1) if rng.random() < 0.95 else (2, 3, 65535)))
    count = len(tracks) if rng.random() < 0.95 else int(rng.choice((0, 1, 200, 65535)))
    header = chunk(b"MThd", struct.pack(">HHH", kind, count, division))
    return header + b"".join(chunk(b"MTrk", t, None if rng.random() < 0.95 else int(rng.choice(SIZES))) for t in tracks)


def _midi_flood(rng: Rng) -> bytes:
    """Very many events, tracks or bytes of one number."""
    which, count = int(rng.integers(5)), int(rng.choice((10_000, 300_000, 10_000_000)))
    ends = b"\0\xff\x2f\0"
    few = min(count, 2_000_000)
    body = (
        b"\0\x90\x3c\x50" + b"\1\x3c\x50" * count + ends,
        b"\0\x90\x3c\x50" + b"\1\x3c\x50\1\x3c\0" * few + ends,
        b"\0\x90\x3c\x50" + b"\xff" * few + ends,
        b"\0\x90\x3c\x50" + b"\xff\xff\xff\x7f\x3c\x50" * few + ends,
        b"\0\x90\x3c\x50\1\x3c\0" + ends,
    )[which]
    tracks = min(count, 100_000) if which == 4 else 1
    return chunk(b"MThd", struct.pack(">HHH", 1, min(tracks, 65535), 480)) + chunk(b"MTrk", body) * tracks


def midi(seed: int) -> tuple[str, bytes]:
    """A suffix and the bytes of a damaged MIDI file; one in 200 is a flood of events."""
    rng = np.random.default_rng([1, seed])
    if rng.random() < 0.005:
        return ".mid", _midi_flood(rng)
    whole = _midi_whole(rng)
    return ".mid", whole if rng.random() < 0.2 else damaged(whole, _midi_whole(rng), rng, head=200)


# Containers and subtypes of libsndfile, with the suffix.
SOUNDS = (
    ("WAV", "PCM_16", ".wav"),
    ("WAV", "PCM_U8", ".wav"),
    ("WAV", "PCM_24", ".wav"),
    ("WAV", "FLOAT", ".wav"),
    ("WAV", "DOUBLE", ".wav"),
    ("WAV", "IMA_ADPCM", ".wav"),
    ("WAV", "MS_ADPCM", ".wav"),
    ("WAV", "GSM610", ".wav"),
    ("WAVEX", "PCM_24", ".wav"),
    ("RF64", "PCM_16", ".rf64"),
    ("W64", "PCM_16", ".w64"),
    ("FLAC", "PCM_16", ".flac"),
    ("FLAC", "PCM_24", ".flac"),
    ("AIFF", "PCM_16", ".aiff"),
    ("AIFF", "FLOAT", ".aifc"),
    ("AIFF", "IMA_ADPCM", ".aifc"),
    ("AU", "PCM_16", ".au"),
    ("CAF", "PCM_16", ".caf"),
    ("CAF", "ALAC_16", ".caf"),
    ("OGG", "VORBIS", ".ogg"),
    ("OGG", "OPUS", ".opus"),
    ("MP3", "MPEG_LAYER_III", ".mp3"),
)


@cache
def _sound(which: int, channels: int) -> bytes:
    container, subtype, _ = SOUNDS[which]
    rate = 8000 if subtype == "GSM610" else 48000
    time_s = np.arange(5000)[:, None] / rate
    file = io.BytesIO()
    soundfile.write(file, 0.4 * np.sin(2761 * time_s + np.arange(channels)), rate, format=container, subtype=subtype)
    return file.getvalue()


def audio(seed: int) -> tuple[str, bytes]:
    """A suffix and the bytes of a damaged recording, most of the damage in its header."""
    rng = np.random.default_rng([2, seed])
    which, other = (int(i) for i in rng.integers(len(SOUNDS), size=2))
    channels = 1 if SOUNDS[which][1] == "GSM610" else int(rng.choice((1, 2)))
    content = damaged(_sound(which, channels), _sound(other, 1), rng, head=120)
    return SOUNDS[which][2], content


_LISTS = (
    '"start";"duration";"pitch";"velocity";"label"\n0.5;1.25;60;0.5;"right"\n1.0;0.5;"C#4";0.25;"left"\n2;1;72;1;"a;b"\n',
    "0.5,60,1.25,0.5,Right\n1.0,64,0.5,0.25,Left\n1.5,61.5,0.1,1,\n",
    "TIME\tVALUE\tDURATION\tLEVEL\tLABEL\n0.1\t440\t0.5\t0.3\tA4\n0.2\t261.6\t0.5\t0.3\tC4\n",
    "# onset, offset, frequency\n0.0, 1.0, 220\n0.5, 1.0, 330\n",
)
_WORDS = (
    *("nan", "inf", "-1", "1e308", "1e-320", "-0.0", "1e9", "128", "60.5", "H9", "C-1", "Cb-1", "G#9", "1_0", "٣", "0x10", "1,5"),
    *(
        '"',
        '""',
        ";",
        ",",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "#",
        "\ufeff",
        " ",
        "start",
        "end",
        "frame",
        "hz",
        "=1+1",
        "9" * 400,
        "💥",
    ),
)


def notes(seed: int) -> tuple[str, bytes]:
    """A suffix and the bytes of a damaged list of notes; one in 200 is a flood of lines or columns."""
    rng = np.random.default_rng([3, seed])
    text = _LISTS[int(rng.integers(len(_LISTS)))]
    encoding = str(rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))
    if rng.random() < 0.005:
        count = int(rng.choice((20_000, 300_000, 3_000_000)))
        flood = (
            text + "3,60,1,1,x\n" * count,
            text + ";" * count,
            text + '"' * count,
            "\n" * count,
            text + '3,60,1,1,"' + "x\n" * count,
        )
        return ".csv", flood[int(rng.integers(len(flood)))].encode()
    for _ in range(int(rng.integers(4))):
        at = int(rng.integers(len(text)))
        end = at + int(rng.integers(6))
        text = text[:at] + str(rng.choice(np.array(_WORDS, dtype=object))) + text[end:]
    content = text.encode(encoding)
    return str(rng.choice((".csv", ".tsv"))), content if rng.random() < 0.4 else damaged(
        content, _LISTS[0].encode(), rng, head=200
    )
