"""The window on an offscreen screen, with a small piece in it and a player that nobody hears."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")

import pytest
from project.states import content
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from synth import render

from soli.app import Application
from soli.errors import DeviceError
from soli.playback.devices import OutputDevice
from soli.playback.player import FakePlayer
from soli.progress import finish
from soli.project import pipeline
from soli.project.pipeline import Loaded
from soli.project.state import Layer, State
from soli.score.alignment import unaligned
from soli.score.notes import Beat, Note, Score
from soli.settings import Settings
from soli.signal import audio
from soli.ui.dialogs import audio_page
from soli.ui.dialogs.preferences_dialog import PreferencesDialog
from soli.ui.panels.note_table import NoteTable
from soli.ui.roll.toolbox import index_of
from soli.ui.theme import Theme

RATE = 8000
SETTLED = 40_000  # objects
DEVICES = (
    OutputDevice("Speakers", "ALSA", 2, 48000, is_default=True),
    OutputDevice("Desk", "ALSA", 8, 96000),
    OutputDevice("Beeper", "OSS", 1, 8000),
)
PLAYHEAD_PX = 5
NO_KEYS = Qt.KeyboardModifier.NoModifier


def small_piece() -> State:
    """Four seconds, two layers: a melody above C4 and a bass below it."""
    melody = [Note(i, 0.5 * i + 0.2, 0.5 * i + 0.6, 64 + i, 80, track=0, layer=0) for i in range(6)]
    bass = [Note(10 + i, 1.0 * i + 0.2, 1.0 * i + 1.0, 48 + 2 * i, 70, track=1, layer=1) for i in range(3)]
    notes = tuple(sorted(melody + bass, key=lambda n: n.onset_s))
    beats = tuple(Beat(0.2 + 0.5 * i, 1 + i // 4, 1 + i % 4) for i in range(8))
    score = Score(notes, ("Right hand", "Left hand"), beats, title="Small piece")
    return State(
        audio=render(notes, RATE, seed=1),
        score=score,
        alignment=unaligned(score),
        notes=MappingProxyType({n.id: n for n in notes}),
        layers=(Layer(0, "Right hand", "#5ABBF8"), Layer(1, "Left hand", "#F4828F")),
    )


@dataclass
class Hand:
    """Sends real mouse events to a widget, as the platform would."""

    widget: QWidget

    def _send(
        self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.MouseButton, keys: Qt.KeyboardModifier
    ) -> None:
        QApplication.sendEvent(self.widget, QMouseEvent(kind, at, self.widget.mapToGlobal(at), button, held, keys))

    def press(self, x: float, y: float, *, button=Qt.MouseButton.LeftButton, keys=NO_KEYS) -> None:
        self._send(QEvent.Type.MouseButtonPress, QPointF(x, y), button, button, keys)

    def move(self, x: float, y: float, *, button=Qt.MouseButton.NoButton, keys=NO_KEYS) -> None:
        self._send(QEvent.Type.MouseMove, QPointF(x, y), Qt.MouseButton.NoButton, button, keys)

    def release(self, x: float, y: float, *, button=Qt.MouseButton.LeftButton, keys=NO_KEYS) -> None:
        self._send(QEvent.Type.MouseButtonRelease, QPointF(x, y), button, Qt.MouseButton.NoButton, keys)

    def click(self, x: float, y: float, *, button=Qt.MouseButton.LeftButton, keys=NO_KEYS) -> None:
        self.press(x, y, button=button, keys=keys)
        self.release(x, y, button=button, keys=keys)

    def drag(self, start, end, *, button=Qt.MouseButton.LeftButton, keys=NO_KEYS, steps: int = 6) -> None:
        self.press(*start, button=button, keys=keys)
        for i in range(1, steps + 1):
            self.move(*(a + (b - a) * i / steps for a, b in zip(start, end, strict=True)), button=button, keys=keys)
        self.release(*end, button=button, keys=keys)

    def wheel(self, x: float, y: float, notches: float, *, keys=NO_KEYS) -> None:
        from PySide6.QtCore import QPoint

        at, turn = QPointF(x, y), QPoint(0, round(120 * notches))
        event = QWheelEvent(
            at, self.widget.mapToGlobal(at), QPoint(), turn, Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(self.widget, event)


def names(piece: Application) -> list[str]:
    """The steps that were done, by name."""
    return [edit.name for edit in piece.document.history.done]


def there_and_back(piece: Application, before: dict[str, object]) -> None:
    """Undoing all there is gives the content `before` back, and redoing all that of now."""
    after = content(piece.document.state)
    assert piece.document.history.done, "nothing was done"
    while piece.document.history.last:
        piece.document.undo()
    assert content(piece.document.state) == before
    while piece.document.history.next:
        piece.document.redo()
    assert content(piece.document.state) == after


class Eye(QObject):
    """Remembers which part of a widget was painted."""

    def __init__(self, widget) -> None:
        super().__init__()
        self.seen = []
        widget.installEventFilter(self)

    def eventFilter(self, _watched, event) -> bool:
        if event.type() == QEvent.Type.Paint:
            # The playhead is a strip of its own that comes and goes.
            self.seen += [rect for rect in event.region() if rect.width() > PLAYHEAD_PX]
        return False


class PatientBot(QtBot):
    """Waits as long as a busy machine may take: each wait ends with what it waits for, and the test's timeout ends them all."""

    LEAST_MS = 60_000

    def waitUntil(self, callback, *, timeout=LEAST_MS):
        super().waitUntil(callback, timeout=max(timeout, self.LEAST_MS))

    def waitSignal(self, signal, *, timeout=LEAST_MS, raising=None, check_params_cb=None):
        if raising is not False:  # else it is meant to see that nothing comes
            timeout = max(timeout, self.LEAST_MS)
        return super().waitSignal(signal, timeout=timeout, raising=raising, check_params_cb=check_params_cb)

    def waitExposed(self, widget, *, timeout=LEAST_MS):
        return super().waitExposed(widget, timeout=timeout)

    def wait_settled(self, window: QWidget) -> None:
        """Until all in a window has its place: laying out goes on from widget to widget, an event at a time."""
        seen: list[object] = []

        def settled() -> bool:
            seen.append([(widget.geometry().getRect(), widget.isVisible()) for widget in window.findChildren(QWidget)])
            return len(seen) > 1 and seen[-1] == seen[-2]

        self.waitUntil(settled)

    def wait_still(self, widget: QWidget, *, turns: int = 20) -> None:
        """Until a widget has not been painted for so many turns of the event loop: all that was on its way is drawn."""
        eye, counts = Eye(widget), []

        def still() -> bool:
            counts.append(len(eye.seen))
            return len(counts) > turns and counts[-1] == counts[-turns]

        self.waitUntil(still)
        widget.removeEventFilter(eye)


