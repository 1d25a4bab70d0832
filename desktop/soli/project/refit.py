"""A separation follows an edit: what the edit touches is solved and sounded anew, the rest is shared."""

from soli.decompose import masking
from soli.decompose.refit import Plan, carried_out_steps, planned
from soli.errors import InputError
from soli.progress import Steps
from soli.project.pipeline import (
    Separation,
    Stopwatch,
    null_dbfs,
    require_recording,
    score_information,
    separate_steps,
)
from soli.project.state import RESIDUAL, State
from soli.project.template_sets import template_sets
from soli.signal.audio import Audio, FloatArray

# Where more of the piece has changed than this, its templates are worth learning again.
_MOST = 0.5


def refit_separation_steps(separation: Separation, state: State, *, whole: bool = True) -> Steps[Separation | None]:
    """The separation of `state` from that of a state a few edits away; nothing of the latter is altered.

    What does not change is shared between both: `signals.stretch` gives what is new without a copy of the rest. `patched` says
    where they may differ; where nothing does it is one empty range. Where an edit is too great for that, or another recording
    or model is asked for, all is done anew.
    Raises InputError when there is nothing to decompose.
    """
    recording = require_recording(state)
    watch = Stopwatch()
    with watch.stage("refit"):
        plan = _plan(separation, state)
    if plan is None:
        return (yield from separate_steps(state)) if whole else None
    with watch.stage("refit"):
        refit = yield from carried_out_steps(recording, plan)
        pieces: dict[int, list[tuple[int, FloatArray]]] = {strip: [] for strip in (*plan.layers, RESIDUAL)}
        null = separation.null_dbfs
        for stretch in refit.stretches:
            here = slice(stretch.first_sample, stretch.end_sample)
            sounds = [
                stretch.pieces[layer] if layer in stretch.pieces else separation.signals.stretch(layer, here.start, here.stop)
                for layer in plan.layers
                if layer in stretch.pieces or layer in separation.signals
            ]
            cut = Audio(recording.samples[here], recording.rate)
            residual = masking.residual(cut, sounds)
            null = max(null, null_dbfs(cut, [*sounds, residual]))
            for layer, piece in stretch.pieces.items():
                pieces[layer].append((here.start, piece))
            pieces[RESIDUAL].append((here.start, residual))
        signals = separation.signals.replaced({strip: tuple(new) for strip, new in pieces.items()})
    patched = tuple((stretch.first_sample, stretch.end_sample) for stretch in refit.stretches)
    return Separation(state, refit.factors, signals, null, watch.seconds, patched or ((0, 0),))


def _plan(separation: Separation, state: State) -> Plan | None:
    if not state.present_notes() and not any(stroke.allow for stroke in state.mask):
        raise InputError("there are no notes to separate by; open a score or draw notes on the roll")
    if state.audio is not separation.source.audio:
        return None
    # Layers that share templates otherwise than before have to learn them anew.
    if template_sets(state) != template_sets(separation.source):
        return None
    layers = [layer.id for layer in state.layers]
    factors, settings = separation.factors, state.settings
    applied = factors.encoder is not None and not factors.losses
    if applied and settings == separation.source.settings:
        # What a kept encoder found has the settings of its training.
        settings = factors.settings
    plan = planned(factors, score_information(state), settings, layers=layers, most=_MOST)
    if plan is None:
        return None
    # A layer that comes or goes with notes that stay takes its sound from the residual, or leaves it there, everywhere.
    came, went = set(layers) - set(separation.layers), set(separation.layers) - set(layers)
    before, after = separation.factors.constraint.bodies, plan.factors.constraint.bodies
    if before.of_layers(*came).any() or after.of_layers(*went).any():
        return None
    return plan
