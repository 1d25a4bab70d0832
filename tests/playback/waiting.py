"""Waiting for what happens in another thread or process."""

import time
from collections.abc import Callable


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.01)
    return False
