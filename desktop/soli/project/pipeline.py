"""From files to layers: load, align, constrain, decompose, separate. Each stage is a generator of Progress."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from soli.decompose import masking, model
from soli.decompose.bodies import NO_LIMITS, ScoreInformation
from soli.decompose.encoder import Encoder, apply_encoder_steps
from soli.decompose.model import Factors
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.project.estimating import estimate, objection
from soli.project.layering import split, suggested_kind
from soli.project.signals import Layers, Signals
from soli.project.state import RESIDUAL, State
from soli.project.template_sets import template_sets
from soli.score.alignment import Alignment, align_steps, best_tuned_steps, checked_anchors, realigned_steps, unaligned
from soli.score.features import Hearing, hear_steps
from soli.score.limits import Limits
from soli.score.notes import Note, Score
from soli.score.reading import read_score
from soli.signal import audio, maps
from soli.signal.audio import Audio, FloatArray
from soli.signal.headers import breaking_off

_NULL_BLOCK = 2**18  # samples

LONG_S = 60.0  # a run is announced with its estimate from here on

Anchors: TypeAlias = tuple[tuple[float, float], ...]  # (score seconds, recording seconds)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A state made of files, with what the user should be told and the seconds each stage took."""

    state: State
    warning: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Separation:
    """The layers of one run and the residual: together they sum to the recording.

    `signals`: all of them by strip, float32, shape (length, channels), for reading only. `null_dbfs` is the peak of that sum
    less the recording, -240 when they agree to the last bit. `patched`: where it was refitted to an edit, the ranges of samples
    (first, end) that may differ from the separation before; empty when all is new.
    """

    source: State
    factors: Factors
    signals: Signals
    null_dbfs: float
    seconds: Mapping[str, float]
    patched: tuple[tuple[int, int], ...] = ()

    @property
    def layers(self) -> Mapping[int, FloatArray]:
        """The signal of each layer, float32 (length, channels), in the order of the layers."""
        return Layers(self.signals, RESIDUAL)

    @property
    def residual(self) -> FloatArray:
        """What is in no layer, float32 (length, channels)."""
        return self.signals[RESIDUAL]

    def is_of(self, state: State) -> bool:
        """Whether `state` would sound the same."""
        if state.audio is not self.source.audio or state.settings != self.source.settings or state.mask != self.source.mask:
            return False
        if state.absent != self.source.absent or state.template_limits != self.source.template_limits:
            return False
        if template_sets(state) != template_sets(self.source):
            return False
        return state.notes is self.source.notes or state.notes == self.source.notes


class Ear:
    """Remembers what was heard in the last recording, which is most of an alignment's work."""

    def __init__(self) -> None:
        self._heard: tuple[Audio, Hearing] | None = None

    def hearing_steps(self, recording: Audio) -> Steps[Hearing]:
        """What the alignment listens to in `recording`: worked out once, kept until another one comes."""
        if self._heard is None or self._heard[0] is not recording:
            self._heard = (recording, (yield from hear_steps(recording)))
        return self._heard[1]

    def keep(self, recording: Audio, hearing: Hearing) -> None:
        """Remember a better hearing of a recording."""
        self._heard = (recording, hearing)


