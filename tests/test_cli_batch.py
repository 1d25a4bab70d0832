"""Many pieces after one list: past those that fail, on from where it stopped, and the same wherever they are worked on."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth import melody, render

from soli import cli
from soli.errors import InputError
from soli.project import batch, batch_workers
from soli.project.batch import MANIFEST, Piece
from soli.score import midi
from soli.signal import audio

CHILDREN = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")

ROOT = Path(__file__).resolve().parents[1]
HIGH = melody((72, 76, 79), step_s=0.3, length_s=0.28)
LOW = melody((48, 43), step_s=0.4, length_s=0.35, first_id=10, track=1)
DEFAULTS = Piece("", Path(), Path(), Path())


@pytest.fixture
def music(tmp_path) -> Path:
    """A folder with two recordings, their scores, and a list of them with one more that is not there."""
    folder = tmp_path / "music"
    folder.mkdir()
    for name, notes in (("one", [*HIGH, *LOW]), ("two", LOW)):
        audio.write(folder / f"{name}.wav", render(notes), "wav16")
        midi.write(folder / f"{name}.mid", notes, track_names=("right", "left"))
    (folder / "list.csv").write_text(
        "recording,score,layers,iterations\none.wav,one.mid,hand,2\ngone.wav,one.mid,,\ntwo.wav,two.mid,one,3\n",
        encoding="utf-8",
    )
    return folder


def run(*arguments: str | Path) -> int:
    return cli.run(cli.parse([str(a) for a in arguments]))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.wav")}


def test_one_line_a_piece_past_the_failing_one_and_on_from_there(tmp_path, music, capsys):
    out = tmp_path / "out"
    assert run("batch", music / "list.csv", "-o", out, "--no-align") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["1/3", "one:"], ["2/3", "gone:"], ["3/3", "two:"]]
    assert "failed:" in lines[1]
    assert "gone.wav" in lines[1]
    assert sorted(contents(out)) == ["one/left.wav", "one/residual.wav", "one/right.wav", "two/Notes.wav", "two/residual.wav"]
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}

    # Done pieces are left alone; the failing one is tried again.
    (music / "gone.wav").write_bytes((music / "one.wav").read_bytes())
    assert run("batch", music / "list.csv", "-o", out, "--no-align") == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("done before" in line for line in lines) == 2
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert (out / "gone" / "residual.wav").is_file()


def test_files_that_clip_are_told(tmp_path, music, capsys):
    loud = audio.read(music / "two.wav")
    louder = audio.Audio(loud.samples * np.float32(2 / loud.peak()), loud.rate)
    audio.write(music / "two.wav", louder, "wav32f")
    (music / "list.csv").write_text("recording,score,layers,iterations,format\ntwo.wav,two.mid,one,3,wav16\n", encoding="utf-8")
    assert run("batch", music / "list.csv", "-o", tmp_path / "out", "--no-align") == 0
    told = capsys.readouterr().err.splitlines()
    assert any(line.startswith("soli: two: Notes.wav clips by ") for line in told)
    (music / "list.csv").write_text("recording,score,layers,iterations\ntwo.wav,two.mid,one,3\n", encoding="utf-8")
    assert run("batch", music / "list.csv", "-o", tmp_path / "out", "--no-align") == 0
    assert "clips" not in capsys.readouterr().err


@pytest.mark.parametrize("change", ["recording", "score", "settings", "file gone", "file cut", "manifest broken"])
def test_what_has_changed_is_worked_on_again(tmp_path, music, change):
    pieces = batch.read_list(music / "list.csv", tmp_path / "out", replace(DEFAULTS, align=False))
    (tmp_path / "out").mkdir()
    first, last = pieces[0], pieces[2]
    manifest = batch.Manifest(tmp_path / "out")
    for piece in (first, last):
        manifest.add(batch.work(piece))
    assert [o.name for o in batch.waiting([first, last], batch.Manifest(tmp_path / "out"))[0]] == ["one", "two"]
    if change == "recording":
        audio.write(music / "one.wav", render(HIGH), "wav16")
    elif change == "score":
        midi.write(music / "one.mid", HIGH)
    elif change == "settings":
        first = replace(first, settings=replace(first.settings, iterations=5))
    elif change == "file gone":
        (first.folder / "left.wav").unlink()
    elif change == "file cut":
        (first.folder / "left.wav").write_bytes(b"RIFF")
    else:
        (tmp_path / "out" / MANIFEST).write_text("{")
    done, rest = batch.waiting([first, last], batch.Manifest(tmp_path / "out"))
    assert first in rest
    assert [o.name for o in done] == ([] if change == "manifest broken" else ["two"])


def test_two_at_a_time_give_the_same_files_as_one(tmp_path, music):
    (music / "gone.wav").write_bytes((music / "two.wav").read_bytes())
    assert run("batch", music / "list.csv", "-o", tmp_path / "a", "--no-align") == 0
    assert run("batch", music / "list.csv", "-o", tmp_path / "b", "--no-align", "--jobs", "2") == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    kept = [json.loads((tmp_path / name / MANIFEST).read_text())["pieces"] for name in "ab"]
    first, second = ({name: (piece["fingerprint"], piece["files"]) for name, piece in pieces.items()} for pieces in kept)
    assert first == second


def test_the_same_as_separate_makes(tmp_path, music):
    assert run("separate", music / "one.wav", music / "one.mid", "-o", tmp_path / "a" / "one", "--layers", "hand",
               "--iterations", "2", "--no-align") == 0  # fmt: skip
    assert run("batch", music / "list.csv", "-o", tmp_path / "b", "--no-align") == 1
    expected = contents(tmp_path / "a")
    assert {name: sound for name, sound in contents(tmp_path / "b").items() if name.startswith("one")} == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "columns recording and score"),
        ("recording\na.wav\n", "columns recording and score"),
        ("recording,score\n", "a row for each piece"),
        ("recording,score,colour\na,b,red\n", "there is no setting 'colour'"),
        ('recording,score\n"a,b\n', "not a CSV list"),
    ],
)
def test_a_list_that_is_none_is_told(tmp_path, text, says, capsys):
    (tmp_path / "list.csv").write_text(text)
    assert run("batch", tmp_path / "list.csv", "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_list_that_is_not_there_or_no_text_is_told(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    for name, says in (("missing.csv", "no such file"), ("binary.csv", "no UTF-8 text"), (".", "this is a folder")):
        with pytest.raises(InputError, match=says):
            batch.read_list(tmp_path / name, tmp_path, DEFAULTS)


def test_cells_become_settings_and_wrong_ones_fail_their_piece_alone(tmp_path):
    (tmp_path / "list.csv").write_text(
        "\ufeffrecording; score; name; align; format; beta; solve_to_hz; seed\n"
        "a.wav; a.mid; A/B; no; flac; 2; none; 5\n"
        "a.wav; a.mid; ; maybe; ; ; ;\n"
        "a.wav; a.mid; ; ; mp4; ; ;\n"
        "a.wav; a.mid; ; ; ; 9; ;\n"
        "a.wav; ; ; ; ; ; ;\n"
        "b/a.wav; a.mid; ; ; ; ; ;\n",
        encoding="utf-8",
    )
    pieces = batch.read_list(tmp_path / "list.csv", tmp_path / "out", DEFAULTS)
    assert [piece.name for piece in pieces] == ["A_B", "a", "a 2", "a 3", "a 4", "a 5"]
    first, *wrong, last = pieces
    assert (first.align, first.form, first.settings.beta, first.settings.solve_to_hz, first.settings.seed) == (
        False, "flac", 2, None, 5,
    )  # fmt: skip
    assert [bool(piece.fault) for piece in wrong] == [True] * 4
    assert last.recording == tmp_path / "b" / "a.wav"
    assert last == Piece("a 5", tmp_path / "b" / "a.wav", tmp_path / "a.mid", tmp_path / "out" / "a 5")
    assert batch.work(wrong[0]).fault.startswith("align is 'maybe'")


def test_a_fault_of_the_program_stops_no_other_piece(monkeypatch, tmp_path, music):
    def broken(*_args, **_options):
        raise ZeroDivisionError("nothing there")

    piece = batch.read_list(music / "list.csv", tmp_path / "out", DEFAULTS)[0]
    monkeypatch.setattr(batch.pipeline, "separate_steps", broken)
    assert "ZeroDivisionError" in batch.work(piece).fault
    monkeypatch.setattr(batch, "prepared_steps", lambda *_a, **_o: (_ for _ in ()).throw(MemoryError))
    assert "memory" in batch.work(piece).fault


def test_a_process_that_dies_takes_no_other_piece_along(monkeypatch, tmp_path, music):
    pieces = batch.read_list(music / "list.csv", tmp_path / "out", replace(DEFAULTS, align=False))
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])  # the child imports this module
    monkeypatch.setattr(batch_workers, "_child", _dies_for_one)
    outcomes = {o.name: o for o in batch_workers.on_this_computer(pieces)}
    assert "its process ended (status 9)" in outcomes["one"].fault
    assert not outcomes["two"].fault


def _dies_for_one(piece, answer):
    if piece.name == "one":
        os._exit(9)
    answer.send(batch.work(piece))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
@pytest.mark.parametrize(
    ("after_s", "send"), [(1.5, os.kill), (0.3, os.killpg)], ids=["amid a piece", "in the terminal, at its start"]
)
def test_stopping_leaves_no_unfinished_file_and_what_is_done_stays_done(tmp_path, music, after_s, send):
    rows = "\n".join(f"one.wav,one.mid,piece {i},400" for i in range(8))
    (music / "list.csv").write_text(f"recording,score,name,iterations\none.wav,one.mid,quick,1\n{rows}\n")
    with started("batch", music / "list.csv", "-o", tmp_path / "out", "--no-align") as process:
        assert process.stdout.readline().startswith("1/9 quick: ")
        time.sleep(after_s)
        send(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines() == ["soli: stopped; no unfinished file was left"]
    assert list(tmp_path.rglob("*.part")) == []
    assert "quick" in json.loads((tmp_path / "out" / MANIFEST).read_text())["pieces"]


@pytest.mark.skipif(not CHILDREN.exists(), reason="the system does not say what a process has started")
def test_a_killed_batch_works_on_nothing_any_more_and_goes_on_where_it_was(tmp_path, music, capsys):
    rows = "\n".join(f"one.wav,one.mid,piece {i},{iterations}" for i, iterations in enumerate((1, 100_000)))
    (music / "list.csv").write_text(f"recording,score,name,iterations\n{rows}\n")
    with started("batch", music / "list.csv", "-o", tmp_path / "out", "--no-align") as process:
        assert process.stdout.readline().startswith("1/2 piece 0: ")
        while not (children := working(process.pid)):
            time.sleep(0.02)
        time.sleep(1.0)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert list(tmp_path.rglob("*.part")) == []
    (music / "list.csv").write_text((music / "list.csv").read_text().replace("100000", "2"))
    assert run("batch", music / "list.csv", "-o", tmp_path / "out", "--no-align") == 0
    assert capsys.readouterr().out.startswith("1/2 piece 0: done before, 3 files\n2/2 piece 1: 3 files")


def working(parent):
    """Ids of the processes that work for another one."""
    children = [int(i) for task in Path(f"/proc/{parent}/task").iterdir() for i in (task / "children").read_text().split()]
    return [i for i in children if b"resource_tracker" not in Path(f"/proc/{i}/cmdline").read_bytes()]


@contextlib.contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """`soli ARGUMENTS` as in a terminal of its own, gone with all its processes afterwards."""
    command = [sys.executable, "-m", "soli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "desktop")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell lets what it starts in the background ignore Ctrl+C, and what that starts in turn.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_cluster_makes_the_same_files(tmp_path, music, capsys):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed; pip install 'dask[distributed]'")
    assert run("batch", music / "list.csv", "-o", tmp_path / "a", "--no-align") == 1
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        assert run("batch", music / "list.csv", "-o", tmp_path / "b", "--no-align", "--scheduler", cluster.scheduler_address) == 1
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert "gone: failed" in capsys.readouterr().out


def test_without_dask_a_scheduler_is_told_how_to_get_it(monkeypatch, tmp_path, music, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("batch", music / "list.csv", "-o", tmp_path / "out", "--scheduler", "tcp://localhost:1") == 1
    assert "dask[distributed]" in capsys.readouterr().err
