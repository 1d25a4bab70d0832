"""The line that parts notes into two layers: it follows hand and keys, shows what would become, and is one step."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFocusEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from soli.project import commands
from soli.project.document import _same


@pytest.fixture
def line(piece, canvas, qtbot):
    piece.window.activateWindow()
    qtbot.waitUntil(piece.window.isActiveWindow)
    piece.window.actions_["layers_pitch"].trigger()
    opened = piece.window.roll.split_line
    assert opened.isVisible()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is opened)
    return opened


def below(line, pitch):
    """A point on the lower edge of a pitch."""
    return QPoint(line.width() // 2, round(line._view.edge_of(pitch - 0.5)))


def names(piece):
    return [layer.name for layer in piece.document.state.layers]


def test_a_click_parts_all_notes_and_undo_gives_the_layers_back(piece, line):
    first = piece.document.state
    QTest.mouseMove(line, below(line, 66))
    assert line.pitch == 66
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=below(line, 66))
    assert not line.isVisible()
    assert names(piece) == ["F♯4 and above", "Below F♯4"]
    upper, lower = (layer.id for layer in piece.document.state.layers)
    assert all(n.layer == (upper if n.pitch >= 66 else lower) for n in piece.document.state.notes.values())
    assert [edit.name for edit in piece.document.history.done] == ["split at F♯4"]
    assert piece.window.focusWidget() is piece.window.roll.canvas
    piece.document.undo()
    assert _same(piece.document.state, first)


def test_notes_take_the_colours_of_the_new_layers_while_the_line_moves(piece, line, canvas):
    def red(note_id):
        note = piece.document.state.notes[note_id]
        view = canvas.view
        at = QPoint(round(view.x_of(note.onset_s + 0.2)), round(view.y_of(note.pitch) + view.height_of(note.pitch) / 2))
        picture = QImage(canvas.size(), QImage.Format.Format_RGB32)
        canvas.render(picture)
        return picture.pixelColor(at).red()  # the colours of the layers differ in it

    QTest.keyClick(line, Qt.Key.Key_Escape)
    before = red(0), red(12)
    assert before[1] - before[0] > 60
    piece.window.actions_["layers_pitch"].trigger()
    QTest.mouseMove(line, below(line, 64))
    assert red(12) - red(0) > 60  # E4 above the line, E3 below
    QTest.mouseMove(line, below(line, 66))
    assert abs(red(12) - red(0)) < 10
    shown = piece.document.state
    QTest.keyClick(line, Qt.Key.Key_Escape)
    assert piece.document.state is shown
    assert (red(0), red(12)) == pytest.approx(before, abs=20)  # the spectrogram under them may have grown


def test_the_keys_move_it_and_return_parts(piece, line):
    start = line.pitch
    QTest.keyClick(line, Qt.Key.Key_Up)
    QTest.keyClick(line, Qt.Key.Key_Up)
    QTest.keyClick(line, Qt.Key.Key_Down)
    assert line.pitch == start + 1
    QTest.keyClick(line, Qt.Key.Key_PageUp)
    assert line.pitch == 70  # one above the highest note, where nothing could be parted
    assert not line.apply_button.isEnabled()
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert line.isVisible()
    QTest.keyClick(line, Qt.Key.Key_Down)
    assert "1 above" in line.accessibleDescription()
    assert line.says.text() == "Split at A4"
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert names(piece)[0] == "A4 and above"


def test_it_parts_the_active_layer_or_the_selected_notes_alone(piece, canvas):
    first = piece.document.state
    line = piece.window.roll.split_line
    piece.selection.set_layer(1)
    piece.selection.set({0, 1, 2, 3})
    piece.window.actions_["layers_pitch"].trigger()
    assert line.scope.ids == {0, 1, 2, 3}
    QTest.keyClick(line, Qt.Key.Key_Backtab)
    assert line.scope.name == "Left hand"
    assert line.pitch in range(48, 54)
    line.move_to(50)
    QTest.mouseClick(line.apply_button, Qt.MouseButton.LeftButton)
    assert names(piece) == ["Right hand", "Left hand from D3", "Left hand below D3"]
    assert all(n.layer == 0 for n in piece.document.state.notes.values() if n.pitch >= 60)
    piece.document.undo()
    assert _same(piece.document.state, first)
    piece.window.actions_["layers_pitch"].trigger()
    QTest.keyClick(line, Qt.Key.Key_Tab)
    assert line.scope.name == "All notes"
    QTest.mouseClick(line.cancel_button, Qt.MouseButton.LeftButton)
    assert not line.isVisible()
    assert _same(piece.document.state, first)


def test_locked_and_hidden_notes_are_not_parted(piece, canvas):
    piece.document.do(commands.set_layer_flags(piece.document.state, 0, locked=True))
    piece.window.actions_["layers_pitch"].trigger()
    line = piece.window.roll.split_line
    assert line.scope.ids == {10, 11, 12}
    QTest.keyClick(line, Qt.Key.Key_Escape)
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, hidden=True))
    piece.window.actions_["layers_pitch"].trigger()
    assert not line.isVisible()
    assert piece.window.hint.text() == "There are no notes of several pitches to split"


def test_it_closes_when_the_keyboard_goes_elsewhere_or_the_notes_change(piece, line):
    for reason, stays in ((Qt.FocusReason.PopupFocusReason, True), (Qt.FocusReason.MouseFocusReason, False)):
        QApplication.sendEvent(line, QFocusEvent(QEvent.Type.FocusOut, reason))
        assert line.isVisible() == stays
    piece.window.actions_["layers_pitch"].trigger()
    piece.document.do(commands.delete_notes(piece.document.state, [0]))
    assert not line.isVisible()
    assert piece.window.roll.canvas.scene.split is None


def test_it_covers_the_roll_when_that_grows_and_scrolls_with_it(piece, line, canvas, hand):
    piece.window.resize(1400, 900)
    QApplication.processEvents()
    assert line.size() == canvas.size()
    piece.window.resize(900, 560)
    piece.document.do(commands.alter_layer(piece.document.state, 0, name="A name that is much longer than there is room for"))
    piece.selection.set(piece.document.state.notes)
    piece.window.actions_["layers_pitch"].trigger()
    QApplication.processEvents()
    assert len(line._scopes) == 3
    assert line.bar.geometry().right() < line.width()
    y = line._view.edge_of(line.pitch - 0.5)
    hand(line).wheel(200, 200, 1)
    assert line._view.edge_of(line.pitch - 0.5) != y or line._view.start_s != 0.0


def test_a_line_that_moves_paints_only_the_pitches_it_passes(piece, line, canvas, qtbot):
    qtbot.waitUntil(lambda: not canvas.scene.moving and not piece.picture_worker.busy)
    boxes = []
    canvas.scene.changed.connect(boxes.append)
    line.move_to(66)
    del boxes[:]
    line.move_to(67)
    (box,) = boxes
    assert box.top() <= canvas.view.edge_of(66.5)
    assert box.bottom() >= canvas.view.edge_of(65.5)
    assert box.height() < 3 * canvas.view.px_per_semitone + 8

    def seen():
        picture = QImage(canvas.size(), QImage.Format.Format_RGB32)
        canvas.render(picture)
        return picture

    mended = seen()
    canvas.scene.show_split(canvas.scene.split)
    assert mended == seen()
