"""Where the pieces of a batch are worked on: in processes of this computer, or on a Dask cluster."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from soli.errors import InputError
from soli.project.batch import Outcome, Piece, work

ANSWER_WITHIN = "10s"
_END_WITHIN_S = 5.0
_AGAIN_AFTER_S = 3.0


def on_this_computer(pieces: Sequence[Piece], jobs: int = 1) -> Generator[Outcome, None, None]:
    """Work on `jobs` pieces at a time, each in a process of its own: one that ends it takes no other along.

    Outcomes come as they are found. Closing the iterator, or Ctrl+C, stops what runs and leaves no unfinished file.
    """
    running: set[BaseProcess] = set()
    stopped = threading.Event()
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(_alone, piece, running, stopped) for piece in pieces]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stopped.set()
            for process in tuple(running):
                process.terminate()


def on_cluster(pieces: Sequence[Piece], scheduler: str) -> Generator[Outcome, None, None]:
    """Hand the pieces to the Dask cluster whose scheduler listens at an address like tcp://host:8786.

    Its workers need Soli, and the recordings and the output folder under the same paths. Raises InputError, in one sentence,
    when Dask is not installed or nobody answers.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError("--scheduler needs Dask; install it with: pip install 'dask[distributed]'") from error
    try:
        client = distributed.Client(scheduler, timeout=ANSWER_WITHIN, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"{scheduler}: no Dask scheduler answers there ({error}); check the address") from error
    with client:
        # The same file may have changed since a cluster saw it last: nothing is taken from its memory.
        futures = {client.submit(work, piece, pure=False, retries=0): piece for piece in pieces}
        try:
            for future in distributed.as_completed(list(futures), loop=client.loop):
                try:
                    yield future.result()
                except Exception as error:
                    yield Outcome(futures[future].name, fault=f"the cluster lost it ({type(error).__name__}: {error})")
        finally:
            client.cancel(list(futures))


def _alone(piece: Piece, running: set[BaseProcess], stopped: threading.Event) -> Outcome:
    if stopped.is_set():
        return Outcome(piece.name, fault="it was stopped")
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(piece, theirs), name=f"soli {piece.name}")
    with _deaf_to_the_terminal():
        process.start()
    running.add(process)
    if stopped.is_set():
        process.terminate()
    theirs.close()
    try:
        while not ours.poll(_AGAIN_AFTER_S):
            if stopped.is_set():
                process.terminate()  # the first may have come where Python can only ignore it
        outcome: Any = ours.recv()
    except (EOFError, BrokenPipeError):
        process.join(_END_WITHIN_S)
        outcome = Outcome(piece.name, fault=f"its process ended (status {process.exitcode}); too little memory, most often")
    finally:
        process.join()
        running.discard(process)
        ours.close()
    assert isinstance(outcome, Outcome)
    return outcome


@contextlib.contextmanager
def _deaf_to_the_terminal() -> Iterator[None]:
    """What starts in here hears no Ctrl+C from its first moment, long before it could say so itself."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # whose own start would end the deafness
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _child(piece: Piece, answer: Connection) -> None:
    """Ctrl+C is the parent's to hear, which then terminates: that unwinds, so that no unfinished file is left."""
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _stop)
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        try:
            answer.send(work(piece))
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_with_the_parent() -> None:
    """Whoever began the batch again after its parent was killed would have this piece worked on twice at a time."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
