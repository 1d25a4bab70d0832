"""Arrays that lie in files."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from soli.files import scratch_folder
from soli.signal import maps


@pytest.fixture(params=["C", "F"])
def order(request):
    return request.param


@pytest.fixture
def on_disk(monkeypatch):
    """The smallest array lies in a file."""
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 0)


def is_in_file(array):
    """Whether what the process maps at the array is a file."""
    address = array.ctypes.data
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, *_, name = line.split(maxsplit=5)
        low, high = (int(end, 16) for end in span.split("-"))
        if low <= address < high:
            return name.startswith(scratch_folder())
    return False


def test_zeros_of_any_kind_are_zeros_to_be_written(order, on_disk):
    array = maps.zeros((300, 50), order=order)
    assert array.dtype == np.float32
    assert array.shape == (300, 50)
    assert array.flags[f"{order}_CONTIGUOUS"]
    assert not array.any()
    array += 1
    assert array.sum() == 300 * 50


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not say what it maps")
def test_large_arrays_lie_in_a_file_and_small_ones_do_not(monkeypatch):
    monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", 4 * 1000)
    assert not is_in_file(maps.zeros((1000,)))
    assert is_in_file(maps.zeros((1001,)))


def test_what_is_released_stays_what_it_is(order, on_disk):
    array, rng = maps.zeros((4000, 7), order=order), np.random.default_rng(1)
    array[:] = rng.random(array.shape)
    former = array.copy()
    for part in (array[:0], array[3:1900], array[1900:], array) if order == "C" else (array[:, 2:3], array):
        maps.release(part)
        np.testing.assert_array_equal(array, former)
    array[5:10] = 3
    maps.release(array)
    assert (array[5:10] == 3).all()


def test_what_lies_in_memory_can_be_released_too():
    for array in (np.ones(5, np.float32), np.ones(5, np.float32)[2:], np.frombuffer(bytes(8), np.float32)):
        maps.release(array)
    assert np.frombuffer(bytes(8), np.float32)[0] == 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is not reserved there")
def test_no_file_is_left_and_its_room_comes_back(on_disk, monkeypatch, tmp_path):
    monkeypatch.setattr(maps, "scratch_folder", lambda: str(tmp_path))

    def held():
        descriptors = Path("/proc/self/fd")
        return [d for d in descriptors.iterdir() if str(tmp_path) in os.path.realpath(d)] if descriptors.exists() else []

    array = maps.zeros((2**22,))
    array[::512] = 1
    assert not list(tmp_path.iterdir())
    assert held() or not Path("/proc/self/fd").exists()
    part = array[5:9]
    del array
    gc.collect()
    assert part.sum() == 0, "a part keeps the whole"
    del part
    gc.collect()
    assert not held()


def test_where_the_disk_has_no_room_the_memory_is_taken(on_disk, monkeypatch, tmp_path):
    monkeypatch.setattr(maps, "SPARE_BYTES", 2**62)
    assert maps.room_bytes() == 0
    assert maps.zeros((3, 4)).sum() == 0
    monkeypatch.setattr(maps, "scratch_folder", lambda: str(tmp_path / "gone"))
    assert maps.room_bytes() == 0
    assert maps.zeros((3, 4)).sum() == 0


def test_where_the_disk_fills_up_meanwhile_the_memory_is_taken(on_disk, monkeypatch):
    def full(_size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maps, "_mapped", full)
    array = maps.zeros((3, 4))
    array[:] = 2
    assert array.sum() == 24


def test_large_files_do_not_go_into_memory(monkeypatch, tmp_path):
    monkeypatch.delenv("TMPDIR", raising=False)
    if os.access("/var/tmp", os.W_OK):
        assert scratch_folder() == "/var/tmp"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert Path(scratch_folder()) == tmp_path
