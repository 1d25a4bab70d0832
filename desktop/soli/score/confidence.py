"""How well the sound supports each note, and the whole."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.features import BANDS, FLUX_S, LOWEST, SILENCE, SPECTRA_S, Hearing, drawn_spectra, is_bell, pitches
from soli.score.notes import Note, Times
from soli.score.onsets import evidence
from soli.signal.audio import FloatArray

_STRANGE = (-6, -5, -2, -1, 1, 2, 3, 6)  # semitones away from a note, where its own harmonics are not
_BLOCK = 1024
_RATE = 10.0  # spectra a second that are held against the score
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


def sureness_steps(hearing: Hearing, notes: Sequence[Note], confidence: FloatArray, there: NDArray[np.bool_]) -> Steps[float]:
    """How sure it is that score and recording are the same piece, 0..1.

    notes: placed in the recording, with the confidence (n,) of each, and whether it is there (n,). Another piece, bent to
    fit, has notes that are borne out as well; but it leaves out much of the score, or of the sound. So three things count
    of the notes with a pitch: their confidence, how many of them are there, and how much of what is heard they are. Drums
    fit almost any rhythm, and count only where there is nothing else.
    """
    drum = np.array([note.is_drum for note in notes], bool)
    if drum[there].all():
        heard = float(confidence[there].mean()) if there.any() else 0.0
        return _logistic(25 * (heard - 0.42))
    likeness = yield from _likeness_steps(hearing, [notes[i] for i in np.flatnonzero(there & ~drum).tolist()])
    together = float(confidence[there & ~drum].mean()) + 0.85 * likeness + 0.55 * float(there[~drum].mean())
    # Scores on recordings of their own come to 1.5 and more, on others to 1.26 at most.
    return _logistic(14 * (together - 1.29))


def _likeness_steps(hearing: Hearing, notes: Sequence[Note]) -> Steps[float]:
    """How alike the recording and the notes are, 0..1: the mean cosine of heard and drawn spectra wherever anything sounds."""
    at = np.minimum((np.arange(int(hearing.duration_s * _RATE)) / _RATE / SPECTRA_S).astype(np.int64), len(hearing.spectra) - 1)
    times_s = np.array([(note.onset_s, note.sounding_offset_s) for note in notes])
    total, sounding = 0.0, 0
    for start in range(0, len(at), _BLOCK):
        heard = hearing.spectra[at[start : start + _BLOCK]]
        sounds = heard[:, SILENCE] == 0
        first_s, end_s = start / _RATE, (start + _BLOCK) / _RATE
        near = np.flatnonzero((times_s[:, 0] < end_s) & (times_s[:, 1] > first_s))
        if len(near):
            drawn = drawn_spectra([notes[i] for i in near.tolist()], times_s[near] - first_s, len(heard), _RATE)
            total += float((heard * drawn).sum(axis=1)[sounds].sum())
        sounding += int(sounds.sum())
        yield Progress(start, len(at), "Weighing")
    return total / max(sounding, 1)


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _sustained(hearing: Hearing, notes: Sequence[Note], semitones: int) -> Times:
    """How strongly the harmonics of each note, `semitones` higher, stand out in its first 0.5 s; shape (n,)."""
    pitch = pitches(notes) + semitones
    bell = np.array([is_bell(note.program) for note in notes], bool)
    start = np.array([note.onset_s + 0.04 for note in notes]) / SPECTRA_S
    stop = np.array([min(max(note.sounding_offset_s, note.onset_s + 0.08), note.onset_s + 0.5) for note in notes]) / SPECTRA_S
    frames = np.round(start[:, None] + (stop - start)[:, None] * np.linspace(0, 1, 6)).astype(np.int64)
    np.clip(frames, 0, len(hearing.spectra) - 1, out=frames)
    total, weights = np.zeros(len(pitch)), np.zeros(len(pitch))
    for interval, weight in _SUSTAIN:
        band = pitch + interval - LOWEST
        inside = (band >= 0) & (band < BANDS)
        if interval:
            inside &= ~bell
        total[inside] += weight * hearing.spectra[frames[inside], band[inside, None]].mean(axis=1)
        weights[inside] += weight
    return total / np.maximum(weights, 0.4)
