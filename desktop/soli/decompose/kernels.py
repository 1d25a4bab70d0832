"""The updates of `nmf` compiled: a few frames and the components alive in them at a time, tile by tile of frequency.

Importing this module costs a third of a second, and the first call after an installation compiles for some seconds; only
the thread that decomposes imports it (see `compiled`).

In all of it: V, float32, is flat, frame n from n * stride. W, float32 (R + 1, K), has a last row of zeros. Group g has
`counts[g]` frames from `starts[g]` and the components `alive[first[g] : first[g + 1]]`, rows of H (R, N), or R, which stands
for none; their number is a multiple of LANES.
"""

# mypy: ignore-errors
# What numba compiles it types by itself.

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

GROUP = 4  # frames that are done together
LANES = 4  # components that are done together
_TILE = 528  # no power of two: rows of a tile that lie 4096 bytes apart would wait for each other
_STRETCH = 32  # groups that are done with one tile of the templates before the next
_TINY = np.float32(1e-30)
_INAUDIBLE = np.float32(1e-18)  # in a template; see `nmf.rows_to_one`
_LN2 = np.float32(0.6931471805599453)


def _compiled(function: F) -> F:
    # Sums may be taken in any order, so that they are taken eight at a time; numbers that are none stay what they are.
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}
    try:
        kernel: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # No folder to keep the compiled code in.
        kernel = numba.njit(**options)(function)
    return kernel


@_compiled
def _model(W, hs, alive, p, m, k0, width, tiny, M):
    """M (GROUP * _TILE) = WH + tiny for one tile of a group."""
    for k in range(GROUP * _TILE):
        M[k] = tiny
    for i in range(p, p + m, LANES):
        w0, w1 = W[alive[i], k0 : k0 + width], W[alive[i + 1], k0 : k0 + width]
        w2, w3 = W[alive[i + 2], k0 : k0 + width], W[alive[i + 3], k0 : k0 + width]
        a0, a1, a2, a3 = hs[i, 0], hs[i + 1, 0], hs[i + 2, 0], hs[i + 3, 0]
        b0, b1, b2, b3 = hs[i, 1], hs[i + 1, 1], hs[i + 2, 1], hs[i + 3, 1]
        c0, c1, c2, c3 = hs[i, 2], hs[i + 1, 2], hs[i + 2, 2], hs[i + 3, 2]
        d0, d1, d2, d3 = hs[i, 3], hs[i + 1, 3], hs[i + 2, 3], hs[i + 3, 3]
        for k in range(width):
            x, y, z, u = w0[k], w1[k], w2[k], w3[k]
            M[k] += a0 * x + a1 * y + a2 * z + a3 * u
            M[_TILE + k] += b0 * x + b1 * y + b2 * z + b3 * u
            M[2 * _TILE + k] += c0 * x + c1 * y + c2 * z + c3 * u
            M[3 * _TILE + k] += d0 * x + d1 * y + d2 * z + d3 * u


@_compiled
def _projected(W, alive, p, m, k0, width, q0, q1, q2, q3, none, up):
    """Add W'Q to up for one tile of a group."""
    zero = np.float32(0)
    for i in range(p, p + m, 2):
        if alive[i] == none:
            break
        w, u = W[alive[i], k0 : k0 + width], W[alive[i + 1], k0 : k0 + width]
        s0, s1, s2, s3, t0, t1, t2, t3 = zero, zero, zero, zero, zero, zero, zero, zero
        for k in range(width):
            x, y, a, b, c, d = w[k], u[k], q0[k], q1[k], q2[k], q3[k]
            s0 += x * a
            s1 += x * b
            s2 += x * c
            s3 += x * d
            t0 += y * a
            t1 += y * b
            t2 += y * c
            t3 += y * d
        up[i, 0] += s0
        up[i, 1] += s1
        up[i, 2] += s2
        up[i, 3] += s3
        up[i + 1, 0] += t0
        up[i + 1, 1] += t1
        up[i + 1, 2] += t2
        up[i + 1, 3] += t3


