"""Stretching in a process of its own: the same sound, and an end to it that is said in a sentence."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from playback.test_stretch import music
from playback.waiting import eventually

from soli.errors import SoliError
from soli.playback.stretch import Excerpt, reader
from soli.playback.stretch_process import StretchProcess

EXCERPT = Excerpt(100, 4000, 8000, 0.5)


@pytest.fixture
def process() -> Iterator[StretchProcess]:
    process = StretchProcess()
    yield process
    process.close()


def sound() -> np.ndarray:
    return reader(music(1.0))(*EXCERPT.source)


def number_of(process: StretchProcess) -> int:
    assert process._process is not None
    return process._process.pid


def is_there(number: int) -> bool:
    try:
        with open(f"/proc/{number}/stat", encoding="ascii") as status:  # noqa: PTH123
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_it_makes_what_is_made_here(process):
    for guides in (1, 2):
        np.testing.assert_allclose(process(EXCERPT, sound(), guides), EXCERPT.made_of(sound(), guides), atol=1e-6)


def test_a_sound_that_is_cut_out_of_a_larger_one_is_no_trouble(process):
    wide = np.concatenate([sound(), sound()], axis=1)[:, 1:3]
    np.testing.assert_allclose(process(EXCERPT, wide, 1), EXCERPT.made_of(wide, 1), atol=1e-6)


def test_when_it_dies_that_is_said_and_the_next_one_works(process):
    process.start()
    os.kill(number_of(process), signal.SIGKILL)
    with pytest.raises(SoliError, match="once more"):
        process(EXCERPT, sound(), 2)
    assert process(EXCERPT, sound(), 2).shape == (3900, 2)


def test_what_fails_in_it_is_said_here(process, monkeypatch, tmp_path):
    (tmp_path / "python_stretch.py").write_text("raise ImportError('none for this machine')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(SoliError, match="python-stretch"):
        process(EXCERPT, sound(), 2)
    with pytest.raises(SoliError, match="python-stretch"):
        process(EXCERPT, sound(), 2)


def test_an_answer_there_is_no_room_for_does_not_answer_the_next_question(process, monkeypatch):
    music = sound()
    expected = EXCERPT.made_of(music, 1)
    process.start()
    first = number_of(process)

    def no_room(*_args: object) -> np.ndarray:
        monkeypatch.undo()
        raise MemoryError

    monkeypatch.setattr(np, "empty", no_room)
    with pytest.raises(MemoryError):
        process(EXCERPT, music, 1)
    assert not is_there(first)
    np.testing.assert_allclose(process(EXCERPT, music, 1), expected, atol=1e-6)


def test_what_is_unforeseen_is_said_and_the_next_one_works(process):
    with pytest.raises(SoliError, match="cannot be stretched"):
        process(EXCERPT._replace(speed=3.0), sound(), 1)
    assert np.isfinite(process(EXCERPT, sound(), 1)).all()


def test_closing_ends_it_even_while_it_works(process):
    process.start()
    number = number_of(process)
    failures: list[str] = []

    def work() -> None:
        try:
            while True:
                process(EXCERPT, sound(), 2)
        except SoliError as error:
            failures.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    process.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert len(failures) == 1
    assert eventually(lambda: not is_there(number))
    with pytest.raises(SoliError):
        process.start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_never_outlives_a_window_that_is_killed():
    program = (
        "from soli.playback.stretch_process import StretchProcess\n"
        "if __name__ == '__main__':\n"
        "    process = StretchProcess()\n"
        "    process.start()\n"
        "    print(process._process.pid, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as window:
        assert window.stdout is not None
        number = int(window.stdout.readline())
        assert is_there(number)
        window.kill()
        assert eventually(lambda: not is_there(number))
