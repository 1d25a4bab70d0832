"""The face of playback: what the window and the composition root import."""

from soli.playback.controls import Player, PlayerStatus
from soli.playback.fake import FakePlayer
from soli.playback.mixer import Strip

__all__ = ["FakePlayer", "Player", "PlayerStatus", "Strip", "open_player"]


def open_player(device: str | int | None = None) -> Player:
    """A player on `device` (a name or number of PortAudio; the default one if None). Returns at once, never raises.

    Where there is no sound device the music runs silently and the status says so.
    """
    return FakePlayer(message="No sound device is in use yet.")
