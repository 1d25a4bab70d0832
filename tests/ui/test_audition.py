"""A note alone: what is handed to the player for it, which request counts, and what is said."""

import os
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from ui.conftest import RATE, small_piece

from soli.decompose import masking
from soli.playback.player import FakePlayer
from soli.progress import Progress, finish
from soli.project import commands
from soli.project.document import Document
from soli.project.pipeline import Loaded, separate_steps
from soli.project.state import State
from soli.ui import audition as module
from soli.ui.audition import LEAD_S, Audition
from soli.ui.worker import Job, Worker

LEAD = round(LEAD_S * RATE)


class HeardPlayer(FakePlayer):
    """Stepped by hand; remembers what it was to play, and when."""

    def __init__(self) -> None:
        super().__init__(live=False, rate=RATE)
        self.heard: list[np.ndarray] = []
        self.rates: list[int] = []

    def audition(self, signal, rate):
        super().audition(signal, rate)
        self.heard.append(signal)
        self.rates.append(rate)


@pytest.fixture(scope="module")
def separation():
    return finish(separate_steps(small_piece()))


@pytest.fixture
def player():
    return HeardPlayer()


@pytest.fixture
def document():
    document = Document()
    document.restore(Loaded(small_piece()))
    return document


@pytest.fixture
def decomposed(document, separation):
    document.restore(Loaded(separation.source))
    document.publish(separation)
    return document


@pytest.fixture
def worker():
    worker = Worker(urgent=True)
    worker.start()
    yield worker
    worker.close()


@pytest.fixture
def audition(document, player, worker, qapp):
    audition = Audition(document, player, worker)
    yield audition
    audition._timer.stop()


@pytest.fixture
def said(audition):
    sentences: list[str] = []
    audition.said.connect(sentences.append)
    return sentences


def stretch(state: State, start_s: float, end_s: float) -> np.ndarray:
    return state.audio.samples[round(start_s * RATE) : round(end_s * RATE)]


def test_a_note_is_heard_alone_from_just_before_its_onset(decomposed, audition, player, said, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000) as started:
        audition.note([2])
    assert started.args == [frozenset({2})]
    assert audition.ids == {2}
    separation, onset_s = decomposed.separation, decomposed.state.notes[2].onset_s
    first, alone = masking.note_alone(separation.source.audio, separation.factors, [2])
    start = first + len(alone) - len(player.heard[0])
    np.testing.assert_array_equal(player.heard[0], alone[start - first :])
    assert first < round(onset_s * RATE) - LEAD <= start < round(onset_s * RATE)
    assert player.rates == [RATE]
    assert said == []


@pytest.mark.parametrize(("rises", "begins"), [(0.0, -0.01), (0.1, -0.01), (-0.015, -0.025), (-0.5, -0.03)])
def test_what_is_quiet_before_a_note_is_not_waited_for(rises, begins, decomposed, audition, player, monkeypatch, qtbot):
    """It begins the player's fade before it rises, at most LEAD_S before its onset, and never after that."""
    onset = round(decomposed.state.notes[2].onset_s * RATE)
    alone = np.full((onset + RATE, 1), 1e-3, np.float32)
    alone[onset + round(rises * RATE) :] = 0.5
    monkeypatch.setattr(masking, "note_alone", lambda *_: (0, alone))
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    assert len(alone) - len(player.heard[0]) == pytest.approx(onset + begins * RATE, abs=1)


def test_what_was_expected_is_heard_without_being_found_again(decomposed, audition, player, monkeypatch, qtbot):
    found, alone = [], masking.note_alone
    monkeypatch.setattr(masking, "note_alone", lambda *given: found.append(given[2]) or alone(*given))
    audition.expect([2])
    qtbot.waitUntil(lambda: found == [[2]], timeout=20_000)
    assert not player.heard
    for times in (1, 2):
        with qtbot.waitSignal(audition.started, timeout=20_000):
            audition.note([2])
        assert len(player.heard) == times
    assert found == [[2]]
    np.testing.assert_array_equal(player.heard[0], player.heard[1])
    decomposed.do(commands.move_notes(decomposed.state, [10], semitones=1))
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    assert found == [[2], [2]]


def test_what_was_found_before_a_change_is_not_remembered_after_it(decomposed, audition, player, monkeypatch, qtbot):
    begun, go, alone = threading.Event(), threading.Event(), masking.note_alone

    def slow(*given):
        begun.set()
        assert go.wait(20)
        return alone(*given)

    monkeypatch.setattr(masking, "note_alone", slow)
    audition.expect([2])
    qtbot.waitUntil(begun.is_set, timeout=20_000)
    decomposed.do(commands.move_notes(decomposed.state, [2], semitones=1))
    go.set()
    with qtbot.waitSignal(audition.said, timeout=20_000) as remark:
        audition.note([2])
    assert remark.args == [module.CHANGED_SINCE]


