"""Memory that two processes see: shared memory where it fits, a mapped temporary file where it does not.

The side that creates a segment unlinks it. Should it die first, Python's resource tracker unlinks the shared memory,
and the other side the file (`forget`). Should all of them be killed at once, the next one to start does (`sweep`).
"""

import contextlib
import mmap
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soli.errors import DeviceError
from soli.files import scratch_folder
from soli.signal.audio import FloatArray

LARGEST_IN_MEMORY = 512 * 2**20
_ROWS = 2**18  # written at a time
_attaching = threading.Lock()


class Place(NamedTuple):
    """Where a segment is found by the other process: the name of shared memory, or the path of a file."""

    name: str
    is_file: bool
    size: int


class Layout(NamedTuple):
    """Where one signal lies in a segment: first float, length in samples, channels."""

    start: int
    length: int
    channels: int


class Segment:
    """`size` bytes, new and zero, or those that lie at `place`. Raises DeviceError when there is no room.

    Large ones lie in a file, and so do all of them where the system gives no shared memory. `in_memory` says what to try first.
    """

    def __init__(self, size: int = 0, *, place: Place | None = None, in_memory: bool | None = None) -> None:
        self._memory: SharedMemory | None = None
        self._map: mmap.mmap | None = None
        self._file: BinaryIO | None = None
        if place is not None:
            self.place = place
            self._attach()
            return
        size = max(1, size)
        if in_memory is None:
            in_memory = size <= LARGEST_IN_MEMORY and _fits_in_memory(size)
        if in_memory:
            with contextlib.suppress(OSError, ValueError):
                self._memory = SharedMemory(f"{_prefix()}{secrets.token_hex(4)}", create=True, size=size)
                self.place = Place(self._memory.name, False, size)
                return
        try:
            self._create_file(size)
        except (OSError, ValueError) as error:
            megabytes = size // 2**20
            raise DeviceError(f"There is no room for {megabytes} MB of sound; free some memory or disk space") from error

    def floats(self) -> FloatArray:
        """The whole segment as float32; it must be let go before `close`."""
        size = self.place.size // 4 * 4
        return np.frombuffer(self._buffer(), np.float32, count=size // 4)

    def doubles(self) -> NDArray[np.float64]:
        """The whole segment as float64; it must be let go before `close`."""
        return np.frombuffer(self._buffer(), np.float64, count=self.place.size // 8)

    def close(self) -> bool:
        """Let the memory go; False while an array still looks at it: then ask again later."""
        try:
            if self._memory is not None:
                self._memory.close()
            if self._map is not None:
                self._map.close()
        except BufferError:
            return False
        self._memory = self._map = None
        if self._file is not None:
            self._file.close()
            self._file = None
        return True

    def unlink(self) -> None:
        """Take the name away; whoever has it mapped keeps it."""
        if self.place.is_file:
            forget(self.place)
        elif self._memory is not None:
            with contextlib.suppress(FileNotFoundError):
                self._memory.unlink()

    def write(self, start: int, signal: FloatArray) -> None:
        """Put the floats of `signal` from float `start` on. In a file they need no memory of this process."""
        count = signal.size
        if self._file is None:
            self.floats()[start : start + count] = signal.reshape(-1)
            return
        self._file.seek(4 * start)
        for row in range(0, len(signal), _ROWS):
            self._file.write(np.ascontiguousarray(signal[row : row + _ROWS], np.float32).data)
        self._file.flush()

    def fetch(self, start: int, count: int) -> None:
        """Have the system read `count` floats from float `start` on into memory, soon; nothing waits for it."""
        if self._file is not None and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file.fileno(), 4 * start, 4 * count, os.POSIX_FADV_WILLNEED)

    def _buffer(self) -> "memoryview | mmap.mmap":
        buffer = self._memory.buf if self._memory is not None else self._map
        if buffer is None:
            raise ValueError("the segment is closed")
        return buffer

    def _create_file(self, size: int) -> None:
        descriptor, path = tempfile.mkstemp(prefix=_prefix(), suffix=".layers", dir=scratch_folder())
        self.place = Place(path, True, size)
        try:
            # Reserved, not merely declared: a full disk must fail here and not as a bus error in the audio thread.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
            else:
                os.truncate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        except (OSError, ValueError):
            forget(self.place)
            os.close(descriptor)
            raise
        self._file = os.fdopen(descriptor, "r+b")

    def _attach(self) -> None:
        if self.place.is_file:
            self._file = os.fdopen(os.open(self.place.name, os.O_RDWR | getattr(os, "O_BINARY", 0)), "r+b")
            self._map = mmap.mmap(self._file.fileno(), self.place.size)
        elif sys.version_info >= (3, 13):
            self._memory = SharedMemory(self.place.name, track=False)
        else:
            # Before 3.13 attaching registers the name a second time, which is late if the creator has unlinked it by
            # then: the tracker would warn of a leak at the end.
            with _attaching:
                register = resource_tracker.register
                resource_tracker.register = _do_not_register  # type: ignore[assignment]
                try:
                    self._memory = SharedMemory(self.place.name)
                finally:
                    resource_tracker.register = register


def store(signals: Sequence[FloatArray]) -> tuple[Segment, tuple[Layout, ...]]:
    """Copy `signals`, float32 (length, channels), into a new segment; where each of them lies."""
    layouts, start = [], 0
    for signal in signals:
        layouts.append(Layout(start, len(signal), signal.shape[1]))
        start += signal.size
    segment = Segment(4 * start)
    try:
        for layout, signal in zip(layouts, signals, strict=True):
            segment.write(layout.start, signal)
    except OSError as error:
        segment.unlink()
        segment.close()
        raise DeviceError(f"The sound cannot be written to {segment.place.name} ({error}); free some disk space") from error
    return segment, tuple(layouts)


def views(segment: Segment, layouts: Sequence[Layout], *, writeable: bool = False) -> list[FloatArray]:
    """The signals in a segment, without a copy."""
    floats = segment.floats()
    floats.flags.writeable = writeable
    return [floats[start : start + length * width].reshape(length, width) for start, length, width in layouts]


def forget(place: Place) -> None:
    """Remove a segment's file, from either side; shared memory is left to its creator."""
    if place.is_file:
        with contextlib.suppress(OSError):
            Path(place.name).unlink()


def sweep() -> None:
    """Remove what processes that are gone have left behind, where that can be seen."""
    if sys.platform == "win32":  # which removes it by itself
        return
    for path in [*Path("/dev/shm").glob("soli-*-*"), *Path(scratch_folder()).glob("soli-*-*.layers")]:
        owner = path.name.split("-")[1]
        if owner.isdecimal() and not _is_alive(int(owner)):
            with contextlib.suppress(OSError):
                path.unlink()


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _prefix() -> str:
    return f"soli-{os.getpid()}-"


def _fits_in_memory(size: int) -> bool:
    """Whether /dev/shm has room (containers give it 64 MB; beyond that the process would be killed by a bus error)."""
    try:
        room = os.statvfs("/dev/shm")
    except (AttributeError, OSError):
        return True
    return size < room.f_bavail * room.f_frsize * 0.9


def _do_not_register(_name: object, _kind: str, /) -> None:
    pass
