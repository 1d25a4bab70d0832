"""What goes wrong around the window: full disks, places that vanish, files that change, projects that mean harm."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from small_disk import disk_with
from ui.conftest import running, save, settled, small_piece

from soli.progress import finish
from soli.project import commands, export, recovery, storage
from soli.project.pipeline import Loaded
from soli.signal import audio
from soli.signal.audio import Audio

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "music" / "piece.soli"


def delete(app, note):
    app.document.do(commands.delete_notes(app.document.state, [note]))


def says(app, text):
    return app.window.roll.banner.isVisible() and text in app.window.roll.banner.text.text()


def kept_notes(qtbot, app, autosaves, tmp_path, name):
    """The notes that the next start would find, once the last edit has reached the disk by itself."""
    qtbot.waitUntil(lambda: app.keeper._autosave._written is app.document.state)
    assert app.keeper.flush(app.keeper.snapshot()), "nothing of it is still being written"
    shutil.copytree(autosaves, tmp_path / name)
    (leftover,) = recovery.leftovers(tmp_path / name)
    try:
        return set(finish(recovery.recover_steps(leftover)).state.notes)
    finally:
        leftover.leave()


def test_a_disk_that_is_full_is_told_once_and_when_it_has_room_again_work_is_kept(kept, qtbot, autosaves, tmp_path):
    with disk_with(2000):
        delete(kept, 0)
        qtbot.waitUntil(lambda: says(kept, "cannot be kept between saves"))
        kept.window.roll.banner.close_button.click()
        delete(kept, 1)
        qtbot.waitUntil(lambda: kept.keeper._autosave._next is None and kept.keeper._autosave._failing)
        assert not kept.window.roll.banner.isVisible(), "it was said already"
    delete(kept, 2)
    assert not {0, 1, 2} & kept_notes(qtbot, kept, autosaves, tmp_path, "later")


def test_a_disk_that_is_full_while_saving_leaves_the_former_file_and_the_work(kept, qtbot, path):
    assert save(qtbot, kept, path)
    before = path.read_bytes()
    delete(kept, 0)
    with disk_with(20_000):
        assert not save(qtbot, kept, path)
    assert says(kept, "cannot be saved")
    assert path.read_bytes() == before
    assert kept.document.edited
    assert sorted(p.name for p in path.parent.glob("*")) == sorted(
        ["piece.soli", "piece.wav", *(p.name for p in path.parent.glob(".soli-*.lock"))]
    )
    assert save(qtbot, kept, path)
    assert not kept.document.edited


def test_a_place_that_vanishes_is_told_and_the_work_can_go_elsewhere(kept, qtbot, path, tmp_path, autosaves):
    assert save(qtbot, kept, path)
    shutil.rmtree(path.parent)
    delete(kept, 0)
    assert 0 not in kept_notes(qtbot, kept, autosaves, tmp_path, "later")
    assert not save(qtbot, kept, path)
    assert says(kept, "cannot be saved")
    assert kept.document.edited
    kept.document.set_embeds(True)
    other = tmp_path / "other.soli"
    assert save(qtbot, kept, other)
    assert kept.document.path == other
    np.testing.assert_array_equal(finish(storage.open_steps(other)).state.audio.samples, kept.document.state.audio.samples)


@pytest.mark.parametrize("change", ["other", "shorter", "gone", "no sound"])
def test_a_recording_that_changes_while_it_is_open_is_told_of_when_it_is_opened_again(kept, qtbot, path, change):
    recording = path.with_name("piece.wav")
    sound = kept.document.state.audio
    kept.session.decompose()
    qtbot.waitUntil(lambda: kept.document.separation is not None and not kept.session.decomposing)
    if change == "gone":
        recording.unlink()
    elif change == "no sound":
        recording.write_bytes(b"no sound" * 1000)
    else:
        changed = -sound.samples if change == "other" else sound.samples[: sound.length // 2].copy()
        audio.write(recording, Audio(changed, sound.rate))
    # What is open goes on, and is saved as what it is.
    assert kept.document.state.audio is sound
    assert save(qtbot, kept, path)
    kept.window.requests.new()
    kept.settings.recent, kept.settings.folder = [], ""
    kept.window.open_paths([path])
    settled(qtbot, kept)
    words = {
        "other": "not the recording",
        "shorter": "not the recording",
        "gone": "was not found",
        "no sound": "not a recording that can be read",
    }
    qtbot.waitUntil(lambda: says(kept, words[change]))
    assert kept.document.separation is None
    assert len(kept.document.state.notes) == 9
    # The layers wait for it.
    audio.write(recording, sound)
    if kept.document.state.audio is None:
        assert save(qtbot, kept, path)
        kept.window.open_paths([path])
        qtbot.waitUntil(lambda: kept.document.separation is not None)


@pytest.mark.parametrize("named", ["../../secret.wav", "{}", "link.wav", "//server/share/secret.wav"])
def test_a_project_that_names_a_file_elsewhere_does_not_have_it_opened(kept, qtbot, path, tmp_path, named, monkeypatch):
    secret = tmp_path / "far" / "secret.wav"
    secret.parent.mkdir()
    audio.write(secret, small_piece().audio)
    deep = tmp_path / "a" / "b" / "c" / "piece.soli"
    deep.parent.mkdir(parents=True)
    assert save(qtbot, kept, deep)
    (deep.parent / "link.wav").symlink_to(secret)
    kept.window.requests.new()
    kept.settings.recent, kept.settings.folder = [], ""
    with closing(sqlite3.connect(deep)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'recording'", (named.format(secret),))
        db.execute("UPDATE meta SET value = '' WHERE key = 'recording_sha256'")
    opened: list[str] = []
    read = audio.read_steps
    monkeypatch.setattr(audio, "read_steps", lambda path: opened.append(str(path)) or read(path))
    kept.window.open_paths([deep])
    qtbot.waitUntil(lambda: says(kept, "outside of its folder"))
    settled(qtbot, kept)
    assert opened == []
    assert kept.document.state.audio is None


def test_layers_named_like_paths_are_exported_into_the_folder_alone(kept, qtbot, tmp_path):
    from soli.project.export import Order

    for layer, name in zip(kept.document.state.layers, ("../../outside", "/etc/passwd"), strict=True):
        kept.document.do(commands.alter_layer(kept.document.state, layer.id, name=name))
    kept.session.decompose()
    qtbot.waitUntil(lambda: kept.document.separation is not None and not kept.session.decomposing)
    before = {p for p in tmp_path.rglob("*") if "state" not in p.parts}
    folder = tmp_path / "out" / "deep"
    done: list[list[Path]] = []
    kept.session.exported.connect(done.append)
    kept.session.exports.layers(folder, Order(pattern="{layer}"))
    qtbot.waitUntil(lambda: done != [])
    made = {p for p in tmp_path.rglob("*") if "state" not in p.parts} - before
    assert {p.parent for p in made if p.is_file()} == {folder}
    assert len(done[0]) == 3
    assert all(os.path.realpath(p.parent) == os.path.realpath(folder) for p in done[0])


def test_a_project_of_the_demo_opens_with_its_recording_wherever_it_was_saved(application, qtbot, tmp_path):
    application.window.requests.open_demo()
    qtbot.waitUntil(lambda: len(application.document.state.notes) == 558 and not application.session.opening)
    assert save(qtbot, application, tmp_path / "mine.soli")
    application.window.requests.new()
    application.settings.recent, application.settings.folder = [], ""
    application.window.open_paths([tmp_path / "mine.soli"])
    qtbot.waitUntil(lambda: application.document.state.audio is not None)
    settled(qtbot, application)
    assert not application.window.roll.banner.isVisible()


def test_a_project_that_is_open_elsewhere_and_lacks_its_recording_says_both(kept, qtbot, qapp, path, tmp_path):
    assert save(qtbot, kept, path)
    path.with_name("piece.wav").unlink()
    with running(qtbot, qapp, autosaves=tmp_path / "second") as second:
        second.window.open_paths([path])
        qtbot.waitUntil(lambda: says(second, "was not found"))
        assert says(second, "is open in another Soli")
        assert second.window.roll.banner.action.text() == "Locate…"


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_that_may_not_be_written_is_told_and_the_work_goes_elsewhere(qtbot, qapp, tmp_path, mode):
    from permissions import closed, without_privileges

    folder = tmp_path / "music"
    folder.mkdir()
    with without_privileges(), running(qtbot, qapp, autosaves=tmp_path / "state") as built:
        built.document.restore(Loaded(small_piece()))
        built.session.decompose()
        qtbot.waitUntil(lambda: built.document.separation is not None and not built.worker.busy)
        assert save(qtbot, built, folder / "piece.soli")
        before = (folder / "piece.soli").read_bytes()
        delete(built, 0)
        with closed(folder, mode):
            assert not save(qtbot, built, folder / "piece.soli")
            qtbot.waitUntil(lambda: says(built, "cannot be saved"))
            assert built.document.edited
            built.session.exports.notes(folder / "notes.mid")
            qtbot.waitUntil(lambda: says(built, str(folder)) and not built.worker.busy)
            built.session.exports.layers(folder / "stems", export.Order())
            qtbot.waitUntil(lambda: says(built, "no folder can be made there"))
            assert save(qtbot, built, tmp_path / "other.soli")
        assert not built.document.edited
        assert (folder / "piece.soli").read_bytes() == before
    assert [p.name for p in folder.iterdir() if not p.name.startswith(".soli-")] == ["piece.soli"]


def test_a_project_in_a_folder_that_may_not_be_written_opens_and_goes_elsewhere(kept, qtbot, path, tmp_path, qapp):
    from permissions import closed, without_privileges

    assert save(qtbot, kept, path)
    kept.window.requests.new()
    with without_privileges(), closed(path.parent, 0o500), running(qtbot, qapp, autosaves=tmp_path / "second") as built:
        built.window.open_paths([path])
        qtbot.waitUntil(lambda: built.document.state.audio is not None and not built.keeper.holding.busy)
        delete(built, 0)
        assert not save(qtbot, built, path)
        qtbot.waitUntil(lambda: says(built, "cannot be saved"))
        assert save(qtbot, built, tmp_path / "other.soli")
