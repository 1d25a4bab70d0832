"""The whole way of odd recordings and scores: layers that add up to the recording, or one sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth import melody, render

from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.project import pipeline
from soli.score import midi
from soli.score.notes import LONGEST_S, Note
from soli.signal import audio
from soli.signal.audio import LOUDEST, Audio

MUSIC = (*melody((72, 76), step_s=0.4, length_s=0.35), *melody((48,), length_s=0.75, first_id=10, track=1))
SOUND = render(MUSIC, 22050).samples


def of_channels(count: int) -> Audio:
    return Audio(np.repeat(SOUND, count, axis=1) * np.linspace(0.2, 1, count, dtype=np.float32), 22050)


PIECES = {
    **{f"{rate} Hz": lambda rate=rate: render(MUSIC, rate) for rate in (1000, 8000, 11025, 44100, 96000, 192_000)},
    **{f"{count} channels": lambda count=count: of_channels(count) for count in (2, 3, 6, 8, 64)},
    **{f"{n} samples": lambda n=n: Audio(SOUND[:n].copy(), 22050) for n in (1, 2, 100, 3000)},
    "silence": lambda: Audio(np.zeros((30000, 2), np.float32), 22050),
    "direct current": lambda: Audio(np.ones((30000, 1), np.float32), 22050),
    "noise": lambda: Audio(np.random.default_rng(0).uniform(-1, 1, (40000, 2)).astype(np.float32), 44100),
    "as loud as may be": lambda: Audio(SOUND * np.float32(LOUDEST / 0.81), 22050),
    "numbers of few digits": lambda: Audio(SOUND * np.float32(1e-40), 22050),
    "hardly any level": lambda: Audio(SOUND * np.float32(1e-20), 22050),
    "few digits after music": lambda: Audio(np.concatenate([SOUND, SOUND * np.float32(1e-40)]), 22050),
}


def separated(sound: Path, score: Path, *, align: bool) -> pipeline.Separation:
    opened = finish(pipeline.open_steps(sound, score, align=align))
    assert "\n" not in opened.warning
    return finish(pipeline.separate_steps(replace(opened.state, settings=ModelSettings(iterations=2))))


@pytest.mark.parametrize("align", [True, False], ids=["aligned", "placed"])
@pytest.mark.parametrize("name", PIECES)
def test_the_layers_of_any_recording_add_up_to_it(tmp_path, name, align):
    recording = PIECES[name]()
    audio.write(tmp_path / "a.wav", recording)
    midi.write(tmp_path / "a.mid", MUSIC, track_names=("right", "left"))
    try:
        separation = separated(tmp_path / "a.wav", tmp_path / "a.mid", align=align)
    except InputError as told:
        # Of next to no sound, no note is found.
        sentence = str(told)
        assert recording.length <= 100
        assert sentence.startswith("none of the notes is in the recording; ")
    else:
        assert separation.null_dbfs <= -200
        assert all(np.isfinite(signal).all() for signal in separation.signals.values())
        assert all(signal.shape == recording.samples.shape for signal in separation.signals.values())


@pytest.mark.parametrize(
    "notes",
    [
        [Note(0, 0.0, LONGEST_S - 1, 60)],
        [Note(0, 0.0, 0.0, 60)],
        [Note(i, 0.0, 1.0, 60) for i in range(500)],
        [Note(i, i * 1e-4, i * 1e-4 + 1, i % 128) for i in range(3000)],
        [Note(i, i * 0.4, i * 0.4 + 0.3, pitch) for i, pitch in enumerate((0, 127, 0, 127))],
        [Note(i, i * 0.1, i * 0.1 + 0.1, 60, channel=9) for i in range(8)],
    ],
    ids=["held for hours", "no length", "one chord", "a flood", "the ends of the keyboard", "drums alone"],
)
def test_the_layers_of_any_score_add_up_to_the_recording(tmp_path, notes):
    audio.write(tmp_path / "a.wav", Audio(SOUND.copy(), 22050))
    midi.write(tmp_path / "a.mid", notes)
    separation = separated(tmp_path / "a.wav", tmp_path / "a.mid", align=False)
    assert separation.null_dbfs <= -200
    assert all(np.isfinite(signal).all() for signal in separation.signals.values())
