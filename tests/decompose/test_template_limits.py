"""What the user allows a template is all it ever has, from the first template to the last refit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose import templates
from soli.decompose.bodies import Part, ScoreInformation, bodies
from soli.decompose.constraints import Constraint, Kind, build
from soli.decompose.encoder import Encoder, apply_encoder_steps
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.refit import planned, refit_steps
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit, changed_pitches
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import frequency_hz
from soli.signal.audio import Audio
from soli.signal.spectrogram import Grid

QUICK = ModelSettings(iterations=5)
NOTES = (*melody((60, 64, 67, 60, 72, 64, 67, 76)), *melody((48, 43, 48, 41), step_s=1.0, length_s=0.9, first_id=20))
SOUND = render(NOTES, channels=2)
GRID = Grid.for_recording(SOUND.rate, SOUND.length)
THREE, NARROW = TemplateLimit(harmonics=3), TemplateLimit(tolerance_cents=20.0)
LIMITS = st.builds(TemplateLimit, harmonics=st.none() | st.integers(1, 40), tolerance_cents=st.none() | st.floats(1, 600))


def constraint(limits: Mapping[int, TemplateLimit], chosen: ModelSettings = QUICK) -> Constraint:
    return build(bodies(NOTES, (), chosen, limits=limits), GRID, chosen)


def tones(factors: Factors | Constraint, pitch: int) -> np.ndarray:
    components = factors.components
    return np.flatnonzero((components.pitch == pitch) & (components.kind == Kind.SUSTAIN))


def run(limits: Mapping[int, TemplateLimit], chosen: ModelSettings = QUICK, **options: Any) -> Factors:
    return finish(decompose_steps(wide(), ScoreInformation(NOTES, limits=limits), chosen, **options))


def wide() -> Audio:
    """The recording with something in the side of its two channels."""
    noise = np.random.default_rng(1).standard_normal(SOUND.length).astype(np.float32) * np.float32(0.01)
    return Audio(SOUND.samples * np.array([1, 0.7], np.float32) + noise[:, None] * np.array([1, -1], np.float32), SOUND.rate)


def nowhere(row: np.ndarray, pitch: int, limit: TemplateLimit, chosen: ModelSettings = QUICK) -> np.ndarray:
    """The bins in which a tone must be zero."""
    f0, stiffness = frequency_hz(pitch + chosen.tuning_cents / 100), Part(0).family.inharmonicity
    bin_hz, hz = GRID.rate / GRID.window_length, GRID.frequencies_hz()
    result = np.zeros(len(row), bool)
    if limit.harmonics is not None:
        above = limit.harmonics + 0.5
        result |= hz > above * f0 * np.sqrt(1 + stiffness * above**2)
    if limit.tolerance_cents is not None:
        allowed = np.zeros(len(row), bool)
        for m in range(1, int(GRID.rate / 2 / f0) + 1):
            partial = m * f0 * np.sqrt(1 + stiffness * m**2)
            low = min(partial * 2 ** (-limit.tolerance_cents / 1200), partial - 1.5 * bin_hz)
            high = max(partial * 2 ** (limit.tolerance_cents / 1200), partial + 1.5 * bin_hz)
            allowed |= np.abs(hz - partial) <= (high - low) / 2 + 1e-6
        result |= ~allowed
    return result


@settings(max_examples=25, deadline=None)
@given(pitch=st.integers(36, 96), limit=LIMITS)
def test_a_limited_comb_is_zero_where_no_partial_is_allowed_and_nowhere_empty(pitch, limit):
    row = templates.sustain(pitch, Part(0), GRID, QUICK, limit=limit)
    assert row.sum() == pytest.approx(1, abs=1e-4)
    assert row.min() >= 0
    assert not row[nowhere(row, pitch, limit)].any()
    low = round(frequency_hz(pitch) * GRID.window_length / GRID.rate)
    assert row[max(0, low - 2) : low + 3].any(), "the fundamental is always allowed"


@pytest.mark.parametrize("initialisation", ["onsets", "both", "activations"])
@pytest.mark.parametrize("limit", [THREE, NARROW, TemplateLimit(4, 30.0)])
def test_a_limit_concerns_its_pitch_alone(initialisation, limit):
    chosen = replace(QUICK, initialisation=initialisation)
    components = constraint({}, chosen).components
    free, held = (templates.initial(components, GRID, chosen, limits=limits) for limits in ({}, {60: limit}))
    others = components.pitch != 60
    np.testing.assert_array_equal(held[:, others], free[:, others])
    for r in np.flatnonzero(~others & (components.kind == Kind.SUSTAIN)):
        zero = nowhere(held[:, r], 60, limit)
        assert not held[zero, r].any()
        assert free[zero, r].all()
        assert held[~zero, r].any()


@pytest.mark.parametrize(
    "chosen",
    [
        QUICK,
        replace(QUICK, updates="gradient"),
        replace(QUICK, beta=2.0),
        replace(QUICK, method="nae"),
        replace(QUICK, method="nae", updates="relu", beta=2.0),
        replace(QUICK, initialisation="activations"),
    ],
    ids=["nmf", "gradient", "euclidean", "nae", "relu", "random templates"],
)
def test_what_is_zero_at_first_is_zero_after_a_run(chosen):
    limits = {60: THREE, 48: NARROW}
    factors = run(limits, chosen)
    for pitch, limit in limits.items():
        for r in tones(factors, pitch):
            zero = nowhere(factors.W[:, r], pitch, limit, chosen)
            assert not factors.W[zero, r].any()
            assert factors.side is not None
            assert not factors.side[zero, r].any()
            assert factors.W[~zero, r].any()
    assert factors.W[nowhere(factors.W[:, 0], 60, THREE), tones(factors, 64)[0]].any(), "an other pitch keeps its partials"


@pytest.fixture(scope="module")
def free() -> Factors:
    return run({})


def test_an_edit_of_a_limit_is_solved_where_its_pitch_sounds_and_nowhere_else(free):
    refit = finish(refit_steps(wide(), free, ScoreInformation(NOTES, limits={60: THREE})))
    after = refit.factors
    assert not refit.whole
    held = tones(free, 60)
    others = np.setdiff1d(np.arange(len(free.components)), held)
    np.testing.assert_array_equal(after.W[:, others], free.W[:, others])
    for r in held:
        zero = nowhere(after.W[:, r], 60, THREE)
        assert not after.W[zero, r].any()
        kept = ~zero
        ratio = after.W[kept, r] / np.maximum(free.W[kept, r], 1e-30)
        np.testing.assert_allclose(ratio[free.W[kept, r] > 1e-9], ratio.max(), rtol=1e-4)
    silent = ~(free.constraint.H[held] > 0).any(axis=0)
    np.testing.assert_array_equal(after.H[:, silent], free.H[:, silent])
    assert (after.H[:, ~silent] != free.H[:, ~silent]).any()
    assert 0 < refit.solved <= np.count_nonzero(~silent)


def test_a_limit_taken_back_leaves_no_trace(free):
    held = finish(refit_steps(wide(), free, ScoreInformation(NOTES, limits={60: THREE, 64: NARROW}))).factors
    other = finish(refit_steps(wide(), held, ScoreInformation(NOTES, limits={60: NARROW}))).factors
    back = finish(refit_steps(wide(), other, ScoreInformation(NOTES, limits={}))).factors
    np.testing.assert_array_equal(back.W, free.W)
    np.testing.assert_array_equal(back.side, free.side)
    np.testing.assert_array_equal(back.H, free.H)


def test_two_ways_to_the_same_limit_end_alike(free):
    straight = finish(refit_steps(wide(), free, ScoreInformation(NOTES, limits={60: NARROW}))).factors
    around = finish(refit_steps(wide(), free, ScoreInformation(NOTES, limits={60: THREE}))).factors
    around = finish(refit_steps(wide(), around, ScoreInformation(NOTES, limits={60: NARROW}))).factors
    np.testing.assert_array_equal(around.W, straight.W)
    np.testing.assert_array_equal(around.H, straight.H)


def test_a_limit_taken_off_after_a_run_lets_partials_begin_again():
    held = run({60: TemplateLimit(harmonics=2)})
    loose = finish(refit_steps(wide(), held, ScoreInformation(NOTES, limits={60: TemplateLimit(harmonics=6)}))).factors
    for r in tones(held, 60):
        allowed = ~nowhere(loose.W[:, r], 60, TemplateLimit(harmonics=6))
        assert (loose.W[allowed, r] > 0).mean() > 0.9
        assert not loose.W[~allowed, r].any()


@pytest.mark.parametrize("prior", [0.0, 0.6])
def test_a_warm_start_without_the_limit_does_not_keep_its_zeros(prior):
    chosen = replace(QUICK, prior=prior)
    warm = run({}, chosen, start=run({60: TemplateLimit(harmonics=2)}, chosen))
    third = round(3 * frequency_hz(60) * GRID.window_length / GRID.rate)
    assert all(warm.W[third, r] > 0 for r in tones(warm, 60))


def test_the_same_limits_ask_for_nothing(free):
    plan = planned(free, ScoreInformation(NOTES, limits={}))
    assert plan is not None
    assert len(plan.unsolved) == 0
    assert plan.sounding == ()


def test_a_new_pitch_is_grown_within_its_limit(free):
    notes = [replace(note, pitch=62) if note.id == 3 else note for note in NOTES]
    after = finish(refit_steps(wide(), free, ScoreInformation(notes, limits={62: THREE}))).factors
    (r, *_) = tones(after, 62)
    assert not after.W[nowhere(after.W[:, r], 62, THREE), r].any()
    assert after.W[:, r].any()


def test_an_encoder_is_applied_within_the_limits():
    encoder = Encoder.of(run({}, replace(QUICK, method="nae")))
    factors = finish(apply_encoder_steps(encoder, wide(), ScoreInformation(NOTES, limits={60: THREE})))
    for r in tones(factors, 60):
        zero = nowhere(factors.W[:, r], 60, THREE)
        assert not factors.W[zero, r].any()
        assert not factors.encoder[r, zero].any()
    assert np.isfinite(factors.H).all()


@pytest.mark.parametrize(
    "wrong", [{"harmonics": 0}, {"harmonics": 10_000}, {"tolerance_cents": 0.5}, {"tolerance_cents": float("nan")}]
)
def test_a_limit_out_of_range_is_refused_in_a_sentence(wrong):
    with pytest.raises(InputError, match="choose a number from"):
        TemplateLimit(**wrong)


def test_pitches_of_which_the_limits_differ():
    assert changed_pitches({}, {}) == ()
    assert changed_pitches({60: THREE, 61: NARROW, 62: THREE}, {60: THREE, 61: THREE, 70: NARROW}) == (61, 62, 70)
