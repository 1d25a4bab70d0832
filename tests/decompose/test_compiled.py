"""The compiled updates against the blocks of NumPy: one law, two ways."""

import sys
from functools import partial

import numpy as np
import pytest
from decompose.test_nmf import close, problem
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose import compiled, nmf
from soli.decompose.blocks import Workers
from soli.decompose.preparing import prepare
from soli.decompose.settings import ModelSettings
from soli.decompose.sums import Sums
from soli.progress import finish

KERNELS = compiled.kernels()
pytestmark = pytest.mark.skipif(KERNELS is None, reason="numba is not installed, or not for this NumPy")


def both(
    monkeypatch: pytest.MonkeyPatch, V: np.ndarray, W: np.ndarray, H: np.ndarray, chosen: ModelSettings
) -> tuple[nmf.Solution, nmf.Solution]:
    fast = finish(nmf.factorize(V, W, H, settings=chosen))
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda: None)
        return fast, finish(nmf.factorize(V, W, H, settings=chosen))


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize(("K", "R", "N", "density"), [(1, 1, 1, 1.0), (40, 8, 90, 0.1), (1100, 30, 70, 0.2), (528, 5, 2100, 0.4)])
def test_both_ways_give_the_same(monkeypatch: pytest.MonkeyPatch, beta: float, K: int, R: int, N: int, density: float) -> None:
    V, W, H = problem(K, R, N, density=density, seed=1)
    fast, plain = both(monkeypatch, V, W, H, ModelSettings(beta=beta, iterations=5))
    assert close(fast.W, plain.W) < 1e-4
    assert close(fast.H, plain.H) < 1e-4 or not plain.H.any()
    np.testing.assert_allclose(fast.losses, plain.losses, rtol=1e-4, atol=1e-6 * float(V.sum()))


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("layout", ["rows", "columns", "slice", "backwards", "strided"])
def test_how_a_spectrogram_lies_in_memory_does_not_matter(beta: float, layout: str) -> None:
    V, W, H = problem()
    ways = {
        "rows": np.ascontiguousarray(V),
        "columns": np.asfortranarray(V),
        "slice": np.asfortranarray(np.vstack([V, V]))[: len(V)],
        "backwards": np.asfortranarray(V[:, ::-1])[:, ::-1],
        "strided": np.repeat(V, 2, axis=0)[::2],
    }
    chosen = ModelSettings(beta=beta, iterations=4)
    expected, found = (finish(nmf.factorize(v, W, H, settings=chosen)) for v in (V, ways[layout]))
    np.testing.assert_array_equal(found.W, expected.W)
    np.testing.assert_array_equal(found.H, expected.H)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    R=st.integers(1, 9),
    N=st.integers(1, 60),
    density=st.floats(0.02, 1),
    frames=st.integers(1, 40),
)
def test_groups_hold_the_support_once(seed: int, R: int, N: int, density: float, frames: int) -> None:
    _, _, H = problem(3, R, N, density=density, seed=seed)
    seen = np.zeros(H.shape, int)
    visited = np.zeros(N, int)
    for chunk in compiled.grouped(H, group=4, lanes=4, frames=frames):
        assert not np.diff(chunk.first, append=chunk.first[-1:])[-1]
        assert not (np.diff(chunk.first) % 4).any()
        for g, (start, count) in enumerate(zip(chunk.starts, chunk.counts, strict=True)):
            assert 1 <= count <= 4
            visited[start : start + count] += 1
            alive = chunk.alive[chunk.first[g] : chunk.first[g + 1]]
            seen[alive[alive < R], start : start + count] += 1
    assert (seen[H > 0] == 1).all()
    assert seen.max(initial=0) <= 1
    np.testing.assert_array_equal(visited, H.any(axis=0))


