"""Dynamic time warping a row at a time: whole and coarse with gaps, or fine inside a band around the diagonal.

The step along a row, which each cell needs of its left neighbour, is a running minimum against the running sum of the
row's costs; so no loop runs over cells. After Müller, Mattes, Kurth (ISMIR 2006) and Prätzlich, Driedger, Müller
(Memory-restricted multiscale DTW, ICASSP 2016).
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.notes import Times
from soli.signal.audio import FloatArray

IntArray: TypeAlias = NDArray[np.int64]

# Of one row: columns that go on after a stretch left out, and the row and column of the last match before it. Those that follow
# each other share theirs mostly, and only the first is kept.
Origins: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]

ENTER, BOTH, ROW, RESUME, COLUMN = range(5)
_ROWS_A_STEP = 256


def gapped_path_steps(
    X: FloatArray, Y: FloatArray, *, gap: float, opening: float, still: float = 0.0, closed: tuple[bool, bool] = (False, False)
) -> Steps[tuple[IntArray, float]]:
    """Cheapest path through the costs 1 - X Y^T that may leave stretches of X or Y without a counterpart.

    X: (N, d), Y: (M, d), float32, N and M positive. A diagonal step costs its cell twice, one in one direction alone its
    cell and `still`; a row or column left out costs `gap`, and `opening` besides for each stretch left out between two
    matched ones, or at an end that is `closed`. Returns the matched cells in order, int64, shape (P, 2), and what
    they save against leaving everything out.
    """
    n, m = len(X), len(Y)
    columns = np.arange(m, dtype=np.int32)
    ramp = gap * columns
    moves = np.zeros((n, m), np.uint8)
    resumed: list[Origins] = []
    matched = np.full(m, np.inf)
    left_out = np.full(m, np.inf)  # best cost with the last match somewhere below and left, all cells since left out
    last_row, last_column = np.zeros((2, m), np.int32)
    best, option, fresh, left = np.empty((4, m))
    better = np.empty(m, bool)
    best_end, end = np.inf, (0, 0)

    def choose(kind: int, cost: Times, start: int = 0) -> None:
        np.less(cost, best[start:], out=better[start:])
        np.copyto(move[start:], kind, where=better[start:])
        np.minimum(best[start:], cost, out=best[start:])

    for i in range(n):
        if i % _ROWS_A_STEP == 0:
            costs = (1.0 - X[i : i + _ROWS_A_STEP] @ Y.T).astype(np.float64)
            totals = np.cumsum(costs + still, axis=1)
        cost, total, move = costs[i % _ROWS_A_STEP], totals[i % _ROWS_A_STEP], moves[i]
        np.add(ramp, gap * i + opening * closed[0], out=best)  # ENTER
        if i == 0:
            best[0] -= opening * closed[0]
        choose(BOTH, matched[:-1], 1)
        np.subtract(matched, cost, out=option)
        option += still
        choose(ROW, option)
        choose(RESUME, left_out)
        best += cost
        best += cost
        along = best - total
        np.minimum.accumulate(along, out=along)
        along += total
        best -= 1e-9
        np.less(along, best, out=better)
        np.copyto(move, COLUMN, where=better)
        again = np.flatnonzero(move == RESUME)
        rows, their_columns = last_row[again], last_column[again]
        other = (np.diff(rows, prepend=-1) != 0) | (np.diff(their_columns, prepend=-1) != 0)
        resumed.append((again[other].astype(np.int32), rows[other], their_columns[other]))

        np.subtract(along, ramp, out=left)  # so far, as if the rest of the columns were left out
        j = int(left.argmin())
        ending = float(left[j]) + gap * (m - 1 + n - 1 - i) + opening * closed[1]
        if ending < best_end:
            best_end, end = ending, (i, j)
        if i == n - 1 and float(along[-1]) < best_end:
            best_end, end = float(along[-1]), (i, m - 1)

        # What the next row may resume from: this row's match one column to the left, or any stretch left out so far.
        fresh[0] = np.inf
        np.add(along[:-1], opening, out=fresh[1:])
        left_out += gap
        np.less(fresh, left_out, out=better)
        np.copyto(left_out, fresh, where=better)
        np.copyto(last_row, i, where=better)
        np.copyto(last_column, columns - 1, where=better)
        left_out -= ramp
        reached = np.minimum.accumulate(left_out)
        source = np.maximum.accumulate(np.where(left_out <= reached, columns, 0))
        left_out, last_row, last_column = reached + ramp, last_row[source], last_column[source]
        matched = along
        if i % _ROWS_A_STEP == _ROWS_A_STEP - 1:
            yield Progress(i, n, "Aligning")
    return _walk_back(moves, resumed, end), gap * (n + m) - best_end


def _walk_back(moves: NDArray[np.uint8], resumed: list[Origins], end: tuple[int, int]) -> IntArray:
    path, (i, j) = [end], end
    while moves[i, j] != ENTER:
        match moves[i, j]:
            case 1:
                i, j = i - 1, j - 1
            case 2:
                i -= 1
            case 3:
                columns, last_row, last_column = resumed[i]
                at = int(np.searchsorted(columns, j, side="right")) - 1
                i, j = int(last_row[at]), int(last_column[at])
            case _:
                j -= 1
        path.append((i, j))
    return np.array(path[::-1], np.int64)


def banded_path_steps(X: FloatArray, Y: FloatArray, half_width: int, *, still: float = 0.0) -> Steps[IntArray]:
    """Cheapest path through the distances of X and Y that stays within `half_width` of the diagonal.

    X, Y: (N, d) float32, rows whose dot product is their likeness. It begins in the first cell of both and ends in the
    last. `still` is added to the cost of a step in one direction alone. Returns the matched cells in order, int64, (P, 2).
    """
    n, width = len(X), 2 * half_width + 1
    padded = np.zeros((n + 2 * half_width, Y.shape[1]), np.float32)
    padded[half_width : half_width + n] = Y
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)  # (N, d, width)
    moves = np.zeros((n, width), np.uint8)
    offsets = np.arange(width) - half_width
    past = np.full(width, np.inf)
    past[half_width] = 0.0
    block = max(1, 200_000 // (width * max(1, Y.shape[1])))
    for start in range(0, n, block):
        stop = min(start + block, n)
        likeness = np.matmul(X[start:stop, None, :], windows[start:stop])[:, 0, :]
        costs = (1.0 - likeness).astype(np.float64)
        for i in range(start, stop):
            cost = costs[i - start]
            outside = (offsets + i < 0) | (offsets + i >= n)
            cost[outside] = 4.0
            diagonal = past + 2 * cost  # in row 0 this is the beginning
            row = np.full(width, np.inf)
            if i:
                row[:-1] = past[1:] + cost[:-1] + still
            by_row = row < diagonal
            best = np.where(by_row, row, diagonal)
            total = np.cumsum(cost + still)
            along = total + np.minimum.accumulate(best - total)
            moves[i] = np.where(along < best - 1e-9, COLUMN, np.where(by_row, ROW, BOTH))
            past = along
        yield Progress(stop, n, "Aligning")
    return _walk_back_in_band(moves, half_width)


def _walk_back_in_band(moves: NDArray[np.uint8], half_width: int) -> IntArray:
    i, n, k = len(moves) - 1, len(moves), half_width
    path = []
    while i >= 0:
        j = i + k - half_width
        if 0 <= j < n:
            path.append((i, j))
        move = moves[i, k]
        if move == COLUMN:
            k -= 1
        elif move == ROW:
            i, k = i - 1, k + 1
        else:
            i -= 1
    return np.array(path[::-1], np.int64).reshape(-1, 2)
