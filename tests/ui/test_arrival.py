"""A project is there at once: its notes and view, then the recording, then the layers; what is done meanwhile stays."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from ui.conftest import save, small_piece

from soli.progress import finish
from soli.project import commands, storage
from soli.project.pipeline import Loaded
from soli.signal import audio
from soli.ui.panels.decomposition import method_name

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


class Gates:
    """Opening that stops before each stage until the test lets it on."""

    def __init__(self) -> None:
        self.reached, self.open = 0, 0
        self.changed = threading.Condition()
        self._open_steps = storage.open_steps

    def __call__(self, path, **options):
        steps = self._open_steps(path, **options)
        try:
            while True:
                try:
                    report = next(steps)
                except StopIteration as end:
                    return end.value
                yield report
                if report.model is not None:
                    with self.changed:
                        self.reached += 1
                    while self.reached > self.open:
                        with self.changed:
                            self.changed.wait(0.05)
                        yield report
        finally:
            steps.close()

    def let_on(self) -> None:
        with self.changed:
            self.open += 1
            self.changed.notify_all()


@pytest.fixture
def gates(monkeypatch):
    gates = Gates()
    monkeypatch.setattr(storage, "open_steps", gates)
    yield gates
    gates.open = 10


@pytest.fixture(params=[False, True], ids=["beside", "embedded"])
def project(request, separated, qtbot, tmp_path):
    """A project with layers, saved and closed again; its recording lies beside it, or in it."""
    path, document = tmp_path / "piece.soli", separated.document
    audio.write(tmp_path / "piece.wav", document.state.audio)
    document.complete(recording=(tmp_path / "piece.wav", document.state.audio))
    document.set_embeds(request.param)
    view = separated.window.roll.view
    view.go_to(1.0, 2.5, 50.0, 70.0)
    separated.listening.set_loop((1.25, 2.0), on=True)
    assert save(qtbot, separated, path)
    separated.window.requests.new()
    return path


def at_stage(qtbot, app, gates, path, stage):
    if not app.session.opening:
        app.window.open_paths([path])
    while gates.reached < stage:
        qtbot.waitUntil(lambda: gates.reached > gates.open or gates.reached >= stage, timeout=20_000)
        if gates.reached < stage:
            gates.let_on()
    has = {1: lambda d: d.state.notes and d.path == path, 2: lambda d: d.state.audio is not None}[stage]
    qtbot.waitUntil(lambda: bool(has(app.document)), timeout=20_000)


def finished(qtbot, app, gates):
    gates.open = 10
    qtbot.waitUntil(lambda: not app.session.opening and not app.worker.busy, timeout=30_000)


def test_notes_and_view_come_first_then_the_recording_then_the_layers(separated, qtbot, gates, project):
    document, view = separated.document, separated.window.roll.view
    at_stage(qtbot, separated, gates, project, 1)
    assert len(document.state.notes) == 9
    assert document.state.audio is None
    assert (view.start_s, view.end_s) == pytest.approx((1.0, 2.5))
    assert not separated.window.roll.welcome.isVisible()
    assert not separated.window.roll.banner.isVisible()
    view.go_to(0.5, 1.5, 52.0, 68.0)

    at_stage(qtbot, separated, gates, project, 2)
    assert document.separation is None
    assert (view.start_s, view.end_s) == pytest.approx((0.5, 1.5)), "where the user has looked meanwhile"
    assert separated.listening.loop == (1.25, 2.0)
    qtbot.waitUntil(lambda: separated.listening.channels != (), timeout=20_000)  # it can be played
    assert not document.edited

    finished(qtbot, separated, gates)
    assert document.separation is not None
    assert not document.stale
    assert not document.edited


def test_the_losses_of_its_run_are_drawn_again_and_the_next_run_beside_them(separated, qtbot, gates, project):
    plot, settings = separated.window.jobs.plot, separated.document.state.settings
    assert plot.hint.isVisibleTo(plot)
    at_stage(qtbot, separated, gates, project, 1)
    finished(qtbot, separated, gates)
    assert not plot.hint.isVisibleTo(plot)
    losses = separated.document.separation.factors.losses
    (run,) = plot._runs
    assert tuple(run.losses) == losses
    assert run.name == method_name(settings.method, settings.beta)
    assert run.seconds == sorted(run.seconds)
    assert len(run.seconds) == len(losses)
    assert run.seconds[-1] > 0
    separated.session.decompose()
    finished(qtbot, separated, gates)
    assert len(plot._runs) == 2


@pytest.mark.parametrize("stage", [1, 2])
def test_edits_made_meanwhile_stay_and_the_layers_follow(separated, qtbot, gates, project, stage):
    document = separated.document
    at_stage(qtbot, separated, gates, project, stage)
    document.do(commands.delete_notes(document.state, [0]))
    finished(qtbot, separated, gates)
    assert 0 not in document.state.notes
    assert document.edited
    qtbot.waitUntil(lambda: document.separation is not None and not document.stale, timeout=30_000)
    document.undo()
    assert not document.edited


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("other", [False, True])
def test_saving_meanwhile_loses_nothing(separated, qtbot, gates, project, stage, other):
    document = separated.document
    path = project.with_name("other.soli") if other else project
    at_stage(qtbot, separated, gates, project, stage)
    document.do(commands.delete_notes(document.state, [0]))
    told: list[bool] = []
    separated.session.save(path, told.append)
    gates.open = 10
    qtbot.waitUntil(lambda: told == [True] and not separated.session.opening, timeout=30_000)
    assert document.path == path
    assert not document.edited
    found = finish(gates._open_steps(path))
    assert 0 not in found.state.notes
    assert found.state.audio is not None
    assert found.separation is not None
    assert (found.warning, found.wanted) == ("", None)


@pytest.mark.parametrize("stage", [1, 2])
def test_who_stops_it_is_told_and_can_save_without_losing_what_was_not_read(separated, qtbot, gates, project, stage):
    document = separated.document
    at_stage(qtbot, separated, gates, project, stage)
    separated.session.cancel()
    gates.open = 10
    qtbot.waitUntil(lambda: "was not read to its end" in separated.window.roll.banner.text.text(), timeout=20_000)
    document.do(commands.delete_notes(document.state, [0]))
    assert save(qtbot, separated, project)
    assert not document.edited
    found = finish(gates._open_steps(project))
    assert 0 not in found.state.notes
    assert found.state.audio is not None
    assert found.separation is not None
    assert found.warning == ""


def test_another_piece_that_takes_its_place_stays(separated, qtbot, gates, project):
    at_stage(qtbot, separated, gates, project, 1)
    separated.window.requests.new()
    separated.document.restore(Loaded(small_piece()))
    finished(qtbot, separated, gates)
    assert separated.document.path is None
    assert separated.document.separation is None


def test_who_keeps_what_is_open_sees_nothing_of_it(separated, qtbot, gates, project, monkeypatch):
    separated.document.restore(Loaded(small_piece()))
    before = separated.document.state
    monkeypatch.setattr(separated.session, "may_replace", lambda: False)
    separated.window.open_paths([project])
    finished(qtbot, separated, gates)
    assert separated.document.state is before


def test_one_that_is_read_whole_while_the_user_is_asked_is_shown_after_the_answer(separated, qtbot, gates, project, monkeypatch):
    separated.document.restore(Loaded(small_piece()))

    def asks() -> bool:
        finished(qtbot, separated, gates)
        return True

    monkeypatch.setattr(separated.session, "may_replace", asks)
    separated.window.open_paths([project])
    qtbot.waitUntil(lambda: separated.document.separation is not None, timeout=20_000)
    assert separated.document.path == project


def test_strips_set_while_the_layers_come_are_what_is_heard(separated, qtbot, gates, project):
    document = separated.document
    at_stage(qtbot, separated, gates, project, 2)
    document.do(commands.set_strip(document.state, 0, replace(document.state.strip(0), gain_db=-9.0)))
    finished(qtbot, separated, gates)
    assert document.state.strip(0).gain_db == -9.0
    total = sum(document.separation.signals.values())
    np.testing.assert_allclose(total, document.state.audio.samples, atol=1e-6)
