"""The mask eraser: takes brush strokes away, so that the notes alone say what may sound."""

from collections import defaultdict
from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.decompose.constraints import MaskEdit, bodies
from soli.project import commands
from soli.score.notes import Note
from soli.ui.roll.brushes import StrokeTool
from soli.ui.roll.painting import rectangle

REACH_S = 2.0  # how far before and after it a note may sound, for the preview
MOST_NOTES = 600
BODY_ALPHA, NOTE_ALPHA = 0.26, 0.85


class MaskEraser(StrokeTool):
    """Erases what was allowed and what was forbidden where it passes. Notes stay as they are."""

    name = "Mask eraser"
    key = "8"
    hint = "Mask eraser: drag over what was allowed or forbidden by hand · there the notes alone decide again"

    def finish(self) -> None:
        strokes = [MaskEdit(pitch, start_s, end_s, allow=False) for pitch, start_s, end_s in self.swept()]
        if strokes:
            self.desk.document.do(commands.erase_mask(self.desk.document.state, strokes))

    def paint(self, painter: QPainter) -> None:
        desk, view = self.desk, self.desk.view
        swept = [s for s in self.swept() if s[2] >= view.start_s and s[1] <= view.end_s] if self.start else []
        if not swept:
            return
        boxes = [rectangle(view, *stretch) for stretch in swept]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for box in boxes:
            painter.fillRect(box, desk.theme.colour("canvas", 215))
        self._paint_notes(painter, swept)
        painter.setPen(QPen(desk.theme.colour("ink", 200), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRects(boxes)

    def _paint_notes(self, painter: QPainter, swept: Sequence[tuple[int, float, float]]) -> None:
        """What the notes say in the swept stretches."""
        state, view = self.desk.document.state, self.desk.view
        notes = self._notes(swept)
        if not 0 < len(notes) <= MOST_NOTES:
            return
        rows = bodies([note for note in notes if note.id not in state.absent], (), state.settings)
        columns = zip(rows.pitch.tolist(), rows.layer.tolist(), rows.start_s.tolist(), rows.end_s.tolist(), strict=True)
        figures = defaultdict(list)
        for pitch, *body in columns:
            figures[pitch].append((*body, BODY_ALPHA))
        for note in notes:
            if note.id not in state.absent:
                figures[note.pitch].append((note.layer, note.onset_s, note.sounding_offset_s, NOTE_ALPHA))
        for pitch, start_s, end_s in swept:
            for layer, low, high, alpha in figures[pitch]:
                if high > start_s and low < end_s:
                    part = rectangle(
                        view, pitch, max(low, start_s), min(high, end_s), inset=min(2.0, 0.16 * view.height_of(pitch))
                    )
                    colour = self.desk.layer_colour(layer)
                    colour.setAlphaF(alpha * colour.alphaF())
                    painter.fillRect(QRectF(part), colour)

    def _notes(self, swept: Sequence[tuple[int, float, float]]) -> list[Note]:
        """Notes of the swept pitches that may sound in the swept stretches."""
        state, field = self.desk.document.state, self.desk.field
        hidden = state.hidden_layers
        ids = {i for pitch, low, high in swept for i in field.notes_in(low - REACH_S, high + REACH_S, pitch, pitch)}
        return [state.notes[i] for i in sorted(ids) if state.notes[i].layer not in hidden]
