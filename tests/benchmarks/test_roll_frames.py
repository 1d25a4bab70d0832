"""What a frame of the roll costs with ten thousand notes: scrolled, zoomed, a note dragged, a note nudged. See roll_frames.py."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")

from itertools import cycle

import pytest
from big_piece import CTRL, big_piece, send, wheel
from PySide6.QtCore import QEvent, QPoint

from soli.app import Application
from soli.playback.player import FakePlayer
from soli.project.commands import move_notes
from soli.project.pipeline import Loaded
from soli.settings import Settings


@pytest.fixture(scope="module", params=["spread", "crowded"])
def soli(qapp, request):
    built = Application(qapp, FakePlayer(), Settings())
    built.window.resize(1920, 1080)
    built.window.show()
    built.document.restore(Loaded(big_piece(seconds=240.0, crowded=request.param == "crowded")))
    while built.worker.busy or built.picture_worker.busy:
        qapp.processEvents()
    yield built
    built.close()
    built.window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def near(soli):
    soli.window.roll.view.show(119.0, 124.0, 40, 90)
    return soli.window.roll.canvas


def test_scrolling(benchmark, soli, near, qapp):
    turns = cycle([QPoint(-60, 0)] * 20 + [QPoint(60, 0)] * 20)

    def frame():
        wheel(near, 600, 400, turn=next(turns))
        qapp.processEvents()

    benchmark(frame)


def test_zooming_out_to_the_whole_piece_and_in_again(benchmark, soli, near, qapp):
    turns = cycle([QPoint(0, -120)] * 20 + [QPoint(0, 120)] * 20)

    def frame():
        wheel(near, 600, 400, turn=next(turns), keys=CTRL)
        qapp.processEvents()

    benchmark(frame)


def test_dragging_a_note(benchmark, soli, near, qapp):
    view, notes = near.view, near.field.notes
    row = notes.within(120.0, 121.0, 50, 80)[-1]
    x, y = view.x_of(float(notes.start_s[row] + notes.end_s[row]) / 2), view.y_of(int(notes.pitch[row])) + 1
    send(near, QEvent.Type.MouseButtonPress, x, y)
    ways = cycle([*range(0, 100, 5), *range(100, 0, -5)])

    def frame():
        send(near, QEvent.Type.MouseMove, x + 20 + next(ways), y + 40)
        qapp.processEvents()

    benchmark(frame)
    assert near.tool.dragging
    near.use_tool(0)


def test_an_edit_of_one_note(benchmark, soli, near, qapp):
    notes = near.field.notes
    chosen = int(notes.id[notes.within(120.0, 121.0, 50, 80)[-1]])
    soli.selection.set({chosen})
    ways = cycle([0.05, -0.05])

    def frame():
        before = soli.document.state.notes[chosen]
        soli.document.do(move_notes(soli.document.state, {chosen}, seconds=next(ways)))
        qapp.processEvents()
        assert soli.document.state.notes[chosen] != before

    benchmark(frame)
