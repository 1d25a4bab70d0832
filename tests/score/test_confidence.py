from dataclasses import replace

import numpy as np
import pytest
from performances import performed, piece
from synth import render

from soli.progress import finish
from soli.score.alignment import align, align_steps
from soli.score.confidence import sureness_steps
from soli.score.features import hear_steps, is_bell
from soli.score.notes import Note, Score, frequency_hz
from soli.signal.audio import Audio

GLOCKENSPIEL = 9
BAR = ((1.0, 1.0), (2.76, 0.6), (5.40, 0.35))  # the partials of a free bar, and how strong they are


def struck_bars(notes, rate=22050):
    """Tones of bars that are free at both ends: their partials are no harmonics."""
    samples = np.zeros(round((max(note.offset_s for note in notes) + 1.5) * rate), np.float32)
    time_s = np.arange(round(1.2 * rate)) / rate
    for note in notes:
        tone = sum(
            strength * np.exp(-2.5 * ratio * time_s) * np.sin(2 * np.pi * ratio * frequency_hz(note.pitch) * time_s)
            for ratio, strength in BAR
        )
        start = round(note.onset_s * rate)
        room = samples[start : start + len(tone)]
        room += 0.15 * np.asarray(tone, np.float32)[: len(room)]
    return Audio(samples[:, None], rate)


def rung(score):
    """The same piece for a glockenspiel, two octaves higher."""
    return Score(tuple(replace(note, pitch=note.pitch + 24, program=GLOCKENSPIEL) for note in score.notes))


def test_a_bell_is_known_by_its_fundamental():
    score = rung(piece(1, bars=6))
    audio = struck_bars(performed(score))
    alignment = align(audio, score)
    assert alignment.sure > 0.8
    as_piano = Score(tuple(replace(note, program=0) for note in score.notes))
    assert np.median(alignment.confidence) > np.median(align(audio, as_piano).confidence) + 0.1


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_score_of_another_piece_for_bells_does_not_fit(seed):
    audio = struck_bars(performed(rung(piece(1, bars=6))))
    assert align(audio, rung(piece(seed, bars=6))).sure < 0.5
    assert align(render(performed(piece(2, bars=6))), rung(piece(seed, bars=6))).sure < 0.5


def test_bells_are_those_whose_partials_are_no_harmonics():
    assert is_bell(GLOCKENSPIEL)
    assert is_bell(47)  # timpani
    assert not is_bell(0)
    assert not is_bell(15)  # the dulcimer has strings
    assert not is_bell(40)


def beaten(score, *, every_s=0.25):
    """The piece, and a drum that never rests."""
    first = len(score.notes)
    times = np.arange(0.0, score.duration_s, every_s).tolist()
    return Score(score.notes + tuple(Note(first + i, t, t + 0.1, 42, channel=9) for i, t in enumerate(times)))


def test_drums_do_not_make_another_piece_fit():
    audio = render(performed(beaten(piece(6, bars=6)), rubato=0.0))
    foreign = piece(7, bars=6)
    for score in (foreign, beaten(foreign)):
        alignment = align(audio, score)
        assert alignment.sure < 0.5
        assert "%" in alignment.warning
    assert align(audio, beaten(piece(6, bars=6))).sure > 0.5


def heard_and_aligned():
    score = piece(8, bars=4)
    audio = render(performed(score))
    hearing = finish(hear_steps(audio))
    return hearing, finish(align_steps(audio, score, hearing=hearing))


def test_sureness_falls_with_each_of_the_things_it_is_made_of():
    hearing, alignment = heard_and_aligned()
    notes, confidence = alignment.notes, alignment.confidence
    there = np.ones(len(notes), bool)
    whole = finish(sureness_steps(hearing, notes, confidence, there))
    assert whole == alignment.sure
    assert finish(sureness_steps(hearing, notes, confidence - np.float32(0.2), there)) < whole
    half = there.copy()
    half[::2] = False
    assert finish(sureness_steps(hearing, notes, confidence, half)) < whole
    elsewhere = tuple(replace(note, pitch=note.pitch + 1) for note in notes)
    assert finish(sureness_steps(hearing, elsewhere, confidence, there)) < whole
    assert finish(sureness_steps(hearing, notes, confidence, ~there)) < 0.01


def test_drums_alone_are_judged_by_themselves():
    hearing, alignment = heard_and_aligned()
    drums = tuple(replace(note, channel=9) for note in alignment.notes)
    there = np.ones(len(drums), bool)
    low, high = (finish(sureness_steps(hearing, drums, np.full(len(drums), c, np.float32), there)) for c in (0.2, 0.8))
    assert low < 0.1
    assert high > 0.9
