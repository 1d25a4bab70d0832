"""From a saved project: `soli render` and `soli info`."""

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soli.cli.separating import NOTES, warn_of_clipping
from soli.cli.telling import say, show, tell, visible
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.files import check_readable
from soli.progress import finish
from soli.project import export, picture, storage
from soli.project.export_factors import export_factors_steps
from soli.project.export_names import check_pattern
from soli.project.rendering import Rendered, render_steps
from soli.project.state import State

ALSO = (*NOTES, ".png", ".svg", ".npz")


def render_command(arguments: argparse.Namespace) -> bool:
    """`soli render`; always True."""
    check_pattern(arguments.pattern)
    for path in arguments.also:
        if path.suffix.lower() not in ALSO:
            raise InputError(f"--also {path}: it is not known what that is; let it end in one of {', '.join(ALSO)}")
    if arguments.output.exists():
        export.make_folder(arguments.output)
    begin = time.perf_counter()
    rendered = show(render_steps(arguments.project, recording=_named(arguments), recompute=arguments.recompute))
    if rendered.warning:
        say(f"soli: {rendered.warning}")
    order, project = _order(arguments, rendered), arguments.project.stem
    warn_of_clipping(rendered.separation, rendered.state, order, project=project)
    files = show(export.export_steps(rendered.separation, rendered.state, arguments.output, order, project=project))
    files += [_also(rendered, arguments.output / path) for path in arguments.also]
    if arguments.json:
        seconds = round(time.perf_counter() - begin, 3)
        tell(json.dumps({"files": [str(path) for path in files], "recomputed": not rendered.stored, "seconds": seconds}))
    else:
        tell("\n".join(str(path) for path in files))
    return True


def info_command(arguments: argparse.Namespace) -> bool:
    """`soli info`; always True."""
    opened = finish(storage.open_steps(arguments.project, located=_named(arguments)))
    if opened.warning:
        say(f"soli: {opened.warning}")
    about = _about(arguments.project, opened)
    tell(json.dumps(about) if arguments.json else "\n".join(_lines(about)))
    return True


def _named(arguments: argparse.Namespace) -> Path | None:
    """The recording that was named, which must be there."""
    if arguments.recording is not None:
        check_readable(arguments.recording, "choose the recording of the project")
        return Path(arguments.recording).resolve()
    return None


def _order(arguments: argparse.Namespace, rendered: Rendered) -> export.Order:
    state = rendered.state
    chosen = _ids(state, arguments.only) if arguments.only is not None else None
    layers = [layer.id for layer in state.layers if chosen is None or layer.id in chosen]
    extra = arguments.mix or arguments.all_but or arguments.notes
    return export.Order(
        # Who asks for the mix alone does not want all layers too.
        stems=() if extra and chosen is None else None if chosen is None else () if arguments.notes else tuple(chosen),
        mix=arguments.mix,
        all_but=tuple(_ids(state, arguments.all_but or ())),
        notes=tuple(note.id for note in state.present_notes() if note.layer in layers) if arguments.notes else (),
        notes_in_place=arguments.in_place,
        range_s=tuple(arguments.range) if arguments.range else None,
        form=arguments.format,
        rate=arguments.rate,
        dither=not arguments.no_dither,
        seed=state.settings.seed,
        peak_dbfs=export.NORMAL_PEAK_DBFS if arguments.normalise else None,
        pattern=arguments.pattern,
    )


def _ids(state: State, names: "list[str] | tuple[str, ...]") -> list[int]:
    known = {stem.name.casefold(): stem.id for stem in export.stems(state)}
    known |= {layer.name.casefold(): layer.id for layer in state.layers}
    for name in names:
        if name.casefold() not in known:
            layers = ", ".join([*(layer.name for layer in state.layers), "residual"])
            raise InputError(f"there is no layer {name!r}; choose from {layers}")
    return [known[name.casefold()] for name in names]


def _also(rendered: Rendered, path: Path) -> Path:
    suffix = path.suffix.lower()
    export.spare_recording(rendered.state, path)
    if suffix in (".png", ".svg"):
        return picture.write_picture(path, rendered.state)
    if suffix == ".npz":
        return finish(export_factors_steps(rendered.separation, path))
    export.export_notes(rendered.state, path)
    return path