@_compiled
def _gathered(hs, alive, p, m, k0, width, Q, none, above):
    """Add HQ' to above (R + 1, K) for one tile of a group; Q (GROUP * _TILE), so that it is seen to lie elsewhere."""
    for i in range(p, p + m, 2):
        if alive[i] == none:
            break
        a0, a1, a2, a3 = hs[i, 0], hs[i, 1], hs[i, 2], hs[i, 3]
        b0, b1, b2, b3 = hs[i + 1, 0], hs[i + 1, 1], hs[i + 1, 2], hs[i + 1, 3]
        row, other = above[alive[i], k0 : k0 + width], above[alive[i + 1], k0 : k0 + width]
        for k in range(width):
            x, y, z, u = Q[k], Q[_TILE + k], Q[2 * _TILE + k], Q[3 * _TILE + k]
            row[k] += a0 * x + a1 * y + a2 * z + a3 * u
            other[k] += b0 * x + b1 * y + b2 * z + b3 * u


@_compiled
def _taken(H, starts, counts, first, alive, hs):
    """The activations of all groups; 0 where there is no frame or no component."""
    for g in range(len(starts)):
        for i in range(first[g], first[g + 1]):
            for f in range(GROUP):
                hs[i, f] = H[alive[i], starts[g] + f] if f < counts[g] and alive[i] < len(H) else np.float32(0)


@_compiled
def _put(H, starts, counts, first, alive, hs):
    for g in range(len(starts)):
        for i in range(first[g], first[g + 1]):
            if alive[i] < len(H):
                for f in range(counts[g]):
                    H[alive[i], starts[g] + f] = hs[i, f]


@_compiled
def _weighted_log(V, bits, work, work_bits, offset, width):
    """The sum of V log(ratio) over one tile of a frame, from the bits of the ratio: exponent and mantissa apart.

    The logarithm of the mantissa is the series of artanh, which is good to a rounding; a ratio of 0 counts as 1e-38.
    """
    for k in range(width):
        work_bits[k] = (bits[k] & 0x7FFFFF) | 0x3F800000
    total = np.float32(0)
    for k in range(width):
        mantissa = work[k]
        exponent = np.float32((bits[k] >> 23) - 127)
        big = mantissa > np.float32(1.4142135)
        mantissa = mantissa * np.float32(0.5) if big else mantissa
        exponent = exponent + np.float32(1) if big else exponent
        t = (mantissa - np.float32(1)) / (mantissa + np.float32(1))
        s = t * t
        series = np.float32(1) + s * (np.float32(1 / 3) + s * (np.float32(0.2) + s * (np.float32(1 / 7) + s * np.float32(1 / 9))))
        total += V[offset + k] * (exponent * _LN2 + np.float32(2) * t * series)
    return total


@_compiled
def kullback_leibler(
    V, stride, bins, W, total, H, starts, counts, first, alive, above, below, tiny, nothing, activations, templates
):
    """One iteration for beta 1; H is updated in place, the sums are added to `above` (R + 1, K) and `below` (R + 1,).

    total: the sums of the rows of W. Returns sum V log(V / WH) + sum WH.
    """
    hs, up = np.empty((len(alive), GROUP), np.float32), np.zeros((len(alive), GROUP), np.float32)
    M, Q, work = np.empty(GROUP * _TILE, np.float32), np.zeros(GROUP * _TILE, np.float32), np.empty(_TILE, np.float32)
    q0, q1, q2, q3 = Q[:_TILE], Q[_TILE : 2 * _TILE], Q[2 * _TILE : 3 * _TILE], Q[3 * _TILE :]
    bits, work_bits = Q.view(np.int32), work.view(np.int32)
    loss = 0.0
    _taken(H, starts, counts, first, alive, hs)
    for begin in range(0, len(starts), _STRETCH):
        end = min(begin + _STRETCH, len(starts))
        if activations:
            for k0 in range(0, bins, _TILE):
                width = min(_TILE, bins - k0)
                for g in range(begin, end):
                    p, m = first[g], first[g + 1] - first[g]
                    _model(W, hs, alive, p, m, k0, width, tiny, M)
                    for f in range(counts[g]):
                        offset = (starts[g] + f) * stride + k0
                        for k in range(width):
                            Q[f * _TILE + k] = V[offset + k] / M[f * _TILE + k]
                    _projected(W, alive, p, m, k0, width, q0, q1, q2, q3, len(H), up)
            for g in range(begin, end):
                for i in range(first[g], first[g + 1]):
                    for f in range(counts[g]):
                        moved = hs[i, f] * (up[i, f] / max(total[alive[i]], _TINY))
                        hs[i, f] = np.float32(0) if nothing > moved else moved
        for k0 in range(0, bins, _TILE):
            width = min(_TILE, bins - k0)
            for g in range(begin, end):
                p, m = first[g], first[g + 1] - first[g]
                _model(W, hs, alive, p, m, k0, width, tiny, M)
                for f in range(counts[g]):
                    offset = (starts[g] + f) * stride + k0
                    for k in range(width):
                        Q[f * _TILE + k] = V[offset + k] / M[f * _TILE + k]
                    loss += _weighted_log(V, bits[f * _TILE : f * _TILE + width], work, work_bits, offset, width)
                if templates:
                    _gathered(hs, alive, p, m, k0, width, Q, len(H), above)
    if activations:
        _put(H, starts, counts, first, alive, hs)
    for g in range(len(starts)):
        loss += counts[g] * bins * tiny
        for i in range(first[g], first[g + 1]):
            mass = hs[i, 0] + hs[i, 1] + hs[i, 2] + hs[i, 3]
            loss += mass * total[alive[i]]
            below[alive[i]] += mass
    return loss


