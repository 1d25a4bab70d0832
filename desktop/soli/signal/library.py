"""What libsndfile is told, and what it answers."""

import os
from pathlib import Path

# Forms that keep a recording as it is.
FORMATS = {
    "wav32f": ("WAV", "FLOAT", ".wav"),
    "wav24": ("WAV", "PCM_24", ".wav"),
    "wav16": ("WAV", "PCM_16", ".wav"),
    "flac": ("FLAC", "PCM_24", ".flac"),
}


def as_library_name(path: Path) -> str | bytes:
    """A name as soundfile takes it: as bytes where a name may hold any, for it would refuse those beyond UTF-8."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def reason(error: BaseException) -> str:
    """What went wrong with a file, as part of a sentence."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).strip().rstrip(".")
