"""Another speed at the same pitch: has the sound around the playhead stretched in time, and the player turn to it."""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from soli.playback.player import Player, PlayerStatus
from soli.playback.seams import Section
from soli.playback.stretch import FASTEST, SLOWEST, Excerpt, stretched_length
from soli.playback.tiles import Stretching, wanted_tiles
from soli.progress import Steps
from soli.ui.sounds import Sounds
from soli.ui.speed_run import Run, Stretch, Task
from soli.ui.worker import Job, Worker

LOOK_MS = 40
LOST_AFTER_S = 5.0
LONGEST_S = 0.3  # that a job is to take at most: what comes to be more urgent waits for it
AROUND = 1.5  # tiles that could be made in the time that is needed beside those of a job


class Speed(QObject):
    """How fast the music plays, from a quarter to twice its speed.

    `changed` comes when another speed is asked for, and as it becomes, or ceases to be, what is heard; `said` tells in a
    sentence what went wrong. `worker` computes for this alone, behind a decomposition nothing would come in time, with
    `stretch`, which may take its time there; by itself it is `Excerpt.made_of`, which holds up the window.
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self, player: Player, worker: Worker, stretch: Stretch = Excerpt.made_of) -> None:
        super().__init__()
        self._player, self._worker, self._stretch = player, worker, stretch
        self._wanted = 1.0
        self._key = 0
        self._sounds: Sounds | None = None
        self._run: Run | None = None
        self._job: Job | None = None
        self._under_way = range(0)  # the tiles that the job computes
        self._status = PlayerStatus()
        self._loop: tuple[float, float] | None = None
        self._told = (1.0, False)  # the speed and whether it is busy, as `changed` said last
        self._heard = 1.0  # the speed of what is heard
        self._pace_s = 0.1  # what a tile took of the last job
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
        run.change(sounds, ranges)
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
        self._run = Run(stretching, sounds)
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
            lead_s = 1.5 * (1 + AROUND) * self._pace_s * self._heard
            wanted = wanted_tiles(run.stretching, status.position_s + lead_s, self._loop)[: run.most]
        task = run.next(wanted, int(LONGEST_S / self._pace_s - AROUND))
        if task is not None:
            self._compute(run, task)
        elif far := run.drop(wanted):
            self._player.drop_tiles(run.stretching, far)

    def _compute(self, run: Run, task: Task) -> None:
        """Make a section, and bring its tiles."""
        stretching, sounds = run.stretching, run.sounds
        asked_s = time.monotonic()

        def steps() -> Steps[Section]:
            section, tiles = yield from task.steps(stretching, sounds, self._stretch)
            for number, sound in tiles.items():
                self._player.add_tile(stretching, number, sound)
            self._pace_s = (time.monotonic() - asked_s) / (len(task.tiles) + AROUND)
            return section

        job = Job("Stretching", steps)
        job.done.connect(partial(self._added, run, job, task))
        job.failed.connect(partial(self._failed, job))
        job.ended.connect(partial(self._ended, job))
        self._job, self._under_way = job, task.tiles
        self._worker.submit(job)

    def _added(self, run: Run, job: Job, task: Task, section: Section) -> None:
        run.add(section, task.brought, current=self._job is job)
        self._tell()

    def _failed(self, job: Job, sentence: str) -> None:
        if self._job is not job:
            return
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
