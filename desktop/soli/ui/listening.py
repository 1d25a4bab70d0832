"""Keeps the player in step with the document: which signals it holds, at which gains, and what it says."""

import time
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from soli.playback.mixer import mix_offline
from soli.playback.player import Player, PlayerStatus, Strip
from soli.playback.stretch import Excerpt
from soli.playback.transport import SHORTEST_LOOP_S
from soli.progress import Progress, Steps
from soli.project.document import Document
from soli.project.pipeline import Separation
from soli.project.state import ORIGINAL, RESIDUAL
from soli.signal.audio import Audio, FloatArray
from soli.ui.clicks import Clicks
from soli.ui.listening_loudness import Matching
from soli.ui.sounds import Sounds
from soli.ui.speed import Speed
from soli.ui.speed_run import Stretch
from soli.ui.worker import Job, Worker

PLAYING_MS, IDLE_MS = 16, 120
GRAIN_S, SCRUB_EVERY_S = 0.09, 0.05


@dataclass(eq=False)
class _Wanted:
    """What the player is to hold: the recording, and the signals of a separation if there is one.

    `before` is what was wanted before; where only stretches differ from that, `patched` says which.
    """

    channels: tuple[int, ...]
    audio: Audio
    separation: Separation | None
    before: "_Wanted | None"

    @property
    def patched(self) -> tuple[tuple[int, int], ...]:
        before = self.before
        if self.separation is None or before is None or before.channels != self.channels or before.audio is not self.audio:
            return ()
        return self.separation.patched

    def ranges_since(self, held: "_Wanted | None") -> list[tuple[int, int]] | None:
        """The samples that may differ from what is `held`, in order and apart; None where that may be all of them."""
        ranges: list[tuple[int, int]] = []
        wanted = self
        while wanted is not held:
            if not wanted.patched or wanted.before is None:
                return None
            ranges += wanted.patched
            wanted = wanted.before
        return united(ranges)

    def signals(self) -> list[FloatArray]:
        separation = self.separation
        return [self.audio.samples if c == ORIGINAL or separation is None else separation.signals[c] for c in self.channels]

    def pieces(self, ranges: list[tuple[int, int]]) -> list[tuple[int, int, FloatArray]]:
        """What the player's `patch` takes; the original never changes."""
        separation = self.separation
        if separation is None:
            return []
        places = [(i, c) for i, c in enumerate(self.channels) if c != ORIGINAL]
        return [(i, first, separation.signals.stretch(c, first, end)) for first, end in ranges for i, c in places]


