"""How fast the decomposition is, as ratios inside one run: other machines, and busy ones, differ."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from soli.decompose import nmf
from soli.decompose.bodies import bodies
from soli.decompose.settings import ModelSettings
from soli.progress import finish
from soli.score.notes import Note

K, R, N, ITERATIONS = 2049, 176, 1300, 6  # half a minute


def piano_like(active: float, frames: int = N) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """V, which no model meets, W, and an H in which runs of 20 frames are alive, `active` of all entries."""
    rng = np.random.default_rng(0)
    H = np.zeros((R, frames), np.float32)
    while (H > 0).mean() < active:
        for _ in range(10):
            start = rng.integers(0, frames - 20)
            H[rng.integers(0, R), start : start + 20] = rng.random(20) + 0.1
    W = rng.random((K, R)).astype(np.float32) ** 8 + np.float32(1e-4)
    V = (W @ H + np.float32(1e-3)) * rng.uniform(0.5, 1.5, (K, frames)).astype(np.float32)
    return np.asfortranarray(V), W, H


def dense(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float, *, regrouped: bool = False) -> np.ndarray:
    """The same updates as they are written, on full matrices of float32; `regrouped` spares the model in WHH'."""
    if beta == 2.0:
        for _ in range(ITERATIONS):
            H = H * (W.T @ V / (W.T @ W @ H + np.float32(1e-9)))
            W = W * (V @ H.T / ((W @ (H @ H.T) if regrouped else W @ H @ H.T) + np.float32(1e-9)))
        return W @ H
    W, H = W / W.sum(axis=0), H * W.sum(axis=0)[:, None]
    for _ in range(ITERATIONS):
        H = H * (W.T @ (V / (W @ H + np.float32(1e-9)))) / np.maximum(W.sum(axis=0), np.float32(1e-9))[:, None]
        W = W * (((V / (W @ H + np.float32(1e-9))) @ H.T) / (H.sum(axis=1) + np.float32(1e-9)))
        total = np.maximum(W.sum(axis=0), np.float32(1e-9))
        W, H = W / total, H * total[:, None]
    return W @ H


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    best = np.inf
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("active", [0.02, 0.08])
def test_work_follows_the_support(benchmark: BenchmarkFixture, active: float, beta: float) -> None:
    V, W, H = piano_like(active)
    chosen = ModelSettings(iterations=ITERATIONS, beta=beta)
    ours = seconds(lambda: finish(nmf.factorize(V, W, H, settings=chosen)))
    benchmark.extra_info["times_faster_than_dense"] = seconds(lambda: dense(V, W, H, beta)) / ours
    if beta == 2.0:
        benchmark.extra_info["times_faster_than_regrouped"] = seconds(lambda: dense(V, W, H, beta, regrouped=True)) / ours
    solution = benchmark.pedantic(lambda: finish(nmf.factorize(V, W, H, settings=chosen)), rounds=2)
    expected = dense(V, W, H, beta)
    found = solution.W @ solution.H
    sounding = H.any(axis=0)
    assert np.linalg.norm((found - expected)[:, sounding]) < 1e-4 * np.linalg.norm(expected[:, sounding])


def test_ten_thousand_notes_become_bodies(benchmark: BenchmarkFixture) -> None:
    notes = [Note(i, i * 0.17, i * 0.17 + 0.5, 40 + i % 40, track=i % 3) for i in range(10_000)]
    assert len(benchmark.pedantic(bodies, args=(notes,), rounds=5)) == 10_000
