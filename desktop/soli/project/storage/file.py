"""Saving and opening a project file; see `schema` for what lies in it."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from soli.errors import ProjectError, SoliError
from soli.files import Stamp, beside, stamp_of, sweep
from soli.progress import Progress, Steps, finish, visiting
from soli.project.outlook import Outlook
from soli.project.pipeline import Loaded, Separation
from soli.project.state import State
from soli.project.storage.blocks import sound_shape
from soli.project.storage.database import check_schema, reading
from soli.project.storage.places import resolved
from soli.project.storage.recordings import (
    NAME,
    Wanted,
    find_steps,
    read_embedded_steps,
    wanted_of,
    write_recording_steps,
)
from soli.project.storage.results import has_results, read_results_steps, write_results_steps
from soli.project.storage.schema import APPLICATION_ID, RESULT_TABLES, SCHEMA, VERSION
from soli.project.storage.state_tables import read_outlook, read_state, write_state

DAMAGE = (sqlite3.Error, ValueError, TypeError, KeyError, ArithmeticError, RecursionError, MemoryError, SoliError, UnicodeError)


@dataclass(frozen=True, slots=True)
class Kept:
    """A database in this format that holds the very results to be saved, the recording itself, or both.

    live: it is this program's own, which is being written with a log beside it.
    """

    path: Path
    results: bool = True
    recording: bool = False
    live: bool = False


@dataclass(frozen=True, eq=False)
class Opened(Loaded):
    """A project as it was opened.

    `wanted`: the recording, where it is to be asked for; `embeds`: whether the project holds it itself; `stamp`: the file as it
    was read.
    """

    separation: Separation | None = None
    outlook: Outlook | None = None
    embeds: bool = False
    wanted: Wanted | None = None
    stamp: Stamp | None = None


def create(db: sqlite3.Connection) -> None:
    """Make an empty project of a new database."""
    db.executescript(f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; {SCHEMA} COMMIT;")


def save(path: Path, state: State, **what: Any) -> None:
    """Write the project at one go; see `save_steps`."""
    finish(save_steps(path, state, **what))


def save_steps(
    path: Path,
    state: State,
    *,
    separation: Separation | None = None,
    outlook: Outlook | None = None,
    embed: bool = False,
    kept: Kept | None = None,
    wanted: Wanted | None = None,
) -> Steps[None]:
    """Write the project, with the results if there are any, and with the recording itself if it is to `embed` it.

    `kept`: what lies elsewhere already, to be copied rather than made anew. `wanted`: the recording, where the project is open
    without it: it stays known by its samples.
    Raises ProjectError when the place cannot be written; the former file is whole then, and so it is where the steps are closed.
    """
    yield Progress(0, 1, f"Saving {path.name}")
    if state.audio is not None:
        _ = state.audio.fingerprint  # takes seconds where hours are heard for the first time
    try:
        yield from visiting(path, _save_steps(path, state, separation, outlook, embed, kept, wanted))
    except (OSError, sqlite3.Error, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(
            f"{path}: the project cannot be saved ({reason}); choose another place, your work is still open"
        ) from error


def _save_steps(
    path: Path,
    state: State,
    separation: Separation | None,
    outlook: Outlook | None,
    embed: bool,
    kept: Kept | None,
    wanted: Wanted | None,
) -> Steps[None]:
    report = Progress(0, 1, f"Saving {path.name}")
    yield report
    # Through a link, what it leads to is saved.
    target = Path(os.path.realpath(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(0, "the file may not be written to")
    # SQLite would only say that it is unable to open a file.
    if not target.parent.is_dir():
        raise FileNotFoundError(0, "there is no such folder")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(0, "the folder may not be written to")
    with beside(target) as partial:
        with closing(sqlite3.connect(partial.absolute().as_uri(), uri=True)) as db:
            # No other file is made beside it, and nobody sees this one before it is whole.
            db.execute("PRAGMA journal_mode = MEMORY")
            create(db)
            if kept is not None:
                yield replace(report, place=kept.path)
                copy_kept(db, kept)
                yield report
            with db:
                write_state(db, state, target.parent, outlook, wanted)
                if separation is not None and not has_results(db):
                    yield from write_results_steps(db, separation)
                if embed and state.audio is not None and sound_shape(db, NAME) is None:
                    yield from write_recording_steps(db, state.audio)
        with contextlib.suppress(OSError):
            shutil.copymode(target, partial)
        yield report  # whoever waits no longer must not find the file replaced later
    _settle(target.parent)
    sweep(target.parent)


def copy_kept(db: sqlite3.Connection, kept: Kept) -> None:
    """Copy what is kept into a database that was opened by its URI; nothing where that cannot be done.

    What lies beside a file that may come from anywhere is not looked at, and nothing in it is run.
    """
    uri = kept.path.absolute().as_uri()
    with contextlib.suppress(sqlite3.DatabaseError, ValueError):
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("ATTACH ? AS kept", (uri if kept.live else f"{uri}?mode=ro&immutable=1",))
        check_schema(db, "kept")
        with db:
            for table in RESULT_TABLES:
                which = (
                    f"WHERE (name = '{NAME}' AND ?) OR (name <> '{NAME}' AND ?)"
                    if table in ("sound", "block")
                    else "WHERE ? OR ?"
                )
                chosen = (kept.recording, kept.results) if table in ("sound", "block") else (False, kept.results)
                db.execute(f"INSERT INTO main.{table} SELECT * FROM kept.{table} {which}", chosen)
        db.execute("DETACH kept")


def _settle(folder: Path) -> None:
    """Wait until the disk knows the new name."""
    with contextlib.suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_steps(
    path: Path,
    *,
    known: Sequence[Path] = (),
    located: Path | None = None,
    name: Path | None = None,
    follows: bool = False,
) -> Steps[Opened]:
    """Read a project, the recording it names and its results.

    A recording that moved is looked for, see `recordings.find_steps`; one that is not found, cannot be read or has other samples
    is told in the warning and the rest opens; so are results that are damaged. The `model` of a report is the project as far as
    it is read: first without recording and layers, then with the recording. `known`: folders which the user has chosen files
    from. `located`: where the user says that the recording is. `name`: the project to speak of, where `path` is a copy of it.
    `follows`: open the recording wherever it lies, for a file that this program has written for itself.
    Raises ProjectError when the file is no project that this version can read.
    """
    name = name or path
    yield Progress(0, 3, f"Opening {name.name}", place=path)
    if not os.path.isfile(path):  # noqa: PTH113  (no error for a name that is too long or in a closed folder)
        raise ProjectError(f"{path}: no such project; choose another file")
    stamp = stamp_of(path)
    try:
        with reading(path) as (db, _):
            state, meta = read_state(db, path.parent)
            outlook = read_outlook(db)
            opened = Opened(state, outlook=outlook, stamp=stamp)
            yield Progress(1, 3, "Reading the recording", model=_unheard(db, opened, meta, path), place=path)
            opened = yield from _with_recording(db, opened, meta, path, known, located, follows)
            yield Progress(2, 3, "Reading the layers", model=opened, place=path)
            return (yield from visiting(path, _with_results(db, opened)))
    except DAMAGE as error:
        if isinstance(error, ProjectError):
            raise
        reason = _in_words(error)
        raise ProjectError(f"{name.name}: the project is damaged ({reason}); open a copy or begin anew") from error


def _in_words(error: BaseException) -> str:
    """Why something cannot be read, in one line: what SQLite says may quote what it has found."""
    return "not enough memory" if isinstance(error, MemoryError) else " ".join(str(error).split())[:200]


def _unheard(db: sqlite3.Connection, opened: Opened, meta: dict[str, str], path: Path) -> Opened:
    """A project whose recording is still to be read, as one that lacks it."""
    named = meta.get("recording", "")
    state = replace(opened.state, recording_path=resolved(named, path.parent) if named else None)
    wanted = wanted_of(meta, path.parent) if named or meta.get("recording_sha256") else None
    return replace(opened, state=state, embeds=sound_shape(db, NAME) is not None, wanted=wanted)


def _with_recording(
    db: sqlite3.Connection,
    opened: Opened,
    meta: dict[str, str],
    path: Path,
    known: Sequence[Path],
    located: Path | None,
    follows: bool,
) -> Steps[Opened]:
    state, warning, damaged = opened.state, "", ""
    try:
        inside = yield from visiting(path, read_embedded_steps(db))
    except (ValueError, TypeError, MemoryError) as error:
        inside, damaged = None, f"the recording in the project cannot be read ({_in_words(error)})"
    named = meta.get("recording", "")
    if inside is not None:
        place = resolved(named, path.parent) if named else None
        return replace(opened, state=replace(state, recording_path=place, audio=inside), embeds=True)
    if not named:
        return replace(opened, warning=damaged)
    found = yield from find_steps(meta, path, known, located=located, follows=follows)
    # A recording that is not there keeps its place in the project: it may be there the next time.
    state = replace(state, recording_path=found.path, audio=found.audio)
    warning = "; ".join(text for text in (damaged, found.warning) if text)
    return replace(opened, state=state, warning=warning, wanted=found.wanted)


def _with_results(db: sqlite3.Connection, opened: Opened) -> Steps[Opened]:
    state = opened.state
    if state.audio is None or not has_results(db) or (opened.wanted is not None and opened.wanted.why == "changed"):
        return opened
    try:
        separation = yield from read_results_steps(db, state.audio, state)
    except DAMAGE as error:
        reason = _in_words(error)
        lost = f"the layers in the project cannot be used ({reason}); decompose again"
        return replace(opened, warning="; ".join(text for text in (opened.warning, lost) if text))
    return replace(opened, separation=separation)