class Stopwatch:
    """Seconds of each named stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


def open_recording_steps(path: Path) -> Steps[Loaded]:
    """A project that holds a recording and no score yet."""
    watch = Stopwatch()
    with watch.stage("read"):
        recording = yield from audio.read_steps(path)
    state = State(recording_path=path.resolve(), audio=recording)
    return Loaded(state, warning=breaking_off(path, recording), seconds=watch.seconds)


def place_score_steps(
    state: State,
    path: Path,
    *,
    align: bool = True,
    layers: str = "",
    first_layer: int = 0,
    ear: Ear | None = None,
) -> Steps[Loaded]:
    """Read a score, find its notes in the state's recording, and sort them into layers.

    `layers` is a kind that `layering.split` knows; "" chooses by the tracks of the score. Layers are numbered from
    `first_layer` on.
    """
    yield Progress(0, 1, f"Reading {path.name}", place=path)
    watch = Stopwatch()
    with watch.stage("read"):
        score = read_score(path)
    return (
        yield from align_score_steps(
            state, score, path, align=align, layers=layers, first_layer=first_layer, ear=ear, watch=watch
        )
    )


def align_score_steps(
    state: State,
    score: Score,
    path: Path | None,
    *,
    align: bool = True,
    layers: str = "",
    first_layer: int = 0,
    ear: Ear | None = None,
    watch: Stopwatch | None = None,
) -> Steps[Loaded]:
    """Find the notes of `score` in the recording; without a recording, or with align=False, its own times are taken."""
    watch = watch or Stopwatch()
    with watch.stage("align"):
        if state.audio is not None and align:
            ear = ear or Ear()
            hearing = yield from ear.hearing_steps(state.audio)
            hearing, alignment = yield from best_tuned_steps(state.audio, score, hearing)
            ear.keep(state.audio, hearing)
        else:
            alignment = unaligned(score)
    layering = split(score.notes, score.track_names, layers or suggested_kind(score.notes)).numbered_from(first_layer)
    notes = {note.id: replace(note, layer=layering.layer_of[note.id]) for note in alignment.notes}
    settings = replace(state.settings, tuning_cents=alignment.tuning_cents)
    placed = replace(
        state,
        score_path=path.resolve() if path else None,
        score=score,
        alignment=alignment,
        notes=MappingProxyType(notes),
        absent=alignment.absent,
        mask=(),
        template_limits=NO_LIMITS,
        layers=layering.layers,
        settings=settings,
    )
    return Loaded(placed, warning=alignment.warning or alignment.notice, seconds=watch.seconds)


def realign_steps(state: State, anchors: Anchors, ear: Ear, *, limits: Limits | None = None) -> Steps[Alignment]:
    """Find the score's notes again between the anchors that have changed; everywhere where none has.

    `limits` are new ones for the local tempo. Raises InputError, in one sentence, when the anchors contradict each other or
    ask for more than the limits allow.
    """
    recording = require_recording(state)
    if state.score is None:
        raise InputError("there is no score to align; open one first")
    checked_anchors(anchors, recording.duration_s)
    hearing = yield from ear.hearing_steps(recording)
    wanted = limits or state.limits
    if state.alignment is None or wanted != state.limits or anchors == state.anchors:
        return (yield from align_steps(recording, state.score, anchors=anchors, hearing=hearing, limits=wanted))
    previous = replace(state.alignment, absent=state.absent)
    again = realigned_steps(
        recording,
        state.score,
        previous,
        anchors=anchors,
        former_anchors=state.anchors,
        hearing=hearing,
        limits=wanted,
    )
    found = yield from again
    # What was left out by hand stays the user's, and is no finding of the alignment's.
    return replace(found, absent=found.absent - (state.absent - state.alignment.absent))


def open_steps(recording: Path, score: Path, *, align: bool = True, layers: str = "") -> Steps[Loaded]:
    """Recording and score in, a state ready to decompose out."""
    opened = yield from open_recording_steps(recording)
    placed = yield from place_score_steps(opened.state, score, align=align, layers=layers)
    warning = "; ".join(text for text in (opened.warning, placed.warning) if text)
    seconds = {**placed.seconds, "read": opened.seconds["read"] + placed.seconds["read"]}
    return replace(placed, warning=warning, seconds=seconds)


def unwanted_notes(state: State) -> list[Note]:
    """The notes left out by hand: most often they sound, and no layer shall hold them.

    Those that the alignment left out are not in the recording, and where they lie says nothing.
    """
    cut = state.alignment.absent if state.alignment is not None else frozenset[int]()
    return [state.notes[i] for i in sorted((state.absent - cut) & state.notes.keys())]


def score_information(state: State) -> ScoreInformation:
    """What the model is told of the recording of `state`."""
    unwanted, sets = unwanted_notes(state), template_sets(state)
    return ScoreInformation(state.present_notes(), state.mask, unwanted, state.template_limits, sets)


def separate_steps(
    state: State,
    *,
    encoder: Encoder | None = None,
    start: Separation | None = None,
    pace: float = 1.0,
    played: bool = False,
) -> Steps[Separation]:
    """Decompose the recording by the notes and the mask of `state`, and make every layer and the residual.

    `encoder`: one that was trained on another recording of the same instruments, to be applied instead of a run.
    `start`: what was found before, to begin with where it is of use (see `model.decompose_steps`); `factors.warm` tells.
    `pace`, `played`: see `estimate`.
    Raises InputError when there is nothing to decompose, or more than the memory and the disk of this computer hold.
    """
    recording = require_recording(state)
    known = score_information(state)
    if not known.notes and not any(stroke.allow for stroke in known.edits):
        if state.notes:
            raise InputError(
                "none of the notes is in the recording; choose another score, or bring notes back that were left out"
            )
        raise InputError("there are no notes to separate by; open a score or draw notes on the roll")
    expected = estimate(state, pace=pace, played=played)
    if objected := objection(state, expected):
        raise InputError(objected)
    if expected.seconds >= LONG_S:
        yield Progress(0, max(2, state.settings.iterations), f"Decomposing, {expected.in_words}")
    watch = Stopwatch()
    with watch.stage("decompose"):
        if encoder is not None:
            # How layers are made of the factors is this recording's matter; the rest is as the encoder was trained.
            asked = {name: getattr(state.settings, name) for name in ("mask_exponent", "stereo", "forbidden")}
            trained = replace(encoder.settings, encoder_steps=0, **asked)
            factors = yield from apply_encoder_steps(encoder, recording, known, trained)
        else:
            factors = yield from model.decompose_steps(
                recording,
                known,
                state.settings,
                start=start.factors if start is not None and start.source.audio is recording else None,
            )
    if not (np.isfinite(factors.W).all() and np.isfinite(factors.H).all()):
        raise InputError(
            "the updates ran away to values that are no numbers; choose a lower learning rate or multiplicative ones"
        )
    yield Progress(1, 1, "Decomposed", factors.losses[-1] if factors.losses else None)
    with watch.stage("separate"):
        signals = yield from masking.separate_steps(recording, factors, [layer.id for layer in state.layers])
        residual = yield from masking.residual_steps(recording, signals.values())
        null = null_dbfs(recording, [*signals.values(), residual])
    return Separation(state, factors, Signals({**signals, RESIDUAL: residual}), null, watch.seconds)


def null_dbfs(recording: Audio, signals: Sequence[FloatArray], first: int = 0, end: int | None = None) -> float:
    """Peak of (sum of `signals` - recording) in dBFS, summed in float32 as a mixer does; -240 for nothing at all.

    first, end: the range of samples to look at.
    """
    peak, end = 0.0, recording.length if end is None else end
    for start in range(first, end, _NULL_BLOCK):
        block = slice(start, min(start + _NULL_BLOCK, end))
        total = -recording.samples[block]
        for signal in signals:
            total += signal[block]
            maps.release(signal[block])
        here = float(np.abs(total).max())
        peak = max(peak, here if math.isfinite(here) else math.inf)
    return 20 * math.log10(max(peak, 1e-12))


def require_recording(state: State) -> Audio:
    """The recording of the state; raises InputError where there is none."""
    if state.audio is None:
        raise InputError("there is no recording yet; open one first")
    return state.audio
