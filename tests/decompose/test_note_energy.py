"""Energies of notes: those of a naive look at every note, and louder for what is played louder."""

from dataclasses import replace

import numpy as np
import pytest
from synth import render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.model import decompose_steps
from soli.decompose.note_energy import as_strengths, note_energies
from soli.decompose.settings import ModelSettings
from soli.progress import finish
from soli.score.notes import Note


@pytest.fixture(scope="module")
def factors():
    notes = [Note(i, 0.2 + 0.5 * i, 0.6 + 0.5 * i, 60 + 5 * (i % 3), velocity=(30, 70, 120)[i % 3]) for i in range(9)]
    notes.append(Note(20, 1.1, 1.9, 65, velocity=50))  # beside others of its pitch
    audio = render(notes, 8000, seed=3)
    return finish(decompose_steps(audio, ScoreInformation(notes), ModelSettings(iterations=8)))


def test_energies_are_those_of_a_naive_look_at_every_note(factors):
    parts, bodies, grid = factors.components, factors.constraint.bodies, factors.grid
    voices = int(parts.voice.max()) + 1
    summed = np.stack([factors.H[parts.voice == voice].sum(axis=0) for voice in range(voices)])
    found = note_energies(factors)
    for body in range(len(bodies)):
        mine = np.arange(len(bodies)) == body
        share = factors.constraint.shares(mine)
        by_voice = np.stack([share[parts.voice == voice].max(axis=0) for voice in range(voices)])
        entries = factors.constraint.entries
        frames = entries.frame[entries.body == body]
        naive = float(((by_voice * summed) ** 2).sum() / len(frames))
        assert found[int(bodies.note[body])] == pytest.approx(naive, rel=1e-4)
    assert grid.frames == factors.H.shape[1]


def test_louder_notes_have_more_energy(factors):
    found = note_energies(factors)
    soft, loud = (np.mean([found[i] for i in range(9) if i % 3 == k]) for k in (0, 2))
    assert loud > 4 * soft


def test_strengths_run_from_0_to_1_in_decibels(factors):
    assert as_strengths({1: 4.0, 2: 0.04, 3: 0.0}) == pytest.approx({1: 1.0, 2: 0.5, 3: 0.0})
    assert as_strengths({}) == {}
    assert as_strengths({1: 0.0}) == {1: 0.0}
    found = note_energies(factors)
    strengths = as_strengths(found)
    order = sorted(found, key=found.__getitem__)
    assert [strengths[i] for i in order] == sorted(strengths.values())


def test_silence_has_no_energy(factors):
    silent = replace(factors, H=np.zeros_like(factors.H))
    assert set(note_energies(silent).values()) == {0.0}
