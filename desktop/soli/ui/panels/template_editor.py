"""The template of a pitch: what it began with, what was learnt, and what the user lets it be."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QKeyEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from soli.decompose import templates
from soli.decompose.bodies import Part, parts
from soli.decompose.constraints import Kind
from soli.decompose.template_limit import TemplateLimit
from soli.project import commands
from soli.project.document import Document
from soli.project.template_sets import template_sets
from soli.score.notes import Note
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid
from soli.ui.panels.spectrum_view import LEAST_CENTS, MOST_CENTS, Spectrum, SpectrumView
from soli.ui.selection import Selection
from soli.ui.theme import Theme

MOST_HARMONICS = 50
LEFT_WIDTH = 236
ENTERING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
SHOWN = frozenset({"separation", "template_limits", "notes", "absent", "layers", "settings", "recording"})


class LimitBox(QSpinBox):
    """A number, or `auto` one step below the least; the wheel turns it only while it has the focus."""

    def __init__(self, name: str, low: int, high: int, *, step: int = 1, suffix: str = "") -> None:
        super().__init__()
        self.setRange(low - step, high)
        self.setSingleStep(step)
        self.setSuffix(suffix)
        self.setSpecialValueText("auto")
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(7, 0, 0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)

    @property
    def chosen(self) -> int | None:
        """The number, None for `auto`."""
        return None if self.value() == self.minimum() else self.value()

    def show_limit(self, limit: float | None) -> None:
        """Show a number, which may lie outside the range, or `auto`; tells nobody."""
        self.blockSignals(True)
        self.setValue(self.minimum() if limit is None else max(self.minimum() + self.singleStep(), round(limit)))
        self.blockSignals(False)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ENTERING:
            event.accept()  # what was typed is taken over, whatever else the key does in the window
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class PitchBox(QSpinBox):
    """Pitches by their names in the key of the piece."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self.setRange(0, 127)
        self.lineEdit().setReadOnly(True)
        self.lineEdit().setTextMargins(7, 0, 0, 0)
        self.setAccessibleName("Pitch")

    def textFromValue(self, value: int) -> str:
        return self._document.state.pitch_name(value)

    def show_pitch(self, pitch: int | None) -> None:
        """Show a pitch, or a dash; tells nobody."""
        self.blockSignals(True)
        self.setSpecialValueText("–" if pitch is None else "")  # what the least value is shown as
        self.setValue(pitch or 0)
        self.blockSignals(False)


