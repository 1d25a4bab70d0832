"""Which hand of a pianist plays which note, where the score does not say."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soli.score.notes import Note

CHORD_S = 0.045  # what begins within that is struck together
PLACES = np.arange(30.0, 97.0, 2.0)  # where the middle of a hand may lie, in MIDI pitches
REACH = 6.0  # semitones to either side that a hand plays without moving
PER_SEMITONE, BEYOND_REACH = 0.2, 1.0  # what a note costs by its way from the middle of the hand
MOVING, PAUSE_S = 1.5, 0.25  # what a hand pays for a semitone of way; half of it after such a pause
APART, NEARNESS = 12.0, 0.2  # hands lie an octave apart, and pay for each semitone that is missing
HOMES, HOMING = (50.0, 70.0), 0.02  # where a hand that has nothing to do drifts to

Costs = NDArray[np.float32]


def left_hand(notes: Sequence[Note]) -> frozenset[int]:
    """Ids of the notes that the left hand plays.

    The middles of both hands are followed through the piece: a hand moves as little as it can, reaches about an octave, and
    lies below or above the other. Of all ways for both of them the cheapest is found (Viterbi), and each note is played by the
    hand that is nearer. Hands that cross are not told apart. Takes some 0.2 ms a chord.
    """
    chords = _chords(notes)
    if not chords:
        return frozenset()
    middles = _middles(chords)
    return frozenset(n.id for chord, middle in zip(chords, middles, strict=True) for n in chord if n.pitch < middle)


def _chords(notes: Sequence[Note]) -> list[list[Note]]:
    chords: list[list[Note]] = []
    for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch, n.id)):
        if chords and note.onset_s - chords[-1][0].onset_s <= CHORD_S:
            chords[-1].append(note)
        else:
            chords.append([note])
    return chords


def _note_costs() -> Costs:
    """What a note of each pitch costs with the hands at each pair of places, shape (128, left places, right places)."""
    way = np.abs(np.arange(128.0)[:, None] - PLACES)
    cost = PER_SEMITONE * way + BEYOND_REACH * np.maximum(0.0, way - REACH)
    return np.minimum(cost[:, :, None], cost[:, None, :]).astype(np.float32)


def _pair_costs() -> Costs:
    """What it costs to have the hands at each pair of places at all, shape (left places, right places)."""
    left, right = PLACES[:, None], PLACES[None, :]
    cost = NEARNESS * np.maximum(0.0, APART - (right - left))
    cost += HOMING * (np.abs(left - HOMES[0]) + np.abs(right - HOMES[1]))
    return np.where(right > left, cost, 1e3).astype(np.float32)


def _middles(chords: Sequence[Sequence[Note]]) -> list[float]:
    """The pitch halfway between the hands at each chord."""
    count, notes, pairs = len(PLACES), _note_costs(), _pair_costs()
    ways = np.abs(PLACES[:, None] - PLACES).astype(np.float32)
    moved_left = np.zeros((len(chords), count, count), np.int8)
    moved_right = np.zeros_like(moved_left)
    best, before_s = np.zeros((count, count), np.float32), -np.inf
    for i, chord in enumerate(chords):
        way = ways * np.float32(MOVING / (1.0 + (chord[0].onset_s - before_s) / PAUSE_S))
        before_s = chord[0].onset_s
        # The hands move one after the other, which costs the same as both at once.
        from_left = best[:, None, :] + way[:, :, None]
        moved_left[i] = from_left.argmin(axis=0)
        from_right = from_left.min(axis=0)[:, :, None] + way[None, :, :]
        moved_right[i] = from_right.argmin(axis=1)
        best = from_right.min(axis=1) + notes[[n.pitch for n in chord]].sum(axis=0) + pairs
        best -= best.min()  # only differences matter, and sums without end would lose them
    left, right = (int(place) for place in np.unravel_index(best.argmin(), best.shape))
    middles = []
    for i in range(len(chords) - 1, -1, -1):
        middles.append(float(PLACES[left] + PLACES[right]) / 2.0)
        right = int(moved_right[i, left, right])
        left = int(moved_left[i, left, right])
    return middles[::-1]
