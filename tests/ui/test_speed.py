"""Another speed: what is heard, what is computed first, and what the field says of it."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import small_piece
from ui.practice import DirectWorker, listening_by_hand, press, settle, told

from soli.playback.player import FakePlayer, Strip
from soli.playback.stretch import Excerpt, reader
from soli.project.pipeline import Loaded
from soli.project.state import ORIGINAL
from soli.signal.audio import Audio
from soli.ui.sounds import Sounds
from soli.ui.speed import Speed


@pytest.fixture
def quiet(qapp):
    with listening_by_hand() as room:
        yield room


def test_at_another_speed_the_recording_itself_is_heard_stretched(quiet):
    document, player, listening = quiet
    listening.speed.set(0.5)
    settle(player, listening)
    assert listening.status.stretched
    assert not listening.speed.busy
    listening._player.play()
    out = np.concatenate([player.step(256) for _ in range(40)])
    audio = document.state.audio
    excerpt = Excerpt(0, len(out), audio.rate, 0.5)
    expected = excerpt.made_of(reader(audio.samples)(*excerpt.source), audio.samples.shape[1])
    # Where sections meet each has phases of its own: alike is what is heard of each pitch, and how loud it is.
    spectra = [np.abs(np.fft.rfft(sound[512:, 0] * np.hanning(len(out) - 512))) for sound in (out, expected)]
    assert (spectra[0] * spectra[1]).sum() > 0.95 * np.sqrt((spectra[0] ** 2).sum() * (spectra[1] ** 2).sum())
    assert (out[:, :1] ** 2).sum() == pytest.approx((expected**2).sum(), rel=0.1)


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
    assert after(lambda: speed.take(sounds, [(round(5.1 * 8000), round(5.15 * 8000))])) == list(range(24, 28))
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
