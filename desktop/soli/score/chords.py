"""The chords of the score, each at its place: a search over their onsets, what sounds between them, and the tempo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.dtw import IntArray
from soli.score.features import FLUX_S, SPECTRA_S, Hearing, decay_s, is_struck, spectra_of
from soli.score.notes import Note, TimeMap, Times
from soli.score.onsets import evidence
from soli.signal.audio import FloatArray

_BLOCK = 256
_SWELLING_TRUST = 0.4


@dataclass(frozen=True, slots=True)
class Search:
    """How finely and how far to look for a chord, and what speaks for a place."""

    frame_s: float
    reach_s: float
    onset_weight: float
    sound_weight: float  # a second of sound that is as it should be
    looseness: float  # how far neighbours may move apart, against their distance


SEARCHES = (Search(0.02, 0.8, 6.0, 15.0, 0.15), Search(FLUX_S, 0.15, 8.0, 20.0, 0.05))


@dataclass(frozen=True, eq=False)
class Chords:
    """Notes that begin together in the score, in order.

    begin_s: (E,) score seconds; member: (n,) the chord of each note; order: (n,) note indices, chord by chord; first: (E + 1,)
    where each chord begins in `order`; last: (n,) the chord before whose beginning each note has sounded.
    """

    begin_s: Times
    member: IntArray
    order: IntArray
    first: IntArray
    last: IntArray

    def __len__(self) -> int:
        return len(self.begin_s)


def chords_of(notes: Sequence[Note], *, together_s: float = 0.01) -> Chords:
    """Group notes whose onsets lie within `together_s` of the first of them."""
    onset_s = np.array([note.onset_s for note in notes], np.float64)
    order = np.argsort(onset_s, kind="stable")
    member = np.zeros(len(notes), np.int64)
    begin_s: list[float] = []
    for i in order.tolist():
        if not begin_s or onset_s[i] - begin_s[-1] > together_s:
            begin_s.append(float(onset_s[i]))
        member[i] = len(begin_s) - 1
    first = np.searchsorted(member[order], np.arange(len(begin_s) + 1))
    ends = np.searchsorted(begin_s, [note.sounding_offset_s - 0.02 for note in notes])
    return Chords(np.array(begin_s), member, order, first, np.maximum(ends, member + 1))


def sounding_spectra(notes: Sequence[Note], chords: Chords, picked: IntArray, time_map: TimeMap) -> FloatArray:
    """What sounds from each of the chords numbered by `picked`, in order, to the next, by the score.

    float32, shape (len(picked), COLUMNS), rows like Hearing.spectra.
    """
    begin_s = time_map.to_recording(chords.begin_s)
    middle_s = np.append((begin_s[1:] + begin_s[:-1]) / 2, begin_s[-1] + 0.3)
    # Only those that sound: there may be hours of others.
    near = np.flatnonzero((chords.member <= picked[-1]) & (chords.last > picked[0]))
    notes, member, spans = [notes[i] for i in near.tolist()], chords.member[near], (chords.last - chords.member)[near]
    note_of = np.repeat(np.arange(len(near)), spans)
    event = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans) + member[note_of]
    row = np.full(len(chords), -1)
    row[picked] = np.arange(len(picked))
    asked = row[event] >= 0
    note_of, event = note_of[asked], event[asked]
    fade_s = np.array([decay_s(is_struck(note.program)) for note in notes])
    loud = np.array([not note.is_drum for note in notes], np.float32)
    age_s = np.maximum(middle_s[event] - begin_s[member[note_of]], 0)
    roll = np.zeros((len(picked), 128), np.float32)
    pitch = np.array([note.pitch for note in notes], np.int64)
    np.add.at(roll, (row[event], pitch[note_of]), loud[note_of] * np.exp(-age_s / fade_s[note_of]).astype(np.float32))
    return spectra_of(roll)


def placed_chords_steps(
    hearing: Hearing,
    notes: Sequence[Note],
    chords: Chords,
    picked: IntArray,
    time_map: TimeMap,
    *,
    search: Search,
    fixed: NDArray[np.bool_],
) -> Steps[Times]:
    """The likeliest places of the chords numbered by `picked`, each near where `time_map` puts it.

    A Viterbi search: a place is good where the harmonics of its chord rise and where the sound up to the next place is like
    what the score says sounds; neighbours should move alike. A `fixed` chord stays where the map has it.
    Returns seconds of the recording, float64, a value a picked chord, never falling; `fixed` is bool, as long.
    """
    expected_s = time_map.to_recording(chords.begin_s[picked])
    reach = round(search.reach_s / search.frame_s)
    away: Times = np.arange(-reach, reach + 1) * np.float64(search.frame_s)
    steps = np.arange(len(away))
    apart_s: Times = np.arange(-2 * reach, 2 * reach + 1) * np.float64(search.frame_s)
    against = np.zeros(len(apart_s))
    from_to = sliding_window_view(against, len(away))[:, ::-1]
    drawn = sounding_spectra(notes, chords, picked, time_map)
    common = hearing.spectra[:: max(1, len(hearing.spectra) // 500)] @ drawn[:: max(1, len(drawn) // 200)].T
    baseline = float(np.median(common))
    count = len(picked)
    came_from = np.zeros((count, len(away)), np.int16)
    best = np.zeros(len(away))
    sofar, origin = np.zeros(2), 0
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        onsets = search.onset_weight * _chord_evidence(
            hearing, notes, chords, picked[start:stop], around_s=expected_s[start:stop], away_s=away
        )
        for e in range(start, stop):
            place_s = expected_s[e] + away
            here = onsets[e - start] - 0.5 * (away / (0.6 * search.reach_s)) ** 2
            if fixed[e]:
                here[away != 0] -= 1e4
            if e == 0:
                best = here
            else:
                ioi = float(expected_s[e] - expected_s[e - 1])
                # By how far they move apart: what speaks against it depends on that alone.
                np.square(apart_s / (0.01 + search.looseness * ioi), out=against)
                against *= -0.5
                against[apart_s < -0.7 * ioi] -= 1e3
                change = from_to + best
                came_from[e] = change.argmax(axis=1)
                best = change[steps, came_from[e]] + here + _sound_until(sofar, origin, place_s)
                best -= best.max()
            last = expected_s[e + 1] if e + 1 < count else expected_s[e] + 1.0
            origin = int((place_s[0]) / SPECTRA_S) - 1
            end = int((last + away[-1]) / SPECTRA_S) + 2
            inside = np.clip(np.arange(origin, end), 0, len(hearing.spectra) - 1)
            likeness = hearing.spectra[inside] @ drawn[e] - baseline
            sofar = search.sound_weight * SPECTRA_S * np.cumsum(likeness, dtype=np.float64)
            # What sounds from here on begins at this place, so what came before it counts for nothing.
            best = best - _sound_until(sofar, origin, place_s)
        yield Progress(stop, count, "Placing chords")
    chosen = np.empty(count, np.int64)
    chosen[-1] = best.argmax()
    for e in range(count - 1, 0, -1):
        chosen[e - 1] = came_from[e, chosen[e]]
    return np.maximum.accumulate(expected_s + away[chosen])


def _chord_evidence(
    hearing: Hearing, notes: Sequence[Note], chords: Chords, picked: IntArray, *, around_s: Times, away_s: Times
) -> FloatArray:
    members = np.concatenate([chords.order[chords.first[c] : chords.first[c + 1]] for c in picked.tolist()])
    sizes = chords.first[picked + 1] - chords.first[picked]
    heard = evidence(hearing, [notes[i] for i in members.tolist()], np.repeat(around_s, sizes), away_s)
    # A swelling tone tells its onset less plainly than a struck one.
    heard *= np.array([1.0 if is_struck(notes[i].program) else _SWELLING_TRUST for i in members.tolist()], np.float32)[:, None]
    starts = np.cumsum(sizes) - sizes
    summed: FloatArray = np.add.reduceat(heard, starts, axis=0) / np.sqrt(sizes, dtype=np.float32)[:, None]
    return summed


def _sound_until(sofar: Times, origin: int, place_s: Times) -> Times:
    sounded: Times = np.interp(place_s, (np.arange(len(sofar)) + origin + 0.5) * SPECTRA_S, sofar)
    return sounded
