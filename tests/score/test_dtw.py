from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.progress import finish
from soli.score.dtw import banded_path_steps, gapped_path_steps

sizes = st.integers(1, 7)


def rows(rng, count):
    X = rng.random((count, 3)).astype(np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def cost_of(path, C, gap, opening, still, closed=(False, False)):
    """What a path through the costs C costs by the rules, added up step by step."""
    n, m = C.shape
    (i, j), end = path[0], tuple(path[-1])
    total = 2 * C[i, j] + gap * (i + j) + opening * (closed[0] and i + j > 0)
    total += gap * (n - 1 - end[0] + m - 1 - end[1]) + opening * (closed[1] and end != (n - 1, m - 1))
    for (a, b), (i, j) in pairwise(path):
        if (i - a, j - b) == (1, 1):
            total += 2 * C[i, j]
        elif (i - a, j - b) in {(1, 0), (0, 1)}:
            total += C[i, j] + still
        else:
            assert i > a
            assert j > b
            total += 2 * C[i, j] + opening + gap * (i - a - 1 + j - b - 1)
    return total


def naive_gapped(C, gap, opening, still, closed=(False, False)):
    """Best cost over all paths, cell by cell."""
    n, m = C.shape
    D = np.full((n, m), np.inf)
    best = np.inf
    for i in range(n):
        for j in range(m):
            options = [gap * (i + j) + 2 * C[i, j] + opening * (closed[0] and i + j > 0)]
            if i and j:
                options.append(D[i - 1, j - 1] + 2 * C[i, j])
            if i:
                options.append(D[i - 1, j] + C[i, j] + still)
            if j:
                options.append(D[i, j - 1] + C[i, j] + still)
            options += [
                D[a, b] + opening + gap * (i - a - 1 + j - b - 1) + 2 * C[i, j]
                for a in range(i)
                for b in range(j)
                if (i - a, j - b) != (1, 1)
            ]
            D[i, j] = min(options)
            rest = gap * (n - 1 - i + m - 1 - j) + opening * (closed[1] and (i, j) != (n - 1, m - 1))
            best = min(best, D[i, j] + rest)
    return best


@given(st.integers(0, 10_000), sizes, sizes, st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_gapped_path_is_the_cheapest_of_all(seed, n, m, start, stop):
    rng = np.random.default_rng(seed)
    X, Y = rows(rng, n), rows(rng, m)
    gap, opening, still = rng.uniform(0.02, 0.3), rng.uniform(0, 0.5), rng.uniform(0, 0.2)
    path, saved = finish(gapped_path_steps(X, Y, gap=gap, opening=opening, still=still, closed=(start, stop)))
    C = 1 - X @ Y.T
    cost = cost_of(path.tolist(), C, gap, opening, still, (start, stop))
    assert saved == pytest.approx(gap * (n + m) - cost, abs=1e-5)
    assert cost == pytest.approx(naive_gapped(C, gap, opening, still, (start, stop)), abs=1e-5)


def test_the_gapped_path_leaves_out_what_was_cut():
    X = np.eye(40, dtype=np.float32)
    path, _ = finish(gapped_path_steps(np.delete(X, np.s_[10:25], axis=0), X, gap=0.3, opening=1.0, still=0.3))
    assert path[:, 1].tolist() == [*range(10), *range(25, 40)]


def naive_banded(L, half_width, still):
    n = len(L)
    D = np.full((n, n), np.inf)
    for i in range(n):
        for j in range(max(0, i - half_width), min(n, i + half_width + 1)):
            C = 1 - L[i, j]
            options = [2 * C] if i == j == 0 else []
            if i and j:
                options.append(D[i - 1, j - 1] + 2 * C)
            if i:
                options.append(D[i - 1, j] + C + still)
            if j:
                options.append(D[i, j - 1] + C + still)
            D[i, j] = min(options, default=np.inf)
    return D[-1, -1]


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_the_banded_path_is_the_cheapest_in_its_band(seed, n, half_width):
    rng = np.random.default_rng(seed)
    X, Y = rows(rng, n), rows(rng, n)
    still = rng.uniform(0, 0.2)
    path = finish(banded_path_steps(X, Y, half_width, still=still))
    L = X @ Y.T
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (n - 1, n - 1)
    assert np.abs(path[:, 0] - path[:, 1]).max() <= half_width
    steps = np.diff(path, axis=0)
    assert {tuple(step) for step in steps.tolist()} <= {(1, 1), (1, 0), (0, 1)}
    cells = 1 - L[path[:, 0], path[:, 1]]
    diagonal = steps.sum(axis=1) == 2
    cost = 2 * cells[0] + np.sum(np.where(diagonal, 2 * cells[1:], cells[1:] + still))
    assert cost == pytest.approx(naive_banded(L, half_width, still), abs=1e-5)
