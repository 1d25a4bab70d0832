"""Which sound devices there are, asked in a process of its own: PortAudio looks once in the life of a process."""

import contextlib
import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from soli.errors import DeviceError
from soli.playback.engine import quieten
from soli.playback.sound_server import behind

PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class OutputDevice:
    """A device that can be heard. `key` names it to a player and lasts from one start to the next.

    `least_latency_s` is how far it must be fed ahead by its own word. `is_server`: it leads to the desktop's sound server,
    which spreads two channels over those that there are.
    """

    name: str
    host_api: str
    channels: int
    rate: int
    is_default: bool = False
    least_latency_s: float = 0.0
    is_server: bool = False

    @property
    def key(self) -> str:
        return f"{self.name}, {self.host_api}"


def output_devices(*, patience_s: float = PATIENCE_S) -> tuple[OutputDevice, ...]:
    """The devices that are there now, in PortAudio's order. Takes about a second: call it from a thread.

    Raises DeviceError, in one sentence, where PortAudio is missing, fails, or does not answer within `patience_s`.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_tell, args=(theirs,), name="soli sound devices", daemon=True)
    answer: Any = None
    try:
        process.start()
        theirs.close()
        if ours.poll(patience_s):
            answer = ours.recv()
    except (OSError, EOFError, RuntimeError) as error:
        raise DeviceError(f"The sound devices cannot be listed ({error}); try again.") from error
    finally:
        ours.close()
        if process.pid is not None:
            process.kill()  # PortAudio's own farewell may wait for ever on a device that is gone
            process.join()
    if isinstance(answer, str):
        raise DeviceError(answer)
    if answer is None:
        raise DeviceError("The sound devices do not answer; unplug the one that hangs, and try again.")
    return tuple(answer)


def _described(about: Mapping[str, Any], host_api: str, *, is_default: bool) -> OutputDevice:
    server = behind(about, host_api)
    return OutputDevice(
        str(about["name"]),
        host_api,
        int(about["max_output_channels"]) if server is None else server.channels,
        round(about["default_samplerate"]) if server is None else server.rate,
        is_default=is_default,
        least_latency_s=float(about["default_low_output_latency"]),
        is_server=server is not None,
    )


def _tell(pipe: "Connection[Any, Any]") -> None:
    """The life of the process: look, send what is there or a sentence, go."""
    quieten()
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    try:
        import sounddevice

        apis = [str(api["name"]) for api in sounddevice.query_hostapis()]
        default = sounddevice.default.device[1]
        found: object = [
            _described(about, apis[about["hostapi"]], is_default=index == default)
            for index, about in enumerate(sounddevice.query_devices())
            if about["max_output_channels"] > 0
        ]
    except Exception as error:  # whatever a driver does, the window gets a sentence
        found = f"The sound devices cannot be listed ({error}); check that PortAudio (libportaudio2) is installed."
    with contextlib.suppress(OSError):
        pipe.send(found)
