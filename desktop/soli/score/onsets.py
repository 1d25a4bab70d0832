"""Onsets against the sound of their own pitch: the evidence for a note, and its own place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.features import FLUX_S, LOWEST, Hearing, is_bell, pitches, speaking_s
from soli.score.notes import Note, Times
from soli.signal.audio import FloatArray

PARTIALS = ((0, 1.0), (12, 0.8), (19, 0.7), (24, 0.6), (28, 0.5), (31, 0.4), (34, 0.35), (36, 0.3))
_BLOCK = 2048
_NOTE_SPREAD_S = 0.015  # how far the notes of a chord lie apart, usually
_NOTE_REACH = 9  # frames either way that a note may leave its chord: 52 ms


def evidence(
    hearing: Hearing, notes: Sequence[Note], around_s: Times, away_s: NDArray[np.floating[Any]], *, semitones: int = 0
) -> FloatArray:
    """How the harmonics of each note rise at the times around_s (n,) + away_s (k,); float32, shape (n, k), 0..1.

    Of a bell it is the fundamental alone. With `semitones`, as if the notes were that much higher. Where the steps of
    `away_s` are wider than the frames, each takes the strongest rise it covers.
    """
    flux = hearing.flux
    bands = flux.shape[1]
    pitch = pitches(notes) + semitones
    drum = np.array([note.is_drum for note in notes], bool)
    bell = np.array([is_bell(note.program) for note in notes], bool)
    widest = away_s[1] - away_s[0] if len(away_s) > 1 else FLUX_S
    fold = max(1, round(float(widest) / FLUX_S))
    if fold > 1:
        parts = (np.arange(fold) - (fold - 1) / 2) * FLUX_S
        finer = evidence(hearing, notes, around_s, (away_s[:, None] + parts).ravel(), semitones=semitones)
        pooled: FloatArray = finer.reshape(len(notes), len(away_s), fold).max(axis=2)
        return pooled
    late_s = np.array([speaking_s(note) for note in notes])
    frames = np.round((around_s[:, None] + late_s[:, None] + away_s) / FLUX_S).astype(np.int64)
    np.clip(frames, 0, len(flux) - 1, out=frames)
    total = np.zeros(frames.shape, np.float32)
    weights = np.zeros(len(notes), np.float32)
    for interval, weight in PARTIALS:
        band = pitch + interval - LOWEST
        inside = (band >= 0) & (band < bands) & ~drum
        if interval:
            inside &= ~bell
        total[inside] += weight * flux[frames[inside], band[inside, None]]
        weights[inside] += weight
    if drum.any():
        total[drum] = flux[frames[drum]].mean(axis=2)
        weights[drum] = 0.5
    mean: FloatArray = np.divide(total, np.maximum(weights, 0.3)[:, None], dtype=np.float32)
    return mean


def placed_notes_steps(hearing: Hearing, notes: Sequence[Note], around_s: Times) -> Steps[Times]:
    """Each note's own onset near `around_s` (n,), in seconds of the recording; float64, (n,)."""
    placed_s = np.empty(len(notes))
    for start in range(0, len(notes), _BLOCK):
        part = slice(start, start + _BLOCK)
        placed_s[part] = _placed_notes(hearing, notes[part], around_s[part])
        yield Progress(start, len(notes), "Placing notes")
    return placed_s


def _placed_notes(hearing: Hearing, notes: Sequence[Note], around_s: Times) -> Times:
    # Every note's steps fall on frames, so that the rise need not be interpolated.
    late_s = np.array([speaking_s(note) for note in notes])
    centre_s = np.round((around_s + late_s) / FLUX_S) * FLUX_S - late_s
    steps = np.arange(-_NOTE_REACH, _NOTE_REACH + 1)
    away = (centre_s - around_s)[:, None] + steps * FLUX_S
    score = 8 * evidence(hearing, notes, centre_s, steps * FLUX_S) - 0.5 * (away / _NOTE_SPREAD_S) ** 2
    at = score.argmax(axis=1)
    rows = np.arange(len(notes))
    # The top of a parabola through the best frame and its neighbours.
    inner = np.clip(at, 1, len(steps) - 2)
    left, top, right = (score[rows, inner + d] for d in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = np.where((bend < -1e-6) & (at == inner), 0.5 * (left - right) / np.minimum(bend, -1e-6), 0)
    placed_s: Times = around_s + away[rows, at] + np.clip(shift, -0.5, 0.5) * FLUX_S
    return placed_s
