"""What a user may not read or write is told in one sentence, and what was there stays. Permissions hold here."""

from dataclasses import replace
from pathlib import Path

import pytest
from permissions import closed, unprivileged
from project.conftest import open_project
from project.states import listing

from soli.decompose.encoder import Encoder
from soli.errors import InputError, ProjectError, SoliError
from soli.progress import finish
from soli.project import commands, export, export_factors, lock, picture, recovery, storage
from soli.project.autosave import Autosave, Snapshot
from soli.score.reading import read_score
from soli.settings import Settings, load
from soli.settings import save as save_settings
from soli.signal import audio


@pytest.fixture
def path(tmp_path, full):
    """A project in a folder of its own; its recording lies outside."""
    folder = tmp_path / "closed"
    folder.mkdir()
    storage.save(folder / "a.soli", full)
    return folder / "a.soli"


def refused(work, words: str = "Permission denied|may not be written") -> str:
    """The sentence that `work` ends in."""
    with pytest.raises(SoliError, match=words) as told:
        unprivileged(work)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_they_hold(tmp_path):
    """Else all of the following would be empty."""
    with closed(tmp_path, 0o500), pytest.raises(PermissionError):
        unprivileged(lambda: (tmp_path / "a").write_bytes(b""))
    (tmp_path / "b").write_bytes(b"")
    with closed(tmp_path / "b", 0o000), pytest.raises(PermissionError):
        unprivileged((tmp_path / "b").read_bytes)


@pytest.mark.parametrize("mode", [0o500, 0o400, 0o000])
def test_saving_into_a_closed_folder_is_told(path, full, mode):
    before = path.read_bytes()
    with closed(path.parent, mode):
        told = refused(lambda: storage.save(path, replace(full, layers=())))
        refused(lambda: storage.save(path.with_name("new.soli"), full))
    assert "your work is still open" in told
    assert path.read_bytes() == before
    assert listing(path.parent) == ["a.soli"]


@pytest.mark.parametrize("mode", [0o400, 0o000])
def test_a_file_that_may_not_be_written_is_not_replaced(path, full, mode):
    before = path.read_bytes()
    with closed(path, mode):
        refused(lambda: storage.save(path, replace(full, layers=())))
    assert path.read_bytes() == before
    assert listing(path.parent) == ["a.soli"]


def test_a_project_in_a_folder_that_may_not_be_written_opens(path, full):
    with closed(path.parent, 0o500), closed(path, 0o400):
        assert unprivileged(lambda: open_project(path)).state.layers == full.layers
        held = unprivileged(lambda: lock.take(lock.of_project(path)))
        assert held is not None
        assert held.hollow
    assert listing(path.parent) == ["a.soli"]


@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_project_that_may_not_be_read_is_told(path, part):
    with closed(path if part == "file" else path.parent, 0o000), pytest.raises(ProjectError) as told:
        unprivileged(lambda: open_project(path))
    assert "a.soli" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("part", ["file", "folder"])
def test_the_rest_of_a_project_opens_where_its_recording_may_not_be_read(tmp_path, path, full, part):
    apart = tmp_path / "sound"
    apart.mkdir()
    (tmp_path / "song.wav").rename(apart / "song.wav")
    storage.save(path, replace(full, recording_path=apart / "song.wav"))
    with closed(apart / "song.wav" if part == "file" else apart, 0o000):
        opened = unprivileged(lambda: open_project(path))
    assert opened.state.audio is None
    assert opened.state.layers == full.layers
    assert opened.wanted is not None
    assert "song.wav" in opened.warning


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_what_is_exported_into_a_closed_folder_is_told_and_leaves_nothing(path, state, separation, mode):
    folder = path.parent
    acts = (
        lambda: finish(export.export_steps(separation, state, folder)),
        lambda: finish(export.export_steps(separation, state, folder / "deeper")),
        lambda: export.export_notes(state, folder / "notes.mid"),
        lambda: export.export_notes(state, folder / "notes.csv"),
        lambda: picture.write_picture(folder / "roll.png", state),
        lambda: picture.write_picture(folder / "roll.svg", state),
        lambda: finish(export_factors.export_factors_steps(separation, folder / "factors.npz")),
        lambda: export.spare_recording(state, folder / "notes.mid") or export.export_notes(state, folder / "notes.mid"),
    )
    with closed(folder, mode):
        for act in acts:
            refused(act, "closed")
    assert listing(folder) == ["a.soli"]


def test_a_folder_in_the_place_of_a_file_to_export_stays(path, state, separation):
    taken = path.parent / "right.wav"
    taken.mkdir()
    refused(lambda: finish(export.export_steps(separation, state, path.parent)), "right.wav")
    assert listing(path.parent) == ["a.soli", "right.wav"]


@pytest.mark.parametrize("name", ["song.wav", "song.mid", "song.csv", "encoder.npz"])
@pytest.mark.parametrize("part", ["file", "folder"])
def test_what_may_not_be_read_is_told(tmp_path, name, part):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(b"content")
    read = {".wav": audio.read, ".npz": Encoder.load}.get(Path(name).suffix, read_score)
    with closed(folder / name if part == "file" else folder, 0o000), pytest.raises(InputError) as told:
        unprivileged(lambda: read(folder / name))
    assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_where_nothing_can_be_kept_between_saves_that_is_told_and_the_next_place_is_tried(tmp_path, state):
    place, told = tmp_path / "state", []
    place.mkdir()

    def work() -> None:
        keeper = Autosave(place, told.append, delay_s=0.01)
        assert keeper.flush(Snapshot(state)) is None
        place.chmod(0o700)
        assert keeper.flush(Snapshot(commands.delete_notes(state, [1]).apply(state))) is not None
        keeper.close(discard=False)

    with closed(place, 0o500):
        unprivileged(work)
    assert len(told) == 1
    assert "Permission denied" in told[0]
    (leftover,) = recovery.leftovers(place)
    assert 1 not in finish(recovery.recover_steps(leftover)).state.notes
    leftover.leave()


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_autosaves_that_may_not_be_read_or_taken_are_no_reason_not_to_start(tmp_path, state, mode):
    place = tmp_path / "state"
    keeper = Autosave(place, delay_s=0.01)
    keeper.flush(Snapshot(state))
    keeper.close(discard=False)
    (folder,) = place.iterdir()

    def look() -> int:
        found = recovery.leftovers(place)
        for leftover in found:
            leftover.leave()
        return len(found)

    with closed(folder, mode):
        unprivileged(look)
    with closed(place, mode):
        unprivileged(look)
    assert look() == 1


def test_preferences_that_cannot_be_written_or_read_disturb_nobody(tmp_path):
    place = tmp_path / "soli" / "settings.toml"
    save_settings(place, Settings(theme="light"))
    with closed(place.parent, 0o500):
        unprivileged(lambda: save_settings(place, Settings(theme="dark")))
    assert load(place).theme == "light"
    with closed(place, 0o000):
        assert unprivileged(lambda: load(place)) == Settings()
