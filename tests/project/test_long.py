"""What is too large for memory gives what fits into it gives, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest

from soli.progress import finish
from soli.project import pipeline, storage
from soli.project.state import RESIDUAL
from soli.signal import maps


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
