"""The face of playback: what the window and the composition root import."""

from soli.errors import DeviceError
from soli.playback.controls import LONGEST_AUDITION_S, Player, PlayerStatus
from soli.playback.fake import FakePlayer
from soli.playback.mixer import Strip
from soli.playback.remote import ProcessPlayer

__all__ = ["LONGEST_AUDITION_S", "FakePlayer", "Player", "PlayerStatus", "ProcessPlayer", "Strip", "open_player"]


def open_player(device: str | int | None = None, *, latency_s: float | None = None, first_channel: int = 0) -> Player:
    """A player on `device` (a name or number of PortAudio; the default one if None). Returns at once, never raises.

    Where there is no sound device the music runs silently and the status says so.
    """
    try:
        return ProcessPlayer(device, latency_s=latency_s, first_channel=first_channel)
    except (DeviceError, OSError) as error:
        return FakePlayer(message=f"There is no sound because its process cannot be set up ({error}); start Soli again.")
