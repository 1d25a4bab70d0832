"""What an encoder says before it is trained."""

import numpy as np

from soli.decompose.encoding import first_rows, further_rows


def problem(K: int = 20, R: int = 4, N: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    Wt = rng.random((R, K)).astype(np.float32)
    return rng.random((K, N)).astype(np.float32), Wt / Wt.sum(axis=1, keepdims=True), rng.random((R, 1)).astype(np.float32)


def test_under_a_mask_that_does_not_change_it_is_the_first_multiplicative_step() -> None:
    V, Wt, levels = problem()
    mask = np.repeat(levels, V.shape[1], axis=1)
    step = mask * (Wt @ (V / (Wt.T @ mask)))
    np.testing.assert_allclose((first_rows(Wt, mask) @ V) * mask, step, rtol=1e-4)


def test_what_never_sounds_along_takes_nothing() -> None:
    V, Wt, _ = problem()
    mask = np.zeros((len(Wt), V.shape[1]), np.float32)
    mask[:2, :10], mask[2:, 10:] = 1, 1
    np.testing.assert_allclose(first_rows(Wt, mask)[:2], first_rows(Wt[:2], mask[:2]), rtol=1e-5)


def test_what_never_sounds_shares_the_bins_with_all_others() -> None:
    """Kept for another recording in which it does sound, it may not drown all else."""
    V, Wt, _ = problem()
    mask = np.ones((len(Wt), V.shape[1]), np.float32)
    mask[1] = 0
    rows = first_rows(Wt, mask)
    np.testing.assert_allclose(rows[1], Wt[1] / Wt.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(rows[0], Wt[0] / Wt[[0, 2, 3]].sum(axis=0), rtol=1e-5)


def test_a_row_that_is_added_is_on_the_scale_of_those_that_are_known() -> None:
    Wt = problem()[1]
    likely = Wt / Wt.sum(axis=0)
    np.testing.assert_allclose(further_rows(Wt, 3 * likely[:3]), 3 * likely[3:], rtol=1e-5)
    assert (further_rows(Wt, -likely[:3]) >= 0).all()
