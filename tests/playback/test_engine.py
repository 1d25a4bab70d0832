"""The sound process as it lives and dies. Without a device it runs on a clock, so these need no sound card."""

import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playback.waiting import eventually

from soli.playback import engine, remote, segments
from soli.playback.metronome import count_in
from soli.playback.mixer import Strip
from soli.playback.player import ProcessPlayer
from soli.playback.tiles import Stretching
from soli.signal.audio import resample
from soli.signal.patchwork import Patchwork

RATE = 44100
STORM_S = float(os.environ.get("SOLI_STORM_S", "10"))
NOWHERE = "a sound device that nobody has"
PACKAGE = Path(__file__).parents[2] / "desktop"


@pytest.fixture
def player() -> Iterator[ProcessPlayer]:
    player = ProcessPlayer(NOWHERE)
    yield player
    player.close()


def tone(seconds: float = 20.0, level: float = 0.25) -> np.ndarray:
    return np.full((round(seconds * RATE), 2), level, np.float32)


def shared_memory(owner: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"soli-{owner}-*"))


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not (status.exists() and status.read_text().split(")")[1].split()[0] == "Z")


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


GOES_ON = "The sound engine stopped unexpectedly and was started again; the music goes on."
RESTARTED = "The sound engine stopped unexpectedly and was started again."
LEFT = "The sound engine stopped unexpectedly; press play to start it again."


def kill(player: ProcessPlayer) -> int:
    """Kill the process that is there and at work; its number."""
    assert eventually(lambda: player.process_id is not None and NOWHERE in engine_message(player))
    process = player.process_id or 0
    os.kill(process, signal.SIGKILL)
    return process


def engine_message(player: ProcessPlayer) -> str:
    return player._engine_message


def test_the_music_of_a_process_that_dies_goes_on_in_another_and_that_is_told(player: ProcessPlayer) -> None:
    player.load([tone(), tone()], RATE, [Strip(), Strip(muted=True)])
    player.seek(2.0)
    player.play()
    assert eventually(lambda: player.status().position_s > 2.2)
    first, seen = kill(player), [player.status()]

    def goes_on() -> bool:
        seen.append(player.status())
        return player.process_id not in (None, first) and seen[-1].position_s > seen[0].position_s + 0.5

    assert eventually(goes_on)
    assert all(status.playing for status in seen)
    assert min(status.position_s for status in seen) > 2.15
    assert seen[-1].message == GOES_ON
    player.set_strips([Strip(muted=True), Strip()])
    assert eventually(lambda: player.status().peaks == pytest.approx((0.0, 0.25)))
    player.pause()
    assert player.status().message == GOES_ON
    player.play()
    assert eventually(lambda: player.status().message != GOES_ON)


