"""The demo's score: Chopin, Waltz in D flat major, Op. 64 No. 1, bars 1 to 36 with the repeat of bars 21 to 36.

The notation, one line for about four bars, `/` between bars:
    Db4 Ab E5       a note; the octave (C4 is MIDI 60) stands until another is given
    Ab3+Db4+F4      a chord            .         the same note or chord again
    Ab4*2           two units long     r         a rest
    Eb5!            with a short trill, played Eb F Eb within the note's time
    (F5 Gb F)       three notes in the time of a quarter note
    F5~             tied to the next note
    a & b           two voices of one bar
A unit is an eighth note in the right hand and a quarter note in the left.
"""

import re
from dataclasses import dataclass

TICKS_PER_QUARTER = 480
QUARTERS_PER_BAR = 3

_OPENING_RIGHT = """
    Ab4*2 G Ab C5 Bb4 / G Ab Bb Ab C5 Bb4 / G Ab C5 Bb4 G Ab / C5 Bb4 G Ab C5 Bb4
    G4 Ab C5 Bb4 G Ab / C5 Bb4 G Ab C5 Bb4 / G Ab C5 Bb4 G Ab / Bb4 C5 Db Eb F Gb
    Bb5*3 Ab Gb F / F Eb Eb! D Eb*2 / Bb5*3 Ab Gb F / F Eb! D Eb F Bb4
    G4 Ab C5 Bb4 G Ab / C5 Bb4 G Ab C5 Bb4 / G Ab C5 Bb4 G Ab / Bb4 C5 Db Eb F Gb
    Bb5*3 Ab Gb F / F Eb Eb! D Eb*2 / Bb5*3 Ab Gb F / Eb F Eb! D Eb E
"""
_OPENING_LEFT = """
    r*3 / r*3 / r*3 / r*3
    Db3 Ab3+Db4+F4 . / F3 Ab3+Db4+F4 . / Db3 Ab3+Db4+F4 . / F3 Ab3+Db4+F4 .
    Ab2 Ab3+C4+Gb4 . / Eb3 Ab3+C4+Gb4 . / Ab2 C4+Gb4 . / Ab3 C4+Gb4 .
    Db3 Ab3+Db4+F4 . / F3 Ab3+Db4+F4 . / Db3 Ab3+Db4+F4 . / F3 Ab3+Db4+F4 .
    Ab2 Ab3+C4+Gb4 . / Eb3 Ab3+C4+Gb4 . / Ab2 Ab3+C4+Gb4 . / Ab3 C4+Gb4 Ab2
"""
_SECOND_RIGHT = """
    (F5 Gb F) E F Ab Gb / F Gb F E F Bb / (Ab5 Bb Ab) G Ab C6 Bb5 / Ab Bb Ab G Ab Db6
    C6 Bb5 Ab Gb F Eb / Db5 C Bb4 Ab Gb F / Eb4 Db C Eb Bb Ab / G4 Ab Bb C5 Db Eb
    (F5 Gb F) E F Ab Gb / F Gb F E F Bb / (Ab5 Bb Ab) G Ab C6 Bb5 / Ab Bb Ab G Ab F6
    Eb6 Db C Bb5 Ab Gb / F5 Eb Db C Bb4 Ab / A4 C5 Bb4 F Gb C
"""
_SECOND_LEFT = """
    A2 F3+C4+Eb4 . / Bb2 F3+Db4 . / C3 Ab3+Eb4+Gb4 . / Db3 Ab3+F4 r
    Gb3 Bb3+Eb4 r / Ab2 F3+Ab3+Db4 r / Ab2 Gb3+Ab3 Gb3+Ab3+C4 / Db3 Ab3+Db4+F4 r
    A3*3 & r Eb4+F4 . / Bb3*3 & r Db4+F4 . / C4*3 & r Gb4+Ab4 . / Db4 F4+Ab4 r
    Gb3 Db4+Eb4+Bb4 r / Ab2 F3+Ab3+Db4 r / Ab2 Gb3+Ab3 .
"""
# The last F is tied over the repeat sign; the second time the piece rests there, and the demo ends.
_FIRST_ENDING = ("Db4*2 r*2 F5*2~", "Db3 Ab3+F4 r")
_SECOND_ENDING = ("Db4*2 r*4", "Db3 Ab3+F4 r")

