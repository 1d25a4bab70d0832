"""How long an alignment takes, whole and between two anchors; a small piece, for ratios inside one run."""

import pytest
from performances import errors, performed, piece
from pytest_benchmark.fixture import BenchmarkFixture
from synth import render

from soli.progress import finish
from soli.score.alignment import align_steps, realigned_steps
from soli.score.features import hear_steps

score = piece(50, bars=16)
truth = performed(score)
recording = render(truth)


def anchors_at(*places: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        next((n.onset_s, t.onset_s) for n, t in zip(score.notes, truth, strict=True) if n.onset_s >= place) for place in places
    )


def test_listening(benchmark: BenchmarkFixture):
    hearing = benchmark(lambda: finish(hear_steps(recording)))
    assert hearing.duration_s == pytest.approx(recording.duration_s, abs=0.01)


def test_aligning_what_was_heard(benchmark: BenchmarkFixture):
    hearing = finish(hear_steps(recording))
    alignment = benchmark(lambda: finish(align_steps(recording, score, hearing=hearing)))
    assert errors(alignment, truth).mean() < 0.02


def test_aligning_again_between_two_anchors(benchmark: BenchmarkFixture):
    hearing = finish(hear_steps(recording))
    former, anchors = anchors_at(8, 16, 24), anchors_at(8, 12, 16, 24)
    previous = finish(align_steps(recording, score, anchors=former, hearing=hearing))

    def again():
        steps = realigned_steps(recording, score, previous, anchors=anchors, former_anchors=former, hearing=hearing)
        return finish(steps)

    assert errors(benchmark(again), truth).mean() < 0.02
