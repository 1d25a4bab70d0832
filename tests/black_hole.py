"""A place that hangs, as a network share does whose server is gone: what touches it waits."""

import ctypes
import errno
import io
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DETACHED = 2  # MNT_DETACH


@contextmanager
def hanging(folder: Path, *, for_all: bool = False) -> Iterator[None]:
    """All that lies in `folder` hangs when it is touched; afterwards it is there again, and who waited gets an error.

    for_all: for other programs too; skips the test where that cannot be had.
    """
    device = _device()
    if device is not None and _mounted(device, folder):
        try:
            yield
        finally:
            os.close(device)  # whoever waits hears that it is gone
            _libc().umount2(os.fsencode(folder), _DETACHED)
        return
    if device is not None:
        os.close(device)
    if for_all:
        pytest.skip("a place that hangs for all takes an administrator and FUSE")
    with _patched(folder):
        yield


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _device() -> int | None:
    try:
        return os.open("/dev/fuse", os.O_RDWR) if sys.platform == "linux" else None
    except OSError:
        return None


def _mounted(device: int, folder: Path) -> bool:
    """Whether a file system of the user's space that never answers lies over the folder; it takes an administrator."""
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    return _libc().mount(b"hole", os.fsencode(folder), b"fuse", 0, options) == 0


@contextmanager
def _patched(folder: Path) -> Iterator[None]:
    """The next best: what Python looks files up with waits."""
    over, inside = threading.Event(), os.fspath(folder) + os.sep

    def waiting(real):
        def look(path, *args, **options):
            name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
            if name == str(folder) or inside in name:
                over.wait()
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), name)
            return real(path, *args, **options)

        return look

    with pytest.MonkeyPatch.context() as patch:
        for module, names in ((os, ("stat", "lstat", "open", "scandir")), (io, ("open",)), (sqlite3, ("connect",))):
            for name in names:
                patch.setattr(module, name, waiting(getattr(module, name)))
        try:
            yield
        finally:
            over.set()
