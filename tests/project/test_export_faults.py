"""Exports that are killed, or run into the end of the disk: no half file under a final name."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from project.states import listing

from soli.progress import finish
from soli.project import export, storage

DESKTOP = Path(__file__).resolve().parents[2] / "desktop"
KILLS = int(os.environ.get("SOLI_KILLS", "12"))
# Exports over and over into one folder, at levels that tell the exports apart.
LOOP = """
import sys
from pathlib import Path
from soli.progress import finish
from soli.project import export, storage
opened = finish(storage.open_steps(Path(sys.argv[1])))
print("ready", flush=True)
level = 0
while True:
    level = (level + 1) % 20
    order = export.Order(form=sys.argv[3], peak_dbfs=-1.0 - level)
    finish(export.export_steps(opened.separation, opened.state, Path(sys.argv[2]), order))
"""

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither such signals nor such limits")


@pytest.fixture
def project(tmp_path, state, separation):
    storage.save(tmp_path / "song.soli", state, separation=separation)
    return tmp_path / "song.soli"


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(DESKTOP)}


@posix
@pytest.mark.parametrize("form", ["wav32f", "flac"])
def test_killed_at_any_moment_every_file_under_its_name_is_whole(tmp_path, project, state, form):
    folder, chance = tmp_path / "out", random.Random(7)
    command = [sys.executable, "-c", LOOP, str(project), str(folder), form]
    for _ in range(max(1, KILLS // 4)):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings()) as process:
            try:
                assert process.stdout.readline() == "ready\n"
                time.sleep(chance.uniform(0.0, 0.4))
            finally:
                process.kill()
        for path in folder.glob("[!.]*") if folder.exists() else ():
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
            assert (samples.shape, rate) == (state.audio.samples.shape, state.audio.rate)
            assert np.isfinite(samples).all()


def test_what_a_killed_export_left_is_swept_away_a_day_later(tmp_path, state, separation):
    for name, age_s in ((".soli-1-old.part", 100_000), (".soli-1-new.part", 10), ("mine.part", 100_000)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    finish(export.export_steps(separation, state, tmp_path, export.Order(stems=(0,))))
    assert listing(tmp_path) == [".soli-1-new.part", "mine.part", "right.wav"]


@posix
@pytest.mark.parametrize("form", ["wav32f", "wav16", "flac", "ogg", "mp3"])
def test_at_the_end_of_the_disk_nothing_is_left_and_the_former_files_stay(tmp_path, project, form):
    folder = tmp_path / "out"
    folder.mkdir()
    former = folder / f"right.{'wav' if form.startswith('wav') else form}"
    former.write_bytes(b"former")
    # A file cannot grow beyond the limit, as on a disk without room.
    script = (
        "import resource, sys; from soli import cli; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)); "
        "sys.exit(cli.run(cli.parse(sys.argv[1:])))"
    )
    command = [sys.executable, "-c", script, "render", str(project), "-o", str(folder), "--format", form]
    result = subprocess.run(command, capture_output=True, text=True, env=surroundings(), check=False, timeout=200)
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "cannot be written" in result.stderr.splitlines()[-1]
    assert listing(folder) == [former.name]
    assert former.read_bytes() == b"former"
