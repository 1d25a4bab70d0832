"""The roll for those who cannot see it: its notes as a list of items, each with its name, and where the view is in words."""

import weakref
from collections.abc import Callable
from functools import cache

import numpy as np
from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QWindow
from PySide6.QtWidgets import QAccessibleWidget, QWidget

from soli.project.document import Document
from soli.score.notes import Note
from soli.ui.announce import announce, tell
from soli.ui.beats import NO_BAR, Beats, places
from soli.ui.roll.canvas import Canvas
from soli.ui.roll.painting import rectangle
from soli.ui.roll.ruler import clock
from soli.ui.selection import Selection
from soli.ui.spoken import marks_of, spoken_note, spoken_pitch

SETTLE_MS = 250  # the view moves faster than anyone would want to be told
Text, Role, Event = QAccessible.Text, QAccessible.Role, QAccessible.Event


class RollInterface(QAccessibleWidget):
    """The canvas as a list of the notes that it shows, ordered by onset."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas, Role.List, "Piano roll")
        # Qt keeps interfaces for good; they must not keep what they speak of.
        self._canvas = weakref.ref(canvas)
        self._order: list[int] = []
        self._place: dict[int, int] = {}
        self._notes: object = None
        self._hidden: frozenset[int] = frozenset()
        self._items: dict[int, NoteInterface] = {}

    def childCount(self) -> int:
        return len(self._ids())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        ids = self._ids()
        return self._item(ids[index]) if 0 <= index < len(ids) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return self.place_of(child.note) if isinstance(child, NoteInterface) else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        canvas = self._canvas()
        if canvas is None:
            return None
        at = canvas.mapFromGlobal(QPoint(x, y))
        note = canvas.field.note_at(canvas.view.time_at(at.x()), canvas.view.pitch_at(at.y()))
        return self._item(note) if note is not None else None

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        canvas = self._canvas()
        if canvas is None or not canvas.hasFocus():
            return None
        chosen = canvas.selection.ids & canvas.document.state.notes.keys()
        return self._item(next(iter(chosen))) if len(chosen) == 1 else self

    def place_of(self, note: int) -> int:
        """Which child a note is; -1 for none."""
        self._ids()
        return self._place.get(note, -1)

    def _item(self, note: int) -> "NoteInterface":
        # Kept for good: a reader may ask about a note that is gone, and undo brings it back.
        if note not in self._items:
            self._items[note] = NoteInterface(self, self._canvas, note)
        return self._items[note]

    def _ids(self) -> list[int]:
        canvas = self._canvas()
        if canvas is None:
            return []
        state = canvas.document.state
        hidden = state.hidden_layers
        if self._notes is not state.notes or self._hidden != hidden:
            self._notes, self._hidden = state.notes, hidden
            notes = sorted((n.onset_s, n.id) for n in state.notes.values() if n.layer not in hidden)
            self._order = [note for _, note in notes]
            self._place = dict(zip(self._order, range(len(self._order)), strict=True))
        return self._order


class NoteInterface(QAccessibleInterface):
    """One note of the roll."""

    def __init__(self, roll: RollInterface, canvas: Callable[[], Canvas | None], note: int) -> None:
        super().__init__()
        self._roll, self._canvas, self.note = roll, canvas, note

    def isValid(self) -> bool:
        return self._note() is not None

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]
        canvas = self._canvas()
        return canvas.window().windowHandle() if canvas is not None else None

    def parent(self) -> QAccessibleInterface:
        return self._roll

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        del index
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        del child
        return -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        del x, y
        return None

    def role(self) -> QAccessible.Role:
        return Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        canvas, note = self._canvas(), self._note()
        if canvas is None or note is None:
            return ""
        if kind == Text.Name:
            return name_of(canvas, note)
        return canvas.describe(note.id)[1] if kind == Text.Description else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Nothing: notes have no text of their own."""

    def rect(self) -> QRect:
        canvas, note = self._canvas(), self._note()
        if canvas is None or note is None:
            return QRect()
        box = rectangle(canvas.view, note.pitch, note.onset_s, note.sounding_offset_s).toAlignedRect()
        return QRect(canvas.mapToGlobal(box.topLeft()), box.size()) & QRect(canvas.mapToGlobal(QPoint()), canvas.size())

    def state(self) -> QAccessible.State:
        canvas, state = self._canvas(), QAccessible.State()
        state.focusable = state.selectable = state.multiSelectable = True
        if canvas is None or self._note() is None:
            state.invalid = True
        else:
            state.selected = self.note in canvas.selection.ids
            state.focused = canvas.hasFocus() and canvas.selection.ids == {self.note}
            state.offscreen = self.rect().isEmpty()
        return state

    def _note(self) -> Note | None:
        canvas = self._canvas()
        return canvas.document.state.notes.get(self.note) if canvas is not None else None


