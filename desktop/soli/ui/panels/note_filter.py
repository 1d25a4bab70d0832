"""A few words that say which notes the table shows: `HELP` is all there is to it. Words that follow each other all hold."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.score.notes import parse_pitch
from soli.ui.beats import NO_BAR
from soli.ui.panels.note_columns import NoteColumns

Mask: TypeAlias = NDArray[np.bool_]
LayerNames: TypeAlias = Mapping[int, str]
Filter: TypeAlias = Callable[[NoteColumns, LayerNames], Mask]

HELP = (
    ("C#4   Db   C4-G5", "a pitch, a pitch in all octaves, from one to another"),
    ('left   "right hand"', "notes of the layers with this in their name"),
    ("bar 12   bar 12-20", "a figure, or from one to another"),
    ("velocity > 90", "compared by < > <= >= = !="),
    ("bar  beat  onset  length  velocity", "what has figures; onset and length in seconds,"),
    ("sure  before  after  pitch", "before and after in milliseconds"),
    ("absent   present", "left out of the decomposition, or not"),
    ("not left   C4 or E4", "the contrary; either of two"),
)

_FIELDS: dict[str, Callable[[NoteColumns], NDArray[np.float64]]] = {
    "bar": lambda c: np.where(c.bar == NO_BAR, np.nan, c.bar),
    "beat": lambda c: c.beat,
    "onset": lambda c: c.onset_s,
    "length": lambda c: c.length_s,
    "velocity": lambda c: c.velocity.astype(np.float64),
    "sure": lambda c: c.sure,
    "before": lambda c: 1000 * c.before_s,
    "after": lambda c: 1000 * c.after_s,
    "pitch": lambda c: c.pitch.astype(np.float64),
}
_OTHER_NAMES = {
    "time": "onset",
    "start": "onset",
    "duration": "length",
    "vel": "velocity",
    "conf": "sure",
    "confidence": "sure",
    "note": "pitch",
}
# The table shows rounded figures: what looks equal is equal.
_SLACK = {"onset": 5e-4, "length": 5e-4, "beat": 5e-3, "sure": 5e-3, "before": 0.5, "after": 0.5}
_COMPARISONS: dict[str, Callable[[NDArray[np.float64], float, float], Mask]] = {
    "<": lambda x, y, _: x < y,
    ">": lambda x, y, _: x > y,
    "<=": lambda x, y, slack: x <= y + slack,
    ">=": lambda x, y, slack: x >= y - slack,
    "=": lambda x, y, slack: np.abs(x - y) <= slack,
    "!=": lambda x, y, slack: np.abs(x - y) > slack,
}
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "==": "="}
_TOKEN = re.compile(r'"([^"]*)"|([<>=!]=|[<>=≤≥≠])|([^\s"<>=!≤≥≠]+)|(\S)')
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_NUMBERS = re.compile(rf"({_NUMBER})(?:(?:-|–|\.\.)({_NUMBER}))?")
_PITCHES = re.compile(r"(.+?\d)(?:-|–|\.\.)([a-gA-G].*|\d+)")
_CLASS = re.compile(r"[a-g](?:##|bb|♭♭|[#♯xb♭])?", re.IGNORECASE)


def parse(text: str) -> Filter:
    """The filter that `text` asks for; nothing asked, nothing hidden. Raises InputError with one sentence."""
    words = _Words(text)
    if not words:
        return lambda c, _: np.ones(len(c), bool)
    either = [_all_of(words)]
    while words.take_if("or"):
        either.append(_all_of(words))
    return lambda c, names: np.logical_or.reduce([holds(c, names) for holds in either])


class _Words:
    """The words of a filter, one taken after the other. A quoted word is never one of the language."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str]] = []
        for quoted, sign, word, odd in _TOKEN.findall(text):
            if odd:
                raise InputError("A quotation mark is not closed" if odd == '"' else f"“{odd}” says nothing here")
            kind = "sign" if sign else "word" if word else "quoted"
            self._words.append((kind, _SIGNS.get(sign, sign) or word or quoted))

    def __bool__(self) -> bool:
        return bool(self._words)

    @property
    def next(self) -> str:
        """The next word of the language in small letters; "" where there is none."""
        return self._words[0][1].casefold() if self._words and self._words[0][0] == "word" else ""

    def take(self) -> tuple[str, str]:
        return self._words.pop(0)

    def take_if(self, word: str) -> bool:
        found = self.next == word
        if found:
            self.take()
        return found

    def take_sign(self) -> str:
        return self.take()[1] if self._words and self._words[0][0] == "sign" else ""


