"""Whole files or none: what is being written lies beside its final name until it is whole."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def hidden_beside(path: Path) -> Path:
    """A name in the folder of `path` that nothing has yet, hidden from listings."""
    return path.with_name(f".soli-{os.getpid()}-{secrets.token_hex(4)}.part")


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
