"""Files: whether a name is one that can be read; whole ones or none to write, beside the final name until they are whole."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from soli.errors import InputError

_FORGOTTEN_S = 86_400.0


def hidden_beside(path: Path) -> Path:
    """A name in the folder of `path` that nothing has yet, hidden from listings."""
    return path.with_name(f".soli-{os.getpid()}-{secrets.token_hex(4)}.part")


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
