"""From a recording and its notes to factors: spectrogram, constraint, templates, factorisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soli.decompose import autoencoder, nmf, templates
from soli.decompose.bodies import MaskEdit, bodies
from soli.decompose.constraints import Components, Constraint, build
from soli.decompose.settings import ModelSettings
from soli.decompose.timbre import Timbre
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.score.notes import Note
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid, analyse

_BLOCK = 128


@dataclass(frozen=True, eq=False)
class Factors:
    """What a decomposition found.

    W (K, R), columns sum to one; H (R, N); float32. `losses`: the loss after each iteration. `encoder`: (R, K) of an
    autoencoder, else None. `constraint` says what each component is and which notes and layers sound in it.
    """

    W: FloatArray
    H: FloatArray
    constraint: Constraint
    settings: ModelSettings
    losses: tuple[float, ...] = ()
    encoder: FloatArray | None = None

    @property
    def grid(self) -> Grid:
        return self.constraint.grid

    @property
    def components(self) -> Components:
        return self.constraint.components


def decompose_steps(
    audio: Audio, notes: Sequence[Note], edits: Sequence[MaskEdit] = (), settings: ModelSettings | None = None
) -> Steps[Factors]:
    """Decompose a recording by its notes (in the recording's seconds) and the strokes of the mask brush.

    Raises InputError when nothing may sound anywhere, or the recording holds no numbers.
    """
    settings = settings or ModelSettings()
    grid = Grid.for_recording(audio.rate, audio.length)
    rng = np.random.default_rng(settings.seed)
    constraint = build(bodies(notes, edits, settings), grid, settings, rng=rng)
    V = yield from spectrogram_steps(audio, grid)
    W = templates.initial(constraint.components, grid, settings, rng=rng)
    timbre = None
    soft = settings.initialisation not in ("random", "activations") and settings.template_tolerance_cents is None
    if settings.prior > 0 and soft:
        timbre = Timbre.of(W, constraint.components, grid, strength=settings.prior)
    engine = autoencoder.factorize if settings.method == "nae" else nmf.factorize
    solution = yield from engine(V, W, constraint.H, settings=settings, timbre=timbre)
    return Factors(solution.W, solution.H, constraint, settings, solution.losses, solution.encoder)


def spectrogram_steps(audio: Audio, grid: Grid) -> Steps[FloatArray]:
    """Magnitudes of the recording: root mean square over the channels, float32, shape (K, N), frame order in memory."""
    V = np.empty((grid.bins, grid.frames), np.float32, order="F")
    for start in range(0, grid.frames, _BLOCK):
        stop = min(start + _BLOCK, grid.frames)
        block = V[:, start:stop]
        for channel in range(audio.channels):
            magnitude = np.abs(analyse(audio.samples[:, channel], grid, start, stop))
            if audio.channels == 1:
                block[...] = magnitude
            elif channel == 0:
                np.square(magnitude, out=block)
            else:
                block += np.square(magnitude)
        if audio.channels > 1:
            block /= audio.channels
            np.sqrt(block, out=block)
        if not np.isfinite(block.sum(dtype=np.float64)):
            raise InputError("The recording holds values that are no numbers (NaN or infinity); export it again")
        yield Progress(start, grid.frames, "Analysing")
    return V
