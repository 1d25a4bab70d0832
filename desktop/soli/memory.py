"""How much memory this computer has."""

import os
import sys

_UNKNOWN_BYTES = 8 * 2**30


def memory_bytes() -> int:
    """Physical memory in bytes; a usual size where the system does not tell."""
    return _physical() or _UNKNOWN_BYTES


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
