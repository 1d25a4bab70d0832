"""A separation follows an edit: exact sums, old arrays untouched, and the same sound as one that is made anew."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from project.conftest import QUICK

from soli.decompose.constraints import MaskEdit
from soli.decompose.encoder import Encoder
from soli.decompose.masking import separate_steps
from soli.decompose.template_limit import TemplateLimit
from soli.errors import InputError
from soli.progress import finish
from soli.project.pipeline import Separation
from soli.project.pipeline import separate_steps as separate_run
from soli.project.refit import refit_separation_steps
from soli.project.state import Layer, State
from soli.score.notes import Note


def edited(state: State, *changed: Note, without: tuple[int, ...] = ()) -> State:
    notes = {**state.notes, **{note.id: note for note in changed}}
    return replace(state, notes=MappingProxyType({n: note for n, note in notes.items() if n not in without}))


def some_note(state: State, layer: int = 0) -> Note:
    return [note for note in state.present_notes() if note.layer == layer][1]


def edits(state: State) -> dict[str, State]:
    note = some_note(state)
    return {
        "removed": edited(state, without=(note.id,)),
        "left out": replace(state, absent=frozenset([note.id])),
        "moved": edited(state, replace(note, onset_s=note.onset_s + 0.1, offset_s=note.offset_s + 0.1)),
        "other layer": edited(state, replace(note, layer=1)),
        "painted": replace(state, mask=(MaskEdit(note.pitch, 0.5, 0.7, allow=False),)),
        "limited": replace(state, template_limits=MappingProxyType({79: TemplateLimit(harmonics=3)})),
        "tolerance": edited(state, replace(note, before_s=0.0, after_s=0.5)),
        "new layer": replace(edited(state, replace(note, layer=5)), layers=(Layer(5, "new", "#FFFFFF"), *state.layers)),
    }


@pytest.mark.parametrize("edit", ["removed", "left out", "moved", "other layer", "painted", "limited", "tolerance", "new layer"])
def test_an_edit_sounds_as_if_all_were_made_from_the_new_factors(state: State, separation: Separation, edit: str) -> None:
    after = edits(state)[edit]
    before = {n: signal.copy() for n, signal in separation.layers.items()}
    found = finish(refit_separation_steps(separation, after))
    assert found.source is after
    assert found.is_of(after)
    assert list(found.layers) == [layer.id for layer in after.layers]
    expected = finish(separate_steps(state.audio, found.factors, list(found.layers)))
    total = np.zeros_like(state.audio.samples)
    for n, signal in found.layers.items():
        np.testing.assert_array_equal(signal, expected[n])
        total += signal
    np.testing.assert_array_equal(total + found.residual, state.audio.samples)
    assert found.null_dbfs == -240
    for n, signal in separation.layers.items():
        np.testing.assert_array_equal(signal, before[n])
    inside = np.zeros(state.audio.length, bool)
    for first, end in found.patched:
        inside[first:end] = True
    assert 0 < inside.sum() < state.audio.length
    for n in before:
        np.testing.assert_array_equal(found.layers[n][~inside], before[n][~inside])
    np.testing.assert_array_equal(found.residual[~inside], separation.residual[~inside])


@pytest.mark.parametrize("edit", ["removed", "moved", "painted", "limited", "tolerance", "new layer"])
def test_undo_gives_the_first_sound_back(state: State, separation: Separation, edit: str) -> None:
    there = finish(refit_separation_steps(separation, edits(state)[edit]))
    back = finish(refit_separation_steps(there, state))
    assert list(back.layers) == list(separation.layers)
    for n, signal in separation.layers.items():
        np.testing.assert_array_equal(back.layers[n], signal)
    np.testing.assert_array_equal(back.residual, separation.residual)


def test_a_layer_that_does_not_change_is_shared(state: State, separation: Separation) -> None:
    wider = replace(state, layers=(*state.layers, Layer(9, "silent", "#FFFFFF")))
    start = finish(refit_separation_steps(separation, wider))
    far = replace(edits(state)["moved"], layers=wider.layers)
    found = finish(refit_separation_steps(start, far))
    assert found.layers[9] is start.layers[9]
    assert not found.layers[9].any()
    assert found.layers[0] is not start.layers[0]
    assert found.patched
    same = finish(refit_separation_steps(found, replace(far, strips=MappingProxyType({}))))
    assert same.patched == ((0, 0),)
    for n in found.layers:
        np.testing.assert_array_equal(same.layers[n], found.layers[n])


def test_what_is_no_local_matter_is_done_anew(state: State, separation: Separation) -> None:
    other = replace(state, settings=replace(QUICK, iterations=2))
    found = finish(refit_separation_steps(separation, other))
    assert found.patched == ()
    assert len(found.factors.losses) == 2
    everywhere = edited(state, *(replace(n, onset_s=n.onset_s + 0.1) for n in state.notes.values()))
    assert finish(refit_separation_steps(separation, everywhere)).patched == ()
    # The sound of a layer that is no more goes to the residual although its notes are there still.
    fewer = replace(state, layers=state.layers[:1])
    found = finish(refit_separation_steps(separation, fewer))
    assert found.patched == ()
    np.testing.assert_array_equal(found.layers[0] + found.residual, state.audio.samples)
    with pytest.raises(InputError, match="no notes"):
        finish(refit_separation_steps(separation, replace(state, notes=MappingProxyType({}))))


def test_it_can_be_stopped_at_every_step(state: State, separation: Separation) -> None:
    after = edits(state)["removed"]
    steps = refit_separation_steps(separation, after)
    count = sum(1 for _ in steps)
    assert count > 3
    for stop in range(1, count):
        steps = refit_separation_steps(separation, after)
        for _ in range(stop):
            next(steps)
        steps.close()


def test_what_a_kept_encoder_found_is_followed_by_it(state: State) -> None:
    """An edit that would ask for a run of the model instead would throw away what was asked for."""
    trained = finish(separate_run(replace(state, settings=replace(QUICK, method="nae"))))
    encoder = Encoder.of(trained.factors)
    for settings in (QUICK, replace(QUICK, method="nae")):
        here = replace(state, settings=settings)
        applied = finish(separate_run(here, encoder=encoder))
        found = finish(refit_separation_steps(applied, edited(here, without=(some_note(here).id,)), whole=False))
        assert found is not None
        assert found.factors.encoder is not None
        other = replace(here, settings=replace(settings, mask_exponent=1.0))
        assert finish(refit_separation_steps(applied, other, whole=False)) is None


def test_layers_are_made_of_what_a_kept_encoder_found_as_they_are_asked_for(state: State) -> None:
    encoder = Encoder.of(finish(separate_run(replace(state, settings=replace(QUICK, method="nae")))).factors)
    hard, soft = (
        finish(separate_run(replace(state, settings=replace(QUICK, mask_exponent=exponent)), encoder=encoder))
        for exponent in (2.0, 0.5)
    )
    np.testing.assert_array_equal(hard.factors.H, soft.factors.H)
    assert np.abs(hard.layers[0] - soft.layers[0]).max() > 1e-3