def test_the_logarithm_is_good_to_a_rounding() -> None:
    assert KERNELS is not None
    rng = np.random.default_rng(0)
    ratio = np.exp(rng.uniform(-80, 80, 500)).astype(np.float32)
    ratio[:4] = 1, 2, np.float32(1.4142135), np.nextafter(np.float32(1), np.float32(2))
    for at, weight in enumerate(np.eye(len(ratio), dtype=np.float32)):
        work = np.empty(len(ratio), np.float32)
        found = KERNELS._weighted_log(weight, ratio.view(np.int32), work, work.view(np.int32), 0, len(ratio))
        assert abs(found - np.log(np.float64(ratio[at]))) < 3e-7 * max(1.0, abs(np.log(np.float64(ratio[at]))))


def test_without_numba_everything_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soli.decompose.kernels", None)
    monkeypatch.delattr("soli.decompose.kernels", raising=False)
    assert compiled.kernels() is None
    prepare()


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_only_the_activations_or_only_the_templates_move_on_request(monkeypatch: pytest.MonkeyPatch, beta: float) -> None:
    V, W, H = problem()
    chosen = ModelSettings(beta=beta)
    learnt = finish(nmf.learn_templates(V, W, H, settings=chosen))
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda: None)
        plain = finish(nmf.learn_templates(V, W, H, settings=chosen))
    assert close(learnt, plain) < 1e-4
    fixed = finish(nmf.factorize(V, W, H, settings=chosen, fixed_templates=True))
    np.testing.assert_allclose(fixed.W, W / W.sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("to_one", [True, False])
def test_templates_move_as_the_sums_say(beta: float, to_one: bool) -> None:
    rng = np.random.default_rng(0)
    Wt, H = rng.random((7, 600)).astype(np.float32), rng.random((7, 30)).astype(np.float32)
    H[2], Wt[3], Wt[4, 100:300], Wt[5, :50] = 0, 0, 0, 1e-25
    above = rng.random((7, 600)).astype(np.float32) * H.any(axis=1, keepdims=True)
    above[6] = 0
    square = H @ H.T
    below = H.sum(axis=1, keepdims=True) if beta == 1.0 else square @ Wt
    updated = Sums(np.arange(7), above, below).updated(Wt, beta)
    expected = nmf.rows_to_one(updated, otherwise=Wt) if to_one else (updated, updated.sum(axis=1))
    updates = compiled.CompiledUpdates(KERNELS, np.ones((30, 600), np.float32), H, beta=beta, tiny=1e-7, nothing=1e-12)
    by_chunk = np.zeros((3, 8, 600), np.float32)
    by_chunk[:, :-1] = above * np.array([0.5, 0.2, 0.3], np.float32)[:, None, None]
    sums = compiled.ChunkSums(below if beta == 1.0 else square)
    sums.by_chunk = by_chunk
    np.testing.assert_allclose(sums.above, above, rtol=1e-6)
    pool = Workers()
    try:
        moved, total = updates.step(Wt, pool).moved(sums, to_one=to_one)
    finally:
        pool.close()
    np.testing.assert_allclose(moved, expected[0], rtol=1e-5)
    np.testing.assert_allclose(total, expected[1], rtol=1e-5)
    # What has no activations stays as it was.
    if to_one:
        np.testing.assert_allclose(moved[2], Wt[2] / Wt[2].sum(), rtol=1e-6)
    else:
        np.testing.assert_array_equal(moved[2], Wt[2])


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_neither_the_workers_nor_the_turns_of_the_chunks_matter(monkeypatch: pytest.MonkeyPatch, beta: float) -> None:
    V, W, H = problem(70, 6, 240, density=0.3, seed=3)
    monkeypatch.setattr(compiled, "grouped", partial(compiled.grouped, frames=8))
    chosen, found = ModelSettings(beta=beta, iterations=4), []
    for threads in (1, 2, 5):
        monkeypatch.setattr(nmf, "Workers", partial(Workers, threads))
        found.append(finish(nmf.factorize(V, W, H, settings=chosen)))
    for other in found[1:]:
        np.testing.assert_array_equal(other.W, found[0].W)
        np.testing.assert_array_equal(other.H, found[0].H)
        assert other.losses == found[0].losses
    monkeypatch.undo()
    whole = finish(nmf.factorize(V, W, H, settings=chosen))
    assert close(found[0].W, whole.W) < 1e-4
