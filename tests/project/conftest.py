"""A small piece for two hands, as files and as a state that is ready to decompose."""

from pathlib import Path

import pytest
from synth import melody, render

from soli.decompose.settings import ModelSettings
from soli.progress import finish
from soli.project import pipeline
from soli.project.pipeline import Separation
from soli.project.state import State
from soli.score import midi
from soli.signal import audio

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
