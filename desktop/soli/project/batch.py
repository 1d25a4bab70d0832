"""Many pieces after one list: what is in it, which are done already, and the work on one of them.

The list is CSV with the columns `recording` and `score`, and if wanted `name` (of the piece's folder), `layers`, `align` (yes or
no), `format`, and any field of ModelSettings. Paths are seen from the folder of the list; an empty cell is the default.

What is done is kept in MANIFEST beside the folders of the pieces: a piece is done as long as its recording, score and settings
have the same hash and its files are there in the same size.
"""

import csv
import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from soli import __version__
from soli.decompose.settings import ModelSettings
from soli.errors import InputError, SoliError
from soli.files import beside, check_readable
from soli.progress import finish
from soli.project import export, pipeline
from soli.project.export_names import file_name, numbered
from soli.project.pipeline import Separation
from soli.project.preparing import prepared_steps
from soli.project.setting_text import setting
from soli.project.state import State
from soli.signal.encoding import FORMS

MANIFEST = "soli-batch.json"
_FORMAT = 1
_OWN = ("recording", "score", "name", "layers", "align", "format")
_SETTINGS = tuple(f.name for f in fields(ModelSettings))
_TRUTHS = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Piece:
    """One row of the list, its defaults filled in. `fault`: why it cannot be worked on; "" when it can."""

    name: str
    recording: Path
    score: Path
    folder: Path
    layers: str = ""
    align: bool = True
    form: str = "wav32f"
    settings: ModelSettings = field(default_factory=ModelSettings)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: files with their sizes in bytes, by their names within the piece's folder; or the fault in a sentence.

    warnings: what is to be known of the files, a sentence each.
    """

    name: str
    fingerprint: str = ""
    files: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    fault: str = ""
    warnings: tuple[str, ...] = ()


def read_list(path: Path, folder: Path, defaults: Piece) -> list[Piece]:
    """The pieces of a list; each gets a folder of its own in `folder`. A row that cannot be used is a piece with a fault.

    Raises InputError, in one sentence, when the list cannot be read or has no such columns.
    """
    check_readable(path, "choose a CSV file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise InputError(f"{path}: the list cannot be read ({reason}); choose a CSV file") from error
    first = text.partition("\n")[0]
    try:
        rows = list(csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=first.count), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InputError(f"{path.name}: not a CSV list ({error}); write one with the columns recording and score") from error
    columns = [(name or "").strip() for name in (rows[0] if rows else {}) if name is not None]
    if not {"recording", "score"} <= set(columns):
        raise InputError(f"{path.name}: a list needs the columns recording and score and a row for each piece")
    unknown = [name for name in columns if name not in (*_OWN, *_SETTINGS)]
    if unknown:
        raise InputError(f"{path.name}: there is no setting {unknown[0]!r}; choose from {', '.join((*_OWN, *_SETTINGS))}")
    cells = [{(k or "").strip(): (v if isinstance(v, str) else "").strip() for k, v in row.items()} for row in rows]
    names = [file_name(row.get("name") or Path(row["recording"]).stem or "piece") for row in cells]
    here = path.resolve().parent
    return [
        _piece(row, replace(defaults, name=name, folder=folder.resolve() / name), here)
        for row, name in zip(cells, numbered(names, taken=[MANIFEST]), strict=True)
    ]


def _piece(row: Mapping[str, str], start: Piece, here: Path) -> Piece:
    piece = replace(start, recording=here / row["recording"], score=here / row["score"])
    try:
        return _filled(piece, row)
    except InputError as error:
        return replace(piece, fault=str(error))


def _filled(piece: Piece, row: Mapping[str, str]) -> Piece:
    if not row["recording"] or not row["score"]:
        raise InputError("the row names no recording or no score; fill in both")
    align = row.get("align", "").casefold()
    if align and align not in _TRUTHS:
        raise InputError(f"align is {row['align']!r}; write yes or no")
    form = row.get("format") or piece.form
    if form not in FORMS:
        raise InputError(f"format {form!r} is not known; choose one of {', '.join(FORMS)}")
    return replace(
        piece,
        layers=row.get("layers") or piece.layers,
        align=_TRUTHS.get(align, piece.align),
        form=form,
        settings=replace(piece.settings, **dict(setting(name, row[name]) for name in _SETTINGS if row.get(name))),
    )


def fingerprint(piece: Piece) -> str:
    """SHA-256 of all that the files of a piece depend on. Raises InputError where recording or score cannot be read."""
    chosen = {"layers": piece.layers, "align": piece.align, "format": piece.form, "settings": asdict(piece.settings)}
    digest = hashlib.sha256(json.dumps([__version__, chosen], sort_keys=True).encode())
    for path in (piece.recording, piece.score):
        check_readable(path, "choose another file")
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path}: cannot be read ({reason}); choose another file") from error
    return digest.hexdigest()


def work(piece: Piece) -> Outcome:
    """Separate one piece into its folder; what goes wrong is told in the outcome. Runs in any process, here or on a cluster."""
    if piece.fault:
        return Outcome(piece.name, fault=piece.fault)
    begin = time.perf_counter()
    try:
        mark = fingerprint(piece)
        order = export.Order(form=piece.form, seed=piece.settings.seed)
        prepared = prepared_steps(
            piece.recording,
            piece.score,
            piece.folder,
            settings=piece.settings,
            order=order,
            layers=piece.layers,
            align=piece.align,
        )
        loaded = finish(prepared)
        state = loaded.state
        separation = finish(pipeline.separate_steps(state))
        warnings = (*((loaded.warning,) if loaded.warning else ()), *_clipping(separation, state, order))
        paths = finish(export.export_steps(separation, state, piece.folder, order))
        files = tuple((path.name, path.stat().st_size) for path in paths)
        return Outcome(piece.name, mark, files, time.perf_counter() - begin, warnings=warnings)
    except SoliError as error:
        return Outcome(piece.name, fault=str(error))
    except MemoryError:
        return Outcome(piece.name, fault="this computer's memory does not hold the recording and its layers")
    except OSError as error:
        return Outcome(piece.name, fault=f"{piece.folder}: cannot be read or written ({error.strerror or error})")
    except Exception as error:
        return Outcome(piece.name, fault=f"a fault in Soli ({type(error).__name__}: {error})")


def _clipping(separation: Separation, state: State, order: export.Order) -> list[str]:
    if not export.may_clip(order):
        return []
    peaks = finish(export.peaks_steps(separation, state, order, export.plan(separation, state, order)))
    return [
        f"{name} clips by {20 * math.log10(peak.level):.1f} dB at {peak.time_s:.2f} s; the format wav32f keeps it whole"
        for name, peak in export.clipping(order, peaks).items()
    ]


class Manifest:
    """What is done in a folder, kept in a file that is always whole."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST
        self._pieces: dict[str, Any] = {}
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            if stored["format"] == _FORMAT:
                self._pieces = dict(stored["pieces"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return  # what it tells is only worked out again

    def done(self, piece: Piece) -> Outcome | None:
        """How a piece went, if that is still true."""
        try:
            stored = self._pieces[piece.name]
            files = tuple((str(name), int(size)) for name, size in stored["files"])
            if stored["fingerprint"] != fingerprint(piece) or not files:
                return None
            if any((piece.folder / name).stat().st_size != size for name, size in files):
                return None
        except (KeyError, TypeError, ValueError, OSError, InputError):
            return None
        return Outcome(piece.name, stored["fingerprint"], files)

    def add(self, outcome: Outcome) -> None:
        """Keep that a piece is done. Raises InputError when the place cannot be written."""
        entry = {"fingerprint": outcome.fingerprint, "files": outcome.files, "seconds": round(outcome.seconds, 3)}
        self._pieces[outcome.name] = entry
        content = json.dumps({"format": _FORMAT, "pieces": self._pieces}, indent=1)
        try:
            with beside(self._path) as partial:
                partial.write_text(content, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror or error}); choose another folder") from error


def waiting(pieces: Sequence[Piece], manifest: Manifest) -> tuple[list[Outcome], list[Piece]]:
    """Those that are done already, and those that are still to be worked on."""
    done, rest = [], []
    for piece in pieces:
        before = None if piece.fault else manifest.done(piece)
        if before is None:
            rest.append(piece)
        else:
            done.append(before)
    return done, rest
