"""Another speed at the same pitch: has the sound around the playhead stretched in time, and the player turn to it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from soli.playback.frames import Read, reader
from soli.playback.mixer import fold
from soli.playback.player import Player, PlayerStatus
from soli.playback.stretch import FASTEST, SLOWEST, Stretcher, stretched_length
from soli.playback.tiles import Stretching, wanted_tiles
from soli.progress import Progress, Steps
from soli.project.pipeline import Separation
from soli.project.state import ORIGINAL
from soli.signal.audio import Audio, FloatArray
from soli.ui.worker import Job, Worker

LOOK_MS = 40
LOST_AFTER_S = 5.0
MOST_BYTES = 256 * 2**20  # of stretched sound that the player holds
FEWEST_TILES = 12
MOST_AT_ONCE = 4  # tiles that one job computes, which takes less than each alone


@dataclass(eq=False)
class Sounds:
    """The signals that the player holds as its newest load, as they were given to it."""

    channels: tuple[int, ...]
    audio: Audio
    separation: Separation | None

    def read(self, channel: int) -> Read:
        """Reads one of them, in the one or two channels in which it is heard."""
        if channel == ORIGINAL or self.separation is None:
            whole = reader(self.audio.samples)
            return lambda first, end: fold(whole(first, end))
        signals, length = self.separation.signals, len(self.audio.samples)

        def read(first: int, end: int) -> FloatArray:
            low = min(max(0, first), length)
            part = signals.stretch(channel, low, max(low, min(end, length)))
            return fold(reader(part)(first - low, end - low))

        return read


@dataclass(eq=False)
class _Run:
    """One speed of one load, and which of its tiles the player has."""

    stretching: Stretching
    stretcher: Stretcher
    sounds: Sounds
    have: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)  # of those it has: computed from sound that has changed since
    told_s: float | None = None  # when the player was told to turn to it

    def is_ready(self, status: PlayerStatus) -> bool:
        """Whether it is what is heard, or would be as soon as the music plays."""
        here = min(self.stretching.tiles - 1, int(status.position_s / self.stretching.tile_s))
        return status.stretched == self.stretching.key and here in self.have

    @property
    def most(self) -> int:
        bytes_a_tile = 4 * self.stretching.tile_length * sum(self.stretching.channels)
        return max(FEWEST_TILES, MOST_BYTES // bytes_a_tile)


class Speed(QObject):
    """How fast the music plays, from a quarter to twice its speed.

    `changed` comes when another speed is asked for, and as it becomes, or ceases to be, what is heard; `said` tells in a
    sentence what went wrong. `worker` computes for this alone: behind a decomposition nothing would come in time.
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self, player: Player, worker: Worker) -> None:
        super().__init__()
        self._player, self._worker = player, worker
        self._wanted = 1.0
        self._key = 0
        self._sounds: Sounds | None = None
        self._run: _Run | None = None
        self._job: Job | None = None
        self._under_way = range(0)  # the tiles that the job computes
        self._status = PlayerStatus()
        self._loop: tuple[float, float] | None = None
        self._told = (1.0, False)  # the speed and whether it is busy, as `changed` said last
        self._heard = 1.0  # the speed of what is heard
        self._took_s = 0.3  # to compute, what was brought last
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def wanted(self) -> float:
        """The speed that is asked for; 1 is that of the recording."""
        return self._wanted

    @property
    def busy(self) -> bool:
        """Whether what is asked for is still being computed where the playhead is, as `changed` said last."""
        return self._told[1]

    def set(self, speed: float) -> None:
        """Play at another speed; what is heard goes on until the first stretch of it is there."""
        speed = round(min(FASTEST, max(SLOWEST, speed)), 2)
        if speed == self._wanted:
            return
        self._wanted = speed
        self._begin()
        self._tell()

    def take(self, sounds: Sounds, ranges: Collection[tuple[int, int]] | None) -> None:
        """The player holds these sounds now, which differ in these samples from those before (None: perhaps in all)."""
        run, self._sounds = self._run, sounds
        if run is None or ranges is None or run.stretching.generation != self._player.generation:
            self._begin()
            self._tell()
            return
        # A tile sounds of what lies under it and, by the width of the frames, a little beside it.
        rate, step = run.stretching.rate, run.stretching.tile_s
        for first, end in ranges:
            low, high = (int((at / rate + aside) / step) for at, aside in ((first, -0.2), (end, 0.2)))
            run.stale |= run.have & set(range(low, high + 1))
        run.sounds = sounds
        self._drop_job()

    def follow(self, status: PlayerStatus, loop: tuple[float, float] | None) -> None:
        """Where the music is, and what is repeated."""
        self._status, self._loop = status, loop
        if not status.stretched:
            self._heard = 1.0
        elif self._run is not None and status.stretched == self._run.stretching.key:
            self._heard = self._run.stretching.speed
        self._tell()

    def close(self) -> None:
        self._timer.stop()
        self._drop_job()

    def _tell(self) -> None:
        """Whoever shows the speed hears of each difference from what was said last, however it came about."""
        run, status = self._run, self._status
        now = (self._wanted, run is not None and (status.waiting or not run.is_ready(status)))
        if now != self._told:
            self._told = now
            self.changed.emit()

    def _begin(self) -> None:
        self._drop_job()
        self._run = None
        if self._wanted == 1.0 or self._sounds is None:
            self._timer.stop()
            self._player.hear(None)
            return
        sounds = self._sounds
        self._key += 1
        length = stretched_length(len(sounds.audio.samples), self._wanted)
        channels = tuple(sounds.read(channel)(0, 0).shape[1] for channel in sounds.channels)
        stretching = Stretching(self._key, self._player.generation, self._wanted, sounds.audio.rate, length, channels)
        stretcher = Stretcher(sounds.read(ORIGINAL), rate=sounds.audio.rate, speed=self._wanted)
        self._run = _Run(stretching, stretcher, sounds)
        self._timer.start()
        self._look()

    def _look(self) -> None:
        """Let the most urgent tiles that are missing be computed, and those go that are far away."""
        run, status = self._run, self._status
        if run is None:
            return
        heard = status.stretched == run.stretching.key
        if run.told_s is not None and not heard and status.playing and time.monotonic() - run.told_s > LOST_AFTER_S:
            self._begin()  # the sound process is another one, and has none of what was brought
            self._tell()
            return
        wanted = wanted_tiles(run.stretching, status.position_s, self._loop)[: run.most]
        passed = status.playing and bool(run.have) and wanted[0] > max(run.have)
        if run.told_s is None and (wanted[0] in run.have or passed):
            # What the music has passed all the same is not run after: it waits for what comes next.
            run.told_s = time.monotonic()
            self._player.hear(run.stretching)
        if self._job is not None:
            if not status.waiting or wanted[0] in run.have or wanted[0] in self._under_way:
                return
            self._drop_job()  # it is not what is waited for
        if run.told_s is None and status.playing and not run.have:
            # What is heard until then goes on: by the time that a tile is there the music would have passed it.
            lead_s = 1.5 * self._took_s * self._heard
            wanted = wanted_tiles(run.stretching, status.position_s + lead_s, self._loop)[: run.most]
        missing = [number for number in wanted if number not in run.have or number in run.stale]
        if missing:
            # The first by itself, because it is waited for; the more there is to hear, the more at a time.
            there, count = wanted.index(missing[0]), 1
            while count < min(there, MOST_AT_ONCE) and missing[count : count + 1] == [missing[0] + count]:
                count += 1
            self._compute(run, missing[0], count)
        elif far := run.have - set(wanted):
            self._player.drop_tiles(run.stretching, far)
            run.have -= far
            run.stale -= far

    def _compute(self, run: _Run, number: int, count: int) -> None:
        """Bring `count` tiles that follow each other."""
        stretching, sounds, stretcher = run.stretching, run.sounds, run.stretcher
        asked_s = time.monotonic()

        def steps() -> Steps[range]:
            total = len(sounds.channels)
            yield Progress(0, total, "Stretching")
            stretch = stretcher.stretch(stretching.span(number)[0], stretching.span(number + count - 1)[1])
            parts = []
            for index, channel in enumerate(sounds.channels):
                yield Progress(index, total, "Stretching")
                parts.append(stretching.parts(stretch.of(sounds.read(channel))))
            for place, tile in enumerate(zip(*parts, strict=True)):
                self._player.add_tile(stretching, number + place, tile)
            self._took_s = time.monotonic() - asked_s
            return range(number, number + count)

        job = Job("Stretching", steps)
        job.done.connect(partial(self._added, run, job))
        job.failed.connect(self._failed)
        job.ended.connect(partial(self._ended, job))
        self._job, self._under_way = job, range(number, number + count)
        self._worker.submit(job)

    def _added(self, run: _Run, job: Job, numbers: range) -> None:
        run.have.update(numbers)
        if self._job is job:
            run.stale.difference_update(numbers)
        else:
            run.stale.update(numbers)  # they were under way when other sounds came
        self._tell()

    def _failed(self, sentence: str) -> None:
        self._drop_job()
        self._wanted, self._run = 1.0, None
        self._begin()
        self.said.emit(sentence)
        self._tell()

    def _ended(self, job: Job) -> None:
        if self._job is job:
            self._job = None
            self._look()

    def _drop_job(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
