"""What to export, as what, under which names and where to; what would go wrong is said before it does."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from soli.errors import InputError
from soli.project import export
from soli.project.export import Item, Order, Peak
from soli.project.export_names import PATTERN, TOKENS
from soli.project.pipeline import Separation, require_recording
from soli.project.state import RESIDUAL, State
from soli.settings import Table
from soli.ui.dialogs.export_how import How, Range, clock
from soli.ui.dialogs.export_what import What, titled
from soli.ui.inquiry import Inquiry, folder_to_begin
from soli.ui.worker import Job

PAUSE_MS = 250  # after a choice, before levels are looked at
SHOWN = 4  # names in the preview


@dataclass(frozen=True, eq=False)
class Piece:
    """What there is to export: the layers of a separation, named as `state` names them now, of the project called `name`.

    selected: ids of the notes selected on the roll; loop: the loop in seconds, if there is one; stale: the layers are older than
    the edits.
    """

    separation: Separation
    state: State
    name: str
    selected: Collection[int] = ()
    loop: Range | None = None
    stale: bool = False

    def ranges(self) -> dict[str, Range | None]:
        """Stretches that are shorter than the whole, by what they are called."""
        notes = [self.state.notes[i] for i in self.selected if i in self.state.notes]
        span = (min(n.onset_s for n in notes), max(n.sounding_offset_s for n in notes)) if notes else None
        return {"Loop": self.loop, "Selected notes": span}


class ExportDialog(QDialog):
    """Chooses an Order and a folder. `look` begins a Job that finds the peaks of an order and calls back with them."""

    def __init__(
        self,
        parent: QWidget,
        piece: Piece,
        folder: Path,
        form: str,
        choices: Mapping[str, str | int | float | bool],
        look: Callable[[Order, Callable[[Mapping[str, Peak]], None]], Job],
    ) -> None:
        super().__init__(parent)
        self._piece, self._look = piece, look
        self._job: Job | None = None
        self._inquiry = Inquiry(self)
        self._asked = 0
        self.setWindowTitle("Export layers")
        stems = [s for s in export.stems(piece.state) if s.id == RESIDUAL or s.id in piece.separation.layers]
        recording = require_recording(piece.separation.source)
        self.what = What(piece.state, stems, piece.selected)
        self.how = How(recording.rate, recording.duration_s, piece.ranges())
        self.pattern = QLineEdit(str(choices.get("pattern") or PATTERN))
        self.pattern.setAccessibleName("Pattern of the names")
        self.pattern.setToolTip("\n".join(f"{{{token}}}  {what}" for token, what in TOKENS.items()))
        self.pattern.setPlaceholderText(PATTERN)
        self.preview = QLabel()
        self.preview.setObjectName("quiet")
        self.preview.setAccessibleName("Names of the files")
        self.preview.setTextFormat(Qt.TextFormat.PlainText)
        self.preview.setMinimumHeight(SHOWN * self.fontMetrics().lineSpacing() + 8)
        self.preview.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.folder_edit = QLineEdit(str(folder))
        self.folder_edit.setAccessibleName("Folder")
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        self.says, self.level = _sentence(), _sentence()
        self.level.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 4)  # so that nothing moves when it is told
        self.level.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stale = _sentence()
        self.stale.setObjectName("warn")
        self.stale.setText("Edits since the last run are not in these files; decompose again to hear them.")
        self.stale.setVisible(piece.stale)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.export.setObjectName("primary")
        self.export.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._arrange(browse, buttons)

        self.how.show_choices(form, choices)
        self.what.tick(RESIDUAL, ticked=choices.get("residual", True) is not False)
        self.what.mix.setChecked(choices.get("mix") is True)
        self.what.in_place.setChecked(choices.get("in_place") is True)
        self._soon = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._soon.timeout.connect(self._look_for_peaks)
        self.finished.connect(self._leave_off)
        for changed in (self.what.changed, self.how.changed, self.pattern.textChanged, self.folder_edit.textChanged):
            changed.connect(self._check)
        self.what.take_focus()
        self._check()

    @property
    def order(self) -> Order:
        what, how = self.what, self.how
        return Order(
            stems=what.stems,
            mix=what.mix.isChecked(),
            all_but=what.left_out,
            notes=what.note_ids,
            notes_in_place=what.in_place.isChecked(),
            range_s=how.range_s,
            form=how.chosen_form,
            rate=how.chosen_rate,
            dither=how.dither.isChecked(),
            seed=self._piece.state.settings.seed,
            peak_dbfs=how.peak_dbfs,
            pattern=self.pattern.text() or PATTERN,
        )

    @property
    def folder(self) -> Path:
        return Path(self.folder_edit.text().strip()).expanduser()

    def choices(self) -> Table:
        """What is to be chosen again the next time, whatever the piece."""
        order = self.order
        return {
            "pattern": order.pattern,
            "rate": order.rate or 0,
            "dither": order.dither,
            "normalise": order.peak_dbfs is not None,
            "residual": RESIDUAL in self.what.stems,
            "mix": order.mix,
            "in_place": order.notes_in_place,
        }

    def _arrange(self, browse: QPushButton, buttons: QDialogButtonBox) -> None:
        place = QHBoxLayout()
        place.setSpacing(8)
        place.addWidget(self.folder_edit, 1)
        place.addWidget(browse)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.how)
        right.addSpacing(6)
        right.addWidget(titled("NAMES"))
        right.addWidget(self.pattern)
        right.addWidget(self.preview)
        right.addWidget(titled("FOLDER"))
        right.addLayout(place)
        right.addStretch()
        columns = QGridLayout()
        columns.setHorizontalSpacing(28)
        columns.addWidget(self.what, 0, 0)
        columns.addLayout(right, 0, 1)
        columns.setColumnMinimumWidth(0, 270)
        columns.setColumnStretch(1, 1)
        bottom = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(3)
        for label in (self.says, self.level, self.stale):
            words.addWidget(label)
        words.addStretch()
        bottom.addLayout(words, 1)
        bottom.addWidget(buttons, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(14)
        layout.addLayout(columns, 1)
        layout.addLayout(bottom)
        self.resize(780, 520)

    def _browse(self) -> None:
        start = folder_to_begin(self.folder, self.folder.parent)
        folder = QFileDialog.getExistingDirectory(self, "Folder for the files", start)
        if folder:
            self.folder_edit.setText(folder)

    def _check(self) -> None:
        """Plan the files, show their names, and say what stands against it."""
        self._leave_off()
        self.export.setEnabled(False)
        try:
            items = self._planned()
        except InputError as error:
            self._object(str(error))
            return
        names = [item.name for item in items]
        more = [f"and {len(names) - SHOWN + 1} more"] if len(names) > SHOWN else []
        self.preview.setText("\n".join([*names[: SHOWN - 1 if more else SHOWN], *more]))
        needed, folder = export.estimated_bytes(self._piece.separation, self.order, items), self.folder
        megabytes = needed / 1e6
        size = f"{megabytes:,.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"
        count = f"{len(names)} {'file' if len(names) == 1 else 'files'}"
        writes = f"Writes {count}, about {size}."
        self._say(self.says, writes, "quiet")

        def looked(found: _Place) -> None:
            if found.objection:
                self._object(found.objection)
                return
            self._say(self.says, writes + found.replaced, "quiet")
            self._say(self.level, "Looking at levels…" if export.may_clip(self.order) else "", "quiet")
            self.export.setEnabled(True)
            self._soon.start()

        def late() -> None:
            self._say(self.says, f"{folder} does not answer yet; wait for it, or choose another folder.", "warn")

        self._inquiry.ask(lambda: _look_at(folder, names, needed), looked, late)

    def _object(self, sentence: str) -> None:
        self.preview.setText("")
        self._say(self.says, _capital(sentence), "bad")
        self._say(self.level, "", "quiet")

    def _planned(self) -> list[Item]:
        order, piece = self.order, self._piece
        items = export.plan(piece.separation, piece.state, order, project=piece.name)
        if not items:
            raise InputError("choose at least one layer, the mix, or notes")
        if not self.folder_edit.text().strip():
            raise InputError("choose a folder to write to")
        return items

    def _look_for_peaks(self) -> None:
        order, number = self.order, self._asked
        if not export.may_clip(order):
            return

        def found(peaks: Mapping[str, Peak]) -> None:
            if number == self._asked:
                self._job = None
                self._tell_level(order, peaks)

        self._job = self._look(order, found)

    def _leave_off(self) -> None:
        """What is being looked at is not wanted any more."""
        self._soon.stop()
        self._inquiry.forget()
        self._asked += 1
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _tell_level(self, order: Order, peaks: Mapping[str, Peak]) -> None:
        clipped = export.clipping(order, peaks)
        if clipped:
            name, worst = max(clipped.items(), key=lambda pair: pair[1].level)
            more = f", and {len(clipped) - 1} more" if len(clipped) > 1 else ""
            over = f"{name} clips by {20 * math.log10(worst.level):.1f} dB at {clock(worst.time_s)}{more}"
            self._say(self.level, f"{over}. 32-bit float or normalising keeps it whole.", "warn")
            return
        gain = export.common_gain(order, peaks)
        name, peak = max(peaks.items(), key=lambda pair: pair[1].level)
        if peak.level == 0.0:
            self._say(self.level, "All is silent.", "quiet")
            return
        level = f"{20 * math.log10(peak.level * gain):.1f} dBFS".replace("-", "−")
        self._say(self.level, f"Nothing clips; the highest peak is {level}, in {name}.", "quiet")

    @staticmethod
    def _say(label: QLabel, text: str, kind: str) -> None:
        label.setText(text)
        if label.objectName() != kind:
            label.setObjectName(kind)
            label.style().unpolish(label)
            label.style().polish(label)


def _sentence() -> QLabel:
    label = QLabel()
    label.setObjectName("quiet")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


@dataclass(frozen=True)
class _Place:
    """What stands against writing to a folder, and which files there would be replaced, in words."""

    objection: str = ""
    replaced: str = ""


def _look_at(folder: Path, names: Sequence[str], needed_bytes: int) -> _Place:
    try:
        if folder.exists() and not folder.is_dir():
            return _Place(f"{folder.name} is a file; choose a folder to write to")
        export.check_space(folder, needed_bytes)
        over = [name for name in names if (folder / name).exists()]
    except InputError as error:
        return _Place(str(error))
    except (OSError, ValueError) as error:  # a closed folder, or a name that is none
        return _Place(f"{folder} cannot be written to ({getattr(error, 'strerror', None) or error}); choose another folder")
    more = f" and {len(over) - 2} more" if len(over) > 2 else ""
    return _Place(replaced=f" Replaces {', '.join(over[:2])}{more}." if over else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
