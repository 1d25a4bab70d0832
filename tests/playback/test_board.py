import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.playback.board import DURATIONS, HEADINGS, MOST_STRIPS, SIZE, BoardWriter, durations_s, read_board


def board() -> tuple[np.ndarray, BoardWriter]:
    cells = np.zeros(SIZE)
    return cells, BoardWriter(cells)


def test_an_empty_board_is_at_rest() -> None:
    reading = read_board(board()[0], 5.0)
    assert (reading.position_s, reading.playing, reading.peaks, reading.underruns) == (0.0, False, (), 0)


def test_the_position_is_what_is_heard_now_and_not_what_was_rendered() -> None:
    cells, writer = board()
    for block in range(20):
        writer.heading(10.0 + 0.1 * block, 3.0 + 0.1 * block, 0.1, True)
    assert read_board(cells, 10.0).position_s == pytest.approx(3.0)
    assert read_board(cells, 10.55).position_s == pytest.approx(3.55)
    assert read_board(cells, 99.0).position_s == pytest.approx(5.0)  # a stalled engine does not run on


def test_a_jump_is_seen_when_it_is_heard_while_playing_and_at_once_at_rest() -> None:
    cells, writer = board()
    writer.heading(10.0, 3.0, 0.1, True)
    writer.heading(10.1, 8.0, 0.1, True)
    assert read_board(cells, 10.05).position_s == pytest.approx(3.05)
    assert read_board(cells, 10.15).position_s == pytest.approx(8.05)
    writer.heading(10.2, 1.0, 0.1, False)
    writer.heading(10.3, 2.0, 0.1, False)
    assert read_board(cells, 10.15).position_s == pytest.approx(8.05)
    assert read_board(cells, 10.2).position_s == 2.0


@given(st.integers(1, 3 * HEADINGS))
def test_the_ring_of_headings_may_turn_as_often_as_it_likes(count: int) -> None:
    cells, writer = board()
    for block in range(count):
        writer.heading(block, 100.0 + block, 1.0, True)
    assert read_board(cells, count - 0.5).position_s == pytest.approx(100 + count - 0.5)


def test_levels_of_more_strips_than_there_is_room_for_do_no_harm() -> None:
    cells, writer = board()
    levels = np.full(MOST_STRIPS + 5, 0.5)
    writer.levels(levels, levels, np.array([0.1, 0.2]))
    reading = read_board(cells, 0.0)
    assert reading.peaks == (0.5,) * MOST_STRIPS
    assert reading.master_peak == (0.1, 0.2)


def test_the_newest_durations_are_kept() -> None:
    cells, writer = board()
    for n in range(DURATIONS + 10):
        writer.duration(float(n))
    assert sorted(durations_s(cells)) == list(range(10, DURATIONS + 10))


def test_a_reader_never_sees_half_of_what_was_written() -> None:
    cells, writer = board()
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            writer.begin()
            writer.levels(np.full(400, number), np.full(400, number), np.full(2, number))
            writer.state(applied=number, playing=True, generation=number, silenced=0)
            writer.end()
            time.sleep(0.0002)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        torn = 0
        for _ in range(3000):
            reading = read_board(cells, 0.0)
            torn += len({*reading.peaks, *reading.rms, *reading.master_peak, reading.applied}) > 1
    finally:
        over.set()
        thread.join()
    assert torn == 0


def test_a_reader_waits_for_a_writer_at_work() -> None:
    cells, writer = board()

    def write(number: int) -> None:
        writer.levels(np.full(400, number), np.full(400, number), np.full(2, number))
        writer.end()

    writer.begin()
    writer.levels(np.full(1, 1.0), np.full(1, 1.0), np.full(2, 1.0))
    later = threading.Timer(0.0003, write, [2])
    later.start()
    reading = read_board(cells, 0.0)
    later.join()
    assert reading.peaks == (2.0,) * 400
    assert reading.master_peak == (2.0, 2.0)


def test_a_sound_on_its_own_is_over_when_the_ear_has_heard_its_end() -> None:
    cells, writer = board()
    assert not read_board(cells, 0.0).auditioning
    writer.audition(True, 5.1)
    assert read_board(cells, 5.05).auditioning
    assert read_board(cells, 9.0).auditioning  # a stalled engine has not ended it
    writer.audition(False, 5.2)
    writer.audition(False, None)
    assert read_board(cells, 5.15).auditioning
    assert not read_board(cells, 5.25).auditioning