# Bars as printed, in the order they are played; the second time through 21 to 36 ends in the second ending.
PLAYED_BARS = (*range(1, 37), *range(21, 37))
RIGHT = "/".join((_OPENING_RIGHT, _SECOND_RIGHT, _FIRST_ENDING[0], _SECOND_RIGHT, _SECOND_ENDING[0]))
LEFT = "/".join((_OPENING_LEFT, _SECOND_LEFT, _FIRST_ENDING[1], _SECOND_LEFT, _SECOND_ENDING[1]))

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_PITCH = re.compile(r"([A-G])([b#]?)(\d?)")
_TOKEN = re.compile(r"(?P<what>[A-G][^*!~]*|r|\.)(?P<trill>!?)(?:\*(?P<units>\d+))?(?P<tie>~?)")


@dataclass(frozen=True)
class ScoreNote:
    """One note as written: MIDI pitch, onset and duration in ticks (480 a quarter note)."""

    pitch: int
    onset_ticks: int
    duration_ticks: int


def right_hand() -> list[ScoreNote]:
    return _notes(RIGHT, TICKS_PER_QUARTER // 2)


def left_hand() -> list[ScoreNote]:
    return _notes(LEFT, TICKS_PER_QUARTER)


def _notes(text: str, unit_ticks: int) -> list[ScoreNote]:
    # A line's end is a bar's end too.
    bars = [bar.strip() for bar in re.split(r"[/\n]", text) if bar.strip()]
    if len(bars) != len(PLAYED_BARS):
        raise ValueError(f"{len(bars)} bars are written and {len(PLAYED_BARS)} are played")
    reader = _Reader(unit_ticks)
    for index, bar in enumerate(bars):
        for voice in bar.split("&"):
            reader.read_voice(voice, index * QUARTERS_PER_BAR * TICKS_PER_QUARTER)
    return sorted(reader.notes, key=lambda note: (note.onset_ticks, note.pitch))


class _Reader:
    def __init__(self, unit_ticks: int) -> None:
        self.notes: list[ScoreNote] = []
        self._unit_ticks = unit_ticks
        self._octave = 4
        self._last: tuple[int, ...] = ()
        self._tied: ScoreNote | None = None

    def read_voice(self, voice: str, start_ticks: int) -> None:
        now, unit = start_ticks, self._unit_ticks
        for word in voice.split():
            if word.startswith("("):
                unit = TICKS_PER_QUARTER // 3
            now += self._read(word.strip("()"), now, unit)
            if word.endswith(")"):
                unit = self._unit_ticks
        if now - start_ticks != QUARTERS_PER_BAR * TICKS_PER_QUARTER:
            raise ValueError(f"the bar {voice!r} lasts {(now - start_ticks) / TICKS_PER_QUARTER} quarter notes")

    def _read(self, word: str, onset_ticks: int, unit_ticks: int) -> int:
        token = _TOKEN.fullmatch(word)
        if token is None:
            raise ValueError(f"{word!r} is no note")
        duration_ticks = unit_ticks * int(token["units"] or 1)
        if token["what"] == "r":
            return duration_ticks
        if token["what"] != ".":
            self._last = tuple(self._pitch(name) for name in token["what"].split("+"))
        if token["trill"]:
            self._trill(self._last[0], onset_ticks, duration_ticks)
            return duration_ticks
        for pitch in self._last:
            self._add(ScoreNote(pitch, onset_ticks, duration_ticks), tied=bool(token["tie"]))
        return duration_ticks

    def _pitch(self, name: str) -> int:
        parts = _PITCH.fullmatch(name)
        if parts is None:
            raise ValueError(f"{name!r} is no pitch")
        letter, accidental, octave = parts.groups()
        self._octave = int(octave or self._octave)
        return 12 * (self._octave + 1) + _SEMITONES[letter] + {"": 0, "b": -1, "#": 1}[accidental]

    def _trill(self, pitch: int, onset_ticks: int, duration_ticks: int) -> None:
        # The demo's trills all stand on E flat, whose upper neighbour in D flat major is F.
        third = duration_ticks // 3
        for index, step in enumerate((0, 2, 0)):
            self._add(ScoreNote(pitch + step, onset_ticks + index * third, third), tied=False)

    def _add(self, note: ScoreNote, *, tied: bool) -> None:
        before = self._tied
        if before is not None and before.pitch == note.pitch:
            note = ScoreNote(note.pitch, before.onset_ticks, before.duration_ticks + note.duration_ticks)
        self._tied = note if tied else None
        if not tied:
            self.notes.append(note)
