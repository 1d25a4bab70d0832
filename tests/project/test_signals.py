"""Signals that share what they have in common behave as arrays that were copied and written to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.project.signals import Layers, Signals

LENGTH = 40
stretches = st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 12), st.integers(-99, 99)), max_size=3)


@settings(max_examples=100)
@given(edits=st.lists(st.tuples(st.integers(0, 3), stretches, st.booleans()), max_size=90))
def test_stretches_read_as_if_they_had_been_written(edits: list) -> None:
    first = np.arange(LENGTH * 2, dtype=np.float32).reshape(LENGTH, 2)
    signals, expected = Signals({0: first, 1: -first}), {0: first.copy(), 1: -first}
    for key, written, look in edits:
        before = {n: array.copy() for n, array in expected.items()}
        new: dict[int, tuple[tuple[int, np.ndarray], ...]] = dict.fromkeys((*expected, key), ())
        expected.setdefault(key, np.zeros((LENGTH, 2), np.float32))
        expected = {n: array.copy() for n, array in expected.items()}
        for at, length, value in written:
            piece = np.full((min(length, LENGTH - at), 2), value, np.float32)
            new[key] = (*new[key], (at, piece))
            expected[key][at : at + len(piece)] = piece
        older, signals = signals, signals.replaced(new)
        for n, array in before.items():
            np.testing.assert_array_equal(older.stretch(n, 3, 30), array[3:30])
        if look:
            np.testing.assert_array_equal(signals[key], expected[key])
        for n, array in expected.items():
            np.testing.assert_array_equal(signals.stretch(n, 5, LENGTH), array[5:])
    assert {n: signals[n].tolist() for n in signals} == {n: array.tolist() for n, array in expected.items()}
    np.testing.assert_array_equal(first, np.arange(LENGTH * 2, dtype=np.float32).reshape(LENGTH, 2))


def test_what_no_stretch_replaces_is_shared_and_what_is_not_named_is_left_out() -> None:
    base = Signals({n: np.ones((LENGTH, 1), np.float32) for n in range(3)})
    found = base.replaced({0: (), 2: ((4, np.zeros((2, 1), np.float32)),)})
    assert found[0] is base[0]
    assert found[2] is not base[2]
    assert found[2] is found[2]
    assert list(found) == [0, 2]
    assert 1 not in found
    with pytest.raises(KeyError):
        found.stretch(1, 0, 2)


def test_layers_are_all_signals_but_the_residual() -> None:
    signals = {7: np.zeros(1, np.float32), -1: np.ones(1, np.float32), 3: np.zeros(1, np.float32)}
    layers = Layers(signals, -1)
    assert list(layers) == [7, 3]
    assert len(layers) == 2
    assert -1 not in layers
    assert layers[7] is signals[7]
    with pytest.raises(KeyError):
        layers[-1]
