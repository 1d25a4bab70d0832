"""From a recording and its score: `soli separate`, `soli align`, and the demo without a window."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from soli.cli.telling import say, show, tell
from soli.decompose.encoder import Encoder
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.project import export, layering, pipeline, storage
from soli.project.preparing import prepared_steps
from soli.project.setting_text import setting
from soli.project.state import State
from soli.project.storage.places import may_follow

NOTES = (".mid", ".midi", ".csv")


def separate_command(arguments: argparse.Namespace) -> bool:
    """`soli separate`; always True."""
    settings = model_settings(arguments)
    if arguments.save_encoder and arguments.method != "nae":
        raise InputError("--save-encoder keeps what an autoencoder learns; add --method nae")
    project = arguments.project
    if project is not None and project.suffix.lower() != storage.SUFFIX:
        raise InputError(f"--project {project}: a project ends in {storage.SUFFIX}; choose such a name")
    encoder = Encoder.load(arguments.encoder) if arguments.encoder else None
    _, report = separate(
        arguments.audio,
        arguments.score,
        arguments.output,
        settings=settings,
        layers=arguments.layers,
        align=not arguments.no_align,
        order=export.Order(form=arguments.format, dither=not arguments.no_dither, seed=arguments.seed),
        encoder=encoder,
        save_encoder=arguments.save_encoder,
        project=project,
    )
    tell(json.dumps(report) if arguments.json else "\n".join(report["files"]))
    return True


def model_settings(arguments: argparse.Namespace) -> ModelSettings:
    """The settings that were asked for. Raises InputError for those that there are none of, or that do not go together."""
    chosen: dict[str, Any] = {"method": arguments.method, "seed": arguments.seed}
    if arguments.iterations is not None:
        chosen["iterations"] = arguments.iterations
    for text in arguments.set:
        name, _, value = text.partition("=")
        try:
            known, read = setting(name, value)
        except InputError as error:
            raise InputError(f"--set {text}: {error}") from error
        chosen[known] = read
    return ModelSettings(**chosen)


def separate(
    recording: Path,
    score: Path,
    folder: Path,
    *,
    settings: ModelSettings,
    layers: str = "",
    align: bool = True,
    order: export.Order | None = None,
    encoder: Encoder | None = None,
    save_encoder: Path | None = None,
    project: Path | None = None,
) -> tuple[State, dict[str, Any]]:
    """Files in, layers out; what was separated, and the report that --json prints."""
    order = order or export.Order()
    if layers:
        layering.split((), (), layers)  # an unknown kind is told before minutes of work
    if folder.exists():
        export.make_folder(folder)  # and so is a file that is no folder
    loaded = show(prepared_steps(recording, score, folder, settings=settings, order=order, layers=layers, align=align))
    state = loaded.state
    if loaded.warning:
        say(f"soli: {loaded.warning}")
    separation = show(pipeline.separate_steps(state, encoder=encoder))
    if save_encoder is not None:
        Encoder.of(separation.factors).save(save_encoder)
    watch = pipeline.Stopwatch()
    with watch.stage("export"):
        warn_of_clipping(separation, state, order)
        files = show(export.export_steps(separation, state, folder, order))
    if project is not None:
        export.make_folder(project.resolve().parent)
        show(storage.save_steps(project, state, separation=separation))
        if not may_follow(str(recording.resolve()), project.resolve().parent):
            say(f"soli: {project.name} lies far from its recording; soli render and info need --recording {recording}")
        files.append(project)
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


def warn_of_clipping(separation: pipeline.Separation, state: State, order: export.Order, *, project: str = "") -> None:
    """Say which files would clip, before they are written."""
    items = export.plan(separation, state, order, project=project)
    if not export.may_clip(order):
        return
    for name, peak in export.clipping(order, show(export.peaks_steps(separation, state, order, items))).items():
        over_db = 20 * math.log10(peak.level)
        say(f"soli: {name} clips by {over_db:.1f} dB at {peak.time_s:.2f} s; --format wav32f or --normalise keeps it whole")


def align_command(arguments: argparse.Namespace) -> bool:
    """`soli align`; always True."""
    if arguments.output.suffix.lower() not in NOTES:
        raise InputError(f"-o {arguments.output}: it is not known what that is; let it end in one of {', '.join(NOTES)}")
    loaded = show(pipeline.open_steps(arguments.audio, arguments.score, layers="track"))
    export.make_folder(arguments.output.resolve().parent)
    export.export_notes(loaded.state, arguments.output)
    if loaded.warning:
        say(f"soli: {loaded.warning}")
    tell(str(arguments.output))
    return True


def demo_command(arguments: argparse.Namespace) -> bool:
    """`soli demo --headless`; always True."""
    from soli.assets import asset
    from soli.project import picture
    from soli.signal import audio
    from soli.signal.measure import sdr_db

    folder = arguments.output or Path("soli-demo")
    recording, score = asset("demo", "recording.flac"), asset("demo", "score.mid")
    state, report = separate(recording, score, folder, settings=ModelSettings())
    roll = picture.write_picture(folder / "roll.png", state)
    for hand in ("right", "left"):
        truth = audio.read(asset("demo", f"stem_{hand}.flac"))
        heard = audio.read(folder / f"{hand.capitalize()} hand.wav")
        say(f"{hand} hand: {sdr_db(truth.samples, heard.samples):.1f} dB SDR against its true stem")
    tell("\n".join([*report["files"], str(roll)]))
    return True


def _peak_memory_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows has no getrusage
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
