"""A place that hangs, as a network share does whose server is gone: what touches it waits."""

import ctypes
import errno
import io
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
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
def gone(folder: Path) -> Iterator[None]:
    """Whoever touches what lies in `folder` is told at once that there is no connection."""
    device = _device()
    if device is None or not _mounted(device, folder):
        pytest.skip("a place without a connection takes an administrator and FUSE")
    os.close(device)
    try:
        yield
    finally:
        _libc().umount2(os.fsencode(folder), _DETACHED)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """What this thread looks up, opens or alters in `folder`, by name; what others do is theirs."""
    thread, seen = threading.get_ident(), []

    def note(name: str) -> None:
        if threading.get_ident() == thread:
            seen.append(name)

    with _looked_at(folder, note):
        yield seen


@contextmanager
def _patched(folder: Path) -> Iterator[None]:
    """The next best: what Python looks files up with waits."""
    over = threading.Event()

    def wait(name: str) -> None:
        over.wait()
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), name)

    with _looked_at(folder, wait):
        try:
            yield
        finally:
            over.set()


@contextmanager
def _looked_at(folder: Path, look: Callable[[str], None]) -> Iterator[None]:
    """Calls `look` with what is asked of the system by Python in `folder`, before that is done."""
    inside = os.fspath(folder) + os.sep

    def looking(real):
        def asked(path, *args, **options):
            name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
            if name == str(folder) or inside in name:
                look(name)
            return real(path, *args, **options)

        return asked

    files = ("stat", "lstat", "open", "scandir", "access", "readlink", "rename", "replace", "unlink", "mkdir", "rmdir", "statvfs")
    with pytest.MonkeyPatch.context() as patch:
        for module, names in ((os, files), (io, ("open",)), (sqlite3, ("connect",))):
            for name in names:
                if hasattr(module, name):
                    patch.setattr(module, name, looking(getattr(module, name)))
        yield
