"""The command line for tests: called in this process, or as a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

from synth import melody, render

from soli import cli
from soli.score import midi
from soli.signal import audio

ROOT = Path(__file__).resolve().parents[1]
NOTES = [
    *melody((72, 76, 79, 76), step_s=0.4, length_s=0.35),
    *melody((48, 43), step_s=0.8, length_s=0.75, first_id=10, track=1),
]


def write_piece(folder: Path) -> tuple[str, str]:
    """Write a recording of NOTES and their score; the paths of both."""
    audio.write(folder / "song.wav", render(NOTES, channels=2), "wav24")
    midi.write(folder / "song.mid", NOTES, track_names=("right", "left"))
    return str(folder / "song.wav"), str(folder / "song.mid")


def soli(*arguments: str | Path, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """`soli ARGUMENTS` in a process of its own, with nothing to draw on."""
    surroundings = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    surroundings |= {"PYTHONPATH": str(ROOT / "desktop"), "PYTHONUTF8": "1", **environment}
    command = [sys.executable, "-m", "soli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=surroundings, check=False, timeout=200)


def run(*arguments: str | Path) -> int:
    return cli.run(cli.parse([str(a) for a in arguments]))


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
