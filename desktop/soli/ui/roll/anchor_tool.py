"""The anchor tool: shows the alignment where a place of the score really sounds."""

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QPainter, QPen

from soli.score.notes import Score
from soli.ui.roll.tools import Desk, Pointer, Tool

BAR_REACH_PX = 6.0


class AnchorTool(Tool):
    """Drags a note, a chord or a bar line to where it sounds; it becomes an anchor of the alignment."""

    name = "Anchor"
    key = "0"
    hint = "Anchor: drag a note, a chord or a bar line to where it sounds · the score around it follows"
    cursor = Qt.CursorShape.SplitHCursor

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._score_s: float | None = None
        self._from_s = 0.0
        self._written: tuple[Score | None, dict[int, float]] = (None, {})  # onsets of a score by note

    def press(self, at: Pointer) -> None:
        place = self._place(at)
        if place is not None:
            super().press(at)
            self._score_s, self._from_s = place

    def drag(self, at: Pointer) -> None:
        super().drag(at)
        self._to_s()  # shows where it snaps

    def reads(self, at: Pointer) -> str:
        del at
        return f"from {self._from_s:.3f} s to {self._to_s():.3f} s"

    def finish(self) -> None:
        if self._score_s is not None and self.moved:
            self.desk.anchor(self._score_s, max(0.0, self._to_s()))

    def cancel(self) -> None:
        super().cancel()
        self._score_s = None

    def paint(self, painter: QPainter) -> None:
        if self._score_s is None:
            return
        view, theme = self.desk.view, self.desk.theme
        for time_s, style in ((self._from_s, Qt.PenStyle.DotLine), (self._to_s(), Qt.PenStyle.SolidLine)):
            painter.setPen(QPen(theme.colour("accent"), 1.6, style))
            x = view.x_of(time_s)
            painter.drawLine(QLineF(x, 0, x, view.height))

    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        return self.cursor if self._place(at) is not None else Qt.CursorShape.ArrowCursor

    def _to_s(self) -> float:
        start, now = self.start, self.now
        if start is None or now is None:
            return self._from_s
        to_s = self._from_s + now.time_s - start.time_s
        # Beats lie where the alignment has put them, which is what an anchor corrects: only the sound can hold it.
        return self.desk.snap(to_s, bypass=now.alt) if self.desk.snapping.mode.key == "onsets" else to_s

    def _place(self, at: Pointer) -> tuple[float, float] | None:
        """Score and recording seconds of what lies under the pointer: a note's onset, or else the nearest bar line."""
        state = self.desk.document.state
        if state.score is None or state.alignment is None:
            return None
        note = self.note_at(at)
        if note is not None:
            if self._written[0] is not state.score:
                self._written = (state.score, {n.id: n.onset_s for n in state.score.notes})
            written_s = self._written[1].get(note.id)
            return (written_s, note.onset_s) if written_s is not None else None
        near = [
            (abs(self.desk.view.x_of(time_s) - at.x), score_s, time_s)
            for score_s, time_s in self.desk.beats.bars_between(
                at.time_s - BAR_REACH_PX / self.desk.view.px_per_s, at.time_s + BAR_REACH_PX / self.desk.view.px_per_s
            )
        ]
        return min(near)[1:] if near else None
