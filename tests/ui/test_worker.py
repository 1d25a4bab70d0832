"""Jobs in a thread of their own: one after another, and no further than whoever gives one up allows."""

import gc
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QThread

from soli.progress import Progress
from soli.ui.patience import Patience
from soli.ui.worker import Job, Worker

PLACE = Path("/mnt/share/a.wav")


@pytest.fixture
def worker(qapp):
    built = Worker()
    built.start()
    yield built
    assert built.close()


@pytest.fixture
def door():
    """What a job waits at for ever, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def waiting(door, began=None, after=None):
    """Steps that visit a place which does not answer."""

    def steps():
        yield Progress(0, 1, "Reading", place=PLACE)
        if began is not None:
            began.set()
        door.wait()
        yield Progress(1, 1, "Read")
        if after is not None:
            after.set()

    return steps


def ends(job: Job) -> list[str]:
    """How a job ends, as it is told."""
    told: list[str] = []
    job.done.connect(lambda _: told.append("done"))
    job.failed.connect(lambda _: told.append("failed"))
    job.cancelled.connect(lambda: told.append("cancelled"))
    job.ended.connect(lambda: told.append("ended"))
    return told


def test_what_comes_after_a_job_that_was_given_up_is_done(qtbot, worker, door):
    began, after = threading.Event(), threading.Event()
    stuck, next_one = Job("Stuck", waiting(door, began, after)), Job("Next", lambda: iter(()))
    told, next_told = ends(stuck), ends(next_one)
    worker.submit(stuck)
    worker.submit(next_one)
    qtbot.waitUntil(began.is_set)
    worker.give_up(stuck)
    assert told == ["cancelled", "ended"]
    qtbot.waitUntil(lambda: not worker.busy)
    assert next_told[-1] == "ended"
    assert worker.is_running
    door.set()
    qtbot.waitUntil(lambda: not any(thread.isRunning() for thread in worker._held_up))
    assert told == ["cancelled", "ended"], "nothing more is heard of it"
    assert not after.is_set(), "nor does it go on"


def test_a_job_that_has_not_begun_is_given_up_and_the_thread_stays(qtbot, worker, door):
    first, second, third = Job("First", waiting(door)), Job("Second", waiting(door)), Job("Third", lambda: iter(()))
    told, last = ends(second), ends(third)
    thread = worker._thread
    for job in (first, second, third):
        worker.submit(job)
    worker.give_up(second)
    assert told == ["cancelled", "ended"]
    assert worker._thread is thread
    door.set()
    qtbot.waitUntil(lambda: not worker.busy)
    assert last[-1] == "ended"
    assert told == ["cancelled", "ended"]


def test_a_job_that_has_ended_cannot_be_given_up(qtbot, worker):
    job = Job("Short", lambda: iter(()))
    told = ends(job)
    thread = worker._thread
    worker.submit(job)
    time.sleep(0.2)  # it has ended, and that was not heard yet
    worker.give_up(job)
    qtbot.waitUntil(lambda: not worker.busy)
    assert told[-1] == "ended"
    assert told.count("ended") == 1
    assert worker._thread is thread


def test_a_place_that_does_not_answer_is_named_and_how_long_it_has_not(qtbot, worker, door):
    began = threading.Event()
    job = worker.submit(Job("Stuck", waiting(door, began)))
    qtbot.waitUntil(began.is_set)
    place, silent_s = job.visits
    time.sleep(0.05)
    assert place == PLACE
    assert job.visits[1] >= silent_s + 0.05
    door.set()
    qtbot.waitUntil(lambda: not worker.busy)
    assert job.visits is None


def test_reports_without_news_are_no_answer(qtbot, worker, door):
    def steps():
        while not door.wait(0.01):
            yield Progress(0, 1, "Asking", place=PLACE)

    job = worker.submit(Job("Asking", steps))
    qtbot.waitUntil(lambda: job.visits is not None and job.visits[1] > 0.3)
    door.set()
    qtbot.waitUntil(lambda: not worker.busy)


def test_a_worker_is_closed_without_waiting_for_what_does_not_answer(qtbot, qapp, door, monkeypatch):
    monkeypatch.setattr("soli.ui.worker.HELD_UP_S", 0.1)
    worker, began = Worker(), threading.Event()
    worker.start()
    worker.submit(Job("Stuck", waiting(door, began)))
    qtbot.waitUntil(began.is_set)
    assert not worker.close(60_000)
    door.set()
    qtbot.waitUntil(lambda: not worker.is_running)


@pytest.mark.parametrize("given_up", [True, False])
def test_a_thread_that_is_held_up_may_outlive_its_worker(qtbot, qapp, door, monkeypatch, given_up):
    monkeypatch.setattr("soli.ui.worker.HELD_UP_S", 0.1)
    worker, began = Worker(), threading.Event()
    worker.start()
    job = worker.submit(Job("Stuck", waiting(door, began)))
    qtbot.waitUntil(began.is_set)
    if given_up:
        worker.give_up(job)
    worker.close(60_000)
    del worker, job
    gc.collect()
    threads = [child for child in qapp.children() if isinstance(child, QThread)]
    assert [thread.isRunning() for thread in threads] == [True]
    del threads
    door.set()  # Qt would end the program where the thread was deleted before
    qtbot.waitUntil(lambda: not any(isinstance(child, QThread) for child in qapp.children()))


def test_only_what_visits_a_place_is_said_to_wait(qtbot, worker, door, monkeypatch):
    monkeypatch.setattr("soli.ui.patience.PATIENCE_S", 0.05)
    patience = Patience(worker)
    said: list[str] = []
    patience.waits.connect(said.append)

    def computing():
        yield Progress(0, 1, "Computing")
        time.sleep(0.6)
        yield Progress(1, 1, "Computed")

    worker.submit(Job("Computing", computing))
    qtbot.waitUntil(lambda: not worker.busy)
    assert said == []
    worker.submit(Job("Opening", waiting(door)))
    qtbot.waitUntil(lambda: said != [])
    assert said == [patience.sentence]
    assert str(PLACE) in said[0]
    patience.give_up()
    assert not worker.busy
    assert patience.sentence == ""
    door.set()
    QCoreApplication.processEvents()
    qtbot.waitUntil(lambda: not any(thread.isRunning() for thread in worker._held_up))
