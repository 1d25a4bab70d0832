"""Files: whether one can be read and its place answers; whole ones or none to write, beside their name until they are whole."""

import contextlib
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from soli.errors import InputError
from soli.progress import Progress, Steps

_FORGOTTEN_S = 86_400.0
_LOOK_S = 0.05

Stamp: TypeAlias = tuple[int, int]


def hidden_beside(path: Path) -> Path:
    """A name in the folder of `path` that nothing has yet, hidden from listings."""
    return path.with_name(f".soli-{os.getpid()}-{secrets.token_hex(4)}.part")


def scratch_folder() -> str:
    """Where large files without a future go: with the other temporary ones, but to the disk where /tmp may lie in memory."""
    usual = tempfile.gettempdir()
    on_disk = "/var/tmp"
    return on_disk if usual == "/tmp" and not os.environ.get("TMPDIR") and os.access(on_disk, os.W_OK) else usual


def check_readable(path: Path, choose: str) -> None:
    """Raise InputError, in one sentence that ends in `choose`, for a name that is not of a file or may not be read.

    Pipes and devices, which may never give anything or never end, are not touched.
    """
    if not os.path.isfile(path):  # noqa: PTH113  (no error for a name that is too long or in a closed folder)
        what = "this is a folder" if os.path.isdir(path) else "this is no file" if os.path.exists(path) else "no such file"  # noqa: PTH110, PTH112
        raise InputError(f"{path}: {what}; {choose}")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); {choose}") from error


def stamp_of(path: Path) -> Stamp | None:
    """When a file was last written, in nanoseconds, and how long it is; None where there is none to be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def answering_steps(paths: Sequence[Path], patience_s: float) -> Steps[list[Path]]:
    """Those of `paths` whose place says within `patience_s` whether they are there, whatever it says.

    A disk that is asleep takes seconds, a server that is gone may never answer: each is asked in a thread of its own, which is
    left alone after that.
    """
    answered = [threading.Event() for _ in paths]

    def ask(path: Path, answer: threading.Event) -> None:
        with contextlib.suppress(OSError, ValueError):
            path.stat()
        answer.set()

    for path, answer in zip(paths, answered, strict=True):
        threading.Thread(target=ask, args=(path, answer), name="soli asks", daemon=True).start()
    end_s = time.monotonic() + patience_s
    for path, answer in zip(paths, answered, strict=True):
        while not answer.wait(_LOOK_S) and time.monotonic() < end_s:
            yield Progress(0, 1, f"Waiting for {path.name or path}", place=path)
    return [path for path, answer in zip(paths, answered, strict=True) if answer.is_set()]


def sweep(folder: Path) -> None:
    """Remove from `folder` what programs that were killed have left half written there: hidden, and untouched for a day."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".soli-") and entry.name.endswith(".part") and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _FORGOTTEN_S:
                        os.unlink(entry)  # noqa: PTH108


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A hidden name in the folder of `path` to write to; renamed to `path` when the block ends, removed when it fails.

    Its length does not grow with that of `path`, so that every name the system takes can be written. OSErrors pass through.
    """
    partial = hidden_beside(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        # Renamed, never begun, or in a folder that is none: what matters has been raised already.
        with contextlib.suppress(OSError):
            partial.unlink()
