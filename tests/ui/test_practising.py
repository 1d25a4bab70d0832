"""What a musician practises with: another speed, loops to the beat, count-in, metronome, scrubbing, the selection alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import small_piece

from soli.playback.frames import reader
from soli.playback.metronome import click
from soli.playback.player import FakePlayer, Strip
from soli.playback.stretch import Stretcher
from soli.project.document import Document
from soli.project.pipeline import Loaded
from soli.project.state import ORIGINAL
from soli.settings import Settings
from soli.signal.audio import Audio
from soli.ui.beats import Beats
from soli.ui.clicks import Clicks, metre
from soli.ui.listening import Listening
from soli.ui.loop_popover import BARS, SECONDS, place_text, time_of_clock, time_of_place
from soli.ui.speed import Sounds, Speed


def press(window, key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.roll.canvas, key, keys)


def told(player, name: str) -> list[tuple]:
    """What a player is told from now on by one of its calls; it does it all the same."""
    calls: list[tuple] = []
    act = getattr(player, name)

    def watched(*given, **named):
        calls.append(given)
        return act(*given, **named)

    setattr(player, name, watched)
    return calls


class DirectWorker:
    """Runs each job at once, in this thread."""

    def submit(self, job):
        job.run()
        return job


@pytest.fixture
def quiet(qapp):
    """A document with the small piece, a player that is stepped by hand, and what keeps them in step."""
    document, player = Document(), FakePlayer(live=False)
    listening = Listening(document, player, DirectWorker())
    document.restore(Loaded(small_piece()))
    player.step(64)
    yield document, player, listening
    listening.close()


def settle(player, listening) -> None:
    for _ in range(6):
        player.step(256)
        listening._tick()


# Speed


def test_at_another_speed_the_recording_itself_is_heard_stretched(quiet):
    document, player, listening = quiet
    listening.speed.set(0.5)
    settle(player, listening)
    assert listening.status.stretched
    assert not listening.speed.busy
    listening._player.play()
    out = np.concatenate([player.step(256) for _ in range(40)])
    audio = document.state.audio
    read = reader(audio.samples)
    expected = Stretcher(read, rate=audio.rate, speed=0.5).stretch(0, len(out)).of(read)
    fade = player._desk.transport.fade_length
    np.testing.assert_allclose(out[fade:, 0], expected[fade:, 0], atol=1e-6)


def test_a_seek_has_what_comes_there_computed_first(quiet):
    _, player, listening = quiet
    listening.speed.set(0.25)
    settle(player, listening)
    listening.seek(3.5)
    settle(player, listening)
    listening._player.play()
    player.step(256)
    listening._tick()
    assert not listening.status.waiting
    assert listening.status.position_s > 3.5


def test_no_speed_is_asked_for_beyond_the_limits_and_a_new_recording_begins_at_its_own(quiet):
    document, _, listening = quiet
    listening.speed.set(0.01)
    assert listening.speed.wanted == 0.25
    listening.speed.set(9.0)
    assert listening.speed.wanted == 2.0
    document.restore(Loaded(small_piece()))
    assert listening.speed.wanted == 1.0


def test_whoever_shows_the_speed_hears_of_every_change_however_soon_it_comes(quiet):
    _, player, listening = quiet
    shown: list[tuple[float, bool]] = []
    listening.speed.changed.connect(lambda: shown.append((listening.speed.wanted, listening.speed.busy)))
    listening.speed.set(0.5)
    player.step(256)  # it is there before anybody has looked again
    listening._tick()
    assert shown == [(0.5, True), (0.5, False)]
    listening.seek(3.9)
    listening._player.play()
    player.step(64)
    listening._tick()
    settle(player, listening)
    assert shown[-1] == (0.5, listening.speed.busy)
    listening.speed.set(1.0)
    assert shown[-1] == (1.0, False)


def test_a_speed_that_is_left_at_once_leaves_nothing_behind(quiet):
    _, player, listening = quiet
    for speed in (0.5, 0.7, 1.5, 1.0):
        listening.speed.set(speed)
    settle(player, listening)
    assert listening.status.stretched == 0
    assert not listening.speed.busy


def test_after_an_edit_only_the_tiles_that_sound_of_it_are_computed_again(qapp):
    audio, brought = Audio(np.zeros((40 * 8000, 1), np.float32), 8000), []

    class Watched(FakePlayer):
        def add_tile(self, stretching, number, sounds):
            brought.append(number)
            super().add_tile(stretching, number, sounds)

    player = Watched(live=False)
    player.load([audio.samples], 8000, [Strip()])
    speed, sounds = Speed(player, DirectWorker()), Sounds((ORIGINAL,), audio, None)
    speed.take(sounds, None)

    def after(act) -> list[int]:
        brought.clear()
        act()
        for _ in range(60):
            player.step(64)
            speed.follow(player.status(), None)
            speed._look()
        return sorted(brought)

    everything = list(range(61))
    assert after(lambda: speed.set(0.5)) == everything  # a tile holds a fifth of a second of the recording
    assert after(lambda: None) == []
    assert after(lambda: speed.take(sounds, [(round(3.5 * 8000), round(4.5 * 8000))])) == list(range(16, 24))
    assert after(lambda: speed.take(sounds, [(round(5.1 * 8000), round(5.15 * 8000))])) == list(range(24, 27))
    assert after(lambda: speed.take(sounds, None)) == everything
    speed.close()


def test_at_rest_too_it_is_said_that_the_sound_under_the_playhead_is_not_there_yet(qapp):
    audio = Audio(np.zeros((90 * 8000, 1), np.float32), 8000)
    player, jobs = FakePlayer(live=False, rate=8000), []
    player.load([audio.samples], 8000, [Strip()])
    speed = Speed(player, SimpleNamespace(submit=jobs.append))
    speed.take(Sounds((ORIGINAL,), audio, None), None)

    def look() -> None:
        player.step(64)
        speed.follow(player.status(), None)
        speed._look()

    speed.set(0.5)
    jobs.pop().run()
    look()
    assert not speed.busy
    player.seek(60.0)
    look()
    assert speed.busy
    while jobs:
        jobs.pop().run()
        look()
        if not speed.busy:
            break
    assert not speed.busy
    speed.close()


def test_however_long_it_takes_to_compute_another_speed_is_heard_after_two_tiles(qapp):
    audio = Audio(np.zeros((40 * 8000, 1), np.float32), 8000)
    player, jobs = FakePlayer(live=False, rate=8000), []
    worker = SimpleNamespace(submit=jobs.append)
    player.load([audio.samples], 8000, [Strip()])
    tiles = told(player, "add_tile")
    speed = Speed(player, worker)
    speed.take(Sounds((ORIGINAL,), audio, None), None)
    player.play()
    player.step(8000)
    speed.follow(player.status(), None)
    speed.set(0.25)
    for number in (1, 2):
        assert speed.busy
        for _ in range(30):  # three seconds of music, or of waiting, a job
            player.step(800)
            speed.follow(player.status(), None)
            speed._look()
        jobs.pop().run()
        assert len(tiles) == number, "what is waited for comes by itself"
        player.step(800)
        speed.follow(player.status(), None)
        speed._look()
    assert not speed.busy
    assert player.status().position_s == pytest.approx(4.1, abs=0.2)
    for _ in range(6):
        jobs.pop().run()
    assert len(tiles) > 10, "what is not waited for comes in larger pieces"
    speed.close()


def test_keys_and_the_field_change_the_speed(piece, qtbot):
    window, speed = piece.window, piece.listening.speed
    press(window, Qt.Key.Key_Comma)
    press(window, Qt.Key.Key_Comma)
    assert speed.wanted == 0.9
    assert window.transport.speed.value() == 90
    press(window, Qt.Key.Key_Period)
    assert speed.wanted == 0.95
    field = window.transport.speed
    field.selectAll()
    QTest.keyClicks(field, "60")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert speed.wanted == 0.6
    assert field.text() == "60 %"
    assert field.busy
    qtbot.waitUntil(lambda: piece.listening.status.stretched > 0 and not field.busy, timeout=20_000)
    QTest.mouseDClick(field.lineEdit(), Qt.MouseButton.LeftButton)
    assert speed.wanted == 1.0
    press(window, Qt.Key.Key_Comma)
    press(window, Qt.Key.Key_Slash)
    assert speed.wanted == 1.0
    assert field.value() == 100


def test_the_wheel_and_the_menu_of_the_field(piece):
    field = piece.window.transport.speed

    def turn(notches: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
        at = QPointF(20, 10)
        QApplication.sendEvent(
            field,
            QWheelEvent(
                at, field.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, keys,
                Qt.ScrollPhase.NoScrollPhase, False,
            ),
        )  # fmt: skip

    turn(-1)
    assert piece.listening.speed.wanted == 0.95
    turn(1, Qt.KeyboardModifier.ControlModifier)
    assert piece.listening.speed.wanted == 0.96
    menu = field.menu()
    next(action for action in menu.actions() if action.text() == "50 %").trigger()
    assert piece.listening.speed.wanted == 0.5


def test_the_mix_and_an_edit_after_it_are_heard_at_another_speed(separated, qtbot):
    listening = separated.listening
    listening.speed.set(0.5)
    qtbot.waitUntil(lambda: listening.status.stretched > 0, timeout=20_000)
    before = listening.status.stretched
    separated.session.decompose()
    qtbot.waitUntil(lambda: not separated.worker.busy and not separated.session.decomposing, timeout=30_000)
    qtbot.waitUntil(lambda: listening.status.stretched > before and not listening.speed.busy, timeout=20_000)
    assert len(listening.status.peaks) == len(listening.channels)


def test_the_tempo_is_said_as_fast_as_it_plays(piece, qtbot):
    window = piece.window
    piece.listening.seek(1.0)
    qtbot.waitUntil(lambda: window.transport.tempo.text() == "♩ = 120", timeout=20_000)
    piece.listening.speed.set(0.5)
    qtbot.waitUntil(lambda: window.transport.tempo.text() == "♩ = 60", timeout=20_000)


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
