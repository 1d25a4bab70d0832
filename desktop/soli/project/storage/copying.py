"""Results taken from a project file that lies wherever the user has put it: a place that is slow or gone holds nobody up."""

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soli.errors import ProjectError
from soli.files import Stamp, stamp_of
from soli.progress import Progress, Steps
from soli.project.storage.database import reading
from soli.project.storage.recordings import NAME
from soli.project.storage.schema import RESULT_TABLES

SILENT_S = 3.0  # without a row
_LOOK_S = 0.05
_MOST_ROWS = 8  # read ahead; a row may hold megabytes

Row = tuple[str, tuple[Any, ...]]


def copy_results_steps(db: sqlite3.Connection, path: Path, stamp: Stamp) -> Steps[None]:
    """Copy the results in the project file `path` into `db`, which has none, as long as the file is as `stamp` says.

    `has_results` tells whether that came to its end: what breaks off is no results. The transaction is the caller's. The file is
    read in a thread of its own, and left alone when nothing has come for SILENT_S.
    """
    rows: queue.Queue[Row | None] = queue.Queue(_MOST_ROWS)
    unwanted, ended = threading.Event(), threading.Event()

    def put(row: Row | None) -> bool:
        while not unwanted.is_set():
            with contextlib.suppress(queue.Full):
                rows.put(row, timeout=_LOOK_S)
                return True
        return False

    def read() -> None:
        with contextlib.suppress(sqlite3.Error, OSError, ValueError, KeyError, ProjectError):
            if stamp_of(path) == stamp and all(put(row) for row in _rows(path)) and stamp_of(path) == stamp:
                put(None)
        ended.set()

    threading.Thread(target=read, name="soli copies", daemon=True).start()
    heard_s, count = time.monotonic(), 0
    last: list[Row] = []  # the table that tells that there are results
    try:
        while time.monotonic() - heard_s < SILENT_S:
            over = ended.is_set()
            try:
                row = rows.get(timeout=0.0 if over else _LOOK_S)
            except queue.Empty:
                if over:
                    return
                yield Progress(0, 1, "Keeping the layers", place=path)
                continue
            if row is None:
                for row in last:
                    _insert(db, *row)
                return
            if row[0] == "result":
                last.append(row)
            else:
                _insert(db, *row)
            heard_s, count = time.monotonic(), count + 1
            yield Progress(count, count + 1, "Keeping the layers", place=path)
    finally:
        unwanted.set()


def _rows(path: Path) -> Iterator[Row]:
    """What belongs to results."""
    with reading(path) as (source, _):
        for table in RESULT_TABLES:
            which = f" WHERE name <> '{NAME}'" if table in ("sound", "block") else ""
            for row in source.execute(f"SELECT * FROM {table}{which}"):
                yield table, row


def _insert(db: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> None:
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
