import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import DeviceError
from soli.playback import segments
from soli.playback.segments import Segment, store, sweep, views

SHAPES = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 2)), max_size=5)


@given(SHAPES)
def test_what_is_stored_is_seen_at_its_place_by_whoever_attaches(shapes: Sequence[tuple[int, int]]) -> None:
    rng = np.random.default_rng(0)
    signals = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    segment, layouts = store(signals)
    other = Segment(place=segment.place)
    try:
        seen = views(other, layouts)
        assert len(seen) == len(signals)
        assert all(map(np.array_equal, seen, signals))
        assert not any(copy.flags.writeable for copy in seen)
        if seen:
            assert not other.close(), "an array still looks at it"
        del seen
        assert other.close()
    finally:
        segment.unlink()
        assert segment.close()


def test_large_ones_lie_in_a_file_that_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    signal = np.arange(300, dtype=np.float32).reshape(-1, 2)
    segment, layouts = store([signal])
    assert segment.place.is_file
    other = Segment(place=segment.place)
    np.testing.assert_array_equal(views(other, layouts)[0], signal)
    segment.unlink()
    np.testing.assert_array_equal(views(other, layouts)[0], signal)
    assert other.close()
    assert segment.close()
    assert not list(tmp_path.iterdir())


def test_where_shared_memory_is_small_a_file_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_fits_in_memory", lambda _size: False)
    segment = Segment(1000)
    assert segment.place.is_file
    segment.unlink()
    assert segment.close()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve room on a disk")
def test_no_room_is_one_sentence_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DeviceError, match="no room for 3 MB"):
        Segment(3 * 2**20, in_memory=False)
    assert not list(tmp_path.iterdir())


def test_attaching_to_what_is_gone_says_so() -> None:
    segment = Segment(100)
    segment.unlink()
    with pytest.raises(FileNotFoundError):
        Segment(place=segment.place)
    assert segment.close()


def test_what_the_dead_left_is_swept_and_what_the_living_use_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(timeout=30)
    left = [tmp_path / f"soli-{gone.pid}-a.layers"]
    if Path("/dev/shm").is_dir():
        left.append(Path(f"/dev/shm/soli-{gone.pid}-a"))
    kept = [tmp_path / "soli-notes-a.layers", tmp_path / f"soli-{gone.pid}-a.wav"]
    for path in left + kept:
        path.write_bytes(b"x")
    used = [Segment(10, in_memory=True), Segment(10, in_memory=False)]
    sweep()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)
    for segment in used:
        other = Segment(place=segment.place)
        assert other.close()
        segment.unlink()
        assert segment.close()


def test_without_shared_memory_everything_lies_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/dev/shm")

    monkeypatch.setattr(segments, "SharedMemory", refused)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    signal = np.arange(6, dtype=np.float32).reshape(3, 2)
    for segment in (Segment(8, in_memory=True), store([signal])[0]):
        assert segment.place.is_file
        segment.unlink()
        assert segment.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_written_in_place_is_what_a_view_sees(in_memory: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_ROWS", 3)
    segment = Segment(4 * 30, in_memory=in_memory)
    signal = np.arange(40, dtype=np.float32).reshape(10, 4)[:, ::2]
    segment.write(5, signal)
    segment.fetch(5, 20)
    np.testing.assert_array_equal(segment.floats(), np.concatenate([np.zeros(5), signal.reshape(-1), np.zeros(5)]))
    segment.unlink()
    assert segment.close()


def test_a_disk_that_fills_up_meanwhile_is_one_sentence_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(Segment, "write", full)
    with pytest.raises(DeviceError, match="No space left"):
        store([np.zeros((10, 2), np.float32)])
    assert not list(tmp_path.iterdir())
