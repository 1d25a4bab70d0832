"""Projects without a window: what `soli render` writes and `soli info` says, and that a project gives the same files again."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from synth import melody, render

from soli import cli
from soli.cli.arguments import FORMS as TAKEN
from soli.progress import finish
from soli.project import storage
from soli.score import midi
from soli.signal import audio
from soli.signal.encoding import FORMS

NOTES = [
    *melody((72, 76, 79, 76), step_s=0.4, length_s=0.35),
    *melody((48, 43), step_s=0.8, length_s=0.75, first_id=10, track=1),
]


def run(*arguments: str | Path) -> int:
    return cli.run(cli.parse([str(a) for a in arguments]))


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sound(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project that was saved by `soli separate`, its stems beside it in `stems`."""
    folder = tmp_path_factory.mktemp("piece")
    audio.write(folder / "song.wav", render(NOTES, channels=2), "wav24")
    midi.write(folder / "song.mid", NOTES, track_names=("right", "left"))
    done = run(
        "separate", folder / "song.wav", folder / "song.mid", "-o", folder / "stems", "--iterations", "4",
        "--seed", "7", "--no-align",
        "--project", folder / "song.soli",
    )  # fmt: skip
    assert done == 0
    return folder / "song.soli"


def test_separate_can_save_a_project_that_has_its_layers(project):
    opened = finish(storage.open_steps(project))
    assert [layer.name for layer in opened.state.layers] == ["right", "left"]
    assert opened.separation is not None
    assert opened.separation.is_of(opened.state)
    assert opened.state.settings.seed == 7


def test_a_project_must_be_called_like_one(tmp_path, project, capsys):
    piece = project.with_suffix(".wav"), project.with_suffix(".mid")
    assert run("separate", *piece, "-o", tmp_path / "out", "--project", tmp_path / "song.zip") == 1
    assert ".soli" in capsys.readouterr().err
    assert listing(tmp_path) == []


@pytest.mark.parametrize("again", [(), ("--recompute",)])
def test_render_makes_the_same_stems_to_the_last_bit(tmp_path, project, again):
    time.sleep(1.05)  # files that tell the second would differ
    assert run("render", project, "-o", tmp_path, *again) == 0
    assert contents(tmp_path) == contents(project.parent / "stems")


