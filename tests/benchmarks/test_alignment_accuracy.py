"""How near the notes come to their places, on pieces with a known truth, and how memory grows with the length."""

import tracemalloc
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from synth import melody, render

from soli.score import midi
from soli.score.alignment import align
from soli.score.notes import Score
from soli.signal.audio import read

EVAL = Path(__file__).parents[3] / "shared" / "eval"


def by_pitch(notes):
    onsets = defaultdict(list)
    for note in notes:
        onsets[note.pitch].append(note.onset_s)
    return {pitch: np.sort(times) for pitch, times in onsets.items()}


@pytest.mark.parametrize(
    ("name", "mean_ms", "over_50_percent"), [("joplin_maple_leaf", 7.5, 1.0), ("schumann_dichterliebe2", 11.0, 2.0)]
)
def test_notes_lie_where_they_sound(name, mean_ms, over_50_percent):
    folder = EVAL / name
    if not folder.is_dir():
        pytest.skip(f"needs the pieces with a known truth in {EVAL}, which are not here")
    alignment = align(read(folder / "mix.flac"), midi.read(folder / "score.mid"))
    found, truth = by_pitch(alignment.notes), by_pitch(midi.read(folder / "performance.mid").notes)
    assert {pitch: len(times) for pitch, times in found.items()} == {pitch: len(times) for pitch, times in truth.items()}
    assert alignment.gaps == ()
    assert not alignment.absent
    off_ms = np.concatenate([np.abs(found[pitch] - truth[pitch]) for pitch in truth]) * 1000
    assert off_ms.mean() <= mean_ms
    assert 100 * (off_ms > 50).mean() <= over_50_percent


def test_memory_grows_with_the_length_and_no_faster():
    def peak_bytes(count):
        pitches = np.random.default_rng(0).integers(48, 84, count)
        notes = melody(pitches.tolist(), step_s=0.25, length_s=0.2)
        audio = render(notes)
        tracemalloc.start()
        try:
            align(audio, Score(notes))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_bytes(40)  # the imports
    assert peak_bytes(400) < 4.5 * peak_bytes(100)