@_compiled
def _frames(V, stride, start, count, k0, width, silence):
    """One tile of the frames of a group, silence where there is none."""
    at = start * stride + k0
    q0 = V[at : at + width]
    q1 = V[at + stride : at + stride + width] if count > 1 else silence[:width]
    q2 = V[at + 2 * stride : at + 2 * stride + width] if count > 2 else silence[:width]
    q3 = V[at + 3 * stride : at + 3 * stride + width] if count > 3 else silence[:width]
    return q0, q1, q2, q3


@_compiled
def _multiplied(near, hs, p, m, i, down):
    """LANES rows of `near` (m, m) from the i-th, times the activations of a group, into `down` (m, GROUP)."""
    zero = np.float32(0)
    a0, a1, a2, a3, b0, b1, b2, b3 = zero, zero, zero, zero, zero, zero, zero, zero
    c0, c1, c2, c3, d0, d1, d2, d3 = zero, zero, zero, zero, zero, zero, zero, zero
    for j in range(m):
        x, y, z, u = hs[p + j, 0], hs[p + j, 1], hs[p + j, 2], hs[p + j, 3]
        a, b, c, d = near[i, j], near[i + 1, j], near[i + 2, j], near[i + 3, j]
        a0 += a * x
        a1 += a * y
        a2 += a * z
        a3 += a * u
        b0 += b * x
        b1 += b * y
        b2 += b * z
        b3 += b * u
        c0 += c * x
        c1 += c * y
        c2 += c * z
        c3 += c * u
        d0 += d * x
        d1 += d * y
        d2 += d * z
        d3 += d * u
    down[i, 0], down[i, 1], down[i, 2], down[i, 3] = a0, a1, a2, a3
    down[i + 1, 0], down[i + 1, 1], down[i + 1, 2], down[i + 1, 3] = b0, b1, b2, b3
    down[i + 2, 0], down[i + 2, 1], down[i + 2, 2], down[i + 2, 3] = c0, c1, c2, c3
    down[i + 3, 0], down[i + 3, 1], down[i + 3, 2], down[i + 3, 3] = d0, d1, d2, d3