@pytest.mark.parametrize("method", ["nmf", "nae"])
@pytest.mark.parametrize("form", ["wav16", "flac"])
def test_a_project_without_results_gives_the_same_files_twice(tmp_path, project, method, form):
    opened = finish(storage.open_steps(project))
    settings = replace(opened.state.settings, method=method, initialisation="random", iterations=3, seed=11)
    storage.save(tmp_path / "bare.soli", replace(opened.state, settings=settings))
    for name in ("a", "b"):
        assert run("render", tmp_path / "bare.soli", "-o", tmp_path / name, "--format", form) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    storage.save(tmp_path / "other.soli", replace(opened.state, settings=replace(settings, seed=12)))
    assert run("render", tmp_path / "other.soli", "-o", tmp_path / "c", "--format", form) == 0
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_results_that_are_older_than_the_edits_are_made_anew(tmp_path, project, capsys):
    opened = finish(storage.open_steps(project))
    left = next(note.id for note in opened.state.notes.values() if note.layer == opened.state.layers[1].id)
    edited = replace(opened.state, absent=frozenset({left}))
    storage.save(tmp_path / "edited.soli", edited, separation=opened.separation)
    assert run("render", tmp_path / "edited.soli", "-o", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["recomputed"] is True
    assert (sound(tmp_path / "out" / "left.wav") != sound(project.parent / "stems" / "left.wav")).any()


def test_render_writes_what_is_asked_for(tmp_path, project, capsys):
    stems = project.parent / "stems"
    asked = ("--only", "LEFT", "--mix", "--all-but", "left", "--pattern", "{project}-{index}-{layer}")
    assert run("render", project, "-o", tmp_path, *asked) == 0
    assert listing(tmp_path) == ["song-01-left.wav", "song-02-mix.wav", "song-03-without left.wav"]
    recording = sound(project.with_suffix(".wav"))
    np.testing.assert_array_equal(sound(tmp_path / "song-01-left.wav"), sound(stems / "left.wav"))
    np.testing.assert_array_equal(sound(tmp_path / "song-02-mix.wav"), recording)
    np.testing.assert_array_equal(sound(tmp_path / "song-03-without left.wav") + sound(stems / "left.wav"), recording)


def test_render_writes_a_range_at_another_rate_and_level(tmp_path, project):
    stems = project.parent / "stems"
    assert run("render", project, "-o", tmp_path / "range", "--range", "0.5", "1.25") == 0
    for path in stems.iterdir():
        np.testing.assert_array_equal(
            sound(tmp_path / "range" / path.name), sound(path)[round(0.5 * 22050) : round(1.25 * 22050)]
        )
    assert run("render", project, "-o", tmp_path / "loud", "--normalise", "--rate", "44100", "--format", "wav24") == 0
    peaks = [np.abs(sound(path)).max() for path in (tmp_path / "loud").iterdir()]
    assert max(peaks) == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    assert soundfile.info(tmp_path / "loud" / "left.wav").samplerate == 44100


def test_render_writes_notes_one_by_one(tmp_path, project):
    assert run("render", project, "-o", tmp_path, "--notes", "--only", "left", "--in-place") == 0
    files = listing(tmp_path)
    assert len(files) == 2
    total = sum(sound(tmp_path / name) for name in files)
    np.testing.assert_allclose(total, sound(project.parent / "stems" / "left.wav"), atol=2 * 2.0**-23)


def test_notes_picture_and_factors_come_along(tmp_path, project):
    also = [word for name in ("song.mid", "song.csv", "roll.png", "roll.svg", "song.npz") for word in ("--also", name)]
    assert run("render", project, "-o", tmp_path, "--only", "residual", *also) == 0
    assert listing(tmp_path) == sorted(["residual.wav", "song.mid", "song.csv", "roll.png", "roll.svg", "song.npz"])
    assert len(midi.read(tmp_path / "song.mid").notes) == len(NOTES)
    with np.load(tmp_path / "song.npz", allow_pickle=False) as kept:
        assert kept["W"].shape[1] == kept["H"].shape[0]


def test_clipping_is_said_before_anything_is_written(tmp_path, project, capsys):
    opened = finish(storage.open_steps(project))
    loud = replace(opened.state.strip(0), gain_db=30.0)
    state = replace(opened.state, strips={0: loud})
    storage.save(tmp_path / "loud.soli", state, separation=opened.separation)
    assert run("render", tmp_path / "loud.soli", "-o", tmp_path / "a", "--mix", "--format", "wav16") == 0
    said = capsys.readouterr().err.splitlines()
    clips = next(i for i, line in enumerate(said) if "mix.wav clips by" in line)
    assert clips < next((i for i, line in enumerate(said) if line.startswith("Writing")), len(said))
    assert run("render", tmp_path / "loud.soli", "-o", tmp_path / "b", "--mix", "--format", "wav16", "--normalise") == 0
    assert "clips" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--only", "Oboe"), "choose from right, left, residual"),
        (("--all-but", "Oboe"), "there is no layer"),
        (("--pattern", "{when}"), "the pattern has {when}"),
        (("--also", "roll.pdf"), "let it end in one of"),
        (("--rate", "12"), "no sample rate"),
        (("--format", "mp3", "--rate", "96000"), "MP3 does not take 96000 Hz"),
        (("--range", "90", "99"), "holds no sound"),
        (("--range", "2", "1"), "holds no sound"),
    ],
)
def test_what_cannot_be_rendered_is_told_in_a_line_and_leaves_nothing(tmp_path, project, capsys, options, says):
    assert run("render", project, "-o", tmp_path / "out", *options) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("soli: ")
    assert says in last
    assert not (tmp_path / "out").exists()


