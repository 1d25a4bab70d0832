"""The command line: commands, their options, and how values are read."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soli import __version__

COMMANDS = ("separate", "align", "render", "info", "batch", "demo", "open")
FORMS = ("wav16", "wav24", "wav32f", "flac", "flac16", "ogg", "mp3")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; argparse ends the program with status 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="soli",
        description="Hear any notes of a recording on their own.",
        epilog="Without a command, the window opens: soli [AUDIO] [SCORE], or soli PROJECT.soli",
    )
    parser.add_argument("--version", action="version", version=f"Soli {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    opening = commands.add_parser("open", help="open the window (the default)")
    opening.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a recording, a score, or a project")
    _separate(commands)
    _align(commands)
    _render(commands)
    _info(commands)
    _batch(commands)
    demo = _demo(commands)

    argv = list(argv)
    if not argv or (argv[0] not in COMMANDS and argv[0] not in {"-h", "--help", "--version"}):
        argv.insert(0, "open")
    arguments = parser.parse_args(argv)
    if arguments.command == "demo" and arguments.output and not arguments.headless:
        demo.error("-o goes with --headless")
    return arguments


def _separate(commands: Any) -> None:
    command = commands.add_parser("separate", help="separate a recording along its score into one file a layer")
    command.add_argument("audio", type=Path, metavar="AUDIO")
    command.add_argument("score", type=Path, metavar="SCORE", help="MIDI, or a list of notes (CSV)")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the layers and residual")
    _model(command)
    command.add_argument("--format", choices=FORMS, default="wav32f")
    command.add_argument("--no-dither", action="store_true", help="round to the nearest step in 16 bits, without dither")
    command.add_argument("--project", type=Path, metavar="FILE", help="save a project with the layers too (.soli)")
    command.add_argument("--save-encoder", type=Path, metavar="FILE", help="keep the encoder that --method nae trains (.npz)")
    command.add_argument("--encoder", type=Path, metavar="FILE", help="apply a kept encoder instead of a run")
    command.add_argument("--json", action="store_true", help="print one JSON object about the run")


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--layers",
        default="",
        metavar="KIND",
        help="track, channel, hand, one or pitch:60 (default: track, or hand where there is one)",
    )
    command.add_argument("--no-align", action="store_true", help="take the score's times as they are")
    command.add_argument("--method", choices=("nmf", "nae"), default="nmf")
    command.add_argument("--iterations", type=_positive, default=None, metavar="N")
    command.add_argument("--seed", type=_seed, default=0, metavar="N")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting of the model, as beta=2 or initialisation=both",
    )


def _align(commands: Any) -> None:
    command = commands.add_parser("align", help="write the score with its notes at their times in the recording")
    command.add_argument("audio", type=Path, metavar="AUDIO")
    command.add_argument("score", type=Path, metavar="SCORE", help="MIDI, or a list of notes (CSV)")
    command.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="by its suffix: MIDI (.mid) or a list of notes (.csv)"
    )


def _render(commands: Any) -> None:
    command = commands.add_parser("render", help="write the layers of a project, as it was saved")
    command.add_argument("project", type=Path, metavar="PROJECT")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    _recording(command)
    command.add_argument("--only", action="append", metavar="LAYER", help='a layer by its name, or "residual"; can be repeated')
    command.add_argument("--mix", action="store_true", help="the mix as the mixer was set")
    command.add_argument("--all-but", action="append", metavar="LAYER", help="everything but this layer; can be repeated")
    command.add_argument("--notes", action="store_true", help="each note of the layers in a file of its own")
    command.add_argument("--in-place", action="store_true", help="notes as long as the recording, each at its place")
    command.add_argument("--range", type=_seconds, nargs=2, metavar=("START", "END"), help="only this stretch, in seconds")
    command.add_argument("--format", choices=FORMS, default="wav32f")
    command.add_argument("--rate", type=_positive, metavar="HZ", help="sample rate (default: the recording's)")
    command.add_argument("--no-dither", action="store_true", help="round to the nearest step, without dither")
    command.add_argument("--normalise", action="store_true", help="one gain for all files: the highest peak at -1 dBFS")
    command.add_argument(
        "--pattern", default="{layer}", help="names of the files from {project}, {layer}, {index}, {bpm} and {rate}"
    )
    command.add_argument(
        "--also",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="by its suffix: the notes (.mid, .csv), a picture of the roll (.png, .svg) or W and H (.npz); can be repeated",
    )
    command.add_argument("--recompute", action="store_true", help="decompose again even if the project has its layers")
    command.add_argument("--json", action="store_true", help="print one JSON object about the files")


def _info(commands: Any) -> None:
    command = commands.add_parser("info", help="say what is in a project")
    command.add_argument("project", type=Path, metavar="PROJECT")
    _recording(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _recording(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--recording", type=Path, metavar="FILE", help="where the recording is, if not in the project or its folder"
    )


def _batch(commands: Any) -> None:
    command = commands.add_parser(
        "batch",
        help="separate all pieces of a list",
        description="Separate all pieces of a list, each into its own folder; go on past those that fail, and where it stopped.",
    )
    command.add_argument(
        "list",
        type=Path,
        metavar="LIST.csv",
        help="columns recording and score; if wanted name, layers, align, format and any setting of the model",
    )
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the folders of the pieces")
    _model(command)
    command.add_argument("--format", choices=FORMS, default="wav32f")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=_positive, default=1, metavar="N", help="pieces at a time (default: 1)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="hand the pieces to the Dask cluster there, as tcp://host:8786")


def _demo(commands: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser("demo", help="open the demo, or separate it without a window")
    command.add_argument("--headless", action="store_true", help="no window: write the stems and a picture of the piano roll")
    command.add_argument(
        "-o", "--output", type=Path, default=None, metavar="DIR", help="folder for --headless (default: soli-demo)"
    )
    command.set_defaults(files=[])
    return command


def _positive(text: str) -> int:
    return _at_least(1, text)


def _seed(text: str) -> int:
    return _at_least(0, text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,7}(\.\d*)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return float(text)


def _at_least(least: int, text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text) or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
    return int(text)