class TemplateEditor(QWidget):
    """Follows the selection where all of it is one pitch; `show_pitch` shows another one."""

    def __init__(self, document: Document, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._document, self._selection, self._theme = document, selection, theme
        self._pitch: int | None = None
        self.heading = QLabel("Template")
        self.pitch = PitchBox(document)
        self.pitch.setToolTip("The pitch whose template is shown; select a note, or right-click a piano key, for another")
        self.harmonics = LimitBox("Harmonics", 1, MOST_HARMONICS)
        self.harmonics.setToolTip("How many partials notes of this pitch may have; what lies above them is zero")
        self.width_cents = LimitBox("Width", int(LEAST_CENTS), int(MOST_CENTS), step=5, suffix=" cents")
        self.width_cents.setToolTip("How far each partial may reach to either side; what lies between them is zero")
        self.free = QPushButton("No limits")
        self.free.setToolTip("Leave the template of this pitch to the recording and the settings")
        self.view = SpectrumView(theme)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(5)
        form.setHorizontalSpacing(12)
        for name, box in (("Pitch", self.pitch), ("Harmonics", self.harmonics), ("Width ±", self.width_cents)):
            form.addRow(name, box)
        left = QVBoxLayout()
        left.setSpacing(5)
        left.addWidget(self.heading)
        left.addLayout(form)
        left.addWidget(self.free)
        left.addStretch()
        column = QWidget()
        column.setFixedWidth(LEFT_WIDTH)
        left.setContentsMargins(0, 0, 0, 0)
        column.setLayout(left)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 12, 8)
        row.setSpacing(16)
        row.addWidget(column)
        row.addWidget(self.view, 1)
        self.pitch.valueChanged.connect(self.show_pitch)
        self.harmonics.valueChanged.connect(lambda _: self._limit("harmonics"))
        self.width_cents.valueChanged.connect(lambda _: self._limit("width"))
        for box in (self.harmonics, self.width_cents):
            box.editingFinished.connect(document.end_gesture)
        self.free.clicked.connect(self._set_free)
        self.view.width_dragged.connect(self._show_width)
        self.view.width_chosen.connect(self._choose_width)
        document.subscribe(self._follow)
        selection.changed.connect(self._follow_selection)
        theme.changed.connect(self._retheme)
        self._retheme()
        self._follow_selection()

    def show_pitch(self, pitch: int) -> None:
        """Show the template of a pitch, whatever is selected."""
        self._document.end_gesture()
        self._pitch = pitch
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def _follow(self, aspects: frozenset[str]) -> None:
        if "recording" in aspects:
            self._pitch = None
        if aspects & SHOWN:
            self._show()

    def _follow_selection(self) -> None:
        notes = self._document.state.notes
        pitches = {notes[i].pitch for i in self._selection.ids if i in notes}
        if len(pitches) == 1 and pitches != {self._pitch}:
            self.show_pitch(pitches.pop())
        elif self._pitch is None:
            self._show()

    def _show(self) -> None:
        if not self.isVisible():
            return  # once it is opened it shows what there is then
        state, pitch = self._document.state, self._pitch
        known = pitch is not None and state.audio is not None
        every = [n for n in state.notes.values() if n.pitch == pitch]
        notes = [n for n in every if not n.is_drum] or every
        drum = bool(notes) and notes[0].is_drum
        self.pitch.setEnabled(known)
        self.pitch.show_pitch(pitch if known else None)
        for widget in (self.harmonics, self.width_cents):
            widget.setEnabled(known and not drum)
        limit = state.template_limits.get(pitch, TemplateLimit()) if pitch is not None else TemplateLimit()
        self.free.setEnabled(known and limit != TemplateLimit())
        self.harmonics.show_limit(limit.harmonics)
        self.width_cents.show_limit(limit.tolerance_cents)
        if pitch is None or state.audio is None:
            self.heading.setText("Template")
            self.view.show_spectrum(None, hint="Select a note, or right-click a piano key, to see the template of its pitch")
            self.view.setAccessibleName("Spectrum of a template")
            return
        if drum:
            self.heading.setText(f"Template of the drum at {state.pitch_name(pitch)}")
            self.view.show_spectrum(self._drum_spectrum(pitch, notes))
            self.view.setAccessibleName(f"Spectrum of the drum at {state.pitch_name(pitch)}; it has no partials to limit")
            return
        self.heading.setText(f"Template of {state.pitch_name(pitch)}")
        self.view.show_spectrum(self._spectrum(pitch, notes, limit))
        partials = "all partials" if limit.harmonics is None else commands.count(limit.harmonics, "partial")
        width = "" if limit.tolerance_cents is None else f", {limit.tolerance_cents:g} cents to either side"
        self.view.setAccessibleName(f"Spectrum of the template of {state.pitch_name(pitch)}: {partials}{width}")

    def _grid(self) -> Grid:
        """The grid of the last run, or that of the next."""
        audio, separation = self._document.state.audio, self._document.separation
        assert audio is not None
        return separation.factors.grid if separation is not None else Grid.for_recording(audio.rate, audio.length)

    def _drum_spectrum(self, pitch: int, notes: list[Note]) -> Spectrum:
        grid = self._grid()
        return Spectrum(
            grid=grid,
            begun=templates.drum(pitch, grid.frequencies_hz().astype(np.float64)),
            learnt=self._learnt(pitch, Kind.DRUM),
            centres_hz=np.zeros(0),
            harmonics=None,
            cents=None,
            colour=self._colour(notes),
        )

    def _spectrum(self, pitch: int, notes: list[Note], limit: TemplateLimit) -> Spectrum:
        state, grid = self._document.state, self._grid()
        part = self._part(notes)
        settings = state.settings
        every = replace(settings, harmonics=None)
        fundamental = float(templates.partials_hz(np.array(1.0), pitch, part, every))
        centres = templates.partials_hz(np.arange(1, max(1, int(grid.rate / 2 / fundamental)) + 1), pitch, part, every)
        return Spectrum(
            grid=grid,
            begun=templates.sustain(pitch, part, grid, settings, limit=limit),
            learnt=self._learnt(pitch, Kind.SUSTAIN),
            centres_hz=centres[: max(1, int((centres < grid.rate / 2).sum()))],
            harmonics=limit.harmonics or settings.harmonics,
            cents=limit.tolerance_cents or settings.template_tolerance_cents,
            colour=self._colour(notes),
        )

    def _colour(self, notes: list[Note]) -> str:
        layer = self._document.state.layer(notes[0].layer) if notes else None
        return layer.colour if layer is not None else self._theme.colours.dim

    def _part(self, notes: list[Note]) -> Part:
        """The instrument of the notes of a pitch, the first that is not a drum."""
        state = self._document.state
        _, groups = parts(notes, grouping=state.settings.grouping, sets=template_sets(state))
        return next((group for group in groups if not group.is_drum), Part(0))

    def _learnt(self, pitch: int, kind: Kind) -> FloatArray | None:
        """The templates of a pitch, weighed by how much each sounds; None where there are none."""
        separation = self._document.separation
        if separation is None:
            return None
        factors = separation.factors
        rows = np.flatnonzero((factors.components.pitch == pitch) & (factors.components.kind == kind))
        if len(rows) == 0:
            return None
        return np.asarray(factors.W[:, rows] @ (factors.H[rows].sum(axis=1) + 1e-9), np.float32)

    def _limit(self, what: str) -> None:
        """Take over the boxes; steps of one box that follow each other are one step of history."""
        pitch, state = self._pitch, self._document.state
        if pitch is not None:
            limit = TemplateLimit(self.harmonics.chosen, self.width_cents.chosen)
            edit = commands.limit_template(state, [pitch], limit)
            self._document.do(replace(edit, gesture=f"{what} of {pitch}"))

    def _choose_width(self, cents: float) -> None:
        pitch, state = self._pitch, self._document.state
        if pitch is not None:
            former = state.template_limits.get(pitch, TemplateLimit())
            self._document.end_gesture()
            self._document.do(commands.limit_template(state, [pitch], replace(former, tolerance_cents=cents or None)))
            self._show()

    def _show_width(self, cents: float) -> None:
        """The width while it is dragged; 0 where the drag was given up."""
        limit = self._document.state.template_limits.get(self._pitch if self._pitch is not None else -1, TemplateLimit())
        self.width_cents.show_limit(cents or limit.tolerance_cents)

    def _set_free(self) -> None:
        if self._pitch is not None:
            self._document.end_gesture()
            self._document.do(commands.limit_template(self._document.state, [self._pitch], None))

    def _retheme(self) -> None:
        self.heading.setFont(self._theme.font(10, weight=QFont.Weight.DemiBold))
        self._show()