def test_of_many_that_are_expected_the_last_is_found_soon(decomposed, audition, worker, monkeypatch, qtbot):
    found, go, alone = [], threading.Event(), masking.note_alone
    monkeypatch.setattr(masking, "note_alone", lambda *given: found.append(given[2]) or alone(*given))

    def busy():
        yield Progress(0, 1, "Waiting")
        assert go.wait(20)
        yield Progress(1, 1, "Waiting")

    worker.submit(Job("Waiting", busy))
    for id_ in (0, 1, 2, 10):
        audition.expect([id_])
    audition.expect([2])
    audition.expect([2, 10])
    audition.expect([10])
    go.set()
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([10])
    assert found == [[10]]


def test_what_a_component_holds_is_found_when_it_is_pointed_at(decomposed, audition, player, monkeypatch, qtbot):
    found, alone = [], masking.note_alone
    monkeypatch.setattr(masking, "note_alone", lambda *given: found.append(given[2]) or alone(*given))
    audition.expect_component(0, -1.0)
    qtbot.waitUntil(lambda: len(found) == 1, timeout=20_000)
    with qtbot.waitSignal(audition.started, timeout=20_000) as started:
        audition.component(0, -1.0)
    assert found == [list(started.args[0])]
    assert len(player.heard) == 1


def test_a_component_that_only_a_run_under_way_knows_is_silent(decomposed, audition, player):
    count = len(decomposed.separation.factors.components)
    audition.component(count, 0.5)
    audition.expect_component(count, -1.0)
    assert not player.heard
    assert audition.ids == frozenset()


