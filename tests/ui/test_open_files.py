"""Which files are to be opened, typed into Qt's own dialog."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit

from soli.ui.dialogs.open_files import asked_files, typed_files

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def files(tmp_path):
    found = [tmp_path / "music" / "piece.wav", tmp_path / "music" / "piece.mid", tmp_path / "scores" / "other.mid"]
    for path in found:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return found


def typed(qtbot, text, folder):
    """What comes of text that is typed into the dialog and entered."""

    def enter() -> None:
        shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isActiveWindow()]
        if not shown:
            QTimer.singleShot(50, enter)
            return
        (dialog,) = shown
        field = dialog.findChild(QLineEdit, "fileNameEdit")
        field.setFocus()  # without it the dialog writes into it what it marks
        QTest.keyClicks(field, text)
        qtbot.wait(200)  # the dialog completes and marks what it finds
        if field.completer().popup().isVisible():
            field.completer().popup().hide()
        QTest.mouseClick(
            dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open), Qt.MouseButton.LeftButton
        )
        if dialog.isVisible():
            dialog.reject()

    QTimer.singleShot(50, enter)
    return asked_files(None, "Open", str(folder), "All files (*)")


def test_two_paths_in_quotes_are_both_opened(qtbot, files, tmp_path):
    recording, score, other = files
    for folder in (tmp_path, recording.parent):
        assert typed(qtbot, f'"{recording}" "{score}"', folder) == [recording, score]
        assert typed(qtbot, f'"{recording}" "{other}"', folder) == [recording, other]


def test_names_are_opened_as_ever(qtbot, files, tmp_path):
    recording, score, _ = files
    assert typed(qtbot, str(recording), tmp_path) == [recording]
    assert sorted(typed(qtbot, '"piece.wav" "piece.mid"', recording.parent)) == sorted([recording, score])


@pytest.mark.parametrize("text", ["", "/a/b.wav", '"/a/b.wav"', '"a.wav" "/b.mid"', "'/a' '/b'", '""'])
def test_what_is_not_several_paths_in_quotes_is_left_to_the_dialog(text):
    assert typed_files(text) == []


def test_paths_may_hold_what_they_like_but_quotes():
    assert typed_files('"/a b/c\'d.wav""/é/2.mid"') == [Path("/a b/c'd.wav"), Path("/é/2.mid")]