def test_what_is_no_project_is_told(tmp_path, capsys):
    (tmp_path / "text.soli").write_text("no project")
    for command in (("render", tmp_path / "text.soli", "-o", tmp_path / "out"), ("info", tmp_path / "missing.soli")):
        assert run(*command) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines()[-1].startswith("soli: ")
    assert listing(tmp_path) == ["text.soli"]


def test_a_project_whose_recording_is_gone_is_told_of(tmp_path, project, capsys):
    away = tmp_path / "away.soli"
    away.write_bytes(project.read_bytes())
    assert run("info", away, "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["recording"]["found"] is False
    assert "song.wav" in err
    assert run("render", away, "-o", tmp_path / "out") == 1
    assert "--recording FILE" in capsys.readouterr().err
    assert run("render", away, "-o", tmp_path / "out", "--recording", tmp_path / "none.wav") == 1
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run("render", away, "-o", tmp_path / "out", "--recording", project.with_suffix(".wav")) == 0
    assert contents(tmp_path / "out") == contents(project.parent / "stems")


def test_a_project_whose_recording_lies_elsewhere_is_told_so_when_it_is_saved(tmp_path, project, capsys):
    piece = project.with_suffix(".wav"), project.with_suffix(".mid")
    kept = tmp_path / "far" / "away" / "song.soli"
    assert run("separate", *piece, "-o", tmp_path / "out", "--iterations", "1", "--project", kept) == 0
    assert "--recording" in capsys.readouterr().err
    assert run("info", kept) == 0
    assert "Results:   not known without the recording" in capsys.readouterr().out
    assert run("info", kept, "--recording", piece[0]) == 0
    assert "Results:   up to date" in capsys.readouterr().out
    assert run("render", kept, "-o", tmp_path / "again", "--recording", piece[0]) == 0
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_info_says_what_is_in_a_project(project, capsys):
    assert run("info", project, "--json") == 0
    about = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    recording = audio.read(project.with_suffix(".wav"))
    assert about["recording"] | {"path": None, "embedded": None} == {
        "path": None,
        "embedded": None,
        "found": True,
        "seconds": round(recording.duration_s, 3),
        "rate": 22050,
        "channels": 2,
        "sha256": recording.fingerprint,
    }
    assert (about["notes"], about["absent"], about["anchors"], about["strokes"]) == (6, 0, 0, 0)
    assert (about["lowest"], about["highest"]) == ("G2", "G5")
    assert [(layer["name"], layer["notes"]) for layer in about["layers"]] == [("right", 4), ("left", 2)]
    assert about["settings"]["iterations"] == 4
    assert about["seed"] == 7
    assert about["layers_up_to_date"] is True
    assert about["bytes"] == project.stat().st_size
    assert run("info", project) == 0
    text = capsys.readouterr().out
    for words in ("song.wav", "22050 Hz, 2 channels", "6, G2 to G5", "right: 4 notes", "iterations 4", "up to date"):
        assert words in text


def test_the_formats_of_the_command_line_are_those_that_there_are():
    assert set(TAKEN) == set(FORMS)


def test_no_name_in_a_project_commands_the_terminal(project, tmp_path, capsys):
    opened = finish(storage.open_steps(project))
    name = "evil\x1b]0;title\x07\x9b2J\nResults:   up to date"
    layers = (replace(opened.state.layers[0], name=name), *opened.state.layers[1:])
    storage.save(tmp_path / "a.soli", replace(opened.state, layers=layers))
    assert run("info", tmp_path / "a.soli", "--recording", project.parent / "song.wav") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(sign.isprintable() for line in lines for sign in line)
    assert sum(line.startswith("Results:") for line in lines) == 1
    assert any(r"evil\x1b]0;title\x07\x9b2J\x0aResults" in line for line in lines)