def test_what_is_expected_does_not_end_what_is_heard(decomposed, audition, player, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    with qtbot.assertNotEmitted(audition.ended, wait=100):
        audition.expect([10])
    assert audition.ids == {2}
    assert len(player.heard) == 1


def test_several_notes_are_heard_together_from_the_first_onset(decomposed, audition, player, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000) as started:
        audition.note({2, 10})
    assert started.args == [frozenset({2, 10})]
    separation = decomposed.separation
    first, alone = masking.note_alone(separation.source.audio, separation.factors, [2, 10])
    start = first + len(alone) - len(player.heard[0])
    np.testing.assert_array_equal(player.heard[0], alone[start - first :])
    assert round(0.2 * RATE) - LEAD <= start < round(0.2 * RATE)


def test_it_ends_when_the_ear_has_heard_the_end(decomposed, audition, player, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    with qtbot.assertNotEmitted(audition.ended, wait=100):
        player.step(100)
    with qtbot.waitSignal(audition.ended, timeout=20_000):
        player.step(len(player.heard[0]) + 100)
    assert audition.ids == frozenset()


def test_before_a_decomposition_the_recording_is_heard_where_the_note_is_and_that_is_said(
    document, audition, player, said, qtbot
):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    note = document.state.notes[2]
    np.testing.assert_array_equal(player.heard[0], stretch(document.state, note.onset_s - LEAD_S, note.offset_s))
    assert said == [module.NOT_SEPARATED]


@pytest.mark.parametrize("change", ["drawn", "moved", "transposed"])
def test_a_note_that_the_separation_does_not_know_is_heard_in_the_recording(change, decomposed, audition, player, said, qtbot):
    state = decomposed.state
    edits = {
        "drawn": commands.draw_note(state, pitch=61, onset_s=2.0, offset_s=2.5, layer=0),
        "moved": commands.move_notes(state, [2], seconds=1.5),
        "transposed": commands.move_notes(state, [2], semitones=1),
    }
    decomposed.do(edits[change])
    id_ = state.next_note_id() if change == "drawn" else 2
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([id_])
    note = decomposed.state.notes[id_]
    np.testing.assert_array_equal(player.heard[0], stretch(state, note.onset_s - LEAD_S, note.offset_s))
    assert said == [module.CHANGED_SINCE]


def test_a_note_that_was_only_stretched_is_heard_as_it_was_found(decomposed, audition, player, said, qtbot):
    decomposed.do(commands.stretch_notes(decomposed.state, [2], offset_s=0.3))
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    separation = decomposed.separation
    _, alone = masking.note_alone(separation.source.audio, separation.factors, [2])
    np.testing.assert_array_equal(player.heard[0], alone[-len(player.heard[0]) :])
    assert said == []


def test_among_known_notes_a_new_one_is_left_out_and_that_is_said(decomposed, audition, said, qtbot):
    state = decomposed.state
    decomposed.do(commands.draw_note(state, pitch=61, onset_s=2.0, offset_s=2.5, layer=0))
    with qtbot.waitSignal(audition.started, timeout=20_000) as started:
        audition.note([2, state.next_note_id()])
    assert started.args == [frozenset({2})]
    assert said == [module.SOME_CHANGED]


def test_only_the_newest_request_counts(decomposed, audition, player, worker, qtbot):
    go = threading.Event()

    def busy():
        yield Progress(0, 1)
        go.wait(60)

    worker.submit(Job("Busy", busy))
    started: list[frozenset[int]] = []
    audition.started.connect(started.append)
    for id_ in (0, 1, 2, 3, 4):
        audition.note([id_])
    go.set()
    qtbot.waitUntil(lambda: started != [] and not worker.busy, timeout=20_000)
    assert started == [{4}]
    assert len(player.heard) == 1


def test_one_that_is_still_computing_is_not_heard_after_a_newer_one(decomposed, audition, player, monkeypatch, qtbot):
    entered, go, real = threading.Event(), threading.Event(), masking.note_alone

    def slow(audio, factors, ids):
        if list(ids) == [1]:
            entered.set()
            go.wait(60)
        return real(audio, factors, ids)

    monkeypatch.setattr(masking, "note_alone", slow)
    started: list[frozenset[int]] = []
    audition.started.connect(started.append)
    audition.note([1])
    assert entered.wait(60)
    audition.note([2])
    go.set()
    qtbot.waitUntil(lambda: started != [], timeout=20_000)
    assert started == [{2}]
    assert len(player.heard) == 1


def test_a_replaced_note_does_not_end(decomposed, audition, player, qtbot):
    ended: list[bool] = []
    audition.ended.connect(lambda: ended.append(True))
    for id_ in (2, 3):
        with qtbot.waitSignal(audition.started, timeout=20_000):
            audition.note([id_])
        player.step(100)
    qtbot.wait(80)
    assert ended == []
    assert audition.ids == {3}


def test_stopping_ends_what_sounds_and_what_is_being_found(decomposed, audition, player, worker, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    player.step(1000)
    audition.note([3])
    audition.stop()
    qtbot.waitUntil(lambda: not worker.busy, timeout=20_000)
    player.step(1000)
    assert not player.step(1000).any()
    qtbot.waitUntil(lambda: audition.ids == frozenset(), timeout=20_000)


def test_another_recording_ends_what_is_heard(decomposed, audition, player, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    player.step(1000)
    with qtbot.waitSignal(audition.ended, timeout=20_000):
        decomposed.restore(Loaded(small_piece()))
        player.step(1000)


def test_play_brings_the_music_back(decomposed, audition, player, qtbot):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    with qtbot.waitSignal(audition.ended, timeout=20_000):
        player.play()


@pytest.mark.parametrize("where", ["beyond", "no recording", "silence"])
def test_where_there_is_nothing_to_hear_that_is_said_in_one_sentence_and_what_sounded_ends(
    where, document, separation, audition, player, said, qtbot
):
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    said.clear()
    player.step(100)
    state = document.state
    if where == "beyond":
        document.do(commands.draw_note(state, pitch=60, onset_s=90.0, offset_s=91.0, layer=0))
    elif where == "no recording":
        document.restore(Loaded(replace(state, audio=None)))
    else:
        silent = replace(separation.factors, H=np.zeros_like(separation.factors.H))
        document.restore(Loaded(separation.source))
        document.publish(replace(separation, factors=silent))
    audition.note([max(document.state.notes)])
    qtbot.waitUntil(lambda: said != [], timeout=20_000)
    assert len(said) == 1
    assert said[0].count(".") == 1
    player.step(5000)
    assert not player.step(1000).any()
    qtbot.waitUntil(lambda: audition.ids == frozenset(), timeout=20_000)


def test_ids_that_are_no_notes_are_nothing(decomposed, audition, player, worker):
    audition.note([])
    audition.note([4711])
    assert not worker.busy
    assert player.heard == []


def test_the_window_is_not_kept_waiting_and_hears_of_it_in_its_own_thread(decomposed, audition, monkeypatch, qtbot):
    where: list[threading.Thread] = []
    audition.started.connect(lambda _: where.append(threading.current_thread()))
    computing: list[threading.Thread] = []
    real = module.sound_of
    monkeypatch.setattr(module, "sound_of", lambda *given: (computing.append(threading.current_thread()), real(*given))[1])
    with qtbot.waitSignal(audition.started, timeout=20_000):
        audition.note([2])
    qtbot.waitUntil(lambda: where != [], timeout=20_000)
    assert where == [threading.main_thread()]
    assert computing != where


def test_a_note_comes_while_the_other_worker_is_busy(decomposed, audition, player, qtbot):
    other, go = Worker(), threading.Event()
    other.start()

    def decomposing():
        while not go.is_set():
            time.sleep(0.001)
            yield Progress(0, 1)

    try:
        other.submit(Job("Decomposing", decomposing))
        with qtbot.waitSignal(audition.started, timeout=20_000):
            audition.note([2])
        assert other.busy
    finally:
        go.set()
        other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own to look at")
def test_an_urgent_worker_keeps_its_priority_where_another_steps_back(worker, qtbot):
    priorities: list[int] = []

    def look():
        yield Progress(0, 1)
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    other = Worker()
    other.start()
    try:
        for one in (worker, other):
            one.submit(Job("Looking", look))
            qtbot.waitUntil(lambda one=one: not one.busy, timeout=20_000)
    finally:
        other.close()
    assert priorities[0] < priorities[1]
