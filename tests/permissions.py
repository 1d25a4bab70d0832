"""Permissions that hold: an administrator may do everything, and lays that down for what is to be refused."""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

_VERSION = 0x20080522
_WORDS = ctypes.c_uint32 * 6  # effective, permitted and inheritable, of the first 32 capabilities and of the others


def hold_here() -> bool:
    """Whether this user is refused what permissions forbid."""
    return not hasattr(os, "geteuid") or os.geteuid() != 0


def unprivileged(work: Callable[[], T]) -> T:
    """What `work` gives to a user whom permissions hold for, in a thread of its own; its errors pass through."""
    if os.name == "nt":
        pytest.skip("Windows has permissions of another kind")
    if hold_here():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            _set_capabilities([0] * 6)
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def without_privileges() -> Iterator[None]:
    """Lay them down for a while in this thread, and for good in those that it begins. `os.access` does not know of it."""
    if os.name == "nt":
        pytest.skip("Windows has permissions of another kind")
    if hold_here():
        yield
        return
    before = _capabilities()
    _set_capabilities([0, before[1], before[2], 0, before[4], before[5]])
    try:
        yield
    finally:
        _set_capabilities(before)


@contextmanager
def closed(path: Path, mode: int) -> Iterator[Path]:
    """A file or folder with other permissions for a while."""
    before = path.stat().st_mode & 0o777
    path.chmod(mode)
    try:
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.chmod(before)


def _call(name: str, words: ctypes.Array) -> None:
    if sys.platform != "linux":
        pytest.skip("an administrator cannot lay down what he may do on this system")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    if getattr(libc, name)(header, words) != 0:
        raise OSError(ctypes.get_errno(), name)


def _capabilities() -> list[int]:
    words = _WORDS()
    _call("capget", words)
    return list(words)


def _set_capabilities(values: list[int]) -> None:
    _call("capset", _WORDS(*values))
