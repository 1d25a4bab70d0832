"""A saved project -> its layers, without a window: those kept in it where they are still true, from a new run otherwise."""

from dataclasses import dataclass
from pathlib import Path

from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.project import pipeline, storage
from soli.project.pipeline import Separation
from soli.project.state import State


@dataclass(frozen=True, eq=False)
class Rendered:
    """A project, its layers, whether they were in it (`stored`) or had to be made, and what the user should be told."""

    state: State
    separation: Separation
    stored: bool
    warning: str = ""


def render_steps(project: Path, *, recording: Path | None = None, recompute: bool = False) -> Steps[Rendered]:
    """Open `project` and have its layers: those saved with it if it would sound the same now, unless asked to `recompute`.

    recording: where its recording is; needed where the project names one outside of its own folder, which is not followed.
    A run depends on nothing but the recording, the edits, the settings and their seed: on one machine it makes the same layers
    to the last bit. Raises ProjectError or InputError, in one sentence, when that cannot be done.
    """
    opened = yield from storage.open_steps(project, located=recording)
    if opened.state.audio is None and opened.warning:
        raise InputError(f"{opened.warning}; or name it with --recording FILE")
    pipeline.require_recording(opened.state)
    found = opened.separation
    stored = found is not None and not recompute and found.is_of(opened.state)
    if found is None or not stored:
        found = yield from pipeline.separate_steps(opened.state)
    yield Progress(1, 1, "Rendered")
    return Rendered(opened.state, found, stored, opened.warning)