def united(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same samples in ranges (first, end) that are in order and do not touch; empty ones are gone."""
    apart: list[tuple[int, int]] = []
    for first, end in sorted(r for r in ranges if r[1] > r[0]):
        if apart and first <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((first, end))
    return apart


class Listening(QObject):
    """Play, seek, loop and compare. `ticked` comes with each status; `ready` when other signals are in the player."""

    ticked = Signal(object)
    ready = Signal()
    comparing_changed = Signal(bool)
    loop_changed = Signal()
    said = Signal(str)  # what is not as it should be
    unsaid = Signal(str)  # that it is no longer so
    told = Signal(str)  # what has become well again

    def __init__(
        self,
        document: Document,
        player: Player,
        worker: Worker,
        *,
        stretch_worker: Worker | None = None,
        stretch: Stretch = Excerpt.made_of,
    ) -> None:
        super().__init__()
        self.speed = Speed(player, stretch_worker or worker, stretch)
        self.matching = Matching(worker)
        self.clicks = Clicks(document, player)
        self._scrubbed_s = -1.0
        self._document, self._player, self._worker = document, player, worker
        self._wanted: _Wanted | None = None
        self._held: _Wanted | None = None  # the worker's: what the player holds, if that is known
        self._loaded: tuple[int, ...] = ()
        self._swapping = False  # the player may hold other signals than `_loaded` says, until it is told here
        self._brought: Sounds | None = None  # what the player holds, as far as it is known here
        self._said = self._told = ""
        self._comparing = False
        self.loop: tuple[float, float] | None = None
        self.loop_on = False
        self.status = PlayerStatus()
        self._timer = QTimer(self, interval=IDLE_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.speed.said.connect(self.said)
        self.matching.changed.connect(self._match)
        document.subscribe(self._follow)

    @property
    def channels(self) -> tuple[int, ...]:
        """Ids of the strips that the player holds, in its order."""
        return self._loaded

    @property
    def comparing(self) -> bool:
        """Whether the original is heard in place of the mix (A/B)."""
        return self._comparing

    def toggle_play(self) -> None:
        if self._document.state.audio is None:
            return
        if self.status.playing:
            self._player.pause()
        else:
            if self.status.position_s >= self._document.state.duration_s - 0.01:
                self._player.seek(self.loop[0] if self.loop and self.loop_on else 0.0)
                self._tick()
            if self.clicks.bars:
                clicks, gain = self.clicks.lead_in(self.status.position_s, self.speed.wanted)
                self._player.count_in(clicks, gain=gain)
            else:
                self._player.play()
        self._tick()

    def play_range(self, start_s: float, end_s: float) -> None:
        """Play a stretch once, whatever the loop is, and be back at its beginning."""
        if self._document.state.audio is not None:
            self._player.play_range(start_s, end_s)
            self._tick()

    def stop(self) -> None:
        """End play, and go back to where it began."""
        self._player.stop()
        self._tick()

    def scrub(self, position_s: float) -> None:
        """Go to a time and let it be heard: playing on from there, or at rest for as long as a grain."""
        self.seek(position_s)
        if self.status.playing or time.monotonic() - self._scrubbed_s < SCRUB_EVERY_S:
            return
        sounds = self._brought
        if sounds is not None:
            self._scrubbed_s = time.monotonic()
            rate = sounds.audio.rate
            first = round(self.status.position_s * rate)
            grains = [sounds.read(channel)(first, first + round(GRAIN_S * rate)) for channel in sounds.channels]
            self._player.audition(mix_offline(grains, self._strips(sounds.channels)), rate)
            self._tick()

    def seek(self, position_s: float) -> None:
        self._player.seek(min(max(0.0, position_s), self._document.state.duration_s))
        self._tick()

    def set_loop(self, loop: tuple[float, float] | None, *, on: bool = True) -> None:
        if loop is not None:  # one that is shorter cannot be heard
            loop = (loop[0], max(loop[1], loop[0] + SHORTEST_LOOP_S))
        self.loop, self.loop_on = loop, on and loop is not None
        if self.loop is not None and self.loop_on:
            self._player.set_loop(*self.loop)
        else:
            self._player.set_loop(None)
        self.loop_changed.emit()

    def toggle_loop(self) -> None:
        loop = self.loop or (0.0, self._document.state.duration_s)
        if loop[1] > loop[0]:
            self.set_loop(loop, on=not self.loop_on)

    def compare(self, on: bool) -> None:
        """Hear the original in place of the mix, or the mix again."""
        if on != self._comparing:
            self._comparing = on
            self._send_strips()
            self.comparing_changed.emit(on)

    def use_device(self, device: str, latency_s: float | None, first_channel: int) -> None:
        """Play on another device ("" for the system's), or on the same opened anew."""
        self._player.use_device(device or None, latency_s=latency_s, first_channel=first_channel)

    def close(self) -> None:
        self.speed.close()
        self.matching.close()
        self._timer.stop()
        self._player.close()

    def _strips(self, channels: tuple[int, ...]) -> list[Strip]:
        state = self._document.state
        strips = [state.heard_strip(channel) for channel in channels]
        if channels == (ORIGINAL,):
            return [replace(strips[0], muted=False)]  # before a decomposition there is nothing else to hear
        if self._comparing:
            heard = Strip(gain_db=self.matching.gain_db(channels, strips))
            return [
                heard if channel == ORIGINAL else replace(strip, muted=True, soloed=False)
                for channel, strip in zip(channels, strips, strict=True)
            ]
        return strips

    def _match(self) -> None:
        """What is compared is as loud as it should be from now on: the louder of two always sounds better."""
        if self._comparing:
            self._send_strips()

    def _names(self, channels: tuple[int, ...]) -> list[str]:
        state, others = self._document.state, {RESIDUAL: "Residual", ORIGINAL: "Original"}
        layers = {layer.id: layer.name for layer in state.layers}
        return [layers.get(channel) or others.get(channel, f"Layer {channel}") for channel in channels]

    def _send_strips(self) -> None:
        if self._loaded and not self._swapping:
            self._player.set_strips(self._strips(self._loaded))

    def _follow(self, aspects: frozenset[str]) -> None:
        if "recording" in aspects:
            self._brought = None
            self._said = ""  # what is still so is said of this one too
            self.speed.set(1.0)
            self._player.pause()
            self._player.seek(0.0)
            self.set_loop(None)
            self.compare(False)
        if aspects & {"recording", "separation"}:
            self._load()
        elif aspects & {"strips", "layers"}:
            self._send_strips()

    def _load(self) -> None:
        """Bring the document's signals into the player, in the worker's thread because they are copied."""
        state, separation = self._document.state, self._document.separation
        if state.audio is None:
            return
        strips = () if separation is None else (*separation.layers, RESIDUAL)
        wanted = _Wanted((*strips, ORIGINAL), state.audio, separation, self._wanted)
        self._wanted = wanted

        brought: list[list[tuple[int, int]] | None] = []

        def steps() -> Steps[bool]:
            yield Progress(0, 1, "Preparing to play")
            if wanted is not self._wanted:  # a newer one makes this one needless
                return False
            ranges = wanted.ranges_since(self._held)
            brought.append(ranges)
            self._held = None  # unknown, should this fail
            if ranges is None:
                self._swapping = True
                self._player.load(
                    wanted.signals(), wanted.audio.rate, self._strips(wanted.channels), names=self._names(wanted.channels)
                )
            else:
                self._player.patch(wanted.pieces(ranges))
            self._held = wanted
            wanted.before = None  # what has led to it would be kept for ever
            return True

        def loaded(heard: bool) -> None:
            if heard:
                self._brought = Sounds(wanted.channels, wanted.audio, wanted.separation)
                self.speed.take(self._brought, brought[0])
                self.matching.take(self._brought, brought[0])
                self._loaded = wanted.channels
                if self._held is wanted:  # else the next ones are in the player already
                    self._swapping = False
                    self._send_strips()
                self.ready.emit()

        def failed(text: str) -> None:
            self._swapping = False
            self.said.emit(text)

        job = Job("Preparing to play", steps)
        job.done.connect(loaded)
        job.failed.connect(failed)
        self._worker.submit(job)

    def _tick(self) -> None:
        self.status = self._player.status()
        interval = PLAYING_MS if self.status.playing else IDLE_MS
        if self._timer.interval() != interval:
            self._timer.setInterval(interval)
        message, news = self.status.message, self.status.news
        if message != self._said:
            former, self._said = self._said, message
            if former:
                self.unsaid.emit(former)
            if message:
                self.said.emit(message)
        if news != self._told:
            self._told = news
            if news:
                self.told.emit(news)
        self.speed.follow(self.status, self.loop if self.loop_on else None)
        self.ticked.emit(self.status)
