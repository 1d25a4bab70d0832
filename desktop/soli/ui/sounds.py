"""The signals that the player holds, as whoever works on them besides reads them."""

from dataclasses import dataclass

from soli.playback.mixer import fold
from soli.playback.stretch import Read, reader
from soli.project.pipeline import Separation
from soli.project.state import ORIGINAL
from soli.signal.audio import Audio, FloatArray


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
