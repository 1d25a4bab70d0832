"""What is open is on disk in seconds, and comes back after a crash; what was saved leaves nothing behind."""

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.keeping import crashed, deleted, same_results, wait_for
from project.states import an_edit, states

from soli.decompose import masking
from soli.errors import ProjectError
from soli.files import stamp_of
from soli.progress import finish
from soli.project import autosave, commands, lock, recovery, storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.outlook import Outlook
from soli.project.refit import refit_separation_steps
from soli.project.signals import Signals
from soli.project.state import RESIDUAL
from soli.project.storage.file import create
from soli.project.storage.schema import STATE_TABLES
from soli.project.storage.state_tables import write_state
from soli.signal.audio import Audio


def works(place: Path) -> list[Path]:
    return list(place.glob("*/work.soli"))


def stored(place: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in the only autosave; nothing while it is not there."""
    for work in works(place):
        try:
            with closing(sqlite3.connect(work)) as db:
                return db.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []
    return []


def test_an_edit_reaches_the_disk_and_comes_back(tmp_path, place, keeper, state):
    edited, outlook = deleted(state, 1), Outlook(1.0, 2.5, 40.0, 80.0, playhead_s=1.5)
    keeper.keep(Snapshot(edited, outlook=outlook, path=tmp_path / "song.soli", title="Song"))
    wait_for(lambda: stored(place, "SELECT count(*) FROM note") == [(len(edited.notes),)])
    wait_for(lambda: list(place.glob("*/about.json")) != [])
    leftover = crashed(place, tmp_path / "later")
    assert (leftover.title, leftover.path, leftover.attempts) == ("Song", tmp_path / "song.soli", 0)
    assert abs(leftover.written.timestamp() - time.time()) < 60
    opened = finish(recovery.recover_steps(leftover))
    assert opened.warning == ""
    assert dict(opened.state.notes) == dict(edited.notes)
    assert opened.outlook == outlook
    np.testing.assert_array_equal(opened.state.audio.samples, state.audio.samples)
    leftover.discard()
    assert recovery.leftovers(tmp_path / "later") == []


def test_the_last_of_many_edits_is_what_lies_there(place, keeper, state):
    for step in range(200):
        moved = commands.move_notes(state, [1], seconds=step / 100, semitones=0).apply(state)
        keeper.keep(Snapshot(moved))
    onset = moved.notes[1].onset_s
    wait_for(lambda: stored(place, "SELECT onset_s FROM note WHERE id = 1") == [(onset,)])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_writing_only_what_is_new_leaves_what_writing_all_would(data):
    first = data.draw(states())
    second = first
    for _ in range(data.draw(st.integers(1, 4))):
        second = data.draw(an_edit(second)).apply(second)
    with closing(sqlite3.connect(":memory:")) as step, closing(sqlite3.connect(":memory:")) as whole:
        for db in (step, whole):
            create(db)
        write_state(step, first, None)
        write_state(step, second, None, since=first)
        write_state(whole, second, None)
        for table in STATE_TABLES:
            query = f"SELECT * FROM {table} ORDER BY 1, 2" if table != "absent" else "SELECT * FROM absent"
            assert step.execute(query).fetchall() == whole.execute(query).fetchall(), table


def test_layers_are_kept_and_follow_edits_block_by_block(tmp_path, place, keeper, state, separation):
    keeper.flush(Snapshot(state, separation))
    silent = commands.set_absent(state, [1], absent=True).apply(state)
    followed = finish(refit_separation_steps(separation, silent))
    assert followed.patched
    assert keeper.flush(Snapshot(silent, followed)) is not None
    back = finish(recovery.recover_steps(crashed(place, tmp_path / "later")))
    same_results(back.separation, followed)
    assert back.separation.is_of(replace(silent, audio=back.state.audio))


def test_another_project_takes_nothing_over_from_the_one_before(tmp_path, place, keeper, state, separation):
    path = tmp_path / "song.soli"
    storage.save(path, state, separation=separation)
    keeper.flush(Snapshot(state, separation))
    alone = separation.layers[1]
    other = replace(separation, signals=Signals({1: alone, RESIDUAL: masking.residual(state.audio, [alone])}))
    storage.save(path, state, separation=other)
    keeper.forget(other, (path, stamp_of(path)))
    keeper.flush(Snapshot(state, other))
    same_results(finish(recovery.recover_steps(crashed(place, tmp_path / "later"))).separation, other)


def test_what_is_flushed_is_saved_without_being_made_again(tmp_path, keeper, state, separation, monkeypatch):
    from soli.project.storage import file

    kept = keeper.flush(Snapshot(state, separation, embed=True))
    monkeypatch.setattr(file, "write_results_steps", None)
    monkeypatch.setattr(file, "write_recording_steps", None)
    storage.save(tmp_path / "song.soli", state, separation=separation, embed=True, kept=kept)
    opened = finish(storage.open_steps(tmp_path / "song.soli"))
    assert opened.embeds
    same_results(opened.separation, separation)


@pytest.mark.parametrize("end", ["saved", "closed"])
def test_what_is_safe_elsewhere_leaves_nothing_behind(place, state, separation, end):
    keeper = Autosave(place, delay_s=0.01)
    keeper.flush(Snapshot(state, separation))
    assert works(place)
    if end == "saved":
        keeper.forget()
        wait_for(lambda: not list(place.iterdir()))
    keeper.close()
    assert not list(place.iterdir())


def test_closing_may_leave_it_for_the_next_start(place, state):
    keeper = Autosave(place, delay_s=60)
    keeper.keep(Snapshot(state, title="Song"))
    keeper.close(discard=False)
    (leftover,) = recovery.leftovers(place)
    assert leftover.title == "Song"


@pytest.mark.parametrize("embed", [False, True])
def test_layers_that_were_not_kept_yet_come_from_the_saved_project(tmp_path, place, state, separation, embed):
    (tmp_path / "songs").mkdir()
    here = replace(state, recording_path=shutil.copy(state.recording_path, tmp_path / "songs" / "song.wav"))
    storage.save(tmp_path / "songs" / "song.soli", here, separation=separation, embed=embed)
    if embed:
        here.recording_path.unlink()
    edited = deleted(here, 1)
    keeper = Autosave(place, delay_s=60)
    keeper.keep(Snapshot(edited, separation, path=tmp_path / "songs" / "song.soli", embed=embed))
    keeper.close(discard=False)  # writes what is edited, and no more
    (leftover,) = recovery.leftovers(place)
    opened = finish(recovery.recover_steps(leftover))
    assert dict(opened.state.notes) == dict(edited.notes)
    assert (opened.embeds, opened.warning, opened.wanted) == (embed, "", None)
    assert opened.separation.source.audio is opened.state.audio
    same_results(opened.separation, separation)
    leftover.leave()


def test_the_name_beside_a_recording_that_the_project_holds_is_not_followed_after_a_crash(tmp_path, place, state):
    """It was not looked at when the project was opened."""
    (tmp_path / "away").mkdir()
    (tmp_path / "songs").mkdir()
    named = replace(state, recording_path=shutil.copy(state.recording_path, tmp_path / "away" / "song.wav"))
    keeper = Autosave(place, delay_s=60)
    keeper.keep(Snapshot(named, path=tmp_path / "songs" / "song.soli", embed=True))
    keeper.close(discard=False)  # before the recording is written
    (leftover,) = recovery.leftovers(place)
    opened = finish(recovery.recover_steps(leftover))
    assert (opened.state.audio, opened.wanted.why) == (None, "outside")
    leftover.leave()


def test_a_project_that_was_saved_with_another_recording_completes_nothing(tmp_path, place, state, separation):
    path, other = tmp_path / "song.soli", Audio(-state.audio.samples, state.audio.rate)
    storage.save(path, replace(state, audio=other, recording_path=None), embed=True)
    keeper = Autosave(place, delay_s=60)
    keeper.keep(Snapshot(state, path=path))
    keeper.close(discard=False)
    (leftover,) = recovery.leftovers(place)
    opened = finish(recovery.recover_steps(leftover))
    np.testing.assert_array_equal(opened.state.audio.samples, state.audio.samples)
    assert opened.separation is None
    leftover.leave()


def test_the_autosave_of_a_program_that_runs_is_nobodys(place, keeper, state):
    keeper.flush(Snapshot(state))
    assert works(place)
    assert recovery.leftovers(place) == []


def test_a_leftover_is_offered_to_one_program_alone(tmp_path, place, keeper, state):
    keeper.flush(Snapshot(state))
    leftover = crashed(place, tmp_path / "later")
    assert recovery.leftovers(tmp_path / "later") == []
    leftover.leave()
    (again,) = recovery.leftovers(tmp_path / "later")
    again.leave()


def test_one_that_brings_the_program_down_is_not_tried_for_ever(tmp_path, place, keeper, state):
    keeper.flush(Snapshot(state, title="Song"))
    leftover = crashed(place, tmp_path / "later")
    for attempt in range(recovery.MOST_ATTEMPTS):
        assert not leftover.set_aside
        assert leftover.attempts == attempt
        steps = recovery.recover_steps(leftover)
        next(steps)  # and here the program ends
        steps.close()
        leftover.leave()
        (leftover,) = recovery.leftovers(tmp_path / "later")
    assert leftover.set_aside
    folder = recovery.set_aside(leftover)
    assert (folder / "work.soli").exists()
    assert recovery.leftovers(tmp_path / "later") == []


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "not begun", "odd about", "folder"])
def test_a_damaged_leftover_is_told_or_opens(tmp_path, place, keeper, state, damage):
    keeper.flush(Snapshot(state, title="Song"))
    shutil.copytree(place, tmp_path / "later")
    (work,) = works(tmp_path / "later")
    about = work.with_name("about.json")
    if damage == "garbage":
        work.write_bytes(b"nothing of use" * 1000)
        work.with_name("work.soli-wal").unlink(missing_ok=True)
    elif damage == "cut":
        work.write_bytes(work.read_bytes()[:5000])
        work.with_name("work.soli-wal").unlink(missing_ok=True)
    elif damage == "empty":
        work.write_bytes(b"")
    elif damage == "not begun":
        about.unlink()
    elif damage == "odd about":
        about.write_text('{"title": 3, "path": "\\u0000", "follows": "yes"}')
    else:
        about.unlink()
        about.mkdir()
    found = recovery.leftovers(tmp_path / "later")
    if damage in ("empty", "not begun"):
        assert found == []
        return
    (leftover,) = found
    if damage in ("garbage", "cut"):
        with pytest.raises(ProjectError) as told:
            finish(recovery.recover_steps(leftover))
        assert "\n" not in str(told.value)
    else:
        assert leftover.title == "Untitled"
        opened = finish(recovery.recover_steps(leftover, known=[state.recording_path.parent]))
        assert dict(opened.state.notes) == dict(state.notes)
    leftover.leave()


def test_a_place_that_cannot_be_written_is_told_once_and_harms_nothing(tmp_path, state):
    (tmp_path / "file").write_text("no folder")
    told: list[str] = []
    keeper = Autosave(tmp_path / "file" / "autosave", told.append, delay_s=0.01)
    assert keeper.flush(Snapshot(state)) is None
    keeper.keep(Snapshot(deleted(state, 1)))
    wait_for(lambda: keeper._next is None)
    keeper.close()
    assert len([text for text in told if "cannot be kept between saves" in text]) in (1, 2)
    assert all("\n" not in text for text in told)


def test_a_full_disk_is_told_and_what_was_written_is_whole(tmp_path, place, state):
    resource = pytest.importorskip("resource")
    import signal

    told: list[str] = []
    keeper = Autosave(place, told.append, delay_s=0.01)
    keeper.flush(Snapshot(state, title="Song"))
    many = {i: replace(state.notes[1], id=i) for i in range(100_000)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
        assert keeper.flush(Snapshot(replace(state, notes=MappingProxyType(many)))) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(told) == 1
    back = finish(recovery.recover_steps(crashed(place, tmp_path / "later")))
    assert dict(back.state.notes) == dict(state.notes)
    keeper.close()


def test_the_user_does_not_wait_for_the_disk(keeper, state, separation, monkeypatch):
    begun, goes_on = threading.Event(), threading.Event()
    write = autosave.write_state

    def slow(*args: object, **options: object) -> None:
        begun.set()
        goes_on.wait(60)
        write(*args, **options)

    monkeypatch.setattr(autosave, "write_state", slow)
    keeper.keep(Snapshot(state))
    assert begun.wait(60)
    keeper.keep(Snapshot(deleted(state, 1), separation))  # comes back while the disk is at work
    goes_on.set()


def test_a_lock_is_one_programs_and_goes_with_it(tmp_path):
    path = lock.of_project(tmp_path / "song.soli")
    mine = lock.take(path)
    assert mine is not None
    assert lock.take(path) is None
    mine.release()
    assert list(tmp_path.iterdir()) == []
    again = lock.take(path)
    assert again is not None
    again.release()


def test_a_lock_left_by_a_crash_is_free(tmp_path):
    path = lock.of_project(tmp_path / "song.soli")
    path.write_text('{"host": "elsewhere"}')
    assert lock.holder(path) == "elsewhere"
    mine = lock.take(path)
    assert mine is not None
    assert lock.holder(path) == ""
    mine.release()


def test_where_no_lock_can_lie_nothing_is_held(tmp_path):
    held = lock.take(tmp_path / "missing" / "a.lock")
    assert held is not None
    assert held.hollow
    held.release()


def test_a_link_to_a_project_has_the_lock_of_the_project(tmp_path):
    (tmp_path / "song.soli").write_text("")
    (tmp_path / "link.soli").symlink_to(tmp_path / "song.soli")
    assert lock.of_project(tmp_path / "link.soli") == lock.of_project(tmp_path / "song.soli")
