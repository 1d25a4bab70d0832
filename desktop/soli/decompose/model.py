"""From a recording and its notes to factors: spectrogram, constraint, templates, factorisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soli.decompose import autoencoder, nmf, templates
from soli.decompose.bodies import MaskEdit, bodies
from soli.decompose.channels import analyse_steps
from soli.decompose.constraints import Components, Constraint, Kind, build
from soli.decompose.settings import ModelSettings
from soli.decompose.timbre import Timbre
from soli.progress import Steps
from soli.score.notes import Note
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid

_TONES_HZ = 11_000.0


@dataclass(frozen=True, eq=False)
class Factors:
    """What a decomposition found.

    W (K, R) and H (R, N), float32: the model WH of the middle of the channels; columns of W sum to one over the bins solved.
    `side` (K, R): the templates of what stands out of the middle, None where nothing does. `losses`: the loss after each
    iteration. `encoder` (R, K) of an autoencoder, else None. `constraint` says what each component is and who sounds in it.
    """

    W: FloatArray
    H: FloatArray
    constraint: Constraint
    settings: ModelSettings
    losses: tuple[float, ...] = ()
    side: FloatArray | None = None
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
    V = yield from analyse_steps(audio, grid)
    W = templates.initial(constraint.components, grid, settings, rng=rng)
    solved = _solved_bins(constraint, settings)
    low, high = slice(0, solved), slice(solved, grid.bins)
    engine = autoencoder.factorize if settings.method == "nae" else nmf.factorize
    prior = _prior(W[low], constraint, settings, low)
    solution = yield from engine(V.middle[low], W[low], constraint.H, settings=settings, timbre=prior)
    H = solution.H
    learnt = np.empty((grid.bins, len(constraint.components)), np.float32, order="F")
    learnt[low] = solution.W
    if solved < grid.bins:
        scale = np.maximum(W[low].sum(axis=0), np.float32(1e-6))
        start = W[high] / scale
        prior = _prior(start, constraint, settings, high)
        learnt[high] = yield from nmf.learn_templates(V.middle[high], start, H, settings=settings, timbre=prior)
    side = None
    if V.side is not None:
        prior = _prior(learnt, constraint, settings, slice(None))
        side = yield from nmf.learn_templates(V.side, learnt, H, settings=settings, timbre=prior)
    encoder = None
    if solution.encoder is not None:
        encoder = np.zeros(learnt.shape[::-1], np.float32)
        encoder[:, low] = solution.encoder
    return Factors(learnt, H, constraint, settings, solution.losses, side, encoder)


def _solved_bins(constraint: Constraint, settings: ModelSettings) -> int:
    """How many bins activations are found in: what is above says little of a tone, but much of a cymbal."""
    drums = (constraint.components.kind == Kind.DRUM).any()
    highest_hz = settings.solve_to_hz or (np.inf if drums else _TONES_HZ)
    return int(np.searchsorted(constraint.grid.frequencies_hz(), highest_hz, side="right"))


def _prior(W: FloatArray, constraint: Constraint, settings: ModelSettings, bins: slice) -> Timbre | None:
    """What holds templates near W, where the settings ask for it and W says something."""
    soft = settings.initialisation not in ("random", "activations") and settings.template_tolerance_cents is None
    if not soft or settings.prior <= 0:
        return None
    return Timbre.of(W, constraint.components, constraint.grid, strength=settings.prior, bins=bins)