@_compiled
def euclidean(V, stride, bins, W, gram, H, starts, counts, first, alive, above, below, nothing, activations, templates):
    """The same for beta 2, on the Gram matrix W'W (R + 1, R + 1): no model is ever made.

    HH' is added to `below` (R + 1, R + 1), of which W (HH') is for the caller to make. Returns half the squared
    distance of V and WH less half the square of V, and half the square of V.
    """
    hs, up = np.empty((len(alive), GROUP), np.float32), np.zeros((len(alive), GROUP), np.float32)
    silence, Q = np.zeros(_TILE, np.float32), np.zeros(GROUP * _TILE, np.float32)
    most = 0
    for g in range(len(starts)):
        most = max(most, first[g + 1] - first[g])
    down, near = np.zeros((most, GROUP), np.float32), np.zeros((most, most), np.float32)
    loss, square = 0.0, 0.0
    _taken(H, starts, counts, first, alive, hs)
    for begin in range(0, len(starts), _STRETCH):
        end = min(begin + _STRETCH, len(starts))
        for k0 in range(0, bins, _TILE):
            width = min(_TILE, bins - k0)
            for g in range(begin, end):
                q0, q1, q2, q3 = _frames(V, stride, starts[g], counts[g], k0, width, silence)
                energy = np.float32(0)
                for k in range(width):
                    energy += q0[k] * q0[k] + q1[k] * q1[k] + q2[k] * q2[k] + q3[k] * q3[k]
                square += energy
                _projected(W, alive, first[g], first[g + 1] - first[g], k0, width, q0, q1, q2, q3, len(H), up)
        for g in range(begin, end):
            p, m = first[g], first[g + 1] - first[g]
            for i in range(m):
                row = gram[alive[p + i]]
                for j in range(m):
                    near[i, j] = row[alive[p + j]]
            for turn in range(2 if activations else 1):
                for i in range(0, m, LANES):
                    _multiplied(near, hs, p, m, i, down)
                if turn == 0 and activations:
                    for i in range(m):
                        for f in range(counts[g]):
                            moved = hs[p + i, f] * (up[p + i, f] / max(down[i, f], _TINY))
                            hs[p + i, f] = np.float32(0) if nothing > moved else moved
            for i in range(m):
                for f in range(counts[g]):
                    loss += np.float64(hs[p + i, f]) * (0.5 * np.float64(down[i, f]) - np.float64(up[p + i, f]))
            if templates:
                for i in range(p, p + m):
                    a0, a1, a2, a3 = hs[i, 0], hs[i, 1], hs[i, 2], hs[i, 3]
                    for j in range(p, i + 1):
                        below[alive[i], alive[j]] += a0 * hs[j, 0] + a1 * hs[j, 1] + a2 * hs[j, 2] + a3 * hs[j, 3]
        if templates:
            for k0 in range(0, bins, _TILE):
                width = min(_TILE, bins - k0)
                for g in range(begin, end):
                    q0, q1, q2, q3 = _frames(V, stride, starts[g], counts[g], k0, width, silence)
                    for k in range(width):
                        Q[k], Q[_TILE + k], Q[2 * _TILE + k], Q[3 * _TILE + k] = q0[k], q1[k], q2[k], q3[k]
                    _gathered(hs, alive, first[g], first[g + 1] - first[g], k0, width, Q, len(H), above)
    if activations:
        _put(H, starts, counts, first, alive, hs)
    for i in range(len(H)):
        # The components of a group are in order, so that one half has it all.
        for j in range(i):
            below[j, i] = below[i, j]
    return loss, 0.5 * square


@_compiled
def distance(V, stride, bins, W, H, starts, counts, first, alive):
    """Half the squared distance of V and WH, from the model itself: exact where the two nearly agree."""
    hs, M = np.empty((len(alive), GROUP), np.float32), np.empty(GROUP * _TILE, np.float32)
    _taken(H, starts, counts, first, alive, hs)
    loss = 0.0
    for k0 in range(0, bins, _TILE):
        width = min(_TILE, bins - k0)
        for g in range(len(starts)):
            _model(W, hs, alive, first[g], first[g + 1] - first[g], k0, width, np.float32(0), M)
            for f in range(counts[g]):
                offset, total = (starts[g] + f) * stride + k0, np.float32(0)
                for k in range(width):
                    difference = V[offset + k] - M[f * _TILE + k]
                    total += difference * difference
                loss += total
    return 0.5 * loss


@_compiled
def templates(W, above, below, first, new, total, to_one):
    """The multiplicative update of rows `first` and following of W (R, K) into `new` (R, K), their sums into `total` (R,).

    above (chunks, R + 1, K), of which the sum is taken; below (rows, K) or (rows, 1). Where nothing is below, W stays. With
    `to_one` the rows are scaled to sum to one, those of nothing are those of W, with sum one; see `nmf.rows_to_one`.
    """
    up = np.empty(W.shape[1], np.float32)
    for i in range(len(below)):
        r = first + i
        w, under, out, some = W[r], below[i], new[r], above[0, r]
        mass = np.float32(0)
        for k in range(len(w)):
            up[k] = some[k]
        for c in range(1, len(above)):
            more = above[c, r]
            for k in range(len(w)):
                up[k] += more[k]
        if below.shape[1] == 1:
            factor = np.float32(1) / max(under[0], _TINY)
            for k in range(len(w)):
                out[k] = w[k] * (up[k] * factor) if under[0] > _TINY else w[k]
                mass += out[k]
        else:
            for k in range(len(w)):
                out[k] = w[k] * (up[k] / max(under[k], _TINY)) if under[k] > _TINY else w[k]
                mass += out[k]
        total[r] = mass
        if to_one:
            sounding = mass > _TINY
            scale = np.float32(1) / mass if sounding else np.float32(1)
            total[r] = mass if sounding else np.float32(1)
            for k in range(len(w)):
                value = out[k] * scale
                out[k] = (value if value >= _INAUDIBLE else np.float32(0)) if sounding else w[k]
