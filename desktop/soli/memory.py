"""How much memory this computer has for one program."""

import os
import sys
from pathlib import Path

_UNKNOWN_BYTES = 8 * 2**30
_GROUPS = Path("/sys/fs/cgroup")


def memory_bytes() -> int:
    """Memory in bytes: that of the computer, or what the container or the service manager gives of it.

    A usual size where the system does not tell.
    """
    return min(_physical() or _UNKNOWN_BYTES, _granted() or sys.maxsize)


if sys.platform == "win32":
    import ctypes

    class _Status(ctypes.Structure):  # MEMORYSTATUSEX
        _fields_ = (("size", ctypes.c_ulong), ("load", ctypes.c_ulong), ("counts", ctypes.c_ulonglong * 7))

    def _physical() -> int:
        status = _Status(size=ctypes.sizeof(_Status))
        told = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.counts[0]) if told else 0

else:

    def _physical() -> int:
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):
            return 0


def _granted(groups: Path = _GROUPS, mine: Path = Path("/proc/self/cgroup")) -> int:
    """The least limit of the control groups of Linux that this process is in; 0 where there is none."""
    try:
        lines = mine.read_text().splitlines()
    except OSError:
        return 0
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root, name = (groups, "memory.max") if not controllers else (groups / "memory", "memory.limit_in_bytes")
            group = root / path.lstrip("/")
            # A group has no more than those it is in.
            limits += [_number(folder / name) for folder in (group, *group.parents) if folder.is_relative_to(root)]
    return min((limit for limit in limits if limit > 0), default=0)


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such group, or "max"
        return 0
