"""The results in a project: to the last bit what was found, whatever the model; damaged ones are told, and the rest opens."""

import contextlib
import json
import random
import sqlite3
from contextlib import closing
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from soli.decompose.settings import ModelSettings
from soli.errors import ProjectError
from soli.progress import finish
from soli.project import commands, pipeline, storage
from soli.project.pipeline import Separation
from soli.project.refit import refit_separation_steps
from soli.project.state import State
from soli.project.storage import Kept, Opened, blocks, file, results
from soli.project.storage.blocks import BLOCK_LENGTH, Budget, read_array, read_sound, write_array, write_sound
from soli.signal.audio import Audio
from soli.signal.spectrogram import Grid


def reopened(path: Path) -> Opened:
    return finish(storage.open_steps(path))


def empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    file.create(db)
    return db


def same(a: Any, b: Any, where: str = "factors") -> None:
    """Whether two values made of dataclasses and arrays hold the same, arrays in the same order in memory too."""
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        np.testing.assert_array_equal(a, b, err_msg=where)
        assert a.ndim < 2 or a.flags.f_contiguous == b.flags.f_contiguous, where
    elif is_dataclass(a):
        assert type(a) is type(b), where
        for f in fields(a):
            same(getattr(a, f.name), getattr(b, f.name), f"{where}.{f.name}")
    elif isinstance(a, tuple):
        assert len(a) == len(b), where
        for one, other in zip(a, b, strict=True):
            same(one, other, where)
    else:
        assert a == b, where


MODELS = [
    ModelSettings(iterations=2),
    ModelSettings(iterations=2, sustain_templates=1, initialisation="templates"),
    ModelSettings(method="nae", iterations=2, encoder_steps=2),
    ModelSettings(method="nae", iterations=2, decoder_layers=3, updates="gradient", beta=2.0),
]


@pytest.mark.parametrize("model", MODELS, ids=["nmf", "everywhere", "nae", "hidden"])
@pytest.mark.parametrize("edited", [False, True], ids=["whole", "refitted"])
def test_results_open_to_the_last_bit(tmp_path, state, model, edited):
    found = finish(pipeline.separate_steps(replace(state, settings=model)))
    if edited:
        other = commands.set_absent(found.source, [1], absent=True).apply(found.source)
        other = commands.limit_template(other, [72], None).apply(other)
        found = finish(refit_separation_steps(found, other))
    storage.save(tmp_path / "a.soli", found.source, separation=found)
    opened = reopened(tmp_path / "a.soli")
    assert opened.warning == ""
    back = opened.separation
    same(back.factors, found.factors)
    assert list(back.signals) == list(found.signals)
    for key, signal in found.signals.items():
        np.testing.assert_array_equal(back.signals[key], signal)
    assert (back.null_dbfs, dict(back.seconds)) == (found.null_dbfs, dict(found.seconds))
    assert back.is_of(opened.state)


def test_where_instruments_stand_is_kept(tmp_path, state):
    two = state.audio.samples[:, :1] * np.array([1.0, 0.4], np.float32)
    found = finish(pipeline.separate_steps(replace(state, audio=type(state.audio)(two, state.audio.rate))))
    assert found.factors.coherence is not None
    storage.save(tmp_path / "a.soli", found.source, embed=True, separation=found)
    same(reopened(tmp_path / "a.soli").separation.factors, found.factors)


def test_results_of_an_earlier_state_stay_those_of_that_state(tmp_path, state, separation):
    edited = commands.delete_notes(state, [1]).apply(state)
    storage.save(tmp_path / "a.soli", edited, separation=separation)
    opened = reopened(tmp_path / "a.soli")
    assert not opened.separation.is_of(opened.state)
    followed = finish(refit_separation_steps(opened.separation, opened.state))
    wanted = finish(refit_separation_steps(separation, edited))
    for key, signal in wanted.signals.items():
        np.testing.assert_array_equal(followed.signals[key], signal)


@pytest.mark.parametrize(("bits", "codec"), [(16, "flac"), (24, "flac"), (None, "zlib")], ids=["16 bits", "24 bits", "float"])
@pytest.mark.parametrize("channels", [1, 2, 9])
def test_an_embedded_recording_is_the_recording(tmp_path, bits, codec, channels):
    rng = np.random.default_rng(0)
    samples = rng.uniform(-1, 1, (BLOCK_LENGTH + 17, channels)).astype(np.float32)
    if bits:
        samples = (rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), samples.shape) / 2 ** (bits - 1)).astype(np.float32)
        samples[0] = -1.0
    storage.save(tmp_path / "a.soli", State(audio=Audio(samples, 44_100)), embed=True)
    opened = reopened(tmp_path / "a.soli")
    assert opened.embeds
    np.testing.assert_array_equal(opened.state.audio.samples, samples)
    assert opened.state.audio.rate == 44_100
    with closing(sqlite3.connect(tmp_path / "a.soli")) as db:
        codecs = {name for (name,) in db.execute("SELECT codec FROM block")}
    assert codecs == {codec if channels <= 8 else "zlib"}