def _about(path: Path, opened: storage.Opened) -> dict[str, Any]:
    state, default = opened.state, asdict(ModelSettings())
    recording, notes = state.audio, state.notes.values()
    known = recording is not None or state.recording_path is None
    lowest, highest = (which(notes, key=lambda note: note.pitch, default=None) for which in (min, max))
    return {
        "project": str(path),
        "bytes": os.path.getsize(path),  # noqa: PTH202
        "title": state.score.title if state.score else "",
        "recording": {
            "path": str(state.recording_path) if state.recording_path else None,
            "found": recording is not None,
            "embedded": opened.embeds,
            "seconds": round(recording.duration_s, 3) if recording else None,
            "rate": recording.rate if recording else None,
            "channels": recording.channels if recording else None,
            "sha256": recording.fingerprint if recording else None,
        },
        "score": str(state.score_path) if state.score_path else None,
        "notes": len(notes),
        "absent": len(state.absent),
        "lowest": state.pitch_name(lowest.pitch, lowest.onset_s) if lowest else None,
        "highest": state.pitch_name(highest.pitch, highest.onset_s) if highest else None,
        "layers": [
            {"name": layer.name, "notes": sum(n.layer == layer.id for n in notes), **_strip(state, layer.id)}
            for layer in state.layers
        ],
        "anchors": len(state.anchors),
        "strokes": len(state.mask),
        "sure": round(state.alignment.sure, 3) if state.alignment else None,
        "settings": {name: value for name, value in asdict(state.settings).items() if value != default[name]},
        "seed": state.settings.seed,
        # What is kept of a run is read against the samples that it was made from.
        "layers_stored": opened.separation is not None if known else None,
        "layers_up_to_date": opened.separation is not None and opened.separation.is_of(state) if known else None,
    }


def _strip(state: State, layer: int) -> dict[str, Any]:
    strip = state.strip(layer)
    gain_db = strip.gain_db if strip.gain_db > float("-inf") else None
    return {"gain_db": gain_db, "pan": strip.pan, "muted": strip.muted, "soloed": strip.soloed}


def _lines(about: dict[str, Any]) -> list[str]:
    recording = about["recording"]
    if recording["found"]:
        kind = f"{recording['seconds']:.1f} s, {recording['rate']} Hz, {_count(recording['channels'], 'channel')}"
        kind += ", in the project" if recording["embedded"] else ""
    else:
        kind = "not found" if recording["path"] else "none yet"
    absent = f", {about['absent']} of them not in the recording" if about["absent"] else ""
    span = f", {about['lowest']} to {about['highest']}" if about["lowest"] else ""
    edits = f"{_count(about['anchors'], 'anchor')}, {_count(about['strokes'], 'stroke')} of the mask brush"
    stored = "none" if not about["layers_stored"] else "up to date" if about["layers_up_to_date"] else "older than the edits"
    if recording["path"] and not recording["found"]:
        stored = "not known without the recording"
    rows = [
        ("Project", f"{about['project']} ({about['bytes'] / 1e6:.1f} MB)"),
        ("Title", about["title"]),
        ("Recording", f"{recording['path']} ({kind})" if recording["path"] else kind),
        ("Score", about["score"] or "none"),
        ("Notes", f"{about['notes']}{span}{absent}"),
        *(("Layer", f"{layer['name']}: {_count(layer['notes'], 'note')}{_heard(layer)}") for layer in about["layers"]),
        ("Edits", edits),
        ("Settings", ", ".join(f"{name} {_short(value)}" for name, value in about["settings"].items()) or "as they come"),
        ("Results", stored),
    ]
    return [f"{name + ':':<11}{visible(text, lines=False)}" for name, text in rows if text]


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _heard(layer: dict[str, Any]) -> str:
    gain = "silent" if layer["gain_db"] is None else f"{layer['gain_db']:+.1f} dB" if layer["gain_db"] else ""
    said = [gain, "muted" if layer["muted"] else "", "soloed" if layer["soloed"] else ""]
    return "".join(f", {word}" for word in said if word)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
