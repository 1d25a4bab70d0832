"""The decomposition to look at: pictures with the shape of what they show, while it runs and after."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtTest import QTest

from soli.decompose.constraints import MaskEdit
from soli.decompose.model import decompose_steps
from soli.progress import finish
from soli.project import commands
from soli.project.pipeline import score_information
from soli.signal.audio import Audio
from soli.signal.log_spectrogram import ROWS
from soli.ui.panels.model_picture import MOST_COLUMNS, ModelPicture, as_bytes


@pytest.fixture
def picture(separated):
    return ModelPicture(separated.document.state.audio, separated.document.separation.factors)


def test_bytes_run_from_nothing_to_the_loudest():
    values = np.array([0.0, 1e-9, 0.01, 1.0], np.float32)
    assert as_bytes(values, 60.0, 1.0).tolist() == pytest.approx([0, 0, 85, 255], abs=1)
    assert as_bytes(values, 60.0, 0.0).tolist() == [0, 0, 0, 0]


def test_each_picture_has_the_shape_of_what_it_shows(picture):
    components = len(picture.factors.components)
    assert picture.templates().shape == (ROWS, components)
    assert picture.activations(0.0, 4.0, 50).shape == (components, 50)
    V, model = picture.sound(0.0, 4.0)
    assert V.shape == model.shape
    assert V.shape[0] == ROWS
    assert V.shape[1] <= MOST_COLUMNS
    assert picture.encoders() is None


def test_components_are_ordered_by_pitch(picture):
    pitches = picture.factors.components.pitch[picture.order]
    assert (np.diff(pitches) >= 0).all()
    assert sorted(picture.order.tolist()) == list(range(len(pitches)))


def test_where_the_model_fits_it_looks_like_the_recording(picture):
    V, model = (p.astype(float) for p in picture.sound(0.3, 3.5))
    assert np.corrcoef(V.ravel(), model.ravel())[0, 1] > 0.7


def test_channels_that_cancel_are_shown_as_they_were_decomposed(separated):
    audio, state = separated.document.state.audio, separated.document.state
    mono = audio.mono()
    opposed = Audio(np.stack([mono, -mono], axis=1), audio.rate)
    known = score_information(state)
    factors = finish(decompose_steps(opposed, known, replace(state.settings, iterations=4)))
    assert factors.joined
    V, model = (p.astype(float) for p in ModelPicture(opposed, factors).sound(0.3, 3.5))
    assert np.corrcoef(V.ravel(), model.ravel())[0, 1] > 0.7


def test_a_stretch_beyond_the_recording_is_no_fault(picture):
    picture.activations(-3.0, -1.0, 10)
    picture.sound(90.0, 100.0)


def test_the_view_follows_a_run_and_names_and_plays_components(separated, qtbot, hand):
    window = separated.window
    window.actions_["drawer_model"].trigger()
    view = window.model
    qtbot.waitUntil(lambda: len(view._images) == 4, timeout=5000)
    box = view._boxes()[1]
    with qtbot.waitSignal(view.component_pointed) as pointed:
        hand(view).move(box.center().x(), box.center().y())
    assert not view.grab().isNull()
    with qtbot.waitSignal(view.component_clicked) as clicked:
        hand(view).click(box.center().x(), box.center().y())
    assert clicked.args == pointed.args
    assert 0 <= clicked.args[0] < len(view._picture.factors.components)
    former = view._picture
    separated.session.decompose()
    qtbot.waitUntil(lambda: view._picture is not former, timeout=20_000)
    qtbot.waitUntil(lambda: not separated.session.decomposing, timeout=20_000)
    assert view._picture.factors is separated.document.separation.factors


def test_what_no_layer_holds_is_shown_and_goes_to_the_residual(separated, qtbot):
    document, window = separated.document, separated.window
    window.actions_["drawer_model"].trigger()
    view = window.model
    pitch = min(note.pitch for note in document.state.notes.values())
    document.do(commands.paint_mask(document.state, [MaskEdit(pitch, 0.0, 60.0, allow=False)]))
    qtbot.waitUntil(lambda: not separated.worker.busy and not document.stale, timeout=20_000)
    qtbot.waitUntil(lambda: view._picture.factors is document.separation.factors)
    view._images = []
    view._draw()
    assert len(view._images) == 4
    components = view._picture.factors.components
    assert view._layers_of(int(np.flatnonzero(components.pitch == pitch)[0])) == " · residual"


def test_an_autoencoder_shows_its_encoder_beside_the_pseudo_inverse(separated, qtbot):
    state = separated.document.state
    separated.document.do(commands.set_settings(state, replace(state.settings, method="nae")))
    separated.session.decompose()
    qtbot.waitUntil(lambda: not separated.session.decomposing, timeout=30_000)
    separated.window.actions_["drawer_model"].trigger()
    view = separated.window.model
    qtbot.waitUntil(view.swap.isVisible, timeout=5000)
    view.swap.click()
    qtbot.waitUntil(lambda: view._titles[2].startswith("W_E"), timeout=5000)
    encoder, inverse = view._picture.encoders()
    assert encoder.shape == inverse.shape == view._picture.templates().shape
    assert separated.window.actions_["save_encoder"].isEnabled()
    QTest.qWait(10)
