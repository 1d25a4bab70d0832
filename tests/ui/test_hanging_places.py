"""A disk or a server that does not answer: the window goes on, says what it waits for, and lets it be given up."""

import shutil
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from black_hole import hanging, watched
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QMenu
from ui.conftest import running, save, small_piece

from soli.progress import finish
from soli.project import commands, recovery, storage
from soli.project.pipeline import Loaded
from soli.project.storage import copying, recordings
from soli.signal import audio
from soli.ui import patience, questions, worker
from soli.ui.dialogs.export_dialog import ExportDialog, Piece
from soli.ui.saving import Wait

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

# A busy machine looks away for a while; a window that waits for a place that hangs does so until the test is over.
LONGEST_GAP_S = 2.0


class Pulse:
    """Beats in the thread of the window; the longest time between two beats tells how long it was away."""

    def __init__(self) -> None:
        self.longest_s, self._last_s = 0.0, time.perf_counter()
        self._timer = QTimer(interval=10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now_s = time.perf_counter()
        self.longest_s, self._last_s = max(self.longest_s, now_s - self._last_s), now_s

    def skip(self) -> None:
        """What the test has done itself since the last beat does not count."""
        self._last_s = time.perf_counter()

    def close(self) -> None:
        self._beat()
        self._timer.stop()


@pytest.fixture
def alive():
    """The window is never away for long."""
    pulse = Pulse()
    with closing(pulse):
        yield pulse
    assert pulse.longest_s < LONGEST_GAP_S


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def autosaves(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def kept(qtbot, qapp, share, autosaves, monkeypatch):
    """A Soli with autosaves and the small piece, whose recording lies on a share; it loses its patience soon."""
    for module, name, value in (
        (patience, "PATIENCE_S", 0.5),
        (patience, "HELD_UP_S", 0.4),
        (worker, "HELD_UP_S", 0.4),
        (recordings, "PATIENCE_S", 1.0),
        (recordings, "ELSEWHERE_S", 0.5),
        (recovery, "ELSEWHERE_S", 0.5),
        (copying, "SILENT_S", 0.5),
    ):
        monkeypatch.setattr(module, name, value)
    state = small_piece()
    audio.write(share / "piece.wav", state.audio)
    with running(qtbot, qapp, autosaves=autosaves) as built:
        built.document.restore(Loaded(replace(state, audio=audio.read(share / "piece.wav"), recording_path=share / "piece.wav")))
        settled(qtbot, built)
        yield built


def settled(qtbot, app):
    qtbot.waitUntil(lambda: not (app.worker.busy or app.session.opening or app.keeper.holding.busy))


def delete(app, note):
    app.document.do(commands.delete_notes(app.document.state, [note]))


def banner(app):
    return app.window.roll.banner.text.text() if app.window.roll.banner.isVisible() else ""


def gives_up(qtbot, app, place):
    """Wait until it is said that `place` does not answer, and wait no longer."""
    qtbot.waitUntil(lambda: f"waits for an answer from {place}" in banner(app))
    button = app.window.roll.banner.action
    assert button.text() == "Give up"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def notes_kept(autosaves, tmp_path):
    """The notes that the next start would find."""
    shutil.copytree(autosaves, tmp_path / "later")
    (leftover,) = recovery.leftovers(tmp_path / "later")
    try:
        return set(finish(recovery.recover_steps(leftover)).state.notes)
    finally:
        leftover.leave()


@pytest.mark.parametrize("name", ["piece.wav", "piece.soli", "piece.csv"])
def test_what_is_opened_from_there_is_given_up_and_something_else_opens(kept, qtbot, share, tmp_path, alive, name):
    audio.write(tmp_path / "other.wav", small_piece().audio)
    with hanging(share):
        kept.window.open_paths([share / name])
        gives_up(qtbot, kept, share / name)
        assert not kept.session.opening
        assert len(kept.document.state.notes) == 9, "what was open before is there"
        kept.window.open_paths([tmp_path / "other.wav"])
        qtbot.waitUntil(lambda: kept.document.state.recording_path == tmp_path / "other.wav")
        settled(qtbot, kept)


def test_escape_gives_up_as_well(kept, qtbot, share, alive):
    with hanging(share):
        kept.window.open_paths([share / "piece.wav"])
        qtbot.waitUntil(lambda: kept.worker.job is not None and kept.worker.job.visits is not None)
        kept.window.requests.escape()
        qtbot.waitUntil(lambda: not kept.worker.busy)


def test_what_is_said_is_taken_back_when_an_answer_comes(kept, qtbot, share, alive):
    with hanging(share):
        kept.window.open_paths([share / "piece.wav"])
        qtbot.waitUntil(lambda: "waits for an answer" in banner(kept))
    qtbot.waitUntil(lambda: not kept.session.opening)
    qtbot.waitUntil(lambda: "waits for an answer" not in banner(kept))


def test_a_save_to_it_is_given_up_and_goes_elsewhere(kept, qtbot, share, tmp_path, autosaves, alive):
    assert save(qtbot, kept, share / "piece.soli")
    delete(kept, 0)
    told: list[bool] = []
    with hanging(share):
        kept.session.save(share / "piece.soli", told.append)
        delete(kept, 1)
        gives_up(qtbot, kept, share / "piece.soli")
        qtbot.waitUntil(lambda: told == [False])
        assert "piece.soli was not saved" in banner(kept)
        assert kept.document.edited
        qtbot.waitUntil(lambda: kept.keeper._autosave._written is kept.document.state)
        assert not {0, 1} & notes_kept(autosaves, tmp_path), "what is edited is kept meanwhile"
        alive.skip()
        assert save(qtbot, kept, tmp_path / "other.soli")
        assert not kept.document.edited
    assert 0 in finish(storage.open_steps(share / "piece.soli")).state.notes, "nobody writes it any more"
    assert not {0, 1} & set(finish(storage.open_steps(tmp_path / "other.soli")).state.notes)


def test_whoever_closes_amid_such_a_save_is_told_and_may_give_up(kept, qtbot, share, alive):
    assert save(qtbot, kept, share / "piece.soli")
    delete(kept, 0)
    with hanging(share):
        kept.session.save(share / "piece.soli")
        seen: list[str] = []

        def press() -> None:
            waits = [w for w in kept.window.findChildren(Wait) if w.isVisible() and w.give_up.isVisible()]
            if waits and not seen:
                seen.append(waits[0].text.text())
                waits[0].give_up.click()

        timer = QTimer(interval=50)
        timer.timeout.connect(press)
        timer.start()
        assert kept.window.questions._saved()
        timer.stop()
        assert str(share) in seen[0]
        assert kept.document.edited


def test_a_local_project_opens_where_its_recording_or_a_recent_folder_hangs(kept, qtbot, share, tmp_path, alive):
    local = tmp_path / "local"
    local.mkdir()
    assert save(qtbot, kept, local / "piece.soli")
    kept.window.requests.new()
    kept.settings.recent, kept.settings.folder = [str(share / "other.wav")], str(share)
    with hanging(share):
        kept.window.open_paths([local / "piece.soli"])
        qtbot.waitUntil(lambda: "does not answer" in banner(kept))
        settled(qtbot, kept)
        assert len(kept.document.state.notes) == 9
        assert kept.document.state.audio is None
        delete(kept, 0)
        assert save(qtbot, kept, local / "piece.soli"), "it can be worked on"


def test_edits_are_kept_in_time_where_the_project_hangs(kept, qtbot, share, tmp_path, autosaves, alive):
    """Layers that lie in the project file are copied from there otherwise."""
    kept.session.decompose()
    qtbot.waitUntil(lambda: kept.document.separation is not None and not kept.worker.busy)
    assert save(qtbot, kept, share / "piece.soli")
    qtbot.waitUntil(lambda: kept.keeper._autosave._folder is None)
    autosave = kept.keeper._autosave
    with hanging(share):
        kept.document.do(commands.set_strip(kept.document.state, 0, replace(kept.document.state.strip(0), gain_db=-3.0)))
        qtbot.waitUntil(lambda: autosave._packed is kept.document.separation)
        assert autosave._written is kept.document.state
        (work,) = autosaves.glob("*/work.soli")
        assert work.stat().st_size > 10_000


def test_recovered_work_is_there_where_its_project_hangs(kept, qtbot, qapp, share, tmp_path, autosaves, alive):
    assert save(qtbot, kept, share / "piece.soli")
    delete(kept, 0)
    qtbot.waitUntil(lambda: kept.keeper._autosave._written is kept.document.state)
    shutil.copytree(autosaves, tmp_path / "later")
    with running(qtbot, qapp, autosaves=tmp_path / "later") as again, hanging(share):
        alive.skip()
        again.recovering.offer(tmp_path / "later")
        (button,) = [b for b in again.recovering.box.buttons() if b.text() == "Open it"]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: len(again.document.state.notes) == 8)
        assert again.document.path == share / "piece.soli"


def test_closing_a_project_that_hangs_does_not_hold_anything_up(kept, qtbot, share, alive):
    assert save(qtbot, kept, share / "piece.soli")
    with hanging(share):
        kept.window.requests.new()
        qtbot.waitUntil(lambda: not kept.keeper.holding.busy)


def test_dialogs_begin_where_something_answers(kept, qtbot, share, monkeypatch, alive):
    begun: list[str] = []
    monkeypatch.setattr(questions, "asked_files", lambda _window, _title, start, *_: begun.append(start))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda _window, _title, start, *_: (begun.append(start), ("", ""))[1])
    kept.settings.folder = str(share)
    kept.window.questions.open()
    assert begun == [str(share)]
    with hanging(share):
        kept.window.questions.open()
        kept.window.questions.save(ask=True)
        kept.window.questions.export_notes()
    assert [Path(start) for start in begun[1:2]] == [Path.home()]
    assert [Path(start).parent for start in begun[2:]] == [Path.home(), Path.home()]


