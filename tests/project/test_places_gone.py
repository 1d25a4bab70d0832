"""A place that has lost its connection, as a share whose server went away: each call fails at once, and one sentence says so."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from black_hole import gone
from project.conftest import open_project

from soli.decompose.encoder import Encoder
from soli.errors import InputError, SoliError
from soli.files import stamp_of
from soli.progress import finish
from soli.project import export, export_factors, lock, picture, recovery, storage
from soli.project.autosave import Autosave, Snapshot
from soli.score.reading import read_score
from soli.signal import audio


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


def refused(work) -> str:
    with pytest.raises(SoliError) as told:
        work()
    assert "\n" not in str(told.value)
    return str(told.value)


def test_saving_there_is_told_and_the_former_file_is_whole(share, full):
    path = share / "a.soli"
    storage.save(path, full)
    with gone(share):
        assert "your work is still open" in refused(lambda: storage.save(path, replace(full, layers=())))
    assert open_project(path).state.layers == full.layers


def test_what_is_opened_from_there_is_told(share, full):
    storage.save(share / "a.soli", full)
    with gone(share):
        refused(lambda: open_project(share / "a.soli"))
        for name in ("a.wav", "a.mid", "a.csv"):
            refused(lambda name=name: (audio.read if name.endswith("wav") else read_score)(share / name))
        refused(lambda: Encoder.load(share / "a.npz"))


def test_a_project_opens_whose_recording_was_there(tmp_path, share, full):
    (tmp_path / "song.wav").rename(share / "song.wav")
    storage.save(tmp_path / "a.soli", replace(full, recording_path=share / "song.wav"))
    with gone(share):
        opened = finish(storage.open_steps(tmp_path / "a.soli", known=[share]))
        assert opened.state.layers == full.layers
        assert "song.wav" in opened.warning
        storage.save(tmp_path / "a.soli", opened.state, wanted=opened.wanted)
    assert open_project(tmp_path / "a.soli").state.audio is not None


def test_what_is_exported_there_is_told(share, state, separation):
    acts = (
        lambda: finish(export.export_steps(separation, state, share)),
        lambda: finish(export.export_steps(separation, state, share / "deeper")),
        lambda: export.export_notes(state, share / "notes.mid"),
        lambda: export.export_notes(state, share / "notes.csv"),
        lambda: picture.write_picture(share / "roll.png", state),
        lambda: finish(export_factors.export_factors_steps(separation, share / "factors.npz")),
    )
    with gone(share):
        for act in acts:
            with pytest.raises(InputError, match=re.escape(str(share))):
                act()


def test_a_lock_there_is_hollow_and_let_go_of_in_peace(share):
    path = share / "a.soli"
    with gone(share):
        held = lock.take(lock.of_project(path))
        assert held is not None
        assert held.hollow
        held.release()
        assert lock.holder(lock.of_project(path)) == ""
        assert stamp_of(path) is None
    held = lock.take(lock.of_project(path))
    with gone(share):
        held.release()


def test_work_is_recovered_without_the_project_that_was_there(tmp_path, share, full):
    storage.save(share / "a.soli", full)
    keeper = Autosave(tmp_path / "state", delay_s=0.01)
    keeper.flush(Snapshot(replace(full, layers=full.layers[:1]), path=share / "a.soli"))
    keeper.close(discard=False)
    with gone(share):
        (leftover,) = recovery.leftovers(tmp_path / "state")
        assert finish(recovery.recover_steps(leftover)).state.layers == full.layers[:1]
        leftover.discard()


def test_where_autosaves_lie_there_that_is_told(share, state):
    told: list[str] = []
    with gone(share):
        keeper = Autosave(Path(share), told.append, delay_s=0.01)
        assert keeper.flush(Snapshot(state)) is None
        keeper.close()
        assert recovery.leftovers(share) == []
    assert len(told) == 1
