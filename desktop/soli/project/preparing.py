"""A recording and its score, ready to be separated into files; what cannot be done is told before hours are spent on it."""

from dataclasses import replace
from pathlib import Path

from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.project import export, pipeline
from soli.project.estimating import estimate, objection
from soli.project.pipeline import LONG_S, Loaded
from soli.project.state import State
from soli.signal import encoding


def prepared_steps(
    recording: Path,
    score: Path,
    folder: Path,
    *,
    settings: ModelSettings,
    order: export.Order,
    layers: str = "",
    align: bool = True,
) -> Steps[Loaded]:
    """Read both, and see that memory and disk hold what comes of them; then find the notes of the score in the recording.

    Files as `order` says will go to `folder`. Raises InputError where something cannot be read, or is too much for this computer.
    """
    opened = yield from pipeline.open_recording_steps(recording)
    begun = replace(opened.state, settings=settings)
    rough = yield from pipeline.place_score_steps(begun, score, align=False, layers=layers)
    check_room(rough.state, folder, order)
    expected = estimate(rough.state)
    if expected.seconds >= LONG_S:
        yield Progress(0, 2, f"Separating will take {expected.in_words}")
    placed, seconds = rough, {**opened.seconds}
    if align and rough.state.score is not None:
        placed = yield from pipeline.align_score_steps(begun, rough.state.score, score, layers=layers)
    for stage in (rough, placed) if placed is not rough else (rough,):
        for name, spent in stage.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + spent
    warning = "; ".join(text for text in (opened.warning, placed.warning) if text)
    return Loaded(placed.state, warning, seconds)


def check_room(state: State, folder: Path, order: export.Order) -> None:
    """Raise InputError, in one sentence, where this computer does not hold the run, or the disk of `folder` its files."""
    recording = pipeline.require_recording(state)
    refused = objection(state, estimate(state)) or encoding.objection(
        order.form, order.rate or recording.rate, recording.channels
    )
    if refused:
        raise InputError(refused)
    length = round(recording.length * (order.rate or recording.rate) / recording.rate)
    each = encoding.file_bytes(order.form, length, recording.channels)
    export.check_space(folder, each * (len(state.layers) + 1))
