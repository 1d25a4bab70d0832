"""The support of H and each layer's share of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose.constraints import Kind, MaskEdit, bodies, build
from soli.decompose.settings import ModelSettings
from soli.decompose.templates import initial
from soli.errors import InputError
from soli.score.notes import Note
from soli.signal.spectrogram import Grid

GRID = Grid(22050, 22050 * 5, 4096, 1024)

some_notes = st.lists(
    st.builds(
        Note,
        id=st.integers(0, 1000),
        onset_s=st.floats(-2, 7),
        offset_s=st.floats(-2, 7),
        pitch=st.integers(20, 100),
        velocity=st.integers(0, 127),
        channel=st.sampled_from([0, 1, 9]),
        program=st.sampled_from([0, 40]),
        layer=st.integers(0, 2),
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(notes=some_notes)
def test_layers_share_all_of_the_support_and_nothing_else(notes: list[Note]) -> None:
    rows = bodies(notes)
    if not ((rows.end_s >= 0) & (rows.start_s <= 5)).any():
        with pytest.raises(InputError):
            build(rows, GRID)
        return
    constraint = build(rows, GRID)
    shares = [constraint.shares(constraint.bodies.of_layers(layer)) for layer in range(3)]
    assert all((share >= 0).all() for share in shares)
    np.testing.assert_allclose(sum(shares), constraint.H > 0, atol=1e-5)
    np.testing.assert_allclose(constraint.shares(constraint.bodies.of_layers(1), 10, 40), shares[1][:, 10:40], atol=1e-6)


def test_the_support_is_what_the_bodies_say() -> None:
    notes = [Note(0, 1.0, 2.0, 60), Note(1, 3.0, 3.5, 60), Note(2, 1.5, 2.5, 64)]
    rows = bodies(notes, [MaskEdit(60, 1.4, 1.8, allow=False)])
    constraint = build(rows, GRID)
    times = np.arange(GRID.frames) * GRID.hop_s
    for pitch in (60, 64):
        mine = rows.pitch == pitch
        near = GRID.hop_s / 2 + 1e-9
        may = ((times >= rows.start_s[mine][:, None] - near) & (times <= rows.end_s[mine][:, None] + near)).any(axis=0)
        of_pitch = (constraint.components.pitch == pitch) & (constraint.components.kind == Kind.SUSTAIN)
        np.testing.assert_array_equal(constraint.H[of_pitch].any(axis=0), may)


def test_attacks_live_only_around_onsets() -> None:
    constraint = build(bodies([Note(0, 1.0, 4.0, 60)]), GRID)
    attack = constraint.H[constraint.components.kind == Kind.ATTACK]
    frames = np.flatnonzero(attack.any(axis=0)) * GRID.hop_s
    assert 0.8 < frames.min() < 1.0 < frames.max() < 1.2


def test_a_pitch_held_by_two_layers_is_shared_by_velocity() -> None:
    notes = [Note(0, 1.0, 2.0, 60, velocity=90, layer=0), Note(1, 1.0, 2.0, 60, velocity=30, layer=1, track=1, channel=1)]
    constraint = build(bodies(notes), GRID)
    share = constraint.shares(constraint.bodies.of_layers(0))[constraint.H > 0]
    np.testing.assert_allclose(share, 0.75, atol=1e-5)


def test_one_note_has_all_of_what_it_alone_sounds() -> None:
    notes = [Note(4, 1.0, 2.0, 60), Note(9, 3.0, 4.0, 60)]
    constraint = build(bodies(notes), GRID)
    share = constraint.shares(constraint.bodies.of_notes([9]))
    assert share.max() == 1
    assert not share[:, : int(2.5 / GRID.hop_s)].any()


@pytest.mark.parametrize("notes", [[], [Note(0, 50.0, 51.0, 60)], [Note(0, -9.0, -8.0, 60)]])
def test_nothing_to_sound_is_said_in_one_sentence(notes: list[Note]) -> None:
    with pytest.raises(InputError, match="no note may sound"):
        build(bodies(notes), GRID)


def test_a_part_has_sustain_and_attack_and_drums_have_their_own() -> None:
    notes = [Note(0, 1, 2, 60), Note(1, 1, 2, 36, channel=9)]
    components = build(bodies(notes), GRID).components
    assert {(int(p), Kind(k)) for p, k in zip(components.pitch, components.kind, strict=True)} == {
        (60, Kind.SUSTAIN),
        (60, Kind.ATTACK),
        (36, Kind.DRUM),
    }


@pytest.mark.parametrize("initialisation", ["random", "templates", "activations", "both", "onsets"])
def test_each_initialisation_constrains_what_it_says(initialisation: str) -> None:
    chosen = ModelSettings(initialisation=initialisation, template_tolerance_cents=50.0)  # type: ignore[arg-type]
    constraint = build(bodies([Note(0, 1.0, 2.0, 69)]), GRID, chosen)
    W = initial(constraint.components, GRID, chosen)
    assert (constraint.H == 0).any() == (initialisation in ("activations", "both", "onsets"))
    sustain = W[:, constraint.components.kind == Kind.SUSTAIN]
    assert (sustain == 0).any() == (initialisation in ("templates", "both", "onsets"))
    assert (Kind.ATTACK in constraint.components.kind) == (initialisation == "onsets")
    np.testing.assert_allclose(W.sum(axis=0), 1, rtol=1e-4)
    share = constraint.shares(constraint.bodies.of_layers(0))
    np.testing.assert_allclose(share[constraint.H > 0], 1, atol=1e-6)


def test_a_template_peaks_at_its_partials() -> None:
    constraint = build(bodies([Note(0, 1.0, 2.0, 69, program=40)]), GRID)
    W = initial(constraint.components, GRID)[:, 0]
    for partial in (440, 880, 1320):
        nearest = round(partial * 4096 / 22050)
        assert W[nearest - 1 : nearest + 2].max() > 20 * W[nearest + 20]


def test_a_template_is_shifted_by_the_tuning() -> None:
    constraint = build(bodies([Note(0, 1.0, 2.0, 81, program=40)]), GRID)
    detuned = initial(constraint.components, GRID, ModelSettings(tuning_cents=100.0))[:, 0]
    assert GRID.frequencies_hz()[detuned.argmax()] == pytest.approx(880 * 2 ** (1 / 12), abs=4)


def test_settings_out_of_range_are_refused_in_one_sentence() -> None:
    for wrong in ({"iterations": 0}, {"beta": 3.0}, {"mask_exponent": float("nan")}, {"method": "x"}, {"before_s": -1.0}):
        with pytest.raises(InputError, match="choose"):
            ModelSettings(**wrong)  # type: ignore[arg-type]
