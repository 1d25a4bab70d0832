"""Whether places answer, and how files are seen."""

import os
import threading
import time

import pytest

from soli.files import answering_steps, stamp_of
from soli.progress import Progress, finish, visiting


def test_whatever_a_place_says_is_an_answer(tmp_path):
    asked = [tmp_path, tmp_path / "none", tmp_path / ("x" * 5000), tmp_path / "a\0b"]
    assert finish(answering_steps(asked, 60.0)) == asked
    assert finish(answering_steps([], 60.0)) == []


def test_a_place_that_says_nothing_is_left_alone(tmp_path, monkeypatch):
    silent, over = tmp_path / "silent", threading.Event()
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **options: over.wait() if path == silent else real(path, **options))
    steps = answering_steps([silent, tmp_path], 0.3)
    report = next(steps)
    assert report.place == silent
    began_s = time.monotonic()
    assert finish(steps) == [tmp_path]
    assert time.monotonic() - began_s < 60
    over.set()


def test_asking_can_be_left_off(tmp_path, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(os, "stat", lambda *_, **__: over.wait())
    steps = answering_steps([tmp_path], 1e9)
    next(steps)
    steps.close()
    over.set()


def test_a_file_is_seen_to_have_changed(tmp_path):
    path = tmp_path / "a"
    assert stamp_of(path) is None
    path.write_bytes(b"one")
    first = stamp_of(path)
    assert first == stamp_of(path)
    path.write_bytes(b"four")
    assert stamp_of(path) != first
    os.utime(path, ns=(0, 0))
    assert stamp_of(path) == (0, 4)


def test_reports_name_the_place_unless_they_name_another(tmp_path):
    def steps():
        yield Progress(0, 2, "here", loss=1.0)
        yield Progress(1, 2, "there", place=tmp_path / "there")
        return 7

    work = visiting(tmp_path, steps())
    assert next(work) == Progress(0, 2, "here", loss=1.0, place=tmp_path)
    assert next(work).place == tmp_path / "there"
    with pytest.raises(StopIteration) as end:
        next(work)
    assert end.value.value == 7
