"""What a decomposition shows while it runs, and where it starts from."""

import numpy as np
import pytest
from synth import melody, render

from soli.decompose.model import Factors, decompose_steps
from soli.decompose.settings import ModelSettings
from soli.progress import Progress, Steps, relayed

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
