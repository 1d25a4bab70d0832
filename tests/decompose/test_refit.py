"""After an edit only what it touches is solved and sounds anew; all else stays to the last bit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose import nmf
from soli.decompose.amendment import amended
from soli.decompose.bodies import ScoreInformation, modelled
from soli.decompose.constraints import Constraint, MaskEdit, build
from soli.decompose.masking import separate_steps
from soli.decompose.model import Factors, decompose_steps, solved_bins
from soli.decompose.refit import Refit, planned, refit_steps
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import Note
from soli.signal.audio import Audio
from soli.signal.spectrogram import magnitudes

QUICK = ModelSettings(iterations=6)
RIGHT = melody((72, 76, 79, 84, 79, 76, 72, 71, 72, 77, 76, 74))
LEFT = tuple(replace(n, layer=1) for n in melody((48, 43, 50, 48, 55, 43), step_s=1.0, length_s=0.9, first_id=20, track=1))
NOTES = (*RIGHT, *LEFT)
LAYERS = [0, 1]

EDITS = {
    "remove": [n for n in NOTES if n.id != 22],
    "add": [*NOTES, Note(90, 2.1, 2.6, 76)],
    "move": [replace(n, onset_s=3.2, offset_s=3.6) if n.id == 5 else n for n in NOTES],
    "stretch": [replace(n, offset_s=4.6) if n.id == 23 else n for n in NOTES],
    "other layer": [replace(n, layer=1) if n.id == 6 else n for n in NOTES],
    "new layer": [replace(n, layer=7) if n.id == 6 else n for n in NOTES],
    "velocity": [replace(n, velocity=20) if n.id == 21 else n for n in NOTES],
    "other pitch": [replace(n, pitch=50) if n.id == 23 else n for n in NOTES],
    "new pitch": [replace(n, pitch=61) if n.id == 23 else n for n in NOTES],
    "two far apart": [replace(n, offset_s=n.offset_s - 0.2) if n.id in (0, 11) else n for n in NOTES],
}


def recording(channels: int = 2) -> Audio:
    samples = render(NOTES, channels=channels).samples * np.linspace(1, 0.6, channels, dtype=np.float32)
    return Audio((np.rint(samples * 2**23) / 2**23).astype(np.float32), 22050)


SOUND = recording()


@pytest.fixture(scope="module")
def factors() -> Factors:
    return finish(decompose_steps(SOUND, ScoreInformation(NOTES), QUICK))


def refitted(factors: Factors, notes: Sequence[Note], edits: Sequence[MaskEdit] = (), **options: Any) -> Refit:
    result = finish(refit_steps(SOUND, factors, ScoreInformation(notes, edits), **options))
    assert not result.whole
    return result


def by_name(constraint: Constraint, matrix: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """Rows of a matrix by what their components are; silent ones are left out."""
    parts = constraint.components
    names = zip(parts.part.tolist(), parts.pitch.tolist(), parts.kind.tolist(), parts.copy.tolist(), strict=True)
    return {name: row for name, row in zip(names, matrix, strict=True) if row.any()}


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[Note], list[MaskEdit]]:
    """Any notes and strokes that share at least one note with NOTES."""
    notes = {note.id: note for note in NOTES}
    for n in range(draw(st.integers(0, 4))):
        note = notes[draw(st.sampled_from(sorted(notes)))]
        time = st.floats(-0.5, 7.0, allow_nan=False)
        onset, pitch = draw(time), draw(st.integers(40, 90))
        match draw(st.sampled_from(["remove", "add", "move", "layer", "velocity"])):
            case "remove":
                if len(notes) > 1:
                    del notes[note.id]
            case "add":
                notes[100 + n] = Note(100 + n, onset, onset + 0.4, pitch, layer=draw(st.integers(0, 2)))
            case "move":
                notes[note.id] = replace(note, onset_s=onset, offset_s=onset + 0.5, pitch=pitch)
            case "layer":
                notes[note.id] = replace(note, layer=draw(st.integers(0, 2)))
            case _:
                notes[note.id] = replace(note, velocity=draw(st.integers(1, 127)))
    stroke = st.builds(
        lambda pitch, start, length, allow, layer: MaskEdit(pitch, start, start + length, allow, layer),
        st.sampled_from([43, 48, 60, 72, 76]),
        st.floats(-0.5, 6.0),
        st.floats(0.01, 3.0),
        st.booleans(),
        st.sampled_from([None, 0, 1]),
    )
    return sorted(notes.values(), key=lambda note: (note.onset_s, note.id)), draw(st.lists(stroke, max_size=3))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(first=edited(), second=edited())
def test_an_amended_constraint_is_the_one_built_anew(
    first: tuple[list[Note], list[MaskEdit]], second: tuple[list[Note], list[MaskEdit]]
) -> None:
    grid = magnitudes_grid()
    try:
        stretches = [
            modelled(ScoreInformation(*edit, unwanted=[n for n in NOTES if n not in edit[0]])) for edit in (first, second)
        ]
        old, whole = (build(rows, grid) for rows in stretches)
    except InputError:
        return
    change = amended(old, stretches[1], ModelSettings())
    if change is None:
        return
    found = change.constraint
    begin, expected = by_name(found, found.H), by_name(whole, whole.H)
    # Parts are numbered as they were before the edit, and both hands are one instrument here.
    assert {name[1:]: row.tolist() for name, row in begin.items()} == {name[1:]: row.tolist() for name, row in expected.items()}
    for layer in (0, 1, 2):
        mine = by_name(found, found.shares(found.bodies.of_layers(layer)))
        theirs = by_name(whole, whole.shares(whole.bodies.of_layers(layer)))
        assert {name[1:] for name in mine} == {name[1:] for name in theirs}
        for name, row in mine.items():
            np.testing.assert_allclose(row, theirs[0, *name[1:]], atol=1e-6)
    outside = np.setdiff1d(np.arange(grid.frames), change.touched)
    np.testing.assert_array_equal(found.H[: len(old.H), outside], old.H[:, outside])


def magnitudes_grid() -> Any:
    from soli.signal.spectrogram import Grid

    return Grid.for_recording(SOUND.rate, SOUND.length)


@pytest.mark.parametrize("edit", EDITS)
def test_outside_of_what_an_edit_touches_nothing_changes(factors: Factors, edit: str) -> None:
    before = finish(separate_steps(SOUND, factors, [*LAYERS, 7]))
    result = refitted(factors, EDITS[edit], layers=[*LAYERS, 7])
    after = finish(separate_steps(SOUND, result.factors, [*LAYERS, 7]))
    assert result.stretches
    changed = (result.factors.H[: len(factors.H)] != factors.H).any(axis=0)
    assert changed.sum() <= result.solved < 0.5 * factors.grid.frames
    for layer, signal in before.items():
        patched = signal.copy()
        for stretch in result.stretches:
            if layer in stretch.pieces:
                patched[stretch.first_sample : stretch.end_sample] = stretch.pieces[layer]
        # The stretches are all that a separation by the new factors would change, and exactly that.
        np.testing.assert_array_equal(patched, after[layer])


@pytest.mark.parametrize("edit", EDITS)
def test_the_edit_and_its_undo_give_the_first_sound_back(factors: Factors, edit: str) -> None:
    there = refitted(factors, EDITS[edit])
    back = refitted(there.factors, NOTES)
    np.testing.assert_array_equal(back.factors.H[: len(factors.H)], factors.H)
    assert not back.factors.H[len(factors.H) :].any()
    assert back.solved == 0
    first = finish(separate_steps(SOUND, factors, LAYERS))
    for stretch in back.stretches:
        for layer in LAYERS:
            if layer in stretch.pieces:
                at = slice(stretch.first_sample, stretch.end_sample)
                np.testing.assert_array_equal(stretch.pieces[layer], first[layer][at])


def test_giving_a_note_to_another_layer_solves_nothing(factors: Factors) -> None:
    result = refitted(factors, EDITS["other layer"])
    assert result.solved == 0
    np.testing.assert_array_equal(result.factors.H, factors.H)
    (stretch,) = result.stretches
    moved = slice(round(3.1 * SOUND.rate) - stretch.first_sample, round(3.4 * SOUND.rate) - stretch.first_sample)
    assert np.abs(stretch.pieces[0][moved]).max() < 0.3 * np.abs(stretch.pieces[1][moved]).max()


def test_what_is_solved_is_what_a_whole_run_with_these_templates_finds(factors: Factors) -> None:
    result = refitted(factors, EDITS["stretch"]).factors
    V = magnitudes(SOUND.samples.mean(axis=1), factors.grid)
    solved = solved_bins(factors.constraint, QUICK)
    whole = finish(nmf.factorize(V[:solved], factors.W[:solved], result.constraint.H, settings=QUICK, fixed_templates=True))
    frames = (result.H != factors.H).any(axis=0)
    assert frames.any()
    np.testing.assert_allclose(result.H[:, frames], whole.H[:, frames], rtol=1e-3, atol=1e-4 * whole.H.max())


@pytest.mark.parametrize("method", ["nmf", "nae"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(edit=edited())
def test_any_edit_keeps_to_the_support_and_adds_up(method: str, edit: tuple[list[Note], list[MaskEdit]]) -> None:
    chosen = ModelSettings(method=method, iterations=2)  # type: ignore[arg-type]
    start = finish(decompose_steps(SOUND, ScoreInformation(NOTES), chosen))
    try:
        result = finish(refit_steps(SOUND, start, ScoreInformation(*edit), layers=[0, 1, 2]))
    except InputError:
        return
    H = result.factors.H
    assert np.isfinite(H).all()
    assert not H[result.factors.constraint.H == 0].any()
    assert result.factors.W.shape[1] == len(H) == len(result.factors.components)
    for stretch in result.stretches:
        at = slice(stretch.first_sample, stretch.end_sample)
        total = sum(stretch.pieces.values(), np.zeros_like(SOUND.samples[at]))
        rest = SOUND.samples[at] - total
        np.testing.assert_array_equal(total + rest, SOUND.samples[at])


def test_a_new_pitch_sounds_with_the_instruments_own_timbre() -> None:
    written = [note for note in NOTES if note.id != 23]
    found = finish(decompose_steps(SOUND, ScoreInformation(written), QUICK))
    result = refitted(found, NOTES)
    assert result.factors.W.shape[1] == found.W.shape[1]
    without = [note for note in NOTES if note.pitch != 55]
    found = finish(decompose_steps(SOUND, ScoreInformation(without), QUICK))
    result = refitted(found, NOTES)
    added = result.factors.W[:, found.W.shape[1] :]
    assert added.shape[1] == 3
    np.testing.assert_allclose(added[: solved_bins(found.constraint, QUICK)].sum(axis=0), 1, rtol=1e-4)
    full = finish(decompose_steps(SOUND, ScoreInformation(NOTES), QUICK))
    names = [full.components.pitch.tolist().index(55)]
    learnt = full.W[:, names[0]]
    assert np.dot(added[:, 0], learnt) > 0.8 * np.linalg.norm(added[:, 0]) * np.linalg.norm(learnt)
    np.testing.assert_array_equal(result.factors.W[:, : found.W.shape[1]], found.W)


def test_what_cannot_be_done_locally_is_said(factors: Factors) -> None:
    violin = [*NOTES, Note(99, 1.0, 2.0, 76, program=40, track=5, channel=5)]
    assert finish(refit_steps(SOUND, factors, ScoreInformation(violin))).whole
    assert finish(refit_steps(SOUND, factors, ScoreInformation(NOTES), replace(QUICK, iterations=7))).whole
    shifted = [replace(note, onset_s=note.onset_s + 0.1) for note in NOTES]
    assert planned(factors, ScoreInformation(shifted), most=0.5) is None
    assert not finish(refit_steps(SOUND, factors, ScoreInformation(shifted))).whole
    free = finish(decompose_steps(SOUND, ScoreInformation(NOTES), replace(QUICK, initialisation="templates", iterations=1)))
    assert finish(refit_steps(SOUND, free, ScoreInformation(EDITS["remove"]))).whole
    with pytest.raises(InputError, match="no note may sound"):
        finish(refit_steps(SOUND, factors, ScoreInformation([])))
    with pytest.raises(InputError, match="decompose it again"):
        finish(refit_steps(Audio(SOUND.samples[:-9].copy(), 22050), factors, ScoreInformation(EDITS["remove"])))


def test_nothing_that_is_given_is_altered(factors: Factors) -> None:
    before = factors.H.copy(), factors.W.copy(), factors.constraint.H.copy(), factors.constraint.bodies.start_s.copy()
    refitted(factors, EDITS["new pitch"])
    after = factors.H, factors.W, factors.constraint.H, factors.constraint.bodies.start_s
    for kept, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(kept, now)
