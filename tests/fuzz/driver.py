"""Damaged files read one after the other, in a process of its own that may die: `examine` says which seeds end in what."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
CPU_S, WALL_S = 5, 60  # a case that computes longer hangs; one that waits so long is stuck
MEMORY_BYTES = 2**30


@dataclass
class Report:
    """read, refused: how many files; failures: seed -> what went wrong; longest_s: the CPU time of the slowest case.

    printed: what came out on the children's stderr.
    """

    read: int = 0
    refused: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    sentences: dict[str, int] = field(default_factory=dict)
    longest_s: float = 0.0
    slowest: int = -1
    peak_mb: float = 0.0
    printed: str = ""


def examine(kind: str, seeds: range, *, cpu_s: float = CPU_S, told: Callable[[str], None] = lambda _: None) -> Report:
    """Read the files of `seeds`, each within `cpu_s` and all within MEMORY_BYTES of address space; a seed that kills is told."""
    report, first = Report(), seeds.start
    while first < seeds.stop:
        first = _run(kind, range(first, seeds.stop), cpu_s, report, told)
    return report


def _run(kind: str, seeds: range, cpu_s: float, report: Report, told: Callable[[str], None]) -> int:
    """One child, as far as it gets; returns the seed to go on from."""
    command = [sys.executable, "-X", "faulthandler", "-W", "error", __file__, kind, str(seeds.start), str(seeds.stop), str(cpu_s)]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child:
            at = _follow(child, kind, seeds.start, report, told)
        code = child.returncode
        errors.seek(0)
        report.printed += errors.read()
    if code == 0:
        return seeds.stop
    report.failures[at] = f"died ({signal.Signals(-code).name if code < 0 else code}): {report.printed[-2000:]}"
    told(f"{kind} {at}: {report.failures[at]}")
    return at + 1


def _follow(child: "subprocess.Popen[str]", kind: str, at: int, report: Report, told: Callable[[str], None]) -> int:
    """Note what the child says of its cases; returns the last that it began."""
    assert child.stdout is not None
    for line in child.stdout:
        seed, outcome, seconds, peak_mb = json.loads(line)
        at = seed
        if outcome == "begun":
            continue
        if outcome.startswith("!"):
            report.failures[seed] = outcome[1:]
            told(f"{kind} {seed}: {outcome[1:]}")
        elif outcome:
            report.refused += 1
            report.sentences[outcome] = report.sentences.get(outcome, 0) + 1
        else:
            report.read += 1
        report.peak_mb = max(report.peak_mb, peak_mb)
        if seconds > report.longest_s:
            report.longest_s, report.slowest = seconds, seed
    return at


def _check_score(path: Path) -> None:
    from soli.score.notes import LONGEST_S, MOST_NOTES
    from soli.score.reading import read_score

    score = read_score(path)
    assert 0 < len(score.notes) <= MOST_NOTES
    assert [n.id for n in score.notes] == list(range(len(score.notes)))
    before_s = 0.0
    for n in score.notes:
        assert before_s <= n.onset_s <= n.offset_s <= LONGEST_S, n
        assert n.pedal_s == 0 or n.offset_s <= n.pedal_s <= LONGEST_S, n
        assert 0 <= n.pitch <= 127, n
        assert 0 <= n.velocity <= 127, n
        assert 0 <= n.track < len(score.track_names), n
        before_s = n.onset_s
    assert all(beat.time_s >= 0 for beat in score.beats)
    assert all(0 <= press.down_s <= press.up_s for press in score.pedals)


def _check_audio(path: Path) -> None:
    from soli.signal import audio

    recording = audio.read(path)
    assert recording.length > 0
    assert audio.LOWEST_RATE <= recording.rate <= audio.HIGHEST_RATE
    assert 1 <= recording.channels <= audio.MOST_CHANNELS
    assert np.abs(recording.samples).max() <= audio.LOUDEST


def _check_project(path: Path) -> None:
    from soli.progress import finish
    from soli.project import estimating, storage

    opened = finish(storage.open_steps(path))
    state = opened.state
    assert "\n" not in opened.warning
    if state.audio is not None:
        assert estimating.estimate(state).seconds >= 0
    if opened.separation is not None:
        assert all(np.isfinite(signal).all() for signal in opened.separation.signals.values())
    again = path.with_name("again.soli")
    storage.save(again, state, separation=opened.separation, outlook=opened.outlook, embed=opened.embeds)
    assert finish(storage.open_steps(again)).state.notes == state.notes


def _misbehave(path: Path) -> None:
    """What `examine` has to find, one by one."""
    from soli.errors import InputError

    case = int(path.read_text())
    if case == 1:
        raise KeyError(case)
    if case == 2:
        raise InputError(f"{path.name}: two\nlines")
    while case == 3:
        pass
    if case == 4:
        os.abort()
    if case == 5:
        bytearray(2 * MEMORY_BYTES)
    if case == 6:
        raise InputError(f"{path.name}: a sentence")


CHECKS = {"midi": _check_score, "audio": _check_audio, "notes": _check_score, "project": _check_project, "sham": _misbehave}


def outcome_of(kind: str, path: Path) -> str:
    """What reading `path` ends in: "" for a result that holds together, a sentence, or "!" and a defect."""
    import traceback

    from soli.errors import SoliError

    try:
        CHECKS[kind](path)
    except SoliError as told:
        sentence = str(told)
        if "\n" in sentence or path.name not in sentence or len(sentence) > 400:
            return f"!no sentence: {sentence[:400]!r}"
        return sentence.replace(path.name, "NAME")
    except Exception:
        return "!" + traceback.format_exc()[-1500:]
    return ""


def main() -> None:
    kind, first, stop, cpu_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    import resource

    from fuzz import mutations, projects

    make = {
        "midi": mutations.midi,
        "audio": mutations.audio,
        "notes": mutations.notes,
        "project": projects.project,
        "sham": lambda seed: ("", str(seed).encode()),
    }[kind]
    make(first)  # what all cases begin with is made before any is measured
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, stop):
            print(json.dumps((seed, "begun", 0, 0)), flush=True)
            suffix, content = make(seed)
            path = Path(folder) / f"case{suffix}"
            path.write_bytes(content)
            # Left to their default action, which no library in a loop of its own can hold up.
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
            signal.setitimer(signal.ITIMER_REAL, WALL_S)
            began_s = time.process_time()
            outcome = outcome_of(kind, path)
            took_s = time.process_time() - began_s
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            path.unlink()
            peak_mb = _peak_mb()
            print(json.dumps((seed, outcome, took_s, peak_mb)), flush=True)


def _peak_mb() -> float:
    """The most memory of this process; what getrusage says begins with that of the parent it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    sys.path[0] = str(TESTS)
    sys.path.insert(0, str(TESTS.parent / "desktop"))
    main()
