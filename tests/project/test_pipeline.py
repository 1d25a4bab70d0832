"""From files to layers: they add up to the recording, in whatever form it comes, and follow what the roll shows."""

import threading
from dataclasses import replace
from itertools import permutations
from types import MappingProxyType

import numpy as np
import pytest
from project.conftest import LEFT, QUICK, RIGHT
from project.states import content
from synth import render

from soli.decompose.constraints import MaskEdit
from soli.errors import InputError
from soli.progress import Progress, finish
from soli.project import commands, estimating, pipeline
from soli.project.state import State
from soli.score import midi
from soli.score.notes import Note, Score
from soli.signal import audio, maps
from soli.signal.audio import Audio
from soli.signal.library import FORMATS


@pytest.mark.parametrize(
    ("rate", "channels", "form"),
    [(22050, 1, "wav16"), (22050, 1, "flac"), (44100, 2, "wav24"), (48000, 2, "wav24"), (8000, 3, "wav24"), (96000, 6, "wav16")],
)
def test_layers_and_residual_are_the_recording_to_the_last_bit(tmp_path, piece, rate, channels, form):
    rendered = render([*RIGHT, *LEFT], rate, channels=channels, noise_db=-60)
    recording = tmp_path / f"song{FORMATS[form][2]}"
    # The channels differ from each other, as those of a real recording do.
    samples = rendered.samples * np.linspace(1, 0.2, channels, dtype=np.float32)
    audio.write(recording, Audio(samples, rate), form)
    opened = finish(pipeline.open_steps(recording, piece[1])).state
    result = finish(pipeline.separate_steps(replace(opened, settings=QUICK)))
    assert opened.audio.rate == rate
    signals = [*result.layers.values(), result.residual]
    assert [signal.shape for signal in signals] == [opened.audio.samples.shape] * 3
    assert opened.audio.samples.shape == samples.shape
    assert all(signal.dtype == np.float32 for signal in signals)
    for order in permutations(signals):
        np.testing.assert_array_equal(order[0] + order[1] + order[2], opened.audio.samples)
    assert result.null_dbfs == -240


def test_a_float_recording_beyond_24_bits_adds_up_below_100_dbfs(state):
    samples = state.audio.samples * np.float32(np.pi / 4)
    result = finish(pipeline.separate_steps(replace(state, audio=Audio(samples, state.audio.rate))))
    total = result.layers[0] + result.layers[1] + result.residual
    assert np.abs(total - samples).max() < 1e-5
    assert result.null_dbfs < -100


def test_the_null_is_the_peak_of_what_is_missing():
    recording = Audio(np.full((300_000, 2), 0.5, np.float32), 44100)
    almost = recording.samples.copy()
    almost[299_999, 1] -= 0.01
    assert pipeline.null_dbfs(recording, [almost]) == pytest.approx(-40, abs=1e-3)
    assert pipeline.null_dbfs(recording, [almost, recording.samples - almost]) == -240


def test_opening_aligns_every_note_and_sorts_it_into_a_layer(tmp_path, piece):
    late = [replace(n, onset_s=n.onset_s * 1.3 + 0.5, offset_s=n.offset_s * 1.3 + 0.5) for n in (*RIGHT, *LEFT)]
    audio.write(tmp_path / "late.wav", render(late), "wav16")
    loaded = finish(pipeline.open_steps(tmp_path / "late.wav", piece[1]))
    assert [layer.name for layer in loaded.state.layers] == ["right", "left"]
    assert len(loaded.state.notes) == len(late)
    assert set(loaded.seconds) == {"read", "align"}
    by_place = sorted(loaded.state.notes.values(), key=lambda n: (n.track, n.onset_s))
    for found, truth in zip(by_place, sorted(late, key=lambda n: (n.track, n.onset_s)), strict=True):
        assert found.pitch == truth.pitch
        assert found.layer == truth.track
        assert found.onset_s == pytest.approx(truth.onset_s, abs=0.06)


def test_without_aligning_the_times_of_the_score_are_taken(state, piece):
    assert [n.onset_s for n in state.notes.values()] == [n.onset_s for n in midi.read(piece[1]).notes]


def test_a_score_without_a_recording_keeps_its_times(piece):
    placed = finish(pipeline.place_score_steps(State(), piece[1])).state
    assert placed.audio is None
    assert len(placed.notes) == len(RIGHT) + len(LEFT)


def test_no_stage_alters_the_state_it_is_given(state, separation, piece):
    assert separation.source is state
    before, sound = content(state), state.audio.samples.copy()
    finish(pipeline.separate_steps(state))
    finish(pipeline.align_score_steps(state, state.score, piece[1]))
    assert content(state) == before
    np.testing.assert_array_equal(state.audio.samples, sound)


