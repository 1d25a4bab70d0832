"""One speed of one load: which of its tiles are there, which are out of date, and what is to be made next."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from soli.playback.controls import PlayerStatus
from soli.playback.seams import Section, excerpt_for, joined
from soli.playback.stretch import Excerpt
from soli.playback.tiles import Stretching
from soli.progress import Progress, Steps
from soli.project.state import ORIGINAL
from soli.signal.audio import FloatArray
from soli.ui.sounds import Sounds

MOST_BYTES = 256 * 2**20  # of stretched sound that the player holds
FEWEST_TILES = 12
MOST_AT_ONCE = 16  # tiles in a section: where two meet, what is held on sounds a little different
REACH_S = 0.25  # how far beside it, in the recording, a sample is heard when it is stretched

# What makes an excerpt of a sound with so many guides, as `Excerpt.made_of` does.
Stretch: TypeAlias = Callable[[Excerpt, FloatArray, int], FloatArray]
Tiles: TypeAlias = Mapping[int, tuple[FloatArray, ...]]


class Task(NamedTuple):
    """A section to be made of `tiles`, of which `brought` are to be brought; `shift` and `before` as in `joined`."""

    tiles: range
    brought: frozenset[int]
    shift: int | None
    before: FloatArray | None

    def steps(self, stretching: Stretching, sounds: Sounds, stretch: Stretch) -> Steps[tuple[Section, Tiles]]:
        """Make the section, and its tiles as the player takes them; `sounds` in the order of `stretching.channels`."""
        excerpt = excerpt_for(stretching, self.tiles)
        order = sorted(range(len(sounds.channels)), key=lambda index: sounds.channels[index] != ORIGINAL)
        parts: list[FloatArray] = []
        for index in order:
            yield Progress(len(parts), len(order) + 1, "Stretching")
            parts.append(sounds.read(sounds.channels[index])(*excerpt.source))
        guides = parts[0].shape[1]
        made = stretch(excerpt, np.concatenate(parts, axis=1), guides)
        yield Progress(len(order), len(order) + 1, "Stretching")
        section, sound = joined(stretching, self.tiles, made, guides, before=self.before, shift=self.shift)
        ends = np.cumsum([part.shape[1] for part in parts])
        by_signal = dict(zip(order, np.split(sound, ends[:-1], axis=1), strict=True))
        cut = [stretching.parts(by_signal[index]) for index in range(len(order))]
        tiles = dict(zip(self.tiles, zip(*cut, strict=True), strict=True))
        return section, {number: tile for number, tile in tiles.items() if number in self.brought}


@dataclass(eq=False)
class Run:
    """What the player has of a stretching. `have`: the section that each tile is of; `stale`: tiles that sound otherwise now."""

    stretching: Stretching
    sounds: Sounds
    have: dict[int, Section] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)
    told_s: float | None = None  # when the player was told to turn to it

    @property
    def most(self) -> int:
        """How many tiles the player is to hold."""
        bytes_a_tile = 4 * self.stretching.tile_length * sum(self.stretching.channels)
        return max(FEWEST_TILES, MOST_BYTES // bytes_a_tile)

    def is_ready(self, status: PlayerStatus) -> bool:
        """Whether it is what is heard, or would be as soon as the music plays."""
        here = min(self.stretching.tiles - 1, int(status.position_s / self.stretching.tile_s))
        return status.stretched == self.stretching.key and here in self.have

    def change(self, sounds: Sounds, ranges: Collection[tuple[int, int]]) -> None:
        """Other sounds take the place of these, which differ in some samples of the recording."""
        rate, step = self.stretching.rate, self.stretching.tile_s
        for first, end in ranges:
            low, high = (int((at / rate + aside) / step) for at, aside in ((first, -REACH_S), (end, REACH_S)))
            self.stale |= self.have.keys() & set(range(low, high + 1))
        self.sounds = sounds

    def next(self, wanted: Sequence[int], longest: int) -> Task | None:
        """What to make of the tiles that are wanted, the most urgent first, at most `longest` tiles if they are new."""
        missing = [number for number in wanted if number not in self.have or number in self.stale]
        if not missing:
            return None
        first = missing[0]
        section, before = self.have.get(first), self.have.get(first - 1)
        if section is not None:
            before = self.have.get(section.first - 1)
            tiles, shift = section.tiles, section.shift
            brought = self.stale & set(tiles)
        else:
            # The first by itself, because it is waited for; the more there is to hear, the more at a time.
            count, most = 1, min(wanted.index(first), longest, MOST_AT_ONCE)
            while count < most and missing[count : count + 1] == [first + count] and first + count not in self.have:
                count += 1
            tiles, shift = range(first, first + count), None
            brought = set(tiles)
        return Task(tiles, frozenset(brought), shift, None if before is None else before.after)

    def add(self, section: Section, brought: Collection[int], *, current: bool) -> None:
        """The player has these tiles of a section now; not `current` if they were under way when other sounds came."""
        for number in section.tiles:
            other = self.have.get(number)
            if other is not None and other.tiles != section.tiles:
                self._forget(other.tiles)  # it came after all, from a job that was not wanted any more
        self.have.update(dict.fromkeys(section.tiles, section))
        if current:
            self.stale.difference_update(brought)
        else:
            self.stale.update(brought)
        after = self.have.get(section.end)
        if after is not None and not after.fits(section):
            self.stale.add(section.end)

    def drop(self, wanted: Collection[int]) -> set[int]:
        """Forget the sections of which no tile is wanted, and tell their tiles."""
        kept = {number for tile in wanted if tile in self.have for number in self.have[tile].tiles}
        dropped = self.have.keys() - kept
        self._forget(dropped)
        return dropped

    def _forget(self, numbers: Collection[int]) -> None:
        for number in numbers:
            self.have.pop(number, None)
            self.stale.discard(number)
