"""A minute of music beside a window that works; benchmarks/soak.py plays for as long as one likes."""

import os

import numpy as np
import pytest
from benchmarks.soak import PERIOD_S, Outcome, soak
from playback.hearing import SILENT_ENOUGH
from playback.sound_card import SoundServer

SECONDS = float(os.environ.get("SOLI_SOAK_S", "30"))
# A device is fed so far ahead that a shorter standstill of the machine is not heard.
BRIDGED_S = 0.03


@pytest.mark.sound
@pytest.mark.timeout(8 * SECONDS + 120)
@pytest.mark.parametrize("hold", [False, True], ids=["decomposing", "decomposing with the lock held"])
def test_the_music_does_not_stutter_beside_a_window_that_works(hold: bool, sound_server: SoundServer) -> None:
    heard = soak(sound_server, SECONDS, hold=hold)
    if not _as_it_should(heard):
        # A guest does not see all that its host does to it; what Soli does wrong it does again.
        heard = soak(sound_server, SECONDS, hold=hold)
    assert heard.decompositions > 0
    assert heard.scrolled > SECONDS
    assert not hold or max(heard.held_s) > 0.15, "the lock was let go too early to disturb anything"
    assert heard.difference < SILENT_ENOUGH
    assert _as_it_should(heard), heard.says()


def _as_it_should(heard: Outcome) -> bool:
    """What the host of a virtual machine does not give it, nobody can play; all else must be heard as it was mixed."""
    stood_still = sum(stood_s > BRIDGED_S for stood_s in heard.standstills_s)
    undisturbed = max(heard.underruns, heard.disturbed) <= 2 * stood_still and heard.disturbed < SECONDS / 2
    return bool(undisturbed and np.percentile(heard.callbacks_s, 99) < PERIOD_S / 4)
