"""The autoencoder against the lecture's formulas, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose import autoencoder, nmf
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish


def problem(K: int = 30, R: int = 5, N: int = 70, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = (rng.random((R, N)) < 0.5).astype(np.float32)
    W = rng.random((K, R)).astype(np.float32) ** 3 + np.float32(1e-3)
    V = W @ (mask * rng.random((R, N)).astype(np.float32)) + np.float32(0.001)
    return V, (W * rng.uniform(0.5, 2, W.shape)).astype(np.float32), mask


def lecture(V: np.ndarray, W: np.ndarray, M: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W_E and W_D by the multiplicative updates as the lecture writes them, densely, in double precision."""
    V, D, M = V.astype(np.float64), W.astype(np.float64), M.astype(np.float64)
    V = V * M.any(axis=0)
    D = D / D.sum(axis=0)
    E = (D / D.sum(axis=1, keepdims=True)).T
    for _ in range(iterations):
        H = (E @ V) * M
        E = E * (((D.T @ V) * M) @ V.T) / (((D.T @ D @ H) * M) @ V.T)
        H = (E @ V) * M
        D = D * (V @ H.T) / (D @ H @ H.T)
    return E, D, (E @ V) * M


def close(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("iterations", [1, 6])
def test_multiplicative_training_is_the_lectures(iterations: int) -> None:
    V, W, M = problem()
    chosen = ModelSettings(method="nae", beta=2.0, encoder_steps=0, iterations=iterations)
    found = finish(autoencoder.factorize(V, W, M, settings=chosen))
    E, D, H = lecture(V, W, M, iterations)
    scale = D.sum(axis=0)
    assert found.encoder is not None
    assert close(found.W, D / scale) < 1e-4
    assert close(found.H, H * scale[:, None]) < 1e-4
    assert close(found.encoder, E * scale[:, None]) < 1e-4


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 999),
    beta=st.sampled_from([0.0, 1.0, 2.0]),
    steps=st.integers(0, 3),
    R=st.integers(1, 5),
    N=st.integers(1, 60),
)
def test_dropped_activations_stay_out_and_all_stays_finite(seed: int, beta: float, steps: int, R: int, N: int) -> None:
    V, W, M = problem(20, R, N, seed=seed)
    W[3:6] = 0
    found = finish(
        autoencoder.factorize(V, W, M, settings=ModelSettings(method="nae", beta=beta, encoder_steps=steps, iterations=5))
    )
    assert not found.H[M == 0].any()
    assert not found.W[3:6].any()
    for matrix in (found.W, found.H, found.encoder):
        assert matrix is not None
        assert np.isfinite(matrix).all()
        assert (matrix >= 0).all()


def test_the_code_is_the_encoders_product_under_the_mask() -> None:
    V, W, M = problem()
    found = finish(autoencoder.factorize(V, W, M, settings=ModelSettings(method="nae", encoder_steps=0, iterations=4)))
    assert found.encoder is not None
    np.testing.assert_allclose(found.H, (found.encoder @ V) * M, rtol=1e-4, atol=1e-6)


def test_deeper_encoders_come_nearer_to_nmf() -> None:
    V, W, M = problem()
    losses = [
        finish(autoencoder.factorize(V, W, M, settings=ModelSettings(method="nae", encoder_steps=steps))).losses[-1]
        for steps in (0, 2, 8)
    ]
    assert losses[0] > losses[1] > losses[2] > 0


@pytest.mark.parametrize(("updates", "beta"), [("gradient", 2.0), ("gradient", 1.0), ("relu", 2.0)])
def test_additive_training_lowers_the_loss_and_keeps_the_mask(updates: str, beta: float) -> None:
    V, W, M = problem()
    # A bin that no template reaches costs the same in every iteration, and would hide what the others do.
    V[3:6], W[3:6] = 0, 0
    chosen = ModelSettings(method="nae", updates=updates, beta=beta, iterations=150, encoder_steps=0)  # type: ignore[arg-type]
    found = finish(autoencoder.factorize(V, W, M, settings=chosen))
    assert found.losses[-1] < 0.7 * found.losses[1]
    assert not found.H[M == 0].any()
    assert not found.W[3:6].any()
    assert found.encoder is not None
    assert (found.encoder < 0).any() == (updates == "relu")


@pytest.mark.parametrize("beta", [2.0, 1.0])
def test_additive_nmf_lowers_the_loss_and_keeps_the_support(beta: float) -> None:
    V, W, M = problem()
    # A bin that no template reaches costs the same in every iteration, and would hide what the others do.
    V[3:6], W[3:6] = 0, 0
    found = finish(nmf.factorize(V, W, M, settings=ModelSettings(updates="gradient", beta=beta, iterations=150)))
    assert found.losses[-1] < 0.3 * found.losses[1]
    assert not found.H[M == 0].any()
    assert not found.W[3:6].any()
    assert (found.H >= 0).all()
    assert np.isfinite(found.W).all()


def test_training_repeats_itself() -> None:
    V, W, M = problem()
    first, second = (finish(autoencoder.factorize(V, W, M)) for _ in range(2))
    np.testing.assert_array_equal(first.H, second.H)


