"""Recordings as float32 arrays: read, write, resample."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.files import beside, check_readable
from soli.memory import memory_bytes
from soli.progress import Progress, Steps, finish
from soli.signal import maps
from soli.signal.encoding import encoded
from soli.signal.library import as_library_name, reason

if TYPE_CHECKING:
    from soundfile import SoundFile

FloatArray: TypeAlias = NDArray[np.float32]

READABLE = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".w64", ".rf64", ".au", ".caf")

# What is taken for a recording.
LOWEST_RATE, HIGHEST_RATE = 1000, 768_000  # Hz
MOST_CHANNELS = 64
_QUIETEST = 1e-30  # a recording that stays below, in numbers of few digits, is silent
LOUDEST = 1000.0  # 60 dB beyond full scale: louder sound leaves float32 too few digits for what lies at full scale
_BLOCK_LENGTH = 2**20  # samples: what is read before anyone can cancel
_LAST_LENGTH = 2**12  # of those near where a file breaks off
_LARGEST_SHARE = 0.25  # of memory or disk: the layers of a recording take as much again, each


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording. `samples` is float32, shape (length, channels), read-only; `rate` is in hertz."""

    samples: FloatArray
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"samples must be float32 (length, channels), not {self.samples.dtype} {self.samples.shape}")
        self.samples.flags.writeable = False

    @property
    def length(self) -> int:
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        return self.length / self.rate

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the samples and the rate, the same whatever file format holds them."""
        digest = hashlib.sha256(str((self.rate, *self.samples.shape)).encode())
        for start in range(0, self.length, _BLOCK_LENGTH):
            block = self.samples[start : start + _BLOCK_LENGTH]
            digest.update(np.ascontiguousarray(block).data)
            maps.release(block)
        return digest.hexdigest()

    def peak(self) -> float:
        """The highest sample, positive or negative, linear."""
        highest = 0.0
        for start in range(0, self.length, _BLOCK_LENGTH):
            block = self.samples[start : start + _BLOCK_LENGTH]
            highest = max(highest, float(block.max()), -float(block.min()))
            maps.release(block)
        return highest

    def mono(self) -> FloatArray:
        """Mean of the channels, float32, shape (length,)."""
        return self.samples[:, 0] if self.channels == 1 else mean_of_channels(self.samples)


def mean_of_channels(samples: FloatArray) -> FloatArray:
    """The mean over the last axis of (length, channels), float32, shape (length,).

    Channel by channel: along so short an axis numpy's own mean takes many times as long.
    """
    total = samples[:, 0].astype(np.float32)
    for channel in range(1, samples.shape[1]):
        total += samples[:, channel]
    total /= np.float32(samples.shape[1])
    return total


def read(path: Path) -> Audio:
    """Read a whole recording at one go; see `read_steps`."""
    return finish(read_steps(path))


def read_steps(path: Path) -> Steps[Audio]:
    """Read a whole recording (WAV, FLAC, OGG, MP3, AIFF ...; any rate, any channel count).

    Raises InputError, in one sentence, when the file is missing, no sound file, empty, beyond the bounds above or this
    computer's memory, or holds NaN. A file that breaks off is read as far as it goes.
    """
    what = f"Reading {path.name}"
    yield Progress(0, 1, what, place=path)
    import soundfile

    check_readable(path, "choose a recording (WAV, FLAC, OGG, MP3 or AIFF)")
    try:
        with soundfile.SoundFile(as_library_name(path)) as file:
            if file.format == "RAW":
                # What the library makes of a file without a header whose suffix it knows.
                raise InputError(f"{path.name}: not a recording; choose a WAV, FLAC, OGG, MP3 or AIFF file")
            rate = int(file.samplerate)
            if objection := size_objection(rate, int(file.channels), int(file.frames)):
                raise InputError(f"{path.name}: {objection}")
            samples = maps.zeros((int(file.frames), int(file.channels)))
            length, low, high = 0, np.float32(0), np.float32(0)
            for block in _blocks(file, path, samples):
                # Of a NaN both are NaN.
                low, high = np.minimum(low, block.min()), np.maximum(high, block.max())
                length += len(block)
                maps.release(block)
                yield Progress(length, len(samples), what, place=path)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError, MemoryError) as error:
        raise InputError(
            f"{path.name}: not a recording that can be read ({reason(error)}); choose a WAV, FLAC, OGG, MP3 or AIFF file"
        ) from error
    if length == 0:
        raise InputError(f"{path.name}: the recording is empty; choose another file")
    peak = max(-float(low), float(high))
    if not np.isfinite(peak):
        raise InputError(f"{path.name}: the recording holds values that are no numbers (NaN or infinity); export it again")
    if peak > LOUDEST:
        raise InputError(
            f"{path.name}: the recording goes {20 * np.log10(peak):.0f} dB beyond full scale; normalise it and export it again"
        )
    if length < len(samples):
        # Fewer samples than the header told of: without the room that was made for them, which may be more than there is memory.
        there = maps.zeros((length, samples.shape[1]))
        there[:] = samples[:length]
        samples = there
    if peak < _QUIETEST:
        samples[:] = 0
    return Audio(samples, rate)


def _blocks(file: "SoundFile", path: Path, samples: FloatArray) -> Iterator[FloatArray]:
    """The blocks of a recording as they are read into `samples`, to its end or to where it is broken."""
    import soundfile

    length = 0
    try:
        while (block := file.read(dtype="float32", always_2d=True, out=samples[length : length + _BLOCK_LENGTH])).size:
            length += len(block)
            yield block
    except soundfile.SoundFileError:
        # The block in which it breaks off, in small pieces.
        with soundfile.SoundFile(as_library_name(path)) as again:
            again.seek(length)
            first = length
            with suppress(soundfile.SoundFileError):
                while len(block := again.read(dtype="float32", always_2d=True, out=samples[length : length + _LAST_LENGTH])):
                    length += len(block)
        if length == 0:
            raise
        if length > first:
            yield samples[first:length]


def write(path: Path, audio: Audio, form: str = "wav32f") -> None:
    """Write `audio` in one of `library.FORMATS`, beside its final name first and renamed when whole.

    Formats of whole numbers round to the nearest step and clip at full scale. Raises InputError when the place or the format
    cannot hold it.
    """
    try:
        with beside(path) as partial:
            for _ in encoded(partial, audio.samples, audio.rate, form):
                pass
    except OSError as error:
        raise InputError(
            f"{path.parent}: the sound cannot be written there ({reason(error)}); choose another folder or format"
        ) from error


def size_objection(rate: int, channels: int, length: int) -> str:
    """Why a recording of `length` samples cannot be worked with here, without its name; "" where it can."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return f"a sample rate of {rate} Hz cannot be used; export it with 44100 or 48000 Hz"
    if channels > MOST_CHANNELS:
        return f"{channels} channels are more than {MOST_CHANNELS}; export it as stereo"
    size, memory = 4 * channels * length, memory_bytes()
    room = maps.room_bytes() if size > maps.LARGEST_IN_MEMORY else 0
    if size <= _LARGEST_SHARE * max(memory, room):
        return ""
    there = f"{memory / 1e9:.0f} GB of memory" + (f" and {room / 1e9:.0f} GB of disk" if room else "")
    return (
        f"{length / rate / 3600:.1f} hours of sound take {size / 1e9:.1f} GB, too much beside all else for the {there} here; "
        "cut it into pieces or export it as mono"
    )


