"""Notes on the clipboard of the desktop, so that they can be pasted here or into another window of Soli."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QGuiApplication

from soli.score.notes import Note

MIME = "application/x-soli-notes+json"
LARGEST = 2**31
_OURS = "of this process"
_SEVEN_BITS = frozenset({"pitch", "velocity", "program"})
_OPTIONAL = frozenset({"before_s", "after_s"})


def put(notes: Sequence[Note]) -> None:
    """Take notes to the clipboard."""
    data = QMimeData()
    data.setData(MIME, QByteArray(json.dumps([asdict(note) for note in notes]).encode()))
    data.setProperty(_OURS, True)
    QGuiApplication.clipboard().setMimeData(data)


def let_go() -> None:
    """Take notes off the clipboard before the program ends: Qt would delete them when Python is gone, and crash."""
    data = QGuiApplication.clipboard().mimeData()
    if data is not None and data.property(_OURS):
        QGuiApplication.clipboard().clear()


def has_notes() -> bool:
    """Whether there are notes to paste."""
    data = QGuiApplication.clipboard().mimeData()
    return data is not None and data.hasFormat(MIME)


def take() -> tuple[Note, ...]:
    """The notes on the clipboard; none where something else is there, or what calls itself notes is not."""
    data = QGuiApplication.clipboard().mimeData()
    return read(bytes(data.data(MIME).data())) if data is not None and data.hasFormat(MIME) else ()


def read(text: bytes) -> tuple[Note, ...]:
    """Notes as `put` writes them; none where a single one is not whole."""
    try:
        rows = json.loads(text)
        return tuple(_note(row) for row in rows) if isinstance(rows, list) else ()
    except (ValueError, TypeError, RecursionError):
        return ()


def _note(row: Any) -> Note:
    if not isinstance(row, dict):
        raise TypeError("a note is a table of values")
    values: dict[str, Any] = {field.name: _value(field.name, row[field.name]) for field in fields(Note) if field.name in row}
    note = Note(**values)
    if note.offset_s < note.onset_s:
        raise ValueError("a note ends after it begins")
    return note


def _value(name: str, value: Any) -> float | int | None:
    if value is None and name in _OPTIONAL:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError(f"{name} of {value!r} cannot be")
    if name.endswith("_s"):
        return float(value)
    if not isinstance(value, int) or value < 0 or (name in _SEVEN_BITS and value > 127) or (name == "channel" and value > 15):
        raise ValueError(f"{name} of {value!r} cannot be")
    return value
