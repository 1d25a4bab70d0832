"""What the desktop's sound server plays: PulseAudio, or PipeWire in its place.

PortAudio sees of it what ALSA shows, which takes any rate and is said to have 44.1 kHz: the server would resample all that is
not at its own, and less well than soxr.
"""

import ctypes
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

# As ALSA's configuration calls what leads to the server.
NAMES = frozenset({"default", "pulse", "pipewire"})
PATIENCE_S = 0.5
_NO_AUTOSPAWN = 1
_READY, _FAILED = 4, 5
_LOOK_S = 0.002


class _SampleSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _SinkInfo(ctypes.Structure):
    """The beginning of libpulse's pa_sink_info."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("description", ctypes.c_char_p),
        ("sample_spec", _SampleSpec),
    )


_Told = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_SinkInfo), ctypes.c_int, ctypes.c_void_p)


class ServerOutput(NamedTuple):
    """What the server's default output plays: rate in Hz, channels."""

    rate: int
    channels: int


def behind(about: Mapping[str, Any], host_api: str) -> ServerOutput | None:
    """The server's output that a device of PortAudio leads to, `about` being what it says of it; None for other devices."""
    if sys.platform == "linux" and host_api == "ALSA" and about["name"] in NAMES:
        return server_output()
    return None


def server_output(*, patience_s: float = PATIENCE_S) -> ServerOutput | None:
    """The sound server's default output; None where there is no server, or it does not answer in time."""
    try:
        pulse = ctypes.CDLL("libpulse.so.0")
    except OSError:
        return None
    for name in ("pa_mainloop_new", "pa_mainloop_get_api", "pa_context_new", "pa_context_get_sink_info_by_name"):
        getattr(pulse, name).restype = ctypes.c_void_p
    loop = ctypes.c_void_p(pulse.pa_mainloop_new())
    context = ctypes.c_void_p(pulse.pa_context_new(ctypes.c_void_p(pulse.pa_mainloop_get_api(loop)), b"Soli"))
    found: list[ServerOutput] = []
    answered = False

    def tell(_context: Any, info: Any, end: int, _data: Any) -> None:
        nonlocal answered
        if info and not end:
            spec = info.contents.sample_spec
            found.append(ServerOutput(int(spec.rate), int(spec.channels)))
        answered = answered or bool(end)

    told = _Told(tell)
    until_s = time.monotonic() + patience_s
    try:
        if pulse.pa_context_connect(context, None, _NO_AUTOSPAWN, None) < 0:
            return None
        asked = ctypes.c_void_p()
        while not answered and time.monotonic() < until_s:
            pulse.pa_mainloop_iterate(loop, 0, None)
            state = pulse.pa_context_get_state(context)
            if state >= _FAILED:
                return None
            if state == _READY and not asked:
                asked = ctypes.c_void_p(pulse.pa_context_get_sink_info_by_name(context, b"@DEFAULT_SINK@", told, None))
                if not asked:
                    return None
            time.sleep(_LOOK_S)
        if asked:
            pulse.pa_operation_cancel(asked)
            pulse.pa_operation_unref(asked)
        return found[0] if found else None
    finally:
        pulse.pa_context_disconnect(context)
        pulse.pa_context_unref(context)
        pulse.pa_mainloop_free(loop)
