"""What a decomposition shows while it runs, and where it starts from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose.bodies import ScoreInformation
from soli.decompose.constraints import bodies, build
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.settings import ModelSettings
from soli.decompose.start import warm
from soli.decompose.templates import initial
from soli.progress import Progress, Steps, finish, relayed
from soli.score.notes import Note
from soli.signal.audio import Audio
from soli.signal.spectrogram import Grid

NOTES = melody((60, 64, 67, 72))
SOUND = render(NOTES, channels=2)


def driven(steps: Steps[Factors]) -> tuple[list[Progress], Factors]:
    reports = []
    while True:
        try:
            reports.append(next(steps))
        except StopIteration as done:
            return reports, done.value


@pytest.mark.parametrize("method", ["nmf", "nae"])
def test_each_iteration_shows_the_factors_so_far(method: str) -> None:
    chosen = ModelSettings(method=method, iterations=5)  # type: ignore[arg-type]
    steps, seen = decompose_steps(SOUND, ScoreInformation(NOTES), chosen), []
    while True:
        try:
            shown = next(steps).model
        except StopIteration as done:
            found = done.value
            break
        if shown is not None:
            assert isinstance(shown, Factors)
            assert (shown.encoder is not None) == (method == "nae")
            assert not shown.H[shown.constraint.H == 0].any()
            seen.append((shown.W.copy(), shown.H.copy(), shown.losses))
    assert [len(losses) for _, _, losses in seen] == [1, 2, 3, 4, 5]
    assert seen[-1][2] == found.losses
    # Each iteration is nearer to the end than the one before it.
    gaps = [float(np.linalg.norm(W @ H - found.W @ found.H)) for W, H, _ in seen]
    assert gaps == sorted(gaps, reverse=True)


def test_relayed_work_is_the_same_work_and_closing_it_closes_what_it_relays() -> None:
    ended = []

    def counting() -> Steps[str]:
        try:
            for step in range(3):
                yield Progress(step, 3)
            return "done"
        finally:
            ended.append(True)

    reports, result = driven(relayed(counting(), lambda report: Progress(report.step, 3, "seen")))  # type: ignore[arg-type]
    assert [report.what for report in reports] == ["seen"] * 3
    assert result == "done"
    steps = relayed(counting(), lambda report: report)
    next(steps)
    steps.close()
    assert len(ended) == 2


LONG = melody((60, 64, 67, 72, 67, 64, 60, 55, 60, 64, 67, 72))
EDITED = [*LONG[:5], replace(LONG[5], pitch=65), *LONG[6:], Note(50, 2.6, 2.9, 48)]
LONG_SOUND = render(EDITED, channels=2)


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize("notes", [LONG, EDITED], ids=["the same", "edited"])
def test_a_warm_start_saves_half_the_work_and_keeps_to_the_support(method: str, notes: list[Note]) -> None:
    chosen = ModelSettings(method=method, iterations=9)  # type: ignore[arg-type]
    found = finish(decompose_steps(LONG_SOUND, ScoreInformation(LONG), chosen))
    cold = finish(decompose_steps(LONG_SOUND, ScoreInformation(notes), chosen))
    warm, again = (finish(decompose_steps(LONG_SOUND, ScoreInformation(notes), chosen, start=found)) for _ in range(2))
    assert (found.warm, cold.warm, warm.warm) == (0, 0, 1)
    assert (len(cold.losses), len(warm.losses)) == (9, 5)
    assert warm.settings == chosen
    assert warm.losses[0] < cold.losses[0] / 2
    assert warm.losses[-1] < cold.losses[4], "no better than a cold run of as many iterations"
    if notes is LONG:
        assert warm.losses[-1] <= found.losses[-1]
    np.testing.assert_array_equal(warm.constraint.H, cold.constraint.H)
    assert not warm.H[cold.constraint.H == 0].any()
    np.testing.assert_array_equal(warm.H, again.H)
    np.testing.assert_array_equal(warm.W, again.W)


def test_a_warm_start_alters_nothing_and_leaves_what_does_not_fit_aside() -> None:
    chosen = ModelSettings(iterations=3)
    found = finish(decompose_steps(LONG_SOUND, ScoreInformation(LONG), chosen))
    before = found.W.copy(), found.H.copy()
    for notes in (LONG, EDITED):
        finish(decompose_steps(LONG_SOUND, ScoreInformation(notes), chosen, start=found))
    np.testing.assert_array_equal(found.W, before[0])
    np.testing.assert_array_equal(found.H, before[1])
    shorter = Audio(LONG_SOUND.samples[:90000].copy(), LONG_SOUND.rate)
    elsewhere = [replace(note, onset_s=note.onset_s + 0.3, offset_s=note.offset_s + 0.3) for note in LONG]
    for sound, notes, settings_ in (
        (shorter, LONG, chosen),
        (LONG_SOUND, elsewhere, chosen),
        (LONG_SOUND, LONG, replace(chosen, sustain_templates=1)),
        (LONG_SOUND, LONG, replace(chosen, beta=2.0)),
        (LONG_SOUND, LONG, replace(chosen, seed=1)),
    ):
        runs = [finish(decompose_steps(sound, ScoreInformation(notes), settings_, start=start)) for start in (None, found)]
        assert runs[1].warm == 0
        np.testing.assert_array_equal(runs[0].W, runs[1].W)
    kept = finish(
        decompose_steps(LONG_SOUND, ScoreInformation(LONG), replace(chosen, mask_exponent=1.0, iterations=6), start=found)
    )
    assert kept.warm == 1


def test_after_some_warm_starts_templates_are_learnt_anew() -> None:
    chosen = ModelSettings(iterations=4)
    runs = [finish(decompose_steps(LONG_SOUND, ScoreInformation(LONG), chosen))]
    for _ in range(3):
        runs.append(finish(decompose_steps(LONG_SOUND, ScoreInformation(LONG), chosen, start=runs[-1])))
    assert [run.warm for run in runs] == [0, 1, 2, 0]
    np.testing.assert_array_equal(runs[0].W, runs[-1].W)


@settings(max_examples=20)
@given(seed=st.integers(0, 999), hard=st.booleans())
def test_zeros_of_templates_and_activations_stay_zero_in_a_warm_start(seed: int, hard: bool) -> None:
    rng = np.random.default_rng(seed)
    grid, settings_ = Grid.for_recording(SOUND.rate, SOUND.length), ModelSettings(template_tolerance_cents=50 if hard else None)
    old, new = (build(bodies(list(rng.permutation(np.array(NOTES, object))[:3])), grid) for _ in range(2))
    W = initial(new.components, grid, settings_)
    found = rng.random((grid.bins, len(old.components))).astype(np.float32), rng.random(old.H.shape).astype(np.float32)
    begin = warm(W, new, before=old, found=found)
    assert not begin.W[W == 0].any()
    assert ((begin.H > 0) == (new.H > 0)).all()
    pitches = set(old.components.pitch.tolist())
    assert [p in pitches for p in new.components.pitch.tolist()] == np.isin(np.arange(len(begin.H)), begin.known).tolist()
