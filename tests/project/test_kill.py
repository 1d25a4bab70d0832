"""A program that is killed at any moment leaves a project that opens, and takes no more than seconds of edits with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which this system has not")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("window", [[], ["--window"]], ids=["project", "window"])
def test_what_a_killed_program_leaves_opens(window):
    script, paths = TESTS / "benchmarks" / "kill.py", os.pathsep.join([str(TESTS.parent / "desktop"), str(TESTS)])
    run = subprocess.run(
        [sys.executable, str(script), "--trials", "20", "--seed", "11", *window],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    report = json.loads(run.stdout)
    assert report["opened"] == 20
    assert report["from_autosave"] > 0
