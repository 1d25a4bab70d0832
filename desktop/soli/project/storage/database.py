"""Opening databases that may come from anywhere: nothing in them is run, and nothing in them can take for ever."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from soli.errors import NewerError, ProjectError
from soli.project.migration import migrate
from soli.project.storage.schema import APPLICATION_ID, RESULT_TABLES, STATE_TABLES, VERSION

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 2**26,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 2**16,
    sqlite3.SQLITE_LIMIT_COLUMN: 64,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 32,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 8,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 8,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 64,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
# Steps of SQLite's machine: some hundred times what reading an hour of music takes, and done in a few seconds.
_STEPS, _MOST_LOOKS = 100_000, 1000


@contextmanager
def reading(path: Path) -> Iterator[tuple[sqlite3.Connection, int]]:
    """The project at `path` to read from, in the present format, and the format it was in; the file stays as it is.

    Raises ProjectError for what is no project, NewerError for that of a newer Soli; sqlite3.Error, KeyError or ValueError for
    damage.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        guard(db)
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise ProjectError(f"{path.name}: not a Soli project; choose a file that Soli saved")
        version = known_version(db, path.name)
        check_schema(db)
        if version == VERSION:
            yield db, version
            return
        with closing(sqlite3.connect(":memory:")) as newer:
            guard(newer)
            migrate(db, newer, version)
            yield newer, version


def known_version(db: sqlite3.Connection, name: str) -> int:
    """The format of a database; raises NewerError, which calls it by `name`, for one that this Soli does not know."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise NewerError(f"{name}: saved by a newer Soli (format {version}, this one reads up to {VERSION}); update Soli")
    return version


def guard(db: sqlite3.Connection) -> None:
    """Let a database do no more than answer, in bounded time and memory."""
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return looks > _MOST_LOOKS

    for limit, most in _LIMITS.items():
        db.setlimit(limit, most)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")  # whatever they say, it would be worked out
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA mmap_size = 0")
    db.set_progress_handler(look, _STEPS)


def check_schema(db: sqlite3.Connection, schema: str = "main") -> None:
    """Raise ValueError unless there are plain tables only: a view, a trigger or a computed column would do as it likes."""
    other = "type NOT IN ('table', 'index') OR sql LIKE 'create virtual%'"
    # All of them are looked at: it may hold thousands.
    if db.execute(f"SELECT 1 FROM {schema}.sqlite_master WHERE {other} LIMIT 1").fetchone():
        raise ValueError("it holds more than tables")
    for name in (*STATE_TABLES, *RESULT_TABLES):
        if db.execute("SELECT 1 FROM pragma_table_xinfo(?, ?) WHERE hidden <> 0 LIMIT 1", (name, schema)).fetchone():
            raise ValueError("it holds columns that are computed")