def test_an_export_into_it_is_given_up(kept, qtbot, share, alive):
    with hanging(share):
        kept.session.exports.notes(share / "notes.mid")
        gives_up(qtbot, kept, share / "notes.mid")
        qtbot.waitUntil(lambda: not kept.worker.busy)


def test_the_export_dialog_says_that_a_folder_does_not_answer(separated, qtbot, share, tmp_path, monkeypatch, alive):
    monkeypatch.setattr("soli.ui.inquiry.LATE_S", 0.3)
    document, exports = separated.document, separated.session.exports
    piece = Piece(document.separation, document.state, "Small piece")
    dialog = ExportDialog(separated.window, piece, tmp_path / "out", "wav32f", {}, exports.peaks)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(dialog.export.isEnabled)
    with hanging(share):
        dialog.folder_edit.setText(str(share / "out"))
        assert not dialog.export.isEnabled()
        qtbot.waitUntil(lambda: "does not answer yet" in dialog.says.text())
        dialog.folder_edit.setText(str(tmp_path / "out"))
        qtbot.waitUntil(dialog.export.isEnabled)
        assert "does not answer" not in dialog.says.text()
    dialog.reject()


def test_the_thread_of_the_window_touches_nothing_there(kept, qtbot, share, tmp_path, monkeypatch):
    """Whatever is done with a piece from first to last."""
    path, window = share / "piece.soli", kept.window
    monkeypatch.setattr(questions, "asked_files", lambda *_: [path])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(share / "named.soli"), ""))
    with watched(share) as seen:
        kept.session.decompose()
        qtbot.waitUntil(lambda: kept.document.separation is not None)
        assert save(qtbot, kept, path)
        delete(kept, 0)
        kept.document.undo()
        kept.document.redo()
        settled(qtbot, kept)
        qtbot.waitUntil(lambda: kept.keeper._autosave._written is kept.document.state)
        assert window.questions.save(ask=True)
        qtbot.waitUntil(lambda: kept.document.path == share / "named.soli")
        window.actions_["embed"].trigger()
        assert save(qtbot, kept, path)
        kept.session.exports.notes(share / "notes.mid")
        settled(qtbot, kept)
        dialog = ExportDialog(
            window, Piece(kept.document.separation, kept.document.state, "Piece"), share, "wav32f", {}, kept.session.exports.peaks
        )
        qtbot.waitUntil(dialog.export.isEnabled)
        kept.session.exports.layers(dialog.folder, dialog.order)
        dialog.reject()
        settled(qtbot, kept)
        window.popups.fill_recent(QMenu(window))
        window.requests.new()
        settled(qtbot, kept)
        window.questions.open()
        qtbot.waitUntil(lambda: kept.document.separation is not None)
        settled(qtbot, kept)
        window.open_paths([share / "piece.wav"])
        settled(qtbot, kept)
        window.open_paths([share / "notes.mid"])
        settled(qtbot, kept)
        assert len(kept.settings.recent) == 4
        kept.keeper.keep_now()
    assert seen == []
