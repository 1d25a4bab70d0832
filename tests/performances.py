"""Pieces, how players play them, and what holds of every alignment."""

from dataclasses import replace

import numpy as np
from synth import melody

from soli.score.notes import Note, Score, TimeMap, warped


def piece(seed=0, bars=10, step_s=0.5):
    """A two-part piece: a melody and chords under it."""
    rng = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    upper = 60 + scale[rng.integers(0, 7, 4 * bars)] + 12 * rng.integers(0, 2, 4 * bars)
    notes = list(melody(upper.tolist(), step_s=step_s, length_s=0.9 * step_s))
    for bar in range(2 * bars):
        root = int(rng.integers(0, 7))
        for third in range(3):
            pitch = 48 + int(scale[(root + 2 * third) % 7])
            begin_s = 2 * bar * step_s
            notes.append(Note(0, begin_s, begin_s + 1.8 * step_s, pitch, track=1, channel=1))
    notes.sort(key=lambda note: (note.onset_s, note.pitch))
    return Score(tuple(replace(note, id=i) for i, note in enumerate(notes)))


def performed(score, *, tempo=1.0, lead_s=1.0, rubato=0.15, spread_s=0.0, seed=1):
    """The notes where a player puts them: a wandering tempo, and each note off by up to `spread_s`."""
    rng = np.random.default_rng(seed)
    knots = np.arange(0, score.duration_s + 3, 1.0)
    pace = tempo * np.exp(rubato * np.convolve(rng.standard_normal(len(knots) + 2), np.ones(3) / 3, "valid"))
    played = TimeMap(knots, lead_s + np.concatenate([[0], np.cumsum(pace)[:-1]]))
    off = rng.uniform(-spread_s, spread_s, len(score.notes))
    return tuple(
        replace(note, onset_s=note.onset_s + d, offset_s=note.offset_s + d)
        for note, d in zip(warped(score.notes, played), off, strict=True)
    )


def errors(alignment, truth):
    return np.abs([found.onset_s - note.onset_s for found, note in zip(alignment.notes, truth, strict=True)])


def assert_sound(alignment, score):
    """What holds of every alignment, however bad the input."""
    assert [replace(n, onset_s=0, offset_s=0, pedal_s=0) for n in alignment.notes] == [
        replace(n, onset_s=0, offset_s=0, pedal_s=0) for n in score.notes
    ]
    times = np.array([(n.onset_s, n.offset_s, n.pedal_s) for n in alignment.notes]).reshape(-1, 3)
    assert np.isfinite(times).all()
    assert (times >= 0).all()
    assert (times[:, 1] > times[:, 0]).all()
    assert (np.diff(alignment.time_map.recording_s) > 0).all()
    assert (np.diff(alignment.time_map.score_s) > 0).all()
    assert alignment.confidence.shape == (len(score.notes),)
    assert alignment.confidence.dtype == np.float32
    assert ((alignment.confidence >= 0) & (alignment.confidence <= 1)).all()
    assert 0 <= alignment.sure <= 1
    assert alignment.absent <= {n.id for n in score.notes}
