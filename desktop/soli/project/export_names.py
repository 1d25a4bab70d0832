"""Names of exported files: from a pattern, good on every system, and no two alike."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from soli.errors import InputError
from soli.project.state import State

LONGEST_NAME = 100  # bytes: systems take 255, and numbers and suffixes follow
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"{port}{i}" for port in ("com", "lpt") for i in "123456789¹²³")}
# What may stand in braces in a pattern, and what it becomes.
TOKENS = {
    "project": "the name of the project, or of the piece where it is not saved yet",
    "layer": "the layer, the note, or what else is in the file",
    "index": "the number of the file: 01, 02 …",
    "bpm": "the tempo of the recording, where the score says its beats",
    "rate": "the sample rate in Hz",
}
PATTERN = "{layer}"


def file_name(name: str) -> str:
    """`name` as a file name that every system takes: no separators, no control signs, no reserved words, not too long."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>:"/\\|?*]', "_", name).strip(" .")
    name = name.encode()[:LONGEST_NAME].decode(errors="ignore").strip(" .")
    # Windows takes CON.wav for the device CON, and CON.x.wav too.
    head, dot, rest = name.partition(".")
    return f"{head}_{dot}{rest}" if not name or head.rstrip().casefold() in RESERVED else name


def numbered(names: Sequence[str], *, taken: Iterable[str] = ()) -> list[str]:
    """The names, with a number behind those that a system may hold for one that stands before, or for one of `taken`."""
    seen, result = {_key(name) for name in taken}, []
    for name in names:
        candidate, number = name, 2
        while _key(candidate) in seen:
            candidate, number = f"{name} {number}", number + 1
        seen.add(_key(candidate))
        result.append(candidate)
    return result


def check_pattern(pattern: str) -> None:
    """Raise InputError, in one sentence, for a pattern that names something unknown or nothing at all."""
    unknown = [token for token in re.findall(r"\{([^{}]*)\}", pattern) if token not in TOKENS]
    if unknown:
        raise InputError(f"the pattern has {{{unknown[0]}}}; choose from {', '.join(f'{{{token}}}' for token in TOKENS)}")
    if re.search(r"[{}]", re.sub(r"\{\w+\}", "", pattern)):
        raise InputError("the pattern has a brace without its partner; write tokens like {layer}")
    if not pattern.strip():
        raise InputError("the pattern is empty; write one like {layer}")


def from_pattern(pattern: str, layers: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Names without suffix of files that hold `layers`, in order. `values`: what the other tokens become.

    Where the tokens do not tell the files apart, numbers do. Raises InputError for a pattern that cannot be used.
    """
    check_pattern(pattern)
    digits = max(2, len(str(len(layers))))
    names = []
    for index, layer in enumerate(layers, 1):
        known = {**values, "layer": layer, "index": f"{index:0{digits}}"}
        filled = re.sub(r"\{(\w+)\}", lambda token, known=known: known.get(token[1], ""), pattern)  # type: ignore[misc]
        # A token that has nothing to say leaves no gap.
        names.append(file_name(re.sub(r"  +", " ", filled)))
    return numbered(names)


def beats_per_minute(state: State) -> float | None:
    """The tempo of the recording: the median over the beats of the score; None where there are none."""
    lengths_s = np.diff([beat.time_s for beat in state.beats()])
    lengths_s = lengths_s[lengths_s > 1e-3]
    return 60.0 / float(np.median(lengths_s)) if len(lengths_s) else None


def project_name(state: State) -> str:
    """What {project} becomes where the project has no file yet: the recording's name."""
    if state.recording_path is not None:
        return state.recording_path.stem
    return state.score.title if state.score is not None and state.score.title else "recording"


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
