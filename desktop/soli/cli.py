"""The pipeline without a window: `soli separate | align | demo`. Results go to stdout, progress to stderr."""

import argparse
import contextlib
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soli import __version__
from soli.errors import InputError, SoliError
from soli.progress import Result, Steps

if TYPE_CHECKING:
    from soli.project.state import State

COMMANDS = ("separate", "align", "demo", "open")
EXIT_DONE, EXIT_INPUT, EXIT_STOPPED = 0, 1, 130


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

    separate = commands.add_parser("separate", help="separate a recording along its score into one file a layer")
    separate.add_argument("audio", type=Path, metavar="AUDIO")
    separate.add_argument("score", type=Path, metavar="SCORE", help="MIDI, or a list of notes (CSV)")
    separate.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the layers and residual")
    separate.add_argument(
        "--layers", default="", metavar="KIND", help="track, channel, hand, one or pitch:60 (default: by the tracks of the score)"
    )
    separate.add_argument("--no-align", action="store_true", help="take the score's times as they are")
    separate.add_argument("--method", choices=("nmf", "nae"), default="nmf")
    separate.add_argument("--iterations", type=_positive, default=None, metavar="N")
    separate.add_argument("--format", choices=("wav16", "wav24", "wav32f", "flac"), default="wav32f")
    separate.add_argument("--save-encoder", type=Path, metavar="FILE", help="keep the encoder that --method nae trains (.npz)")
    separate.add_argument("--encoder", type=Path, metavar="FILE", help="apply a kept encoder instead of a run")
    separate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting of the model, as beta=2 or initialisation=both",
    )
    separate.add_argument("--seed", type=_seed, default=0, metavar="N")
    separate.add_argument("--json", action="store_true", help="print one JSON object about the run")

    align = commands.add_parser("align", help="write the score with its notes at their times in the recording")
    align.add_argument("audio", type=Path, metavar="AUDIO")
    align.add_argument("score", type=Path, metavar="SCORE", help="MIDI, or a list of notes (CSV)")
    align.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="MIDI, or a list of notes where it ends in .csv"
    )

    demo = commands.add_parser("demo", help="open the demo, or separate it without a window")
    demo.add_argument("--headless", action="store_true", help="no window: write the stems and a picture of the piano roll")
    demo.add_argument("-o", "--output", type=Path, default=None, metavar="DIR", help="folder for --headless (default: soli-demo)")
    demo.set_defaults(files=[])

    argv = list(argv)
    if not argv or (argv[0] not in COMMANDS and argv[0] not in {"-h", "--help", "--version"}):
        argv.insert(0, "open")
    arguments = parser.parse_args(argv)
    if arguments.command == "demo" and arguments.output and not arguments.headless:
        demo.error("-o goes with --headless")
    return arguments


def wants_window(arguments: argparse.Namespace) -> bool:
    return arguments.command == "open" or (arguments.command == "demo" and not arguments.headless)


def run(arguments: argparse.Namespace) -> int:
    """Run a command that needs no window; return the exit status."""
    command = {"separate": _separate, "align": _align, "demo": _demo}[arguments.command]
    try:
        command(arguments)
    except SoliError as error:
        _say(f"soli: {error}")
        return EXIT_INPUT
    except MemoryError:
        _say("soli: this computer's memory does not hold the recording and its layers; choose a shorter recording")
        return EXIT_INPUT
    except KeyboardInterrupt:
        _say("soli: stopped; no unfinished file was left")
        return EXIT_STOPPED
    return EXIT_DONE


def _separate(arguments: argparse.Namespace) -> None:
    from soli.decompose.encoder import Encoder
    from soli.decompose.settings import ModelSettings

    chosen: dict[str, Any] = {"method": arguments.method, "seed": arguments.seed}
    if arguments.iterations is not None:
        chosen["iterations"] = arguments.iterations
    chosen |= dict(map(_setting, arguments.set))
    settings = ModelSettings(**chosen)
    if arguments.save_encoder and arguments.method != "nae":
        raise InputError("--save-encoder keeps what an autoencoder learns; add --method nae")
    encoder = Encoder.load(arguments.encoder) if arguments.encoder else None
    _, report = separate(
        arguments.audio,
        arguments.score,
        arguments.output,
        settings=settings,
        layers=arguments.layers,
        align=not arguments.no_align,
        form=arguments.format,
        encoder=encoder,
        save_encoder=arguments.save_encoder,
    )
    if arguments.json:
        _print(json.dumps(report))
    else:
        _print("\n".join(report["files"]))


