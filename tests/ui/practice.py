"""What the tests of practising share: keys, a watched player, and a window's worth of listening without a window."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import small_piece

from soli.playback.player import FakePlayer
from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.ui.listening import Listening


def press(window, key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.roll.canvas, key, keys)


def told(player, name: str) -> list[tuple]:
    """What a player is told from now on by one of its calls; it does it all the same."""
    calls: list[tuple] = []
    act = getattr(player, name)

    def watched(*given, **named):
        calls.append(given)
        return act(*given, **named)

    setattr(player, name, watched)
    return calls


class DirectWorker:
    """Runs each job at once, in this thread."""

    def submit(self, job):
        job.run()
        return job


@contextmanager
def listening_by_hand() -> Iterator[tuple[Document, FakePlayer, Listening]]:
    """A document with the small piece, a player that is stepped by hand, and what keeps them in step."""
    document, player = Document(), FakePlayer(live=False)
    listening = Listening(document, player, DirectWorker())
    document.restore(Loaded(small_piece()))
    player.step(64)
    yield document, player, listening
    listening.close()


def settle(player, listening) -> None:
    for _ in range(6):
        player.step(256)
        listening._tick()
