"""Files over the window: what a drop would do is said, and nothing is lost by one unasked."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox
from ui.conftest import save

from soli.project import commands
from soli.ui.drop_zone import what_a_drop_does

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def carried(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def enter(window, data: QMimeData) -> bool:
    event = QDragEnterEvent(QPoint(400, 300), COPY, data, LEFT, NONE)
    event.ignore()
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def drop(window, data: QMimeData) -> None:
    assert enter(window, data)  # Qt drops on what was entered
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), COPY, data, LEFT, NONE))


@pytest.fixture
def recording(tmp_path) -> Path:
    path = tmp_path / "other.wav"
    soundfile.write(path, np.zeros(8000, np.float32), 8000)
    return path


@pytest.fixture
def asked(monkeypatch):
    """How the question about unsaved work is answered, and how often it came."""

    class Asked:
        answer = QMessageBox.StandardButton.Cancel
        times = 0

        def __call__(self, *_words) -> QMessageBox.StandardButton:
            self.times += 1
            return self.answer

    asked = Asked()
    monkeypatch.setattr(QMessageBox, "question", asked)
    return asked


@pytest.fixture
def edited(piece):
    piece.document.do(commands.delete_notes(piece.document.state, {0}))
    return piece


def idle(qtbot, application) -> None:
    qtbot.waitUntil(lambda: not application.worker.busy and not application.session.opening, timeout=20_000)


def test_the_window_says_what_a_drop_would_do_and_forgets_it(piece, tmp_path):
    zone, data = piece.window.drop_zone, carried(tmp_path / "a.wav")
    assert enter(piece.window, data)
    assert zone.isVisible()
    assert zone.geometry() == piece.window.roll.rect()
    assert zone.text == "Drop to open a.wav"
    QApplication.sendEvent(piece.window, QDragLeaveEvent())
    assert not zone.isVisible()
    drop(piece.window, data)
    assert not zone.isVisible()


def test_what_is_no_file_is_not_taken(piece):
    data = QMimeData()
    data.setText("words")
    assert not enter(piece.window, data)
    data.setUrls([QUrl("https://example.org/a.wav")])
    assert not enter(piece.window, data)
    assert not piece.window.drop_zone.isVisible()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.wav"], "Drop to open a.wav"),
        (["A.MID"], "Drop to open A.MID"),
        (["a.mid", "b.flac"], "Drop to open the recording with its score"),
        (["a.wav", "b.flac"], "Drop one recording and its score"),
        (["work.soli"], "Drop to open the project work"),
        (["notes.txt"], "Soli cannot open notes.txt"),
        (["a.wav", "notes.txt"], "Soli cannot open notes.txt"),
    ],
)
def test_the_words_name_what_is_dragged(names, words):
    assert what_a_drop_does([Path(name) for name in names]) == words


def test_long_names_are_cut_in_the_middle():
    words = what_a_drop_does([Path(f"{'long ' * 40}end.wav")])
    assert len(words) < 70
    assert words.endswith("end.wav")


def test_a_dropped_project_opens(piece, tmp_path, qtbot):
    piece.document.do(commands.delete_notes(piece.document.state, {0}))
    assert save(qtbot, piece, tmp_path / "work.soli")
    piece.window.requests.new()
    drop(piece.window, carried(tmp_path / "work.soli"))
    idle(qtbot, piece)
    assert piece.document.path == tmp_path / "work.soli"
    assert len(piece.document.state.notes) == 8


def test_a_file_that_does_not_open_asks_nothing(edited, asked, tmp_path, qtbot):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF no sound")
    before = edited.document.state
    drop(edited.window, carried(broken))
    idle(qtbot, edited)
    drop(edited.window, carried(tmp_path / "missing.soli"))
    idle(qtbot, edited)
    assert asked.times == 0
    assert edited.document.state is before
    assert edited.window.roll.banner.isVisible()


def test_unsaved_work_stays_when_the_user_turns_away(edited, asked, recording, qtbot):
    before = edited.document.state
    drop(edited.window, carried(recording))
    idle(qtbot, edited)
    assert asked.times == 1
    assert edited.document.state is before
    assert edited.settings.recent == []


def test_unsaved_work_goes_when_the_user_says_so(edited, asked, recording, qtbot):
    asked.answer = QMessageBox.StandardButton.Discard
    drop(edited.window, carried(recording))
    idle(qtbot, edited)
    assert asked.times == 1
    assert edited.document.state.recording_path == recording


def test_a_run_is_stopped_by_opening_only_after_the_question(edited, asked, recording, qtbot):
    edited.session.decompose()
    drop(edited.window, carried(recording))
    assert asked.times == 1
    qtbot.waitUntil(lambda: edited.document.separation is not None, timeout=30_000)
    asked.answer = QMessageBox.StandardButton.Discard
    edited.session.decompose()
    drop(edited.window, carried(recording))
    idle(qtbot, edited)
    assert asked.times == 2
    assert edited.document.state.recording_path == recording


def test_recent_files_are_offered_and_may_be_forgotten(piece):
    menu = QMenu()
    piece.settings.recent = ["/a/one.soli", "/a/you & me.wav"]
    piece.window.popups.fill_recent(menu)
    assert [a.text() for a in menu.actions()] == ["/a/one.soli", "/a/you && me.wav", "", "Clear this list"]
    menu.actions()[-1].trigger()
    assert piece.settings.recent == []
    piece.window.popups.fill_recent(menu)
    assert [a.isEnabled() for a in menu.actions()] == [False]
