"""A disk that is soon full."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def disk_with(size: int) -> Iterator[None]:
    """Nothing longer than `size` bytes can be written."""
    resource = pytest.importorskip("resource")
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
