"""From a recording and its notes to factors: spectrogram, constraint, templates, factorisation."""

from dataclasses import dataclass, replace

import numpy as np

from soli.decompose import autoencoder, nmf, templates
from soli.decompose.bodies import ScoreInformation, modelled
from soli.decompose.channels import Magnitudes, analyse_steps
from soli.decompose.constraints import Components, Constraint, Kind, build
from soli.decompose.hidden import Hidden
from soli.decompose.settings import ModelSettings
from soli.decompose.sharing import Sounds
from soli.decompose.start import Start, changed_part, warm
from soli.decompose.stereo import coherence_steps
from soli.decompose.timbre import FADE, Timbre
from soli.progress import Progress, Steps, relayed
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import ComplexArray, Grid

_TONES_HZ = 11_000.0
# A warm start saves this part of the iterations, the first ones; where more than a third of what sounds is another, or after so
# many in a row, templates are better learnt anew.
_SAVED = 0.5
_MOST_CHANGED = 1 / 3
_MOST_WARM = 2
# Settings that may be altered between two runs and leave what was found a good beginning.
_PASSING = (
    "iterations", "stop", "tolerance", "learning_rate", "rate", "prior", "mask_exponent", "forbidden", "stereo",
    "before_s", "after_s", "attack_before_s", "attack_after_s",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Factors:
    """What a decomposition found.

    W (K, R) and H (R, N), float32: the model WH of the middle of the channels; columns of W sum to one over the bins solved.
    `side` (K, R): the templates of what stands out of the middle, None where nothing does. `losses`: the loss after each
    iteration. `encoder` (R, K) of an autoencoder, else None; `hidden`: what lies between its code and H, where its decoder has
    more than one layer. `constraint` says what each component is and who sounds in it. `joined`: the channels cancel in the
    middle, which stands for them by their root mean square. `origin`: what the whole run found, where edits have been refitted
    since. `warm`: how many runs in a row have begun with what the one before found. `coherence` (L, R), complex64: how in two
    channels the side goes with the middle in the lowest L bins (see `stereo`); None where that is not known.
    """

    W: FloatArray
    H: FloatArray
    constraint: Constraint
    settings: ModelSettings
    losses: tuple[float, ...] = ()
    side: FloatArray | None = None
    encoder: FloatArray | None = None
    hidden: Hidden | None = None
    joined: bool = False
    origin: "Factors | None" = None
    warm: int = 0
    coherence: ComplexArray | None = None

    @property
    def grid(self) -> Grid:
        return self.constraint.grid

    @property
    def asked(self) -> int:
        """How many iterations the run was to make."""
        return self.settings.iterations - _saved(self.settings) if self.warm else self.settings.iterations

    @property
    def components(self) -> Components:
        return self.constraint.components


def decompose_steps(
    audio: Audio,
    known: ScoreInformation,
    settings: ModelSettings | None = None,
    *,
    start: Factors | None = None,
) -> Steps[Factors]:
    """Decompose a recording by what is known of its score.

    start: what an earlier run of the same recording found. Matching components begin with it where they still may, for the second
    half of the iterations; factors of another model, or of very different notes, are left aside, and those of a long row of
    warm starts, each of which learns a little more by heart.
    After each iteration Progress carries the Factors so far as its `model`.
    Raises InputError when nothing may sound anywhere, or the recording holds no numbers.
    """
    settings = settings or ModelSettings()
    grid = Grid.for_recording(audio.rate, audio.length)
    rng = np.random.default_rng(settings.seed)
    constraint = build(modelled(known, settings), grid, settings, rng=rng)
    V = yield from analyse_steps(audio, grid)
    W = templates.initial(constraint.components, grid, settings, limits=known.limits, rng=rng)
    solved = solved_bins(constraint, settings)
    low, high = slice(0, solved), slice(solved, grid.bins)
    nothing = np.zeros(0, np.int64)
    begin, saved, row, chosen = Start(W, constraint.H, nothing, nothing), 0, 0, settings
    if start is not None and _may_begin(start, constraint, settings):
        begin = warm(W, constraint, before=start.constraint, found=(start.W, start.H), encoder=start.encoder)
        saved, row = _saved(settings), start.warm + 1
        settings = replace(settings, iterations=settings.iterations - saved)
    faded = np.ones(len(constraint.components), np.float32)
    faded[begin.known] = FADE**saved
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
        return replace(progress, model=Factors(learnt, so_far.H, constraint, chosen, so_far.losses, None, encoder, warm=row))

    if settings.method == "nae":
        encoder = None if begin.encoder is None else begin.encoder[:, low]
        if encoder is not None and settings.updates != "relu":
            encoder = np.maximum(encoder, 0)
        hidden = None
        if settings.decoder_layers > 1:
            hidden = Hidden.initial(constraint.components, layers=settings.decoder_layers - 1)
            if start is not None and start.hidden is not None and start.hidden.is_like(hidden) and len(begin.known):
                hidden = start.hidden.continued(constraint.components, begin.known, begin.former, start.H.sum(axis=1))
        work = autoencoder.factorize(
            V.middle[low], begin.W[low], constraint.H, settings=settings, timbre=prior, encoder=encoder, hidden=hidden
        )
    else:
        work = nmf.factorize(V.middle[low], begin.W[low], begin.H, settings=settings, timbre=prior)
    solution = yield from relayed(work, shown)
    H = solution.H
    learnt[low] = solution.W
    if solved < grid.bins:
        prior = _prior(W[high] / scale, constraint, settings, high, faded)
        learnt[high] = yield from nmf.learn_templates(V.middle[high], learnt[high], H, settings=settings, timbre=prior)
    side, coherence = yield from side_steps(audio, V, learnt, H, constraint, settings)
    encoder = None if solution.encoder is None else _of_all_bins(solution.encoder, grid)
    return Factors(
        learnt,
        H,
        constraint,
        chosen,
        solution.losses,
        side,
        encoder,
        hidden=solution.hidden,
        joined=V.joined,
        warm=row,
        coherence=coherence,
    )


def _saved(settings: ModelSettings) -> int:
    """The iterations that a warm start leaves out."""
    return int(_SAVED * settings.iterations)


def _may_begin(start: Factors, constraint: Constraint, settings: ModelSettings) -> bool:
    """Whether what an earlier run found is a good beginning."""
    if start.grid != constraint.grid or start.warm >= _MOST_WARM:
        return False
    passing = {name: getattr(settings, name) for name in _PASSING}
    if replace(start.settings, **passing) != settings:
        return False
    return changed_part(constraint, start.constraint) <= _MOST_CHANGED


def side_steps(
    audio: Audio, V: Magnitudes, W: FloatArray, H: FloatArray, constraint: Constraint, settings: ModelSettings
) -> Steps[tuple[FloatArray | None, ComplexArray | None]]:
    """Templates (K, R) of what stands out of the middle, by H and the templates W of the middle, and how they go together.

    Both are None where nothing stands out, and the latter where there are not just two channels or they are not asked.
    """
    if V.side is None:
        return None, None
    prior = _prior(W, constraint, settings, slice(None), np.ones(W.shape[1], np.float32))
    side = yield from nmf.learn_templates(V.side, W, H, settings=settings, timbre=prior)
    if audio.channels != 2 or V.joined or settings.stereo == "unplaced":
        return side, None
    sounds = Sounds(W, side, None, settings.mask_exponent)
    bins = solved_bins(constraint, settings)
    return side, (yield from coherence_steps(audio, sounds, H, constraint, bins=bins))


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
