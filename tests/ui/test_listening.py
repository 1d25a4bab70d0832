"""What the player holds follows the document: all of it after a run, the stretches that changed after an edit."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui.conftest import small_piece

from soli.errors import DeviceError
from soli.playback.mixer import Strip
from soli.playback.player import FakePlayer
from soli.project import commands
from soli.project.document import Document
from soli.project.pipeline import Loaded, Separation
from soli.project.signals import Signals
from soli.project.state import ORIGINAL, RESIDUAL
from soli.signal.patchwork import Patchwork
from soli.ui.listening import Listening, united


class WatchedPlayer(FakePlayer):
    """Remembers what was brought to it: ("load", signals) or ("patch", pieces)."""

    def __init__(self) -> None:
        super().__init__(live=False)
        self.brought: list[tuple[str, list]] = []
        self.full = False

    def load(self, signals, rate, strips, *, names=()) -> None:
        if self.full:
            raise DeviceError("There is no room for 1 MB of sound; free some memory or disk space")
        self.brought.append(("load", list(signals)))
        super().load(signals, rate, strips, names=names)

    def patch(self, pieces) -> None:
        self.brought.append(("patch", list(pieces)))
        super().patch(pieces)

    def held(self) -> list[np.ndarray]:
        return [signal.joined() for signal in self._signals]


class WaitingWorker:
    """Runs its jobs when it is told to, in this thread."""

    def __init__(self) -> None:
        self.jobs = []

    def submit(self, job):
        self.jobs.append(job)
        return job

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0).run()


class Room:
    """A document with the small piece in it, and whoever listens."""

    def __init__(self) -> None:
        self.document, self.player, self.worker = Document(), WatchedPlayer(), WaitingWorker()
        self.listening = Listening(self.document, self.player, self.worker)
        self.document.restore(Loaded(small_piece()))
        self.readies = 0
        self.said: list[str] = []
        self.listening.ready.connect(self.count)
        self.listening.said.connect(self.said.append)
        self._rng = np.random.default_rng(0)

    def count(self) -> None:
        self.readies += 1

    def noise(self, length: int) -> np.ndarray:
        return (0.1 * self._rng.standard_normal((length, self.audio.channels))).astype(np.float32)

    @property
    def audio(self):
        return self.document.state.audio

    def run(self, layers: tuple[int, ...] = (0, 1)) -> None:
        """Publish what a whole run would make."""
        signals = Signals({i: self.noise(self.audio.length) for i in (*layers, RESIDUAL)})
        self.document.publish(Separation(self.document.state, None, signals, -200.0, {}))

    def refit(self, *ranges: tuple[int, int]) -> None:
        """Publish what a refit would make that changed `ranges`."""
        former = self.document.separation
        new = {i: tuple((first, self.noise(end - first)) for first, end in ranges) for i in former.signals}
        self.document.publish(replace(former, signals=former.signals.replaced(new), patched=ranges))

    def wanted(self) -> list[np.ndarray]:
        return [*(self.document.separation.signals[i] for i in (0, 1, RESIDUAL)), self.audio.samples]

    def same(self) -> bool:
        return all(np.array_equal(*pair) for pair in zip(self.player.held(), self.wanted(), strict=True))


@pytest.fixture
def room(qapp):
    room = Room()
    room.run()
    room.worker.run()
    room.player.brought.clear()
    room.readies = 0
    yield room
    room.listening.close()


def test_after_a_refit_only_what_changed_is_brought(room, monkeypatch):
    room.refit((1000, 3000), (5000, 5500))
    monkeypatch.setattr(Patchwork, "joined", lambda _: pytest.fail("a layer was copied whole"))
    room.worker.run()
    [(how, pieces)] = room.player.brought
    assert how == "patch"
    assert sorted((index, first, len(piece)) for index, first, piece in pieces) == sorted(
        (index, *place) for index in (0, 1, 2) for place in ((1000, 2000), (5000, 500))
    )
    monkeypatch.undo()
    assert room.same()
    assert room.readies == 1
    assert room.listening.channels == (0, 1, RESIDUAL, ORIGINAL)


def test_refits_that_the_player_never_had_are_made_up_for(room):
    room.refit((1000, 3000))
    room.refit((20_000, 21_000))
    room.refit((2000, 4000))
    room.worker.run()
    [(how, pieces)] = room.player.brought
    assert how == "patch"
    assert {(first, len(piece)) for _, first, piece in pieces} == {(1000, 3000), (20_000, 1000)}
    assert room.same()
    assert room.readies == 1
    room.refit((7000, 7100))
    room.worker.run()
    assert room.same()


def test_a_refit_of_a_run_that_the_player_never_had_is_brought_whole(room):
    room.run()
    room.refit((1000, 3000))
    room.worker.run()
    assert [how for how, _ in room.player.brought] == ["load"]
    assert room.same()


def test_other_strips_are_brought_whole(room):
    former = room.document.separation
    signals = Signals({i: former.signals[i] for i in (0, RESIDUAL)})
    room.document.publish(replace(former, signals=signals, patched=((0, 10),)))
    room.worker.run()
    assert [how for how, _ in room.player.brought] == ["load"]
    assert room.listening.channels == (0, RESIDUAL, ORIGINAL)


def test_another_recording_is_brought_whole(room):
    room.document.restore(Loaded(small_piece()))
    room.worker.run()
    assert [how for how, _ in room.player.brought] == ["load"]
    assert room.listening.channels == (ORIGINAL,)


def test_a_refit_that_changes_nothing_is_ready_at_once(room):
    room.refit((0, 0))
    room.worker.run()
    assert room.player.brought == [("patch", [])]
    assert room.readies == 1


def test_after_a_load_that_failed_the_next_refit_is_brought_whole_and_the_faders_still_work(room):
    room.player.full = True
    room.run()
    room.worker.run()
    assert room.said == ["There is no room for 1 MB of sound; free some memory or disk space"]
    room.document.do(commands.set_strip(room.document.state, 0, Strip(-20.0)))
    assert room.player._strips[0].gain_db == -20.0
    room.player.full = False
    room.refit((1000, 3000))
    room.worker.run()
    assert [how for how, _ in room.player.brought] == ["load"]
    assert room.same()


def test_what_led_to_what_is_held_is_let_go(room):
    for _ in range(3):
        room.refit((1000, 3000))
        room.worker.run()
    assert room.listening._held.before is None


def original_db(room) -> float:
    return room.player._strips[room.listening.channels.index(ORIGINAL)].gain_db


def test_comparing_weighs_nothing_by_itself_and_follows_faders_and_edits(room, monkeypatch):
    monkeypatch.setattr(room.worker, "submit", lambda _: pytest.fail("comparing has something computed"))
    room.listening.compare(True)
    at_first_db = original_db(room)
    state = room.document.state
    room.document.do(commands.set_strips(state, {i: Strip(-12.0) for i in (0, 1, RESIDUAL)}, "quieter"))
    assert original_db(room) == pytest.approx(at_first_db - 12.0, abs=0.01)
    room.listening.compare(False)
    room.listening.compare(True)
    assert original_db(room) == pytest.approx(at_first_db - 12.0, abs=0.01)
    monkeypatch.undo()
    former = room.document.separation
    louder = {i: ((0, 3 * signal),) for i, signal in former.signals.items()}
    signals = former.signals.replaced(louder)
    room.document.publish(replace(former, signals=signals, patched=((0, room.audio.length),)))
    room.worker.run()
    assert original_db(room) == pytest.approx(at_first_db - 12.0 + 20 * np.log10(3), abs=0.01)


def test_after_an_edit_the_player_holds_what_the_document_does(separated, qtbot):
    player, patches = separated.player, []
    patch = player.patch
    player.patch = lambda pieces: (patches.append(pieces), patch(pieces))
    with qtbot.waitSignal(separated.listening.ready, timeout=30_000):
        separated.document.do(commands.stretch_notes(separated.document.state, [3], offset_s=0.2))
    assert patches
    separation, audio = separated.document.separation, separated.document.state.audio
    held = [signal.joined() for signal in player._signals]
    for signal, wanted in zip(held, [*separation.layers.values(), separation.residual, audio.samples], strict=True):
        np.testing.assert_array_equal(signal, wanted)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_united_ranges_hold_the_same_samples_in_order_and_apart(ranges):
    result = united(ranges)
    assert {n for a, b in result for n in range(a, b)} == {n for a, b in ranges for n in range(a, b)}
    assert all(a < b for a, b in result)
    assert all(former[1] < later[0] for former, later in pairwise(result))
