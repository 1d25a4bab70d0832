"""The drawer's pages: doubtful notes and tempo, in step with the document."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from soli.project import commands, estimating
from soli.project.estimating import estimate
from soli.project.pipeline import Loaded


@pytest.fixture
def doubtful(piece):
    """The piece, with two notes that the sound does not bear out and one that is not there."""
    state = piece.document.state
    confidence = np.array([0.9 if n.id not in (1, 4) else 0.05 for n in state.alignment.notes], np.float32)
    alignment = replace(state.alignment, confidence=confidence)
    piece.document.restore(Loaded(replace(state, alignment=alignment, absent=frozenset({5}))))
    piece.window.actions_["drawer_doubtful"].trigger()
    return piece


def test_doubtful_notes_are_listed_in_order_and_one_click_away(doubtful):
    panel = doubtful.window.doubtful
    assert [panel.table.item(row, 0).text() for row in range(panel.table.rowCount())] == ["F4", "A♭4", "A4"]
    assert panel.table.item(2, 5).text() == "not in the recording"
    assert "3 of 9" in panel.says.text()
    doubtful.window.roll.view.show(3.0, 3.4)
    panel.table.selectRow(0)
    assert doubtful.selection.ids == {1}
    view = doubtful.window.roll.view
    assert view.start_s <= doubtful.document.state.notes[1].onset_s <= view.end_s


def test_a_doubtful_note_is_left_out_and_brought_back_from_the_list(doubtful, qtbot):
    panel = doubtful.window.doubtful
    panel.table.selectRow(0)
    panel.leave_out.click()
    assert doubtful.document.state.absent == {1, 5}
    assert panel.table.item(0, 5).text() == "not in the recording"
    panel.bring_back.click()
    assert doubtful.document.state.absent == {5}


def test_only_what_stands_on_the_list_is_left_out_from_it(doubtful):
    panel = doubtful.window.doubtful
    doubtful.selection.set({0})
    assert not panel.leave_out.isEnabled()
    doubtful.selection.set({0, 1})
    assert panel.leave_out.isEnabled()
    panel.leave_out.click()
    assert doubtful.document.state.absent == {1, 5}


def test_without_an_alignment_no_note_is_doubtful(doubtful):
    panel, state = doubtful.window.doubtful, doubtful.document.state
    doubtful.document.restore(Loaded(replace(state, alignment=None, score=None, absent=frozenset())))
    doubtful.selection.set({0, 1})
    assert panel.table.rowCount() == 0
    assert panel.says.text() == "No score has been aligned yet"
    assert not panel.leave_out.isEnabled()
    assert not panel.bring_back.isEnabled()


def test_a_beat_dragged_on_the_tempo_curve_asks_for_an_anchor(piece, hand, qtbot):
    piece.window.actions_["drawer_tempo"].trigger()
    qtbot.wait_settled(piece.window)
    panel, view = piece.window.tempo.curve, piece.window.roll.view
    x = 58 + view.x_of(1.2)
    with qtbot.waitSignal(panel.anchor_set) as asked:
        hand(panel).drag((x, 60), (58 + view.x_of(1.3), 60))
    assert asked.args == pytest.approx([1.2, 1.3], abs=0.02)
    qtbot.waitUntil(lambda: len(piece.document.state.anchors) == 1, timeout=20_000)
    assert not panel.grab().isNull()


def test_the_drawer_opens_changes_and_closes(piece):
    window = piece.window
    window.actions_["drawer_tempo"].trigger()
    assert window.drawer.page == 1
    window.actions_["drawer_doubtful"].trigger()
    assert window.drawer.page == 2
    assert not window.actions_["drawer_tempo"].isChecked()
    window.drawer.close_button.click()
    assert window.drawer.page == -1
    assert not window.actions_["drawer_doubtful"].isChecked()


def test_the_local_tempo_is_limited_and_what_cannot_be_is_said(piece, qtbot):
    piece.window.actions_["drawer_tempo"].trigger()
    panel = piece.window.tempo
    panel.slowest.setValue(0.5)
    panel.slowest.editingFinished.emit()
    qtbot.waitUntil(lambda: piece.document.state.limits == (0.5, 4.0), timeout=20_000)
    assert piece.document.history.last.name == "limit the tempo"
    piece.document.undo()
    assert panel.slowest.value() == 0.25
    errors = []
    piece.session.said.connect(lambda kind, text: errors.append(text) if kind == "error" else None)
    piece.session.set_anchor(0.2, 3.0)
    qtbot.waitUntil(lambda: not piece.session.opening, timeout=20_000)
    piece.session.set_anchor(2.7, 3.005)
    qtbot.waitUntil(lambda: bool(errors), timeout=20_000)
    assert "anchor" in errors[-1]


def test_a_followed_edit_is_not_told_as_a_run(separated, qtbot):
    jobs, document = separated.window.jobs, separated.document
    assert "iterations in" in jobs.says.text()
    document.do(commands.alter_notes(document.state, {0: {"pitch": 65}}, "move note"))
    qtbot.waitUntil(lambda: jobs.says.text().startswith("Followed the last edit in"), timeout=20_000)
    separated.session.decompose()
    qtbot.waitUntil(lambda: "iterations in" in jobs.says.text(), timeout=20_000)


def test_the_words_of_the_tempo_page_do_not_run_into_its_figures(piece, qtbot):
    piece.window.actions_["drawer_tempo"].trigger()
    panel = piece.window.tempo
    piece.window.resize(900, 560)
    qtbot.wait_settled(piece.window)
    row = panel.layout().itemAt(0).layout()
    parts = [row.itemAt(i).widget() for i in range(row.count()) if row.itemAt(i).widget() is not None]
    assert all(part.width() >= part.sizeHint().width() for part in parts), "no word is cut"
    for left, right in pairwise(parts):
        assert right.x() - (left.x() + left.width()) >= 4


def test_what_goes_beyond_the_memory_is_said_before_it_is_asked_for(piece, monkeypatch, qtbot):
    panel = piece.window.jobs
    assert panel.says.text().startswith("Ready: about ")
    assert panel.says.toolTip() == ""
    monkeypatch.setattr(estimating, "memory_bytes", lambda: 1000)
    piece.document.do(commands.delete_notes(piece.document.state, [0]))
    qtbot.waitUntil(lambda: panel.says.text() == "Too large for the memory and disk here")
    assert "cut the recording into pieces" in panel.says.toolTip()


def test_who_closes_the_drawer_from_within_is_back_on_the_roll(piece):
    window = piece.window
    window.actions_["drawer_history"].trigger()
    window.drawer.close_button.setFocus()
    window.actions_["drawer_history"].trigger()
    assert window.drawer.page == -1
    assert window.focusWidget() is window.roll.canvas
    window.actions_["drawer_history"].trigger()
    window.jobs.method.setFocus()
    window.actions_["drawer_history"].trigger()
    assert window.focusWidget() is window.jobs.method


def test_the_time_a_run_is_said_to_take_follows_the_last_one(piece, qtbot, monkeypatch):
    from soli.ui import session

    monkeypatch.setattr(session, "pace_of", lambda *_: 25.0)
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None and piece.session.pace == 25.0, timeout=30_000)
    piece.document.restore(Loaded(piece.document.state))
    expected = estimate(piece.document.state, pace=25.0)
    qtbot.waitUntil(lambda: piece.window.jobs.says.text() == f"Ready: {expected.in_words}", timeout=10_000)
    assert expected.seconds == pytest.approx(25 * estimate(piece.document.state).seconds)


def test_in_a_narrow_window_the_reason_for_a_doubt_can_be_read(piece, qtbot):
    window = piece.window
    window.resize(900, 560)
    alignment = piece.document.state.alignment
    shaky = replace(alignment, confidence=np.full(len(alignment.notes), 0.01, np.float32))
    piece.document.do(commands.realign(piece.document.state, shaky, (), "align"))
    window.actions_["drawer_doubtful"].trigger()
    qtbot.wait_settled(window)
    table = window.doubtful.table
    last = table.columnCount() - 1
    assert table.columnWidth(last) > 0.3 * table.viewport().width()
    assert not table.horizontalScrollBar().isVisible()
    assert table.item(0, last).toolTip() == table.item(0, last).text()
