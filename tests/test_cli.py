"""The command line: what it writes, what it says and how it ends."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from command_line import NOTES, ROOT, listing, run, soli, write_piece
from synth import render

from soli import cli
from soli.score import midi
from soli.score.note_lists import read_note_list, write_note_list
from soli.signal import audio
from soli.signal.encoding import FORMS

EVAL = Path(os.environ.get("SOLI_EVAL", ROOT.parent / "shared" / "eval"))
JSON_KEYS = {"files", "seconds", "iterations", "loss", "peak_memory_mb", "frames", "components"}

needs_eval = pytest.mark.skipif(not EVAL.is_dir(), reason="the pieces with a known truth are not beside the checkout")


@pytest.fixture(scope="module")
def piece(tmp_path_factory) -> tuple[str, str]:
    return write_piece(tmp_path_factory.mktemp("piece"))


def stems(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: soundfile.read(path, dtype="float32", always_2d=True)[0] for path in folder.iterdir()}


def test_separate_writes_a_file_a_layer_and_the_residual(tmp_path, piece):
    result = soli("separate", *piece, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert listing(tmp_path / "out") == ["left.wav", "residual.wav", "right.wav"]
    assert [Path(line).name for line in result.stdout.splitlines()] == ["right.wav", "left.wav", "residual.wav"]
    assert "Traceback" not in result.stderr
    parts = stems(tmp_path / "out")
    recording = audio.read(Path(piece[0]))
    np.testing.assert_array_equal(parts["left"] + parts["right"] + parts["residual"], recording.samples)
    for path in (tmp_path / "out").iterdir():
        info = soundfile.info(path)
        assert (info.subtype, info.samplerate, info.channels, info.frames) == ("FLOAT", 22050, 2, recording.length)


def test_no_window_and_no_sound_card_is_touched(tmp_path, piece):
    script = (
        "import sys; from soli import cli\n"
        f"status = cli.run(cli.parse(['separate', *{piece!r}, '-o', {str(tmp_path / 'out')!r}, '--iterations', '1']))\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(status, sorted(loaded & {'PySide6', 'shiboken6', 'pyqtgraph', 'sounddevice'}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "desktop")}
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True, timeout=100
    )
    assert result.stdout.splitlines()[-1] == "0 []"


def test_json_is_one_object_that_tells_about_the_run(tmp_path, piece, capsys):
    assert run("separate", *piece, "-o", tmp_path / "out", "--json", "--iterations", "3") == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert set(report) >= JSON_KEYS
    assert [Path(name).name for name in report["files"]] == ["right.wav", "left.wav", "residual.wav"]
    assert all(Path(name).is_file() for name in report["files"])
    assert set(report["seconds"]) >= {"read", "align", "decompose", "separate", "export"}
    assert all(value >= 0 for value in report["seconds"].values())
    assert report["iterations"] == 3
    assert report["loss"] > 0
    assert report["frames"] > 10
    assert report["components"] > 3
    assert os.name == "nt" or 10 < report["peak_memory_mb"] < 10_000


def test_json_of_silence_is_json_all_the_same(tmp_path, piece, capsys):
    audio.write(tmp_path / "silence.wav", audio.Audio(np.zeros((22050, 1), np.float32), 22050))
    assert run("separate", tmp_path / "silence.wav", piece[1], "-o", tmp_path / "out", "--json") == 0
    out, err = capsys.readouterr()
    assert set(json.loads(out, parse_constant=pytest.fail)) >= JSON_KEYS
    assert "silent" in err


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("track", {"right", "left"}),
        ("hand", {"right", "left"}),
        ("channel", {"Channel 1", "Channel 2"}),
        ("one", {"Notes"}),
        ("pitch:60", {"C4 and above", "Below C4"}),
    ],
)
def test_layers_are_made_by_the_kind_asked_for(tmp_path, piece, kind, names):
    assert run("separate", *piece, "-o", tmp_path, "--layers", kind, "--iterations", "1", "--no-align") == 0
    assert {path.stem for path in tmp_path.iterdir()} == names | {"residual"}


@pytest.mark.parametrize("form", ["wav16", "wav24", "wav32f", "flac", "flac16"])
def test_formats_are_what_they_are_called(tmp_path, piece, form):
    assert run("separate", *piece, "-o", tmp_path, "--format", form, "--iterations", "1", "--no-align") == 0
    for path in tmp_path.iterdir():
        info = soundfile.info(path)
        assert (info.format, info.subtype, path.suffix) == FORMS[form]
    parts = stems(tmp_path)
    total = parts["left"] + parts["right"] + parts["residual"]
    # Three files with a dither of one and a half steps each; 24 bits hold them as they are.
    most = 4.5 * 2.0**-15 if form.endswith("16") else 0.0
    assert np.abs(total - audio.read(Path(piece[0])).samples).max() <= most


def test_the_autoencoder_separates_too_and_the_seed_decides(tmp_path, piece):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        arguments = ("--method", "nae", "--iterations", "2", "--seed", seed, "--no-align")
        assert run("separate", *piece, "-o", tmp_path / name, *arguments) == 0
    first, same = ((tmp_path / name / "right.wav").read_bytes() for name in "ab")
    assert first == same
    assert run("separate", *piece, "-o", tmp_path / "d", "--method", "nmf", "--iterations", "2", "--no-align") == 0
    assert (stems(tmp_path / "d")["right"] != stems(tmp_path / "a")["right"]).any()


def test_without_aligning_the_notes_stay_where_the_score_has_them(tmp_path, piece):
    late = audio.Audio(np.concatenate([np.zeros((22050, 2), np.float32), audio.read(Path(piece[0])).samples]), 22050)
    audio.write(tmp_path / "late.wav", late)
    energy = {}
    for name, arguments in (("aligned", ()), ("as written", ("--no-align",))):
        assert run("separate", tmp_path / "late.wav", piece[1], "-o", tmp_path / name, *arguments) == 0
        parts = stems(tmp_path / name)
        energy[name] = np.square(parts["residual"]).sum() / np.square(late.samples).sum()
    assert energy["aligned"] < 0.1 < energy["as written"]


def test_an_existing_folder_keeps_its_other_files(tmp_path, piece):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "left.wav").write_text("former")
    assert run("separate", *piece, "-o", tmp_path, "--iterations", "1", "--no-align") == 0
    assert listing(tmp_path) == ["left.wav", "mine.txt", "residual.wav", "right.wav"]
    assert soundfile.info(tmp_path / "left.wav").frames > 0


def test_align_keeps_every_note_once_with_its_track_channel_and_program(tmp_path, piece):
    score = mido.MidiFile(type=1)
    for index, (channel, program, name) in enumerate([(2, 40, "violin"), (5, 71, "clarinet"), (9, 0, "drums")]):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.append(mido.Message("program_change", channel=channel, program=program))
        for i in range(4):
            track.append(mido.Message("note_on", channel=channel, note=60 + index + i, velocity=70 + i, time=0))
            track.append(mido.Message("note_off", channel=channel, note=60 + index + i, time=400))
        score.tracks.append(track)
    score.save(tmp_path / "score.mid")
    result = soli("align", piece[0], tmp_path / "score.mid", "-o", tmp_path / "new" / "aligned.mid")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("aligned.mid")
    written, back = midi.read(tmp_path / "score.mid"), midi.read(tmp_path / "new" / "aligned.mid")
    assert back.track_names == written.track_names
    assert sorted((n.track, n.channel, n.program, n.pitch, n.velocity) for n in back.notes) == sorted(
        (n.track, n.channel, n.program, n.pitch, n.velocity) for n in written.notes
    )
    assert listing(tmp_path / "new") == ["aligned.mid"]


def test_align_puts_the_notes_where_they_sound(tmp_path, piece):
    slow = [n.__class__(n.id, n.onset_s * 1.4 + 0.3, n.offset_s * 1.4 + 0.3, n.pitch, track=n.track) for n in NOTES]
    audio.write(tmp_path / "slow.wav", render(slow), "wav16")
    assert run("align", tmp_path / "slow.wav", piece[1], "-o", tmp_path / "aligned.mid") == 0
    key = lambda n: (n.track, n.onset_s)  # noqa: E731
    for found, truth in zip(sorted(midi.read(tmp_path / "aligned.mid").notes, key=key), sorted(slow, key=key), strict=True):
        assert found.pitch == truth.pitch
        assert found.onset_s == pytest.approx(truth.onset_s, abs=0.06)


def test_a_list_of_notes_is_a_score_and_an_alignment_can_be_written_as_one(tmp_path, piece):
    write_note_list(tmp_path / "notes.csv", NOTES, labels={n.id: ("right", "left")[n.track] for n in NOTES})
    assert run("separate", piece[0], tmp_path / "notes.csv", "-o", tmp_path / "out", "--iterations", "1") == 0
    assert listing(tmp_path / "out") == ["left.wav", "residual.wav", "right.wav"]
    assert run("align", piece[0], tmp_path / "notes.csv", "-o", tmp_path / "aligned.csv") == 0
    key = lambda n: (n.pitch, n.onset_s)  # noqa: E731
    found = read_note_list(tmp_path / "aligned.csv")
    assert set(found.track_names) == {"left", "right"}
    for mine, truth in zip(sorted(found.notes, key=key), sorted(NOTES, key=key), strict=True):
        assert mine.pitch == truth.pitch
        assert mine.onset_s == pytest.approx(truth.onset_s, abs=0.06)


def test_files_alone_ask_for_the_window():
    for argv in ([], ["a.wav"], ["a.wav", "b.mid"], ["c.soli"], ["open", "a.wav"], ["demo"]):
        assert cli.wants_window(cli.parse(argv))
    assert [path.name for path in cli.parse(["a.wav", "b.mid"]).files] == ["a.wav", "b.mid"]
    assert not cli.wants_window(cli.parse(["demo", "--headless"]))
    assert not cli.wants_window(cli.parse(["separate", "a", "b", "-o", "c"]))


def test_progress_is_told_stage_by_stage_on_stderr(tmp_path, piece, capsys):
    assert run("separate", *piece, "-o", tmp_path) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "Decomposing" in lines
    assert "Writing residual.wav" in lines
    assert all(a != b for a, b in itertools.pairwise(lines))
    assert not any("\x1b" in line for line in lines)


def test_the_demo_without_a_window_writes_stems_and_a_picture(tmp_path):
    result = soli("demo", "--headless", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert listing(tmp_path) == ["soli-demo"]
    folder = tmp_path / "soli-demo"
    assert listing(folder) == ["Left hand.wav", "Right hand.wav", "residual.wav", "roll.png"]
    assert [Path(line).name for line in result.stdout.splitlines()] == [
        "Right hand.wav",
        "Left hand.wav",
        "residual.wav",
        "roll.png",
    ]
    content = (folder / "roll.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width > 1000
    assert height > 400


def score_module():
    import importlib.util

    specification = importlib.util.spec_from_file_location("score", EVAL / "score.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@needs_eval
def test_a_rag_is_separated_to_11_db_and_adds_up(tmp_path, capsys):
    folder = EVAL / "joplin_maple_leaf"
    assert run("separate", folder / "mix.flac", folder / "score.mid", "-o", tmp_path) == 0
    found = score_module().stems(folder, tmp_path)
    assert found["mean_sdr_db"] >= 11
    assert found["null_error"] is None
    assert found["null_peak_dbfs"] < -100


@needs_eval
def test_a_real_recording_runs_through(tmp_path, capsys):
    folder = EVAL / "real_chopin_op10_3"
    assert run("separate", folder / "mix.flac", folder / "score.mid", "-o", tmp_path / "out", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sure"] > 0.6
    parts = stems(tmp_path / "out")
    recording = audio.read(folder / "mix.flac")
    total = sum(parts.values())
    assert np.abs(total - recording.samples).max() < 1e-5
    energy = {name: np.square(part).sum() / np.square(recording.samples).sum() for name, part in parts.items()}
    assert energy.pop("residual") < 0.2
    assert all(0.05 < share < 0.95 for share in energy.values()), energy


def test_a_kept_encoder_is_applied_without_a_run(tmp_path, piece, capsys):
    recording, score = piece
    kept = tmp_path / "piano.npz"
    trained = ("separate", recording, score, "-o", tmp_path / "a", "--method", "nae", "--save-encoder", kept)
    assert run(*trained) == 0
    capsys.readouterr()
    assert run("separate", recording, score, "-o", tmp_path / "b", "--encoder", kept, "--json") == 0
    assert json.loads(capsys.readouterr().out)["iterations"] == 0
    first, second = stems(tmp_path / "a"), stems(tmp_path / "b")
    assert first.keys() == second.keys()
    for name in first:
        assert np.corrcoef(first[name].ravel(), second[name].ravel())[0, 1] > 0.9 or name == "residual"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--save-encoder", "x.npz"], "--method nae"),
        (["--encoder", "missing.npz"], "missing.npz"),
        (["--set", "beta=two"], "no number"),
        (["--set", "iterations=2.5"], "no whole number"),
        (["--set", "colour=red"], "no setting"),
    ],
)
def test_options_that_cannot_be_used_are_told_before_any_work(tmp_path, piece, capsys, options, says):
    assert run("separate", *piece, "-o", tmp_path / "out", *options) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert not (tmp_path / "out").exists()
