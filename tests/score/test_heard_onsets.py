"""Onsets are found where something begins, and nowhere else."""

import os
from pathlib import Path

import numpy as np
import pytest
from synth import melody, render

from soli.progress import finish
from soli.score import midi
from soli.score.features import hear_steps
from soli.score.heard_onsets import heard_onsets
from soli.signal import audio
from soli.signal.audio import Audio

EVAL = Path(os.environ.get("SOLI_EVAL", Path(__file__).resolve().parents[3] / "shared" / "eval"))


def onsets_of(recording):
    return heard_onsets(recording, finish(hear_steps(recording)))


def away(times, from_times):
    """How far each time lies from the nearest of others."""
    return np.abs(np.subtract.outer(np.asarray(times), np.asarray(from_times))).min(axis=1)


def test_a_melody_begins_where_its_notes_do():
    notes = melody([60, 64, 67, 72, 62, 65], step_s=0.4)
    notes = tuple(type(n)(n.id, n.onset_s + 0.3, n.offset_s + 0.3, n.pitch) for n in notes)
    found = onsets_of(render(notes))
    assert len(found) == len(notes)
    assert away([n.onset_s for n in notes], found).max() < 0.005


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_where_nothing_changes_nothing_begins(level):
    time = np.arange(44100) / 22050
    tone = level * np.sin(2 * np.pi * 440 * time) * np.minimum(1, time / 0.5)
    found = onsets_of(Audio(tone.astype(np.float32)[:, None], 22050))
    assert found.dtype == np.float64
    assert len(found[found > 0.6]) == 0


@pytest.mark.parametrize("length", [0, 1, 100, 4000])
def test_onsets_lie_in_the_recording_however_short_it_is(length):
    noise = np.random.default_rng(0).standard_normal((length, 2)).astype(np.float32)
    found = onsets_of(Audio(noise, 22050))
    assert (np.diff(found) > 0).all()
    assert ((found >= 0) & (found < max(length, 1) / 22050)).all()


@pytest.mark.skipif(not EVAL.is_dir(), reason="the pieces with a known truth are not beside the checkout")
def test_the_chords_of_a_rag_are_found_and_little_else():
    piece = EVAL / "joplin_maple_leaf"
    found = onsets_of(audio.read(piece / "mix.flac"))
    true = np.unique([note.onset_s for note in midi.read(piece / "performance.mid").notes])
    assert (away(true, found) < 0.03).mean() > 0.97
    assert (away(found, true) < 0.03).mean() > 0.97
    assert np.median(away(true, found)) < 0.008
