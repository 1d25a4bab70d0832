"""What is wanted in no layer is found along and goes to the residual, not into the notes beside it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose.bodies import PHANTOM, MaskEdit, ScoreInformation, bodies, modelled
from soli.decompose.constraints import build
from soli.decompose.masking import note_alone, residual, separate_steps
from soli.decompose.model import decompose_steps
from soli.decompose.refit import refit_steps
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import Note
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid

UNMODELLED = ModelSettings(forbidden="unmodelled")
RIGHT = melody((72, 76, 79, 84, 79, 76, 72, 71))
LEFT = tuple(replace(n, layer=1) for n in melody((48, 43, 50, 48), step_s=1.0, length_s=0.9, first_id=20, track=1))
NOTES = (*RIGHT, *LEFT)
STEMS = tuple(render(notes, duration_s=4.5).samples / 2 for notes in (RIGHT, LEFT))
SOUND = Audio((np.rint((STEMS[0] + STEMS[1]) * 2**23) / 2**23).astype(np.float32), 22050)
LEFT_OUT = [note for note in RIGHT if note.id in (3, 4)]
TAKEN = [note for note in NOTES if note not in LEFT_OUT]
WHERE = slice(int(1.6 * 22050), int(2.3 * 22050))
FORBIDDEN = [MaskEdit(pitch, 1.4, 2.5, allow=False, layer=0) for pitch in (76, 79, 84)]

note_lists = st.lists(
    st.builds(
        lambda i, onset, length, pitch, layer: Note(i, onset, onset + length, pitch, layer=layer, track=layer),
        st.integers(0, 500),
        st.floats(0, 3),
        st.floats(0.05, 1),
        st.integers(59, 62),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda note: note.id,
)
stroke_lists = st.lists(
    st.builds(
        lambda pitch, start, length, allow, layer: MaskEdit(pitch, start, start + length, allow, layer),
        st.integers(59, 62),
        st.floats(-0.5, 3),
        st.floats(0.01, 2),
        st.booleans(),
        st.sampled_from([None, 0, 1]),
    ),
    max_size=4,
)


def part_of(truth: FloatArray, signal: FloatArray) -> float:
    """How much of `truth` is in `signal`, in the stretch that is left out."""
    here, there = truth[WHERE, 0], signal[WHERE, 0]
    return float(there @ here / (here @ here))


@pytest.mark.parametrize("how", ["forbidden", "left out"])
@pytest.mark.parametrize("settings", [ModelSettings(), ModelSettings(method="nae")], ids=["nmf", "nae"])
def test_what_is_left_out_goes_to_the_residual(how: str, settings: ModelSettings) -> None:
    known = ScoreInformation(NOTES, FORBIDDEN) if how == "forbidden" else ScoreInformation(TAKEN, unwanted=LEFT_OUT)
    factors = finish(decompose_steps(SOUND, known, settings))
    layers = finish(separate_steps(SOUND, factors, [0, 1]))
    rest = residual(SOUND, layers.values())
    assert part_of(STEMS[0], rest) > 0.8
    assert part_of(STEMS[0], layers[1]) < 0.1
    # What is left of a tone next to the stretch rings into it.
    assert part_of(STEMS[0], layers[0]) < 0.15
    assert part_of(STEMS[1], layers[1]) > 0.9
    np.testing.assert_array_equal(layers[0] + layers[1] + rest, SOUND.samples)


def test_unmodelled_it_is_taken_by_what_sounds_beside_it() -> None:
    factors = finish(decompose_steps(SOUND, ScoreInformation(TAKEN, unwanted=LEFT_OUT), UNMODELLED))
    plain = finish(decompose_steps(SOUND, ScoreInformation(TAKEN), UNMODELLED))
    np.testing.assert_array_equal(factors.H, plain.H)
    assert part_of(STEMS[0], finish(separate_steps(SOUND, factors, [0, 1]))[1]) > 0.5


def test_a_note_left_out_is_not_heard_when_notes_are_heard_alone() -> None:
    factors = finish(decompose_steps(SOUND, ScoreInformation(TAKEN, unwanted=LEFT_OUT), ModelSettings(iterations=4)))
    assert len(note_alone(SOUND, factors, [note.id for note in LEFT_OUT])[1]) == 0
    layer = finish(separate_steps(SOUND, factors, [0, 1]))[0]
    first, all_notes = note_alone(SOUND, factors, [note.id for note in RIGHT])
    np.testing.assert_allclose(all_notes, layer[first : first + len(all_notes)], atol=1e-4)


@pytest.mark.parametrize("settings", [ModelSettings(), UNMODELLED])
@given(notes=note_lists, strokes=stroke_lists, unwanted=st.sets(st.integers(0, 500)))
@example(
    notes=[Note(0, 0.0, 1.0, 59), Note(2, 0.0, 1.0, 59, layer=1, track=1), Note(1, 0.0, 1.0, 59)],
    strokes=[*[MaskEdit(59, 0.0, 1.0, allow=False)] * 2, MaskEdit(59, 0.0, 1.0, allow=True)],
    unwanted={0},
)
def test_layers_may_sound_exactly_what_the_roll_shows(
    settings: ModelSettings, notes: list[Note], strokes: list[MaskEdit], unwanted: set[int]
) -> None:
    gone = [note for note in notes if note.id in unwanted]
    notes = [note for note in notes if note.id not in unwanted]
    shown = bodies(notes, strokes, settings)
    rows = modelled(ScoreInformation(notes, strokes, unwanted=gone), settings)
    columns = ("pitch", "layer", "velocity", "note", "start_s", "end_s", "onset_s", "offset_s")
    theirs, mine = (sorted(zip(*(getattr(b, name)[b.wanted].tolist() for name in columns), strict=True)) for b in (shown, rows))
    assert mine == theirs
    assert shown.wanted.all()
    assert (rows.note[~rows.wanted] == PHANTOM).all()


@given(notes=note_lists, strokes=stroke_lists)
def test_a_phantom_takes_nothing_that_a_layer_may_sound(notes: list[Note], strokes: list[MaskEdit]) -> None:
    grid = Grid.for_recording(22050, 4 * 22050)
    try:
        with_phantoms, without = (
            build(rows, grid) for rows in (modelled(ScoreInformation(notes, strokes)), bodies(notes, strokes))
        )
    except InputError:
        return
    for layer in (0, 1):
        shares = with_phantoms.shares(with_phantoms.bodies.of_layers(layer))
        expected = without.shares(without.bodies.of_layers(layer))
        place = {name: n for n, name in enumerate(names(with_phantoms.components))}
        for n, name in enumerate(names(without.components)):
            np.testing.assert_allclose(shares[place[name]], expected[n], atol=1e-3)


def names(components) -> list[tuple[int, ...]]:
    columns = (components.part, components.pitch, components.kind, components.copy)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_what_is_forbidden_in_one_layer_is_the_other_layers() -> None:
    both = [Note(0, 0.5, 1.5, 60), Note(1, 0.5, 1.5, 60, layer=1, track=1)]
    audio = render(both[:1])
    stroke = [MaskEdit(60, 0.0, 3.0, allow=False, layer=0)]
    layers = finish(separate_steps(audio, finish(decompose_steps(audio, ScoreInformation(both, stroke))), [0, 1]))
    assert not layers[0].any()
    loud = layers[1][:, 0] @ audio.samples[:, 0] / (audio.samples[:, 0] @ audio.samples[:, 0])
    assert loud > 0.95


def test_where_everything_is_forbidden_there_is_nothing_to_separate() -> None:
    with pytest.raises(InputError, match="no note may sound"):
        finish(decompose_steps(SOUND, ScoreInformation(NOTES[:1], [MaskEdit(72, -1.0, 9.0, allow=False)])))


def test_forbidding_is_followed_locally_and_taken_back_to_the_last_bit() -> None:
    factors = finish(decompose_steps(SOUND, ScoreInformation(NOTES), ModelSettings(iterations=8)))
    after = finish(refit_steps(SOUND, factors, ScoreInformation(NOTES, FORBIDDEN)))
    assert not after.whole
    rest = residual(SOUND, finish(separate_steps(SOUND, after.factors, [0, 1])).values())
    assert part_of(STEMS[0], rest) > 0.8
    left_out = finish(refit_steps(SOUND, factors, ScoreInformation(TAKEN, unwanted=LEFT_OUT)))
    assert not left_out.whole
    assert all(set(stretch.pieces) <= {0, 1} for stretch in left_out.stretches)
    back = finish(refit_steps(SOUND, left_out.factors, ScoreInformation(NOTES)))
    np.testing.assert_array_equal(back.factors.H, factors.H)