@pytest.fixture
def qtbot(qapp, request) -> PatientBot:
    return PatientBot(request)


def save(qtbot, app: Application, path) -> bool:
    """Save, and wait until it is told how that went."""
    safe: list[bool] = []
    app.session.save(path, safe.append)
    qtbot.waitUntil(lambda: safe != [], timeout=60_000)
    return safe[0]


def pytest_runtest_logfinish() -> None:
    """Let go of the window that was closed while no thread of another one could do it: that is for the thread of Qt."""
    gc.collect()
    if len(gc.get_objects()) > SETTLED:
        gc.freeze()  # what has been loaded is there to stay, and need not be looked through after each test


@contextmanager
def running(qtbot, qapp, *, autosaves: Path | None = None) -> Iterator[Application]:
    """A Soli in a window of the usual size, with a player that nobody hears."""
    built = Application(qapp, FakePlayer(), Settings(), autosaves=autosaves)
    built.window.resize(1280, 800)
    try:
        with qtbot.waitExposed(built.window):
            built.window.show()
        yield built
    finally:
        built.close()
        built.window.hide()
        built.window.deleteLater()
        qapp.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def application(qtbot, qapp):
    with running(qtbot, qapp) as built:
        yield built


@pytest.fixture
def autosaves(tmp_path) -> Path:
    """Where `kept` keeps what is not saved."""
    return tmp_path / "state"