def test_every_stage_reports_itself(state):
    steps = list(pipeline.separate_steps(state))
    assert all(isinstance(step, Progress) and step.what and 0 <= step.step <= step.total for step in steps)
    losses = [step.loss for step in steps if step.loss is not None]
    assert len(losses) >= QUICK.iterations
    assert losses[-1] <= losses[0]


@pytest.mark.parametrize("after", [1, 3, 8, 14])
def test_closing_cancels_and_leaves_no_thread_behind(state, after):
    before = threading.active_count()
    steps = pipeline.separate_steps(state)
    for _ in range(after):
        next(steps)
    steps.close()
    assert threading.active_count() <= before
    with pytest.raises(StopIteration):
        next(steps)


def test_the_same_seed_gives_the_same_bits(state, separation):
    again = finish(pipeline.separate_steps(state))
    for layer, signal in separation.layers.items():
        np.testing.assert_array_equal(again.layers[layer], signal)
    np.testing.assert_array_equal(again.residual, separation.residual)
    random = replace(state, settings=replace(QUICK, initialisation="random"))
    first, second = (finish(pipeline.separate_steps(random)) for _ in range(2))
    other = finish(pipeline.separate_steps(replace(random, settings=replace(random.settings, seed=1))))
    np.testing.assert_array_equal(first.layers[0], second.layers[0])
    assert (first.layers[0] != other.layers[0]).any()


def test_the_order_of_the_notes_does_not_matter(state, separation):
    shuffled = MappingProxyType(dict(reversed(state.notes.items())))
    again = finish(pipeline.separate_steps(replace(state, notes=shuffled)))
    np.testing.assert_array_equal(again.layers[0], separation.layers[0])


def test_a_forbidden_pitch_is_silent_in_its_layer(state, separation):
    strokes = [MaskEdit(note.pitch, 0.0, 99.0, allow=False) for note in LEFT]
    edited = commands.paint_mask(state, strokes).apply(state)
    result = finish(pipeline.separate_steps(edited))
    left = next(layer.id for layer in state.layers if layer.name == "left")
    assert separation.layers[left].any()
    assert not result.layers[left].any()
    assert result.null_dbfs == -240
    assert not result.is_of(state)
    assert result.is_of(edited)


def test_forbidding_a_note_here_takes_its_sound_out_of_the_layer_here(state, separation):
    first = next(n for n in state.notes.values() if n.pitch == 48)
    edited = commands.paint_mask(state, [MaskEdit(48, 0.0, 0.8, allow=False)]).apply(state)
    after = finish(pipeline.separate_steps(edited)).layers[first.layer]
    held = slice(round(0.15 * 22050), round(0.5 * 22050))
    assert np.square(after[held]).sum() < 0.01 * np.square(separation.layers[first.layer][held]).sum()
    later = slice(round(1.2 * 22050), round(1.6 * 22050))
    assert np.square(after[later]).sum() > 0.5 * np.square(separation.layers[first.layer][later]).sum()


def test_a_note_moved_to_another_layer_takes_its_sound_along(state, separation):
    (moved,) = (n for n in state.notes.values() if n.pitch == 43)
    other = next(layer.id for layer in state.layers if layer.id != moved.layer)
    edited = commands.assign_layer(state, [moved.id], other).apply(state)
    result = finish(pipeline.separate_steps(edited))
    held = slice(round(0.95 * 22050), round(1.5 * 22050))
    assert np.square(result.layers[moved.layer][held]).sum() < 0.01 * np.square(separation.layers[moved.layer][held]).sum()
    np.testing.assert_allclose(result.layers[0] + result.layers[1], separation.layers[0] + separation.layers[1], atol=1e-4)


def test_a_piece_of_painted_strokes_alone_can_be_separated(state):
    painted = replace(state, notes=MappingProxyType({}), mask=(MaskEdit(48, 0.0, 0.8, allow=True, layer=1),))
    result = finish(pipeline.separate_steps(painted))
    assert result.layers[1].any()
    assert not result.layers[0].any()


def test_an_empty_layer_is_silent(state):
    edited = commands.add_layer(state, "Empty").apply(state)
    result = finish(pipeline.separate_steps(edited))
    assert not result.layers[edited.layers[-1].id].any()
    assert result.null_dbfs == -240


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"notes": MappingProxyType({})}, "no notes"),
        ({"audio": None}, "no recording"),
        ({"notes": MappingProxyType({}), "mask": (MaskEdit(60, 0, 1, allow=False),)}, "no notes"),
        ({"notes": MappingProxyType({0: Note(0, 500.0, 501.0, 60)})}, "no note may sound"),
    ],
)
def test_what_cannot_be_separated_is_told_in_one_sentence(state, broken, words):
    with pytest.raises(InputError, match=words) as told:
        finish(pipeline.separate_steps(replace(state, **broken)))
    assert "\n" not in str(told.value)


