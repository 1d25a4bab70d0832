"""What a tool of the roll is: it sees the pointer, shows what a drag would do, and makes one edit of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter

from soli.project.document import Document
from soli.score.notes import Note
from soli.ui.beats import Beats
from soli.ui.roll.hits import SLACK_PX, note_under
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.snapping import Snapping
from soli.ui.roll.view import View
from soli.ui.selection import Selection
from soli.ui.theme import Theme

DRAG_PX = 3.0


class Desk(Protocol):
    """What a tool works on: the canvas."""

    document: Document
    selection: Selection
    view: View
    theme: Theme
    snapping: Snapping

    @property
    def field(self) -> NoteField: ...
    @property
    def beats(self) -> Beats: ...
    def layer_colour(self, layer: int) -> QColor: ...
    def snap(self, time_s: float, *, bypass: bool = False) -> float: ...
    def heard(self, start_s: float, end_s: float, most: int) -> NDArray[np.uint8]: ...
    def anchor(self, score_s: float, recording_s: float) -> None: ...


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is and which keys are held."""

    x: float
    y: float
    time_s: float
    pitch: int
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    right: bool = False


class Tool:
    """A tool sees press, drag and release; `cancel` forgets the drag. `paint` draws what the drag would do."""

    name = ""
    key = ""
    hint = ""
    cursor = Qt.CursorShape.ArrowCursor
    both_buttons = False  # whether the right button works too, doing the opposite of the left one

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.start: Pointer | None = None
        self.now: Pointer | None = None
        self.away = False  # the drag has left the roll for where it means something else

    @property
    def dragging(self) -> bool:
        return self.start is not None

    @property
    def moved(self) -> bool:
        start, now = self.start, self.now
        return bool(start and now and (abs(now.x - start.x) > DRAG_PX or abs(now.y - start.y) > DRAG_PX))

    @property
    def hidden(self) -> frozenset[int]:
        """Notes that the tool draws in another place while it drags."""
        return frozenset()

    @property
    def carries(self) -> frozenset[int]:
        """Notes that the drag moves, and that could be dropped outside the roll."""
        return frozenset()

    @property
    def clicked(self) -> int | None:
        """The note that a plain click, released now, would mean to hear."""
        return None

    def press(self, at: Pointer) -> None:
        self.start = self.now = at

    def drag(self, at: Pointer) -> None:
        self.now = at

    def release(self, at: Pointer) -> None:
        self.now = at
        self.finish()
        self.cancel()

    def cancel(self) -> None:
        self.start = self.now = None
        self.away = False

    def hover(self, at: Pointer | None) -> bool:
        """The pointer moves with no button held, or leaves (None); True where that has to be painted."""
        del at
        return False

    def double_click(self, at: Pointer) -> bool:
        """Whether a double click means something here, and was done."""
        del at
        return False

    def finish(self) -> None: ...
    def paint(self, painter: QPainter) -> None: ...
    def shape_at(self, at: Pointer) -> Qt.CursorShape:
        del at
        return self.cursor

    def abort(self) -> None:
        """Escape: forget the drag, and what it has shown so far."""
        self.cancel()

    def says(self, at: Pointer) -> str:
        """What the tool would do here."""
        del at
        return self.hint

    def reads(self, at: Pointer) -> str:
        """What the drag has come to."""
        start_s = self.start.time_s if self.start is not None else at.time_s
        low, high = sorted((start_s, at.time_s))
        name = self.desk.document.state.pitch_name(at.pitch, at.time_s)
        return f"{name}   ·   {at.time_s - start_s:+.2f} s   ·   {low:.2f} to {high:.2f} s"

    def note_at(self, at: Pointer) -> Note | None:
        """The note under the pointer, of those that are shown."""
        desk = self.desk
        slack_s = SLACK_PX / desk.view.px_per_s
        return note_under(desk.field, desk.document.state, at.time_s, at.pitch, slack_s=slack_s, layer=desk.selection.layer)

    def refuses(self, layer_id: int) -> str:
        """Why nothing can be changed in a layer, as a sentence; "" where it can."""
        layer = self.desk.document.state.layer(layer_id)
        if layer is None or not (layer.locked or layer.hidden):
            return ""
        return f"{layer.name} is {'locked' if layer.locked else 'hidden'}"


def says(tool: Tool, at: Pointer | None) -> str:
    """The tool's hint, naming the pitch under the pointer."""
    if at is None:
        return tool.hint
    if tool.dragging:
        return tool.reads(at).replace("-", "−")
    return f"{tool.desk.document.state.pitch_name(at.pitch, at.time_s)}   ·   {tool.says(at)}"