class Narrator(QObject):
    """Tells a screen reader which note is selected on the roll, and what has become of it."""

    def __init__(
        self, document: Document, selection: Selection, canvas: Canvas, *, keyboard: QWidget, ruler: QWidget, minimap: QWidget
    ) -> None:
        super().__init__(canvas)
        install()
        self._document, self._selection, self._canvas = document, selection, canvas
        self._keyboard, self._ruler, self._minimap = keyboard, ruler, minimap
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._describe_view)
        canvas.view.changed.connect(self._view_changed)
        selection.changed.connect(self._selected)
        document.subscribe(self._follow)
        keyboard.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _selected(self) -> None:
        ids = self._selection.ids
        if len(ids) == 1:
            self._canvas.setAccessibleDescription(name_of(self._canvas, self._document.state.notes[next(iter(ids))]))
        else:
            self._canvas.setAccessibleDescription(f"{len(ids) or 'no'} notes selected")
        if not (QAccessible.isActive() and self._canvas.hasFocus()):
            return
        if len(ids) == 1:
            self._tell(Event.Focus, next(iter(ids)))
        else:
            announce(self._canvas, self._canvas.accessibleDescription())

    def _follow(self, aspects: frozenset[str]) -> None:
        ids = self._selection.ids & self._document.state.notes.keys()
        if aspects & {"notes", "absent", "layers"} and len(ids) == 1:
            note = next(iter(ids))
            self._canvas.setAccessibleDescription(name_of(self._canvas, self._document.state.notes[note]))
            if QAccessible.isActive() and self._canvas.hasFocus():
                self._tell(Event.NameChanged, note)

    def _tell(self, kind: QAccessible.Event, note: int) -> None:
        interface = QAccessible.queryAccessibleInterface(self._canvas)
        place = interface.place_of(note) if isinstance(interface, RollInterface) else -1
        if place >= 0:
            event = QAccessibleEvent(self._canvas, kind)
            event.setChild(place)
            tell(event)

    def _view_changed(self) -> None:
        if not self._settle.isActive():
            self._settle.start()

    def _describe_view(self) -> None:
        view, state = self._canvas.view, self._document.state
        stretch = f"{clock(max(0.0, view.start_s))} to {clock(min(view.end_s, max(state.duration_s, view.start_s)))}"
        bars = _bars(self._canvas.beats, view.start_s, view.end_s)
        self._ruler.setAccessibleDescription(f"{stretch}{bars}")
        self._minimap.setAccessibleDescription(f"showing {stretch} of {clock(state.duration_s)}")
        low, high = view.pitch_at(self._canvas.height()), view.pitch_at(0)
        pitches = " to ".join(spoken_pitch(state.pitch_name(pitch, view.start_s)) for pitch in (max(0, low), min(127, high)))
        self._keyboard.setAccessibleDescription(f"{pitches}; Shift+P on the roll selects all notes of a pitch")


def name_of(canvas: Canvas, note: Note) -> str:
    """A note of the roll as it should be read: pitch, bar, layer, and what else there is to say of it."""
    state = canvas.document.state
    layer = state.layer(note.layer)
    marks = marks_of(
        silent=note.layer in canvas.audible.silent,
        absent=note.id in state.absent,
        locked=layer is not None and layer.locked,
        hidden=layer is not None and layer.hidden,
    )
    bar = int(places(canvas.beats, np.array([note.onset_s]))[0][0])
    name = state.pitch_name(note.pitch, note.onset_s)
    return spoken_note(name, bar=None if bar == NO_BAR else bar, layer=layer.name if layer else "", marks=marks)


@cache
def install() -> None:
    """Let Qt ask for the interfaces of this module; once is enough for the whole process."""
    QAccessible.installFactory(_interface)


def _interface(_class: str, thing: QObject) -> QAccessibleInterface | None:
    return RollInterface(thing) if isinstance(thing, Canvas) else None


def _bars(beats: Beats, start_s: float, end_s: float) -> str:
    first, last = beats.bar_at(start_s), beats.bar_at(end_s)
    if last is None:
        return ""
    first = int(beats.bar[0]) if first is None else first
    return f", bar {first}" if first == last else f", bars {first} to {last}"
