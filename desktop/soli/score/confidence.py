"""How well the sound supports each note, and the whole."""

from collections.abc import Sequence

import numpy as np

from soli.progress import Progress, Steps
from soli.score.features import BANDS, FLUX_S, LOWEST, SPECTRA_S, Hearing, pitches
from soli.score.notes import Note, Times
from soli.score.onsets import evidence
from soli.signal.audio import FloatArray

_STRANGE = (-6, -5, -2, -1, 1, 2, 3, 6)  # semitones away from a note, where its own harmonics are not
_BLOCK = 1024
_SUSTAIN = ((0, 1.0), (12, 0.6), (19, 0.4))


def confidences_steps(hearing: Hearing, notes: Sequence[Note]) -> Steps[FloatArray]:
    """How well the sound supports notes placed in the recording; float32, shape (n,), 0..1.

    Onset and sustained energy at a note's harmonics are held against the same at pitches nearby that the score does not
    have sounding there; so neither loudness nor instrument nor room decides.
    """
    confidence = np.zeros(len(notes), np.float32)
    for start in range(0, len(notes), _BLOCK):
        some = notes[start : start + _BLOCK]
        onset_s = np.array([note.onset_s for note in some])
        drum = np.array([note.is_drum for note in some], bool)
        away = np.arange(-2, 4) * FLUX_S
        onset = evidence(hearing, some, onset_s, away).max(axis=1)
        strange = [
            evidence(hearing, some, onset_s, away, semitones=semitones).max(axis=1) + _sustained(hearing, some, semitones)
            for semitones in _STRANGE
        ]
        support = onset + _sustained(hearing, some, 0) - np.median(strange, axis=0)
        support[drum] = 2 * onset[drum]
        confidence[start : start + _BLOCK] = 1 / (1 + np.exp(-8 * (support - 0.25)))
        yield Progress(start, len(notes), "Weighing")
    return confidence


def sureness(confidence: FloatArray) -> float:
    """How sure it is that score and recording are the same piece, 0..1, from the confidence, (n,), of the notes that are there.

    The right score has a mean of 0.55 or more, another piece, bent to fit, one of 0.3 or less.
    """
    if not len(confidence):
        return 0.0
    return float(1 / (1 + np.exp(-25 * (float(confidence.mean()) - 0.42))))


def _sustained(hearing: Hearing, notes: Sequence[Note], semitones: int) -> Times:
    """How strongly the harmonics of each note, `semitones` higher, stand out in its first 0.5 s; shape (n,)."""
    pitch = pitches(notes) + semitones
    start = np.array([note.onset_s + 0.04 for note in notes]) / SPECTRA_S
    stop = np.array([min(max(note.sounding_offset_s, note.onset_s + 0.08), note.onset_s + 0.5) for note in notes]) / SPECTRA_S
    frames = np.round(start[:, None] + (stop - start)[:, None] * np.linspace(0, 1, 6)).astype(np.int64)
    np.clip(frames, 0, len(hearing.spectra) - 1, out=frames)
    total, weights = np.zeros(len(pitch)), np.zeros(len(pitch))
    for interval, weight in _SUSTAIN:
        band = pitch + interval - LOWEST
        inside = (band >= 0) & (band < BANDS)
        total[inside] += weight * hearing.spectra[frames[inside], band[inside, None]].mean(axis=1)
        weights[inside] += weight
    return total / np.maximum(weights, 0.4)
