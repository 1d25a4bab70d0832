"""An autoencoder whose decoder has hidden layers: its training, what it hears, and all that is done with its factors."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import melody, render

from soli.decompose import autoencoder
from soli.decompose.bodies import ScoreInformation
from soli.decompose.constraints import Components, Part
from soli.decompose.hidden import Hidden
from soli.decompose.masking import note_alone, residual, separate_steps
from soli.decompose.model import Factors, decompose_steps
from soli.decompose.nmf import Solution
from soli.decompose.refit import refit_steps
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.progress import finish
from soli.score.notes import Note
from soli.signal.audio import Audio

DEEP = ModelSettings(method="nae", decoder_layers=2, iterations=8)
NOTES = (
    *melody((72, 76, 79, 84)),
    *(replace(n, layer=1) for n in melody((48, 43), step_s=1.0, length_s=0.9, first_id=20, track=1)),
)
SOUND = Audio((np.rint(render(NOTES, channels=2).samples * [1, 0.6] * 2**23) / 2**23).astype(np.float32), 22050)


def voices(P: int, M: int) -> Components:
    voice, copy = np.divmod(np.arange(P * M), M)
    return Components(np.zeros_like(voice), 60 + voice, np.zeros_like(voice), copy, voice, (Part(0),))


def brighter(P: int = 3, N: int = 200, K: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tones that have another spectrum when they are loud, two templates for each, and where they sound; and how loud."""
    rng = np.random.default_rng(seed)
    mask = (rng.random((P, N)) < 0.5).astype(np.float32)
    level = mask * rng.uniform(0.1, 2, (P, N)).astype(np.float32)
    soft, loud = (rng.random((P, K)).astype(np.float32) ** 4 for _ in range(2))
    V = soft.T @ level + loud.T @ np.maximum(level - 1, 0)
    W = np.repeat((soft + loud) / 2, 2, axis=0).T * rng.uniform(0.8, 1.2, (K, 2 * P))
    return V.astype(np.float32), W.astype(np.float32), np.repeat(mask, 2, axis=0), level


def trained(V: np.ndarray, W: np.ndarray, H: np.ndarray, **options: object) -> Solution:
    chosen = ModelSettings(**{"method": "nae", "decoder_layers": 2, "encoder_steps": 4, **options})  # type: ignore[arg-type]
    hidden = Hidden.initial(voices(len(H) // 2, 2), layers=chosen.decoder_layers - 1)
    return finish(autoencoder.factorize(V, W, H, settings=chosen, hidden=hidden))


def test_what_grows_brighter_is_heard_by_one_code_a_tone() -> None:
    V, W, mask, level = brighter()
    deep = trained(V, W, mask, iterations=60)
    one = ModelSettings(method="nae", encoder_steps=4, iterations=60)
    flat = finish(autoencoder.factorize(V, W[:, ::2].copy(), mask[::2].copy(), settings=one))
    # As many numbers say when and how loudly; only the hidden layer makes another spectrum of them.
    assert deep.losses[-1] < 0.2 * flat.losses[-1]
    for voice in range(len(level)):
        said = deep.H[2 * voice : 2 * voice + 2].sum(axis=0)
        sounding = level[voice] > 0
        assert np.corrcoef(said[sounding], level[voice][sounding])[0, 1] > 0.95


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize(
    ("updates", "beta", "rate", "iterations"),
    [
        ("multiplicative", 1.0, "adaptive", 60),
        ("multiplicative", 2.0, "adaptive", 60),
        ("multiplicative", 0.0, "adaptive", 60),
        ("gradient", 1.0, "adaptive", 60),
        ("gradient", 2.0, "fixed", 60),
        ("relu", 2.0, "adaptive", 60),
    ],
)
def test_the_loss_falls_and_the_support_is_kept(updates: str, beta: float, rate: str, iterations: int, layers: int) -> None:
    V, W, mask, _ = brighter()
    V, W = V + np.float32(0.01), W.copy()
    V[3:6], W[3:6] = 0, 0
    options = {"updates": updates, "beta": beta, "rate": rate, "learning_rate": 0.02, "decoder_layers": layers}
    found = trained(V, W, mask, iterations=iterations, **options)
    assert found.losses[-1] < 0.8 * found.losses[1]
    assert not found.H[mask == 0].any()
    assert not found.W[3:6].any()
    assert found.hidden is not None
    for matrix in (found.W, found.H, *found.hidden.parameters):
        assert np.isfinite(matrix).all()
        assert (matrix >= 0).all()


def test_activations_are_what_the_layers_say() -> None:
    V, W, mask, _ = brighter()
    for updates, beta in (("multiplicative", 1.0), ("gradient", 2.0)):
        found = trained(V, W, mask, updates=updates, beta=beta, encoder_steps=0, iterations=6)
        assert found.encoder is not None
        assert found.hidden is not None
        np.testing.assert_array_equal(found.encoder[::2], found.encoder[1::2])
        code = (found.encoder @ V)[::2] * mask[::2]
        said = found.hidden.activations(found.hidden.forward(code))
        np.testing.assert_allclose(found.H, said, rtol=1e-3, atol=1e-4 * said.max())
        np.testing.assert_allclose(found.W.sum(axis=0), 1, rtol=1e-4)
        again = autoencoder.encoded(
            V, found.W, found.encoder, mask, settings=replace(DEEP, encoder_steps=0, beta=beta), hidden=found.hidden
        )
        np.testing.assert_allclose(again, found.H, rtol=1e-3, atol=1e-4 * said.max())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 999),
    P=st.integers(1, 4),
    N=st.integers(1, 70),
    layers=st.integers(2, 4),
    updates=st.sampled_from(["multiplicative", "gradient", "relu"]),
    silent=st.booleans(),
)
def test_any_shape_gives_numbers(seed: int, P: int, N: int, layers: int, updates: str, silent: bool) -> None:
    V, W, mask, _ = brighter(P, N, 9, seed=seed)
    V = V * np.float32(not silent)
    beta = 2.0 if updates == "relu" else 1.0
    found = trained(V, W, mask, updates=updates, beta=beta, decoder_layers=layers, iterations=4)
    assert found.W.shape == W.shape
    assert found.H.shape == mask.shape
    assert not found.H[mask == 0].any()
    assert (found.H.any() == V[:, mask.any(axis=0)].any()) or updates == "relu"
    for matrix in (found.W, found.H, found.encoder, *(found.hidden.parameters if found.hidden else ())):
        assert matrix is not None
        assert np.isfinite(matrix).all()


