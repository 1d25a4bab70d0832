"""The preferences: every choice holds at once and is kept."""

import threading

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QInputDialog, QMessageBox
from ui.conftest import DEVICES

from soli.decompose.settings import ModelSettings
from soli.playback.devices import OutputDevice
from soli.project.presets import from_table, to_table
from soli.ui.dialogs import audio_page
from soli.ui.dialogs.model_dialog import ModelDialog
from soli.ui.dialogs.preferences_dialog import PAGES
from soli.ui.theme import DARK, LIGHT

# The offscreen platform says so of every dialog that is shown.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_devices_are_listed_with_their_host_and_one_may_be_chosen(piece, preferences, qtbot):
    page = preferences("Audio").audio
    qtbot.waitUntil(lambda: page.device.count() == 4)
    assert page.device.itemText(0) == "System default (Speakers)"
    assert "ALSA" in page.device.itemText(2)
    page.device.setCurrentIndex(2)
    page.device.activated.emit(2)
    assert piece.settings.device == "Desk, ALSA"
    assert piece.player.device == "Desk, ALSA"
    assert "96 kHz" in page.says.text()
    assert [page.channels.itemText(i) for i in range(page.channels.count())] == ["1 and 2", "3 and 4", "5 and 6", "7 and 8"]
    page.channels.setCurrentIndex(1)
    page.channels.activated.emit(1)
    assert (piece.settings.first_channel, piece.player.first_channel) == (2, 2)
    assert "on its channels 3 and 4" in page.says.text()
    page.latency.setCurrentIndex(2)
    page.latency.activated.emit(2)
    assert piece.settings.first_channel == 2
    assert (piece.settings.latency, piece.player.latency_s) == ("long", 0.3)
    page.device.setCurrentIndex(0)
    page.device.activated.emit(0)
    assert (piece.settings.device, piece.player.device) == ("", None)
    assert (piece.settings.first_channel, piece.player.first_channel) == (0, 0)
    assert "48 kHz" in page.says.text()
    assert not page.channels.isEnabled()
    page.device.setCurrentIndex(3)
    page.device.activated.emit(3)
    assert page.channels.currentText() == "Mono"


@pytest.mark.parametrize("is_server", [True, False])
def test_what_is_heard_on_which_channels_is_said(is_server, devices, preferences, qtbot):
    devices["now"] = (OutputDevice("Room", "ALSA", 6, 48000, is_default=True, is_server=is_server),)
    page = preferences("Audio").audio
    qtbot.waitUntil(lambda: page.device.count() == 2)
    assert ("on all its speakers" if is_server else "on its channels 1 and 2") in page.says.text()


def test_a_device_that_is_away_stays_chosen(piece, preferences, qtbot):
    piece.settings.device = "Interface, ALSA"
    page = preferences("Audio").audio
    qtbot.waitUntil(page.refresh.isEnabled)
    assert page.device.currentText() == "Interface, ALSA (not found)"
    assert piece.settings.device == "Interface, ALSA"
    assert piece.player.device is None


def test_devices_that_cannot_be_listed_are_told_in_a_sentence(devices, preferences, qtbot):
    devices["now"] = "The sound devices do not answer; try again."
    page = preferences("Audio").audio
    qtbot.waitUntil(page.refresh.isEnabled)
    assert page.says.text() == "The sound devices do not answer; try again."
    assert page.device.currentText() == "System default"
    devices["now"] = DEVICES
    page.refresh.click()
    qtbot.waitUntil(lambda: page.device.count() == 4)


@pytest.mark.parametrize("allowed", [True, False])
def test_where_the_sound_may_not_come_first_the_page_says_what_helps(allowed, preferences, qtbot, monkeypatch):
    monkeypatch.setattr(audio_page, "may_hurry", lambda: allowed)
    page = preferences("Audio").audio
    qtbot.waitUntil(lambda: "rate of the device" in page.says.text(), timeout=20_000)
    assert ("rtprio" in page.says.text()) is not allowed


def test_what_the_player_says_of_the_device_is_said_on_the_page(piece, preferences, qtbot):
    page = preferences("Audio").audio
    qtbot.waitUntil(page.refresh.isEnabled)
    piece.player._own_message = "The sound device cannot be opened."
    qtbot.waitUntil(lambda: page.says.text() == "The sound device cannot be opened.")
    piece.player._own_message = ""
    qtbot.waitUntil(lambda: "rate of the device" in page.says.text())


def test_a_list_that_comes_after_the_dialog_is_gone_does_no_harm(monkeypatch, preferences, qtbot):
    go_on, listed = threading.Event(), threading.Event()

    def slow():
        go_on.wait(60)
        listed.set()
        return DEVICES

    monkeypatch.setattr(audio_page, "output_devices", slow)
    dialog = preferences("Audio")
    dialog.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    go_on.set()
    assert listed.wait(60)
    qtbot.wait(50)