def resample(samples: FloatArray, rate: int, to_rate: int) -> FloatArray:
    """`samples` (length,) or (length, channels) at `to_rate`, float32; the same array when the rates agree."""
    return finish(resample_steps(samples, rate, to_rate))


def resample_steps(samples: FloatArray, rate: int, to_rate: int) -> Steps[FloatArray]:
    """What `resample` does, of long signals a part at a time."""
    if rate == to_rate:
        return samples
    import soxr

    resampled: FloatArray
    if samples.nbytes <= maps.LARGEST_IN_MEMORY:
        resampled = soxr.resample(samples, rate, to_rate, quality="HQ")
        return resampled
    channels = samples.shape[1] if samples.ndim > 1 else 1
    stream, there = soxr.ResampleStream(rate, to_rate, channels, dtype="float32", quality="HQ"), 0
    resampled = maps.zeros((len(samples) * to_rate // rate + _BLOCK_LENGTH, *samples.shape[1:]))
    for start in range(0, len(samples), _BLOCK_LENGTH):
        block = samples[start : start + _BLOCK_LENGTH]
        part = stream.resample_chunk(block, last=start + len(block) == len(samples))
        resampled[there : there + len(part)] = part
        maps.release(block)
        maps.release(resampled[there : there + len(part)])
        there += len(part)
        yield Progress(start, len(samples), "Changing the sample rate")
    return resampled[:there]