def test_one_component_and_one_frame_are_enough() -> None:
    hidden = Hidden.initial(voices(1, 1), layers=1)
    V, W, H = np.array([[2.0], [1.0]], np.float32), np.ones((2, 1), np.float32), np.ones((1, 1), np.float32)
    found = finish(autoencoder.factorize(V, W, H, settings=replace(DEEP, iterations=30, prior=0.0), hidden=hidden))
    np.testing.assert_allclose(found.W @ found.H, V, rtol=1e-3)


def test_training_repeats_itself_and_alters_nothing() -> None:
    V, W, mask, _ = brighter()
    hidden = Hidden.initial(voices(3, 2), layers=2)
    before = [matrix.copy() for matrix in (V, W, mask, *hidden.parameters)]
    runs = [finish(autoencoder.factorize(V, W, mask, settings=DEEP, hidden=hidden)) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].H, runs[1].H)
    for was, matrix in zip(before, (V, W, mask, *hidden.parameters), strict=True):
        np.testing.assert_array_equal(was, matrix)


@pytest.fixture(scope="module")
def factors() -> Factors:
    return finish(decompose_steps(SOUND, ScoreInformation(NOTES), DEEP))


def test_layers_and_notes_are_pulled_out_of_it(factors: Factors) -> None:
    layers = finish(separate_steps(SOUND, factors, [0, 1]))
    rest = residual(SOUND, layers.values())
    np.testing.assert_array_equal(layers[0] + layers[1] + rest, SOUND.samples)
    assert np.sum(rest**2.0) < 0.01 * np.sum(SOUND.samples**2.0)
    whole = np.zeros_like(SOUND.samples)
    for note in NOTES[:4]:
        first, sound = note_alone(SOUND, factors, [note.id])
        assert np.abs(sound).max() > 0
        whole[first : first + len(sound)] += sound
    np.testing.assert_allclose(whole, layers[0], atol=1e-5)


def test_an_edit_is_refitted_by_the_same_layers(factors: Factors) -> None:
    edited = [*(replace(n, offset_s=n.offset_s - 0.2) if n.id == 20 else n for n in NOTES), Note(90, 1.55, 1.8, 64)]
    result = finish(refit_steps(SOUND, factors, ScoreInformation(edited)))
    after = result.factors
    assert not result.whole
    assert 0 < result.solved < factors.grid.frames
    assert after.hidden is not None
    added = len(factors.components)
    assert len(after.components) > added
    assert after.H[added:].any()
    assert not after.H[after.constraint.H == 0].any()
    same = (after.constraint.H[:added] == factors.constraint.H).all(axis=0) & ~after.constraint.H[added:].any(axis=0)
    np.testing.assert_array_equal(after.H[:added, same], factors.H[:, same])
    taken_back = finish(refit_steps(SOUND, after, ScoreInformation(NOTES))).factors
    np.testing.assert_array_equal(taken_back.H[:added], factors.H)
    assert not taken_back.H[added:].any()


def test_what_is_solved_again_from_the_same_beginning_is_the_same(factors: Factors) -> None:
    shorter = [replace(n, offset_s=n.offset_s - 0.2) if n.id in (1, 22) else n for n in NOTES]
    away = finish(refit_steps(SOUND, factors, ScoreInformation(shorter))).factors
    back = finish(refit_steps(SOUND, replace(away, origin=None), ScoreInformation(NOTES))).factors
    np.testing.assert_allclose(back.H, factors.H, rtol=1e-2, atol=1e-3 * factors.H.max())


@pytest.mark.parametrize("notes", [NOTES, (*NOTES, Note(90, 1.55, 1.8, 64))], ids=["the same", "edited"])
def test_a_warm_start_goes_on_with_the_layers(factors: Factors, notes: tuple[Note, ...]) -> None:
    cold = finish(decompose_steps(SOUND, ScoreInformation(notes), DEEP))
    warm = finish(decompose_steps(SOUND, ScoreInformation(notes), DEEP, start=factors))
    assert warm.losses[0] < 0.5 * cold.losses[0]
    assert warm.losses[-1] < 1.01 * cold.losses[-1]
    assert not warm.H[warm.constraint.H == 0].any()
    if notes is NOTES:
        assert warm.losses[0] < 1.05 * factors.losses[-1]
    other = replace(DEEP, decoder_layers=3, iterations=2)
    assert np.isfinite(finish(decompose_steps(SOUND, ScoreInformation(notes), other, start=factors)).H).all()


def test_depth_has_a_range() -> None:
    with pytest.raises(InputError, match="decoder_layers is 0"):
        ModelSettings(decoder_layers=0)
    flat = finish(decompose_steps(SOUND, ScoreInformation(NOTES), replace(DEEP, decoder_layers=1, iterations=2)))
    assert flat.hidden is None
