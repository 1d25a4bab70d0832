"""Which stretch of time and pitch the roll shows. Shared by canvas, ruler, keyboard and minimap."""

from PySide6.QtCore import QObject, Signal

from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH

SHORTEST_S = 0.25
LEAST_SEMITONES, MOST_SEMITONES = 8.0, float(HIGHEST_PITCH - LOWEST_PITCH + 1)
TOP = HIGHEST_PITCH + 0.5
BOTTOM = LOWEST_PITCH - 0.5
MARGIN_S = 0.5


class View(QObject):
    """Time runs from `start_s` over `span_s` seconds to the right; pitch from `top` over `semitones` downwards.

    A pitch p fills the stretch from p - 0.5 to p + 0.5. Coordinates are in device-independent pixels of the canvas.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.width = 800
        self.height = 500
        self.duration_s = 0.0
        self.start_s = 0.0
        self.span_s = 15.0
        self.top = 90.5
        self.semitones = 54.0

    @property
    def end_s(self) -> float:
        return self.start_s + self.span_s

    @property
    def bottom(self) -> float:
        return self.top - self.semitones

    @property
    def px_per_s(self) -> float:
        return self.width / self.span_s

    @property
    def px_per_semitone(self) -> float:
        return self.height / self.semitones

    def x_of(self, time_s: float) -> float:
        return (time_s - self.start_s) * self.px_per_s

    def time_at(self, x: float) -> float:
        return self.start_s + x / self.px_per_s

    def y_of(self, pitch: float) -> float:
        """Where the top edge of a pitch lies (its middle is half a semitone lower)."""
        return (self.top - pitch - 0.5) * self.px_per_semitone

    def pitch_at(self, y: float) -> int:
        return round(self.top - y / self.px_per_semitone)

    def resize(self, width: int, height: int) -> None:
        """Keep the scale in time and pitch; show more or less of the piece."""
        scale, self.width = self.px_per_s, max(1, width)
        self.height = max(1, height)
        self.span_s = self.width / scale
        self._settle()

    def set_duration(self, duration_s: float) -> None:
        self.duration_s = duration_s
        self._settle()

    def scroll(self, *, seconds: float = 0.0, semitones: float = 0.0) -> None:
        self.start_s += seconds
        self.top += semitones
        self._settle()

    def zoom_time(self, factor: float, at_x: float | None = None) -> None:
        """Show 1 / factor as much time; what lies at `at_x` (the middle if None) stays where it is."""
        at_x = self.width / 2 if at_x is None else at_x
        fixed_s = self.time_at(at_x)
        self.span_s = min(max(self.span_s / factor, SHORTEST_S), max(self._longest_s(), SHORTEST_S))
        self.start_s = fixed_s - at_x / self.px_per_s
        self._settle()

    def zoom_pitch(self, factor: float, at_y: float | None = None) -> None:
        at_y = self.height / 2 if at_y is None else at_y
        fixed = self.top - at_y / self.px_per_semitone
        self.semitones = min(max(self.semitones / factor, LEAST_SEMITONES), MOST_SEMITONES)
        self.top = fixed + at_y / self.px_per_semitone
        self._settle()

    def show(self, start_s: float, end_s: float, lowest: float | None = None, highest: float | None = None) -> None:
        """Fit a stretch of time, and of pitch where it is given, into the window with a little air."""
        air = 0.03 * max(end_s - start_s, SHORTEST_S)
        self.span_s = min(max(end_s - start_s + 2 * air, SHORTEST_S), max(self._longest_s(), SHORTEST_S))
        self.start_s = start_s - air
        if lowest is not None and highest is not None:
            self.semitones = min(max(highest - lowest + 5, LEAST_SEMITONES), MOST_SEMITONES)
            self.top = (highest + lowest + self.semitones) / 2
        self._settle()

    def bring_into_view(self, time_s: float) -> None:
        """Turn the page when `time_s` has left the window."""
        if not self.start_s <= time_s <= self.end_s - 0.02 * self.span_s:
            self.start_s = time_s - 0.08 * self.span_s
            self._settle()

    def _longest_s(self) -> float:
        return self.duration_s + 2 * MARGIN_S if self.duration_s > 0 else 30.0

    def _settle(self) -> None:
        self.semitones = min(max(self.semitones, LEAST_SEMITONES), MOST_SEMITONES)
        self.top = min(max(self.top, BOTTOM + self.semitones), TOP)
        longest = self._longest_s()
        self.span_s = min(self.span_s, max(longest, SHORTEST_S))
        self.start_s = min(max(self.start_s, -MARGIN_S), max(longest - MARGIN_S - self.span_s, -MARGIN_S))
        self.changed.emit()
