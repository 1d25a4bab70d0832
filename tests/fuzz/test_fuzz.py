"""Some hundred damaged files of each kind end in a result or in one sentence; tests/benchmarks/fuzz.py does more of them."""

import os
import sqlite3
from contextlib import closing

import pytest
from fuzz import driver, mutations, projects
from fuzz.driver import examine

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the limits of time and memory are set the way of POSIX")
COUNT = 300


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "some"), [("midi", 30), ("audio", 60), ("notes", 30), ("project", 60)])
def test_damaged_files_are_read_or_told(kind, some):
    report = examine(kind, range(COUNT))
    assert report.failures == {}
    assert report.read + report.refused == COUNT
    # Neither so whole nor so broken that nothing were tried.
    assert min(report.read, report.refused) >= some
    assert report.peak_mb < 1000


@pytest.mark.timeout(120)
def test_whatever_goes_wrong_is_found_and_the_others_go_on():
    """The cases of `driver._misbehave` in their order."""
    report = examine("sham", range(8), cpu_s=0.5)
    assert (report.read, report.refused) == (2, 1)
    found = {seed: text.strip().splitlines()[-1] for seed, text in report.failures.items()}
    assert found.keys() == {1, 2, 3, 4, 5}
    assert "KeyError" in found[1]
    assert "no sentence" in found[2]
    assert "SIGPROF" in report.failures[3]
    assert "SIGABRT" in report.failures[4]
    assert "MemoryError" in found[5]


def test_a_seed_is_one_file():
    for make in (mutations.midi, mutations.audio, mutations.notes):
        assert make(7) == make(7)
        assert len({make(seed) for seed in range(20)}) == 20
    assert {"midi", "audio", "notes", "project"} < driver.CHECKS.keys()


@pytest.mark.parametrize(
    ("table", "change"),
    [("aligned_note", "confidence = 1e300"), ("meta", f"value = '{'[' * 5000}' WHERE key = 'sure'"), ("meta", "value = '1e999'")],
)
def test_numbers_of_a_project_that_float32_cannot_hold_are_told(tmp_path, table, change):
    """What has once opened, and was saved as a project that does not."""
    path = tmp_path / "case.soli"
    path.write_bytes(projects.whole(results=False))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {table} SET {change}")
    assert "the project is damaged" in driver.outcome_of("project", path)
    assert not driver.outcome_of("project", path).startswith("!")
