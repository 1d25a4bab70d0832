"""What a musician practises with: loops to the beat, count-in, metronome, scrubbing, the selection alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import small_piece
from ui.practice import listening_by_hand, press, settle, told

from soli.playback.metronome import click
from soli.playback.player import FakePlayer
from soli.project.document import Document
from soli.settings import Settings
from soli.ui.beats import Beats
from soli.ui.clicks import Clicks, metre
from soli.ui.loop_popover import BARS, SECONDS, place_text, time_of_clock, time_of_place


@pytest.fixture
def quiet(qapp):
    with listening_by_hand() as room:
        yield room


# The loop


def loop_of(piece) -> tuple[float, float]:
    assert piece.listening.loop is not None
    return piece.listening.loop


def test_the_edges_and_the_bar_of_the_loop_are_dragged(piece, canvas, hand):
    ruler, view = piece.window.roll.ruler, canvas.view
    piece.listening.set_loop((1.0, 2.0))
    hand(ruler).drag((view.x_of(2.0) - 1, 15), (view.x_of(2.5) - 1, 15))
    assert loop_of(piece) == pytest.approx((1.0, 2.5), abs=0.02)
    hand(ruler).drag((view.x_of(1.0), 15), (view.x_of(0.5), 15))
    assert loop_of(piece) == pytest.approx((0.5, 2.5), abs=0.02)
    hand(ruler).drag((view.x_of(1.5), 2), (view.x_of(2.0), 2))
    assert loop_of(piece) == pytest.approx((1.0, 3.0), abs=0.02)
    hand(ruler).drag((view.x_of(2.0), 2), (view.x_of(0.2), 2))  # not before the beginning
    assert loop_of(piece) == pytest.approx((0.0, 2.0), abs=0.02)
    hand(ruler).drag((view.x_of(1.0), 2), (view.x_of(3.9), 2))  # nor beyond the end
    assert loop_of(piece)[1] == pytest.approx(piece.document.state.duration_s, abs=1e-6)


def test_an_edge_that_is_dragged_over_the_other_turns_the_loop_around(piece, canvas, hand):
    ruler, view = piece.window.roll.ruler, canvas.view
    piece.listening.set_loop((1.0, 1.5))
    hand(ruler).drag((view.x_of(1.0), 15), (view.x_of(2.0), 15))
    assert loop_of(piece) == pytest.approx((1.5, 2.0), abs=0.02)


def test_a_moved_loop_that_is_off_stays_off(piece, canvas, hand):
    ruler, view = piece.window.roll.ruler, canvas.view
    piece.listening.set_loop((1.0, 2.0), on=False)
    hand(ruler).drag((view.x_of(1.5), 2), (view.x_of(1.8), 2))
    assert loop_of(piece) == pytest.approx((1.3, 2.3), abs=0.02)
    assert not piece.listening.loop_on


def test_the_loop_is_typed_in_bars_or_in_seconds(piece, canvas):
    popover = piece.window.loop_popover
    press(piece.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert popover.isVisible()
    assert popover.unit.currentText() == BARS
    popover.start.setText("1.3")
    popover.end.setText("2.1.5")
    QTest.keyClick(popover.end, Qt.Key.Key_Return)
    assert not popover.isVisible()
    assert loop_of(piece) == pytest.approx((1.2, 2.45))
    popover.open()
    assert (popover.start.text(), popover.end.text()) == ("1.3", "2.1.5")
    popover.unit.setCurrentText(SECONDS)
    assert (popover.start.text(), popover.end.text()) == ("0:01.200", "0:02.450")
    popover.end.setText("0:01.21")
    QTest.keyClick(popover.end, Qt.Key.Key_Return)
    assert popover.isVisible()
    assert "20 ms" in popover.problem.text()
    popover.end.setText("tomorrow")
    QTest.keyClick(popover.end, Qt.Key.Key_Return)
    assert popover.problem.text().startswith("To:")
    assert popover.end.hasFocus()
    popover.end.setText("3")
    popover.apply.click()
    assert loop_of(piece) == pytest.approx((1.2, 3.0))
    popover.open()
    popover.none.click()
    assert piece.listening.loop is None


def test_tab_goes_round_in_the_fields_of_the_loop(piece, canvas, qtbot):
    popover = piece.window.loop_popover
    popover.open()
    qtbot.waitUntil(popover.start.hasFocus)

    def walk(key) -> list[str]:
        seen = []
        for _ in range(8):
            QTest.keyClick(piece.window.focusWidget(), key)
            assert popover.isVisible()
            focus = piece.window.focusWidget()
            seen.append(focus.accessibleName() or focus.text())
        return seen

    # There is no loop to end.
    around = ["Loop to", "Loop given in", "Loop", "Loop from"]
    assert walk(Qt.Key.Key_Tab) == 2 * around
    assert walk(Qt.Key.Key_Backtab) == 2 * [*around[2::-1], "Loop from"]


def test_escape_leaves_the_loop_as_it_was_and_a_double_click_on_it_opens_it(piece, canvas, hand):
    ruler, view, popover = piece.window.roll.ruler, canvas.view, piece.window.loop_popover
    piece.listening.set_loop((1.0, 2.0))
    at = QPointF(view.x_of(1.5), 30)
    left = Qt.MouseButton.LeftButton
    QApplication.sendEvent(
        ruler,
        QMouseEvent(QEvent.Type.MouseButtonDblClick, at, ruler.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier),
    )
    assert popover.isVisible()
    popover.start.setText("0.1")
    QTest.keyClick(popover.start, Qt.Key.Key_Escape)
    assert not popover.isVisible()
    assert loop_of(piece) == (1.0, 2.0)


@given(st.floats(0.25, 4.1))
def test_places_read_as_they_are_written(time_s):
    beats = Beats(small_piece())
    assert time_of_place(beats, place_text(beats, time_s)) == pytest.approx(time_s, abs=0.001)


@pytest.mark.parametrize(("text", "time_s"), [("83.5", 83.5), ("1:23.5", 83.5), ("0:00,25", 0.25), ("x", None), ("", None)])
def test_times_are_read(text, time_s):
    assert time_of_clock(text) == time_s


@pytest.mark.parametrize(
    ("text", "time_s"), [("1", 0.2), ("bar 2", 2.2), ("Bar 1 · 2.5", 0.95), ("3", 4.2), ("9.1", None), ("1.7", None), ("", None)]
)
def test_places_are_read(text, time_s):
    assert time_of_place(Beats(small_piece()), text) == (None if time_s is None else pytest.approx(time_s))


# Play the selection, stop, scrub


def test_the_selection_is_played_once_and_left_at_its_start(piece, qtbot):
    asked = told(piece.player, "play_range")
    piece.selection.set({1})  # from 0.7 to 1.1 s
    press(piece.window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert asked == [(pytest.approx(0.7), pytest.approx(1.1))]
    qtbot.waitUntil(lambda: not piece.listening.status.playing, timeout=20_000)
    assert piece.listening.status.position_s == pytest.approx(0.7, abs=1e-3)


def test_without_a_selection_the_loop_is_played_once_and_without_both_it_says_so(piece, qtbot):
    asked = told(piece.player, "play_range")
    press(piece.window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert asked == []
    assert "loop" in piece.window.hint.text()
    piece.listening.set_loop((1.0, 1.3), on=False)
    press(piece.window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert asked == [(1.0, 1.3)]
    qtbot.waitUntil(lambda: not piece.listening.status.playing, timeout=20_000)


def test_stop_goes_back_to_where_play_began(piece, qtbot):
    piece.listening.seek(1.0)
    press(piece.window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: piece.listening.status.position_s > 1.2, timeout=20_000)
    press(piece.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: piece.listening.status.position_s == pytest.approx(1.0), timeout=20_000)
    assert not piece.listening.status.playing


def test_the_playhead_is_scrubbed_by_its_handle_and_heard(piece, canvas, hand, qtbot):
    ruler, view = piece.window.roll.ruler, canvas.view
    piece.listening.seek(1.0)
    qtbot.waitUntil(lambda: ruler._playhead_s == pytest.approx(1.0), timeout=20_000)
    grains, plays = told(piece.player, "audition"), told(piece.player, "play")
    hand(ruler).press(view.x_of(1.0), 38)
    hand(ruler).move(view.x_of(1.6), 38, button=Qt.MouseButton.LeftButton)
    assert grains != []
    assert plays == []
    hand(ruler).release(view.x_of(1.6), 38)
    assert piece.listening.status.position_s == pytest.approx(1.6, abs=0.02)
    assert piece.listening.loop is None


def test_with_ctrl_the_ruler_scrubs_anywhere_and_play_goes_on_from_there(piece, canvas, hand, qtbot):
    ruler, view = piece.window.roll.ruler, canvas.view
    piece.listening.toggle_play()
    grains, pauses = told(piece.player, "audition"), told(piece.player, "pause")
    hand(ruler).drag((view.x_of(0.5), 10), (view.x_of(2.5), 10), keys=Qt.KeyboardModifier.ControlModifier)
    assert piece.listening.loop is None
    assert grains == pauses == []
    qtbot.waitUntil(lambda: piece.listening.status.position_s > 2.5, timeout=20_000)


def test_what_is_scrubbed_over_is_the_mix(quiet):
    document, player, listening = quiet
    listening.scrub(1.0)
    out = player.step(round(0.09 * document.state.audio.rate))
    first = document.state.audio.rate
    middle = slice(200, 500)
    np.testing.assert_allclose(out[middle, 0], document.state.audio.samples[first:, 0][middle], atol=1e-6)


# Metronome and count-in


def test_the_metronome_clicks_on_the_beats_of_the_performance(quiet):
    document, player, listening = quiet
    listening.clicks.toggle()
    player.step(1)
    audio = document.state.audio
    listening._player.play()
    out = np.concatenate([player.step(512) for _ in range(40)])[:, 0]
    beat = round(0.2 * audio.rate)
    sound = 10 ** (-6 / 20) * click(audio.rate, accented=True)[:, 0]
    np.testing.assert_allclose(out[beat : beat + len(sound)] - audio.samples[beat : beat + len(sound), 0], sound, atol=1e-6)
    np.testing.assert_allclose(out[beat - 100 : beat], audio.samples[beat - 100 : beat, 0], atol=1e-6)


def test_key_menu_and_button_of_the_metronome_say_the_same(piece):
    window = piece.window
    press(window, Qt.Key.Key_K)
    assert piece.listening.clicks.on
    assert window.actions_["metronome"].isChecked()
    assert window.transport.buttons["metronome"].isChecked()
    window.actions_["click_loud"].trigger()
    assert piece.settings.click_level == "loud"
    assert [window.actions_[f"click_{name}"].isChecked() for name in ("soft", "medium", "loud")] == [False, False, True]
    window.actions_["count_in_2"].trigger()
    assert piece.settings.count_in == 2
    assert window.actions_["count_in_2"].isChecked()
    assert not window.actions_["count_in_0"].isChecked()
    press(window, Qt.Key.Key_K)
    assert not piece.listening.clicks.on


def test_play_counts_in_as_many_bars_and_space_ends_it(quiet):
    _, player, listening = quiet
    listening.clicks.set_bars(1)
    listening.seek(0.2)
    player.step(64)
    listening._tick()
    listening.toggle_play()
    rate = 8000
    bar = np.concatenate([player.step(500) for _ in range(32)])  # four beats of half a second
    assert np.abs(bar[:100]).max() > 0.1
    listening._tick()
    assert listening.status.playing
    assert listening.status.position_s == pytest.approx(0.2)
    player.step(rate // 2)
    listening._tick()
    assert listening.status.position_s == pytest.approx(0.7, abs=0.05)
    listening.toggle_play()
    player.step(400)
    listening._tick()
    listening.toggle_play()
    player.step(400)
    listening._tick()
    assert listening.status.playing
    listening.toggle_play()
    player.step(400)
    listening._tick()
    assert not listening.status.playing


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_the_count_in_is_as_fast_as_the_music_will_be(quiet, speed):
    _, player, listening = quiet
    listening.speed.set(speed)
    settle(player, listening)
    listening.clicks.set_bars(1)
    counted = told(player, "count_in")
    listening.toggle_play()
    [(clicks,)] = counted
    assert np.diff(clicks.times_s) == pytest.approx([0.5 / speed] * 3)
    assert clicks.length_s == pytest.approx(4 * 0.5 / speed)


def test_the_metronome_clicks_as_fast_as_the_music_plays(quiet):
    document, player, listening = quiet
    listening.speed.set(0.5)
    settle(player, listening)
    listening._player.play()
    without = np.concatenate([player.step(512) for _ in range(40)])[:, 0]
    listening.stop()
    player.step(512)
    listening.clicks.toggle()
    listening._player.play()
    out = np.concatenate([player.step(512) for _ in range(40)])[:, 0]
    rate = document.state.audio.rate
    for number, beat_s in enumerate((0.2, 0.7)):
        at, sound = round(beat_s / 0.5 * rate), 10 ** (-6 / 20) * click(rate, accented=number == 0)[:, 0]
        np.testing.assert_allclose((out - without)[at : at + len(sound)], sound, atol=1e-5)


def test_settings_of_the_clicks_that_make_no_sense_are_as_if_unset(qapp):
    clicks = Clicks(Document(), FakePlayer(live=False))
    clicks.use(Settings(click_level="deafening", count_in=-3))
    assert (clicks.level, clicks.bars) == ("medium", 0)


def test_the_metre_comes_from_the_score_and_without_one_is_common_time():
    beats = Beats(small_piece())
    assert metre(beats, 0.2) == pytest.approx((4, 0.5, 0.0))
    assert metre(beats, 1.45) == pytest.approx((4, 0.5, 2.5))
    assert metre(beats, 0.0) == pytest.approx((4, 0.5, 3.6))
    assert metre(Beats(), 7.0) == (4, 0.5, 0.0)


def test_a_loop_that_no_bar_can_name_is_shown_in_seconds(piece, qtbot):
    piece.listening.set_loop((0.0, 2.0))  # the first bar begins at 0.2 s
    popover = piece.window.loop_popover
    popover.open()
    qtbot.waitUntil(popover.isVisible)
    assert popover.unit.currentText() == SECONDS
    assert popover.start.text() == "0:00.000"
    QTest.keyClick(popover.end, Qt.Key.Key_Return)
    assert piece.listening.loop == (0.0, 2.0)
