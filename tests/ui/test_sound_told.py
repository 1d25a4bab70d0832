"""What the player says of itself is on the window as long as it is true, and no longer."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui.conftest import names, small_piece

from soli.playback.transport import SHORTEST_LOOP_S
from soli.project.pipeline import Loaded
from soli.project.state import ORIGINAL

SILENT = "No sound device was found, so the music runs silently until it is there; connect it, or choose one."
THERE = "The sound device Scarlett is there; the music plays on it."


@pytest.fixture
def say(piece, qtbot):
    """Has the player say a message and news from now on."""
    player, status = piece.listening._player, piece.listening._player.status

    def says(message: str = "", news: str = "") -> None:
        player.status = lambda: replace(status(), message=message, news=news)
        qtbot.waitUntil(lambda: piece.listening.status.message == message and piece.listening.status.news == news)

    return says


def banner(piece):
    return piece.window.roll.banner


def test_trouble_is_shown_until_it_is_over_and_that_is_told(piece, say):
    say(SILENT)
    assert banner(piece).isVisible()
    assert banner(piece).text.text() == SILENT
    assert banner(piece).property("kind") == "warning"
    say("", THERE)
    assert banner(piece).text.text() == THERE
    assert banner(piece).property("kind") == "information"


def test_trouble_that_was_closed_or_gave_way_to_other_words_stays_away(piece, say):
    say(SILENT)
    QTest.mouseClick(banner(piece).close_button, Qt.MouseButton.LeftButton)
    assert not banner(piece).isVisible()
    say(SILENT)
    assert not banner(piece).isVisible()
    say("Other trouble.")
    banner(piece).say("information", "Saved")
    say("")
    assert banner(piece).text.text() == "Saved"
    assert banner(piece).isVisible()


def test_trouble_that_comes_back_is_shown_again(piece, say):
    say(SILENT)
    say("")
    assert not banner(piece).isVisible()
    say(SILENT)
    assert banner(piece).isVisible()


def test_who_opens_another_piece_hears_of_it_there_too(piece, say, qtbot):
    say(SILENT)
    piece.document.restore(Loaded(small_piece()))
    qtbot.waitUntil(lambda: banner(piece).isVisible() and banner(piece).text.text() == SILENT)


def test_a_loop_is_never_shown_shorter_than_it_is_heard(piece):
    piece.listening.set_loop((1.0, 1.001))
    assert piece.listening.loop == (1.0, pytest.approx(1.0 + SHORTEST_LOOP_S))
    assert piece.window.roll.ruler._loop == piece.listening.loop


def levels(piece, qtbot, wanted) -> None:
    """The strips that sound as the music plays are these."""
    piece.listening.seek(1.0)
    if not piece.listening.status.playing:
        QTest.keyClick(piece.window.roll.canvas, Qt.Key.Key_Space)

    def sounding() -> set[int]:
        return {i for i, peak in zip(piece.listening.channels, piece.listening.status.peaks, strict=True) if peak > 1e-4}

    qtbot.waitUntil(lambda: sounding() == wanted)


def test_the_original_is_heard_where_it_is_soloed_and_is_no_part_of_the_mix_afterwards(separated, qtbot):
    mixer = separated.window.mixer
    before = {i: separated.document.state.strip(i) for i in separated.listening.channels}
    qtbot.mouseClick(mixer.strip_widget(ORIGINAL).solo, Qt.MouseButton.LeftButton)
    levels(separated, qtbot, {ORIGINAL})
    assert not mixer.strip_widget(ORIGINAL).gain.property("silent")
    assert mixer.strip_widget(0).gain.property("silent")
    qtbot.mouseClick(mixer.strip_widget(ORIGINAL).solo, Qt.MouseButton.LeftButton)
    mixer.solo_only(ORIGINAL)
    levels(separated, qtbot, {ORIGINAL})
    mixer.solo_only(ORIGINAL)
    levels(separated, qtbot, {*separated.listening.channels} - {ORIGINAL})
    assert {i: separated.document.state.strip(i) for i in separated.listening.channels} == before
    assert names(separated)[-1] == "end solo of the original"


def test_the_original_is_compared_where_a_layer_is_soloed(separated, qtbot):
    qtbot.mouseClick(separated.window.mixer.strip_widget(1).solo, Qt.MouseButton.LeftButton)
    levels(separated, qtbot, {1})
    separated.window.actions_["compare"].trigger()
    levels(separated, qtbot, {ORIGINAL})
    separated.window.actions_["compare"].trigger()
    levels(separated, qtbot, {1})


def test_a_gain_that_is_set_before_there_are_layers_does_not_put_the_original_into_their_mix(piece, qtbot):
    original = piece.window.mixer.strip_widget(ORIGINAL)
    assert not original.mute.isChecked()
    QTest.keyClick(original.fader, Qt.Key.Key_Left)
    assert names(piece) == ["set gain of the original"]
    assert piece.document.state.strip(ORIGINAL).gain_db == -0.5
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None and not piece.worker.busy)
    assert original.mute.isChecked()
    levels(piece, qtbot, {*piece.listening.channels} - {ORIGINAL})


def test_the_menu_of_the_original_can_be_had_where_it_has_entries(piece, qtbot):
    button = piece.window.mixer.strip_widget(ORIGINAL).menu_button
    assert not button.isEnabled()
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None and not piece.worker.busy)
    assert button.isEnabled()
