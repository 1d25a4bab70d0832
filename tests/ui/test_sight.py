"""How the roll is looked at: axes, light, opacity, wheels; each remembered or undone by its opposite."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.conftest import Eye

from soli.app import Application
from soli.decompose.note_energy import as_strengths, note_energies
from soli.playback.player import FakePlayer
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.project.state import State
from soli.settings import Settings
from soli.signal.audio import Audio
from soli.ui.beats import Beats

CTRL, SHIFT, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier

STILL = QPoint()
RATE = 8000


def turn(widget, x, y, *, notches=STILL, pixels=STILL, keys=NONE) -> None:
    at = QPointF(x, y)
    event = QWheelEvent(
        at, widget.mapToGlobal(at), pixels, notches, Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(widget, event)


@pytest.fixture
def linear(piece, canvas, qtbot):
    piece.window.actions_["linear"].trigger()
    qtbot.waitUntil(lambda: not piece.picture_worker.busy)
    return piece


def test_notes_are_moved_on_the_linear_axis_as_on_the_other(linear, canvas, hand):
    view, note = canvas.view, linear.document.state.notes[0]
    view.show(0.0, 4.0, 55, 75)

    def place(time_s, pitch):
        return view.x_of(time_s), view.edge_of(pitch)

    hand(canvas).drag(place(0.4, 64), place(0.9, 67))
    moved = linear.document.state.notes[0]
    assert moved.pitch == 67
    assert moved.onset_s - note.onset_s == pytest.approx(0.5, abs=0.03)
    linear.document.undo()
    assert linear.document.state.notes[0] == note


def test_the_linear_axis_has_a_picture_of_its_own_and_is_remembered(linear, canvas):
    assert canvas.scene.images["linear"].picture.lowest == 0.0
    assert canvas.scene.images["log"].picture.ready > 0
    assert linear.settings.frequency_axis == "linear"
    linear.window.actions_["linear"].trigger()
    assert canvas.view.axis == "log"
    assert linear.settings.frequency_axis == "log"


def test_axis_light_and_opacity_come_back_with_the_settings(qapp, qtbot):
    settings = Settings(frequency_axis="linear", brightness=0.3, contrast=2.0, opacity="velocity")
    built = Application(qapp, FakePlayer(), settings)
    qtbot.addWidget(built.window)
    canvas = built.window.roll.canvas
    assert (canvas.view.axis, canvas.scene.brightness, canvas.scene.contrast) == ("linear", 0.3, 2.0)
    assert built.window.actions_["opacity_velocity"].isChecked()
    assert not built.window.actions_["opacity_confidence"].isChecked()
    built.close()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(frequency_axis="?", opacity="?"),
        Settings(brightness=float("nan"), contrast=float("inf")),
        Settings(contrast=-3.0),
    ],
)
def test_settings_that_make_no_sense_do_no_harm(settings, qapp, qtbot):
    built = Application(qapp, FakePlayer(), settings)
    qtbot.addWidget(built.window)
    canvas = built.window.roll.canvas
    assert canvas.view.axis == "log"
    assert -1 <= canvas.scene.brightness <= 1
    assert 0.2 <= canvas.scene.contrast <= 5
    built.close()


def test_light_goes_step_by_step_and_stops_at_its_ends(piece):
    canvas, actions = piece.window.roll.canvas, piece.window.actions_
    actions["brighter"].trigger()
    assert canvas.scene.brightness == pytest.approx(0.1)
    actions["darker"].trigger()
    assert canvas.scene.brightness == pytest.approx(0.0)
    for _ in range(30):
        actions["more_contrast"].trigger()
    assert canvas.scene.contrast == 5.0
    for _ in range(60):
        actions["less_contrast"].trigger()
    assert canvas.scene.contrast == 0.2
    assert piece.settings.contrast == 0.2


def test_the_popover_shows_and_sets_the_light(piece):
    canvas, popover = piece.window.roll.canvas, piece.sight.popover
    piece.window.actions_["brighter"].trigger()
    piece.window.actions_["sound_light"].trigger()
    assert popover.isVisible()
    assert popover.brightness.value() == 10
    QTest.keyClick(popover.brightness, Qt.Key.Key_Right)
    assert canvas.scene.brightness == pytest.approx(0.11)
    popover.contrast.setValue(100)
    assert canvas.scene.contrast == pytest.approx(5.0)
    popover.reset.click()
    assert (canvas.scene.brightness, canvas.scene.contrast) == (0.0, 1.0)
    assert (piece.settings.brightness, piece.settings.contrast) == (0.0, 1.0)
    QTest.keyClick(popover.reset, Qt.Key.Key_Escape)
    assert not popover.isVisible()
    assert canvas.hasFocus()


def test_the_popover_goes_when_something_else_is_pointed_at(piece, place, hand):
    canvas, popover = piece.window.roll.canvas, piece.sight.popover
    piece.window.actions_["sound_light"].trigger()
    assert popover.isVisible()
    hand(canvas).click(30, 30)
    assert not popover.isVisible()
    piece.window.actions_["sound_light"].trigger()
    piece.window.actions_["sound_light"].trigger()
    assert not popover.isVisible()


def strengths(canvas) -> dict[int, float]:
    return dict(zip(canvas.field.notes.id.tolist(), canvas.field.notes.strength.tolist(), strict=True))


def test_opacity_says_what_is_chosen(separated, qtbot):
    canvas, actions = separated.window.roll.canvas, separated.window.actions_
    actions["opacity_velocity"].trigger()
    assert strengths(canvas)[0] == pytest.approx(80 / 127)
    assert strengths(canvas)[10] == pytest.approx(70 / 127)
    actions["opacity_none"].trigger()
    assert set(strengths(canvas).values()) == {1.0}
    actions["opacity_energy"].trigger()
    wanted = as_strengths(note_energies(separated.document.separation.factors))
    qtbot.waitUntil(lambda: strengths(canvas) == pytest.approx(wanted, abs=1e-6))
    assert max(strengths(canvas).values()) == 1.0
    actions["opacity_confidence"].trigger()
    assert strengths(canvas) == pytest.approx({i: canvas.field.confidence[i] for i in canvas.field.notes.id.tolist()})
    assert [key for key in ("confidence", "energy", "velocity", "none") if actions[f"opacity_{key}"].isChecked()] == [
        "confidence"
    ]


def test_energies_follow_the_next_separation(separated, qtbot):
    canvas = separated.window.roll.canvas
    separated.window.actions_["opacity_energy"].trigger()
    qtbot.waitUntil(lambda: min(strengths(canvas).values()) < 1.0)
    former = separated.document.separation
    separated.selection.set({0})
    separated.window.actions_["delete"].trigger()
    qtbot.waitUntil(lambda: separated.document.separation is not former, timeout=20_000)
    wanted = as_strengths(note_energies(separated.document.separation.factors))
    qtbot.waitUntil(lambda: strengths(canvas) == pytest.approx(wanted, abs=1e-6))
    assert 0 not in strengths(canvas)


def test_wheels_over_the_ruler_zoom_and_scroll_in_time(piece, canvas):
    view, ruler = canvas.view, piece.window.roll.ruler
    view.show(1.0, 2.0, 44, 72)
    fixed, span = view.time_at(300), view.span_s
    turn(ruler, 300, 10, notches=QPoint(0, 120))
    assert view.span_s == pytest.approx(span / 1.25)
    assert view.time_at(300) == pytest.approx(fixed)
    turn(ruler, 300, 10, notches=QPoint(0, -40))  # a third of a notch of a fine wheel
    assert view.span_s == pytest.approx(span / 1.25 * 1.25 ** (1 / 3))
    start = view.start_s
    turn(ruler, 300, 10, notches=QPoint(0, -120), keys=SHIFT)
    assert view.start_s == pytest.approx(start + 0.1 * view.span_s)
    start = view.start_s
    turn(ruler, 300, 10, notches=QPoint(120, 0), pixels=QPoint(30, 0))
    assert view.start_s == pytest.approx(start - 30 / view.px_per_s)


def test_wheels_over_the_keys_scroll_and_zoom_in_pitch(piece, canvas):
    view, keys = canvas.view, piece.window.roll.keyboard
    top, start = view.top, view.start_s
    turn(keys, 20, 200, notches=QPoint(0, 120))
    assert view.top == pytest.approx(top + 3)
    turn(keys, 20, 200, notches=QPoint(0, -120), pixels=QPoint(0, -25))
    assert view.top == pytest.approx(top + 3 - 25 / view.px_per_semitone)
    fixed, semitones = view.fine_pitch_at(200), view.semitones
    turn(keys, 20, 200, notches=QPoint(0, 120), keys=CTRL)
    assert view.semitones < semitones
    assert view.fine_pitch_at(200) == pytest.approx(fixed)
    assert view.start_s == start


def test_wheels_over_the_overview_scroll_and_zoom(piece, canvas):
    view, overview = canvas.view, piece.window.roll.minimap
    view.show(1.0, 2.0)
    span = view.span_s
    turn(overview, overview.width() * 1.5 / view.duration_s, 20, notches=QPoint(0, 120), keys=CTRL)
    assert view.span_s == pytest.approx(span / 1.25)
    assert view.start_s < 1.5 < view.end_s
    start = view.start_s
    turn(overview, 100, 20, notches=QPoint(0, -120))
    assert view.start_s == pytest.approx(start + 0.1 * view.span_s)


def test_two_fingers_move_what_is_under_them(piece, canvas):
    view = canvas.view
    view.show(1.0, 2.0, 50, 60)
    time_s, pitch = view.time_at(300), view.fine_pitch_at(200)
    turn(canvas, 300, 200, notches=QPoint(40, -60), pixels=QPoint(12, -18))
    assert view.time_at(312) == pytest.approx(time_s)
    assert view.fine_pitch_at(182) == pytest.approx(pitch)


def test_the_key_under_the_pointer_is_named(piece, canvas, place, hand):
    keyboard = piece.window.roll.keyboard
    hand(canvas).move(*place(1.0, 66))
    assert keyboard._pointed == 66
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert keyboard._pointed is None


def test_an_edit_paints_only_around_the_notes_that_changed(piece, canvas, qtbot):
    qtbot.waitUntil(lambda: not (canvas.scene.moving or piece.worker.busy or piece.picture_worker.busy))
    qtbot.wait_still(canvas)
    view = canvas.view
    for _ in range(5):
        before, eye = piece.document.state.notes[0], Eye(canvas)
        piece.document.do(commands.move_notes(piece.document.state, {0}, seconds=0.3))
        qtbot.waitUntil(lambda eye=eye: bool(eye.seen))
        whole = eye.seen[0]
        for rect in eye.seen:
            whole = whole.united(rect)
        if whole.width() < view.width:
            break
        # The whole picture was painted for something else that came late; an edit that does so does it every time.
        qtbot.wait_still(canvas)
    assert whole.left() <= view.x_of(before.onset_s)
    assert whole.right() >= view.x_of(before.offset_s + 0.3)
    assert whole.top() <= view.y_of(64)
    assert whole.width() < view.width / 2
    assert whole.height() < 4 * view.px_per_semitone


def test_hidden_layers_cannot_be_clicked(piece, canvas, place, hand):
    piece.document.do(commands.set_layer_flags(piece.document.state, 0, hidden=True))
    hand(canvas).click(*place(0.4, 64))
    assert piece.selection.ids == frozenset()
    piece.document.undo()
    hand(canvas).click(*place(0.4, 64))
    assert piece.selection.ids == {0}


def test_the_loop_is_tinted_on_the_roll_and_in_the_overview(piece, canvas, qtbot):
    canvas.view.show(0.0, 4.0, 44, 72)
    qtbot.waitUntil(lambda: not (piece.worker.busy or piece.picture_worker.busy))
    seen = []
    for on in (False, True):
        if on:
            piece.listening.set_loop((1.0, 2.0))
        qtbot.wait_still(canvas)
        qtbot.wait_still(piece.window.roll.minimap)
        seen.append([widget.grab().toImage() for widget in (canvas, piece.window.roll.minimap)])
    for index, widget in enumerate((canvas, piece.window.roll.minimap)):
        before, after = (images[index] for images in seen)
        x_of = canvas.view.x_of if index == 0 else piece.window.roll.minimap._x
        inside, outside = round(x_of(1.5)), round(x_of(3.0))
        y = widget.height() - 8
        assert before.pixelColor(inside, y) != after.pixelColor(inside, y)
        assert before.pixelColor(outside, y) == after.pixelColor(outside, y)


def test_another_recording_has_pictures_of_its_own(linear, canvas, qtbot):
    former = {axis: image.picture for axis, image in canvas.scene.images.items()}
    assert set(former) == {"log", "linear"}
    state = linear.document.state
    shorter = replace(state, audio=Audio(state.audio.samples[: RATE * 2], RATE))
    linear.document.restore(Loaded(shorter))
    qtbot.waitUntil(lambda: set(canvas.scene.images) == {"log", "linear"} and not linear.picture_worker.busy)
    for axis, image in canvas.scene.images.items():
        assert image.picture is not former[axis]
        assert image.picture.ready == image.picture.values.shape[1]
        assert image.picture.ready * image.picture.hop_s == pytest.approx(2.0, abs=0.05)
    linear.document.restore(Loaded(State()))
    assert canvas.scene.images == {}


def test_the_overview_follows_edits_a_moment_later(piece, canvas, qtbot):
    overview = piece.window.roll.minimap
    qtbot.wait_still(overview)
    before = overview.grab().toImage()
    piece.document.do(commands.delete_notes(piece.document.state, set(piece.document.state.notes) - {0}))
    qtbot.waitUntil(lambda: overview.grab().toImage() != before)
    piece.document.undo()
    qtbot.waitUntil(lambda: overview.grab().toImage() == before)


def test_a_key_does_not_select_the_notes_of_hidden_layers(piece, canvas, hand):
    keyboard, view = piece.window.roll.keyboard, canvas.view
    at = 20, view.edge_of(50)
    hand(keyboard).click(*at)
    assert piece.selection.ids == {11}
    piece.document.do(commands.set_layer_flags(piece.document.state, 1, hidden=True))
    hand(keyboard).click(*at)
    assert piece.selection.ids == frozenset()


def test_bars_of_the_score_stand_above_the_seconds_of_the_recording(piece, canvas):
    ruler = piece.window.roll.ruler
    canvas.view.show(0.0, 4.0, 44, 72)
    with_bars = ruler.grab().toImage()
    ruler.set_beats(Beats())
    without = ruler.grab().toImage()

    def rows_that_differ(one, other):
        return {y for y in range(one.height()) for x in range(one.width()) if one.pixel(x, y) != other.pixel(x, y)}

    bars = rows_that_differ(with_bars, without)
    assert bars
    assert max(bars) <= ruler.height() // 2
    canvas.view.show(0.5, 2.0, 44, 72)
    assert min(rows_that_differ(without, ruler.grab().toImage())) >= ruler.height() // 2


def test_each_c_has_its_name_however_low_the_roll(piece, canvas, monkeypatch):
    keyboard, view = piece.window.roll.keyboard, canvas.view
    named = []
    monkeypatch.setattr("soli.ui.roll.keyboard.pitch_name", lambda pitch: named.append(pitch) or "C")
    view.resize(800, 160)  # the least height
    view.zoom_pitch(0.01)
    keyboard.grab()
    assert {36, 48, 60, 72, 84, 96} <= set(named)
