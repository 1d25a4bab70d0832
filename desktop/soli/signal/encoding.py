"""Sound into files, block by block: which forms there are, dither, and what they take on the disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from soli.errors import InputError
from soli.signal import maps
from soli.signal.library import FORMATS, as_library_name, reason
from soli.signal.ogg_serial import set_serial

Samples: TypeAlias = NDArray[np.float32]
IntSamples: TypeAlias = NDArray[np.int32]

# Container and subtype of libsndfile, and the suffix.
FORMS = {
    **FORMATS,
    "flac16": ("FLAC", "PCM_16", ".flac"),
    "ogg": ("OGG", "VORBIS", ".ogg"),
    "mp3": ("MP3", "MPEG_LAYER_III", ".mp3"),
}
BLOCK_LENGTH = 2**16  # samples: what is written before anyone can cancel
BITS = {"PCM_16": 16, "PCM_24": 24}
LARGEST_WAV = 2**32 - 2**12  # bytes: its sizes have 32 bits; beyond, it is RF64 (EBU Tech 3306), which has 64

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_MOST_CHANNELS = {"FLAC": 8, "OGG": 255, "MP3": 2}
_HIGHEST_RATE = {"FLAC": 655_350, "OGG": 192_000}
# Bytes a sample and channel, as measured on music; WAV is exact.
_TYPICAL_BYTES = {"PCM_16": 2.0, "PCM_24": 3.0, "FLOAT": 4.0, "VORBIS": 0.22, "MPEG_LAYER_III": 0.25}
_FLAC_SHARE = 0.65


def writable() -> list[str]:
    """Those of FORMS that the libsndfile of this computer writes."""
    import soundfile

    containers = soundfile.available_formats()
    return [
        form
        for form, (container, subtype, _) in FORMS.items()
        if container in containers and subtype in soundfile.available_subtypes(container)
    ]


def bits(form: str) -> int | None:
    """Bits of a sample of the forms that round to whole numbers; None for the others."""
    return BITS.get(FORMS[form][1])


def objection(form: str, rate: int, channels: int) -> str:
    """Why `form` cannot hold sound of `channels` at `rate` Hz, and what to do; "" when it can."""
    if form not in FORMS:
        return f"format {form!r} is not known; choose one of {', '.join(FORMS)}"
    container, _, suffix = FORMS[form]
    kind = suffix[1:].upper()
    if container == "MP3" and rate not in _MP3_RATES:
        return f"MP3 does not take {rate} Hz; choose 44100 or 48000 Hz, or another format"
    if rate > _HIGHEST_RATE.get(container, rate):
        return f"{kind} takes no more than {_HIGHEST_RATE[container]} Hz; choose a lower rate or another format"
    if channels > _MOST_CHANNELS.get(container, channels):
        return f"{kind} takes no more than {_MOST_CHANNELS[container]} channels, and there are {channels}; choose another format"
    return ""


def file_bytes(form: str, length: int, channels: int) -> int:
    """About how large a file of `length` samples and `channels` will be."""
    container, subtype, _ = FORMS[form]
    share = _FLAC_SHARE if container == "FLAC" else 1.0
    return 4096 + round(length * channels * _TYPICAL_BYTES[subtype] * share)


def quantised(samples: Samples, depth: int, *, rng: np.random.Generator | None = None) -> IntSamples:
    """`samples` (length, channels) rounded to `depth` bits, int32 with the bits on top, clipped at full scale.

    With `rng`, noise of triangular density over two steps is added before rounding: the error then has zero mean and a
    variance of a quarter of a step squared whatever the signal (S. Lipshitz, R. Wannamaker and J. Vanderkooy, "Quantization
    and dither", J. Audio Eng. Soc. 40, 1992). It is the same however a signal is cut into blocks.
    """
    steps = 2.0 ** (depth - 1)
    values = samples.astype(np.float64) * steps
    if rng is not None:
        noise = rng.random((*values.shape, 2))
        values += noise[..., 0] - noise[..., 1]
    whole = np.clip(np.rint(values), -steps, steps - 1).astype(np.int32)
    return whole << np.int32(32 - depth)


def needs_dither(samples: Samples, form: str, *, gain: float = 1.0) -> bool:
    """Whether rounding `samples`, float32 (length, channels), times `gain` would alter any of them.

    Those that lie on the grid of the form are written as they are.
    """
    depth = bits(form)
    if depth is None:
        return False
    steps = 2.0 ** (depth - 1) * gain
    for first in range(0, len(samples), BLOCK_LENGTH):
        values = samples[first : first + BLOCK_LENGTH].astype(np.float64) * steps
        maps.release(samples[first : first + BLOCK_LENGTH])
        if (values != np.rint(values)).any():
            return True
    return False


def encoded(
    path: Path,
    samples: Samples,
    rate: int,
    form: str,
    *,
    gain: float = 1.0,
    rng: np.random.Generator | None = None,
) -> Iterator[int]:
    """Write `samples` (length, channels) times `gain` to `path`; yields how many are written after each block.

    rng: dither for the forms of whole numbers, where it is needed. The same samples give the same bytes. Raises InputError when
    the place or the format cannot hold them.
    """
    import soundfile

    # libsndfile 1.2 ends the program where Vorbis does not take a rate.
    refused = objection(form, rate, samples.shape[1])
    if refused:
        raise InputError(refused)
    container, subtype, _ = FORMS[form]
    if container == "WAV" and file_bytes(form, *samples.shape) > LARGEST_WAV:
        container = "RF64"
    depth = bits(form)
    serial = 0
    noise = rng if rng is not None and needs_dither(samples, form, gain=gain) else None
    try:
        with soundfile.SoundFile(as_library_name(path), "w", rate, samples.shape[1], format=container, subtype=subtype) as file:
            for first in range(0, len(samples), BLOCK_LENGTH):
                block = samples[first : first + BLOCK_LENGTH]
                # Whatever made a zero, it is written as the same one.
                block = block * np.float32(gain) + np.float32(0)
                if container == "OGG":
                    serial = crc32(block.tobytes(), serial)
                file.write(block if depth is None else quantised(block, depth, rng=noise))
                maps.release(samples[first : first + BLOCK_LENGTH])
                yield min(first + BLOCK_LENGTH, len(samples))
        if container == "WAV":
            _forget_time(path)
        elif container == "OGG":
            set_serial(path, serial)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path.parent}: the sound cannot be written there ({reason(error)}); choose another folder or format"
        ) from error


def _forget_time(path: Path) -> None:
    """Zero the time of writing that libsndfile puts into the PEAK chunk: the same sound is then the same file."""
    with path.open("r+b") as file:
        at = 12
        while len(head := _bytes_at(file, at, 8)) == 8 and head[:4] != b"data":
            if head[:4] == b"PEAK":
                file.seek(at + 12)
                file.write(bytes(4))
                return
            size = int.from_bytes(head[4:], "little")
            at += 8 + size + size % 2


def _bytes_at(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
