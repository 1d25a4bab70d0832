"""What was recorded of a sound card against what it should have been, and what disturbs it."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from playback.sound_card import RATE

RAMPS = round(0.03 * RATE)
SILENT_ENOUGH = 10 ** (-90 / 20)
STANDSTILL_S = 0.02


def lag(heard: np.ndarray, expected: np.ndarray) -> int:
    """Where in `heard` the samples of `expected` begin, by correlation."""
    size = 1 << (len(heard) + len(expected)).bit_length()
    spectrum = np.fft.rfft(heard[:, 0], size) * np.conj(np.fft.rfft(expected[:, 0], size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(heard)]))


def largest_difference(heard: np.ndarray, expected: np.ndarray, *, start: int = RAMPS) -> float:
    begin = lag(heard, expected)
    piece = heard[begin + start : begin + len(expected)]
    assert len(piece) > 0.9 * len(expected) - start, "the recording ends too soon"
    return float(np.abs(piece - expected[start : start + len(piece)]).max())


def noise(seconds: float, layers: int, rate: int = RATE) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [(0.03 * rng.standard_normal((round(seconds * rate), 2), np.float32)).astype(np.float32) for _ in range(layers)]


@contextmanager
def interpreter_held(hold_s: float) -> Iterator[list[float]]:
    """Keep this process's interpreter lock for about `hold_s` at a time, as a careless window would.

    The list fills with how long each time: one call into C that never lets go of the lock.
    """
    over, held_s = threading.Event(), []
    numbers = np.random.default_rng(0).permutation(50_000).tolist()
    started_s = time.perf_counter()
    sorted(numbers)
    numbers *= max(1, round(hold_s / (time.perf_counter() - started_s)))

    def hold() -> None:
        while not over.wait(0.02):
            started_s = time.perf_counter()
            sorted(numbers)
            held_s.append(time.perf_counter() - started_s)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield held_s
    finally:
        over.set()
        thread.join()


@contextmanager
def standstills() -> Iterator[list[float]]:
    """Watch for moments at which the machine itself stands still, whoever asks it: a guest whose host gives it no time.

    The list fills with how long each of more than STANDSTILL_S was, once over. One process a core sleeps for 4 ms at a time,
    before all others where it may.
    """
    import multiprocessing

    spawn = multiprocessing.get_context("spawn")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    pipes, processes = [], []
    for core in cores:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_watch, args=(core, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    found: list[float] = []
    try:
        yield found
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            with suppress(OSError, EOFError):
                pipe.send("over")
                found += pipe.recv() if pipe.poll(10) else []
            process.join(timeout=5)
            process.kill()


def _watch(core: int, pipe: object) -> None:
    gc.disable()
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, [core])
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(6))
    found: list[float] = []
    while not pipe.poll(0):  # type: ignore[attr-defined]
        slept_s = time.perf_counter()
        time.sleep(0.004)
        late_s = time.perf_counter() - slept_s - 0.004
        if late_s > STANDSTILL_S:
            found.append(late_s)
    pipe.send(found)  # type: ignore[attr-defined]
