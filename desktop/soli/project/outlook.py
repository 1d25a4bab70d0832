"""What the window shows of a piece: kept with it, but no edit of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlook:
    """The stretch of time and pitch on the roll, the playhead and the loop, in seconds and pitches (with fractions).

    A loop that ends where it begins is none.
    """

    start_s: float = 0.0
    end_s: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    playhead_s: float = 0.0
    loop_start_s: float = 0.0
    loop_end_s: float = 0.0
    loop_on: float = 0.0

    @property
    def loop(self) -> tuple[float, float] | None:
        return (self.loop_start_s, self.loop_end_s) if self.loop_end_s > self.loop_start_s else None
