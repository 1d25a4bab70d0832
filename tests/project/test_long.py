"""What is too large for memory gives what fits into it gives, to the last bit."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import export, pipeline, storage
from soli.project.export import Order
from soli.project.state import RESIDUAL
from soli.signal import audio, maps
from soli.signal.audio import resample


@pytest.fixture
def on_disk(monkeypatch):
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 0)


def test_layers_are_the_same_to_the_last_bit(piece, state, separation, on_disk):
    opened = finish(pipeline.open_steps(*piece, align=False)).state
    found = finish(pipeline.separate_steps(replace(opened, settings=state.settings)))
    assert found.null_dbfs == separation.null_dbfs
    for strip in (*separation.layers, RESIDUAL):
        np.testing.assert_array_equal(found.signals[strip], separation.signals[strip])


def test_the_alignment_is_the_same_to_the_last_bit(piece, on_disk, monkeypatch):
    mapped = finish(pipeline.open_steps(*piece)).state
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 2**40)
    assert mapped.notes == finish(pipeline.open_steps(*piece)).state.notes


@pytest.mark.parametrize("embed", [False, True])
def test_a_project_opens_with_the_same_layers_and_recording(state, separation, tmp_path, on_disk, embed):
    storage.save(tmp_path / "a.soli", state, separation=separation, embed=embed)
    if embed:
        storage.save(tmp_path / "a.soli", replace(state, recording_path=None), separation=separation, embed=True)
    opened = finish(storage.open_steps(tmp_path / "a.soli", follows=True))
    np.testing.assert_array_equal(opened.state.audio.samples, state.audio.samples)
    for strip in (*separation.layers, RESIDUAL):
        np.testing.assert_array_equal(opened.separation.signals[strip], separation.signals[strip])


def sounds(folder, separation, state, order):
    files = finish(export.export_steps(separation, state, folder, order))
    return {path.name: audio.read(path).samples for path in files}


ORDERS = [
    Order(mix=True, all_but=(0,), form="wav16"),
    Order(stems=(0, RESIDUAL), mix=True, range_s=(0.3, 1.4)),
    Order(stems=(), notes=(0, 10), notes_in_place=True, peak_dbfs=-1.0),
]


@pytest.mark.parametrize("order", ORDERS)
def test_an_export_is_the_same_to_the_last_bit(state, separation, tmp_path, monkeypatch, order):
    state = replace(state, strips=MappingProxyType({0: Strip(-6.5, 0.25), RESIDUAL: Strip(3.0)}))
    expected = sounds(tmp_path / "small", separation, state, order)
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 0)
    found = sounds(tmp_path / "large", separation, state, order)
    assert found.keys() == expected.keys()
    for name, samples in expected.items():
        np.testing.assert_array_equal(found[name], samples)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_another_rate_is_reached_a_part_at_a_time(state, rate, monkeypatch):
    samples, own = state.audio.samples, state.audio.rate
    for sound in (samples, samples[:, 0], samples[:1], samples[:0]):
        expected = resample(sound, own, rate)
        monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", -1)
        monkeypatch.setattr(audio, "_BLOCK_LENGTH", 10_007)
        np.testing.assert_allclose(resample(sound, own, rate), expected, atol=2e-6)
        monkeypatch.undo()


def test_an_export_tells_how_far_it_is(state, separation, tmp_path, monkeypatch):
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", -1)
    order = Order(mix=True, all_but=(1,), rate=44100, peak_dbfs=-1.0)
    told = [p.fraction for p in export.export_steps(separation, state, tmp_path, order)][1:]
    assert told == sorted(told)
    assert len(set(told)) > 10
    assert told[-1] == 1.0


def test_a_layer_that_was_edited_is_made_whole_on_the_disk(separation, monkeypatch):
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", -1)
    piece = np.full((10, separation.residual.shape[1]), 0.5, np.float32)
    edited = separation.signals.replaced({0: ((100, piece),), 99: ((7, piece),)})
    expected = separation.layers[0].copy()
    expected[100:110] = 0.5
    np.testing.assert_array_equal(edited[0], expected)
    assert edited[99].sum() == piece.sum()