def test_the_silence_of_an_embedded_recording_keeps_its_sign(tmp_path, state):
    """As a recording turned over has it: it is known by its bits, and so are the layers made of it."""
    samples = -(np.round(state.audio.samples * 2**15) / 2**15).astype(np.float32)
    samples[:100] = -0.0
    recording = type(state.audio)(samples, state.audio.rate)
    found = finish(pipeline.separate_steps(replace(state, audio=recording)))
    storage.save(tmp_path / "a.soli", found.source, embed=True, separation=found)
    opened = reopened(tmp_path / "a.soli")
    assert opened.state.audio.fingerprint == recording.fingerprint
    assert opened.warning == ""
    assert opened.separation is not None


def test_clipping_layers_are_kept_as_they_are():
    samples = np.array([[1.0, -1.0], [1.5, -3.0], [1e-30, 0.1]], np.float32)
    with closing(empty()) as db:
        finish(write_sound(db, "layer 0", lambda a, b: samples[a:b], 8000, samples.shape, ""))
        (back,) = read_sound(db, "layer 0", most_bytes=2**20)
        np.testing.assert_array_equal(back, samples)


@settings(max_examples=60, deadline=None)
@given(
    array=arrays.arrays(
        st.sampled_from(["f4", "f8", "i8"]),
        arrays.array_shapes(min_dims=1, max_dims=3, min_side=0),
        elements={"allow_nan": False},
    ),
    fortran=st.booleans(),
)
def test_any_array_comes_back(array, fortran):
    array = np.asfortranarray(array) if fortran else array
    with closing(empty()) as db:
        write_array(db, "x", array)
        back = read_array(db, "x", array.dtype.str[1:], [None] * array.ndim, Budget())
        np.testing.assert_array_equal(back, array)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)


def test_arrays_longer_than_a_block_come_back(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 64)
    array = np.arange(1000, dtype=np.float32).reshape(10, 100)
    with closing(empty()) as db:
        write_array(db, "x", array)
        np.testing.assert_array_equal(read_array(db, "x", "f4", (10, 100), Budget()), array)


LIES = [
    "[1000000000000, 2]",
    "[-1, 2]",
    "[4294967296, 4294967296]",
    "[2.5, 2]",
    "{}",
    "[]",
    "[true, 2]",
    "null",
    '["3", 2]',
    "[" * 50_000,
]


@pytest.mark.parametrize("shape", LIES, ids=lambda shape: shape[:20])
def test_a_shape_that_lies_is_refused_before_memory_is_asked_for(shape):
    with closing(empty()) as db:
        write_array(db, "x", np.ones((3, 2), np.float32))
        db.execute("UPDATE array SET shape = ?", (shape,))
        with pytest.raises((ValueError, TypeError, RecursionError)):
            read_array(db, "x", "f4", (None, 2), Budget())


def test_all_arrays_together_have_a_bound():
    with closing(empty()) as db:
        write_array(db, "x", np.zeros((1000, 2), np.float32))
        budget = Budget(12_000)
        read_array(db, "x", "f4", (None, 2), budget)
        with pytest.raises(ValueError, match="memory"):
            read_array(db, "x", "f4", (None, 2), budget)


DAMAGE = [
    "UPDATE sound SET length = length + 1",
    "UPDATE sound SET length = 1000000000000",
    "UPDATE sound SET channels = 0",
    "UPDATE sound SET rate = -1",
    "UPDATE sound SET length = NULL",
    "DELETE FROM sound",
    "DELETE FROM block WHERE name LIKE 'layer%'",
    "UPDATE block SET data = NULL",
    "UPDATE block SET data = zeroblob(length(data))",
    "UPDATE block SET codec = 'pickle'",
    "UPDATE block SET codec = 'zlib'",
    "UPDATE block SET crc = crc + 1",
    "UPDATE array SET dtype = '|O'",
    "UPDATE array SET dtype = '<f8' WHERE name = 'W'",
    "DELETE FROM array WHERE name = 'H'",
    "DELETE FROM array WHERE name = 'entries first'",
    "UPDATE result SET value = '[0, 0]' WHERE key = 'layers'",
    "UPDATE result SET value = '[7]' WHERE key = 'layers'",
    "UPDATE result SET value = '[-1]' WHERE key = 'layers'",
    "UPDATE result SET value = '' WHERE key = 'seconds'",
    "UPDATE result SET value = 'null' WHERE key = 'seconds'",
    "UPDATE result SET value = '1e999' WHERE key = 'null_dbfs'",
    "UPDATE result SET value = '7' WHERE key = 'window_length'",
    "UPDATE result SET value = 'x' WHERE key = 'sha256'",
    "UPDATE result SET value = '9' WHERE key = 'hidden_layers'",
    "UPDATE result SET value = 'true' WHERE key = 'encoder'",
    "UPDATE result SET value = '{}' WHERE key = 'warm'",
    "UPDATE result SET value = '[]' WHERE key = 'settings'",
    "DELETE FROM result WHERE key = 'joined'",
    "UPDATE source_note SET pitch = 400",
    "UPDATE source_settings SET value = '-1'",
]


