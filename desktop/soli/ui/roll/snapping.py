"""Where a dragged time holds on: frames, beats of the score, onsets of the recording, or nowhere."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from soli.project.document import Document
from soli.score.notes import Times
from soli.signal.spectrogram import Grid
from soli.ui.beats import Beats

ONSET_REACH_PX = 12.0  # onsets lie anywhere: only those near the pointer hold


@dataclass(frozen=True)
class Mode:
    """One way to snap: its name in settings and menus, and into how many parts a beat is divided."""

    key: str
    name: str
    short: str
    tip: str
    parts: int = 0


MODES = (
    Mode("off", "Off", "off", "Times go wherever they are dragged"),
    Mode("frames", "Frames", "frame", "The frames of the spectrogram, the finest that the decomposition knows"),
    Mode("onsets", "Onsets in the sound", "onset", "Where something begins in the recording"),
    Mode("beats", "Beats", "beat", "The beats of the score where they sound in the recording", 1),
    Mode("halves", "Half beats", "½", "Half beats of the score where they sound in the recording", 2),
    Mode("thirds", "Thirds of a beat", "⅓", "Triplets of the score where they sound in the recording", 3),
    Mode("quarters", "Quarters of a beat", "¼", "Quarter beats of the score where they sound in the recording", 4),
)
BY_KEY = {mode.key: mode for mode in MODES}


class Snapping(QObject):
    """Snaps times to lines. The lines are laid out once; each snap is a search in them."""

    changed = Signal()
    onsets_wanted = Signal()  # the mode asks for onsets that are not known yet

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._mode = MODES[0]
        self._onsets: Times | None = None
        self._lines: Times | None = None  # of the mode; None: to be laid out
        self.line_s: float | None = None
        document.subscribe(self._follow)

    @property
    def mode(self) -> Mode:
        return self._mode

    @property
    def finding(self) -> bool:
        """Whether the mode waits for the onsets of the recording."""
        return self._mode.key == "onsets" and self._onsets is None and self._document.state.audio is not None

    def use(self, key: str) -> None:
        """Snap to something else; an unknown key is no snapping."""
        mode = BY_KEY.get(key, MODES[0])
        if mode is not self._mode:
            self._mode, self._lines, self.line_s = mode, None, None
            self._ask()
        self.changed.emit()

    def cycle(self, step: int = 1) -> None:
        self.use(MODES[(MODES.index(self._mode) + step) % len(MODES)].key)

    def set_onsets(self, onsets_s: Times) -> None:
        """Onsets of the recording, in seconds, ascending, float64 of any length."""
        self._onsets, self._lines = onsets_s, None
        self.changed.emit()

    def snap(self, time_s: float, *, reach_s: float, bypass: bool = False) -> float:
        """The line that `time_s` holds on to, or `time_s` itself. Onsets hold within `reach_s`; `line_s` is what holds."""
        self.line_s = None
        if bypass or self._mode.key == "off":
            return time_s
        if self._mode.key == "frames":
            hop_s = self._hop_s()
            self.line_s = max(0.0, round(time_s / hop_s) * hop_s) if hop_s else None
        else:
            self.line_s = nearest(self.lines, time_s, reach_s=reach_s if self._mode.key == "onsets" else None)
        return time_s if self.line_s is None else self.line_s

    def cell(self, time_s: float) -> tuple[float, float] | None:
        """The two lines around a time, for what fills a step of the grid; None where there is no grid."""
        if not self._mode.parts:
            return None
        after = int(np.searchsorted(self.lines, time_s, side="right"))
        if not 0 < after < len(self.lines):
            return None
        return float(self.lines[after - 1]), float(self.lines[after])

    def let_go(self) -> None:
        """Nothing is dragged any more."""
        self.line_s = None

    @property
    def lines(self) -> Times:
        """All places that hold, in seconds of the recording, ascending; those of frames are not listed."""
        if self._lines is None:
            if self._mode.parts:
                self._lines = subdivided(Beats(self._document.state).time_s, self._mode.parts)
            elif self._mode.key == "onsets" and self._onsets is not None:
                self._lines = self._onsets
            else:
                self._lines = np.zeros(0)
        return self._lines

    def _hop_s(self) -> float:
        audio = self._document.state.audio
        return Grid.for_recording(audio.rate, audio.length).hop_s if audio is not None else 0.0

    def _ask(self) -> None:
        if self.finding:
            self.onsets_wanted.emit()

    def _follow(self, aspects: frozenset[str]) -> None:
        if "recording" in aspects:
            self._onsets = None
        if aspects & {"recording", "score", "alignment"}:
            self._lines, self.line_s = None, None
        if "recording" in aspects:
            self._ask()


def nearest(lines: Times, time_s: float, *, reach_s: float | None = None) -> float | None:
    """The line nearest to a time, in `reach_s` if given; None where none is, also beyond the ends by more than half a step."""
    if len(lines) == 0:
        return None
    after = int(np.searchsorted(lines, time_s))
    around = lines[max(0, after - 1) : after + 1]
    line = float(around[np.argmin(np.abs(around - time_s))])
    if reach_s is None and not lines[0] <= time_s <= lines[-1]:
        ends = lines[:2] if time_s < line else lines[-2:]
        reach_s = float(ends[-1] - ends[0]) / 2
    return line if reach_s is None or abs(line - time_s) <= reach_s else None


def subdivided(beats_s: Times, parts: int) -> Times:
    """Each beat in equal parts, float64 of length (n - 1) * parts + 1 (n where n < 2)."""
    if len(beats_s) < 2 or parts < 2:
        return beats_s
    places = np.arange((len(beats_s) - 1) * parts + 1) / parts
    lines: Times = np.interp(places, np.arange(len(beats_s)), beats_s)
    return lines
