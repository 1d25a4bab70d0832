"""Signals that are there in part: stretched sound, computed in tiles around the playhead."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from soli.signal.audio import FloatArray, resample

TILE_S = 0.4  # so short that the first one is there soon, and a whole number of samples at all rates in use
# What a tile brings along on either side, so that it can be resampled without a seam; as whole.
MARGIN_S = 0.04
AHEAD_S = 24.0  # how far ahead of the playhead tiles are wanted
BEHIND_S = 8.0


class Tiled:
    """A signal of shape (length, channels), float32, cut into tiles of `tile_length`; silent where one is missing."""

    def __init__(self, length: int, channels: int, tile_length: int, tiles: Mapping[int, FloatArray] | None = None) -> None:
        self.shape: tuple[int, ...] = (length, channels)
        self.tile_length = tile_length
        self.tiles = dict(tiles or {})
        self._silence = np.broadcast_to(np.zeros((1, 1), np.float32), (tile_length, channels))

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> "np.dtype[Any]":
        return self._silence.dtype

    def cut(self, start: int, stop: int) -> list[FloatArray]:
        """Samples `start` to `stop`, both within the signal, as arrays that follow each other."""
        pieces = []
        while start < stop:
            number, offset = divmod(start, self.tile_length)
            count = min(stop - start, self.tile_length - offset)
            pieces.append(self.tiles.get(number, self._silence)[offset : offset + count])
            start += count
        return pieces

    def covers(self, start: int, stop: int) -> bool:
        """Whether all samples from `start` to `stop` are there, as far as the signal goes."""
        start, stop = max(0, start), min(stop, len(self))
        return all(n in self.tiles for n in range(start // self.tile_length, -(-stop // self.tile_length)) if start < stop)

    def is_alike(self, other: "Tiled", place: int) -> bool:
        """Whether the other one has the very tiles of this around sample `place`."""
        here = place // self.tile_length
        return all(self.tiles.get(number) is other.tiles.get(number) for number in (here - 1, here, here + 1))

    def changed(self, added: Mapping[int, FloatArray], dropped: Collection[int] = ()) -> "Tiled":
        """The same signal with tiles added, or others in their place, and some dropped."""
        tiles = {number: tile for number, tile in self.tiles.items() if number not in dropped}
        return Tiled(self.shape[0], self.shape[1], self.tile_length, tiles | dict(added))


@dataclass(frozen=True, slots=True)
class Stretching:
    """What the tiles of `key` are of: load `generation` at `speed`, in samples at `rate`, one a signal's channels."""

    key: int
    generation: int
    speed: float
    rate: int
    length: int
    channels: tuple[int, ...]

    @property
    def tile_length(self) -> int:
        return round(TILE_S * self.rate)

    @property
    def margin(self) -> int:
        return round(MARGIN_S * self.rate)

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return -(-self.length // self.tile_length)

    @property
    def tile_s(self) -> float:
        """How much of the recording a tile holds."""
        return TILE_S * self.speed

    def empty(self, rate: int | None = None) -> tuple[Tiled, ...]:
        """The signals with no tiles yet, at another rate if there is one."""
        rate = rate or self.rate
        length = math.ceil(self.length * rate / self.rate)
        return tuple(Tiled(length, channels, round(TILE_S * rate)) for channels in self.channels)

    def span(self, number: int) -> tuple[int, int]:
        """The samples that a tile is made of, its margins included."""
        return number * self.tile_length - self.margin, (number + 1) * self.tile_length + self.margin

    def parts(self, sound: FloatArray) -> list[FloatArray]:
        """The tiles, with their margins, of a sound that spans some and the margins around them."""
        length = self.tile_length
        count = (len(sound) - 2 * self.margin) // length
        return [sound[at * length : (at + 1) * length + 2 * self.margin] for at in range(count)]

    def trimmed(self, sound: FloatArray, rate: int | None = None) -> FloatArray:
        """A tile at a rate, of samples at this one that span it with its margins."""
        rate = rate or self.rate
        if rate != self.rate:
            sound = resample(sound, self.rate, rate)
        margin = round(MARGIN_S * rate)
        return np.ascontiguousarray(sound[margin : margin + round(TILE_S * rate)])


class Tile(NamedTuple):
    """Command `number` of a player: tile `place` of `stretching` with its margins; or tiles dropped, or what is heard."""

    number: int
    stretching: Stretching | None
    place: int = 0
    sounds: tuple[FloatArray, ...] = ()
    dropped: frozenset[int] = frozenset()
    heard: bool = False


class Tiles:
    """Collects the tiles of the newest stretching for a desk at `rate`."""

    def __init__(self) -> None:
        self._key = 0
        self._signals: tuple[Tiled, ...] = ()

    def commands(self, tile: Tile, rate: int) -> list[tuple[int, str, tuple[Any, ...]]]:
        """What a desk at `rate` is told of a tile."""
        stretching = tile.stretching
        if tile.heard:
            return [(tile.number, "hear", (stretching.key if stretching else 0,))]
        if stretching is None or stretching.key < self._key:
            return []
        if stretching.key > self._key:
            self._key, self._signals = stretching.key, stretching.empty(rate)
        added: list[Mapping[int, FloatArray]] = [{tile.place: stretching.trimmed(s, rate)} for s in tile.sounds]
        added = added or [{}] * len(self._signals)
        self._signals = tuple(signal.changed(new, tile.dropped) for signal, new in zip(self._signals, added, strict=True))
        return [(tile.number, "tiles", (stretching, self._signals))]


def wanted_tiles(stretching: Stretching, position_s: float, loop_s: tuple[float, float] | None) -> list[int]:
    """The tiles to have while the playhead is at `position_s`, the most urgent first; `loop_s` if it repeats.

    They are those that are played next, the beginning of the loop among them, and then a few that have been played.
    """
    last, step = stretching.tiles - 1, stretching.tile_s
    here = min(last, max(0, int(position_s / step)))
    ahead = math.ceil(AHEAD_S / TILE_S)
    upwards = list(range(here, min(last, here + ahead) + 1))
    if loop_s is not None and position_s < loop_s[1]:
        first, end = (min(last, max(0, int(time_s / step))) for time_s in loop_s)
        in_loop = [number for number in upwards if number <= end]
        upwards = in_loop + list(range(first, min(end, first + ahead) + 1))
    before = range(here - 1, max(-1, here - 1 - math.ceil(BEHIND_S / TILE_S)), -1)
    return list(dict.fromkeys([*upwards[: ahead + 1], *before]))