@pytest.mark.parametrize("statement", DAMAGE)
def test_damaged_results_are_told_and_the_rest_opens(tmp_path, state, separation, statement):
    path = tmp_path / "a.soli"
    storage.save(path, state, separation=separation)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)
    opened = reopened(path)
    assert opened.separation is None
    assert "decompose again" in opened.warning
    assert "\n" not in opened.warning
    assert dict(opened.state.notes) == dict(state.notes)
    assert opened.state.audio is not None


INDICES = ["bodies part", "bodies pitch", "components voice", "components kind", "entries voice", "entries frame", "entries body"]


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("value", [-1, 10**9, 2**62])
def test_an_index_that_leads_nowhere_is_damage(tmp_path, state, separation, name, value):
    path = tmp_path / "a.soli"
    storage.save(path, state, separation=separation)
    with closing(sqlite3.connect(path)) as db, db:
        shape = json.loads(db.execute("SELECT shape FROM array WHERE name = ?", (name,)).fetchone()[0])
        blocks.remove(db, name)
        write_array(db, name, np.full(shape, value, np.int64))
    opened = reopened(path)
    assert opened.separation is None
    assert "decompose again" in opened.warning


def test_a_view_in_place_of_a_table_is_not_asked(tmp_path, state):
    path = tmp_path / "a.soli"
    storage.save(path, state)
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS note FROM n"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE absent")
        db.execute(f"CREATE VIEW absent AS {forever}")
    with pytest.raises(ProjectError, match="more than tables"):
        reopened(path)


def test_a_computed_column_is_not_asked(tmp_path, state):
    path = tmp_path / "a.soli"
    storage.save(path, state)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE absent")
        db.execute("CREATE TABLE absent(x INTEGER, note AS (length(zeroblob(1000000000))))")
    with pytest.raises(ProjectError, match="computed"):
        reopened(path)


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """A project with some of its bytes altered, cut off, doubled or moved."""
    broken = bytearray(whole)
    for _ in range(rng.choice([1, 1, 3, 30])):
        place = rng.randrange(len(broken))
        kind = rng.randrange(5)
        if kind == 0:
            broken[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            broken[place : place + 8] = rng.choice([b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7])
        elif kind == 2:
            length, other = rng.randrange(1, 5000), rng.randrange(len(broken))
            broken[place : place + length] = broken[other : other + length]
        elif kind == 3:
            broken[rng.randrange(100)] = rng.randrange(256)
        elif rng.random() < 0.3 and place > 100:
            del broken[place:]
    return bytes(broken)


def test_mutated_projects_open_or_are_told(tmp_path, state, separation):
    path = tmp_path / "a.soli"
    storage.save(path, state, separation=separation, embed=True)
    whole = path.read_bytes()
    rng, opened = random.Random(7), 0
    for _ in range(200):
        broken = mutated(whole, rng)
        path.write_bytes(broken)
        with contextlib.suppress(ProjectError):
            found = reopened(path)
            opened += 1
            if found.separation is not None:
                assert np.isfinite(found.separation.factors.W).all()
        assert path.read_bytes() == broken
    assert 0 < opened < 200


def test_results_are_copied_from_where_they_lie(tmp_path, state, separation, monkeypatch):
    storage.save(tmp_path / "a.soli", state, separation=separation)
    monkeypatch.setattr(file, "write_results_steps", None)
    storage.save(tmp_path / "b.soli", state, separation=separation, kept=Kept(tmp_path / "a.soli"))
    assert reopened(tmp_path / "b.soli").separation is not None


@pytest.mark.parametrize("gone", ["missing", "garbage", "empty"])
def test_where_they_no_longer_lie_they_are_written_anew(tmp_path, state, separation, gone):
    if gone != "missing":
        (tmp_path / "gone.soli").write_bytes(b"" if gone == "empty" else b"garbage" * 999)
    storage.save(tmp_path / "b.soli", state, separation=separation, kept=Kept(tmp_path / "gone.soli"))
    found: Separation | None = reopened(tmp_path / "b.soli").separation
    assert found is not None


def test_the_factors_of_long_pieces_are_read_as_they_were_written(tmp_path, state, separation, monkeypatch):
    """What they take grows with the length: they are held against that, and against the memory there is."""
    storage.save(tmp_path / "a.soli", state, separation=separation)
    monkeypatch.setattr(results, "MOST_BYTES", 1)
    assert reopened(tmp_path / "a.soli").separation is not None
    monkeypatch.setattr(results, "memory_bytes", lambda: 2000)
    monkeypatch.setattr(results.maps, "room_bytes", lambda: 2**40)
    opened = reopened(tmp_path / "a.soli")
    assert opened.separation is None
    assert "more than fits into memory" in opened.warning


def test_hours_of_an_orchestra_have_room(monkeypatch):
    monkeypatch.setattr(results, "memory_bytes", lambda: 2**37)
    samples = np.broadcast_to(np.float32(0), (3 * 3600 * 44_100, 1))
    recording = Audio(samples, 44_100)
    frames = Grid.for_recording(44_100, len(samples)).frames
    assert results.most_array_bytes(recording) > 2 * 2 * 4 * 900 * frames
