"""What the sound process says, as its face in the main process takes it: no process is started here."""

from types import SimpleNamespace

import numpy as np
import pytest

from soli.playback.mixer import Strip
from soli.playback.remote import ProcessPlayer


class Pipe:
    """Says some messages, then ends."""

    def __init__(self, *messages: tuple[object, ...]) -> None:
        self._messages = iter(messages)

    def recv(self) -> tuple[object, ...]:
        try:
            return next(self._messages)
        except StopIteration:
            raise EOFError from None


@pytest.fixture
def player(monkeypatch):
    monkeypatch.setattr(ProcessPlayer, "_keep", lambda _player: None)
    player = ProcessPlayer()
    player.load([np.zeros((8000, 1), np.float32)], 8000, [Strip()])
    yield player
    player.close()


def hears(player: ProcessPlayer, *messages: tuple[object, ...]) -> str:
    """What the player says after `messages` of the process."""
    player._listen(SimpleNamespace(join=lambda **_: None), Pipe(*messages))
    return player.status().message


def test_only_a_device_that_was_missing_is_news_when_it_is_there(player):
    assert hears(player, ("ready", "", "Scarlett")) == ""
    assert player.status().news == ""
    hears(player, ("there",), ("ready", "It cannot be opened.", ""))
    assert player.status().news == ""
    hears(player, ("ready", "", "Scarlett"))
    assert player.status().news == ""
    hears(player, ("there",), ("ready", "", "Scarlett"))
    assert player.status().news == "The sound device Scarlett is there; the music plays on it."


def test_a_device_that_was_fed_too_late_is_told_while_something_is_to_be_heard(player):
    player.play()
    assert "150 ms ahead" in hears(player, ("deeper", 0.15))
    assert hears(player, ("settled", 0.07)) == ""


def test_a_device_that_was_fed_too_late_in_silence_is_nobodys_trouble(player):
    assert hears(player, ("deeper", 0.15)) == ""
