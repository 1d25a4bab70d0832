"""When the sound process dies: another takes over, the music goes on, and the user is told."""

import os
import signal
import time
from contextlib import closing

import pytest
from playback.processes import NOWHERE, RATE, tone
from playback.waiting import eventually

from soli.playback import remote
from soli.playback.metronome import count_in
from soli.playback.mixer import Strip
from soli.playback.player import ProcessPlayer

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
