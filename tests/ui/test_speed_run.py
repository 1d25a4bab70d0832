"""What is made next of a speed, and that all of it fits together whatever is asked for in between."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.playback.stretch import Excerpt, stretched_length
from soli.playback.tiles import Stretching
from soli.progress import finish
from soli.project.state import ORIGINAL
from soli.signal.audio import Audio, FloatArray
from soli.ui.sounds import Sounds
from soli.ui.speed_run import MOST_AT_ONCE, Run, Task

RATE = 1000
SECONDS = 20


def run_of(speed: float = 0.5) -> Run:
    time_s = np.arange(SECONDS * RATE) / RATE
    audio = Audio((0.5 * np.sin(2 * np.pi * 50 * time_s))[:, None].astype(np.float32), RATE)
    length = stretched_length(len(audio.samples), speed)
    return Run(Stretching(1, 1, speed, RATE, length, (1,)), Sounds((ORIGINAL,), audio, None))


def stretch(excerpt: Excerpt, sound: FloatArray, guides: int) -> FloatArray:
    """A tone in the place of what the library makes: phases of its own, which hang on where it begins."""
    del guides
    turn = excerpt.first + 1000 * float(np.abs(sound).sum() > 0)
    return np.sin(0.3 * np.arange(excerpt.end - excerpt.first) + turn)[:, None].astype(np.float32)


class Heard:
    """A player's worth of tiles."""

    def __init__(self, run: Run) -> None:
        self.run, self.tiles = run, {}

    def do(self, task: Task, *, current: bool = True) -> None:
        section, tiles = finish(task.steps(self.run.stretching, self.run.sounds, stretch))
        assert set(tiles) == set(task.brought) <= set(task.tiles)
        self.tiles.update({number: sound[0] for number, sound in tiles.items()})
        self.run.add(section, task.brought, current=current)

    def bring(self, wanted: list[int], longest: int = 4) -> list[Task]:
        tasks = []
        while (task := self.run.next(wanted, longest)) is not None:
            self.do(task)
            tasks.append(task)
            assert len(tasks) < 500
        return tasks

    def borders(self) -> list[int]:
        return [number for number in self.run.have if number + 1 in self.run.have]

    def step(self, number: int) -> float:
        """How large the largest step is around the beginning of the tile after this one."""
        margin = self.run.stretching.margin
        both = np.concatenate([self.tiles[number][-2 * margin : -margin, 0], self.tiles[number + 1][margin : 2 * margin, 0]])
        return float(np.abs(np.diff(both)).max())


def test_the_first_tile_comes_by_itself_and_the_more_is_there_the_more_comes_at_a_time():
    heard = Heard(run_of())
    tasks = heard.bring(list(range(5, 40)), longest=100)
    assert [len(task.tiles) for task in tasks] == [1, 1, 2, 4, 8, MOST_AT_ONCE, 3]
    assert tasks[0].before is None
    assert all(task.before is not None for task in tasks[1:])


def test_no_job_is_longer_than_it_may_be():
    heard = Heard(run_of())
    assert max(len(task.tiles) for task in heard.bring(list(range(30)), longest=3)) == 3
    assert max(len(task.tiles) for task in Heard(run_of()).bring(list(range(5)), longest=-2)) == 1


def test_what_is_played_before_something_that_is_there_is_joined_to_it():
    heard = Heard(run_of())
    heard.bring([10, 11, 12])
    tasks = heard.bring([8, 9, 10, 11, 12])
    assert [(task.tiles.start, sorted(task.brought)) for task in tasks] == [(8, [8]), (9, [9]), (10, [10])]
    assert heard.step(9) < 0.35


def test_an_edit_is_made_with_the_phases_of_what_was_there():
    heard = Heard(run_of())
    heard.bring(list(range(12)))
    before = dict(heard.run.have)
    heard.run.change(heard.run.sounds, [(round(1.0 * RATE), round(1.1 * RATE))])
    stale = set(heard.run.stale)
    assert stale == {3, 4, 5, 6}  # a quarter of a second beside it, too; a tile holds a fifth
    tasks = heard.bring(list(range(12)))
    assert set().union(*(task.brought for task in tasks)) == stale
    assert all(task.shift is not None for task in tasks)
    assert all(before[number].shift == heard.run.have[number].shift for number in range(12))


def test_what_was_under_way_as_other_sounds_came_is_made_once_more():
    heard = Heard(run_of())
    task = heard.run.next([0, 1], 4)
    assert task is not None
    heard.run.change(heard.run.sounds, [(0, 10)])
    heard.do(task, current=False)
    again = heard.run.next([0, 1], 4)
    assert again is not None
    assert again.brought == {0}


def test_only_whole_sections_are_dropped():
    heard = Heard(run_of())
    heard.bring(list(range(8)))
    assert {section.tiles for section in heard.run.have.values()} == {range(1), range(1, 2), range(2, 4), range(4, 8)}
    assert heard.run.drop([5]) == {0, 1, 2, 3}
    assert set(heard.run.have) == {4, 5, 6, 7}


wants = st.tuples(st.just("want"), st.integers(0, 45), st.integers(1, 14), st.integers(1, 6))
edits = st.tuples(st.just("edit"), st.integers(0, 18), st.integers(1, 20), st.just(0))
late = st.tuples(st.just("late"), st.integers(0, 45), st.integers(1, 14), st.integers(1, 6))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(wants, wants, edits, late), min_size=1, max_size=8))
def test_all_that_is_there_fits_together_whatever_was_asked_for_and_in_which_order(script):
    run = run_of()
    heard = Heard(run)
    for what, first, count, longest in script:
        if what == "edit":
            run.change(run.sounds, [(first * RATE, first * RATE + count * 50)])
        elif what == "want":
            wanted = list(range(first, min(run.stretching.tiles, first + count)))
            heard.bring(wanted, longest)
            assert set(wanted) <= set(run.have)
            assert not set(wanted) & run.stale
            if count % 3 == 0:
                run.drop(wanted)
        else:  # a job comes after all, although another has made some of its tiles meanwhile
            wanted = list(range(first, min(run.stretching.tiles, first + count)))
            task = run.next(wanted[::-1], longest)
            heard.bring(wanted, 1)
            if task is not None:
                heard.do(task, current=False)
    heard.bring(sorted(run.have))
    for number in heard.borders():
        section, after = run.have[number], run.have[number + 1]
        assert after is section or after.fits(section)
        assert heard.step(number) < 0.35
    for section in run.have.values():
        assert all(run.have.get(number) is section for number in section.tiles)
