"""The metronome and the count-in: clicks on the beats of the performance, as far as the score tells them."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from soli.playback.metronome import CountIn, count_in
from soli.playback.player import Player
from soli.project.document import Document
from soli.settings import Settings
from soli.ui.beats import Beats

LEVELS_DB = {"soft": -14.0, "medium": -6.0, "loud": 3.0}
COUNT_INS = ("No count-in", "One bar", "Two bars")  # by the number of bars
MOST_BARS = len(COUNT_INS) - 1
BEATS_A_BAR, BEAT_S = 4, 0.5  # where there is no score


class Clicks(QObject):
    """Tells the player where the beats are and how loud they click. `changed` comes when something is set otherwise."""

    changed = Signal()

    def __init__(self, document: Document, player: Player) -> None:
        super().__init__()
        self._document, self._player = document, player
        self._settings = Settings()
        self._beats = Beats()
        self.on = False
        document.subscribe(self._follow)

    def use(self, settings: Settings) -> None:
        """Keep the level and the bars of the count-in there."""
        self._settings = settings
        self._tell()

    @property
    def level(self) -> str:
        """A key of LEVELS_DB."""
        return self._settings.click_level if self._settings.click_level in LEVELS_DB else "medium"

    @property
    def bars(self) -> int:
        """How many bars are counted in; 0 for none."""
        return min(MOST_BARS, max(0, self._settings.count_in))

    def toggle(self) -> None:
        self.on = not self.on
        self._tell()

    def set_level(self, level: str) -> None:
        self._settings.click_level = level
        self._tell()

    def set_bars(self, bars: int) -> None:
        self._settings.count_in = bars
        self._tell()

    def lead_in(self, position_s: float, speed: float) -> tuple[CountIn, float]:
        """The clicks before music that begins at a time of the recording, and their linear gain."""
        beats_a_bar, beat_s, phase = metre(self._beats, position_s)
        clicks = count_in(self.bars, beats_a_bar=beats_a_bar, beat_s=beat_s / speed, phase=phase)
        return clicks, self._gain()

    def _gain(self) -> float:
        return float(10.0 ** (LEVELS_DB[self.level] / 20.0))

    def _tell(self) -> None:
        self._player.set_metronome(self._gain() if self.on else 0.0)
        self.changed.emit()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"score", "alignment", "recording"}:
            self._beats = Beats(self._document.state)
            # Clicks that come before the recording, or twice, are none.
            times_s, first = np.unique(self._beats.time_s, return_index=True)
            heard = times_s >= 0.0
            self._player.set_beats(times_s[heard].tolist(), self._beats.is_bar[first][heard].tolist())


def metre(beats: Beats, time_s: float) -> tuple[int, float, float]:
    """Beats a bar, seconds a beat, and how many beats into its bar a time of the recording lies."""
    tempo = beats.tempo_bpm(max(time_s, float(beats.time_s[0]))) if len(beats) else None
    if tempo is None:
        return BEATS_A_BAR, BEAT_S, 0.0
    index = beats.at(time_s)
    here = 0 if index is None else index
    bar = beats.bar == beats.bar[here]
    # A bar that is cut short by a pickup or the end is counted as the one next to it.
    beats_a_bar = max(int(beats.beat[bar].max()), int(beats.beat[beats.bar == beats.bar[here] + 1].max(initial=0)), 1)
    beat_s = 60.0 / tempo
    since = (time_s - float(beats.time_s[here])) / beat_s
    if index is None:
        return beats_a_bar, beat_s, (float(beats.beat[0] - 1) + since) % beats_a_bar
    step_s = float(beats.time_s[here + 1] - beats.time_s[here]) if here + 1 < len(beats) else beat_s
    part = min((time_s - float(beats.time_s[here])) / step_s, 1.0) if step_s > 0 else 0.0
    return beats_a_bar, beat_s, float(beats.beat[here] - 1) + part
