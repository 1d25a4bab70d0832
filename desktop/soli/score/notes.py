"""Notes in time: Note, Score and the map from score time to recording time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError

Times: TypeAlias = NDArray[np.float64]

PITCH_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
DRUM_CHANNEL = 9
# What a score may hold: far beyond music, and still worked through without a wait.
MOST_NOTES = 200_000
LONGEST_S = 12 * 3600.0
_LETTERS = "FCGDAEB"  # in fifths; C is at 0 on their line
_C_FLAT, _B_SHARP = -7, 12
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SHIFTS = {"": 0, "#": 1, "♯": 1, "##": 2, "x": 2, "b": -1, "♭": -1, "bb": -2, "♭♭": -2}
_PITCH = re.compile(r"([a-g])(##|bb|♭♭|[#♯x]|[b♭]|)(-?\d{1,2})", re.IGNORECASE)


def pitch_name(pitch: int, fifths: int | None = None) -> str:
    """Scientific name of a MIDI pitch: 60 is C4.

    `fifths` is the key signature, the number of its sharps or less that of its flats: 58 is B♭3 with -2, A♯3 with 7. The twelve
    pitches get the names nearest to those of the key on the line of fifths, from the minor third of its major tonic up to the
    augmented fifth (Temperley, The Cognition of Basic Musical Structures, 2001, ch. 5); none has a double accidental, and F flat
    is left to the key of C flat. Without a signature each black key has its most common name.
    """
    if fifths is None:
        return f"{PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"
    lowest = min(max(fifths - 3, _C_FLAT if fifths > -7 else _C_FLAT - 1), _B_SHARP - 11)
    place = lowest + (7 * pitch - lowest) % 12
    shift = (place + 1) // 7
    # B sharp and C flat lie in the octaves of their letters.
    return f"{_LETTERS[(place + 1) % 7]}{'♯' if shift > 0 else '♭' if shift < 0 else ''}{(pitch - shift) // 12 - 1}"


def parse_pitch(text: str) -> int:
    """MIDI pitch of a name in any spelling ("C#4", "Db4", "c♯4") or of a number from 0 to 127. Raises InputError."""
    text = text.strip()
    found = _PITCH.fullmatch(text)
    if found:
        step, shift, octave = found.groups()
        pitch = _STEPS[step.lower()] + _SHIFTS[shift.lower()] + 12 * (int(octave) + 1)
    elif text.isascii() and text.isdigit() and len(text) <= 3:
        pitch = int(text)
    else:
        raise InputError(f"“{text}” is no pitch; write it as C#4, Db4 or as a MIDI number")
    if not 0 <= pitch <= 127:
        raise InputError(f"{text} is outside of MIDI's pitches, C-1 (0) to G9 (127)")
    return pitch


def frequency_hz(pitch: float) -> float:
    """Fundamental of a MIDI pitch in equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


@dataclass(frozen=True, slots=True)
class Note:
    """One note. Times are in seconds of whatever it is placed in: the score's own, or the recording's once aligned.

    `pedal_s` is when it stops sounding if the sustain pedal holds it past its offset (never before `offset_s`).
    `layer` is the id of the layer it is heard in. `before_s` and `after_s` are how far it may sound outside its onset and
    offset, in seconds; None means as the settings and its instrument have it.
    """

    id: int
    onset_s: float
    offset_s: float
    pitch: int
    velocity: int = 80
    track: int = 0
    channel: int = 0
    program: int = 0
    pedal_s: float = 0.0
    layer: int = 0
    before_s: float | None = None
    after_s: float | None = None

    @property
    def sounding_offset_s(self) -> float:
        # A pedal of 0 is none, also for notes placed before the recording begins.
        return max(self.offset_s, self.pedal_s) if self.pedal_s > 0 else self.offset_s

    @property
    def is_drum(self) -> bool:
        return self.channel == DRUM_CHANNEL


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat of the score: when it falls, in which bar (from 1) and which beat of the bar (from 1)."""

    time_s: float
    bar: int
    beat: int


@dataclass(frozen=True, slots=True)
class KeySignature:
    """A key signature and from when on it holds: `fifths` is how many sharps it has (0 to 7), or less how many flats."""

    time_s: float
    fifths: int


@dataclass(frozen=True, slots=True)
class Pedal:
    """One press of the sustain pedal (CC64) of a channel, from down to up."""

    channel: int
    down_s: float
    up_s: float


@dataclass(frozen=True)
class Score:
    """A score as it was read: notes by onset, names of its tracks, its beats, pedal presses and key signatures. Immutable."""

    notes: tuple[Note, ...]
    track_names: tuple[str, ...] = ()
    beats: tuple[Beat, ...] = ()
    pedals: tuple[Pedal, ...] = ()
    title: str = ""
    keys: tuple[KeySignature, ...] = ()  # in order of time

    @property
    def duration_s(self) -> float:
        return max((n.sounding_offset_s for n in self.notes), default=0.0)


@dataclass(frozen=True, eq=False)
class TimeMap:
    """A strictly increasing piecewise linear map from score seconds to recording seconds.

    Beyond its first and last knot it goes on with the slope of the nearest segment.
    """

    score_s: Times = field(default_factory=lambda: np.array([0.0, 1.0]))
    recording_s: Times = field(default_factory=lambda: np.array([0.0, 1.0]))

    def __post_init__(self) -> None:
        for name in ("score_s", "recording_s"):
            knots = np.array(getattr(self, name), dtype=np.float64)
            if knots.ndim != 1 or len(knots) < 2 or not np.isfinite(knots).all() or (np.diff(knots) <= 0).any():
                raise ValueError(f"{name} must be at least two strictly increasing finite times")
            knots.flags.writeable = False
            object.__setattr__(self, name, knots)
        if len(self.score_s) != len(self.recording_s):
            raise ValueError("score_s and recording_s must have the same length")

    def to_recording(self, score_s: Times | float) -> Times:
        """Recording seconds of score seconds, any shape."""
        return _interpolate(np.asarray(score_s, np.float64), self.score_s, self.recording_s)

    def to_score(self, recording_s: Times | float) -> Times:
        """Score seconds of recording seconds, any shape: the inverse of `to_recording`."""
        return _interpolate(np.asarray(recording_s, np.float64), self.recording_s, self.score_s)


def warped(notes: Iterable[Note], time_map: TimeMap) -> tuple[Note, ...]:
    """The notes at their times in the recording; ids, pitches and layers stay."""
    notes = tuple(notes)
    times = np.array([(n.onset_s, n.offset_s, n.pedal_s) for n in notes]).reshape(-1, 3)
    placed = time_map.to_recording(times)
    return tuple(
        replace(note, onset_s=onset, offset_s=offset, pedal_s=pedal if note.pedal_s > 0 else 0.0)
        for note, (onset, offset, pedal) in zip(notes, placed.tolist(), strict=True)
    )


def _interpolate(x: Times, knots: Times, values: Times) -> Times:
    inside = np.interp(x, knots, values)
    before = values[0] + (x - knots[0]) * (values[1] - values[0]) / (knots[1] - knots[0])
    after = values[-1] + (x - knots[-1]) * (values[-1] - values[-2]) / (knots[-1] - knots[-2])
    return np.where(x < knots[0], before, np.where(x > knots[-1], after, inside))
