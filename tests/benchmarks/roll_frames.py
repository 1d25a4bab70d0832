"""How long a frame of the window takes while hands work on the roll: `roll_frames.py [GESTURE ...]`, PYTHONPATH=desktop:tests.

Ten thousand notes over the spectrogram of half an hour, a window of 1920 x 1080, from the event to all that it paints. Offscreen;
under an X server with QT_QPA_PLATFORM=xcb and DISPLAY set. SOLI_CROWDED=1 puts all notes into one second, SOLI_LINEAR=1 takes the
linear frequency axis, QT_SCALE_FACTOR=2 a screen of fine pixels. Prints p50, p95 and the longest in milliseconds, and p95 of
the processor time of the window's own thread, which other programs disturb less. Run by hand: seconds on a shared machine are
no test.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from big_piece import CTRL, SHIFT, big_piece, send, wheel
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

from soli.app import Application
from soli.playback.fake import FakePlayer
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.settings import Settings
from soli.ui.roll.select_tool import SelectTool
from soli.ui.roll.toolbox import TOOLS

PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease
CROWDED = bool(os.environ.get("SOLI_CROWDED"))
MIDDLE_S = 900.0


class Hands:
    """One gesture a method; each step of it is one frame."""

    def __init__(self, soli: Application) -> None:
        self.soli, self.window = soli, soli.window
        self.roll, self.document, self.selection = soli.window.roll, soli.document, soli.selection
        self.canvas, self.view = self.roll.canvas, self.roll.view
        self.canvas.use_tool(0)

    def near(self, span_s: float = 15.0) -> None:
        self.view.show(MIDDLE_S, MIDDLE_S + (min(span_s, 1.1) if CROWDED else span_s), 40, 90)

    def at(self, note_id: int) -> tuple[float, float]:
        note, view = self.document.state.notes[note_id], self.view
        middle_s = (max(note.onset_s, view.start_s) + note.sounding_offset_s) / 2
        return view.x_of(middle_s), view.y_of(note.pitch) + 1.0

    def some(self, count: int) -> list[int]:
        """Notes in the middle of what is shown."""
        notes, view = self.canvas.field.notes, self.view
        rows = notes.within(view.start_s + 0.2 * view.span_s, view.end_s, 50, 80)
        return [int(i) for i in notes.id[rows] if i > 0][:count]

    def drag(
        self, start: tuple[float, float], way: tuple[float, float], *, steps: int = 60, over: QWidget | None = None
    ) -> Iterator[None]:
        over = over or self.canvas
        send(over, PRESS, *start)
        yield
        for i in range(1, steps + 1):
            send(over, MOVE, start[0] + way[0] * i / steps, start[1] + way[1] * i / steps)
            yield
        send(over, RELEASE, start[0] + way[0], start[1] + way[1])
        yield

    def with_tool(self, name: str, start: tuple[float, float], way: tuple[float, float]) -> Iterator[None]:
        self.canvas.use_tool(next(i for i, tool in enumerate(TOOLS) if tool.name == name))
        yield from self.drag(start, way)
        self.canvas.use_tool(0)

    def scroll_near(self) -> Iterator[None]:
        self.near()
        for _ in range(80):
            wheel(self.canvas, 600, 400, turn=QPoint(-60, 0))
            yield

    def scroll_far(self) -> Iterator[None]:
        self.near(400)
        for _ in range(80):
            wheel(self.canvas, 600, 400, turn=QPoint(-60, 0))
            yield

    def scroll_pitch(self) -> Iterator[None]:
        self.near(60)
        for i in range(80):
            wheel(self.canvas, 600, 400, turn=QPoint(0, 30 if i % 20 < 10 else -30))
            yield

    def zoom(self) -> Iterator[None]:
        self.roll.fit()
        for i in range(120):
            wheel(self.canvas, 600, 400, turn=QPoint(0, 60 if i < 60 else -60), keys=CTRL)
            yield

    def zoom_pitch(self) -> Iterator[None]:
        self.near(60)
        for i in range(80):
            wheel(self.canvas, 600, 400, turn=QPoint(0, 60 if i < 40 else -60), keys=CTRL | SHIFT)
            yield

    def fitted(self) -> Iterator[None]:
        for _ in range(40):
            self.roll.fit()
            self.canvas.update()
            yield

    def hover(self) -> Iterator[None]:
        self.near(60)
        for i in range(80):
            send(self.canvas, MOVE, 100 + 12 * i, 300 + 2 * i, button=Qt.MouseButton.NoButton)
            yield

    def drag_one(self) -> Iterator[None]:
        self.near()
        chosen = self.some(1)
        self.selection.set(())
        yield from self.drag(self.at(chosen[0]), (200, 40))

    def drag_200(self) -> Iterator[None]:
        self.near(60)
        chosen = self.some(200)
        self.selection.set(chosen)
        yield from self.drag(self.at(chosen[len(chosen) // 2]), (200, 40))

    def drag_all(self) -> Iterator[None]:
        self.near(60)
        chosen = self.some(200)
        self.selection.set(self.document.state.notes)
        send(self.canvas, PRESS, *self.at(chosen[0]))
        for i in range(30):
            send(self.canvas, MOVE, 400 + 5 * i, 300 + i)
            yield
        self.window.roll.canvas._escape()
        self.selection.set(())

    def band(self) -> Iterator[None]:
        self.near(120)
        yield from self.drag((40.0, 5.0), (1300, 700))

    def band_far(self) -> Iterator[None]:
        self.roll.fit()
        yield from self.drag((2.0, 2.0), (1500, 700))
        self.selection.set(())

    def brush(self) -> Iterator[None]:
        self.near()
        yield from self.with_tool("Forbid", (100.0, 200.0), (1200, 300))

    def rectangle(self) -> Iterator[None]:
        self.near()
        yield from self.with_tool("Rectangle", (100.0, 50.0), (1200, 700))

    def erase_masks(self) -> Iterator[None]:
        self.near()
        yield from self.with_tool("Mask eraser", (100.0, 100.0), (1200, 400))

    def harmonic(self) -> Iterator[None]:
        self.near()
        yield from self.with_tool("Harmonic", (100.0, 500.0), (1200, 20))

    def stretch(self) -> Iterator[None]:
        self.near()
        chosen = self.some(20)
        self.selection.set(chosen)
        note = self.document.state.notes[chosen[0]]
        yield from self.drag((self.view.x_of(note.sounding_offset_s) - 2, self.view.edge_of(note.pitch)), (200, 0))

    def tolerance(self) -> Iterator[None]:
        self.near()
        self.selection.set(self.some(20))
        handle = SelectTool(self.canvas).handles.all()[-1]
        yield from self.drag((handle.x, self.view.edge_of(handle.note.pitch)), (200, 0))

    def split_line(self) -> Iterator[None]:
        self.near(60)
        self.selection.set(())
        line = self.roll.split_line
        line.begin()
        yield
        for i in range(60):
            send(line, MOVE, 600, 100 + 10 * i, button=Qt.MouseButton.NoButton)
            yield
        line.leave()

    def loop(self) -> Iterator[None]:
        self.near(60)
        yield from self.drag((100.0, 30.0), (1200, 0), over=self.roll.ruler)
        self.window.listening.set_loop(None)

    def minimap(self) -> Iterator[None]:
        self.near(60)
        yield from self.drag((100.0, 30.0), (1200, 0), over=self.roll.minimap)

    def pan(self) -> Iterator[None]:
        self.near(60)
        send(self.canvas, PRESS, 700, 400, button=Qt.MouseButton.MiddleButton)
        for i in range(60):
            send(self.canvas, MOVE, 700 + 12 * i, 400 + 5 * (i % 20), button=Qt.MouseButton.MiddleButton)
            yield
        send(self.canvas, RELEASE, 700, 400, button=Qt.MouseButton.MiddleButton)

    def nudge(self) -> Iterator[None]:
        self.near()
        self.selection.set(self.some(1))
        yield
        for _ in range(30):
            self.canvas.keys.move(seconds=0.01)
            yield

    def nudge_200(self) -> Iterator[None]:
        self.near(60)
        self.selection.set(self.some(200))
        yield
        for _ in range(30):
            self.canvas.keys.move(semitones=1)
            yield

    def undo(self) -> Iterator[None]:
        for _ in range(5):
            self.document.undo()
            yield

    def delete(self) -> Iterator[None]:
        self.near(60)
        for note_id in self.some(20):
            self.document.do(commands.delete_notes(self.document.state, {note_id}))
            yield

    def playhead(self) -> Iterator[None]:
        self.near()
        for i in range(120):
            self.roll.set_playhead(MIDDLE_S + i / 60, follow=True)
            self.roll.show_sounding(MIDDLE_S + i / 60)
            yield


GESTURES = (
    "scroll_near",
    "scroll_far",
    "scroll_pitch",
    "zoom",
    "zoom_pitch",
    "fitted",
    "hover",
    "drag_one",
    "drag_200",
    "drag_all",
    "band",
    "band_far",
    "brush",
    "rectangle",
    "erase_masks",
    "harmonic",
    "stretch",
    "tolerance",
    "split_line",
    "loop",
    "minimap",
    "pan",
    "nudge",
    "nudge_200",
    "undo",
    "delete",
    "playhead",
)


def frames_ms(qt: QApplication, gesture: Callable[[], Iterator[None]]) -> list[tuple[float, float]]:
    """From an event until everything that it changed is painted, for each step of a gesture: by the clock, of the processor."""
    taken, steps = [], gesture()
    while True:
        began_s, worked_s = time.perf_counter(), time.thread_time()
        if next(steps, steps) is steps:
            return taken
        qt.processEvents()
        taken.append((1000 * (time.perf_counter() - began_s), 1000 * (time.thread_time() - worked_s)))


def main(names: list[str]) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    qt = QApplication(sys.argv[:1])
    soli = Application(qt, FakePlayer(), Settings())
    soli.window.resize(1920, 1080)
    soli.window.show()
    qt.processEvents()
    began_s = time.perf_counter()
    soli.document.restore(Loaded(big_piece(crowded=CROWDED)))
    qt.processEvents()
    print(f"first paint after {1000 * (time.perf_counter() - began_s):.0f} ms")
    while soli.worker.busy or soli.picture_worker.busy:
        qt.processEvents()
        time.sleep(0.002)
    print(f"spectrogram after {time.perf_counter() - began_s:.1f} s; roll {soli.window.roll.canvas.size().toTuple()}")
    if os.environ.get("SOLI_LINEAR"):
        soli.window.actions_["linear"].trigger()
        while soli.worker.busy or soli.picture_worker.busy:
            qt.processEvents()
            time.sleep(0.002)
    hands = Hands(soli)
    print(f"{'ms a frame':14s} {'p50':>7s} {'p95':>7s} {'max':>7s} {'p95 (cpu)':>9s}")
    for name in names or GESTURES:
        taken = frames_ms(qt, getattr(hands, name))
        clock, worked = zip(*taken, strict=True)
        p50, p95 = np.percentile(clock, [50, 95])
        thread = np.percentile(worked, 95)
        print(f"{name:14s} {p50:7.1f} {p95:7.1f} {max(clock):7.1f} {thread:9.1f}   {len(taken)} frames", flush=True)
    soli.close()


if __name__ == "__main__":
    main(sys.argv[1:])
