"""Work along the support: runs of frames, the components alive in them, and worker threads over them."""

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import TypeVar

import numpy as np

from soli.decompose.bodies import IntArray
from soli.signal.audio import FloatArray

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Block:
    """Frames `start` to `stop`, in each of which something is alive, and the components alive somewhere in them."""

    start: int
    stop: int
    alive: IntArray


def partition(H: FloatArray, *, frames: int = 32) -> list[Block]:
    """The support of H as blocks of at most `frames` frames; frames in which nothing may sound are in none."""
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
    """Neighbouring blocks in groups of about `frames` frames: what one worker does in one go."""
    groups: list[list[Block]] = []
    held = frames
    for block in blocks:
        if held >= frames:
            groups.append([])
            held = 0
        groups[-1].append(block)
        held += block.stop - block.start
    return groups


class Workers:
    """Threads that each use BLAS on one core: small products gain nothing from a threaded BLAS.

    The limit on BLAS holds only while work is waited for, so that a generator that is paused or dropped leaves none behind.
    """

    def __init__(self, threads: int | None = None) -> None:
        from threadpoolctl import ThreadpoolController

        self.threads = threads or min(8, cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="decompose")
        self._libraries = ThreadpoolController()

    def map(self, work: Callable[[U], T], items: Iterable[U]) -> Generator[T, None, None]:
        """work(item) for every item, in order, never more than a few ahead of who asks."""
        waiting: list[Future[T]] = []
        source = iter(items)
        try:
            while True:
                with self._libraries.limit(limits=1, user_api="blas"):
                    for item in source:
                        waiting.append(self._pool.submit(work, item))
                        if len(waiting) > self.threads:
                            break
                    if not waiting:
                        return
                    result = waiting.pop(0).result()
                yield result
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
