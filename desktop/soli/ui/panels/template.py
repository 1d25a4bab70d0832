"""The template of the selected pitch: how strong each of its harmonics is."""

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from soli.decompose.constraints import Kind
from soli.project.document import Document
from soli.score.notes import frequency_hz
from soli.ui.selection import Selection
from soli.ui.theme import Theme

HARMONICS = 16
FLOOR_DB = -54.0
SEARCH = 0.03  # of a harmonic's frequency: detuned and stretched partials lie a little beside it


class Bars(QWidget):
    """Heights from 0 to 1 as bars, one a harmonic."""

    double_clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._heights: list[float] = []
        self._colour = QColor()
        self._hint = ""
        self.setMinimumHeight(104)
        self.setMaximumHeight(240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def show_heights(self, heights: list[float], colour: str, *, hint: str = "") -> None:
        """Bars in `colour`; `hint` says why there are none."""
        self._heights, self._colour, self._hint = heights, QColor(colour), hint
        self.update()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.double_clicked.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        area = QRectF(self.rect()).adjusted(12, 12, -12, -22)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(theme.colour("border"))
            painter.setBrush(theme.colour("canvas"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
            painter.setFont(theme.font(7.5, figures=True))
            step = area.width() / HARMONICS
            for i in range(HARMONICS):
                x = area.left() + i * step
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour("border", 90))
                painter.drawRect(QRectF(x + 1, area.top(), step - 2, area.height()))
                if i < len(self._heights):
                    height = self._heights[i] * area.height()
                    painter.setBrush(self._colour)
                    painter.drawRect(QRectF(x + step * 0.22, area.bottom() - height, step * 0.56, height))
                if i % 3 == 0:
                    painter.setPen(theme.colour("faint"))
                    label = QRectF(x - 8, area.bottom() + 2, step + 16, 16)
                    painter.drawText(label, Qt.AlignmentFlag.AlignCenter, str(i + 1))
            if self._hint:
                painter.setFont(theme.font(8.5))
                painter.setPen(theme.colour("dim"))
                centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(area, centred, self._hint)


class TemplatePanel(QWidget):
    """Follows the selection; empty until there is a decomposition."""

    def __init__(self, document: Document, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._document, self._selection = document, selection
        self.heading = QLabel("TEMPLATE")
        self.heading.setObjectName("heading")
        self.bars = Bars(theme)
        self.bars.setToolTip(
            "Strength of each harmonic in the learnt template, in decibels below the strongest; double-click to limit them"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        layout.addWidget(self.heading)
        layout.addWidget(self.bars, 1)
        layout.addStretch()
        document.subscribe(self._follow)
        selection.changed.connect(self._show)
        self._show()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"separation", "layers", "recording"}:
            self._show()

    def _show(self) -> None:
        separation, state = self._document.separation, self._document.state
        notes = [state.notes[i] for i in self._selection.ids if i in state.notes]
        pitches = {n.pitch for n in notes}
        if separation is None or len(pitches) != 1:
            self.heading.setText("TEMPLATE")
            first = "Decompose, then select" if separation is None else "Select"
            hint = f"{first} a note to see its template"
            self.bars.show_heights([], "#888888", hint=hint)
            self.bars.setAccessibleName(hint)
            return
        if notes[0].is_drum:
            self.heading.setText("TEMPLATE  ·  drum")
            hint = "A drum has no harmonics: double-click to see its spectrum"
            self.bars.show_heights([], "#888888", hint=hint)
            self.bars.setAccessibleName(hint)
            return
        pitch, layer = notes[0].pitch, state.layer(notes[0].layer)
        self.heading.setText(f"TEMPLATE  ·  {state.pitch_name(pitch, notes[0].onset_s)}")
        heights = self.heights(pitch)
        self.bars.show_heights(heights, layer.colour if layer else "#888888")
        self.bars.setAccessibleName(f"Template of {state.pitch_name(pitch, notes[0].onset_s)}, {len(heights)} harmonics")

    def heights(self, pitch: int) -> list[float]:
        """How strong each harmonic is, 0 at FLOOR_DB below the strongest and 1 for the strongest."""
        assert self._document.separation is not None
        factors = self._document.separation.factors
        parts = factors.components
        rows = np.flatnonzero((parts.pitch == pitch) & (parts.kind == Kind.SUSTAIN))
        if len(rows) == 0:
            return []
        energy = factors.H[rows].sum(axis=1) + 1e-9
        template = factors.W[:, rows] @ energy
        hertz_per_bin = factors.grid.rate / factors.grid.window_length
        strengths = []
        for m in range(1, HARMONICS + 1):
            centre = m * frequency_hz(pitch) / hertz_per_bin
            reach = max(1.0, SEARCH * centre)
            low, high = int(centre - reach), int(centre + reach) + 2
            strengths.append(float(template[low:high].max(initial=0.0)))
        loudest = max(strengths)
        if loudest <= 0:
            return []
        return [max(0.0, 1 - 20 * np.log10(loudest / max(s, 1e-12)) / -FLOOR_DB) for s in strengths]