def test_a_theme_is_shown_at_once(piece, preferences):
    page = preferences("Appearance").appearance
    page.themes["light"].click()
    assert piece.theme.colours is LIGHT
    assert piece.settings.theme == "light"
    assert piece.window.actions_["light"].isChecked()
    page.themes["system"].click()
    assert piece.settings.theme == "system"
    scheme = QApplication.instance().styleHints().colorScheme()
    assert piece.theme.colours is (LIGHT if scheme == Qt.ColorScheme.Light else DARK)
    page.themes["dark"].click()
    assert piece.theme.colours is DARK


def test_following_the_playhead_is_one_choice_in_two_places(piece, preferences):
    page = preferences("Appearance").appearance
    page.follow.click()
    assert piece.settings.follow_playhead is False
    assert not piece.window.actions_["follow"].isChecked()


def test_new_projects_begin_with_the_chosen_settings(piece, preferences):
    page = preferences("Decomposition").defaults
    page.form._editors["iterations"].setValue(33)
    assert from_table(piece.settings.decomposition).iterations == 33
    assert piece.document.state.settings.iterations == 16  # a piece that is there keeps its own
    piece.document.restore(piece_without_edits(piece))
    piece.window.requests.new()
    assert piece.document.state.settings.iterations == 33
    page.restore.click()
    assert piece.settings.decomposition == {}
    assert piece.document.state.settings == ModelSettings()  # an empty one follows
    assert not piece.document.edited


def piece_without_edits(piece):
    from soli.project.pipeline import Loaded

    return Loaded(piece.document.state)


def test_a_recording_begins_with_the_chosen_settings(application, qtbot, tmp_path):
    import numpy as np
    import soundfile

    application.session.begin_with(ModelSettings(iterations=5))
    soundfile.write(tmp_path / "a.wav", np.zeros(8000, np.float32), 8000)
    application.window.open_paths([tmp_path / "a.wav"])
    qtbot.waitUntil(lambda: application.document.state.audio is not None)
    assert application.document.state.settings.iterations == 5
    assert not application.document.edited


def test_settings_that_do_not_go_together_are_not_kept(piece, preferences):
    page = preferences("Decomposition").defaults
    updates = page.form._editors["updates"]
    updates.setCurrentIndex(updates.findData("relu"))
    assert "relu" in page.says.text()
    assert piece.settings.decomposition == {}


def test_every_choice_is_saved_when_it_is_made(piece, preferences):
    made = []
    piece.window.preferences_changed.connect(lambda: made.append(dict(piece.settings.keys)))
    page = preferences("Keys").keys
    page.choose("play")
    QTest.keyClick(page.field, Qt.Key.Key_P)
    assert made == [{"play": ["P"]}]


def test_a_preset_is_kept_chosen_and_deleted(piece, monkeypatch):
    dialog = ModelDialog(piece.window, piece.document.state.settings, piece.settings)
    row, form = dialog.presets, dialog.form
    assert row.choice.currentText() == "Standard"
    assert not row.delete.isEnabled()
    form._editors["iterations"].setValue(40)
    assert row.choice.currentText() == "Own settings"
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("  Slow   and good ", True))
    row.save.click()
    assert row.choice.currentText() == "Slow and good"
    assert from_table(piece.settings.presets["Slow and good"]).iterations == 40
    row.choice.setCurrentIndex(row.choice.findText("Standard"))
    row.choice.activated.emit(0)
    assert dialog.settings() == piece.document.state.settings
    row.choice.setCurrentIndex(row.choice.findText("Slow and good"))
    row.choice.activated.emit(1)
    assert dialog.settings().iterations == 40
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    row.delete.click()
    assert piece.settings.presets == {}
    assert row.choice.currentText() == "Own settings"
    assert dialog.settings().iterations == 40


def test_a_preset_never_takes_another_ones_place_or_name_unasked(piece, monkeypatch):
    piece.settings.presets = {"Mine": to_table(ModelSettings(iterations=40))}
    dialog = ModelDialog(piece.window, piece.document.state.settings, piece.settings)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *words: asked.append(words[2]) or QMessageBox.StandardButton.No)
    monkeypatch.setattr(QMessageBox, "information", lambda *words: asked.append(words[2]))
    for name in ("Mine", "Standard", ""):
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, n=name, **__: (n, True))
        dialog.presets.save.click()
    assert len(asked) == 2
    assert from_table(piece.settings.presets["Mine"]).iterations == 40


def test_a_preset_leaves_the_tuning_of_the_recording(piece):
    piece.settings.presets = {"Mine": to_table(ModelSettings(iterations=40))}
    dialog = ModelDialog(piece.window, ModelSettings(tuning_cents=12.0), piece.settings)
    dialog.presets.choice.setCurrentIndex(dialog.presets.choice.findText("Mine"))
    dialog.presets.choice.activated.emit(1)
    assert dialog.settings() == ModelSettings(iterations=40, tuning_cents=12.0)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_fits_and_names_its_controls(piece, preferences, page, theme):
    piece.window.resize(900, 560)
    piece.theme.use(theme)
    dialog = preferences(page)
    QApplication.processEvents()
    assert dialog.height() <= 560
    for kind in (QAbstractButton, QComboBox):
        for widget in dialog.findChildren(kind):
            if widget.isVisible() and widget.objectName() not in {"qt_spinbox_lineedit"}:
                assert widget.accessibleName() or getattr(widget, "text", str)() or widget.toolTip(), widget
