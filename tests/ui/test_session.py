"""Opening, decomposing, cancelling, saving, exporting: what the user is told, and that nothing is lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from ui.conftest import RATE, save, small_piece

from soli.progress import Progress
from soli.project import commands, pipeline
from soli.score import midi
from soli.signal import audio
from soli.ui.roll.toolbox import index_of
from soli.ui.worker import Job


@pytest.fixture
def files(tmp_path):
    """The small piece as a recording and a score on disk."""
    state = small_piece()
    audio.write(tmp_path / "piece.wav", state.audio)
    midi.write(tmp_path / "piece.mid", state.score.notes, track_names=state.score.track_names)
    return tmp_path / "piece.wav", tmp_path / "piece.mid"


@pytest.fixture
def said(application):
    messages: list[tuple[str, str]] = []
    application.session.said.connect(lambda kind, text: messages.append((kind, text)))
    return messages


def idle(qtbot, app):
    qtbot.waitUntil(lambda: not app.worker.busy and not app.session.opening, timeout=30_000)


def drop(window, paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(500, 400), Qt.DropAction.CopyAction, data, button, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(500, 400), Qt.DropAction.CopyAction, data, button, keys))


def test_dropping_recording_and_score_opens_and_aligns_them(application, files, qtbot, said):
    drop(application.window, files)
    idle(qtbot, application)
    state = application.document.state
    assert len(state.notes) == 9
    assert [layer.name for layer in state.layers] == ["Right hand", "Left hand"]
    assert not application.document.edited
    assert application.window.roll.welcome.isHidden()
    assert application.window.roll.canvas.scene.images
    assert said == []
    assert application.settings.recent[0].endswith(("piece.wav", "piece.mid"))


def test_a_score_opened_first_waits_for_its_recording(application, files, qtbot):
    recording, score = files
    application.window.open_paths([score])
    idle(qtbot, application)
    assert len(application.document.state.notes) == 9
    assert application.document.state.audio is None
    application.window.open_paths([recording])
    idle(qtbot, application)
    assert len(application.document.state.notes) == 9
    assert application.document.state.audio is not None


@pytest.mark.parametrize("name", ["broken.wav", "broken.mid", "broken.soli", "missing.wav", "what.xyz"])
def test_a_file_that_cannot_be_used_is_told_in_one_sentence_and_nothing_is_lost(piece, tmp_path, qtbot, said, name):
    path = tmp_path / name
    if not name.startswith("missing"):
        path.write_bytes(b"not at all " * 20)
    before = piece.document.state
    piece.window.open_paths([path])
    idle(qtbot, piece)
    assert piece.document.state is before
    ((kind, text),) = said
    assert kind == "error"
    assert name in text
    assert "\n" not in text
    assert piece.window.roll.banner.isVisible()


def test_decomposing_publishes_layers_that_sum_to_the_recording(separated):
    separation, recording = separated.document.separation, separated.document.state.audio
    total = separation.residual + sum(separation.layers.values())
    assert np.abs(total - recording.samples).max() < 1e-5
    assert not separated.document.stale
    assert not separated.document.edited


def test_the_layers_follow_an_edit_and_its_undo(separated, canvas, place, hand, qtbot):
    former = separated.document.separation
    canvas.use_tool(index_of("Forbid"))
    hand(canvas).drag(place(0.2, 64), place(0.8, 64))
    assert separated.document.stale
    assert "not heard yet" in separated.window.summary.text()
    qtbot.waitUntil(lambda: not separated.document.stale, timeout=20_000)
    followed = separated.document.separation
    assert followed is not former
    start, stop = int(0.3 * RATE), int(0.6 * RATE)
    assert np.abs(followed.layers[0][start:stop]).max() < 0.9 * np.abs(former.layers[0][start:stop]).max()
    assert (followed.layers[0][int(2.5 * RATE) :] == former.layers[0][int(2.5 * RATE) :]).all()
    separated.document.undo()
    qtbot.waitUntil(lambda: not separated.document.stale, timeout=20_000)
    total = separated.document.separation.residual + sum(separated.document.separation.layers.values())
    assert np.abs(total - separated.document.state.audio.samples).max() < 1e-5


def test_other_settings_wait_for_a_whole_run(separated, qtbot):
    state = separated.document.state
    separated.document.do(commands.set_settings(state, replace(state.settings, iterations=3)))
    qtbot.wait(200)
    assert separated.document.stale
    assert not separated.session.decomposing


def test_nobody_is_asked_to_decompose_again_while_the_layers_follow(separated, qtbot):
    window, document = separated.window, separated.document
    document.do(commands.alter_notes(document.state, {0: {"pitch": 65}}, "move note"))
    assert window.summary.text().endswith("edits not heard yet: the layers follow")
    assert window.transport.decompose.text() == "Decompose"
    qtbot.waitUntil(lambda: not document.stale and not separated.worker.busy, timeout=20_000)
    qtbot.waitUntil(lambda: "not heard" not in window.summary.text(), timeout=20_000)
    document.do(commands.set_settings(document.state, replace(document.state.settings, iterations=3)))
    qtbot.waitUntil(lambda: "decompose again" in window.summary.text(), timeout=20_000)
    assert window.transport.decompose.text() == "Decompose again"


def test_cancelling_leaves_the_former_layers_untouched(separated, qtbot, said, monkeypatch):
    former = separated.document.separation

    def endless(state, **_):
        step = 0
        while True:
            step += 1
            yield Progress(1, 2, "Decomposing", 1.0 / step)

    monkeypatch.setattr(pipeline, "separate_steps", endless)
    separated.session.decompose()
    qtbot.waitUntil(lambda: bool(separated.window.jobs.job and separated.window.jobs.job.losses))
    assert not separated.window.actions_["decompose"].isEnabled()
    qtbot.mouseClick(separated.window.jobs.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not separated.session.decomposing)
    assert separated.document.separation is former
    assert said[-1] == ("information", "Decomposition cancelled; the former layers are as they were")
    assert separated.window.actions_["decompose"].isEnabled()


def test_a_cancelled_first_run_speaks_of_no_former_layers(piece, qtbot, said, monkeypatch):
    def endless(state, **_):
        while True:
            yield Progress(1, 2, "Decomposing", 1.0)

    monkeypatch.setattr(pipeline, "separate_steps", endless)
    piece.session.decompose()
    piece.session.cancel()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert said == [("information", "Decomposition cancelled")]


def test_a_fault_in_a_job_is_told_and_the_worker_goes_on(piece, qtbot, said, monkeypatch, capfd):
    def faulty(state, **_):
        yield Progress(0, 1)
        raise ZeroDivisionError("oops")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "separate_steps", faulty)
        piece.session.decompose()
        qtbot.waitUntil(lambda: bool(said))
    assert "fault in Soli" in said[0][1]
    assert "ZeroDivisionError" in capfd.readouterr().err
    piece.session.decompose()
    qtbot.waitUntil(lambda: piece.document.separation is not None, timeout=30_000)


def test_a_run_of_a_recording_closed_meanwhile_is_dropped(piece, qtbot, monkeypatch):
    from soli.project.pipeline import Loaded

    steps = pipeline.separate_steps
    opened = []

    def slow(state, **options):
        while not opened:
            yield Progress(0, 1)
        return (yield from steps(state, **options))

    monkeypatch.setattr(pipeline, "separate_steps", slow)
    piece.session.decompose()
    piece.document.restore(Loaded(small_piece()))
    opened.append(True)
    qtbot.waitUntil(lambda: not piece.session.decomposing, timeout=30_000)
    assert piece.document.separation is None


def test_exporting_writes_each_layer_and_the_residual(separated, tmp_path, qtbot, said):
    from soli.project.export import Order

    separated.session.exports.layers(tmp_path / "out", Order(stems=(0, 1, -1), mix=True))
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"Right hand.wav", "Left hand.wav", "residual.wav", "mix.wav"}
    stems = [soundfile.read(tmp_path / "out" / f"{n}.wav", always_2d=True)[0] for n in ("Right hand", "Left hand", "residual")]
    assert np.abs(sum(stems) - separated.document.state.audio.samples).max() < 1e-5
    mix, rate = soundfile.read(tmp_path / "out" / "mix.wav", always_2d=True)
    assert rate == separated.document.state.audio.rate
    assert np.abs(mix - separated.document.state.audio.samples).max() < 1e-5
    assert said[0][0] == "information"


def test_a_project_is_saved_and_opened_again(separated, tmp_path, qtbot, files):
    from dataclasses import replace

    path = tmp_path / "work.soli"
    separated.document._state = replace(separated.document.state, recording_path=files[0])
    separated.window.mixer.toggle(0, mute=True)
    assert separated.document.edited
    assert save(qtbot, separated, path)
    assert not separated.document.edited
    saved = separated.document.state
    separated.window.open_paths([path])
    idle(qtbot, separated)
    state = separated.document.state
    assert dict(state.notes) == dict(saved.notes)
    assert state.strip(0).muted
    assert separated.document.path == path
    assert separated.window.windowTitle() == "work – Soli"


def test_saving_where_it_cannot_be_is_told_and_stays_unsaved(piece, tmp_path, said, qtbot):
    piece.window.mixer.toggle(0, mute=True)
    assert not save(qtbot, piece, tmp_path / "missing" / "work.soli")
    assert said[0][0] == "error"
    assert piece.document.edited


def test_a_job_closes_its_generator_when_it_is_cancelled(qtbot, application):
    closed = []

    def steps():
        try:
            while True:
                yield Progress(0, 1)
        finally:
            closed.append(True)

    job = Job("Waiting", steps)
    with qtbot.waitSignal(job.cancelled, timeout=5000):
        application.worker.submit(job)
        job.cancel()
    assert closed or job.is_cancelled
    assert not Path("x").exists()


def test_a_project_whose_recording_is_gone_takes_it_from_elsewhere(application, files, tmp_path, qtbot, said):
    recording, score = files
    application.window.open_paths([recording, score])
    idle(qtbot, application)
    assert save(qtbot, application, tmp_path / "work.soli")
    before = dict(application.document.state.notes)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    recording.rename(elsewhere / "found.wav")
    application.window.open_paths([tmp_path / "work.soli"])
    idle(qtbot, application)
    assert "was not found" in application.window.roll.banner.text.text()
    assert application.window.roll.banner.action.text() == "Locate…"
    assert application.document.state.audio is None
    application.window.open_paths([elsewhere / "found.wav"])
    idle(qtbot, application)
    assert application.document.state.audio is not None
    assert dict(application.document.state.notes) == before


def test_an_alignment_of_what_was_undone_meanwhile_is_dropped(piece, qtbot):
    piece.session.set_anchor(0.2, 0.25)
    qtbot.waitUntil(lambda: len(piece.document.state.anchors) == 1, timeout=20_000)
    piece.session.set_anchor(2.2, 2.25)
    piece.document.undo()
    qtbot.waitUntil(lambda: not piece.worker.busy and not piece.session.opening, timeout=20_000)
    assert piece.document.state.anchors == ()
    assert piece.document.history.next is not None


def test_anchors_set_one_after_the_other_are_both_kept(piece, qtbot):
    piece.session.set_anchor(0.2, 0.25)
    piece.session.set_anchor(2.2, 2.25)
    qtbot.waitUntil(lambda: not piece.worker.busy and not piece.session.opening, timeout=20_000)
    assert piece.document.state.anchors == ((0.2, 0.25), (2.2, 2.25))


def test_an_anchor_lets_a_decomposition_go_on(piece, qtbot):
    piece.session.decompose()
    piece.session.set_anchor(0.2, 0.25)
    qtbot.waitUntil(lambda: len(piece.document.state.anchors) == 1, timeout=30_000)
    qtbot.waitUntil(lambda: piece.document.separation is not None, timeout=30_000)


def test_a_new_project_stops_what_was_being_opened(application, files, qtbot):
    application.window.open_paths(list(files))
    application.window.requests.new()
    qtbot.waitUntil(lambda: not application.worker.busy, timeout=20_000)
    assert application.document.state.audio is None
    assert not application.document.state.notes
    assert not application.document.edited


def test_settings_chosen_while_a_score_is_aligned_stay(piece, files, qtbot):
    from dataclasses import replace

    from soli.project import commands

    piece.window.open_paths([files[1]])
    chosen = replace(piece.document.state.settings, iterations=99)
    piece.document.do(commands.set_settings(piece.document.state, chosen))
    idle(qtbot, piece)
    assert piece.document.state.settings.iterations == 99
    assert len(piece.document.state.notes) == 9


def test_an_edit_made_during_an_alignment_is_heard_after_it(separated, qtbot):
    from soli.project import commands

    separated.session.align_again()
    separated.document.do(commands.set_absent(separated.document.state, {5}, absent=True))
    separated.session.cancel()
    qtbot.waitUntil(lambda: not separated.document.stale, timeout=20_000)


def test_former_runs_are_let_go_of(separated, qtbot):
    import gc
    import weakref

    runs = [weakref.ref(separated.document.separation)]
    for _ in range(3):
        separated.session.decompose()
        qtbot.waitUntil(lambda: not separated.worker.busy and not separated.session.decomposing, timeout=30_000)
        runs.append(weakref.ref(separated.document.separation))

    def gone() -> bool:
        gc.collect()
        return sum(run() is not None for run in runs) <= 2

    qtbot.waitUntil(gone)