def test_an_alignment_of_an_empty_score_warns(state):
    loaded = finish(pipeline.align_score_steps(state, Score(()), None))
    assert loaded.warning
    assert not loaded.state.notes


def test_an_estimate_grows_with_the_work(state):
    first = estimating.estimate(state)
    more = estimating.estimate(replace(state, settings=replace(state.settings, iterations=40)))
    assert 0 < first.seconds < more.seconds
    assert first.megabytes == more.megabytes
    longer = replace(state, audio=Audio(np.tile(state.audio.samples, (20, 1)), state.audio.rate))
    assert estimating.estimate(longer).megabytes > first.megabytes


def test_the_autoencoder_and_more_layers_are_expected_to_take_longer(state):
    first = estimating.estimate(state).seconds
    assert estimating.estimate(replace(state, settings=replace(state.settings, method="nae"))).seconds > first
    assert estimating.estimate(replace(state, layers=state.layers[:1])).seconds < first


def test_what_a_run_took_makes_the_next_estimate_right(state):
    expected = estimating.estimate(state).seconds
    took = {"decompose": 6.0, "separate": 2.0, "read": 100.0}
    pace = estimating.pace_of(state, took)
    assert estimating.estimate(state, pace=pace).seconds == pytest.approx(min(8.0, estimating.SLOWEST * expected))
    assert estimating.pace_of(state, {"decompose": 0.1, "separate": 0.1}) is None, "too short to tell"
    assert estimating.pace_of(state, {"refit": 10.0}) is None


def test_what_goes_beyond_the_memory_is_told_before_it_begins(state, monkeypatch):
    expected = estimating.estimate(state)
    monkeypatch.setattr(estimating, "memory_bytes", lambda: expected.megabytes * 1e6 + 1)
    assert estimating.objection(state, expected) == ""
    monkeypatch.setattr(estimating, "memory_bytes", lambda: expected.megabytes * 1e6 - 1)
    with pytest.raises(InputError, match=r"2 layers take about 1 s and .* GB of memory, .*; cut the recording") as told:
        next(pipeline.separate_steps(state))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "1 s"), (85.4, "85 s"), (100, "2 min"), (5000, "83 min"), (7000, "2 h"), (90_000, "25 h")]
)
def test_estimates_are_said_in_fitting_units(seconds, words):
    assert estimating.Estimate(seconds, 1234.0).in_words == f"about {words} and 1.2 GB of memory"
    assert estimating.Estimate(seconds, 1234.0, 5e3).in_words == f"about {words}, 1.2 GB of memory and 5.0 GB of disk"


def test_what_is_long_takes_the_disk_and_not_the_memory(state, monkeypatch):
    small = estimating.estimate(state)
    assert small.disk_megabytes == 0
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr(estimating, "LARGEST_IN_MEMORY", 0)
    long, played = estimating.estimate(state), estimating.estimate(state, played=True)
    assert long.megabytes < small.megabytes
    sound = 4e-6 * state.audio.samples.size
    assert long.disk_megabytes >= 3 * sound, "two layers and the residual"
    assert played.disk_megabytes == pytest.approx(7 * sound), "and all of them with the recording for the player"
    monkeypatch.setattr(estimating, "memory_bytes", lambda: long.megabytes * 1e6 + 1)
    assert estimating.objection(state, long) == ""
    monkeypatch.setattr(maps, "room_bytes", lambda: long.disk_megabytes * 1e6 - 1)
    said = estimating.objection(state, long)
    assert "make room there, cut the recording" in said
    assert maps.scratch_folder() in said
    monkeypatch.setattr(estimating, "memory_bytes", lambda: (long.megabytes + long.disk_megabytes) * 1e6 + 2)
    assert estimating.objection(state, long) == "", "what the disk has no room for may lie in memory"


def test_a_long_run_begins_with_its_estimate(state, monkeypatch):
    monkeypatch.setattr(pipeline, "LONG_S", 0.0)
    assert next(pipeline.separate_steps(state)).what == f"Decomposing, {estimating.estimate(state).in_words}"


def test_updates_that_run_away_are_told_and_publish_nothing(state):
    wild = replace(state.settings, updates="gradient", rate="fixed", learning_rate=10.0, iterations=40)
    with pytest.raises(InputError, match="learning rate"):
        finish(pipeline.separate_steps(replace(state, settings=wild)))


def test_values_that_are_no_numbers_never_count_as_adding_up(state):
    assert pipeline.null_dbfs(state.audio, [np.full(state.audio.samples.shape, np.nan, np.float32)]) == np.inf
