"""The sound process under a storm of commands, and its end: nothing hangs and nothing is left behind."""

import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from playback.processes import NOWHERE, RATE, alive, shared_memory, tone
from playback.waiting import eventually

from soli.playback.metronome import count_in
from soli.playback.mixer import Strip
from soli.playback.player import ProcessPlayer
from soli.playback.tiles import Stretching

STORM_S = float(os.environ.get("SOLI_STORM_S", "10"))
PACKAGE = Path(__file__).parents[2] / "desktop"


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
