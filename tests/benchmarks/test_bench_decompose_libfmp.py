"""How much faster than libfmp's NMF, in one run: run by hand, with SOLI_LIBFMP_PYTHON naming a Python that has libfmp."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from benchmarks.test_bench_decompose import piano_like, seconds
from pytest_benchmark.fixture import BenchmarkFixture

from soli.decompose import nmf
from soli.decompose.settings import ModelSettings
from soli.progress import finish

PYTHON = os.environ.get("SOLI_LIBFMP_PYTHON", "")
ITERATIONS = 10

# The first call compiles; the threshold is one that is never reached.
THEIRS = f"""
import sys, time
import numpy as np
from libfmp.c8 import nmf
given = np.load(sys.argv[1])
V, W, H = (given[name].astype(np.float64) for name in "VWH")
nmf(V, W.shape[1], 0.0, 1, W, H)
best = np.inf
for _ in range(3):
    begin = time.perf_counter()
    found = nmf(V, W.shape[1], 0.0, {ITERATIONS}, W, H)
    best = min(best, time.perf_counter() - begin)
np.savez(sys.argv[2], model=found[2], seconds=best)
"""


@pytest.mark.skipif(not PYTHON, reason="SOLI_LIBFMP_PYTHON names no Python that has libfmp")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("active", [0.02, 0.08])
def test_the_same_updates_as_libfmp_many_times_faster(benchmark: BenchmarkFixture, tmp_path: Path, active: float) -> None:
    V, W, H = piano_like(active, 2600)
    # Its updates see frames without support too.
    V[:, ~H.any(axis=0)] = 0
    np.savez(tmp_path / "given.npz", V=V, W=W, H=H)
    chosen = ModelSettings(iterations=ITERATIONS, beta=2.0)

    def ours() -> nmf.Solution:
        return finish(nmf.factorize(V, W, H, settings=chosen))

    before = seconds(ours)
    subprocess.run([PYTHON, "-c", THEIRS, str(tmp_path / "given.npz"), str(tmp_path / "found.npz")], check=True)
    after = seconds(ours)
    with np.load(tmp_path / "found.npz") as found:
        theirs, model = float(found["seconds"]), found["model"]
    benchmark.extra_info["times_faster_than_libfmp"] = theirs / min(before, after)
    solution = benchmark.pedantic(ours, rounds=2)
    assert np.linalg.norm(solution.W @ solution.H - model) < 1e-4 * np.linalg.norm(model)


@pytest.mark.parametrize("active", [0.02, 0.08])
def test_how_much_of_the_peak_is_useful_work(benchmark: BenchmarkFixture, active: float) -> None:
    """The products that the support needs, as a fraction of what sgemm does in the same time on all cores."""
    V, W, H = piano_like(active, 2600)
    square = np.random.default_rng(0).random((2048, 2048), np.float32)
    chosen = ModelSettings(iterations=ITERATIONS)
    # Two models an iteration, and what goes back to H and to W.
    useful = 4 * ITERATIONS * 2.0 * len(V) * np.count_nonzero(H)

    def ours() -> nmf.Solution:
        return finish(nmf.factorize(V, W, H, settings=chosen))

    peak = 2.0 * 2048**3 / seconds(lambda: square @ square)
    benchmark.extra_info["sgemm_gflops"] = peak / 1e9
    benchmark.extra_info["fraction_of_peak"] = useful / seconds(ours) / peak
    benchmark.pedantic(ours, rounds=2)
