"""The list of sound devices: asked of PortAudio elsewhere, or refused in a sentence."""

import multiprocessing
import time

import pytest
from playback.sound_card import RATE, SoundServer

from soli.errors import DeviceError
from soli.playback import devices
from soli.playback.devices import OutputDevice, output_devices


def _hang(_pipe: object) -> None:
    time.sleep(60)


def _vanish(_pipe: object) -> None:
    pass


def test_the_list_is_made_elsewhere_and_leaves_no_process() -> None:
    found = output_devices()
    assert all(device.channels > 0 and device.rate > 0 for device in found)
    assert sum(device.is_default for device in found) <= 1
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("life", [_hang, _vanish])
def test_a_driver_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, life: object) -> None:
    monkeypatch.setattr(devices, "_tell", life)
    with pytest.raises(DeviceError, match="sound devices"):
        output_devices(patience_s=2.0)
    assert not multiprocessing.active_children()


@pytest.mark.sound
@pytest.mark.parametrize("sound_server", [RATE, 48_000], indirect=True)
def test_a_device_is_known_to_a_player_by_its_key(sound_server: SoundServer) -> None:
    import sounddevice

    found = [device for device in output_devices() if device.name == "pulse"]
    (pulse,) = found
    assert pulse == OutputDevice("pulse", "ALSA", 2, sound_server.rate, pulse.is_default, pulse.least_latency_s, is_server=True)
    assert 0.0 < pulse.least_latency_s < 1.0
    assert sounddevice.query_devices(pulse.key, "output")["name"] == "pulse"
