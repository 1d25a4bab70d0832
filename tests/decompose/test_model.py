"""What a decomposition shows while it runs, and where it starts from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import melody, render

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
    steps, seen = decompose_steps(SOUND, NOTES, (), chosen), []
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


EDITED = [*NOTES[:2], replace(NOTES[3], pitch=71), Note(50, 0.1, 0.9, 55)]


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize("notes", [NOTES, EDITED], ids=["the same", "edited"])
def test_a_warm_start_begins_no_worse_and_keeps_to_the_support(method: str, notes: list[Note]) -> None:
    chosen = ModelSettings(method=method, iterations=5)  # type: ignore[arg-type]
    found = finish(decompose_steps(SOUND, NOTES, (), chosen))
    cold = finish(decompose_steps(SOUND, notes, (), chosen))
    warm = finish(decompose_steps(SOUND, notes, (), chosen, start=found))
    assert warm.losses[0] < cold.losses[0]
    assert warm.losses[-1] < cold.losses[-1] * 1.001
    assert not warm.H[warm.constraint.H == 0].any()
    if notes is NOTES:
        assert warm.losses[0] < found.losses[-1] * 1.01


def test_a_warm_start_alters_nothing_and_leaves_another_recording_aside() -> None:
    chosen = ModelSettings(iterations=3)
    found = finish(decompose_steps(SOUND, NOTES, (), chosen))
    before = found.W.copy(), found.H.copy()
    finish(decompose_steps(SOUND, EDITED, (), chosen, start=found))
    np.testing.assert_array_equal(found.W, before[0])
    np.testing.assert_array_equal(found.H, before[1])
    other = Audio(SOUND.samples[:30000].copy(), SOUND.rate)
    runs = [finish(decompose_steps(other, NOTES, (), chosen, start=start)) for start in (None, found)]
    np.testing.assert_array_equal(runs[0].W, runs[1].W)


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
