"""What cannot be done is told before hours are spent on it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from soli.errors import InputError
from soli.progress import finish
from soli.project import estimating, export, pipeline, preparing
from soli.project.export import Order
from soli.project.preparing import prepared_steps


def prepare(piece, state, folder, **chosen):
    return finish(prepared_steps(*piece, folder, settings=state.settings, **{"order": Order(), **chosen}))


@pytest.fixture
def unaligned(monkeypatch):
    """Nothing may be listened to."""
    monkeypatch.setattr(pipeline, "hear_steps", lambda *_args, **_options: pytest.fail("was aligned first"))


def test_it_is_what_opening_gives(piece, state, tmp_path):
    loaded, opened = prepare(piece, state, tmp_path), finish(pipeline.open_steps(*piece))
    assert loaded.state.notes == opened.state.notes
    assert loaded.state.layers == opened.state.layers
    assert loaded.state.settings == replace(state.settings, tuning_cents=opened.state.settings.tuning_cents)
    assert loaded.seconds.keys() == {"read", "align"}
    assert loaded.warning == opened.warning


def test_the_score_is_read_once_and_need_not_be_aligned(piece, state, tmp_path, unaligned, monkeypatch):
    read, paths = pipeline.read_score, []
    monkeypatch.setattr(pipeline, "read_score", lambda path: (paths.append(path), read(path))[1])
    loaded = prepare(piece, state, tmp_path, align=False, layers="one")
    assert [note.onset_s for note in loaded.state.notes.values()] == [note.onset_s for note in state.notes.values()]
    assert len(loaded.state.layers) == 1
    assert paths == [piece[1]]


def test_a_run_beyond_the_memory_is_refused_before_the_score_is_aligned(piece, state, tmp_path, unaligned, monkeypatch):
    monkeypatch.setattr(estimating, "memory_bytes", lambda: 1000)
    with pytest.raises(InputError, match="2 layers take about 1 s"):
        prepare(piece, state, tmp_path)


def test_files_beyond_the_disk_are_refused_before_the_score_is_aligned(piece, state, tmp_path, unaligned, monkeypatch):
    needed = 3 * 4 * state.audio.samples.size
    for free, order, refused in ((needed, Order(), True), (needed, Order(rate=44100), True), (4 * needed, Order(), False)):
        monkeypatch.setattr(export.shutil, "disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        if refused:
            with pytest.raises(InputError, match="MB are free"):
                prepare(piece, state, tmp_path / "out", order=order)
        else:
            prepare(piece, state, tmp_path / "out", order=order, align=False)


def test_a_form_that_cannot_hold_it_is_refused_before_the_score_is_aligned(piece, state, tmp_path, unaligned):
    with pytest.raises(InputError, match="MP3"):
        prepare(piece, state, tmp_path, order=Order(form="mp3", rate=96000))


def test_a_long_run_is_announced_before_the_score_is_aligned(piece, state, tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "LONG_S", 0.0)
    told = [p.what for p in prepared_steps(*piece, tmp_path, settings=state.settings, order=Order())]
    announced = next(i for i, what in enumerate(told) if what.startswith("Separating will take about 1 s and "))
    assert announced < told.index("Listening")