def test_after_its_death_at_rest_another_waits_where_it_was(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    player.seek(4.0)
    first = kill(player)
    assert eventually(lambda: player.process_id not in (None, first) and NOWHERE in engine_message(player))
    assert player.status().message == RESTARTED
    assert not player.status().playing
    assert player.status().position_s == 4.0
    second = player.process_id
    player.play()
    assert eventually(lambda: player.status().position_s > 4.05)
    assert player.process_id == second
    assert "stopped" not in player.status().message


def test_a_pause_between_two_processes_is_heard_by_the_second(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    player.play()
    assert eventually(lambda: player.status().position_s > 0.2)
    first = kill(player)
    assert eventually(lambda: player.status().message == GOES_ON)
    player.pause()
    assert eventually(lambda: player.process_id not in (None, first) and NOWHERE in engine_message(player))
    assert eventually(lambda: not player.status().playing)


def test_a_stretch_that_is_played_once_ends_where_it_should_in_another_process_too(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    player.play_range(3.0, 4.5)
    assert eventually(lambda: player.status().position_s > 3.1)
    kill(player)
    assert eventually(lambda: player.status().message == GOES_ON)
    seen = []

    def over() -> bool:
        seen.append(player.status().position_s)
        return not player.status().playing

    assert eventually(over)
    assert max(seen) < 4.5 + 0.02
    assert max(seen) > 4.2


PLAYED = {
    "played": lambda player: player.play(),
    "played once": lambda player: player.play_range(1.0, 9.0),
    "counted in": lambda player: player.count_in(count_in(1, beats_a_bar=2, beat_s=0.01)),
    "heard alone": lambda player: player.audition(tone(9.0), RATE),
}


@pytest.mark.parametrize("asked", PLAYED)
def test_one_that_dies_again_at_once_is_left_until_it_is_asked_for(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_S", 300.0)  # however long a busy machine takes to start it again
    with closing(ProcessPlayer(NOWHERE)) as player:
        player.load([tone()], RATE, [Strip()])
        player.play()
        first = kill(player)
        assert eventually(lambda: player.process_id not in (None, first))
        kill(player)
        assert eventually(lambda: player.process_id is None)
        assert player.status().message == LEFT
        assert not player.status().playing
        time.sleep(1.0)
        assert player.process_id is None
        PLAYED[asked](player)
        assert eventually(lambda: max(player.status().master_peak) > 0.2)
        assert "stopped" not in player.status().message


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


def test_a_sound_on_its_own_ends_with_the_process_and_the_next_starts_another_at_rest(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip(-6)])
    player.seek(3.0)
    player.audition(tone(10.0, 0.75), RATE)
    assert eventually(lambda: player.status().master_peak == (0.75, 0.75))
    first = player.process_id
    os.kill(first or 0, signal.SIGKILL)
    assert eventually(lambda: player.status().message == RESTARTED)
    assert not player.status().auditioning
    player.audition(tone(5.0, 0.25), RATE)
    assert player.status().auditioning
    assert eventually(lambda: player.status().master_peak == (0.25, 0.25))
    assert player.process_id != first
    assert player.status().auditioning
    assert not player.status().playing
    assert "stopped" not in player.status().message
    assert player.status().position_s == 3.0
    assert eventually(lambda: not player.status().auditioning)
    player.play()
    assert eventually(lambda: player.status().position_s > 3.1)
    assert eventually(lambda: player.status().peaks == pytest.approx((0.25 * 10 ** (-6 / 20),), rel=1e-4))


@pytest.mark.timeout(STORM_S + 120)
def test_a_hundred_commands_a_second_leave_nothing_hanging_and_nothing_behind() -> None:
    storm(NOWHERE)


@pytest.mark.sound
@pytest.mark.usefixtures("sound_server")
@pytest.mark.timeout(STORM_S + 120)
def test_nor_do_they_on_a_sound_card() -> None:
    storm("pulse")


def slow_down(player: ProcessPlayer, tile: int) -> None:
    """Turn to a tile at half speed, which may be of the newest load or come too late for it."""
    stretching = Stretching(2 * player.generation, player.generation, 0.5, RATE, 4 * RATE, (2, 2))
    first, end = stretching.span(tile)
    player.add_tile(stretching, tile, [np.full((end - first, 2), 0.1, np.float32)] * 2)
    player.hear(stretching)


def storm(device: str) -> None:
    threads = threading.active_count()
    player = ProcessPlayer(device)
    rng = random.Random(5)
    layers = [tone(2.0), tone(1.0)]
    player.load(layers, RATE, [Strip(), Strip()])
    acts = [
        player.play,
        player.pause,
        player.stop,
        lambda: player.seek(rng.uniform(0, 3)),
        lambda: player.set_loop(rng.uniform(0, 2), rng.uniform(0, 2)),
        lambda: player.set_loop(None),
        lambda: player.audition(tone(rng.uniform(0, 0.1)), RATE),
        lambda: player.patch([(0, rng.randrange(RATE), tone(0.05))]),
        lambda: player.play_range(rng.uniform(0, 2), rng.uniform(0, 2)),
        lambda: player.count_in(count_in(1, beats_a_bar=2, beat_s=0.1)),
        lambda: player.set_metronome(rng.uniform(0, 1)),
        lambda: slow_down(player, rng.randrange(4)),
        lambda: player.hear(None),
        lambda: player.set_strips([Strip(rng.uniform(-40, 6)), Strip(soloed=rng.random() < 0.5)]),
        player.status,
    ]
    slowest_s = 0.0
    until_s = time.monotonic() + STORM_S
    for step in itertools.count():
        if time.monotonic() > until_s:
            break
        started_s = time.perf_counter()
        if step % 50 == 25:
            player.load(layers, RATE, [Strip(), Strip()])
        rng.choice(acts)()
        slowest_s = max(slowest_s, time.perf_counter() - started_s)
        time.sleep(0.01)
    player.hear(None)
    player.set_loop(None)
    player.seek(0.25)
    player.pause()
    assert eventually(lambda: not player.status().playing and player.status().position_s == 0.25)
    process_id = player.process_id
    assert process_id
    player.close()
    assert slowest_s < 5.0, "a call waited for something"
    assert eventually(lambda: not alive(process_id))
    assert eventually(lambda: threading.active_count() <= threads)
    assert not shared_memory(os.getpid())


def test_closing_does_not_wait_for_a_process_that_hangs(player: ProcessPlayer) -> None:
    player.load([tone()], RATE, [Strip()])
    player.play()
    assert eventually(lambda: player.status().position_s > 0.05)
    process_id = player.process_id
    assert process_id
    os.kill(process_id, signal.SIGSTOP)
    for _ in range(20_000):  # more than the pipe can hold
        player.seek(1.0)
    player.close()
    assert eventually(lambda: not alive(process_id))
    player.close()


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 0.6])
def test_a_player_may_be_closed_while_its_process_starts(after_s: float) -> None:
    player = ProcessPlayer(NOWHERE)
    player.audition(tone(10.0), 48_000)
    time.sleep(after_s)
    process_id = player.process_id
    player.close()
    assert process_id is None or eventually(lambda: not alive(process_id))
    assert not [process for process in multiprocessing.active_children() if process.name == "soli sound"]
    assert not shared_memory(os.getpid())


def test_a_closed_player_takes_every_call(player: ProcessPlayer) -> None:
    player.close()
    player.load([tone(0.1)], RATE, [Strip()])
    player.play()
    player.seek(0.05)
    player.audition(tone(0.1), RATE)
    assert not player.status().playing
    assert not player.status().auditioning


OWNER = """
import os, sys, time
import numpy as np
if __name__ == "__main__":
    from soli.playback import segments
    segments.LARGEST_IN_MEMORY = {largest}
    from soli.playback.player import ProcessPlayer, Strip
    player = ProcessPlayer("nowhere")
    player.load([np.zeros((44100, 2), np.float32)], 44100, [Strip()])
    while not player.status().message:
        time.sleep(0.01)
    print(os.getpid(), player.process_id, flush=True)
    {end}
"""


@pytest.mark.parametrize("largest", [2**29, 1000])
@pytest.mark.parametrize("end", ["sys.exit()", "os.kill(os.getpid(), 9)", "os._exit(3)"])
def test_the_process_never_outlives_its_owner_nor_does_its_memory(end: str, largest: int, tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(end=end, largest=largest))
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "TMPDIR": str(tmp_path)}
    owner = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True, env=environment, timeout=200)
    owner_id, process_id = map(int, owner.stdout.split())
    assert eventually(lambda: not alive(process_id))
    assert eventually(lambda: not shared_memory(owner_id))
    assert eventually(lambda: [path.name for path in tmp_path.iterdir()] == ["owner.py"])
    if end == "sys.exit()":
        assert owner.stderr == ""


def test_the_sound_process_imports_nothing_heavy(tmp_path: Path) -> None:
    """Whatever it imported would be waited for before the first sound, and could hold the interpreter lock."""
    code = (
        "import sys; import soli.playback.engine; import soli.playback.player; "
        "print([name for name in ('scipy', 'PySide6', 'soundfile', 'soxr', 'mido', 'soli.score') if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment, timeout=200)
    assert done.stdout.strip() == "[]", done.stderr
