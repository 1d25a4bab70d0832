"""The factorisation against naive dense references, and its laws."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose import autoencoder, nmf
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import Progress, finish


def problem(
    K: int = 40, R: int = 8, N: int = 90, *, density: float = 0.4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    V = (rng.random((K, R)) @ (rng.random((R, N)) * (rng.random((R, N)) < density)) + 0.01).astype(np.float32)
    H = (rng.random((R, N)) * (rng.random((R, N)) < density)).astype(np.float32)
    return V, rng.random((K, R)).astype(np.float32) + np.float32(0.01), H


def dense(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Multiplicative updates as they are written, in double precision, on the frames that have support."""
    V, W, H = V.astype(np.float64), W.astype(np.float64), H.astype(np.float64)
    sounding, used = H.any(axis=0), H.any(axis=1)
    all_W, all_H, V, W, H = W.copy(), H.copy(), V[:, sounding], W[:, used], H[np.ix_(used, sounding)]
    power = 1 / (2 - beta) if beta < 1 else 1.0
    for _ in range(iterations):
        X = W @ H + 1e-12
        H = H * ((W.T @ (V * X ** (beta - 2))) / (W.T @ X ** (beta - 1))) ** power
        X = W @ H + 1e-12
        W = W * ((V * X ** (beta - 2)) @ H.T / (X ** (beta - 1) @ H.T)) ** power
    all_W[:, used], all_H[np.ix_(used, sounding)] = W, H
    return all_W, all_H


def close(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("beta", [2.0, 1.5, 1.0, 0.5, 0.0])
@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
def test_work_along_the_support_is_the_dense_algorithm(beta: float, density: float) -> None:
    V, W, H = problem(density=max(density, 0.02), seed=3)
    solution = finish(nmf.factorize(V, W, H, settings=ModelSettings(beta=beta, iterations=8)))
    expected_W, expected_H = dense(V, W, H, beta, 8)
    assert close(solution.W @ solution.H, expected_W @ expected_H) < 1e-4
    scale = expected_W.sum(axis=0)
    used = H.any(axis=1)
    assert close(solution.W[:, used], (expected_W / scale)[:, used]) < 1e-4
    assert close(solution.H, expected_H * scale[:, None]) < 1e-4


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), beta=st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), R=st.integers(1, 6), N=st.integers(1, 80))
def test_the_loss_never_rises_and_zeros_stay_zero(seed: int, beta: float, R: int, N: int) -> None:
    V, W, H = problem(20, R, N, density=0.6, seed=seed)
    W[5:9] = 0
    solution = finish(nmf.factorize(V, W, H, settings=ModelSettings(beta=beta, iterations=12)))
    losses = np.array(solution.losses)
    # Rows of V that no template reaches cost the same, huge with beta 0, in every iteration.
    assert (np.diff(losses) <= 1e-5 * np.abs(losses[:-1]) + 1e-6).all()
    assert not solution.H[H == 0].any()
    assert not solution.W[5:9].any()
    assert np.isfinite(solution.W).all()
    assert np.isfinite(solution.H).all()
    assert (solution.W >= 0).all()
    assert (solution.H >= 0).all()


def test_known_templates_are_recovered() -> None:
    rng = np.random.default_rng(1)
    W = np.kron(np.eye(4), np.array([[3], [1], [2]])).astype(np.float32)
    H = (rng.random((4, 60)) * (rng.random((4, 60)) < 0.5)).astype(np.float32)
    solution = finish(nmf.factorize(W @ H, W + np.float32(0.2), np.ones_like(H), settings=ModelSettings(iterations=400)))
    assert close(solution.W, W / W.sum(axis=0)) < 0.02


def test_nothing_handed_in_is_altered_and_the_result_repeats() -> None:
    V, W, H = problem()
    copies = V.copy(), W.copy(), H.copy()
    first, second = (finish(nmf.factorize(V, W, H)) for _ in range(2))
    for matrix, copy in zip((V, W, H), copies, strict=True):
        np.testing.assert_array_equal(matrix, copy)
    np.testing.assert_array_equal(first.W, second.W)
    np.testing.assert_array_equal(first.H, second.H)


def test_every_step_says_how_far_it_is_and_can_be_the_last() -> None:
    V, W, H = problem()
    steps = nmf.factorize(V, W, H, settings=ModelSettings(iterations=5))
    seen = []
    try:
        while True:
            seen.append(next(steps))
    except StopIteration as done:
        solution = done.value
    assert all(isinstance(step, Progress) and 0 <= step.step <= step.total for step in seen)
    assert [step.step for step in seen] == sorted(step.step for step in seen)
    assert len(solution.losses) == 5
    assert list(dict.fromkeys(step.loss for step in seen if step.loss is not None)) == list(solution.losses)
    closing = nmf.factorize(V, W, H)
    next(closing)
    closing.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decompose")]


@pytest.mark.parametrize("stop", ["change", "loss"])
def test_it_stops_when_it_has_settled(stop: str) -> None:
    V, W, H = problem(R=2)
    chosen = ModelSettings(iterations=3000, stop=stop, tolerance=1e-3)  # type: ignore[arg-type]
    assert 2 < len(finish(nmf.factorize(V, W, H, settings=chosen)).losses) < 1000


def test_fixed_templates_stay() -> None:
    V, W, H = problem()
    solution = finish(nmf.factorize(V, W, H, fixed_templates=True))
    np.testing.assert_allclose(solution.W, W / W.sum(axis=0), rtol=1e-5)


def test_silence_and_no_support_give_silence() -> None:
    V, W, H = problem()
    for quiet, support in ((np.zeros_like(V), H), (V, np.zeros_like(H))):
        solution = finish(nmf.factorize(quiet, W, support))
        assert not solution.H.any()
        assert np.isfinite(solution.W).all()


def test_what_does_not_fit_is_refused() -> None:
    V, W, H = problem()
    bad = V.copy()
    bad[3, 3] = np.nan
    for wrong in ((V[:-1], W, H), (bad, W, H), (V, -W, H), (V, W, np.full_like(H, np.inf)), (V, W[:, :-1], H)):
        with pytest.raises(InputError):
            finish(nmf.factorize(*wrong))


def test_a_fixed_rate_is_the_plain_gradient_projected() -> None:
    from soli.decompose.descent import FixedRate

    rng = np.random.default_rng(0)
    values, gradient = rng.random((3, 8)).astype(np.float32), rng.standard_normal((3, 8)).astype(np.float32)
    values[1, 2:5] = 0
    slope = FixedRate(values, 0.1)
    slope.begin()
    first = slope.moved(values, gradient)
    free = values != 0
    rate = 0.1 * values.sum(axis=1) / np.abs(gradient * free).sum(axis=1)
    np.testing.assert_allclose(first, np.where(free, np.maximum(values - rate[:, None] * gradient, 0), 0), rtol=1e-5)
    slope.begin()
    second = slope.moved(first, 3 * gradient)
    np.testing.assert_allclose(
        second, np.where(free, np.maximum(first - rate[:, None] * 3 * gradient, 0), 0), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize("empty", ["K", "R", "N"])
def test_matrices_of_nothing_give_matrices_of_nothing(method: str, empty: str) -> None:
    V, W, H = problem()
    K, R, N = (0 if name == empty else size for name, size in zip("KRN", (*W.shape, H.shape[1]), strict=True))
    run = nmf.factorize if method == "nmf" else autoencoder.factorize
    solution = finish(run(V[:K, :N], W[:K, :R], H[:R, :N], settings=ModelSettings(method=method)))  # type: ignore[arg-type]
    assert solution.W.shape == (K, R)
    assert solution.H.shape == (R, N)
