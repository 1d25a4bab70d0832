"""Who works on a file: a lock that the system lets go of when its owner ends, however it ends."""

import contextlib
import hashlib
import json
import os
import socket
import sys
import time
from pathlib import Path

_FAR = 2**30  # where Windows locks a byte: away from what is to be read


class Lock:
    """A lock file that this process holds until `release`; `hollow` where the place can hold none."""

    def __init__(self, path: Path, handle: int | None) -> None:
        self._path, self._handle = path, handle

    @property
    def hollow(self) -> bool:
        return self._handle is None

    def release(self) -> None:
        """Let go, and leave no file behind."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        with contextlib.suppress(OSError):
            if sys.platform == "win32":  # a file that is open cannot be removed there
                os.close(handle)
                handle = -1
            self._path.unlink()
        if handle >= 0:
            os.close(handle)


def take(path: Path) -> Lock | None:
    """Lock the file `path`, made for that; None where another process holds it, a hollow lock where no lock can lie."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    for _ in range(10):
        try:
            handle = os.open(path, flags, 0o600)
        except OSError:
            return Lock(path, None)
        if not _locked(handle):
            os.close(handle)
            return None
        # Its last owner may have removed the file while it was being opened.
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):  # noqa: PTH116  (as the line above, on one level)
                about = json.dumps({"host": socket.gethostname(), "process": os.getpid(), "since": time.time()})
                os.ftruncate(handle, 0)
                os.write(handle, about.encode())
                return Lock(path, handle)
        os.close(handle)
    return None


def of_project(path: Path) -> Path:
    """Where the lock of a project lies: beside it, under a name that every system takes."""
    target = Path(os.path.realpath(path))
    return target.with_name(f".soli-{hashlib.sha256(target.name.encode(errors='surrogateescape')).hexdigest()[:16]}.lock")


def holder(path: Path) -> str:
    """The computer that holds the lock file `path`, where that is another than this one; "" otherwise."""
    with contextlib.suppress(OSError, ValueError):
        about = json.loads(path.read_bytes()[:4096])
        host = about.get("host") if isinstance(about, dict) else None
        if isinstance(host, str) and host != socket.gethostname():
            return host[:80]
    return ""


def _locked(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
