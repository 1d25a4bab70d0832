"""What lies under the tools: mended where something changed, it looks as if it were painted anew; coarse only while it moves."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtGui import QImage

from soli.decompose.constraints import MaskEdit
from soli.project import commands

ROUNDED = 24  # of 255: Qt weighs two pixels of a picture that it scales in sixteenths


@pytest.fixture
def rested(piece, canvas, qtbot):
    qtbot.waitUntil(lambda: not (canvas.scene.moving or piece.worker.busy or piece.picture_worker.busy))
    return canvas


def seen(canvas) -> np.ndarray:
    picture = QImage(canvas.size(), QImage.Format.Format_RGB32)
    canvas.render(picture)
    return np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4).astype(int)


def differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where pixels differ by more than the smooth scaling of a part of the spectrogram may round in another way."""
    return np.abs(one - other).max(axis=2) > ROUNDED


def anew(canvas) -> np.ndarray:
    """The same with nothing kept of what was painted before."""
    canvas.scene._backdrop.forget()
    return seen(canvas)


def test_each_edit_and_its_undoing_leaves_no_trace_in_the_picture(piece, rested):
    document = piece.document
    before = seen(rested)
    state = document.state
    edits = (
        lambda s: commands.move_notes(s, {0, 11}, seconds=0.3, semitones=2),
        lambda s: commands.paint_mask(s, [MaskEdit(61, 0.5, 2.5, allow=False)]),
        lambda s: commands.delete_notes(s, {2}),
        lambda s: commands.set_tolerances(s, {3}, before_s=0.4),
    )
    for edit in edits:
        document.do(edit(document.state))
        mended = seen(rested)
        assert differs(mended, before).any()
        assert not differs(mended, anew(rested)).any()
    for _ in edits:
        document.undo()
        mended = seen(rested)
        assert not differs(mended, anew(rested)).any()
    assert document.state.notes == state.notes
    assert not differs(seen(rested), before).any()


def test_a_loop_that_is_dragged_leaves_no_trace(rested):
    scene = rested.scene
    without = seen(rested)
    for loop, on in (((1.0, 2.0), True), ((1.0, 2.4), True), ((0.4, 2.4), True), ((2.5, 3.0), True), ((2.5, 3.0), False)):
        scene.set_loop(loop, on=on)
        mended = seen(rested)
        assert differs(mended, without).any()
        assert not differs(mended, anew(rested)).any()
    scene.set_loop(None, on=False)
    assert not differs(seen(rested), without).any()


def test_other_colours_and_layers_leave_nothing_of_the_former_ones(piece, rested):
    views = [seen(rested)]
    rested.set_audible(frozenset({1}))
    views.append(seen(rested))
    piece.document.do(commands.alter_layer(piece.document.state, 0, colour="#00ff00"))
    views.append(seen(rested))
    rested.scene.set_light(0.5, 1.0)
    views.append(seen(rested))
    piece.theme.use("light")
    views.append(seen(rested))
    assert all(differs(one, other).any() for one, other in pairwise(views))
    assert not differs(seen(rested), anew(rested)).any()


def test_the_spectrogram_is_coarse_while_the_scale_changes_and_fine_after_it(rested, qtbot):
    fine = seen(rested)
    view, scene = rested.view, rested.scene
    shown = view.start_s, view.end_s, view.bottom, view.top
    with qtbot.waitSignal(scene.rested):
        view.zoom_time(1.5)
        seen(rested)
        assert scene.moving
        view.go_to(*shown)
        coarse = seen(rested)
        assert differs(coarse, fine).any()
    assert not scene.moving
    assert not differs(seen(rested), fine).any()
