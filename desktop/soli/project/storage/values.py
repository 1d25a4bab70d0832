"""What a value of a project file may be: a damaged file may hold anything anywhere. Raises TypeError or ValueError."""

import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

LONGEST_S = 1e7
MOST_TRACKS = 65_535  # a Standard MIDI File holds no more


def rows(
    db: sqlite3.Connection, query: str, *kinds: Callable[[Any], Any], given: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, each value made sure of; `given` goes into its question marks."""
    for row in db.execute(query, given):
        yield tuple(kind(value) for kind, value in zip(kinds, row, strict=True))


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def named(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise TypeError(f"{str(value)[:40]!r} is no table")
    return value


def data(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{str(value)[:40]!r} is no data")
    return value


def colour(value: Any) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text(value)):
        raise ValueError(f"{value[:40]!r} is no colour")
    return str(value)


def within(value: Any, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{value!r} is out of range")


def whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{str(value)[:40]!r} is no whole number")
    return value


def count(value: Any) -> int:
    within(whole(value), 0, 2**40)
    return int(value)


def whole_or_none(value: Any) -> int | None:
    return None if value is None else whole(value)


def real_or_none(value: Any) -> float | None:
    return None if value is None else real(value)


def tolerance(value: Any) -> float | None:
    if value is not None:
        within(value, 0, LONGEST_S)
    return real_or_none(value)


def seven_bits(value: Any) -> int:
    within(whole(value), 0, 127)
    return int(value)


def channel(value: Any) -> int:
    within(whole(value), 0, 15)
    return int(value)


def track(value: Any) -> int:
    within(whole(value), 0, MOST_TRACKS)
    return int(value)


def real(value: Any) -> float:
    within(value, -1e300, 1e300)
    return float(value)


def single(value: Any) -> float:
    """A number that float32 can hold."""
    within(value, -1e30, 1e30)
    return float(value)


def spelled(value: Any) -> float:
    """A number that is kept as text."""
    try:
        return real(float(text(value)))
    except ValueError as error:
        raise ValueError(f"{value[:40]!r} is no number") from error


def time(value: Any) -> float:
    within(value, -LONGEST_S, LONGEST_S)
    return float(value)


def gain(value: Any) -> float:
    within(value, -math.inf, 1e3)
    return float(value)