def test_binary_dropout_lets_the_encoder_say_how_loud() -> None:
    V, W, M = problem()
    weighed = M * np.random.default_rng(1).uniform(0.1, 1, M.shape).astype(np.float32)
    runs = [
        finish(autoencoder.factorize(V, W, mask, settings=ModelSettings(method="nae", dropout=dropout, iterations=3))).H  # type: ignore[arg-type]
        for dropout, mask in (("binary", weighed), ("soft", M), ("soft", weighed))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert close(runs[2], runs[1]) > 1e-3


@pytest.mark.parametrize("updates", ["gradient", "relu"])
def test_at_a_fixed_rate_the_loss_falls_too(updates: str) -> None:
    V, W, M = problem()
    chosen = ModelSettings(method="nae", updates=updates, beta=2.0, rate="fixed", learning_rate=0.01, iterations=60)  # type: ignore[arg-type]
    found = finish(autoencoder.factorize(V, W, M, settings=chosen))
    assert found.losses[-1] < 0.9 * found.losses[1]
    assert not found.H[M == 0].any()
    assert np.isfinite(found.H).all()


def taught(V: np.ndarray, D: np.ndarray, E: np.ndarray, M: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """What `steps` multiplicative steps (beta 1) make of the code, and by what they multiply it, densely."""
    code = (E @ V) * M
    H = code.copy()
    for _ in range(steps):
        H = H * (D.T @ (V / (D @ H + 1e-30))) / D.sum(axis=0)[:, None]
    return H, np.divide(H, code, out=np.zeros_like(H), where=code > 0)


def test_the_first_layer_learns_from_what_the_further_ones_make_of_it() -> None:
    """One epoch moves W_E by the gradient of its own loss and of that after the further layers, their factors held."""
    V, W, M = problem()
    D, E = (W / W.sum(axis=0)).astype(np.float64), np.random.default_rng(1).random(W.T.shape)
    V64, M64 = V.astype(np.float64), M.astype(np.float64)
    H, factors = taught(V64, D, E, M64, 1)
    above, below = np.zeros_like(E), np.zeros_like(E)
    for heard, gain, weight in ((H, M64 * factors, 1.0), ((E @ V64) * M64, M64, 0.1)):
        above += weight * ((D.T @ (V64 / (D @ heard + 1e-30))) * gain) @ V64.T
        below += weight * (D.sum(axis=0)[:, None] * gain) @ V64.T
    chosen = ModelSettings(method="nae", encoder_steps=1, iterations=1)
    found = finish(autoencoder.factorize(V, W, M, settings=chosen, encoder=E.astype(np.float32)))
    assert found.encoder is not None
    moved = E * above / below
    # The decoder's move scales the rows along with the templates.
    ratio = found.encoder / moved
    assert close(found.encoder, moved * ratio.mean(axis=1, keepdims=True)) < 1e-3


def test_templates_that_are_wrong_at_first_are_learnt_as_by_nmf() -> None:
    """Activations may not settle before the templates do: each would learn a part of what sounds along with it."""
    rng = np.random.default_rng(3)
    truth = rng.random((40, 6)) ** 6
    frames = np.arange(200)
    begin = rng.integers(0, 190, (6, 5))
    decays = np.exp(-np.maximum(frames - begin[:, :, None], 0) / 8) * (frames >= begin[:, :, None])
    M = decays.max(axis=1).astype(np.float32)
    V = ((truth / truth.sum(axis=0)) @ (M * rng.uniform(0.7, 1.3, M.shape)) + 1e-4).astype(np.float32)
    W = rng.random((40, 6)).astype(np.float32) + np.float32(0.1)

    def likeness(found: nmf.Solution) -> float:
        own = truth / np.linalg.norm(truth, axis=0)
        return float((own * (found.W / np.linalg.norm(found.W, axis=0))).sum(axis=0).mean())

    by_nae = likeness(finish(autoencoder.factorize(V, W, M, settings=ModelSettings(method="nae"))))
    by_nmf = likeness(finish(nmf.factorize(V, W, M, settings=ModelSettings())))
    assert by_nae > by_nmf - 0.02
    assert by_nmf > 0.9


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("learning_rate", [0.05, 10.0])
@pytest.mark.parametrize("iterations", [2, 3, 60])
def test_steps_that_are_too_long_end_in_numbers_or_a_sentence(
    method: str, beta: float, learning_rate: float, iterations: int
) -> None:
    V, W, M = problem()
    chosen = ModelSettings(
        method=method,  # type: ignore[arg-type]
        updates="gradient",
        beta=beta,
        rate="fixed",
        learning_rate=learning_rate,
        iterations=iterations,
        encoder_steps=0,
    )
    run = nmf.factorize if method == "nmf" else autoencoder.factorize
    found, said = None, ""
    try:
        found = finish(run(V, W, M, settings=chosen))
    except InputError as error:
        said = str(error)
    if found is None:
        assert "lower learning rate" in said
        return
    for matrix in (found.W, found.H, found.encoder):
        assert matrix is None or np.isfinite(matrix).all()
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize("method", ["nmf", "nae"])
def test_additive_steps_uphill_are_not_taken_for_the_end(method: str) -> None:
    V, W, M = problem()
    chosen = ModelSettings(method=method, updates="gradient", stop="loss", tolerance=1e-3, iterations=300)  # type: ignore[arg-type]
    run = nmf.factorize if method == "nmf" else autoencoder.factorize
    found = finish(run(V, W, M, settings=chosen))
    assert found.losses[1] < found.losses[2], "the first steps of this problem lead uphill"
    assert found.losses[-1] < found.losses[1]
    assert len(found.losses) < 300
