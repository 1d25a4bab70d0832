"""The piano roll: a plain widget that paints itself. Spectrogram as ground, notes as figures, tools on top."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from soli.project.document import Document
from soli.signal.log_spectrogram import ROWS, LogSpectrogram
from soli.ui.beats import Beats
from soli.ui.roll import painting, wheel
from soli.ui.roll.boxes import LEAST_PX
from soli.ui.roll.card import NoteCard, draw_card
from soli.ui.roll.edge_scroll import EdgeScroll
from soli.ui.roll.figures import draw_selected
from soli.ui.roll.note_field import NoteField, Region, StrengthOf
from soli.ui.roll.note_keys import NoteKeys
from soli.ui.roll.scene import Audible, Scene
from soli.ui.roll.snapping import ONSET_REACH_PX, Snapping
from soli.ui.roll.toolbox import TOOLS
from soli.ui.roll.tools import Pointer, Tool, says
from soli.ui.roll.view import View
from soli.ui.selection import Selection
from soli.ui.theme import Theme

SHOWN = frozenset({"notes", "absent", "mask", "alignment", "settings", "layers", "score", "recording"})
EDITED = frozenset({"notes", "absent", "mask", "history"})
AROUND_PX = 14  # a note's handles lie beside its body


class Canvas(QWidget):
    """Shows and edits the document's notes and mask. `hint_changed` says what the tool would do where the pointer is."""

    hint_changed = Signal(str)
    tool_changed = Signal(int)
    pitch_pointed = Signal(object)  # the pitch under the pointer, None where it left
    menu_requested = Signal(QPoint)
    escaped = Signal()
    note_pressed = Signal(int)  # a note that will have been clicked, unless the press becomes a drag
    note_clicked = Signal(int)  # a note was clicked and nothing else: the user wants to hear it
    anchor_set = Signal(float, float)  # score seconds, recording seconds

    def __init__(self, document: Document, selection: Selection, view: View, theme: Theme) -> None:
        super().__init__()
        self.document, self.selection, self.view, self.theme = document, selection, view, theme
        self.scene = Scene(document, view, theme)
        self._strengths: StrengthOf | None = None
        self.snapping = Snapping(document)
        self._edges = EdgeScroll(view, self._drag_on)
        self.keys = NoteKeys(document, selection, view)
        self._tools = [tool(self) for tool in TOOLS]
        self._tool = self._tools[0]
        self._pointer: Pointer | None = None
        self._pan_from: QPointF | None = None
        self._playhead_s: float | None = None
        self.card = NoteCard(self._note_under)
        self.card.changed.connect(self.update)

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Piano roll")
        document.subscribe(self._follow)
        selection.changed.connect(self._selection_changed)
        view.changed.connect(self.update)
        view.axis_changed.connect(self.scene.rest_others)
        self.scene.changed.connect(self._repaint)
        self.scene.rested.connect(self.update)
        self.snapping.changed.connect(self.update)
        theme.changed.connect(self.scene.recolour)

    @property
    def field(self) -> NoteField:
        """The notes of the document, as columns."""
        return self.scene.field

    @property
    def beats(self) -> Beats:
        return self.scene.beats

    @property
    def audible(self) -> Audible:
        return self.scene.audible

    @property
    def tool(self) -> Tool:
        return self._tool

    def use_tool(self, index: int) -> None:
        self._tool.cancel()
        self._tool = self._tools[index]
        self.setCursor(self._tool.cursor)
        self.tool_changed.emit(index)
        self.hint_changed.emit(says(self._tool, None))
        self.update()

    def set_strengths(self, strengths: StrengthOf | None) -> None:
        """Opacity of each note from 0 to 1; None: how sure the alignment is of it."""
        self._strengths = strengths
        self.scene.set_field(self.field.updated(self.document.state, strengths))

    def set_audible(self, silent: frozenset[int]) -> None:
        if silent != self.audible.silent:
            self.scene.audible = Audible(silent)
            self.update()

    def set_playhead(self, time_s: float | None) -> None:
        """Move the playhead; only the strips it leaves and enters are painted again."""
        former, self._playhead_s = self._playhead_s, time_s
        for moment in {former, time_s} - {None}:
            assert moment is not None
            self.update(QRect(round(self.view.x_of(moment)) - 2, 0, 5, self.height()))

    def layer_colour(self, layer: int) -> QColor:
        return self.scene.layer_colour(layer)

    def heard(self, start_s: float, end_s: float, most: int) -> NDArray[np.uint8]:
        """Columns of the spectrogram in a stretch of time; none before there is a picture."""
        image = self.scene.images.get("log")
        picture = image.picture if image is not None else None
        return picture.columns(start_s, end_s, most) if isinstance(picture, LogSpectrogram) else np.zeros((ROWS, 0), np.uint8)

    def anchor(self, score_s: float, recording_s: float) -> None:
        self.anchor_set.emit(score_s, recording_s)

    def snap(self, time_s: float, *, bypass: bool = False) -> float:
        """Where a dragged time holds on, in seconds; itself where nothing holds it, or with `bypass` (Alt)."""
        return self.snapping.snap(time_s, reach_s=ONSET_REACH_PX / self.view.px_per_s, bypass=bypass)

    def paintEvent(self, event: QPaintEvent) -> None:
        view, theme = self.view, self.theme
        with QPainter(self) as painter:
            painter.setClipRect(event.rect())
            hidden = self._tool.hidden if not self._tool.away else frozenset()
            self.scene.paint(painter, event.rect(), self.devicePixelRatioF(), hidden=hidden)
            chosen = self.selection.ids - hidden if hidden else self.selection.ids
            draw_selected(painter, view, self.field, chosen, QRectF(event.rect()), theme.colour("selection"))
            if not self._tool.away:
                self._tool.paint(painter)
            if self.snapping.line_s is not None:
                painting.draw_snap_line(painter, view, theme, self.snapping.line_s)
            if self._playhead_s is not None:
                painting.draw_playhead(painter, view, theme, self._playhead_s)
            self._paint_card(painter)

    def _repaint(self, box: QRect) -> None:
        # As a slot, `update` itself would take no box and paint everything.
        self.update(box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.view.resize(event.size().width(), event.size().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.card.hide()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._may_use(event.button()):
            self._tool.press(self._at(event))
            if (pressed := self._tool.clicked) is not None:
                self.note_pressed.emit(pressed)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._tool.double_click(self._at(event)):
            self.update()
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            way = event.position() - self._pan_from
            self._pan_from = event.position()
            self.view.scroll(seconds=-way.x() / self.view.px_per_s, semitones=way.y() / self.view.px_per_semitone)
            return
        self._pointer = self._at(event)
        self.pitch_pointed.emit(self._pointer.pitch)
        self.snapping.let_go()
        if self._tool.dragging:
            self._tool.drag(self._pointer)
            self._edges.hold(self._pointer.x)
            self.update()
        else:
            self.setCursor(self._tool.shape_at(self._pointer))
            if self._tool.hover(self._pointer):
                self.update()
            self.card.hover()
        self.hint_changed.emit(says(self._tool, self._pointer))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
            self.setCursor(self._tool.cursor)
        elif self._tool.dragging:
            clicked = self._tool.clicked
            self._tool.release(self._at(event))
            self._edges.let_go()
            self.snapping.let_go()
            if clicked is not None:
                self.note_clicked.emit(clicked)
            self.update()

    def hold_drag(self, away: bool) -> None:
        """The drag has gone where it means something else (`away`), or has come back."""
        if away != self._tool.away:
            self._tool.away = away
            self.pitch_pointed.emit(None)
            self._edges.let_go()
            self.snapping.let_go()
            self.update()

    def drop_drag(self) -> None:
        """The drag has ended elsewhere: nothing moves."""
        self._tool.cancel()
        self.update()

    def _drag_on(self) -> None:
        """The roll has moved under a pointer that drags."""
        if self._pointer is None or not self._tool.dragging:
            self._edges.let_go()
            return
        self._pointer = replace(self._pointer, time_s=self.view.time_at(self._pointer.x))
        self.snapping.let_go()
        self._tool.drag(self._pointer)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # Brushes use the right button themselves; the menu key always opens the menu.
        if event.reason() != QContextMenuEvent.Reason.Mouse or not self._tool.both_buttons:
            self.menu_requested.emit(event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.pitch_pointed.emit(None)
        self._tool.hover(None)
        self.snapping.let_go()
        self.card.hide()
        self.update()
        self.hint_changed.emit(says(self._tool, None))
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.card.hide()
        wheel.over_canvas(self.view, event)

    def event(self, event: QEvent) -> bool:
        return wheel.pinched(self.view, event) or super().event(event)

    def focusNextPrevChild(self, next_child: bool) -> bool:
        # Tab walks through the notes; F6 leaves the roll.
        return False if self.document.state.notes else super().focusNextPrevChild(next_child)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        acts: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Tab: lambda: self._next_note(1),
            Qt.Key.Key_Backtab: lambda: self._next_note(-1),
            Qt.Key.Key_Escape: self._escape,
        }
        act = acts.get(event.key())
        if act is not None:
            act()
        elif not self.keys.press(event):
            super().keyPressEvent(event)

    def describe(self, note_id: int) -> tuple[str, str]:
        """What a note is, as a title and a line of details."""
        note = self.document.state.notes[note_id]
        layer = self.document.state.layer(note.layer)
        bar = self.beats.bar_at(note.onset_s)
        title = [
            self.document.state.pitch_name(note.pitch, note.onset_s),
            *([f"bar {bar}"] if bar is not None else []),
            *([layer.name] if layer else []),
        ]
        details = [f"onset {note.onset_s:.2f} s", f"length {note.sounding_offset_s - note.onset_s:.2f} s"]
        if note_id in self.field.confidence:
            details.append(f"sure {self.field.confidence[note_id]:.2f}")
        if note_id in self.document.state.absent:
            details.append("left out")
        if layer is not None and layer.locked:
            details.append("locked")
        return "  ·  ".join(title), "   ".join(details)

    def note_pitch(self, at: QPoint) -> int | None:
        """The pitch of the note at a point of the screen, or else the one pitch of all that is selected."""
        position, notes = QPointF(self.mapFromGlobal(at)), self.document.state.notes
        pitch = self.view.pitch_at(position.y())
        if self.field.note_at(self.view.time_at(position.x()), pitch) is not None:
            return pitch
        pitches = {notes[i].pitch for i in self.selection.ids}
        return pitches.pop() if len(pitches) == 1 else None

    def add_menu(self, menu: QMenu, at: QPoint) -> None:
        """Select what lies under the menu before it opens, as a click would."""
        position = QPointF(self.mapFromGlobal(at))
        time_s, pitch = self.view.time_at(position.x()), self.view.pitch_at(position.y())
        note = self.field.note_at(time_s, pitch)
        if note is not None and note not in self.selection.ids:
            self.selection.set({note})
        menu.exec(at)

    def _may_use(self, button: Qt.MouseButton) -> bool:
        if not self.document.state.layers and self.document.state.audio is None:
            return False
        return button == Qt.MouseButton.LeftButton or (button == Qt.MouseButton.RightButton and self._tool.both_buttons)

    def _at(self, event: QMouseEvent) -> Pointer:
        x, y, keys = event.position().x(), event.position().y(), event.modifiers()
        right = event.button() == Qt.MouseButton.RightButton or bool(event.buttons() & Qt.MouseButton.RightButton)
        return Pointer(
            x,
            y,
            self.view.time_at(x),
            self.view.pitch_at(y),
            shift=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(keys & Qt.KeyboardModifier.ControlModifier),
            alt=bool(keys & Qt.KeyboardModifier.AltModifier),
            right=right,
        )

    def _paint_card(self, painter: QPainter) -> None:
        note = self.document.state.notes.get(self.card.note) if self.card.note is not None else None
        if note is not None and not self._tool.dragging:
            box = painting.rectangle(self.view, note.pitch, note.onset_s, note.sounding_offset_s)
            draw_card(painter, self.view, self.theme, box, *self.describe(note.id))

    def _note_under(self) -> int | None:
        at = self._pointer
        return self.field.note_at(at.time_s, at.pitch) if at else None

    def _next_note(self, step: int) -> None:
        note_id = self.keys.walk(self.field, step)
        if note_id is not None:
            self.reveal(note_id)

    def reveal(self, note_id: int) -> None:
        """Scroll until a note can be seen."""
        note = self.document.state.notes[note_id]
        self.view.bring_into_view(note.onset_s)
        self.view.bring_pitch_into_view(note.pitch)

    def _escape(self) -> None:
        if self._tool.dragging:
            self._tool.abort()
            self._edges.let_go()
            self.snapping.let_go()
            self.update()
        else:
            self.escaped.emit()

    def _selection_changed(self) -> None:
        self.document.end_gesture()
        self.update()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"score", "alignment"}:
            self.scene.beats = Beats(self.document.state)
        if aspects & SHOWN:
            dragged = self._tool.dragging
            self._tool.cancel()
            self.card.hide()
            field = self.field.updated(self.document.state, self._strengths)
            self.view.set_duration(self.document.state.duration_s, last_note_s=field.last_s)
            region = field.region if aspects <= EDITED else None
            self.scene.set_field(field, self._box_of(region) if region is not None else None)
            if dragged:
                self.update()  # what a drag has drawn may lie anywhere

    def _box_of(self, region: Region) -> QRect:
        """All pixels that a region of the field can touch, the lines around its notes as well."""
        start_s, end_s, lowest, highest = region
        if end_s < start_s:
            return QRect()
        left, right = (round(min(max(self.view.x_of(t), -9.0), self.width() + 9.0)) for t in (start_s, end_s))
        top, bottom = round(self.view.y_of(highest)), round(self.view.y_of(lowest - 1))
        return QRect(left, top, max(right - left, round(LEAST_PX)), bottom - top).adjusted(-AROUND_PX, -5, AROUND_PX, 5)
