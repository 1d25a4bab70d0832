"""A separation follows an edit: what the edit touches is solved and sounded anew, the rest is shared or copied."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import numpy as np

from soli.decompose.refit import Plan, carried_out_steps, planned
from soli.errors import InputError
from soli.progress import Steps
from soli.project.pipeline import Separation, Stopwatch, null_dbfs, require_recording, separate_steps
from soli.project.state import State
from soli.signal.audio import FloatArray

# Where more of the piece has changed than this, its templates are worth learning again.
_MOST = 0.5


def refit_separation_steps(separation: Separation, state: State) -> Steps[Separation]:
    """The separation of `state` from that of a state a few edits away; nothing of the latter is altered.

    Layers that do not change are shared between both. `patched` says where the others may differ; where nothing does it is
    one empty range. Where an edit is too great for that, or another recording or model is asked for, all is done anew.
    Raises InputError when there is nothing to decompose.
    """
    recording = require_recording(state)
    watch = Stopwatch()
    with watch.stage("refit"):
        plan = _plan(separation, state)
    if plan is None:
        return (yield from separate_steps(state))
    with watch.stage("refit"), ThreadPoolExecutor(1, thread_name_prefix="copy") as copier:
        # Copying minutes of sound takes as long as refitting a note; both are done at once.
        old = {layer: separation.layers.get(layer) for layer in plan.layers if layer in plan.changing}
        copies = copier.submit(_copied, old, separation.residual)
        refit = yield from carried_out_steps(recording, plan)
        changed, residual = copies.result()
        layers = {n: changed[n] if n in changed else separation.layers.get(n) for n in plan.layers}
        signals = {n: np.zeros_like(residual) if signal is None else signal for n, signal in layers.items()}
        null = separation.null_dbfs
        for stretch in refit.stretches:
            here = slice(stretch.first_sample, stretch.end_sample)
            for layer, piece in stretch.pieces.items():
                signals[layer][here] = piece
            rest = residual[here]
            rest[:] = recording.samples[here]
            for signal in signals.values():
                rest -= signal[here]
            null = max(null, null_dbfs(recording, [*signals.values(), residual], here.start, here.stop))
    patched = tuple((stretch.first_sample, stretch.end_sample) for stretch in refit.stretches)
    return Separation(state, refit.factors, MappingProxyType(signals), residual, null, watch.seconds, patched or ((0, 0),))


def _plan(separation: Separation, state: State) -> Plan | None:
    notes = state.present_notes()
    if not notes and not any(stroke.allow for stroke in state.mask):
        raise InputError("there are no notes to separate by; open a score or draw notes on the roll")
    if state.audio is not separation.source.audio:
        return None
    layers = [layer.id for layer in state.layers]
    plan = planned(separation.factors, notes, state.mask, state.settings, layers=layers, most=_MOST)
    if plan is None:
        return None
    # A layer that comes or goes with notes that stay takes its sound from the residual, or leaves it there, everywhere.
    came, went = set(layers) - set(separation.layers), set(separation.layers) - set(layers)
    before, after = separation.factors.constraint.bodies, plan.factors.constraint.bodies
    if before.of_layers(*came).any() or after.of_layers(*went).any():
        return None
    return plan


def _copied(layers: Mapping[int, FloatArray | None], residual: FloatArray) -> tuple[dict[int, FloatArray], FloatArray]:
    """Copies that may be written to; silence for a layer that was not there."""
    return {n: np.zeros_like(residual) if old is None else old.copy() for n, old in layers.items()}, residual.copy()
