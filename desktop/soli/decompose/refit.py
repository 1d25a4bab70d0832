"""After an edit: only the frames it touches are solved again, with templates as they are, and only they sound anew.

Activations are independent from frame to frame once the templates are fixed (Lee and Seung 2000).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from soli.decompose import autoencoder, nmf
from soli.decompose.amendment import Amendment, amended
from soli.decompose.blocks import Block, Workers, partition
from soli.decompose.bodies import PHANTOM, BoolArray, IntArray, ScoreInformation, modelled
from soli.decompose.channels import middle_magnitudes
from soli.decompose.constraints import Constraint
from soli.decompose.growth import Spectra, grown
from soli.decompose.limiting import limited_spectra, sounding
from soli.decompose.masking import check_recording, resynthesised_steps
from soli.decompose.model import Factors, solved_bins
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit, changed_pitches
from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray


@dataclass(frozen=True, eq=False)
class Stretch:
    """What layers sound from `first_sample` on after an edit: layer id -> float32, shape (length, channels), 24-bit grid."""

    first_sample: int
    pieces: Mapping[int, FloatArray]

    @property
    def end_sample(self) -> int:
        return self.first_sample + max((len(piece) for piece in self.pieces.values()), default=0)


@dataclass(frozen=True, eq=False)
class Refit:
    """Factors after an edit, and every stretch in which layers may sound otherwise than before, in order.

    solved: how many frames were solved again. whole: nothing local can be done, and `factors` are those before the edit.
    """

    factors: Factors
    stretches: tuple[Stretch, ...] = ()
    solved: int = 0
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Plan:
    """What an edit asks for. H of `factors` is zero still in the frames `unsolved` (int64).

    layers: those asked for. sounding: ranges of frames (start, stop) that sound anew, each with the layers that it concerns.
    """

    factors: Factors
    unsolved: IntArray
    layers: tuple[int, ...]
    sounding: tuple[tuple[int, int, frozenset[int]], ...]


def refit_steps(
    audio: Audio,
    factors: Factors,
    known: ScoreInformation,
    settings: ModelSettings | None = None,
    *,
    layers: Sequence[int] | None = None,
) -> Steps[Refit]:
    """Fit `factors` of a recording to what is `known` of it now: only frames that those change are solved and sounded again.

    Outside of them H stays what it was to the last bit; where an edit is taken back it is again what the whole run found.
    Each touched frame is solved from where the constraint lets it begin, by the updates and for the iterations of the settings,
    or by the encoder where there is one. A pitch that is new gets the template of its instrument (see `growth.grown`).
    layers: those that are asked for, as in `masking.separate_steps`; None for all that have notes.
    The answer is `whole` where `planned` finds no plan: run `decompose_steps` again then.
    Raises InputError when nothing may sound anywhere any more, or the recording is another than the one decomposed.
    """
    plan = planned(factors, known, settings, layers=layers)
    if plan is None:
        return Refit(factors, whole=True)
    return (yield from carried_out_steps(audio, plan))


def planned(
    factors: Factors,
    known: ScoreInformation,
    settings: ModelSettings | None = None,
    *,
    layers: Sequence[int] | None = None,
    most: float = 1.0,
) -> Plan | None:
    """What `refit_steps` will have to do, in milliseconds: everything but what needs the recording.

    None when nothing local can be done: the settings or the instruments are others, H is free in every frame, or more than the
    part `most` of the sounding frames would have to be solved. Raises InputError when nothing may sound anywhere any more.
    """
    if settings is not None and settings != factors.settings:
        return None
    settings = factors.settings
    change = amended(factors.constraint, modelled(known, settings), settings)
    if change is None:
        return None
    constraint = change.constraint
    added = len(constraint.components) > len(factors.components)
    others = changed_pitches(factors.constraint.bodies.limits, known.limits)
    # Templates that began at random know no instrument for a new pitch to borrow from.
    if (added or others) and settings.initialisation == "activations":
        return None
    H, unsolved = _activations(factors, change)
    if len(unsolved) > most * np.count_nonzero(np.diff(factors.constraint.entries.first)):
        return None
    mass = factors.H.sum(axis=1) if added else np.zeros(0, np.float32)
    spectra = grown(
        Spectra(factors.W, factors.side, factors.encoder),
        constraint.components,
        mass,
        factors.grid,
        settings=settings,
        solved=solved_bins(constraint, settings),
        limits=known.limits,
    )
    if others:
        spectra = _limited(factors, spectra, constraint, others)
    encoder, hidden = spectra.encoder, factors.hidden
    if added and encoder is not None and hidden is not None:
        hidden = hidden.grown(constraint.components, mass)
        encoder = hidden.united(encoder, len(factors.components))
    coherence = factors.coherence
    if added and coherence is not None:
        # Where a new pitch stands is not known.
        more = len(constraint.components) - coherence.shape[1]
        coherence = np.asfortranarray(np.pad(coherence, ((0, 0), (0, more))))
    after = replace(
        factors,
        W=spectra.W,
        H=H,
        constraint=constraint,
        side=spectra.side,
        coherence=coherence,
        encoder=encoder,
        hidden=hidden,
        origin=factors.origin or factors,
    )
    if layers is None:
        layers = np.setdiff1d([*factors.constraint.bodies.layer, *constraint.bodies.layer], [PHANTOM]).tolist()
    # Neighbouring stretches share most of the work.
    gap = 2 * factors.grid.window_length // factors.grid.hop_length
    sounding = [
        (start, stop, (_layers(factors.constraint, start, stop) | _layers(constraint, start, stop)) & frozenset(layers))
        for start, stop in runs(change.touched, gap=gap)
    ]
    return Plan(after, unsolved, tuple(layers), tuple(sounding))


def carried_out_steps(audio: Audio, plan: Plan) -> Steps[Refit]:
    """Solve and sound what `plan` says. Raises InputError when the recording is another than the one decomposed."""
    check_recording(audio, plan.factors)
    factors = replace(plan.factors, H=plan.factors.H.copy())
    blocks = _blocks(factors.constraint.H, plan.unsolved)
    solved = solved_bins(factors.constraint, factors.settings)
    pool = Workers()
    try:
        for done, _ in enumerate(pool.map(partial(_solve, audio, factors, solved), blocks)):
            yield Progress(done, 2 * len(blocks), "Refitting")
    finally:
        pool.close()
    stretches = []
    for start, stop, layers in plan.sounding:
        first, sound = yield from resynthesised_steps(audio, factors, plan.layers, start, stop)
        stretches.append(Stretch(first, {layer: signal for layer, signal in sound.items() if layer in layers}))
    return Refit(factors, tuple(stretches), len(plan.unsolved))


def runs(frames: IntArray, *, gap: int = 1) -> list[tuple[int, int]]:
    """Increasing frames as ranges (start, stop); those no more than `gap` apart are in one range."""
    if len(frames) == 0:
        return []
    breaks = np.flatnonzero(np.diff(frames) > gap) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(frames, breaks)]


def _limited(factors: Factors, spectra: Spectra, constraint: Constraint, pitches: Sequence[int]) -> Spectra:
    """The spectra with templates of some pitches within other limits: those of the whole run again, where it knows the pitch.

    The limits of edits in between leave no trace, so that undoing one gives back what was.
    """
    first = factors.origin or factors
    for known in (factors, first) if first is not factors else (first,):
        spectra = limited_spectra(
            spectra,
            Spectra(known.W, known.side, known.encoder),
            constraint.components,
            factors.grid,
            pitches=pitches,
            before=known.constraint.bodies.limits,
            limits=constraint.bodies.limits,
            settings=factors.settings,
            solved=solved_bins(constraint, factors.settings),
        )
    return spectra


def _activations(factors: Factors, change: Amendment) -> tuple[FloatArray, IntArray]:
    """H after the edit where it is known already, and the frames that have to be solved.

    Known is what was solved from the same beginnings: before this edit, or by the whole run.
    """
    frames, begin = change.touched, change.constraint.H[:, change.touched]
    H = np.zeros(change.constraint.H.shape, np.float32)
    H[: len(factors.H)] = factors.H
    limits = change.constraint.bodies.limits
    missing = ~_begins(factors, frames, begin)
    missing |= _sounding_otherwise(factors, limits, frames)
    if factors.origin is not None and missing.any():
        first = factors.origin
        again = missing & _begins(first, frames, begin) & ~_sounding_otherwise(first, limits, frames)
        H[:, frames[again]] = 0
        H[: len(first.H), frames[again]] = first.H[:, frames[again]]
        missing &= ~again
    H[:, frames[missing]] = 0
    return H, frames[missing]


def _begins(factors: Factors, frames: IntArray, begin: FloatArray) -> BoolArray:
    """In which of the frames H began as `begin` (R, n) has it, of which `factors` may lack the last components."""
    known = factors.constraint.H
    same: BoolArray = (known[:, frames] == begin[: len(known)]).all(axis=0) & ~begin[len(known) :].any(axis=0)
    return same


def _sounding_otherwise(factors: Factors, limits: Mapping[int, TemplateLimit], frames: IntArray) -> BoolArray:
    """In which of the frames a tone may sound that has a template within other limits now."""
    return sounding(factors.constraint, changed_pitches(factors.constraint.bodies.limits, limits), frames)


def _layers(constraint: Constraint, start: int, stop: int) -> frozenset[int]:
    """The layers that sound in frames start to stop."""
    rows = slice(constraint.entries.first[start], constraint.entries.first[stop])
    return frozenset(np.unique(constraint.bodies.layer[constraint.entries.body[rows]]).tolist())


def _blocks(begin: FloatArray, frames: IntArray) -> list[Block]:
    blocks = []
    for start, stop in runs(frames):
        blocks += [Block(start + b.start, start + b.stop, b.alive) for b in partition(begin[:, start:stop], frames=32)]
    return blocks


def _solve(audio: Audio, factors: Factors, solved: int, block: Block) -> None:
    """Solve a block of H in place. Called from worker threads, each with frames of its own."""
    V = middle_magnitudes(audio, factors.grid, block.start, block.stop, joined=factors.joined)[:solved]
    W, begin = factors.W[:solved, block.alive], factors.constraint.H[block.alive, block.start : block.stop]
    settings = factors.settings
    if factors.encoder is None:
        H = nmf.activations(V, W, begin, beta=settings.beta, iterations=settings.iterations)
    else:
        hidden = None if factors.hidden is None else factors.hidden.some(block.alive)[1]
        H = autoencoder.encoded(V, W, factors.encoder[block.alive, :solved], begin, settings=settings, hidden=hidden)
    factors.H[block.alive, block.start : block.stop] = H
