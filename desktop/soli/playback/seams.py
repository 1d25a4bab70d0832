"""Stretches of a stretched sound that are made one by one, put together so that it goes on where they meet.

Each begins with phases of its own. So it is moved by a few milliseconds to where it resembles the end of the one before it
most, and cross-faded with that (Verhelst and Roelands, "An Overlap-Add Technique Based on Waveform Similarity", ICASSP 1993).
"""

from typing import NamedTuple

import numpy as np

from soli.playback.stretch import Excerpt
from soli.playback.tiles import Stretching
from soli.signal.audio import FloatArray

MOST_SHIFT_S = 0.006
# After the end of the stretch before, within the margin of a tile: what its last tile is resampled with stays as it is.
_LEAD_S, _FADE_S = 0.008, 0.02
_AS_GOOD_AS = 1e-5


class Section(NamedTuple):
    """Tiles [first, end) that were made in one go, `shift` samples later in what was made than where they belong.

    `before` is the end of the section before, with which it is cross-faded, or None; `after` is its own: float32
    (two margins, channels) around the border.
    """

    first: int
    end: int
    shift: int
    before: FloatArray | None
    after: FloatArray

    @property
    def tiles(self) -> range:
        return range(self.first, self.end)

    def fits(self, former: "Section | None") -> bool:
        """Whether the section before it ends as it did when this one was made."""
        ends = None if former is None else former.after
        # The library's last bits hang on where the channels lie.
        return ends is self.before or (
            ends is not None and self.before is not None and np.allclose(ends, self.before, rtol=0.0, atol=_AS_GOOD_AS)
        )


def excerpt_for(stretching: Stretching, tiles: range) -> Excerpt:
    """What is to be made for some tiles that follow each other: their margins, and room for a shift, included."""
    room = _samples(MOST_SHIFT_S, stretching)
    first, end = stretching.span(tiles[0])[0] - room, stretching.span(tiles[-1])[1] + room
    return Excerpt(first, end, stretching.rate, stretching.speed)


def joined(
    stretching: Stretching,
    tiles: range,
    made: FloatArray,
    guides: int,
    *,
    before: FloatArray | None = None,
    shift: int | None = None,
) -> tuple[Section, FloatArray]:
    """The section of some tiles, and its sound with a margin at either end, float32 (samples, channels).

    `made` is `excerpt_for` these tiles, its first `guides` channels the recording; `before` the end of the section before.
    A section that is made once more keeps its `shift`, and so goes on into what follows it.
    """
    if shift is None:
        shift = 0 if before is None else _best_shift(stretching, before[:, :guides], made[:, :guides])
    room, border = _samples(MOST_SHIFT_S, stretching), 2 * stretching.margin
    sound = made[room + shift : len(made) - room + shift].copy()
    if before is not None:
        fade = _fade(stretching)
        sound[:border] = before + fade * (sound[:border] - before)
    return Section(tiles.start, tiles.stop, shift, before, sound[-border:].copy()), sound


def _best_shift(stretching: Stretching, before: FloatArray, made: FloatArray) -> int:
    """By how many samples `made` is to be moved so that both are most alike where they are cross-faded."""
    room, first = _samples(MOST_SHIFT_S, stretching), stretching.margin + _samples(_LEAD_S, stretching)
    length = _samples(_FADE_S, stretching)
    wanted = before[first : first + length].astype(np.float64)
    there = made[first : first + length + 2 * room].astype(np.float64)
    alike = np.sum([np.correlate(t, w, "valid") for t, w in zip(there.T, wanted.T, strict=True)], axis=0)
    energy = np.concatenate([[0.0], np.cumsum((there**2).sum(axis=1))])
    alike /= np.sqrt(np.maximum(energy[length:] - energy[:-length], 1e-20))
    return int(alike.argmax()) - room if alike.max() > 0.0 else 0


def _fade(stretching: Stretching) -> FloatArray:
    """How much of a section is heard in the margins around its beginning."""
    since = np.arange(2 * stretching.margin) - stretching.margin - _samples(_LEAD_S, stretching)
    return np.clip(since / _samples(_FADE_S, stretching), 0.0, 1.0).astype(np.float32)[:, None]


def _samples(time_s: float, stretching: Stretching) -> int:
    return round(time_s * stretching.rate)
