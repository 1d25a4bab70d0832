"""Exports as jobs: what is written, and what is said of it."""

from collections.abc import Callable, Generator
from pathlib import Path

from soli.decompose.encoder import Encoder
from soli.errors import InputError
from soli.progress import Progress, Steps
from soli.project import export, picture
from soli.project.document import Document
from soli.project.export_factors import export_factors_steps
from soli.ui.worker import Job, Worker


class Exporter:
    """Writes files of what `document` holds when it is asked.

    begin: takes a Job that the user waits for. told: called with the kind of message and a sentence. done: called with the files.
    """

    def __init__(
        self,
        document: Document,
        worker: Worker,
        *,
        begin: Callable[[Job], None],
        told: Callable[[str, str], None],
        done: Callable[[list[Path]], None],
    ) -> None:
        self._document, self._worker = document, worker
        self._begin, self._told, self._done = begin, told, done

    def layers(self, folder: Path, order: export.Order) -> None:
        """Write what `order` asks for into a folder."""
        separation, state, project = self._document.separation, self._document.state, self._document.title
        if separation is None:
            return
        self._write(lambda: export.export_steps(separation, state, folder, order, project=project))

    def peaks(self, order: export.Order, found: Callable[[dict[str, export.Peak]], None]) -> Job:
        """Begin to look how loud the files of an order would be; `found` is called with the Peak of each name."""
        separation, state, project = self._document.separation, self._document.state, self._document.title

        def steps() -> Steps[dict[str, export.Peak]]:
            if separation is None:
                raise InputError("there are no layers yet; decompose first")
            items = export.plan(separation, state, order, project=project)
            return (yield from export.peaks_steps(separation, state, order, items))

        job = Job("Looking at levels", steps)
        job.done.connect(found)
        return self._worker.submit(job)

    def notes(self, path: Path, *, form: str = "") -> None:
        """Write the notes at their places in the recording; see `export.export_notes`."""
        state = self._document.state
        self._write_one(path, lambda: export.export_notes(state, path, form=form))

    def picture(self, path: Path) -> None:
        """Write the roll, as PNG or SVG by the suffix."""
        state = self._document.state
        self._write_one(path, lambda: picture.write_picture(path, state))

    def factors(self, path: Path) -> None:
        """Write the templates and activations of the last run."""
        separation = self._document.separation
        if separation is not None:
            self._write_one(path, lambda: export_factors_steps(separation, path))

    def encoder(self, path: Path) -> None:
        """Keep what the autoencoder of the last run has learnt."""
        separation = self._document.separation
        if separation is not None:
            self._write_one(path, lambda: Encoder.of(separation.factors).save(path))

    def _write_one(self, path: Path, write: Callable[[], object]) -> None:
        state = self._document.state

        def steps() -> Steps[list[Path]]:
            yield Progress(0, 1, f"Writing {path.name}", place=path)
            export.spare_recording(state, path)
            written = write()
            if isinstance(written, Generator):
                yield from written
            return [path]

        self._write(steps)

    def _write(self, steps: Callable[[], Steps[list[Path]]]) -> None:
        job = Job("Exporting", steps)
        job.done.connect(self._written)
        job.cancelled.connect(lambda: self._told("information", "Export cancelled; nothing was left behind"))
        self._begin(job)

    def _written(self, paths: list[Path]) -> None:
        where = paths[0].parent if paths else Path()
        what = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
        self._told("information", f"Exported {what} to {where}")
        self._done(paths)
