"""What is known of instruments, and what it is good for."""

import numpy as np
import pytest
from synth import render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.constraints import Components
from soli.decompose.instruments import family
from soli.decompose.masking import separate_steps
from soli.decompose.model import decompose_steps
from soli.decompose.timbre import Timbre
from soli.progress import finish
from soli.score.notes import Note, frequency_hz
from soli.signal.audio import Audio
from soli.signal.spectrogram import Grid

RATE = 22050


@pytest.mark.parametrize(
    ("program", "name"),
    [(0, "piano"), (6, "piano"), (11, "bells"), (15, "plucked"), (25, "plucked"), (40, "sustained"), (73, "sustained")],
)
def test_programs_have_their_family(program: int, name: str) -> None:
    assert family(program).name == name
    assert family(program, is_drum=True).name == "drum"


def firmness(*programs: int, drums: bool = False) -> list[float]:
    """How firmly one template of each program is held, with the prior 1."""
    from soli.decompose.bodies import Part

    parts = (*(Part(program) for program in programs), *([Part(0, is_drum=True)] if drums else []))
    each = np.arange(len(parts))
    kind = np.where([part.is_drum for part in parts], 2, 0)
    components = Components(each, 60 + each, kind, 0 * each, each, parts)
    grid = Grid(RATE, RATE, 1024, 256)
    W = np.ones((grid.bins, len(parts)), np.float32)
    return Timbre.of(W, components, grid, strength=1.0).strength.tolist()


def test_templates_are_held_firmer_where_others_sound() -> None:
    alone, together = firmness(0)[0], firmness(0, 73)[0]
    assert together > alone > 0
    assert firmness(0, 73, drums=True)[0] > together
    assert firmness(0, drums=True)[1] == 0  # a drum is like no other


def bars(notes: list[Note], duration_s: float) -> np.ndarray:
    """Struck bars: partials at 1, 2.76 and 5.4 times the fundamental."""
    signal = np.zeros(round(duration_s * RATE), np.float32)
    for note in notes:
        time = np.arange(len(signal) - round(note.onset_s * RATE)) / RATE
        for ratio, level, fade_s in ((1.0, 0.3, 0.5), (2.76, 0.25, 0.3), (5.4, 0.2, 0.2)):
            wave = level * np.sin(2 * np.pi * ratio * frequency_hz(note.pitch) * time) * np.exp(-time / fade_s)
            signal[-len(time) :] += wave.astype(np.float32)
    return signal[:, None]


def test_bars_are_known_by_partials_that_no_string_has() -> None:
    mallets = [
        Note(i, 0.2 + 0.4 * i, 0.5 + 0.4 * i, pitch, layer=0, program=12) for i, pitch in enumerate((72, 76, 79, 72, 77, 76))
    ]
    flute = [
        Note(10 + i, 0.2 + 0.8 * i, 0.95 + 0.8 * i, pitch, layer=1, track=1, channel=1, program=73)
        for i, pitch in enumerate((69, 74, 71))
    ]
    struck, blown = bars(mallets, 3.2), 0.5 * render(flute, duration_s=3.2, sustained=True).samples
    audio = Audio(struck + blown, RATE)
    errors = []
    for program in (12, 24):
        called = [Note(n.id, n.onset_s, n.offset_s, n.pitch, layer=0, program=program) for n in mallets]
        factors = finish(decompose_steps(audio, ScoreInformation([*called, *flute])))
        signals = finish(separate_steps(audio, factors, [0, 1]))
        errors.append(float(np.square(signals[0] - struck).sum() / np.square(struck).sum()))
    assert errors[0] < 0.5 * errors[1]
