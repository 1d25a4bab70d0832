"""How much of the sound each note has, by the activations that a decomposition found."""

import numpy as np
from numpy.typing import NDArray

from soli.decompose.model import Factors

RANGE_DB = 40.0
_BLOCK = 2048


def note_energies(factors: Factors) -> dict[int, float]:
    """Mean square of the activation of each note over the frames in which it may sound, by its id.

    Components whose templates sum to one are added up; what several notes hold at once is shared as the layers are.
    """
    constraint, components = factors.constraint, factors.components
    entries, bodies = constraint.entries, constraint.bodies
    if len(components) == 0 or len(bodies) == 0:
        return {}
    voices = int(components.voice.max()) + 1
    energy: NDArray[np.float64] = np.zeros(len(bodies))
    for start in range(0, constraint.grid.frames, _BLOCK):
        frames = min(_BLOCK, constraint.grid.frames - start)
        rows = slice(entries.first[start], entries.first[start + frames])
        activation = np.zeros((voices, frames))
        np.add.at(activation, components.voice, factors.H[:, start : start + frames])
        cell = entries.voice[rows] * frames + (entries.frame[rows] - start)
        weight = entries.weight[rows].astype(np.float64)
        total = np.bincount(cell, weight, minlength=voices * frames)[cell]
        share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        energy += np.bincount(entries.body[rows], (share * activation.ravel()[cell]) ** 2, minlength=len(bodies))
    count = np.maximum(np.bincount(entries.body, minlength=len(bodies)), 1)
    ids, which = np.unique(bodies.note, return_inverse=True)
    sums, frames_of = np.bincount(which, energy), np.bincount(which, count)
    return {note: float(e) for note, e in zip(ids.tolist(), sums / frames_of, strict=True) if note >= 0}


def as_strengths(energies: dict[int, float]) -> dict[int, float]:
    """Energies as levels from 0, RANGE_DB below the loudest note, to 1."""
    loudest = max(energies.values(), default=0.0)
    if loudest <= 0:
        return dict.fromkeys(energies, 0.0)
    levels = 1 + 10 * np.log10(np.maximum(np.array(list(energies.values())) / loudest, 1e-12)) / RANGE_DB
    return dict(zip(energies, np.clip(levels, 0, 1).tolist(), strict=True))
