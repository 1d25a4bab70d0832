import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playback.processes import NOWHERE
from playback.sound_card import RATE, SoundServer

from soli.playback.player import ProcessPlayer


@pytest.fixture
def sound_server(request: pytest.FixtureRequest) -> Iterator[SoundServer]:
    """A sound card in software; this process and its children play to it under the name `pulse`.

    It plays at RATE, or at what a test gives as the parameter of this fixture.
    """
    missing = [tool for tool in ("pulseaudio", "pactl", "parec") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: install pulseaudio and pulseaudio-utils to test with real sound")
    folder = Path(tempfile.mkdtemp(prefix="soli-sound-"))  # short: the socket's path has a limit of 108 characters
    folder.chmod(0o700)
    server = SoundServer(folder, rate=getattr(request, "param", RATE))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def layers() -> list[np.ndarray]:
    """Four layers of noise, 3 s, no two alike in length or channels; noise shows the least slip of a sample."""
    rng = np.random.default_rng(7)
    return [
        (0.05 * rng.standard_normal((round(seconds * RATE), channels))).astype(np.float32)
        for seconds, channels in ((3.0, 2), (2.5, 1), (3.0, 2), (1.0, 2))
    ]


@pytest.fixture
def player() -> Iterator[ProcessPlayer]:
    """A player with a process of its own that finds no device."""
    player = ProcessPlayer(NOWHERE)
    yield player
    player.close()
