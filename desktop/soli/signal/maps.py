"""Arrays that need not fit into memory: large ones lie in files without a name, of which the system keeps in memory what is used.

Hours of sound are many times the memory of a computer that plays them well.
"""

import mmap
import os
import shutil
import tempfile
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soli.files import scratch_folder

LARGEST_IN_MEMORY = 256 * 2**20  # bytes of one array
SPARE_BYTES = 2**30  # that are left to others on the disk


def zeros(shape: tuple[int, ...], *, order: Literal["C", "F"] = "C") -> NDArray[np.float32]:
    """Zeros, float32; of more than LARGEST_IN_MEMORY bytes in a file, which goes with the array, where the disk has room."""
    size = 4 * prod(shape)
    if is_mapped(size):
        try:
            mapped = _mapped(size)
        except (OSError, ValueError):  # the disk has filled up meanwhile, or takes no maps
            return np.zeros(shape, np.float32, order)
        return np.frombuffer(mapped, np.float32).reshape(shape, order=order)
    return np.zeros(shape, np.float32, order)


def is_mapped(size: int) -> bool:
    """Whether an array of so many bytes would lie in a file."""
    return LARGEST_IN_MEMORY < size <= room_bytes()


def room_bytes() -> int:
    """How much the files of large arrays may take now."""
    try:
        return max(0, shutil.disk_usage(scratch_folder()).free - SPARE_BYTES)
    except OSError:
        return 0


def release(array: NDArray[np.float32]) -> None:
    """Let the system take the memory of `array`, contiguous, for something else: it is not needed soon, and stays what it is."""
    owner: object = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if not isinstance(owner, mmap.mmap) or not hasattr(owner, "madvise") or not array.size:
        return
    begin = np.frombuffer(owner, np.uint8).ctypes.data
    # The pages at both ends may hold something else too; of a file that is shared nothing is lost.
    first = (array.ctypes.data - begin) // mmap.PAGESIZE * mmap.PAGESIZE
    owner.madvise(mmap.MADV_DONTNEED, first, array.ctypes.data + array.nbytes - begin - first)


def _mapped(size: int) -> mmap.mmap:
    with tempfile.TemporaryFile(dir=scratch_folder(), prefix="soli-") as file:
        # Reserved, not merely declared: where the disk is full this fails, and not the one who writes.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return mmap.mmap(file.fileno(), size)
