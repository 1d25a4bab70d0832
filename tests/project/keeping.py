"""What tests of autosaves share."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from soli.project import commands, recovery
from soli.project.pipeline import Separation
from soli.project.recovery import Leftover
from soli.project.state import State


def wait_for(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def crashed(place: Path, copy: Path) -> Leftover:
    """The only leftover in a copy of `place`, as the next start finds it when the program is gone at this moment."""
    shutil.copytree(place, copy)
    (leftover,) = recovery.leftovers(copy)
    return leftover


def deleted(state: State, note: int) -> State:
    return commands.delete_notes(state, [note]).apply(state)


def same_results(found: Separation | None, wanted: Separation) -> None:
    assert found is not None
    assert list(found.signals) == list(wanted.signals)
    for key, signal in wanted.signals.items():
        np.testing.assert_array_equal(found.signals[key], signal)
    np.testing.assert_array_equal(found.factors.W, wanted.factors.W)
    np.testing.assert_array_equal(found.factors.H, wanted.factors.H)
