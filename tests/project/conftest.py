"""A small piece for two hands, as files and as a state that is ready to decompose."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from synth import melody, render

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import pipeline, storage
from soli.project.autosave import Autosave
from soli.project.pipeline import Loaded, Separation
from soli.project.state import RESIDUAL, Layer, State
from soli.score import midi
from soli.score.alignment import Alignment
from soli.score.notes import Beat, KeySignature, Note, Pedal, Score, TimeMap
from soli.signal import audio
from soli.signal.audio import Audio

RIGHT = melody((72, 76, 79, 76), step_s=0.4, length_s=0.35)
LEFT = melody((48, 43), step_s=0.8, length_s=0.75, first_id=10, track=1)
QUICK = ModelSettings(iterations=4)


@pytest.fixture(scope="session")
def piece(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Recording (24 bits, as most are) and score."""
    folder = tmp_path_factory.mktemp("piece")
    audio.write(folder / "song.wav", render([*RIGHT, *LEFT], channels=2), "wav24")
    midi.write(folder / "song.mid", [*RIGHT, *LEFT], track_names=("right", "left"))
    return folder / "song.wav", folder / "song.mid"


@pytest.fixture(scope="session")
def state(piece: tuple[Path, Path]) -> State:
    from dataclasses import replace

    opened = finish(pipeline.open_steps(*piece, align=False)).state
    return replace(opened, settings=QUICK)


@pytest.fixture(scope="session")
def separation(state: State) -> Separation:
    return finish(pipeline.separate_steps(state))


def open_project(path: Path) -> Loaded:
    return finish(storage.open_steps(path))


@pytest.fixture
def full(tmp_path: Path) -> State:
    """A state with something in every field, its recording beside where the project will lie."""
    rng = np.random.default_rng(3)
    audio.write(tmp_path / "song.wav", Audio(rng.uniform(-1, 1, (400, 2)).astype(np.float32), 22050))
    scored = (Note(0, 0.0, 1.0, 60, 70, 1, 2, 3, 1.5), Note(1, 0.1, 1.0 / 3, 64), Note(2, 2.0, 2.0, 36, channel=9))
    notes = {
        0: replace(scored[0], onset_s=0.1, layer=1),
        1: replace(scored[1], offset_s=2 / 3),
        7: Note(7, 5.0, 6.0, 127, 1, after_s=1 / 3),
    }
    score = Score(
        scored,
        ("Flöte", "", "left"),
        (Beat(0.0, 1, 1), Beat(0.5, 1, 2)),
        (Pedal(2, 0.5, 1.5),),
        "Walzer Nr. 1 ♯",
        (KeySignature(0.0, -2), KeySignature(0.5, 3)),
    )
    time_map = TimeMap(np.array([0.0, 1.0, 2.5]), np.array([-0.1, 1.2, 2.9]))
    confidence = np.array([0.25, 0.5, 0.1], np.float32)
    return State(
        recording_path=(tmp_path / "song.wav").resolve(),
        audio=audio.read(tmp_path / "song.wav"),
        score_path=(tmp_path / "song.mid").resolve(),
        score=score,
        # The user has moved note 0 and deleted note 2, which the alignment had called absent.
        alignment=Alignment(time_map, (scored[0], notes[1], scored[2]), confidence, 0.75, -12.5, frozenset({2})),
        anchors=((0.5, 0.6), (1 / 3, 1.0)),
        notes=MappingProxyType(notes),
        absent=frozenset({1}),
        mask=(MaskEdit(60, 0.1, 0.2, allow=True, layer=1), MaskEdit(61, 0.3, 1 / 3, allow=False)),
        template_limits=MappingProxyType({60: TemplateLimit(harmonics=3), 61: TemplateLimit(tolerance_cents=1 / 3 + 20)}),
        layers=(Layer(1, "Flöte", "#5ABBF8", hidden=True, templates=4), Layer(0, "a/b 🎻", "#F4828F", locked=True)),
        strips=MappingProxyType({1: Strip(-6.5, 0.25, muted=True), RESIDUAL: Strip(float("-inf"), -1.0, soloed=True)}),
        settings=ModelSettings(method="nae", iterations=7, beta=0.5, before_s=None, after_s=0.3, harmonics=20, seed=2**63 - 1),
    )


def rewrite(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "autosave"


@pytest.fixture
def keeper(place: Path):
    built = Autosave(place, delay_s=0.01)
    yield built
    built.close()
