"""Arrays and sounds in a project file: cut into blocks, compressed without loss, and mistrusted when they are read.

Sound lies in FLAC blocks where it is on the grid of 16 or 24 bits, as recordings and the layers made of them are; what is not,
and arrays, as zlib over the bytes of equal weight put together. Each block carries its CRC-32. What a block claims to hold is
checked against what there is room and reason for before memory is asked for.
"""

import io
import json
import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress
from soli.project.storage import values
from soli.project.storage.values import rows
from soli.signal.audio import FloatArray

Stretches: TypeAlias = Callable[[int, int], FloatArray]

BLOCK_LENGTH = 2**17  # samples of a sound
_BLOCK_BYTES = 2**22  # of an array
MOST_BYTES = 2**29  # of all arrays of a project together, unless more is said
_MOST_CHANNELS = 64
_TIGHTEST = 1100  # zlib makes nothing smaller than this part
_LEVEL = 1
_THREADS = 2


class Budget:
    """How many bytes may still be asked for: the arrays of one project together have a bound."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._left = most

    def take(self, count: int) -> None:
        """Raises ValueError past the bound."""
        self._left -= count
        if self._left < 0:
            raise ValueError("it claims to hold more than fits into memory")


def write_array(db: sqlite3.Connection, name: str, array: NDArray[Any]) -> None:
    """Store an array of numbers of any shape under `name`, in its order in memory."""
    fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    flat = np.ascontiguousarray(array.T if fortran else array).reshape(-1)
    shape = json.dumps(array.shape)
    db.execute("INSERT INTO array VALUES (?, ?, ?, ?)", (name, array.dtype.newbyteorder("<").str, shape, fortran))
    step = _BLOCK_BYTES // array.itemsize
    for number, first in enumerate(range(0, len(flat), step)):
        _insert(db, name, number, "zlib", _packed(flat[first : first + step]))


def read_array(db: sqlite3.Connection, name: str, dtype: str, shape: Sequence[int | None], budget: Budget) -> NDArray[Any]:
    """The array `name`. Raises ValueError unless it is of `dtype` and `shape` (None: any length) and fits into the budget."""
    query = "SELECT dtype, shape, fortran FROM array WHERE name = ?"
    found = next(rows(db, query, values.text, values.text, bool, given=(name,)), None)
    if found is None:
        raise ValueError(f"{name} is missing")
    kind, (stored, claimed, fortran) = np.dtype(dtype).newbyteorder("<"), found
    lengths = json.loads(claimed)
    if stored != kind.str or not isinstance(lengths, list) or len(lengths) != len(shape):
        raise ValueError(f"{name} is of another kind")
    for length, wanted in zip(lengths, shape, strict=True):
        if values.count(length) != wanted and wanted is not None:
            raise ValueError(f"{name} is of another shape")
    size = int(np.prod([*lengths, 1], dtype=object))
    there = db.execute("SELECT coalesce(sum(length(data)), 0) FROM block WHERE name = ?", (name,)).fetchone()[0]
    if size * kind.itemsize > _TIGHTEST * values.count(there):
        raise ValueError(f"{name} claims to hold more than is there")
    budget.take(size * kind.itemsize)
    flat = np.empty(size, kind)
    step = _BLOCK_BYTES // kind.itemsize
    for number, first in enumerate(range(0, size, step)):
        piece = flat[first : first + step]
        codec, data = _block(db, name, number)
        if codec != "zlib":
            raise ValueError(f"{name} is in a format that is not known")
        piece[:] = _unpacked(data, piece.dtype, len(piece))
    native = flat.astype(kind.newbyteorder("="), copy=False)
    return native.reshape(lengths[::-1]).T if fortran else native.reshape(lengths)


def write_sound(
    db: sqlite3.Connection,
    name: str,
    signal: Stretches,
    rate: int,
    shape: tuple[int, ...],
    what: str,
    numbers: Sequence[int] | None = None,
    *,
    signs: bool = False,
) -> Iterator[Progress]:
    """Store a sound of `shape` (length, channels) under `name`; with `numbers`, replace those of its blocks.

    `signal` gives samples first to end, float32. `what` it is, for the reports. signs: zeros keep theirs, to the last bit.
    """
    length, channels = shape
    chosen = range(-(-length // BLOCK_LENGTH)) if numbers is None else numbers

    def packed(number: int) -> tuple[int, str, bytes]:
        return number, *_encoded(signal(number * BLOCK_LENGTH, min((number + 1) * BLOCK_LENGTH, length)), rate, signs=signs)

    for done, (number, codec, data) in enumerate(_ahead(packed, iter(chosen)), 1):
        _insert(db, name, number, codec, data)
        yield Progress(done, len(chosen), what)
    # What breaks off before is no sound.
    db.execute("INSERT OR REPLACE INTO sound VALUES (?, ?, ?, ?)", (name, rate, length, channels))


def sound_shape(db: sqlite3.Connection, name: str) -> tuple[int, int, int] | None:
    """Rate, length and channels that the sound `name` claims to have; None where there is none."""
    query = "SELECT rate, length, channels FROM sound WHERE name = ?"
    shape = next(rows(db, query, values.count, values.count, values.count, given=(name,)), None)
    return None if shape is None else (shape[0], shape[1], shape[2])


def read_sound(db: sqlite3.Connection, name: str, *, most_bytes: int, into: FloatArray | None = None) -> Iterator[FloatArray]:
    """The blocks of the sound `name` in order, float32 (samples, channels), as parts of `into` where that is given.

    Raises ValueError for what is no such sound.
    """
    claimed = sound_shape(db, name)
    if claimed is None:
        raise ValueError(f"{name} is missing")
    rate, length, channels = claimed
    blocks = -(-length // BLOCK_LENGTH)
    if not (1 <= channels <= _MOST_CHANNELS and 1 <= rate <= 10**7 and 0 < length * channels * 4 <= most_bytes):
        raise ValueError(f"{name} has a length that cannot be")
    if into is not None and into.shape != (length, channels):
        raise ValueError(f"{name} is of another length")
    if db.execute("SELECT count(*) FROM block WHERE name = ?", (name,)).fetchone()[0] != blocks:
        raise ValueError(f"parts of {name} are missing")

    def stored() -> Iterator[tuple[str, bytes, int, int]]:
        for first in range(0, length, BLOCK_LENGTH):
            yield *_block(db, name, first // BLOCK_LENGTH), first, min(BLOCK_LENGTH, length - first)

    def decoded(block: tuple[str, bytes, int, int]) -> FloatArray:
        codec, data, first, count = block
        samples = np.empty((count, channels), np.float32) if into is None else into[first : first + count]
        _decode(codec, data, samples, rate)
        return samples

    yield from _ahead(decoded, stored())


def remove(db: sqlite3.Connection, name: str) -> None:
    """Take a sound or an array out."""
    for table in ("array", "sound", "block"):
        db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))


def _insert(db: sqlite3.Connection, name: str, number: int, codec: str, data: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?)", (name, number, codec, zlib.crc32(data), data))


def _block(db: sqlite3.Connection, name: str, number: int) -> tuple[str, bytes]:
    query = "SELECT codec, crc, data FROM block WHERE name = ? AND number = ?"
    found = next(rows(db, query, values.text, values.whole, values.data, given=(name, number)), None)
    if found is None:
        raise ValueError(f"a part of {name} is missing")
    codec, crc, data = found
    if zlib.crc32(data) != crc:
        raise ValueError(f"a part of {name} has changed")
    return codec, data


def _packed(flat: NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(flat.astype(flat.dtype.newbyteorder("<"), copy=False))
    # Bytes of equal weight are alike from number to number.
    return zlib.compress(np.ascontiguousarray(little.view(np.uint8).reshape(-1, flat.itemsize).T).data, _LEVEL)


def _unpacked(data: bytes, dtype: "np.dtype[Any]", count: int) -> NDArray[Any]:
    size = count * dtype.itemsize
    work = zlib.decompressobj()
    try:
        raw = work.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError("a block cannot be unpacked") from error
    if len(raw) != size or not work.eof:
        raise ValueError("a block is of another length")
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, count)
    result: NDArray[Any] = np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
    return result


def _encoded(samples: FloatArray, rate: int, *, signs: bool) -> tuple[str, bytes]:
    import soundfile

    # FLAC knows no more channels, and no higher rates.
    if samples.shape[1] <= 8 and rate <= 655_350:
        scaled = samples * np.float32(2**23)
        whole = np.rint(scaled)
        # Whole numbers have no negative zero.
        lost = signs and bool((np.signbit(samples) & (samples == 0)).any())
        if not lost and np.array_equal(whole, scaled) and whole.min(initial=0) >= -(2**23) and whole.max(initial=0) < 2**23:
            integers = whole.astype(np.int32)
            coarse = not (integers & 0xFF).any()
            integers <<= 8
            file = io.BytesIO()
            soundfile.write(file, integers, rate, format="FLAC", subtype="PCM_16" if coarse else "PCM_24")
            return "flac", file.getvalue()
    return "zlib", _packed(np.ascontiguousarray(samples).reshape(-1))


def _decode(codec: str, data: bytes, samples: FloatArray, rate: int) -> None:
    """Fill `samples` with what a block holds."""
    import soundfile

    if codec == "zlib":
        samples[:] = _unpacked(data, np.dtype("<f4"), samples.size).reshape(samples.shape)
        if not np.isfinite(samples).all():
            raise ValueError("a sound holds values that are no numbers")
        return
    if codec != "flac":
        raise ValueError("a sound is in a format that is not known")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if (file.format, file.frames, file.channels, file.samplerate) != ("FLAC", *samples.shape, rate):
                raise ValueError("a block of sound is of another length")
            read = len(file.read(dtype="float32", always_2d=True, out=samples))
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise ValueError("a block of sound cannot be read") from error
    if read != len(samples):
        raise ValueError("a block of sound is cut off")


def _ahead(work: Any, items: Iterator[Any]) -> Iterator[Any]:
    """What `work` makes of the items, in order; a few at a time are being worked on."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Any]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