def separate(
    recording: Path,
    score: Path,
    folder: Path,
    *,
    settings: Any,
    layers: str = "",
    align: bool = True,
    form: str = "wav32f",
    encoder: Any = None,
    save_encoder: Path | None = None,
) -> tuple["State", dict[str, Any]]:
    """Files in, layers out; what was separated, and the report that --json prints."""
    from dataclasses import replace

    from soli.decompose.encoder import Encoder
    from soli.project import export, layering, pipeline

    if layers:
        layering.split((), (), layers)  # an unknown kind is told before minutes of work
    if folder.exists():
        export.make_folder(folder)  # and so is a file that is no folder
    loaded = _show(pipeline.open_steps(recording, score, align=align, layers=layers))
    if loaded.warning:
        _say(f"soli: {loaded.warning}")
    state = replace(loaded.state, settings=replace(settings, tuning_cents=loaded.state.settings.tuning_cents))
    separation = _show(pipeline.separate_steps(state, encoder=encoder))
    if save_encoder is not None:
        Encoder.of(separation.factors).save(save_encoder)
    watch = pipeline.Stopwatch()
    with watch.stage("export"):
        files = _show(export.export_steps(separation, state, folder, export.Order(form=form)))
    factors = separation.factors
    seconds = {**loaded.seconds, **separation.seconds, **watch.seconds}
    return state, {
        "files": [str(path) for path in files],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "iterations": len(factors.losses),
        "loss": float(factors.losses[-1]) if len(factors.losses) and math.isfinite(factors.losses[-1]) else None,
        "peak_memory_mb": _peak_memory_mb(),
        "frames": int(factors.grid.frames),
        "components": len(factors.components),
        "sure": round(state.alignment.sure, 3) if state.alignment and align else None,
    }


def _align(arguments: argparse.Namespace) -> None:
    from soli.project import export, pipeline

    loaded = _show(pipeline.open_steps(arguments.audio, arguments.score, layers="one"))
    export.make_folder(arguments.output.resolve().parent)
    export.export_notes(loaded.state, arguments.output)
    if loaded.warning:
        _say(f"soli: {loaded.warning}")
    _print(str(arguments.output))


def _demo(arguments: argparse.Namespace) -> None:
    from soli.assets import asset
    from soli.decompose.settings import ModelSettings
    from soli.project import picture
    from soli.signal import audio
    from soli.signal.measure import sdr_db

    folder = arguments.output or Path("soli-demo")
    recording, score = asset("demo", "recording.flac"), asset("demo", "score.mid")
    state, report = separate(recording, score, folder, settings=ModelSettings())
    roll = picture.write_png(folder / "roll.png", picture.draw(state))
    for hand in ("right", "left"):
        truth = audio.read(asset("demo", f"stem_{hand}.flac"))
        heard = audio.read(folder / f"{hand.capitalize()} hand.wav")
        _say(f"{hand} hand: {sdr_db(truth.samples, heard.samples):.1f} dB SDR against its true stem")
    _print("\n".join([*report["files"], str(roll)]))


def _show(steps: Steps[Result]) -> Result:
    """Drive `steps`, telling each new stage on stderr (and each step, where stderr is a terminal).

    A stage of a single step is over before it is read; left out, what is wrong with the input stands alone.
    """
    live, said = sys.stderr.isatty(), ""
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if live:
                sys.stderr.write(f"\r\x1b[K{progress.what} {100 * progress.fraction:3.0f} %")
                sys.stderr.flush()
            elif progress.what != said and progress.total > 1:
                _say(progress.what)
            said = progress.what
    finally:
        if live and said:
            sys.stderr.write("\r\x1b[K")


def _peak_memory_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows has no getrusage
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a field of ModelSettings and its value: a number, none, or a word."""
    from dataclasses import fields

    from soli.decompose.settings import RANGES, ModelSettings

    name, _, value = text.partition("=")
    known = {f.name: f for f in fields(ModelSettings)}
    if name not in known:
        raise InputError(f"--set {text}: there is no setting {name!r}; choose one of {', '.join(known)}")
    if value.casefold() == "none":
        return name, None
    whole = known[name].type in (int, int | None)
    for kind in (int,) if whole else (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(value)
    if name in RANGES:
        kind_name, (low, high) = "whole number" if whole else "number", RANGES[name]
        raise InputError(f"--set {text}: {value!r} is no {kind_name}; choose one from {low:g} to {high:g}")
    return name, value


def _positive(text: str) -> int:
    return _at_least(1, text)


def _seed(text: str) -> int:
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text) or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
    return int(text)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _print(text: str) -> None:
    # A file name may hold signs that the terminal or the pipe has no code for.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
