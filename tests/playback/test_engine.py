"""The sound process as it lives and dies. Without a device it runs on a clock, so these need no sound card."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playback.processes import NOWHERE, RATE, alive, tone
from playback.waiting import eventually

from soli.playback import engine, segments
from soli.playback.mixer import Strip
from soli.playback.player import ProcessPlayer
from soli.signal.audio import resample
from soli.signal.patchwork import Patchwork

STORM_S = float(os.environ.get("SOLI_STORM_S", "10"))
PACKAGE = Path(__file__).parents[2] / "desktop"


def test_what_is_asked_before_the_process_is_there_is_done_once_it_is(player: ProcessPlayer) -> None:
    player.load([tone(), tone()], RATE, [Strip(), Strip(-6)])
    player.seek(3.0)
    player.play()
    player.set_strips([Strip(muted=True), Strip(-6)])
    assert player.status().playing
    assert player.status().position_s == 3.0
    assert eventually(lambda: player.status().position_s > 3.1)
    assert eventually(lambda: player.status().peaks == pytest.approx((0.0, 0.25 * 10 ** (-6 / 20)), rel=1e-4))
    assert player.status().playing


def test_without_a_device_the_music_runs_silently_and_says_why(player: ProcessPlayer) -> None:
    assert eventually(lambda: player.status().message != "")
    message = player.status().message
    assert NOWHERE in message
    assert message.count(".") == 1


def test_layers_too_large_for_memory_are_played_from_a_file_that_is_gone_afterwards(
    player: ProcessPlayer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    player.load([tone(), tone()], RATE, [Strip(), Strip()])
    assert len(list(tmp_path.iterdir())) == 1
    player.play()
    assert eventually(lambda: player.status().peaks == pytest.approx((0.25, 0.25)))
    player.load([tone(level=0.125)], RATE, [Strip()])
    assert eventually(lambda: player.status().peaks == pytest.approx((0.125,)))
    assert len(list(tmp_path.iterdir())) == 1
    player.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says what memory a process has")
def test_playing_layers_from_a_file_does_not_load_them_whole(
    player: ProcessPlayer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 2**20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert eventually(lambda: player.status().message != "")
    process_id = player.process_id or 0
    layer = np.zeros((60 * RATE, 2), np.float32)
    layer[-RATE:] = 0.25
    size = 8 * layer.nbytes
    ours, theirs = proportional_memory(os.getpid()), proportional_memory(process_id)
    player.load([layer] * 8, RATE, [Strip()] * 8)
    player.seek(58.5)
    player.play()
    assert eventually(lambda: player.status().peaks == pytest.approx((0.25,) * 8, rel=1e-3))
    player.seek(0.0)
    assert eventually(lambda: 0.5 < player.status().position_s < 10.0)
    assert proportional_memory(os.getpid()) - ours < size / 4
    assert proportional_memory(process_id) - theirs < size / 4


@pytest.mark.parametrize("to_rate", [48_000, 22_050, 11_025])
def test_layers_at_another_rate_lie_in_a_file_as_well(to_rate: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rng = np.random.default_rng(2)
    signals = [rng.standard_normal((length, channels)).astype(np.float32) for length, channels in ((5001, 2), (0, 1), (1, 1))]
    segment, layouts = engine._resampled([Patchwork(signal) for signal in signals], RATE, to_rate)
    assert segment.place.is_file
    assert not list(tmp_path.iterdir()), "its name is gone: nothing is left behind"
    for recorded, seen in zip(signals, segments.views(segment, layouts), strict=True):
        expected = resample(recorded, RATE, to_rate)
        assert abs(len(seen) - len(expected)) <= 1
        np.testing.assert_array_equal(seen[: len(expected)], expected[: len(seen)])
    del seen
    assert segment.close()


def proportional_memory(process_id: int) -> int:
    """Of a process, in bytes; what is shared counts in parts."""
    text = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    return 1024 * int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says what memory a process has")
def test_changing_the_rate_of_layers_in_a_file_does_not_load_them_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(segments, "LARGEST_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "RESAMPLED_AT_ONCE", 2**16)
    stored, layouts = segments.store([np.full((8 * 10**6, 2), 0.25, np.float32)])
    stored.unlink()
    recorded = [Patchwork(signal) for signal in segments.views(stored, layouts)]
    resample(np.zeros((RATE, 2), np.float32), RATE, 48_000)  # what takes memory once has it from here on
    before = proportional_memory(os.getpid())
    segment, (layout,) = engine._resampled(recorded, RATE, 48_000)
    assert proportional_memory(os.getpid()) - before < stored.place.size / 4
    assert layout.length == pytest.approx(8e6 * 48_000 / RATE, abs=1)
    del recorded
    assert segment.close()
    assert stored.close()


def test_without_shared_memory_the_music_plays_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/dev/shm")

    monkeypatch.setattr(segments, "SharedMemory", refused)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    player = ProcessPlayer(NOWHERE)
    try:
        player.load([tone()], RATE, [Strip()])
        player.play()
        assert eventually(lambda: player.status().peaks == pytest.approx((0.25,)))
    finally:
        player.close()
    assert not list(tmp_path.iterdir())


def test_a_loop_holds_the_playhead(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    player.set_loop(1.0, 1.2)
    player.play()
    assert eventually(lambda: player.status().position_s > 1.05)
    seen: list[float] = []

    def has_come_round() -> bool:
        seen.append(player.status().position_s)
        return sum(later < earlier for earlier, later in pairwise(seen)) >= 3

    assert eventually(has_come_round)
    assert all(1.0 - 1e-6 <= position_s <= 1.2 + 0.02 for position_s in seen)
    player.set_loop(None)
    assert eventually(lambda: player.status().position_s > 1.3)


def test_another_device_goes_on_where_the_former_was(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip(-6)])
    player.seek(2.0)
    player.play()
    player.set_loop(1.0, 18.0)
    assert eventually(lambda: player.status().position_s > 2.2)
    former = player.process_id
    assert former
    player.use_device("another that nobody has", latency_s=0.3)
    asked_s = player.status().position_s
    assert eventually(lambda: "another that nobody has" in player.status().message)
    assert player.process_id != former
    assert not alive(former)
    assert player.status().playing
    assert eventually(lambda: player.status().position_s > asked_s + 0.1)
    assert player.status().position_s < asked_s + 15.0
    assert eventually(lambda: player.status().peaks == pytest.approx((0.25 * 10 ** (-6 / 20),), rel=1e-4))


def test_what_is_asked_while_the_device_changes_is_done_afterwards(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    assert eventually(lambda: player.status().message != "")
    former = player.process_id
    player.use_device("another")
    player.use_device("a third")
    player.seek(5.0)
    player.play()
    player.patch([(0, 0, tone(20.0, 0.125))])
    assert player.status().playing
    assert player.status().position_s == 5.0
    assert eventually(lambda: player.process_id not in (None, former) and "a third" in player.status().message)
    assert eventually(lambda: player.status().position_s > 5.1)
    assert player.status().playing
    assert eventually(lambda: player.status().peaks == pytest.approx((0.125,), rel=1e-4))
    player.pause()
    assert eventually(lambda: not player.status().playing)


def test_a_player_may_be_closed_while_its_device_changes(player: ProcessPlayer) -> None:
    assert eventually(lambda: player.status().message != "")
    former = player.process_id or 0
    player.use_device("another")
    player.close()
    player.use_device("a third")
    assert eventually(lambda: not alive(former))


def test_a_sound_on_its_own_is_heard_before_anything_is_loaded(player: ProcessPlayer) -> None:
    player.audition(tone(2.0, 0.75), RATE)
    assert player.status().auditioning
    assert eventually(lambda: player.status().master_peak == (0.75, 0.75))
    assert eventually(lambda: not player.status().auditioning)
    assert player.status().position_s == 0.0


def test_a_sound_at_another_rate_lasts_as_long(player: ProcessPlayer) -> None:
    assert eventually(lambda: player.status().message != "")
    asked_s = time.perf_counter()
    player.audition(np.full((2 * 16_000, 1), 0.5, np.float32), 16_000)
    assert eventually(lambda: player.status().master_peak[0] > 0.45)
    assert eventually(lambda: not player.status().auditioning)
    # As so many samples of the device it would be over in less than half of that.
    assert time.perf_counter() - asked_s > 1.9


def test_of_sounds_that_wait_for_a_process_only_the_newest_is_kept(player: ProcessPlayer) -> None:
    assert eventually(lambda: player.status().message != "")
    process_id = player.process_id
    assert process_id
    os.kill(process_id, signal.SIGSTOP)
    for level in (0.1, 0.2, 0.3, 0.4, 0.5):
        player.audition(tone(10.0, level), RATE)
    os.kill(process_id, signal.SIGCONT)
    assert eventually(lambda: player.status().master_peak == (0.5, 0.5))
    player.stop()
    assert not player.status().auditioning
    assert eventually(lambda: player.status().master_peak == (0.0, 0.0))
