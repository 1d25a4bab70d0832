"""What the journeys' hand does arrives in a window as a person's would; so a failing journey is Soli's own."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from xserver import wait_until

# A window that paints one colour and writes down each event it gets, a line of JSON each: moves that pile up on a busy
# machine would otherwise come as one.
LISTENER = """
import json, sys
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

class Listener(QWidget):
    def event(self, event):
        kinds = {QEvent.Type.MouseButtonPress: "press", QEvent.Type.MouseButtonRelease: "release",
                 QEvent.Type.MouseButtonDblClick: "double", QEvent.Type.MouseMove: "move"}
        if event.type() in kinds:
            at = event.position()
            print(json.dumps([kinds[event.type()], round(at.x()), round(at.y()), event.modifiers().value]))
        elif event.type() == QEvent.Type.KeyPress:
            print(json.dumps(["key", event.text(), event.key(), event.modifiers().value]))
        elif event.type() == QEvent.Type.Wheel:
            print(json.dumps(["wheel", event.angleDelta().y(), 0, event.modifiers().value]))
        return super().event(event)

QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
app = QApplication(sys.argv)
app.setStyle("Fusion")
listener = Listener()
listener.setWindowTitle("Listener")
palette = listener.palette()
palette.setColor(QPalette.ColorRole.Window, QColor(200, 40, 90))
listener.setPalette(palette)
listener.show()
app.exec()
"""
SHIFT, CONTROL = 0x02000000, 0x04000000


@pytest.fixture
def listener(screen, tmp_path):
    with screen.run([sys.executable, "-c", LISTENER], home=tmp_path / "home") as program:
        window = program.window("^Listener$")
        program.wait_until(lambda: tuple(screen.pixels()[400, 600]) == (200, 40, 90), "the window's colour")
        yield program, window


def events(program):
    return [json.loads(line) for line in program.output.splitlines() if line.startswith("[")]


def test_the_window_fills_the_screen(screen, listener):
    _, window = listener
    assert window.geometry() == (0, 0, 1280, 800)
    assert window.title == "Listener"
    assert np.mean(np.all(screen.pixels() == (200, 40, 90), axis=2)) > 0.99


def test_a_click_arrives_where_it_was_meant(listener):
    program, window = listener
    window.click(300, 200)
    window.click(10, 790, modifiers=["shift"])
    program.wait_until(lambda: sum(e[0] == "release" for e in events(program)) == 2, "two clicks")
    assert [e for e in events(program) if e[0] == "press"] == [["press", 300, 200, 0], ["press", 10, 790, SHIFT]]


def test_two_quick_clicks_are_a_double_click(listener):
    program, window = listener
    window.click(300, 200, times=2)
    program.wait_until(lambda: any(e[0] == "double" for e in events(program)), "a double click")


def test_a_drag_moves_in_steps_with_the_key_held(listener):
    program, window = listener
    window.drag(100, 100, 500, 300, steps=10, modifiers=["ctrl"])
    program.wait_until(lambda: any(e[0] == "release" for e in events(program)), "the release")
    mouse = [e for e in events(program) if e[0] in {"press", "move", "release"}]
    assert mouse[0] == ["press", 100, 100, CONTROL]
    assert mouse[-1] == ["release", 500, 300, CONTROL]
    assert [e[1] for e in mouse if e[0] == "move"][-10:] == [*range(140, 501, 40)]


def test_keys_words_and_the_wheel_arrive(listener):
    program, window = listener
    window.key("space", "ctrl+z")
    window.type("Solo 1")
    window.scroll(400, 400, -2)
    program.wait_until(lambda: sum(e[0] == "wheel" for e in events(program)) == 2, "two turns of the wheel")
    keys = [e for e in events(program) if e[0] == "key" and e[1] and e[1].isprintable()]
    assert "".join(e[1] for e in keys) == " Solo 1"
    assert any(e[2] == ord("Z") and e[3] == CONTROL for e in events(program) if e[0] == "key")
    assert all(e[1] == -120 for e in events(program) if e[0] == "wheel")


def test_a_program_that_ends_is_told_from_one_that_is_slow(screen, tmp_path):
    with screen.run([sys.executable, "-c", "print('no score'); raise SystemExit(1)"], home=tmp_path / "home") as program:
        with pytest.raises(RuntimeError, match="no score"):
            program.window("Soli")
        assert program.wait() == 1
    with pytest.raises(TimeoutError, match=r"waited 0\.1 s for Godot"):
        wait_until(lambda: None, "Godot", timeout_s=0.1)


def test_leaving_ends_the_program_and_what_it_started(screen, tmp_path):
    family = "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    family += "; print(child.pid, flush=True); time.sleep(60)"
    with screen.run([sys.executable, "-c", family], home=tmp_path / "home") as program:
        child = int(program.wait_until(lambda: program.output.partition("\n")[0], "the child's number"))
        assert lives(child)
    assert not program.is_running
    wait_until(lambda: not lives(child), "the child's end")


def lives(pid: int) -> bool:
    try:
        # The state follows the name in brackets; a zombie is dead, whoever has yet to bury it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
