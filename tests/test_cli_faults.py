"""The command line with what it cannot use: one line says so, the status tells, and no file is left half written."""

import os
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from command_line import listing, run, soli, write_piece

from soli import cli


@pytest.fixture(scope="module")
def piece(tmp_path_factory) -> tuple[str, str]:
    return write_piece(tmp_path_factory.mktemp("piece"))


BAD_INPUT = {
    "missing recording": "separate nowhere.wav SCORE -o out",
    "missing score": "separate RECORDING nowhere.mid -o out",
    "a folder as recording": "separate . SCORE -o out",
    "a folder as score": "separate RECORDING . -o out",
    "text as recording": "separate text.wav SCORE -o out",
    "text as score": "separate RECORDING text.mid -o out",
    "text as a list of notes": "separate RECORDING text.csv -o out",
    "empty recording": "separate empty.wav SCORE -o out",
    "recording of NaN": "separate nan.wav SCORE -o out",
    "score without notes": "separate RECORDING silent.mid -o out",
    "swapped": "separate SCORE RECORDING -o out",
    "name too long": f"separate {'x' * 3000} SCORE -o out",
    "unknown layers": "separate RECORDING SCORE -o out --layers voice",
    "too many iterations": "separate RECORDING SCORE -o out --iterations 99999999",
    "file as target": "separate RECORDING SCORE -o text.wav",
    "align: missing recording": "align nowhere.wav SCORE -o out.mid",
    "align: text as score": "align RECORDING text.mid -o out.mid",
    "align: neither MIDI nor a list": "align RECORDING SCORE -o out.xml",
}


@pytest.mark.parametrize("case", sorted(BAD_INPUT))
def test_bad_input_ends_in_one_line_and_leaves_nothing(monkeypatch, tmp_path, piece, capsys, case):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "text.mid").write_text("no score")
    (tmp_path / "text.csv").write_text("no score")
    soundfile.write("empty.wav", np.zeros((0, 1)), 8000)
    soundfile.write("nan.wav", np.full((9, 1), np.nan), 8000, subtype="FLOAT")
    mido.MidiFile(type=1, tracks=[mido.MidiTrack()]).save("silent.mid")
    before = listing(tmp_path)
    given = {"RECORDING": piece[0], "SCORE": piece[1]}
    assert run(*(given.get(word, word) for word in BAD_INPUT[case].split())) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("soli: ")
    assert listing(tmp_path) == before


def test_bad_input_ends_the_process_with_status_1_and_no_traceback(tmp_path, piece):
    (tmp_path / "text.wav").write_text("no sound")
    result = soli("separate", "text.wav", piece[1], "-o", "out", folder=tmp_path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "text.wav" in result.stderr
    assert result.stdout == ""
    assert listing(tmp_path) == ["text.wav"]


@pytest.mark.parametrize(
    "arguments",
    [
        "separate",
        "separate a.wav",
        "separate a.wav b.mid",
        "separate a.wav b.mid -o x --method magic",
        "separate a.wav b.mid -o x --format aac",
        "separate a.wav b.mid -o x --iterations 0",
        "separate a.wav b.mid -o x --iterations many",
        "separate a.wav b.mid -o x --iterations -1",
        "separate a.wav b.mid -o x --seed -1",
        "separate a.wav b.mid -o x --seed 1.5",
        "separate a.wav b.mid -o x --loudly",
        "align a.wav b.mid",
        "demo -o x",
        "demo a.wav",
    ],
)
def test_wrong_usage_ends_with_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        cli.parse(arguments.split())
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: soli" in err
    assert "_" not in err.splitlines()[-1], "no name of a function"


def test_wrong_usage_ends_the_process_with_status_2():
    result = soli("separate")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_disk_that_is_full_leaves_no_file_under_its_final_name(monkeypatch, tmp_path, piece, capsys, nth):
    write, calls = soundfile.SoundFile.write, []

    def full(file, data):
        calls.append(file)
        write(file, data)
        if len(calls) == nth:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    assert run("separate", *piece, "-o", tmp_path / "out", "--iterations", "1", "--no-align", "--json") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "No space left on device" in err.splitlines()[-1]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("command", ["separate", "align"])
def test_a_target_that_cannot_be_made_is_told(tmp_path, piece, capsys, command):
    (tmp_path / "file").write_text("mine")
    arguments = ("--iterations", "1", "--no-align") if command == "separate" else ()
    assert run(command, *piece, "-o", tmp_path / "file" / "below" / "out.mid", *arguments) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("soli: ")
    assert listing(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_align_onto_a_folder_is_told(tmp_path, piece, capsys):
    (tmp_path / "aligned.mid").mkdir()
    assert run("align", *piece, "-o", tmp_path / "aligned.mid") == 1
    assert "cannot be written" in capsys.readouterr().err.splitlines()[-1]
    assert listing(tmp_path) == ["aligned.mid"]
    assert listing(tmp_path / "aligned.mid") == []


def test_stopping_leaves_nothing(monkeypatch, tmp_path, piece, capsys):
    from soli.decompose import masking

    def stopped(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(masking, "separate_steps", stopped)
    assert run("separate", *piece, "-o", tmp_path / "out", "--no-align") == 130
    assert "stopped" in capsys.readouterr().err.splitlines()[-1]
    assert listing(tmp_path) == []


def test_too_little_memory_is_told(monkeypatch, tmp_path, piece, capsys):
    from soli.decompose import model

    def large(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(model, "decompose_steps", large)
    assert run("separate", *piece, "-o", tmp_path / "out", "--no-align") == 1
    assert "memory" in capsys.readouterr().err.splitlines()[-1]
    assert listing(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names or terminals")
def test_names_that_the_terminal_cannot_say_do_no_harm(tmp_path, piece):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    arguments = ("separate", *piece, "-o", folder, "--layers", "pitch:61", "--iterations", "1", "--no-align")
    result = soli(*arguments, PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3
    assert listing(Path(folder)) == ["Below C♯4.wav", "C♯4 and above.wav", "residual.wav"]
