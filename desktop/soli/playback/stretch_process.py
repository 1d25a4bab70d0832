"""Stretching in a process of its own: the library holds the interpreter lock while it works, and the window would stand still."""

import contextlib
import multiprocessing
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

import numpy as np

from soli.errors import SoliError
from soli.playback.stretch import Excerpt
from soli.signal.audio import FloatArray

FAREWELL_S = 2.0


class StretchProcess:
    """Makes excerpts as `Excerpt.made_of` does, one at a time, in a process that is started when one is first asked for.

    It ends with `close`, or with the pipe to this process.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()  # held for as long as an excerpt takes
        self._process: SpawnProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        """Have it there before it is needed, as it takes a moment to come. Raises SoliError where it cannot be started."""
        with self._turn:
            self._begin()

    def __call__(self, excerpt: Excerpt, sound: FloatArray, guides: int) -> FloatArray:
        """What `excerpt.made_of(sound, guides)` gives; waits for it. Raises SoliError where that fails or the process ends."""
        sound = np.ascontiguousarray(sound, np.float32)
        with self._turn:
            pipe = self._begin()
            try:
                pipe.send((excerpt, sound.shape, guides))
                pipe.send_bytes(_bytes(sound))
                shape, failure = pipe.recv()
                made = np.empty(shape, np.float32)
                if not failure:
                    pipe.recv_bytes_into(_bytes(made))
            except BaseException as error:
                self._let_go()  # the rest of an answer would be taken for the next one
                if isinstance(error, (EOFError, OSError)):
                    raise SoliError("The process that stretches the sound has ended; choose the speed once more") from error
                raise
        if failure:
            raise SoliError(failure)
        return made

    def close(self) -> None:
        """End it at once, whatever it is doing; may be called again, from any thread."""
        self._closed.set()
        if (process := self._process) is not None:
            process.kill()
            process.join(timeout=FAREWELL_S)

    def _begin(self) -> "Connection[Any, Any]":
        if self._closed.is_set():
            raise SoliError("Nothing is stretched any more")
        if self._pipe is not None:
            return self._pipe
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=serve, args=(theirs,), name="soli stretching", daemon=True)
        try:
            process.start()
        except (OSError, RuntimeError) as error:
            ours.close()
            raise SoliError(f"The process that stretches the sound cannot be started ({error})") from error
        finally:
            theirs.close()
        self._process, self._pipe = process, ours
        if self._closed.is_set():  # meanwhile
            process.kill()
        return ours

    def _let_go(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(timeout=FAREWELL_S)
        self._process = self._pipe = None


def serve(pipe: "Connection[Any, Any]") -> None:
    """The whole life of the process: an excerpt, the shape of a sound and its guides, then the sound; its answer likewise."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's to answer
    with contextlib.suppress(EOFError, OSError):
        while True:
            excerpt, shape, guides = pipe.recv()
            sound = np.empty(shape, np.float32)
            pipe.recv_bytes_into(_bytes(sound))
            try:
                made = excerpt.made_of(sound, guides)
            except SoliError as error:
                pipe.send(((), str(error)))
            except MemoryError:
                pipe.send(((), "There is not enough memory for another speed; close other programs"))
            except Exception as error:
                pipe.send(((), f"The sound cannot be stretched ({error}); play it as fast as it was recorded"))
            else:
                pipe.send((made.shape, ""))
                pipe.send_bytes(_bytes(made))


def _bytes(sound: FloatArray) -> memoryview:
    return sound.data.cast("B")