def _all_of(words: _Words) -> Filter:
    parts: list[Filter] = []
    while words and words.next != "or":
        parts.append(_one(words))
    if not parts:
        raise InputError("“or” stands between two conditions")
    return lambda c, names: np.logical_and.reduce([holds(c, names) for holds in parts])


def _one(words: _Words) -> Filter:
    if words.take_if("not"):
        if not words or words.next == "or":
            raise InputError("“not” what? A condition follows it")
        holds = _one(words)
        return lambda c, names: ~holds(c, names)
    kind, word = words.take()
    if kind == "sign":
        raise InputError(f"“{word}” compares what? As in velocity {word} 90")
    name = _OTHER_NAMES.get(word.casefold(), word.casefold())
    if kind == "word" and name in _FIELDS:
        return _field(name, words)
    if kind == "word" and name in {"absent", "present"}:
        return lambda c, _: c.absent if name == "absent" else ~c.absent
    begun = next((field for field in _FIELDS if field.startswith(name)), None)
    if kind == "word" and begun and not words and not _CLASS.fullmatch(word):
        raise InputError(f"{begun} of what? A layer that begins so is found in quotation marks")
    return _word(word, plain=kind == "word")


def _field(name: str, words: _Words) -> Filter:
    example = "C4" if name == "pitch" else "0.3" if name == "sure" else "12"
    sign = words.take_sign()
    if not words.next:
        raise InputError(f"{name} of what? As in {name} {sign + ' ' if sign else ''}{example}")
    value = words.take()[1]
    low, high = _pitches(value) if name == "pitch" else _numbers(value, name)
    column, slack = _FIELDS[name], _SLACK.get(name, 0.0)
    if not sign:
        return lambda c, _: (column(c) >= low - slack) & (column(c) <= high + slack)
    if low != high:
        raise InputError(f"“{sign}” compares with one value, not with {value}")
    compare = _COMPARISONS[sign]
    return lambda c, _: compare(column(c), low, slack) & ~np.isnan(column(c))


def _numbers(text: str, name: str) -> tuple[float, float]:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        raise InputError(f"{name}: “{text}” is no number; write 12, 0.5 or 12-20")
    first = float(found[1])
    second = float(found[2]) if found[2] else first
    return min(first, second), max(first, second)


def _pitches(text: str) -> tuple[float, float]:
    try:
        pitch = parse_pitch(text)
    except InputError:
        found = _PITCHES.fullmatch(text)
        if found is None:
            raise
        first, second = parse_pitch(found[1]), parse_pitch(found[2])
        return min(first, second), max(first, second)
    return pitch, pitch


def _word(word: str, *, plain: bool) -> Filter:
    """Notes of a pitch, of a pitch in all octaves, or of the layers named so."""
    sought = word.casefold()
    if plain and _CLASS.fullmatch(word):
        step = parse_pitch(f"{word}4") % 12
        return lambda c, names: (c.pitch % 12 == step) | _in_layers(c, names, lambda name: sought in name.split())
    if plain and not word.isdigit():
        try:
            low, high = _pitches(word)
        except InputError:
            pass
        else:
            return lambda c, _: (c.pitch >= low) & (c.pitch <= high)
    return lambda c, names: _in_layers(c, names, lambda name: sought in name)


def _in_layers(columns: NoteColumns, names: LayerNames, fits: Callable[[str], bool]) -> Mask:
    return np.isin(columns.layer, [layer for layer, name in names.items() if fits(name.casefold())])
