"""The tempo of the performance over time, with the anchors that hold it; in line with the roll above."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from soli.project.document import Document
from soli.ui.roll.keyboard import WIDTH as KEYBOARD_WIDTH
from soli.ui.roll.view import View
from soli.ui.theme import Theme

REACH_PX = 9.0
LEFT = KEYBOARD_WIDTH
TOP, BOTTOM = 14, 22
AXIS = "beats a minute   ·   drag a beat to where it sounds"
WORD_PX = 6  # between words and figures of a sentence


@dataclass(frozen=True, eq=False)
class Curve:
    """Beats as columns: score seconds, recording seconds, and the tempo from each beat to the next in beats a minute."""

    score_s: NDArray[np.float64]
    recording_s: NDArray[np.float64]
    bpm: NDArray[np.float64]

    @classmethod
    def of(cls, document: Document) -> "Curve":
        state = document.state
        if state.score is None or state.alignment is None or len(state.score.beats) < 2:
            return cls(np.zeros(0), np.zeros(0), np.zeros(0))
        score_s = np.array([beat.time_s for beat in state.score.beats])
        recording_s = state.alignment.time_map.to_recording(score_s)
        bpm = 60.0 / np.maximum(np.diff(recording_s), 1e-3)
        return cls(score_s, recording_s, np.append(bpm, bpm[-1]))


class TempoCurve(QWidget):
    """Drag a beat to where it sounds and it becomes an anchor; drag an anchor to move it, right-click to remove it."""

    anchor_set = Signal(float, float)  # score seconds, recording seconds
    anchor_removed = Signal(float)

    def __init__(self, document: Document, view: View, theme: Theme) -> None:
        super().__init__()
        self._document, self._view, self._theme = document, view, theme
        self._curve = Curve.of(document)
        self._held: tuple[float, float] | None = None  # score seconds of the beat in hand, and where it is held
        self._hovered: float | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Tempo curve")
        self.setToolTip("Drag a beat to where it sounds: it becomes an anchor. Right-click an anchor to remove it")
        document.subscribe(self._follow)
        view.changed.connect(self.update)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, curve = self._theme, self._curve
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("canvas"))
            painter.setFont(theme.font(8.5, figures=True))
            painter.setPen(theme.colour("dim"))
            if len(curve.bpm) == 0:
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Open a recording and its score to see the tempo")
                return
            self._paint_scale(painter)
            first, last = np.searchsorted(curve.recording_s, (self._view.start_s, self._view.end_s))
            rows = slice(max(0, int(first) - 1), min(len(curve.bpm), int(last) + 2))
            points = [self._point(t, b) for t, b in zip(curve.recording_s[rows], curve.bpm[rows], strict=True)]
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(QRectF(LEFT, 0, self.width() - LEFT, self.height()))
            painter.setPen(QPen(theme.colour("ink", 200), 1.5))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("dim"))
            if len(points) < self.width() / 10:
                for point in points:
                    painter.drawEllipse(point, 2.6, 2.6)
            self._paint_anchors(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        score_s = self._near(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and score_s is not None:
            self._held = (score_s, self._recording_of(score_s))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._held is not None:
            self._held = (self._held[0], max(0.0, self._view.time_at(x - LEFT)))
        else:
            self._hovered = self._near(x)
            self.setCursor(Qt.CursorShape.SizeHorCursor if self._hovered is not None else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        if held is not None and event.button() == Qt.MouseButton.LeftButton:
            moved = abs(self._view.x_of(held[1]) - self._view.x_of(self._recording_of(held[0]))) > 2
            if moved:
                self.anchor_set.emit(*held)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._held is not None:
            self._held = None
            self.update()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        score_s = self._near(float(event.pos().x()), anchors_only=True)
        if score_s is not None:
            menu = QMenu(self)
            menu.addAction("Remove this anchor", lambda: self.anchor_removed.emit(score_s))
            menu.exec(event.globalPos())
            menu.deleteLater()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()
        super().leaveEvent(event)

    def _paint_scale(self, painter: QPainter) -> None:
        theme = self._theme
        low, high = self._range()
        for bpm in _steps(low, high):
            y = self._point(0.0, bpm).y()
            painter.setPen(QPen(theme.colour("canvas_line"), 1))
            painter.drawLine(QLineF(LEFT, y, self.width(), y))
            painter.setPen(theme.colour("faint"))
            painter.drawText(
                QRectF(0, y - 8, LEFT - 8, 16), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{bpm:g}"
            )
        painter.setPen(theme.colour("faint"))
        painter.drawText(QRectF(6, self.height() - 18, self.width() - 6, 16), Qt.AlignmentFlag.AlignLeft, AXIS)

    def _paint_anchors(self, painter: QPainter) -> None:
        theme = self._theme
        shown = [(s, r) for s, r in self._document.state.anchors if self._held is None or abs(s - self._held[0]) > 1e-6]
        if self._held is not None:
            shown.append(self._held)
        elif self._hovered is not None:
            painter.setPen(QPen(theme.colour("accent", 130), 1, Qt.PenStyle.DashLine))
            x = LEFT + self._view.x_of(self._recording_of(self._hovered))
            painter.drawLine(QLineF(x, 0, x, self.height()))
        for _, recording_s in shown:
            x = LEFT + self._view.x_of(recording_s)
            painter.setPen(QPen(theme.colour("accent"), 1.4))
            painter.drawLine(QLineF(x, 0, x, self.height()))
            painter.setBrush(theme.colour("accent"))
            painter.drawPolygon(QPolygonF([QPointF(x, 2), QPointF(x + 5, 8), QPointF(x, 14), QPointF(x - 5, 8)]))

    def _near(self, x: float, *, anchors_only: bool = False) -> float | None:
        """Score seconds of the anchor, or else of the beat, that lies within reach of `x`."""
        anchors = list(self._document.state.anchors)
        beats = [] if anchors_only else list(zip(self._curve.score_s.tolist(), self._curve.recording_s.tolist(), strict=True))
        for candidates in (anchors, beats):
            near = [(abs(LEFT + self._view.x_of(r) - x), s) for s, r in candidates]
            if near and min(near)[0] <= REACH_PX:
                return min(near)[1]
        return None

    def _recording_of(self, score_s: float) -> float:
        alignment = self._document.state.alignment
        return float(alignment.time_map.to_recording(score_s)) if alignment else score_s

    def _range(self) -> tuple[float, float]:
        bpm = self._curve.bpm
        low, high = (float(np.percentile(bpm, q)) for q in (2, 98))
        return low * 0.9, max(high * 1.1, low * 0.9 + 10)

    def _point(self, time_s: float, bpm: float) -> QPointF:
        low, high = self._range()
        part = min(1.05, max(-0.05, (bpm - low) / (high - low)))
        return QPointF(LEFT + self._view.x_of(time_s), self.height() - BOTTOM - part * (self.height() - TOP - BOTTOM))

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"score", "alignment", "anchors", "recording"}:
            self._held = None
            self._curve = Curve.of(self._document)
            self.update()


class TempoPanel(QWidget):
    """The curve, and how far the local tempo may go."""

    limits_set = Signal(float, float)

    def __init__(self, document: Document, view: View, theme: Theme) -> None:
        super().__init__()
        self._document = document
        self.curve = TempoCurve(document, view, theme)
        self.slowest, self.fastest = QDoubleSpinBox(), QDoubleSpinBox()
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 12, 4)
        row.setSpacing(WORD_PX)
        says = QLabel("The local tempo may go")
        says.setObjectName("quiet")
        row.addWidget(says)
        for spin, words, low, high in ((self.slowest, "from", 0.05, 1.0), (self.fastest, "to", 1.0, 20.0)):
            spin.setRange(low, high)
            spin.setSingleStep(0.05)
            spin.setDecimals(2)
            spin.setSuffix(" ×")
            spin.setKeyboardTracking(False)
            spin.lineEdit().setTextMargins(7, 0, 0, 0)
            spin.setAccessibleName(f"Local tempo {words}, times that of the piece")
            spin.setToolTip("Of the tempo of the whole piece; a narrow range keeps the alignment from running away")
            spin.editingFinished.connect(self._set)
            label = QLabel(words)
            label.setObjectName("quiet")
            row.addWidget(label)
            row.addWidget(spin)
        whole = QLabel("that of the piece")
        whole.setObjectName("quiet")
        row.addWidget(whole)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.curve, 1)
        document.subscribe(self._follow)
        self._show()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"limits", "recording", "score"}:
            self._show()

    def _show(self) -> None:
        for spin, limit in zip((self.slowest, self.fastest), self._document.state.limits, strict=True):
            spin.setValue(limit)
            spin.setEnabled(self._document.state.score is not None)

    def _set(self) -> None:
        chosen = (round(self.slowest.value(), 2), round(self.fastest.value(), 2))
        if chosen != tuple(round(limit, 2) for limit in self._document.state.limits):
            self.limits_set.emit(*chosen)


def _steps(low: float, high: float) -> list[float]:
    """Four or so round tempi between two."""
    step = next(s for s in (5, 10, 20, 25, 50, 100, 200, 500, 1e9) if (high - low) / s <= 5)
    return [float(v) for v in np.arange(np.ceil(low / step) * step, high, step)]
