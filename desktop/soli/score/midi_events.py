"""What a Standard MIDI File holds, as plain events in ticks, read within bounds of count, size and time.

After the "Standard MIDI Files 1.0" of the MIDI Manufacturers Association. What players forgive is forgiven: a running status that
goes on past a meta event, chunks of other kinds, a last chunk that claims more than there is and still has its end.
"""

import struct
from dataclasses import dataclass, field

from soli.errors import InputError

LARGEST_BYTES = 64 * 2**20
MOST_EVENTS = 1_000_000
MOST_TRACKS = 4096
SUSTAIN_PEDAL = 64

_LONGEST_NAME = 200
_FINEST_DENOMINATOR = 7  # as a power of two
_NUMBER_BYTES = 5  # one beyond the standard, for the long silences that other writers put in one number
# Bytes that follow a status: of a channel by its high nibble; the common and realtime ones have no business here, and do no harm.
_CHANNEL_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}


@dataclass(slots=True)
class Track:
    """The events of one track by kind, each led by its absolute tick, in the order of the file.

    strikes: (tick, channel, pitch, velocity), a velocity of 0 is a note-off; pedals: (tick, channel, value of CC64);
    programs: (tick, channel, program); tempos: (tick, microseconds a beat); meters: (tick, numerator, denominator);
    keys: (tick, sharps or less flats).
    """

    name: str = ""
    end_tick: int = 0
    strikes: list[tuple[int, int, int, int]] = field(default_factory=list)
    pedals: list[tuple[int, int, int]] = field(default_factory=list)
    programs: list[tuple[int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Division:
    """How long a tick is: a part of a beat, or of a second where the file counts the frames of a film (SMPTE)."""

    ticks_per_beat: int = 0
    ticks_per_second: float = 0.0


class _TooManyError(Exception):
    """More events than are read."""


def parse(data: bytes, name: str) -> tuple[Division, list[Track]]:
    """The tracks of a Standard MIDI File of type 0 or 1.

    Raises InputError, in one sentence that begins with `name`, when `data` is none or goes beyond the bounds above.
    """
    if data[:4] != b"MThd" or len(data) < 14:
        raise InputError(f"{name}: not a MIDI file; choose another score")
    size, kind, count, division = struct.unpack(">IHHH", data[4:14])
    if kind == 2:
        raise InputError(f"{name}: a MIDI file of type 2 holds independent patterns, not a score; save it as type 1")
    if kind > 2:
        raise InputError(f"{name}: a MIDI file of type {kind} is not known; save the score again as type 1")
    time = _division(division, name)
    tracks: list[Track] = []
    events, at = 0, 8 + max(6, size)
    while at + 8 <= len(data):
        tag, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if tag == b"MTrk":
            if len(tracks) >= MOST_TRACKS:
                raise InputError(f"{name}: more than {MOST_TRACKS:,} tracks; join some of them")
            events += _read_track(data, at + 8, size, f"{name}: track {len(tracks) + 1}", tracks, MOST_EVENTS - events)
        at += 8 + size
    if len(tracks) < count:
        raise InputError(f"{name}: it tells of {count} tracks and holds {len(tracks)}; save or download it again")
    return time, tracks


def _division(division: int, name: str) -> Division:
    if division < 0x8000:
        if division == 0:
            raise InputError(f"{name}: the MIDI header gives no time division; save the score again")
        return Division(ticks_per_beat=division)
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or ticks == 0:
        raise InputError(f"{name}: the MIDI header counts {ticks} ticks in {frames} frames a second; save it with ticks per beat")
    # 29 stands for the 29.97 of colour television.
    return Division(ticks_per_second=ticks * (30_000 / 1001 if frames == 29 else frames))


def _read_track(data: bytes, start: int, size: int, where: str, tracks: list[Track], most: int) -> int:
    """Add a track to `tracks`; returns how many events it has."""
    body = data[start : start + size]
    track = Track()
    try:
        count, ended = _events(body, track, most)
    except IndexError:
        ended, count = False, 0
    except _TooManyError:
        raise InputError(f"{where}: goes beyond {MOST_EVENTS:,} events; cut the score into pieces") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}; save or download the score again") from error
    else:
        ended = ended or len(body) == size
    if not ended:
        raise InputError(f"{where}: ends in the middle; save or download the score again")
    tracks.append(track)
    return count


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for i in range(at, at + _NUMBER_BYTES):
        byte = body[i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, i + 1
    raise ValueError("holds a number that is too long")


def _events(body: bytes, track: Track, most: int) -> tuple[int, bool]:
    """Read `body` into `track`; returns the count of events, and whether an event says that it ends there.

    Raises IndexError when it breaks off, _TooManyError beyond `most` events, ValueError with what is there instead of an event.
    """
    at = tick = status = count = 0
    named = False
    while at < len(body):
        count += 1
        if count > most:
            raise _TooManyError
        delta = body[at]
        at += 1
        if delta >= 0x80:
            delta, at = _number(body, at - 1)
        tick += delta
        byte = body[at]
        if byte < 0xF0:
            if byte >= 0x80:
                status = byte
                at += 1
            elif not status:
                raise ValueError("begins with a byte that is no event")
            kind, channel = status & 0xF0, status & 0x0F
            length = _CHANNEL_BYTES[kind]
            # Damaged bytes above 127 are held to it, as players do.
            first, second = min(127, body[at]), min(127, body[at + length - 1])
            at += length
            if kind == 0x90:
                track.strikes.append((tick, channel, first, second))
            elif kind == 0x80:
                track.strikes.append((tick, channel, first, 0))
            elif kind == 0xB0 and first == SUSTAIN_PEDAL:
                track.pedals.append((tick, channel, second))
            elif kind == 0xC0:
                track.programs.append((tick, channel, first))
        elif byte == 0xFF:
            meta = body[at + 1]
            length, at = _number(body, at + 2)
            if meta == 0x2F:
                track.end_tick = tick
                return count, True
            if at + length > len(body):
                raise IndexError
            if meta == 0x03 and not named:
                named, track.name = True, _text(body[at : at + length])
            else:
                _note_meta(track, tick, meta, body[at : at + min(length, 3)])
            at += length
        elif byte in (0xF0, 0xF7):
            length, at = _number(body, at + 1)
            at += length
        elif byte in _COMMON_BYTES:
            at += 1 + _COMMON_BYTES[byte]
        else:
            raise ValueError(f"holds a byte that is no event ({byte:#x})")
        if at > len(body):
            raise IndexError
    track.end_tick = tick
    return count, False


def _note_meta(track: Track, tick: int, meta: int, content: bytes) -> None:
    if meta == 0x51 and len(content) == 3:
        track.tempos.append((tick, int.from_bytes(content, "big")))
    elif meta == 0x58 and len(content) >= 2 and content[0] and content[1] <= _FINEST_DENOMINATOR:
        track.meters.append((tick, content[0], 2 ** content[1]))
    elif meta == 0x59 and len(content) >= 1:
        fifths = int.from_bytes(content[:1], signed=True)
        if -7 <= fifths <= 7:
            track.keys.append((tick, fifths))


def _text(raw: bytes) -> str:
    text = raw[:_LONGEST_NAME].decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()
