"""Layers that lie in the saved project come from there into the autosave, as long as that is good for anything."""

import threading
from dataclasses import replace

import pytest
from project.keeping import crashed, deleted, same_results, wait_for

from soli.files import stamp_of
from soli.progress import finish
from soli.project import autosave, recovery, storage
from soli.project.autosave import Snapshot
from soli.project.signals import Signals
from soli.project.storage import copying


def test_layers_of_the_saved_project_are_taken_from_there(tmp_path, place, keeper, state, separation):
    path = tmp_path / "song.soli"
    storage.save(path, state, separation=separation)
    keeper.forget(separation, (path, stamp_of(path)))
    edited = deleted(state, 1)
    assert keeper.flush(Snapshot(edited, separation)) is not None
    same_results(finish(recovery.recover_steps(crashed(place, tmp_path / "later"))).separation, separation)


def test_edits_are_written_while_layers_are_copied_from_a_slow_place(tmp_path, place, keeper, state, separation, monkeypatch):
    path, begun, rows, over = tmp_path / "song.soli", threading.Event(), copying._rows, threading.Event()
    storage.save(path, state, separation=separation)

    def slowly(path):
        for row in rows(path):
            begun.set()
            over.wait(0.1)
            yield row

    monkeypatch.setattr(copying, "_rows", slowly)
    monkeypatch.setattr(autosave, "QUIET_S", 0.01)
    keeper.forget(separation, (path, stamp_of(path)))
    keeper.keep(Snapshot(deleted(state, 0), separation))
    assert begun.wait(60)
    edited = deleted(state, 1)
    keeper.keep(Snapshot(edited, separation))
    wait_for(lambda: keeper._written is edited)
    assert keeper._packed is None, "the layers are still on their way"
    over.set()
    wait_for(lambda: keeper._packed is separation)
    same_results(finish(recovery.recover_steps(crashed(place, tmp_path / "later"))).separation, separation)


@pytest.mark.parametrize("fault", ["replaced", "replaced meanwhile", "gone", "garbage", "silent"])
def test_layers_that_cannot_be_copied_are_written_anew(tmp_path, place, keeper, state, separation, monkeypatch, fault):
    path, rows, over = tmp_path / "song.soli", copying._rows, threading.Event()
    storage.save(
        path, state, separation=replace(separation, signals=Signals(dict.fromkeys(separation.signals, state.audio.samples)))
    )
    stamp = (0, 0) if fault == "replaced" else stamp_of(path)
    if fault == "gone":
        path.unlink()
    elif fault == "garbage":
        path.write_bytes(b"garbage" * 1000)
        stamp = stamp_of(path)

    def disturbed(path):
        for number, row in enumerate(rows(path)):
            if number == 3 and fault == "silent":
                over.wait()
            elif number == 3:
                path.write_bytes(path.read_bytes() + b"more")
            yield row

    if fault in ("silent", "replaced meanwhile"):
        monkeypatch.setattr(copying, "_rows", disturbed)
        monkeypatch.setattr(copying, "SILENT_S", 0.2 if fault == "silent" else 60.0)
    keeper.forget(separation, (path, stamp))
    assert keeper.flush(Snapshot(deleted(state, 1), separation)) is not None
    over.set()
    same_results(finish(recovery.recover_steps(crashed(place, tmp_path / "later"))).separation, separation)
