"""From a recording and its notes to factors: spectrogram, constraint, templates, factorisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from soli.decompose import autoencoder, nmf, templates
from soli.decompose.bodies import NO_LIMITS, MaskEdit, bodies
from soli.decompose.channels import analyse_steps
from soli.decompose.constraints import Components, Constraint, Kind, build
from soli.decompose.settings import ModelSettings
from soli.decompose.start import Start, warm
from soli.decompose.template_limit import TemplateLimit
from soli.decompose.timbre import FADE, Timbre
from soli.progress import Progress, Steps, relayed
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
    `joined`: the channels cancel in the middle, which stands for them by their root mean square. `origin`: what the whole run
    found, where edits have been refitted since.
    """

    W: FloatArray
    H: FloatArray
    constraint: Constraint
    settings: ModelSettings
    losses: tuple[float, ...] = ()
    side: FloatArray | None = None
    encoder: FloatArray | None = None
    joined: bool = False
    origin: "Factors | None" = None

    @property
    def grid(self) -> Grid:
        return self.constraint.grid

    @property
    def components(self) -> Components:
        return self.constraint.components


def decompose_steps(
    audio: Audio,
    notes: Sequence[Note],
    edits: Sequence[MaskEdit] = (),
    settings: ModelSettings | None = None,
    *,
    limits: Mapping[int, TemplateLimit] = NO_LIMITS,
    start: Factors | None = None,
) -> Steps[Factors]:
    """Decompose a recording by its notes (in the recording's seconds) and the strokes of the mask brush.

    limits: what the templates of some pitches may be, by pitch.
    start: what an earlier run of the same recording found; matching components begin with it where they still may, and their
    prior goes on fading. Factors on another grid are left aside.
    After each iteration Progress carries the Factors so far as its `model`.
    Raises InputError when nothing may sound anywhere, or the recording holds no numbers.
    """
    settings = settings or ModelSettings()
    grid = Grid.for_recording(audio.rate, audio.length)
    rng = np.random.default_rng(settings.seed)
    constraint = build(bodies(notes, edits, settings, limits=limits), grid, settings, rng=rng)
    V = yield from analyse_steps(audio, grid)
    W = templates.initial(constraint.components, grid, settings, limits=limits, rng=rng)
    solved = solved_bins(constraint, settings)
    low, high = slice(0, solved), slice(solved, grid.bins)
    begin = Start(W, constraint.H, np.zeros(0, np.int64))
    if start is not None and start.grid == grid:
        begin = warm(W, constraint, before=start.constraint, found=(start.W, start.H), encoder=start.encoder)
    faded = np.ones(len(constraint.components), np.float32)
    faded[begin.known] = FADE ** len(start.losses) if start is not None else 1
    prior = _prior(W[low], constraint, settings, low, faded)
    scale = np.maximum(W[low].sum(axis=0), np.float32(1e-6))
    learnt = np.empty((grid.bins, len(constraint.components)), np.float32, order="F")
    learnt[high] = W[high] / scale
    learnt[high, begin.known] = begin.W[high, begin.known]

    def shown(progress: Progress) -> Progress:
        so_far = progress.model
        if not isinstance(so_far, nmf.Solution):
            return progress
        learnt[low] = so_far.W
        encoder = None if so_far.encoder is None else _of_all_bins(so_far.encoder, grid)
        return replace(progress, model=Factors(learnt, so_far.H, constraint, settings, so_far.losses, None, encoder))

    if settings.method == "nae":
        encoder = None if begin.encoder is None else begin.encoder[:, low]
        if encoder is not None and settings.updates != "relu":
            encoder = np.maximum(encoder, 0)
        work = autoencoder.factorize(V.middle[low], begin.W[low], constraint.H, settings=settings, timbre=prior, encoder=encoder)
    else:
        work = nmf.factorize(V.middle[low], begin.W[low], begin.H, settings=settings, timbre=prior)
    solution = yield from relayed(work, shown)
    H = solution.H
    learnt[low] = solution.W
    if solved < grid.bins:
        prior = _prior(W[high] / scale, constraint, settings, high, faded)
        learnt[high] = yield from nmf.learn_templates(V.middle[high], learnt[high], H, settings=settings, timbre=prior)
    side = None
    if V.side is not None:
        prior = _prior(learnt, constraint, settings, slice(None), np.ones_like(faded))
        side = yield from nmf.learn_templates(V.side, learnt, H, settings=settings, timbre=prior)
    encoder = None if solution.encoder is None else _of_all_bins(solution.encoder, grid)
    return Factors(learnt, H, constraint, settings, solution.losses, side, encoder, V.joined)


def _of_all_bins(encoder: FloatArray, grid: Grid) -> FloatArray:
    """An encoder that listens to the lower bins, with zeros for those above."""
    return np.pad(encoder, ((0, 0), (0, grid.bins - encoder.shape[1])))


def solved_bins(constraint: Constraint, settings: ModelSettings) -> int:
    """How many bins activations are found in: what is above says little of a tone, but much of a cymbal."""
    drums = (constraint.components.kind == Kind.DRUM).any()
    highest_hz = settings.solve_to_hz or (np.inf if drums else _TONES_HZ)
    return int(np.searchsorted(constraint.grid.frequencies_hz(), highest_hz, side="right"))


def _prior(W: FloatArray, constraint: Constraint, settings: ModelSettings, bins: slice, faded: FloatArray) -> Timbre | None:
    """What holds templates near W, where the settings ask for it and W says something; `faded` is what is left of each."""
    soft = settings.initialisation not in ("random", "activations") and settings.template_tolerance_cents is None
    if not soft or settings.prior <= 0:
        return None
    timbre = Timbre.of(W, constraint.components, constraint.grid, strength=settings.prior, bins=bins)
    return replace(timbre, strength=timbre.strength * faded)
