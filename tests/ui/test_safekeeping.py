"""A project opens as it was left, ready to play; after a crash the window offers what was there; two programs do not mix."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from ui.conftest import running, save, settled, small_piece

from soli.progress import finish
from soli.project import commands, lock, recovery, storage
from soli.project.pipeline import Loaded

# The offscreen platform has no frames to tell the size of a message box to.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def decomposed(qtbot, app):
    app.session.decompose()
    qtbot.waitUntil(lambda: app.document.separation is not None, timeout=30_000)
    settled(qtbot, app)


def edit(app):
    app.document.do(commands.delete_notes(app.document.state, [0]))


def autosaved(qtbot, autosaves):
    """Wait until there is an autosave; where it is, as found by the next start."""
    qtbot.waitUntil(lambda: list(autosaves.glob("*/about.json")) != [], timeout=10_000)
    return autosaves


def test_a_project_opens_ready_to_play_and_as_it_was_left(kept, qtbot, tmp_path):
    decomposed(qtbot, kept)
    layers = {key: signal.copy() for key, signal in kept.document.separation.layers.items()}
    view = kept.window.roll.view
    view.go_to(1.0, 2.5, 50.0, 70.0)
    shown = (view.start_s, view.end_s, view.bottom, view.top)
    kept.listening.set_loop((1.25, 2.0), on=True)
    kept.listening.seek(1.5)
    qtbot.waitUntil(lambda: kept.listening.status.position_s == pytest.approx(1.5), timeout=20_000)
    assert save(qtbot, kept, tmp_path / "music" / "piece.soli")
    assert not kept.document.edited
    kept.window.requests.new()
    kept.window.open_paths([tmp_path / "music" / "piece.soli"])
    settled(qtbot, kept)
    found = kept.document.separation
    assert not kept.document.stale
    assert not kept.document.edited
    for key, signal in layers.items():
        np.testing.assert_array_equal(found.layers[key], signal)
    assert (view.start_s, view.end_s, view.bottom, view.top) == pytest.approx(shown, abs=1e-6)
    assert (kept.listening.loop, kept.listening.loop_on) == ((1.25, 2.0), True)
    qtbot.waitUntil(lambda: kept.listening.status.position_s == pytest.approx(1.5), timeout=20_000)
    assert kept.listening.channels != ()


def test_history_survives_a_save_and_unsaved_is_told_truthfully(kept, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    edit(kept)
    assert kept.document.edited
    save(qtbot, kept, path)
    assert not kept.document.edited
    assert "*" not in kept.window.windowTitle()
    kept.document.undo()
    assert kept.document.edited
    assert 0 in kept.document.state.notes
    kept.document.redo()
    assert not kept.document.edited
    decomposed(qtbot, kept)
    assert kept.document.edited, "the layers are not in the file yet"
    save(qtbot, kept, path)
    assert not kept.document.edited
    kept.document.do(commands.set_strip(kept.document.state, 0, replace(kept.document.state.strip(0), gain_db=-3.0)))
    assert kept.document.edited


def test_keeping_the_recording_in_the_project_is_a_choice(kept, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    save(qtbot, kept, path)
    small = path.stat().st_size
    action = kept.window.actions_["embed"]
    assert not action.isChecked()
    action.trigger()
    assert kept.document.edited
    save(qtbot, kept, path)
    assert path.stat().st_size > small + 20_000
    (tmp_path / "music" / "piece.wav").unlink()
    kept.window.open_paths([path])
    settled(qtbot, kept)
    assert kept.document.state.audio is not None
    assert action.isChecked()
    assert not kept.window.roll.banner.isVisible()


def test_after_a_crash_the_next_start_offers_what_was_there(kept, qtbot, qapp, autosaves, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    save(qtbot, kept, path)
    edit(kept)
    decomposed(qtbot, kept)
    qtbot.waitUntil(lambda: kept.keeper._autosave._packed is kept.document.separation, timeout=20_000)
    shutil.copytree(autosaved(qtbot, autosaves), tmp_path / "later")
    with running(qtbot, qapp, autosaves=tmp_path / "later") as again:
        again.recovering.offer(tmp_path / "later")
        box = again.recovering.box
        assert "piece.soli" in box.text()
        assert "today" in box.text() or "yesterday" in box.text()
        assert str(path) in box.informativeText()
        press(qtbot, box, "Open it")
        settled(qtbot, again)
        assert 0 not in again.document.state.notes
        assert again.document.separation is not None
        assert not again.document.stale
        assert again.document.edited
        assert again.document.path == path
        qtbot.waitUntil(lambda: len(recovery_folders(tmp_path / "later")) == 1, timeout=10_000)  # its own
    assert recovery_folders(tmp_path / "later") == []


def recovery_folders(autosaves):
    return [folder for folder in autosaves.iterdir() if folder.is_dir()]


def press(qtbot, box: QMessageBox, text: str) -> None:
    (button,) = [b for b in box.buttons() if b.text() == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("answer", ["Discard it", "Later"])
def test_who_does_not_want_it_keeps_what_is_open(kept, qtbot, qapp, autosaves, tmp_path, answer):
    edit(kept)
    shutil.copytree(autosaved(qtbot, autosaves), tmp_path / "later")
    with running(qtbot, qapp, autosaves=tmp_path / "later") as again:
        again.recovering.offer(tmp_path / "later")
        assert "never saved" in again.recovering.box.informativeText()
        press(qtbot, again.recovering.box, answer)
        assert again.recovering.box is None
        assert again.document.state.audio is None
    assert len(recovery.leftovers(tmp_path / "later")) == (1 if answer == "Later" else 0)


def test_a_damaged_leftover_is_put_aside_and_told(kept, qtbot, qapp, autosaves, tmp_path):
    edit(kept)
    shutil.copytree(autosaved(qtbot, autosaves), tmp_path / "later")
    for work in (tmp_path / "later").glob("*/work.soli*"):
        work.write_bytes(b"damaged" * 1000)
    with running(qtbot, qapp, autosaves=tmp_path / "later") as again:
        again.recovering.offer(tmp_path / "later")
        press(qtbot, again.recovering.box, "Open it")
        settled(qtbot, again)
        assert again.window.roll.banner.isVisible()
        assert recovery.leftovers(tmp_path / "later") == []
        assert list((tmp_path / "later").glob("set aside/*/work.soli"))


def test_the_work_of_a_newer_soli_stays_as_it_is_and_is_told(kept, qtbot, qapp, autosaves, tmp_path):
    edit(kept)
    shutil.copytree(autosaved(qtbot, autosaves), tmp_path / "later")
    (work,) = (tmp_path / "later").glob("*/work.soli")
    with closing(sqlite3.connect(work)) as db:
        db.execute(f"PRAGMA user_version = {storage.VERSION + 1}")
    before = work.read_bytes()
    with running(qtbot, qapp, autosaves=tmp_path / "later") as again:
        again.recovering.offer(tmp_path / "later")
        press(qtbot, again.recovering.box, "Open it")
        settled(qtbot, again)
        assert "newer Soli" in again.window.roll.banner.text.text()
    assert work.read_bytes() == before
    (leftover,) = recovery.leftovers(tmp_path / "later")
    leftover.leave()


def test_nothing_is_asked_when_nothing_was_left(qtbot, qapp, autosaves):
    with running(qtbot, qapp, autosaves=autosaves) as built:
        built.recovering.offer(autosaves)
        assert built.recovering.box is None


def test_a_saved_and_a_closed_project_leave_nothing_behind(qtbot, qapp, autosaves, tmp_path):
    with running(qtbot, qapp, autosaves=autosaves) as built:
        built.document.restore(Loaded(small_piece()))
        settled(qtbot, built)
        edit(built)
        autosaved(qtbot, autosaves)
        save(qtbot, built, tmp_path / "piece.soli")
        qtbot.waitUntil(lambda: recovery_folders(autosaves) == [], timeout=10_000)
        assert len(list(tmp_path.glob(".soli-*.lock"))) == 1
        edit_again = commands.delete_notes(built.document.state, [1])
        built.document.do(edit_again)
        autosaved(qtbot, autosaves)
    assert recovery_folders(autosaves) == []
    assert list(tmp_path.glob(".soli-*")) == []


def test_a_project_open_elsewhere_is_read_only_and_can_be_saved_as_another(kept, qtbot, qapp, tmp_path, monkeypatch):
    path, other = tmp_path / "music" / "piece.soli", tmp_path / "music" / "copy.soli"
    save(qtbot, kept, path)
    before = path.read_bytes()
    with running(qtbot, qapp, autosaves=tmp_path / "second") as second:
        second.window.open_paths([path])
        settled(qtbot, second)
        assert second.keeper.read_only
        assert "open in another Soli" in second.window.roll.banner.text.text()
        assert "(read-only)" in second.window.windowTitle()
        edit(second)
        assert not save(qtbot, second, path)
        assert path.read_bytes() == before
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(other), ""))
        assert second.window.questions.save()
        qtbot.waitUntil(lambda: not second.keeper.read_only, timeout=10_000)
        assert "(read-only)" not in second.window.windowTitle()
        assert not kept.keeper.read_only
        assert save(qtbot, kept, path)


def test_what_another_program_has_saved_meanwhile_is_not_written_over(kept, qtbot, qapp, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    save(qtbot, kept, path)
    with running(qtbot, qapp, autosaves=tmp_path / "second") as second:
        second.window.open_paths([path])
        settled(qtbot, second)
        edit(second)
        kept.document.do(commands.delete_notes(kept.document.state, [1, 2, 3]))
        assert save(qtbot, kept, path)
        kept.window.requests.new()  # the project is free now, and another than the second has open
        settled(qtbot, kept)
        os.utime(path, (0, 0))
        before = path.read_bytes()
        assert not save(qtbot, second, path)
        assert "another program has changed it" in second.window.roll.banner.text.text()
        assert path.read_bytes() == before
        path.unlink()
        assert save(qtbot, second, path)


def test_a_project_is_free_again_when_another_takes_its_place(kept, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    save(qtbot, kept, path)
    assert lock.take(lock.of_project(path)) is None
    kept.window.requests.new()
    settled(qtbot, kept)
    held = lock.take(lock.of_project(path))
    assert held is not None
    held.release()


@pytest.mark.parametrize("why", ["missing", "outside"])
def test_a_recording_that_is_not_there_is_asked_for(kept, qtbot, tmp_path, monkeypatch, why):
    path, away = tmp_path / "music" / "piece.soli", tmp_path / "far" / "away" / "other name.wav"
    decomposed(qtbot, kept)
    away.parent.mkdir(parents=True)
    if why == "missing":
        save(qtbot, kept, path)
        (tmp_path / "music" / "piece.wav").rename(away)
    else:
        path = tmp_path / "home" / "projects" / "deep" / "piece.soli"
        path.parent.mkdir(parents=True)
        save(qtbot, kept, path)
    kept.window.requests.new()
    kept.settings.recent, kept.settings.folder = [], ""
    kept.window.open_paths([path])
    settled(qtbot, kept)
    assert kept.document.state.audio is None
    banner = kept.window.roll.banner
    assert banner.isVisible()
    if why == "missing":
        assert banner.action.text() == "Locate…"
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(away), ""))
    else:
        assert banner.action.text() == "Open it"
    qtbot.mouseClick(banner.action, Qt.MouseButton.LeftButton)
    settled(qtbot, kept)
    assert kept.document.state.audio is not None
    assert kept.document.separation is not None, "its layers come back with it"
    assert kept.document.path == path


def test_layers_wait_in_the_file_for_a_recording_that_is_away(kept, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    decomposed(qtbot, kept)
    save(qtbot, kept, path)
    (tmp_path / "music" / "piece.wav").rename(tmp_path / "piece.wav")
    kept.window.requests.new()
    kept.settings.recent, kept.settings.folder = [], ""
    kept.window.open_paths([path])
    settled(qtbot, kept)
    kept.document.do(commands.set_strip(kept.document.state, 0, replace(kept.document.state.strip(0), gain_db=-3.0)))
    assert save(qtbot, kept, path)
    (tmp_path / "piece.wav").rename(tmp_path / "music" / "piece.wav")
    kept.window.open_paths([path])
    settled(qtbot, kept)
    assert kept.document.separation is not None
    assert kept.document.state.strip(0).gain_db == -3.0


def test_whoever_leaves_at_once_finds_edits_and_layers_at_the_next_start(kept, qtbot, autosaves, tmp_path):
    decomposed(qtbot, kept)
    edit(kept)
    qtbot.waitUntil(lambda: kept.document.separation is not None and not kept.document.stale)
    kept.keeper.leave()
    (leftover,) = recovery.leftovers(autosaves)
    found = finish(recovery.recover_steps(leftover))
    assert 0 not in found.state.notes
    for key, signal in kept.document.separation.layers.items():
        np.testing.assert_array_equal(found.separation.layers[key], signal)
    leftover.discard()


def test_whoever_leaves_with_all_saved_leaves_nothing(kept, qtbot, autosaves, tmp_path):
    edit(kept)
    assert save(qtbot, kept, tmp_path / "music" / "piece.soli")
    kept.keeper.leave()
    assert recovery.leftovers(autosaves) == []
    assert lock.take(lock.of_project(tmp_path / "music" / "piece.soli")) is not None


def test_what_is_not_saved_is_on_the_disk_before_a_session_ends(kept, qtbot, autosaves, tmp_path):
    edit(kept)
    kept.keeper.keep_now()
    shutil.copytree(autosaves, tmp_path / "later")
    (leftover,) = recovery.leftovers(tmp_path / "later")
    assert 0 not in finish(recovery.recover_steps(leftover)).state.notes
    leftover.discard()


@pytest.fixture
def second(kept, qtbot, qapp, tmp_path):
    """Another Soli with the same project open, read-only; it looks often whether it has become free."""
    assert save(qtbot, kept, tmp_path / "music" / "piece.soli")
    with running(qtbot, qapp, autosaves=tmp_path / "second") as built:
        built.keeper.holding._again.setInterval(50)
        built.window.open_paths([tmp_path / "music" / "piece.soli"])
        settled(qtbot, built)
        assert built.keeper.read_only
        yield built


def test_a_project_that_was_let_go_of_is_taken_over(kept, second, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    edit(second)
    kept.window.requests.new()
    qtbot.waitUntil(lambda: not second.keeper.read_only)
    assert "open nowhere else any more" in second.window.roll.banner.text.text()
    assert "(read-only)" not in second.window.windowTitle()
    assert second.window.windowTitle().startswith("*")
    assert save(qtbot, second, path)
    assert 0 not in finish(storage.open_steps(path)).state.notes
    assert lock.take(lock.of_project(path)) is None, "it is the second's now"
    kept.window.open_paths([path])
    settled(qtbot, kept)
    assert kept.keeper.read_only


def test_a_project_that_the_other_has_changed_is_to_be_opened_again(kept, second, qtbot, tmp_path):
    path = tmp_path / "music" / "piece.soli"
    edit(kept)
    assert save(qtbot, kept, path)
    kept.window.requests.new()
    qtbot.waitUntil(lambda: "was changed by the other program" in second.window.roll.banner.text.text())
    assert second.keeper.read_only
    assert 0 in second.document.state.notes
    second.window.open_paths([path])
    settled(qtbot, second)
    assert 0 not in second.document.state.notes
    assert not second.keeper.read_only
    assert "(read-only)" not in second.window.windowTitle()
    edit_again = commands.delete_notes(second.document.state, [1])
    second.document.do(edit_again)
    assert save(qtbot, second, path)
