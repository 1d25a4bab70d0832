"""What the window does: opens, aligns, decomposes, saves, exports. The document changes here; widgets only show it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from soli.assets import asset
from soli.decompose.encoder import Encoder
from soli.decompose.settings import ModelSettings
from soli.progress import Progress, Steps
from soli.project import commands, layering, pipeline, storage
from soli.project.document import Document
from soli.project.estimating import pace_of
from soli.project.pipeline import Loaded, Separation
from soli.project.refit import refit_separation_steps
from soli.score import reading
from soli.score.alignment import Alignment
from soli.score.limits import Limits
from soli.signal.audio import READABLE
from soli.ui.exporter import Exporter
from soli.ui.onset_finder import OnsetFinder
from soli.ui.patience import Patience
from soli.ui.projects import Projects
from soli.ui.refusals import Doing
from soli.ui.safekeeping import Safekeeping
from soli.ui.spoken import sentence
from soli.ui.worker import Job, Worker

SAME_PLACE_S = 0.005
HEARD = frozenset({"notes", "mask", "absent", "layers", "template_limits"})
SCORES = reading.SUFFIXES
AWAITED = {"Opening": "everything is open", "Aligning": "the score is aligned"}  # by the names of the jobs


class Session(QObject):
    """Runs the pipeline for the window, one job after another, and says how it went."""

    said = Signal(str, str)  # "error", "warning" or "information", and a sentence
    started = Signal(object, bool)  # a Job that the user waits for, and whether it has a loss curve
    opened = Signal(Path)
    busy_changed = Signal()
    exported = Signal(list)

    def __init__(self, document: Document, worker: Worker, keeper: Safekeeping) -> None:
        super().__init__()
        self._document, self._worker, self.keeper = document, worker, keeper
        self.projects = Projects(self, document, worker, keeper)
        keeper.told.connect(self._warn)
        keeper.holding.freed.connect(self._freed)
        self.patience = Patience(worker)
        self.defaults = ModelSettings()
        self.may_replace: Callable[[], bool] = lambda: True  # asked before a piece takes the place of this one
        self.pace = 1.0  # of runs on this computer, see `estimating.pace_of`
        self._decomposing: Job | None = None
        self._opening: Job | None = None
        self._next: Callable[[], None] | None = None  # begins the decomposition that follows what is being opened
        self._ear = pipeline.Ear()
        self.onsets = OnsetFinder(document, worker, self._ear)
        self.exports = Exporter(document, worker, begin=self._submit, told=self.said.emit, done=self.exported.emit)
        self._wanted: pipeline.Anchors | None = None  # anchors of the alignment that runs
        self._refitting: Job | None = None
        # As soon as the window has shown the edit; edits that come before it has are heard together.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._refit)
        document.subscribe(self._follow)

    @property
    def decomposing(self) -> bool:
        return self._decomposing is not None

    @property
    def opening(self) -> bool:
        return self._opening is not None

    @property
    def doing(self) -> Doing:
        """What goes on, as commands that must wait for it say."""
        awaited = "" if self._opening is None else AWAITED[self._opening.name]
        return Doing(self.decomposing, awaited, decomposes_next=self._next is not None)

    @property
    def following(self) -> bool:
        """Whether the layers are on their way to what was edited, so that nobody has to ask for it."""
        if self.decomposing or self.opening or not self._document.stale:
            return False
        return self._refitting is not None or self._soon.isActive()

    def begin_with(self, settings: ModelSettings) -> None:
        """New projects begin with these settings; one that is still empty has them from now on."""
        self.defaults = settings
        state = self._document.state
        if state.audio is None and not state.notes and not self._document.history.done and state.settings != settings:
            self._document.restore(Loaded(replace(state, settings=settings)), path=self._document.path)

    def open_files(self, paths: Sequence[Path], *, layers: str = "") -> None:
        """Open what is given: a project, or a recording, a score, or both in any order.

        What would be lost is asked about (`may_replace`) once the file is known to open; before, where a run would be stopped.
        """
        projects = [p for p in paths if p.suffix.lower() == storage.SUFFIX]
        scores = [p for p in paths if p.suffix.lower() in SCORES]
        recordings = [p for p in paths if p not in projects and p not in scores]
        if projects:
            self.projects.open(projects[0])
        elif len(recordings) > 1 or len(scores) > 1:
            self.said.emit("error", "One recording and one score make a project; open one of each")
        elif recordings:
            self._open_recording(recordings[0], scores[0] if scores else None, layers)
        elif scores:
            self._place_score(scores[0], layers)

    def decompose(self, *, encoder: Path | None = None, from_scratch: bool = False) -> None:
        """Run the model on what the roll shows, or apply a kept encoder. The former layers stay until the new ones are whole.

        A run begins with what the last one found, where that fits, unless it is asked for `from_scratch`. While anything is being
        opened or aligned, it follows that.
        """
        if self._decomposing is not None:
            return
        if self._opening is not None:
            self._next = partial(self.decompose, encoder=encoder, from_scratch=from_scratch)
            self.busy_changed.emit()
            return
        state = self._document.state
        if state.audio is None or not (state.notes or state.mask):
            self.said.emit("information", "There is nothing to decompose by yet: open a recording and its score, or draw notes")
            return
        start, pace = None if from_scratch else self._document.separation, self.pace

        def steps() -> Steps[Separation]:
            known = None
            if encoder is not None:
                yield Progress(0, 1, f"Reading {encoder.name}", place=encoder)
                known = Encoder.load(encoder)
            return (yield from pipeline.separate_steps(state, encoder=known, start=start, pace=pace, played=True))

        job = Job("Decomposing", steps)
        job.done.connect(self._separated)
        former = "; the former layers are as they were" if self._document.separation is not None else ""
        job.cancelled.connect(lambda: self.said.emit("information", f"Decomposition cancelled{former}"))
        job.ended.connect(self._decomposition_ended)
        self._decomposing = job
        self._submit(job, curve=encoder is None)

    def save_encoder(self, path: Path) -> None:
        """Keep what the autoencoder of the last run has learnt."""
        if self._document.separation is None:
            return
        self.exports.encoder(path)

    def cancel(self) -> None:
        """Stop what the user waits for."""
        self._next = None
        if self._decomposing is not None:
            self._decomposing.cancel()
        self._forget_opening()

    def _forget_opening(self) -> None:
        """Whatever is being opened or aligned is not wanted any more, even if it is done already."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
            self.busy_changed.emit()

    def split_layers(self, kind: str) -> None:
        """Sort the notes into new layers; see `layering.split`."""
        state = self._document.state
        names = state.score.track_names if state.score else ()
        first = self._document.next_layer_id()
        edit = commands.set_layers(
            state, layering.split(state.notes.values(), names, kind).numbered_from(first), "split into layers"
        )
        self._document.do(edit)

    def align_again(self) -> None:
        """Let the sound alone decide again where the score lies; notes that were placed by hand stay."""
        state = self._document.state
        if state.score is not None and state.audio is not None:
            self._realign(state.anchors, "align again")

    def set_anchor(self, score_s: float, recording_s: float) -> None:
        """Make sure that a place of the score lies at a time of the recording, and align again around it."""
        others = [a for a in self._anchors if abs(a[0] - score_s) > SAME_PLACE_S]
        self._realign((*others, (score_s, recording_s)), f"set anchor at {recording_s:.2f} s")

    def remove_anchor(self, score_s: float) -> None:
        """Let the sound decide about a place again."""
        others = [a for a in self._anchors if abs(a[0] - score_s) > SAME_PLACE_S]
        self._realign(tuple(others), "remove anchor")

    @property
    def _anchors(self) -> pipeline.Anchors:
        """The anchors, with those that are still being aligned to."""
        return self._document.state.anchors if self._wanted is None or self._opening is None else self._wanted

    def set_limits(self, slowest: float, fastest: float) -> None:
        """Bound the local tempo, as parts of the tempo of the whole piece, and align again."""
        limits = (slowest, fastest)
        if limits != self._document.state.limits:
            self._realign(self._document.state.anchors, "limit the tempo", limits=limits)

    def _realign(self, anchors: pipeline.Anchors, name: str, *, limits: Limits | None = None) -> None:
        state, ear = self._document.state, self._ear
        anchors = tuple(sorted(anchors))
        if state.score is None or state.audio is None:
            return

        def aligned(alignment: Alignment) -> None:
            now = self._document.state
            if (now.score, now.audio, now.anchors, now.limits) != (state.score, state.audio, state.anchors, state.limits):
                return  # undone or replaced meanwhile
            self._document.do(commands.realign(self._document.state, alignment, anchors, name, limits=limits))
            if alignment.warning or alignment.notice:
                self.said.emit("warning", alignment.warning or alignment.notice)

        def steps() -> Steps[Alignment]:
            return pipeline.realign_steps(state, anchors, ear, limits=limits)

        self.run_opening("Aligning", steps, aligned, joins=True)
        self._wanted = anchors

    def save(self, path: Path, done: Callable[[bool], None] = lambda _: None) -> None:
        """Write the project while the window goes on. `done` is called, with whether it is safe, once that is said."""

        def written(wrong: str) -> None:
            if wrong:
                self.said.emit("error", sentence(wrong))
            else:
                self.opened.emit(path)
                self.said.emit("information", f"Saved {path.name}")
            done(not wrong)

        self.keeper.save(path, written)

    def _open_recording(self, path: Path, score: Path | None, layers: str) -> None:
        if path.suffix.lower() not in READABLE:
            self.said.emit(
                "error", f"{path.name}: not a recording, a score or a project; open WAV, FLAC, OGG, MP3, AIFF, MIDI, CSV or .soli"
            )
            return
        if self.keeper.wanted is not None and self._document.state.audio is None and score is None:
            self.projects.locate(path)
            return
        # What was opened or drawn before there was a recording is placed on it.
        waits = self._document.state.audio is None and bool(self._document.state.notes)
        asked = self.decomposing
        if asked and not self.may_replace():
            return

        def opened(loaded: Loaded) -> None:
            assert loaded.state.audio is not None
            if waits and not score:
                lost = self._document.state.recording_path is not None  # its notes lie where they belong already
                self._document.attach(path, loaded.state.audio)
                if self._document.state.score is not None and not lost:
                    self._realign(self._document.state.anchors, "place score")
            elif asked or self.may_replace():
                self._restore(replace(loaded, state=replace(loaded.state, settings=self.defaults)))
            else:
                return
            self.remember(path)
            if score:
                self._place_score(score, layers)

        self.run_opening("Opening", lambda: pipeline.open_recording_steps(path), opened)

    def _place_score(self, path: Path, layers: str) -> None:
        state, ear, first = self._document.state, self._ear, self._document.next_layer_id()

        def steps() -> Steps[Loaded]:
            return pipeline.place_score_steps(state, path, layers=layers, first_layer=first, ear=ear)

        self.run_opening("Aligning", steps, self._score_placed, joins=True)

    def _restore(self, loaded: Loaded) -> None:
        self._document.restore(loaded)
        if loaded.warning:
            self.said.emit("warning", sentence(loaded.warning))

    def _score_placed(self, loaded: Loaded) -> None:
        state = loaded.state
        if state.audio is not self._document.state.audio:
            return  # aligned to a recording that was closed meanwhile
        edit = commands.place_score(
            self._document.state,
            score_path=state.score_path,
            score=state.score,
            alignment=state.alignment,
            notes=state.notes,
            absent=state.absent,
            layers=state.layers,
            settings=replace(self._document.state.settings, tuning_cents=state.settings.tuning_cents),
        )
        self._document.place(edit)
        if state.score_path is not None:
            self.remember(state.score_path)
        if loaded.warning:
            self.said.emit("warning", sentence(loaded.warning))

    def remember(self, path: Path) -> None:
        if not path.is_relative_to(asset("demo")):  # what ships with Soli is no place of the user's
            self.opened.emit(path)

    def run_opening(
        self,
        name: str,
        steps: Callable[[], Steps[Any]],
        done: Callable[[Any], None],
        *,
        joins: bool = False,
        cancelled: Callable[[], None] | None = None,
        shown: Callable[[object], None] | None = None,
    ) -> None:
        """Run what opens or aligns, in place of any other that does.

        What only `joins` the piece lets a decomposition go on. `cancelled` is called when it comes to that, and `shown` now and
        then with what has been found so far.
        """
        if joins:
            self._forget_opening()
        else:
            self.cancel()
        self._wanted = None
        job = Job(name, steps)

        def finished(result: Any) -> None:
            if self._opening is job:
                self._opening = None
                done(result)

        def ended() -> None:
            if self._opening is job:
                self._opening = None
            self._soon.start()  # edits made meanwhile
            if self._opening is None and self._next is not None:
                begin, self._next = self._next, None
                begin()
            self.busy_changed.emit()

        def failed(_: str) -> None:
            if self._opening is job:
                self._next = None

        job.done.connect(finished)
        job.failed.connect(failed)
        job.ended.connect(ended)
        if shown is not None:
            job.progressed.connect(lambda _: shown(job.model) if self._opening is job else None)
        if cancelled is not None:
            job.cancelled.connect(cancelled)
        self._opening = job
        self._submit(job)

    def _refit(self) -> None:
        """Let the layers follow the edits, where that takes no whole run."""
        separation, state = self._document.separation, self._document.state
        if separation is None or not self._document.stale or self.decomposing or self.opening:
            return
        if self._refitting is not None:
            self._refitting.cancel()
        job = Job("Following the edit", lambda: refit_separation_steps(separation, state, whole=False))

        def done(result: Separation | None) -> None:
            if result is not None and separation is self._document.separation and result.is_of(self._document.state):
                self._document.publish(result)

        def ended() -> None:
            if self._refitting is job:
                self._refitting = None
                self.busy_changed.emit()

        job.done.connect(done)
        job.failed.connect(self._warn)
        job.ended.connect(ended)
        self._refitting = job
        self._worker.submit(job)

    def _freed(self, current: bool) -> None:
        """The program that held the project has let go of it."""
        name = self._document.path.name if self._document.path is not None else ""
        if current:
            self.said.emit("information", f"{name} is open nowhere else any more: changes can be saved in it")
        else:
            self.said.emit("warning", f"{name} was changed by the other program, and is free now; open it again to go on with it")

    def _warn(self, text: str) -> None:
        self.said.emit("warning", sentence(text))

    def _separated(self, separation: Separation) -> None:
        factors = separation.factors
        if not factors.warm and len(factors.losses) >= separation.source.settings.iterations:
            self.pace = pace_of(separation.source, separation.seconds) or self.pace
        # A recording that was opened meanwhile has nothing to do with these layers.
        if separation.source.audio is self._document.state.audio:
            self._document.publish(separation)

    def _decomposition_ended(self) -> None:
        self._decomposing = None
        self._soon.start()  # edits made while it ran
        self.busy_changed.emit()

    def _submit(self, job: Job, *, curve: bool = False) -> None:
        job.failed.connect(lambda text: self.said.emit("error", sentence(text)))
        self._worker.submit(job)
        self.started.emit(job, curve)
        self.busy_changed.emit()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & HEARD and self._document.separation is not None:
            self._soon.start()
