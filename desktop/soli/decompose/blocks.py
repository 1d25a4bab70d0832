"""Work along the support: runs of frames, the components alive in them, and worker threads over them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from time import monotonic
from typing import TypeVar

import numpy as np

from soli.decompose.bodies import IntArray
from soli.signal.audio import FloatArray

# Long enough to be worth the wait for the last one, short enough to show and to stop.
_SPELL_S = 0.1

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Block:
    """Frames `start` to `stop`, in each of which something is alive, and the components alive somewhere in them."""

    start: int
    stop: int
    alive: IntArray


def partition(H: FloatArray, *, frames: int = 64) -> list[Block]:
    """The support of H (R, N) as blocks of at most `frames` frames; frames in which nothing may sound are in none."""
    support = H > 0
    sounding = np.flatnonzero(support.any(axis=0))
    if len(sounding) == 0:
        return []
    blocks = []
    breaks = np.flatnonzero(np.diff(sounding) > 1) + 1
    for run in np.split(sounding, breaks):
        pieces = -(-len(run) // frames)
        edges = np.linspace(run[0], run[-1] + 1, pieces + 1).round().astype(int)
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            blocks.append(Block(start, stop, np.flatnonzero(support[:, start:stop].any(axis=1))))
    return blocks


def chunks(blocks: Sequence[Block], *, frames: int = 256) -> list[list[Block]]:
    """Neighbouring blocks in groups of at most about `frames` frames, an even number of them where there are enough blocks.

    A group is what one worker does in one go: with an odd number, the other one of two would wait for the last.
    """
    ends = np.cumsum([block.stop - block.start for block in blocks])
    if len(ends) == 0:
        return []
    count = min(2 * -(-int(ends[-1]) // (2 * frames)), len(blocks))
    group = np.minimum((ends - 1) * count // ends[-1], count - 1)
    cuts = np.flatnonzero(np.diff(group)) + 1
    return [list(blocks[start:stop]) for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(blocks)], strict=True)]


class Workers:
    """Threads that each use BLAS on one core: small products gain nothing from a threaded BLAS.

    BLAS is limited for a spell of work at a time, and nothing runs between two spells: a generator that is paused or dropped
    leaves no limit behind, and no product is ever caught by a change of the limit, which costs more than all else.
    """

    def __init__(self, threads: int | None = None) -> None:
        from threadpoolctl import ThreadpoolController

        self.threads = threads or min(8, cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="decompose")
        self._libraries = ThreadpoolController()

    def map(self, work: Callable[[U], T], items: Iterable[U]) -> Generator[T, None, None]:
        """work(item) for every item, in order, some time ahead of who asks."""
        waiting: deque[Future[T]] = deque()
        source = iter(items)
        try:
            while True:
                done: list[T] = []
                with self._libraries.limit(limits=1, user_api="blas"):
                    end = monotonic() + _SPELL_S
                    while True:
                        while len(waiting) <= self.threads and monotonic() < end:
                            try:
                                item = next(source)
                            except StopIteration:
                                break
                            waiting.append(self._pool.submit(work, item))
                        if not waiting:
                            break
                        done.append(waiting.popleft().result())
                if not done:
                    return
                yield from done
        finally:
            for future in waiting:
                future.cancel()

    def each(self, work: Callable[[U], T], items: Iterable[U]) -> list[T]:
        """work(item) for every item, in order, when all are done; the calling thread works too, so that little is waited for."""
        todo = deque(enumerate(items))
        made: dict[int, T] = {}

        def some() -> None:
            while todo:
                try:
                    at, item = todo.popleft()
                except IndexError:
                    return
                made[at] = work(item)

        with self._libraries.limit(limits=1, user_api="blas"):
            others = [self._pool.submit(some) for _ in range(min(self.threads, len(todo)) - 1)]
            try:
                some()
            finally:
                todo.clear()
                for other in others:
                    if not other.cancel():
                        other.result()
        return [made[at] for at in range(len(made))]

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