@pytest.fixture
def kept(qtbot, qapp, autosaves, tmp_path) -> Iterator[Application]:
    """A Soli with autosaves, with the small piece from a recording in a folder of its own."""
    folder, state = tmp_path / "music", small_piece()
    folder.mkdir()
    audio.write(folder / "piece.wav", state.audio)
    with running(qtbot, qapp, autosaves=autosaves) as built:
        recording = audio.read(folder / "piece.wav")
        built.document.restore(Loaded(replace(state, audio=recording, recording_path=folder / "piece.wav")))
        settled(qtbot, built)
        yield built


def settled(qtbot, app: Application) -> None:
    """Wait until nothing is being opened or computed, and no file is taken hold of."""
    qtbot.waitUntil(lambda: not (app.worker.busy or app.session.opening or app.keeper.holding.busy), timeout=30_000)


@pytest.fixture
def piece(application, qtbot):
    """The application with the small piece opened in it."""
    application.document.restore(Loaded(small_piece()))
    qtbot.waitUntil(lambda: not application.worker.busy, timeout=20_000)
    return application


@pytest.fixture(scope="session")
def compiled() -> None:
    """The kernels of the decomposition, compiled before anybody waits for them: on a busy machine that takes a minute."""
    finish(pipeline.separate_steps(small_piece()))


@pytest.fixture
def separated(piece, qtbot, compiled):
    """The same after a decomposition."""
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None and not piece.worker.busy, timeout=30_000)
    return piece


@pytest.fixture
def table(piece, qtbot) -> NoteTable:
    """The note table, open, with the keyboard in its first row."""
    QTest.keyClick(piece.window, Qt.Key.Key_N)
    table = piece.window.note_table
    qtbot.waitUntil(table.grid.hasFocus, timeout=5000)
    return table


@pytest.fixture
def devices(monkeypatch):
    """No test asks the machine's own drivers."""
    found = {"now": DEVICES}

    def listed():
        if isinstance(found["now"], str):
            raise DeviceError(found["now"])
        return found["now"]

    monkeypatch.setattr(audio_page, "output_devices", listed)
    return found


@pytest.fixture
def preferences(piece, qtbot, devices):
    """Opens the dialog at a page, as the action does."""

    def opened(page: str) -> PreferencesDialog:
        piece.window.requests.preferences(page)
        dialog = piece.window.findChildren(PreferencesDialog)[-1]
        qtbot.waitExposed(dialog).__enter__()
        return dialog

    yield opened
    for dialog in piece.window.findChildren(PreferencesDialog):
        dialog.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(scope="module")
def theme(qapp) -> Theme:
    return Theme(qapp, "dark")


@pytest.fixture
def canvas(piece):
    piece.window.roll.view.show(0.0, 4.0, 44, 72)
    return piece.window.roll.canvas


@pytest.fixture
def place(canvas) -> Callable[[float, float], tuple[float, float]]:
    """Pixels of the middle of a pitch at a time."""
    view = canvas.view
    return lambda time_s, pitch: (view.x_of(time_s), view.y_of(pitch) + view.px_per_semitone / 2)


@pytest.fixture
def use(canvas) -> Callable[[str], object]:
    """Takes up a tool by name; the hand then draws with it."""

    def take(name: str) -> object:
        canvas.use_tool(index_of(name))
        return canvas.tool

    return take


@pytest.fixture
def unchanged(piece) -> Iterator[None]:
    """Checks at the end that all that was done goes back and forth."""
    before = content(piece.document.state)
    yield
    there_and_back(piece, before)


@pytest.fixture
def hand() -> type[Hand]:
    return Hand
