"""How far the local tempo may leave the tempo of the whole."""

import math
from collections.abc import Sequence

import numpy as np

from soli.errors import InputError
from soli.score.notes import Times

Limits = tuple[float, float]

LIMITS: Limits = (1 / 4, 4.0)  # slowest and fastest local tempo, as parts of the tempo of the whole piece
_OWN_BUSINESS_S = 1.0  # anchors nearer than this may ask for any tempo: an arpeggio, a grace note, a breath


def checked_limits(limits: Limits) -> Limits:
    """The limits as they are; raises InputError, in one sentence, where no music could keep them."""
    slowest, fastest = (float(limit) for limit in limits)
    if not (math.isfinite(fastest) and 0 < slowest <= 1 <= fastest):
        raise InputError(
            f"The local tempo cannot be kept between {slowest:g} and {fastest:g} times that of the piece; "
            "choose a slowest of more than 0 and at most 1, and a fastest of 1 or more"
        )
    return slowest, fastest


def paces_between(pins: Sequence[tuple[float, float]], pace: float, limits: Limits) -> tuple[float, float]:
    """The least and the most seconds of recording that one of the score may take in a window between `pins`.

    pace: what it takes in the whole piece. Raises InputError where two anchors, each pin being (score seconds, recording
    seconds), ask for a tempo beyond the limits; anchors close together are followed whatever they ask for.
    """
    slowest, fastest = limits
    least, most = pace / fastest, pace / slowest
    if len(pins) < 2:
        return least, most
    (score_a, recording_a), (score_b, recording_b) = pins
    asked = (recording_b - recording_a) / (score_b - score_a)
    if not least <= asked <= most:
        if min(score_b - score_a, recording_b - recording_a) >= _OWN_BUSINESS_S:
            raise InputError(
                f"The anchors at {recording_a:.2f} s and {recording_b:.2f} s make the score run {pace / asked:.2f} times as fast "
                f"as the whole piece, beyond the limits of {slowest:.2f} and {fastest:.2f}; move one or widen the limits"
            )
        least, most = min(least, asked), max(most, asked)
    return least, most


def within_paces(score_s: Times, recording_s: Times, pins: Sequence[tuple[float, float]], paces: tuple[float, float]) -> Times:
    """The places `recording_s` (n,) of `score_s` (n,), increasing, moved so that every step keeps to `paces`.

    Places that keep to them stay to the last bit. Every pin (score seconds, recording seconds) holds where the pins
    themselves keep to the paces. It is the mean of the nearest such places found forwards and backwards in time: the paces
    bound a convex set, so the mean keeps to them too.
    """
    times = np.concatenate([score_s, [score for score, _ in pins]])
    wanted = np.concatenate([recording_s, [at for _, at in pins]])
    order = np.argsort(times, kind="stable")
    held = (order >= len(score_s)).tolist()
    x, y = times[order].tolist(), wanted[order].tolist()
    forwards = _followed(x, y, held, paces)
    mirrored = _followed([-t for t in reversed(x)], [-t for t in reversed(y)], held[::-1], paces)
    found: Times = np.empty(len(times))
    found[order] = (np.array(forwards) - np.array(mirrored[::-1])) / 2
    return found[: len(score_s)]


def _followed(x: list[float], y: list[float], held: list[bool], paces: tuple[float, float]) -> list[float]:
    """Each place as near to its `y` as the one before it and the held ones after it allow."""
    least, most = paces
    lowest, highest = [-math.inf] * len(x), [math.inf] * len(x)
    for i in range(len(x) - 1, -1, -1):
        if i + 1 < len(x):
            lowest[i] = lowest[i + 1] - most * (x[i + 1] - x[i])
            highest[i] = highest[i + 1] - least * (x[i + 1] - x[i])
        if held[i]:
            lowest[i] = highest[i] = y[i]
    placed: list[float] = []
    for i, place in enumerate(y):
        low, high = lowest[i], highest[i]
        if i:
            step = x[i] - x[i - 1]
            low, high = max(low, placed[-1] + least * step), min(high, placed[-1] + most * step)
        placed.append(place if held[i] else min(max(place, low), high))
    return placed
