"""Sound processes for tests: without a device, and what is left of them."""

import os
from pathlib import Path

import numpy as np

RATE = 44100
NOWHERE = "a sound device that nobody has"


def tone(seconds: float = 20.0, level: float = 0.25) -> np.ndarray:
    return np.full((round(seconds * RATE), 2), level, np.float32)


def shared_memory(owner: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"soli-{owner}-*"))


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not (status.exists() and status.read_text().split(")")[1].split()[0] == "Z")
