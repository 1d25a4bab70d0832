"""Which pitch a partial belongs to: combs of harmonics are held against the rows of the log spectrogram.

After A. Camacho and J. G. Harris, "A sawtooth waveform inspired pitch estimator for speech and music" (JASA 124, 2008): what
stands out at the harmonics of a candidate speaks for it, what stands between them against it.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray
from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH, ROWS, ROWS_PER_SEMITONE
from soli.signal.picture import ByteArray

Pitches: TypeAlias = NDArray[np.float64]

HIGHEST_PARTIAL = 8  # a stroke lies on one of so many
_COMB = 12
_DECAY = 0.8  # weight of a harmonic, as a part of that of the one below
_LOUDNESS = 0.2
_HIGH_PARTIAL = 0.1  # what an octave between stroke and fundamental costs: people point at low partials
_BETWEEN = np.array([1 / 3, 1 / 2, 2 / 3])  # where the harmonics of a fundamental an octave or a twelfth lower would lie
_SILENT = 0.1


@dataclass(frozen=True, slots=True)
class FoundPitch:
    """A fundamental (MIDI number) that explains a partial; `partial` is the number of that one, 1 for the fundamental."""

    pitch: int
    partial: int
    score: float


def partial_pitches(pitch: float, count: int) -> Pitches:
    """Where the first `count` harmonics of a pitch lie, as fractional MIDI numbers; float64, shape (count,)."""
    return pitch + 12 * np.log2(np.arange(1, count + 1))


def find_pitch(columns: ByteArray, near: float) -> FoundPitch | None:
    """The pitch that best explains what sounds at `near`, a fractional MIDI number; None where nothing sounds there.

    `columns` are some of a LogSpectrogram, uint8, shape (ROWS, n). Candidates are the pitches that have one of their first
    HIGHEST_PARTIAL harmonics within half a semitone of the loudest row at `near`. The work grows with n alone.
    """
    if columns.shape[1] == 0 or not LOWEST_PITCH - 0.5 <= near <= HIGHEST_PITCH + 0.5:
        return None
    loudness = np.asarray(columns.mean(axis=1, dtype=np.float32) / 255, np.float32)
    ridge, level = _ridge(loudness, near)
    if level < _SILENT:
        return None
    offsets = partial_pitches(0.0, HIGHEST_PARTIAL)
    found = [
        FoundPitch(pitch, partial, score * (1 - _HIGH_PARTIAL * np.log2(partial)))
        for partial, pitch in enumerate(np.rint(ridge - offsets).astype(int).tolist(), 1)
        if pitch >= LOWEST_PITCH and (score := _comb(loudness, pitch)) > 0
    ]
    return max(found, key=lambda candidate: candidate.score, default=None)


def _ridge(loudness: FloatArray, near: float) -> tuple[float, float]:
    """Pitch and level of the loudest row within half a semitone."""
    row, reach = round(float(_row(np.array(near)))), ROWS_PER_SEMITONE // 2
    first = min(max(0, row - reach), ROWS - 1)
    best = first + int(loudness[first : max(first, row + reach) + 1].argmax())
    return LOWEST_PITCH - 0.5 + (best + 0.5) / ROWS_PER_SEMITONE, float(loudness[best])


def _comb(loudness: FloatArray, pitch: int) -> float:
    """How well the harmonics of a pitch stand out of what lies between them."""
    harmonics = partial_pitches(pitch, _COMB)
    peak = np.maximum.reduce([_level(loudness, harmonics, rows) for rows in (-1, 0, 1)])
    between = 12 * np.log2(np.arange(_COMB + 1)[:, None] + _BETWEEN)
    valley = _level(loudness, pitch + between).mean(axis=1)
    stands_out = peak - (valley[:-1] + valley[1:]) / 2 + _LOUDNESS * peak
    weight = _DECAY ** np.arange(_COMB) * (harmonics <= HIGHEST_PITCH + 0.5)
    return float(weight @ stands_out)


def _level(loudness: FloatArray, pitches: Pitches, rows: int = 0) -> Pitches:
    """Loudness at some pitches, moved by some rows; 0 outside the spectrogram."""
    row = np.rint(_row(pitches)).astype(np.int64) + rows
    return np.where((row >= 0) & (row < ROWS), loudness[np.clip(row, 0, ROWS - 1)], 0.0)


def _row(pitches: Pitches) -> Pitches:
    return (pitches - LOWEST_PITCH + 0.5) * ROWS_PER_SEMITONE - 0.5
