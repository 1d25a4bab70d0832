"""Saving takes its time in a thread of its own: the window goes on, says so, and closes only when all is written."""

import threading
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QMessageBox
from ui.conftest import running, save, small_piece

from soli.app import Application
from soli.errors import ProjectError
from soli.playback.player import FakePlayer
from soli.progress import Progress, finish
from soli.project import commands, recovery, storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.pipeline import Loaded
from soli.settings import Settings
from soli.ui.saving import Wait

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


class Gate:
    """Saving that goes no further than the test lets it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = 0
        self._save = storage.save_steps

    def __call__(self, path, state, **what):
        self.begun += 1
        yield Progress(0, 1, "Waiting")
        while not self.open.is_set():
            time.sleep(0.005)
            yield Progress(0, 1, "Waiting")
        yield from self._save(path, state, **what)


@pytest.fixture
def gate(monkeypatch):
    gate = Gate()
    monkeypatch.setattr(storage, "save_steps", gate)
    yield gate
    gate.open.set()


@pytest.fixture
def kept(qtbot, qapp, tmp_path):
    """A Soli with autosaves and the small piece."""
    with running(qtbot, qapp, autosaves=tmp_path / "state") as built:
        built.document.restore(Loaded(small_piece()))
        qtbot.waitUntil(lambda: not built.worker.busy, timeout=30_000)
        yield built


@pytest.fixture
def path(tmp_path):
    return tmp_path / "piece.soli"


def delete(app, note):
    app.document.do(commands.delete_notes(app.document.state, [note]))


def saved_notes(path):
    return set(finish(storage.open_steps(path)).state.notes)


def begin(qtbot, app, gate, path):
    """Ask for a save and wait until it is under way."""
    told: list[bool] = []
    count = gate.begun
    app.session.save(path, told.append)
    qtbot.waitUntil(lambda: gate.begun > count, timeout=10_000)
    return told


def test_the_window_goes_on_and_what_is_edited_meanwhile_is_unsaved(kept, qtbot, gate, path):
    delete(kept, 0)
    told = begin(qtbot, kept, gate, path)
    assert "saving piece.soli…" in kept.window.summary.text()
    delete(kept, 1)
    assert kept.window.windowTitle().startswith("*")
    gate.open.set()
    qtbot.waitUntil(lambda: told == [True], timeout=20_000)
    assert "saving" not in kept.window.summary.text()
    assert kept.document.path == path
    assert kept.document.edited
    assert kept.window.windowTitle().startswith("*")
    assert {0, 1} - saved_notes(path) == {0}
    kept.document.undo()
    assert not kept.document.edited
    assert not kept.window.windowTitle().startswith("*")


def test_a_second_save_comes_after_the_first_with_what_is_there_then(kept, qtbot, gate, path):
    delete(kept, 0)
    first = begin(qtbot, kept, gate, path)
    delete(kept, 1)
    second: list[bool] = []
    kept.session.save(path, second.append)
    third: list[bool] = []
    kept.session.save(path, third.append)
    gate.open.set()
    qtbot.waitUntil(lambda: (first, second, third) == ([True], [True], [True]), timeout=20_000)
    assert gate.begun == 2, "two that wait for the same place are one"
    assert not kept.document.edited
    assert not {0, 1} & saved_notes(path)


def test_what_goes_wrong_is_told_and_the_next_save_is_not_held_up(kept, qtbot, monkeypatch, path):
    real = storage.save_steps

    def fails(*_, **__):
        yield Progress(0, 1)
        raise ProjectError("the disk is full; make room")

    delete(kept, 0)
    monkeypatch.setattr(storage, "save_steps", fails)
    assert not save(qtbot, kept, path)
    assert "The disk is full" in kept.window.roll.banner.text.text()
    assert kept.document.edited
    assert kept.document.path is None
    assert not path.exists()
    monkeypatch.setattr(storage, "save_steps", real)
    assert save(qtbot, kept, path)
    assert not kept.document.edited


def test_closing_waits_until_it_is_safe(kept, qtbot, gate, path):
    delete(kept, 0)
    begin(qtbot, kept, gate, path)
    seen: list[str] = []

    def look() -> None:
        (wait,) = kept.window.findChildren(Wait)
        if not wait.isVisible():
            return
        seen.append(wait.text.text())
        timer.stop()
        gate.open.set()

    timer = QTimer(interval=20)
    timer.timeout.connect(look)
    timer.start()
    assert kept.window.close(), "all is saved, and nothing is asked"
    assert seen == ["Saving piece.soli…"]
    assert 0 not in saved_notes(path)


def test_who_does_not_wait_keeps_the_window(kept, qtbot, gate, path):
    delete(kept, 0)
    told = begin(qtbot, kept, gate, path)

    def back() -> None:
        (wait,) = kept.window.findChildren(Wait)
        if wait.isVisible():
            timer.stop()
            qtbot.mouseClick(wait.back, Qt.MouseButton.LeftButton)

    timer = QTimer(interval=20)
    timer.timeout.connect(back)
    timer.start()
    assert not kept.window.close()
    assert kept.window.isVisible()
    gate.open.set()
    qtbot.waitUntil(lambda: told == [True], timeout=20_000)


@pytest.mark.parametrize("safe", [True, False])
def test_who_saves_on_closing_closes_when_it_is_written(kept, qtbot, monkeypatch, path, safe):
    delete(kept, 0)
    assert save(qtbot, kept, path)
    delete(kept, 1)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Save)
    if not safe:
        path.unlink()
        path.mkdir()
    assert kept.window.close() is safe
    assert safe == (not kept.document.edited)


def test_the_end_of_the_program_waits_too(qtbot, qapp, tmp_path, gate, path):
    built = Application(qapp, FakePlayer(), Settings(), autosaves=tmp_path / "other")
    built.document.restore(Loaded(small_piece()))
    delete(built, 0)
    begin(qtbot, built, gate, path)
    delete(built, 1)
    told: list[bool] = []
    built.session.save(path, told.append)
    threading.Timer(0.1, gate.open.set).start()
    built.close()
    built.window.deleteLater()
    assert told == [True]
    assert not {0, 1} & saved_notes(path)


def test_another_piece_that_came_meanwhile_is_not_taken_for_the_saved_one(kept, qtbot, gate, path):
    delete(kept, 0)
    told = begin(qtbot, kept, gate, path)
    kept.document.restore(Loaded(small_piece()))
    gate.open.set()
    qtbot.waitUntil(lambda: told == [True], timeout=20_000)
    assert kept.document.path is None
    assert 0 not in saved_notes(path)
    assert not list(path.parent.glob(".soli-*.lock"))


def test_edits_reach_the_disk_while_layers_are_being_packed(separated, qtbot, tmp_path, monkeypatch):
    from soli.project import autosave

    document, real, between = separated.document, autosave.write_results_steps, threading.Event()

    def slow(db, separation, stretches=None):
        steps = real(db, separation, stretches)
        yield next(steps)
        between.wait(60)
        yield from steps

    monkeypatch.setattr(autosave, "write_results_steps", slow)
    keeper = Autosave(tmp_path / "work", delay_s=0.01)
    keeper.hold(Snapshot(document.state, document.separation))
    qtbot.waitUntil(lambda: list((tmp_path / "work").glob("*/work.soli")) != [], timeout=10_000)
    edited = replace(document.state, strips={0: replace(document.state.strip(0), gain_db=-7.0)})
    keeper.keep(Snapshot(edited, document.separation))
    between.set()
    assert keeper.held() is not None
    assert keeper._written is edited, "it was written along, and did not wait for the layers"
    keeper.release()
    keeper.close()


def test_who_leaves_amid_a_save_waits_for_it_a_little(kept, qtbot, gate, path, tmp_path):
    delete(kept, 0)
    begin(qtbot, kept, gate, path)
    QTimer.singleShot(100, gate.open.set)
    kept.keeper.leave(timeout_s=60)
    assert 0 not in saved_notes(path)
    assert recovery.leftovers(tmp_path / "state") == []


def test_who_leaves_amid_a_save_that_takes_long_finds_the_work_at_the_next_start(kept, qtbot, gate, path, tmp_path):
    delete(kept, 0)
    begin(qtbot, kept, gate, path)
    delete(kept, 1)
    kept.keeper.leave(timeout_s=0.5)
    gate.open.set()
    (leftover,) = recovery.leftovers(tmp_path / "state")
    assert not {0, 1} & set(finish(recovery.recover_steps(leftover)).state.notes)
    leftover.discard()
