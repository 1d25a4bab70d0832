"""Hidden layers of a decoder: their laws, and their gradients against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.decompose.blocks import Block
from soli.decompose.constraints import Components, Part
from soli.decompose.hidden import Hidden, loudness
from soli.decompose.hidden_training import HiddenTraining, Slopes
from soli.decompose.network import Network
from soli.decompose.settings import ModelSettings


def components(*copies: int) -> Components:
    """Voices of so many copies each, one pitch after the other; those of a single copy are attacks."""
    voice = np.repeat(np.arange(len(copies)), copies)
    copy = np.concatenate([np.arange(count) for count in copies])
    kind = (np.array(copies) == 1).astype(np.int64)[voice]
    return Components(np.zeros_like(voice), 60 + voice, kind, copy, voice, (Part(0),))


def drawn(layers: int, *copies: int, seed: int = 0, dtype: type = np.float64) -> Hidden:
    """Hidden layers with random weights and thresholds, zero where they begin so."""
    rng = np.random.default_rng(seed)
    blank = Hidden.initial(components(*copies), layers=layers)
    weights = tuple((A * rng.uniform(0.5, 2, A.shape)).astype(dtype) for A in blank.weights)
    thresholds = tuple(rng.uniform(0, 0.5, c.shape).astype(dtype) for c in blank.thresholds)
    for c in thresholds:
        c[:, 0] = 0
    return replace(blank, weights=weights, thresholds=thresholds, level=1.0)


def naive(hidden: Hidden, code: np.ndarray) -> np.ndarray:
    """H, unit by unit."""
    H = np.zeros((len(hidden.slot), code.shape[1]))
    for r, slot in enumerate(hidden.slot.tolist()):
        voice, unit = divmod(slot, hidden.units)
        for n in range(code.shape[1]):
            x = np.array([code[voice, n]])
            for A, c in zip(hidden.weights, hidden.thresholds, strict=True):
                x = np.array([max(0.0, float(A[voice, m] @ x) - float(c[voice, m, 0])) for m in range(hidden.units)])
            H[r, n] = x[unit]
    return H


def said(hidden: Hidden, code: np.ndarray) -> np.ndarray:
    return hidden.activations(hidden.forward(code))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layers_are_what_they_are_unit_by_unit(layers: int) -> None:
    hidden, code = drawn(layers, 2, 1, 3), np.random.default_rng(1).random((3, 5))
    np.testing.assert_allclose(said(hidden, code), naive(hidden, code))


@given(seed=st.integers(0, 999), layers=st.integers(1, 3), copies=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_what_is_silent_stays_silent_and_what_sounds_sounds(seed: int, layers: int, copies: list[int]) -> None:
    hidden = drawn(layers, *copies, seed=seed)
    rng = np.random.default_rng(seed)
    code = np.where(rng.random((len(copies), 6)) < 0.5, 0, rng.random((len(copies), 6)) + 1e-3)
    H = said(hidden, code)
    assert (H >= 0).all()
    assert not H[code[hidden.voice] == 0].any()
    # The first unit has no threshold.
    assert (H[hidden.first] > 0).tolist() == (code > 0).tolist()


@given(seed=st.integers(0, 999), layers=st.integers(1, 3))
def test_a_voice_feeds_its_own_units_only_and_louder_is_never_less(seed: int, layers: int) -> None:
    hidden = drawn(layers, 2, 1, 3, seed=seed)
    code = np.random.default_rng(seed).random((3, 4))
    louder = code.copy()
    louder[1] *= 2
    before, after = said(hidden, code), said(hidden, louder)
    np.testing.assert_array_equal(before[hidden.voice != 1], after[hidden.voice != 1])
    assert (after >= before).all()


def test_a_recording_that_is_turned_up_is_told_apart_as_before() -> None:
    hidden, code = drawn(2, 3, 3), np.random.default_rng(0).random((2, 9)) * 2
    np.testing.assert_allclose(said(hidden.at(5.0), 5 * code), 5 * said(hidden, code), rtol=1e-6)
    assert not np.allclose(said(hidden, 5 * code), 5 * said(hidden, code), rtol=0.01)
    rng = np.random.default_rng(0)
    V, mask = rng.random((7, 9)), (rng.random((2, 9)) < 0.5).astype(np.float32)
    assert loudness(3 * V, mask) == pytest.approx(3 * loudness(V, mask))
    assert loudness(V, np.zeros((2, 9), np.float32)) == 0


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_gradients_of_layers_are_finite_differences(layers: int) -> None:
    hidden, rng = drawn(layers, 3, 1, 2, seed=3), np.random.default_rng(4)
    code, slope = rng.random((3, 7)) + 0.1, rng.standard_normal((6, 7))
    sums = [np.zeros_like(matrix) for matrix in hidden.parameters]
    back = hidden.backward(hidden.forward(code), slope, sums)

    def value(parameters: list[np.ndarray], code: np.ndarray) -> float:
        return float((slope * said(hidden.with_parameters(parameters), code)).sum())

    assert close_to_differences(back, lambda changed: value(hidden.parameters, changed), code)
    for n, (matrix, found) in enumerate(zip(hidden.parameters, sums, strict=True)):
        others = hidden.parameters
        change = lambda changed, n=n, others=others: value([*others[:n], changed, *others[n + 1 :]], code)  # noqa: E731
        # Units that are not there, and first thresholds, are zero and stay so.
        assert close_to_differences(-found if n % 2 else found, change, matrix, where=matrix > 0)


def close_to_differences(gradient, value, at, *, where=None, step=1e-6, tolerance=1e-5) -> bool:  # type: ignore[no-untyped-def]
    worst = 0.0
    for place in np.ndindex(at.shape):
        if where is not None and not where[place]:
            continue
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        worst = max(worst, abs((value(up) - value(down)) / (2 * step) - gradient[place]))
    return worst <= tolerance * (1 + float(np.abs(gradient).max()))


@pytest.mark.parametrize(("updates", "beta"), [("gradient", 2.0), ("gradient", 1.0), ("gradient", 0.0), ("relu", 2.0)])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_gradients_of_the_autoencoder_are_finite_differences(updates: str, beta: float, layers: int) -> None:
    rng = np.random.default_rng(5)
    N, K, hidden = 6, 11, drawn(layers, 2, 1, 2, seed=6) if layers else None
    P, R = (3, 5) if hidden else (5, 5)
    V, W, mask = rng.random((K, N)) + 0.2, rng.random((R, K)) + 0.1, (rng.random((P, N)) < 0.8).astype(np.float64)
    E = rng.random((P, K)) - (0.3 if updates == "relu" else 0)
    if updates == "relu":
        W -= 0.3
    chosen = ModelSettings(method="nae", updates=updates, beta=beta, encoder_steps=0)  # type: ignore[arg-type]
    chunk = [Block(0, 4, np.arange(R)), Block(4, N, np.arange(R))]

    def network(W: np.ndarray, E: np.ndarray, parameters: list[np.ndarray] | None = None) -> Network:
        net = hidden.with_parameters(parameters) if hidden and parameters else hidden
        return Network(V.T, W, E, mask, scale=1.0, settings=chosen, latest=np.zeros((R, N)), hidden=net)

    def loss(*matrices) -> float:  # type: ignore[no-untyped-def]
        return network(*matrices).decoder_sums(chunk)[0].loss

    of_encoder, _ = network(W, E).encoder_sums(chunk)
    of_decoder, slopes = network(W, E).decoder_sums(chunk)
    assert close_to_differences(of_encoder.below - of_encoder.above, lambda e: loss(W, e), E, tolerance=1e-4)
    assert close_to_differences(of_decoder.below - of_decoder.above, lambda w: loss(w, E), W, tolerance=1e-4)
    assert (slopes is None) == (hidden is None)
    if hidden is None or slopes is None:
        return
    for n, matrix in enumerate(hidden.parameters):
        found = slopes.above[n] - slopes.below[n] if n % 2 else slopes.below[n] - slopes.above[n]
        others = hidden.parameters
        change = lambda m, n=n, others=others: loss(W, E, [*others[:n], m, *others[n + 1 :]])  # noqa: E731
        assert close_to_differences(found, change, matrix, where=matrix > 0, tolerance=1e-4)


@pytest.mark.parametrize("updates", ["multiplicative", "gradient"])
@given(seed=st.integers(0, 99), layers=st.integers(1, 3))
def test_training_keeps_zeros_and_signs(updates: str, seed: int, layers: int) -> None:
    hidden, rng = drawn(layers, 3, 1, 2, seed=seed, dtype=np.float32), np.random.default_rng(seed)
    training = HiddenTraining(hidden, ModelSettings(method="nae", updates=updates, learning_rate=1.0), level=1.0)  # type: ignore[arg-type]
    moved = hidden
    for _ in range(4):
        slopes = Slopes.zero(hidden)
        for sums in (slopes.above, slopes.below):
            for matrix in sums:
                matrix[:] = rng.random(matrix.shape)
        moved = training.moved(moved, slopes, np.ones((6, 5), np.float32))
    for before, after in zip(hidden.parameters, moved.parameters, strict=True):
        assert (after >= 0).all()
        assert not after[before == 0].any()
    assert any((after != before).any() for before, after in zip(hidden.parameters, moved.parameters, strict=True))


def test_thresholds_begin_within_what_each_voice_sounds() -> None:
    rng = np.random.default_rng(0)
    blank = Hidden.initial(components(3, 1, 3), layers=1)
    code = rng.random((3, 400)).astype(np.float32) * np.array([[1], [1], [20]], np.float32)
    H = said(blank, code)
    np.testing.assert_allclose(np.stack([H[blank.voice == voice].sum(axis=0) for voice in range(3)]), code, rtol=1e-5)
    split = blank.split(H, 1.0)
    apart = said(split, code)
    sounding = [(apart[blank.voice == voice] > 0).mean(axis=1).tolist() for voice in (0, 2)]
    for shares in sounding:
        assert shares[0] == 1 > shares[1] > shares[2] > 0
    # What is twenty times as loud is told apart at twenty times the level.
    np.testing.assert_allclose(sounding[0], sounding[1], atol=0.1)
    np.testing.assert_array_equal(apart[3], code[1])


def test_new_voices_take_after_those_of_their_kind() -> None:
    known = drawn(2, 2, 2, 1, dtype=np.float32)
    grown = known.grown(components(2, 2, 1, 2, 1), np.array([1, 1, 3, 3, 1], np.float32))
    np.testing.assert_array_equal(grown.slot[:5], known.slot)
    for before, after in zip(known.parameters, grown.parameters, strict=True):
        np.testing.assert_array_equal(after[:3], before)
        np.testing.assert_allclose(after[3], 0.25 * before[0] + 0.75 * before[1], rtol=1e-6)
        np.testing.assert_allclose(after[4], before[2], rtol=1e-6)
    assert grown.voice.tolist() == [0, 0, 1, 1, 2, 3, 3, 4]


def test_layers_continue_in_another_order() -> None:
    known = drawn(2, 2, 1, 2, dtype=np.float32)
    code = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    H = said(known, code)
    # The voices 2 and 1 of before, behind one that is new.
    now = components(2, 2, 1)
    after = known.continued(now, np.array([2, 3, 4]), np.array([3, 4, 2]), np.ones(5, np.float32))
    code_now = np.stack([code[0], code[2], code[1]])
    order = np.argsort([after.voice[0], after.voice[2], after.voice[4]])
    again = said(after, code_now[order])
    np.testing.assert_allclose(again[[2, 3, 4]], H[[3, 4, 2]], rtol=1e-6)


def test_a_voice_listens_to_what_all_its_components_listen_to() -> None:
    hidden = drawn(1, 2, 1, 3)
    rows = np.random.default_rng(0).random((6, 4))
    together = hidden.united(rows)
    np.testing.assert_allclose(together[:2], np.tile(rows[:2].sum(axis=0), (2, 1)))
    np.testing.assert_array_equal(hidden.united(rows, 3)[:3], rows[:3])
    np.testing.assert_allclose(hidden.united(rows, 3)[3:], np.tile(rows[3:].sum(axis=0), (3, 1)))
