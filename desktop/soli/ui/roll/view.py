"""Which stretch of time and pitch the roll shows. Shared by canvas, ruler, keyboard and minimap."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH

Axis = Literal["log", "linear"]
Places: TypeAlias = NDArray[np.float64]

SHORTEST_S = 0.25
LEAST_SEMITONES, MOST_SEMITONES = 8.0, float(HIGHEST_PITCH - LOWEST_PITCH + 1)
TOP = HIGHEST_PITCH + 0.5
BOTTOM = LOWEST_PITCH - 0.5
LEAST_HZ = 120.0
SEMITONE = float(2.0 ** (1 / 24) - 2.0 ** (-1 / 24))  # how high it is, as a part of the frequency in its middle
LOWEST_HZ = 440.0 * 2.0 ** (-69.5 / 12)  # where the lowest MIDI pitch begins: pitches have no name below it
MARGIN_S = 0.5


def hertz_of(pitch: float) -> float:
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def pitch_of(hertz: float) -> float:
    """The pitch of a frequency, with its fraction; at least that of LOWEST_HZ."""
    return float(69.0 + 12.0 * np.log2(max(hertz, LOWEST_HZ) / 440.0))


HIGHEST_HZ = hertz_of(TOP)


class View(QObject):
    """Time runs from `start_s` over `span_s` seconds to the right, pitch from `top` downwards to `bottom`.

    A pitch p fills the stretch from p - 0.5 to p + 0.5. Coordinates are in device-independent pixels of the canvas. On the
    `log` axis all pitches are as high; on the `linear` one all hertz are, and `px_per_semitone` is that of the window's middle.
    """

    changed = Signal()
    axis_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.axis: Axis = "log"
        self.width = 800
        self.height = 500
        self.duration_s = 0.0
        self._reach_s = 0.0
        self.start_s = 0.0
        self.span_s = 15.0
        # What the axis is linear in, pitch or hertz, at the upper edge and how much of it is shown.
        self._high = 90.5
        self._extent = 54.0

    @property
    def end_s(self) -> float:
        return self.start_s + self.span_s

    @property
    def top(self) -> float:
        """The pitch at the upper edge."""
        return self._pitch(self._high)

    @property
    def bottom(self) -> float:
        return self._pitch(self._high - self._extent)

    @property
    def semitones(self) -> float:
        return self.top - self.bottom

    @property
    def extent(self) -> tuple[float, float]:
        """The lower and the upper edge in what the axis is linear in: pitch, or hertz."""
        return self._high - self._extent, self._high

    @property
    def scale(self) -> tuple[object, ...]:
        """What scrolling leaves as it is: the axis, how much of time and pitch is shown, and in how many pixels."""
        return self.axis, self.span_s, self._extent, self.width, self.height

    @property
    def corner(self) -> tuple[float, float]:
        """The left edge in seconds, and the upper one in what the axis is linear in."""
        return self.start_s, self._high

    @property
    def corner_px(self) -> tuple[float, float]:
        """How many pixels of the whole piece lie to the left of the window, and how many above it: counted from somewhere."""
        return self.start_s * self.px_per_s, -self._high * (self.height / self._extent)

    def way_from(self, start_s: float, high: float) -> tuple[float, float]:
        """How many pixels to the right of such a corner, and below it, that of the view lies."""
        return (self.start_s - start_s) * self.px_per_s, (high - self._high) * (self.height / self._extent)

    def beyond(self, start_s: float, high: float, x: float, y: float) -> tuple[float, float]:
        """The corner that lies so many pixels to the right of another, and below it."""
        return start_s + x / self.px_per_s, high - y * (self._extent / self.height)

    def part(self, x: float, y: float, width: int, height: int) -> "View":
        """A view of another part at the same scale: this many pixels, seen from the upper left corner; it may lie outside."""
        part = View()
        part.axis, part.width, part.height = self.axis, width, height
        part.duration_s, part._reach_s = self.duration_s, self._reach_s
        part.start_s, part.span_s = self.time_at(x), width / self.px_per_s
        per_px = self._extent / self.height
        part._high, part._extent = self._high - y * per_px, height * per_px
        return part

    @property
    def px_per_s(self) -> float:
        return self.width / self.span_s

    @property
    def px_per_semitone(self) -> float:
        if self.axis == "log":
            return self.height / self._extent
        middle = max(self._high - self._extent / 2, LOWEST_HZ)
        return middle * SEMITONE * self.height / self._extent

    def x_of(self, time_s: float) -> float:
        return (time_s - self.start_s) * self.px_per_s

    def time_at(self, x: float) -> float:
        return self.start_s + x / self.px_per_s

    def y_of(self, pitch: float) -> float:
        """Where the top edge of a pitch lies."""
        return self.edge_of(pitch + 0.5)

    def edge_of(self, pitch: float) -> float:
        """Where a pitch with its fraction lies, counted from the upper edge in pixels."""
        place = pitch if self.axis == "log" else hertz_of(pitch)
        return (self._high - place) * (self.height / self._extent)

    def edges_of(self, pitches: Places) -> Places:
        """`edge_of` each of many pitches."""
        places = pitches if self.axis == "log" else 440.0 * 2.0 ** ((pitches - 69.0) / 12.0)
        edges: Places = (self._high - places) * (self.height / self._extent)
        return edges

    def height_of(self, pitch: float) -> float:
        """How high the stretch of a pitch is."""
        return self.edge_of(pitch - 0.5) - self.edge_of(pitch + 0.5)

    def pitch_at(self, y: float) -> int:
        return round(self.fine_pitch_at(y))

    def fine_pitch_at(self, y: float) -> float:
        """The pitch at a height with its fraction."""
        return self._pitch(self._high - y * self._extent / self.height)

    def hertz_at(self, y: float) -> float:
        place = self._high - y * self._extent / self.height
        return place if self.axis == "linear" else hertz_of(place)

    def use_axis(self, axis: Axis) -> None:
        """Put pitches or hertz at equal distances; all that was shown stays in sight."""
        if axis != self.axis:
            lowest, highest = self.bottom, self.top
            self.axis = axis
            self._show_pitches(lowest, highest)
            self._settle()
            self.axis_changed.emit()

    def resize(self, width: int, height: int) -> None:
        """Keep the scale in time and pitch; show more or less of the piece."""
        scale, self.width = self.px_per_s, max(1, width)
        self.height = max(1, height)
        self.span_s = self.width / scale
        self._settle()

    def set_duration(self, duration_s: float, *, last_note_s: float = 0.0) -> None:
        """How long the piece is, and where the last note ends: it can be scrolled to where it lies beyond the piece."""
        reach_s = max(duration_s, last_note_s)
        if (duration_s, reach_s) != (self.duration_s, self._reach_s):
            self.duration_s, self._reach_s = duration_s, reach_s
            self._settle()

    def scroll(self, *, seconds: float = 0.0, semitones: float = 0.0) -> None:
        self.start_s += seconds
        self._high += semitones * self.px_per_semitone * self._extent / self.height
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
        fixed = self._high - at_y * self._extent / self.height
        self._extent = self._allowed(self._extent / factor)
        self._high = fixed + at_y * self._extent / self.height
        self._settle()

    def show(self, start_s: float, end_s: float, lowest: float | None = None, highest: float | None = None) -> None:
        """Fit a stretch of time, and of pitch where it is given, into the window with a little air."""
        air = 0.03 * max(end_s - start_s, SHORTEST_S)
        self.span_s = min(max(end_s - start_s + 2 * air, SHORTEST_S), max(self._longest_s(), SHORTEST_S))
        self.start_s = start_s - air
        if lowest is not None and highest is not None:
            self._show_pitches(lowest - 2.5, highest + 2.5)
        self._settle()

    def go_to(self, start_s: float, end_s: float, lowest: float, highest: float) -> None:
        """Show exactly this, as far as the piece and the pitches reach."""
        self.span_s = max(end_s - start_s, SHORTEST_S)
        self.start_s = start_s
        self._show_pitches(lowest, highest)
        self._settle()

    def bring_into_view(self, time_s: float) -> None:
        """Turn the page when `time_s` has left the window."""
        if not self.start_s <= time_s <= self.end_s - 0.02 * self.span_s:
            self.start_s = time_s - 0.08 * self.span_s
            self._settle()

    def bring_pitch_into_view(self, pitch: float) -> None:
        """Put a pitch that is out of sight into the middle."""
        if not 0 <= self.edge_of(pitch) <= self.height:
            self._high = (pitch if self.axis == "log" else hertz_of(pitch)) + self._extent / 2
            self._settle()

    def _pitch(self, place: float) -> float:
        return place if self.axis == "log" else pitch_of(place)

    def _show_pitches(self, lowest: float, highest: float) -> None:
        """Show at least these pitches, around their middle."""
        low, high = (lowest, highest) if self.axis == "log" else (hertz_of(lowest), hertz_of(highest))
        self._extent = self._allowed(high - low)
        self._high = (high + low + self._extent) / 2

    def _allowed(self, extent: float) -> float:
        least, most = (LEAST_SEMITONES, MOST_SEMITONES) if self.axis == "log" else (LEAST_HZ, HIGHEST_HZ)
        return min(max(extent, least), most)

    def _longest_s(self) -> float:
        return self._reach_s + 2 * MARGIN_S if self._reach_s > 0 else 30.0

    def _settle(self) -> None:
        self._extent = self._allowed(self._extent)
        bottom, top = (BOTTOM, TOP) if self.axis == "log" else (0.0, HIGHEST_HZ)
        self._high = min(max(self._high, bottom + self._extent), top)
        longest = self._longest_s()
        self.span_s = min(self.span_s, max(longest, SHORTEST_S))
        self.start_s = min(max(self.start_s, -MARGIN_S), max(longest - MARGIN_S - self.span_s, -MARGIN_S))
        self.changed.emit()
