"""A line over the roll at which notes are parted into two layers: it follows the hand, and the notes show what would become."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from soli.project import commands
from soli.project.edits import count
from soli.ui.announce import announce
from soli.ui.plain import plain
from soli.ui.roll.canvas import Canvas
from soli.ui.roll.hits import shown
from soli.ui.roll.parting import Parting

MIDDLE_C = 60
UPPER, LOWER = -1, -2  # layers of the preview
OCTAVE = 12
MARGIN_PX = 12
LONGEST_NAME = 12
STEPS = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: OCTAVE,
    Qt.Key.Key_PageDown: -OCTAVE,
}
ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
OWN = frozenset({*STEPS, *ENTER, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab})


@dataclass(frozen=True)
class Scope:
    """Which notes are parted, and how they are called."""

    name: str
    ids: frozenset[int]


class SplitLine(QWidget):
    """Lies over a canvas while it is open. Pointer or arrows move the line, click or Return parts, Escape leaves it."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas, self._document, self._selection = canvas, canvas.document, canvas.selection
        self._theme, self._view = canvas.theme, canvas.view
        self._scopes: list[Scope] = []
        self._scope = Scope("", frozenset())
        self._pitch = MIDDLE_C
        self._parting = Parting(canvas.field, (), upper=UPPER, lower=LOWER)
        self._colours = (QColor(), QColor())
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitVCursor)
        self.setAccessibleName("Split line")
        self.bar = QFrame(self)
        self.bar.setObjectName("splitBar")
        self.bar.setCursor(Qt.CursorShape.ArrowCursor)
        self.says = QLabel()
        self._choices = QHBoxLayout()
        self._choices.setSpacing(4)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(lambda index: self._use(self._scopes[index]))
        self.apply_button = QPushButton("Split")
        self.apply_button.setObjectName("primary")
        self.apply_button.setToolTip("Make two layers of these notes (Return, or a click on the line)")
        self.apply_button.clicked.connect(self.apply)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Leave the layers as they are (Esc)")
        self.cancel_button.clicked.connect(self.leave)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(10, 6, 6, 6)
        row.setSpacing(5)
        row.addWidget(self.says)
        row.addLayout(self._choices)
        for button in (self.apply_button, self.cancel_button):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys stay with the line
            row.addWidget(button)
        self.hide()
        canvas.installEventFilter(self)
        self._view.changed.connect(self.update)
        self._theme.changed.connect(self._show_preview)
        self._document.subscribe(self._follow)

    @property
    def pitch(self) -> int:
        """The lowest pitch of the upper layer."""
        return self._pitch

    @property
    def scope(self) -> Scope:
        return self._scope

    def begin(self) -> None:
        """Open the line: over the selected notes where they can be parted, over all else."""
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)  # a name that is being typed is finished first
        self._scopes = self._possible()
        if not self._scopes:
            self._canvas.hint_changed.emit("There are no notes of several pitches to split")
            return
        self._scope = self._scopes[-1] if self._selection.ids else self._scopes[0]
        self._look()
        parting = self._parting
        self._pitch = MIDDLE_C if parting.lowest < MIDDLE_C <= parting.highest else max(parting.middle, parting.lowest + 1)
        self._offer()
        self.setGeometry(self._canvas.rect())
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._view.bring_pitch_into_view(self._pitch)
        self._show_preview()

    def apply(self) -> None:
        """Part the notes; where all of them lie on one side the line stays."""
        state = self._document.state
        edit = commands.split_at_pitch(state, self._scope.ids, self._pitch, first_id=self._document.next_layer_id())
        if edit.changes_nothing:
            return
        self.leave()
        self._document.do(edit)

    def leave(self) -> None:
        """Close the line; nothing is changed."""
        if self.isHidden():
            return
        self.hide()
        self._canvas.scene.show_split(None)
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def move_to(self, pitch: int) -> None:
        """Put the line under a pitch."""
        pitch, former = min(max(pitch, self._parting.lowest), self._parting.highest + 1), self._pitch
        if pitch != former:
            self._pitch = pitch
            self._show_preview(between=(pitch - 0.5, former - 0.5))

    def _possible(self) -> list[Scope]:
        """What can be parted: all notes, the active layer, the selected ones; each of more than one pitch."""
        state = self._document.state
        every = frozenset(state.editable(shown(state, state.notes)))
        active, chosen = state.layer(self._selection.layer), self._selection.ids & every
        scopes = [Scope("All notes", every)]
        if active is not None and len(state.layers) > 1:
            scopes.append(Scope(active.name, frozenset(i for i in every if state.notes[i].layer == active.id)))
        if len(chosen) > 1:
            scopes.append(Scope(f"{len(chosen)} selected", chosen))
        return [scope for scope in scopes if len({state.notes[i].pitch for i in scope.ids}) > 1]

    def _offer(self) -> None:
        for old in self._group.buttons():
            self._group.removeButton(old)
            self._choices.removeWidget(old)
            old.deleteLater()
        for index, scope in enumerate(self._scopes):
            button = QToolButton()
            button.setText(scope.name if len(scope.name) <= LONGEST_NAME else f"{scope.name[: LONGEST_NAME - 1]}…")
            button.setCheckable(True)
            button.setChecked(scope is self._scope)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(plain(f"Part {scope.name[:1].lower()}{scope.name[1:]} (Tab goes on to the next)"))
            button.setVisible(len(self._scopes) > 1)
            self._group.addButton(button, index)
            self._choices.addWidget(button)

    def _use(self, scope: Scope) -> None:
        self._scope = scope
        self._look()
        self._group.button(self._scopes.index(scope)).setChecked(True)
        self.move_to(self._pitch)
        self._show_preview()

    def _look(self) -> None:
        """Look up the notes of the scope, and the colours they would have."""
        state, ids = self._document.state, self._scope.ids
        self._parting = Parting(self._canvas.field, ids, upper=UPPER, lower=LOWER)
        upper, lower = (QColor(layer.colour) for layer in commands.halves(state, ids, self._pitch))
        self._colours = upper, lower

    @property
    def _name(self) -> str:
        return self._document.state.pitch_name(self._pitch)

    def _show_preview(self, *, between: tuple[float, float] | None = None) -> None:
        """Show the notes as they would be; only those `between` two pitches are others than before, if they are given."""
        if self.isHidden():
            return
        notes, above = len(self._scope.ids), self._parting.above(self._pitch)
        words = f"Split at {self._name}:  {above} above  ·  {notes - above} below"
        self.apply_button.setEnabled(0 < above < notes)
        self.says.setText(f"Split at {self._name}")
        self.says.setFont(self._theme.font(9, figures=True))
        self.setAccessibleDescription(words)
        announce(self, f"{words}, {self._scope.name}")
        upper, lower = self._colours
        self._canvas.scene.show_split((self._parting.at(self._pitch), {UPPER: upper, LOWER: lower}), between=between)
        self._place_bar()
        self.update()

    def _place_bar(self) -> None:
        self.says.show()
        self.bar.adjustSize()
        # What the line says itself is the first to go where there is no room.
        self.says.setVisible(self.bar.width() <= self.width() - 2 * MARGIN_PX)
        self.bar.adjustSize()
        self.bar.move(MARGIN_PX, MARGIN_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, y = self._theme, self._view.edge_of(self._pitch - 0.5)
        upper, lower = self._colours
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawLine(QLineF(0, y, self.width(), y))
            above = self._parting.above(self._pitch)
            painter.setFont(theme.font(9, weight=QFont.Weight.DemiBold, figures=True))
            for text, colour, top in (
                (f"{self._name} and above · {count_of(above)}", upper, y - 27),
                (f"below · {count_of(len(self._scope.ids) - above)}", lower, y + 5),
            ):
                width = painter.fontMetrics().horizontalAdvance(text) + 32.0
                box = QRectF(self.width() - width - MARGIN_PX, top, width, 22)
                painter.setPen(QPen(theme.colour("border"), 1))
                painter.setBrush(theme.colour("surface", 240))
                painter.drawRoundedRect(box, 5, 5)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawEllipse(QPointF(box.left() + 13, box.center().y()), 4, 4)
                painter.setPen(theme.colour("ink"))
                painter.drawText(box.adjusted(23, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.MiddleButton:
            event.ignore()
        else:
            self._follow_pointer(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._follow_pointer(event)
        else:
            event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.apply()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in OWN:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, next_child: bool) -> bool:
        del next_child
        return False  # Tab goes on to other notes

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in STEPS:
            self.move_to(self._pitch + STEPS[key])
            self._view.bring_pitch_into_view(self._pitch)
        elif key in ENTER:
            self.apply()
        elif key == Qt.Key.Key_Escape:
            self.leave()
        elif key in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            step = 1 if key == Qt.Key.Key_Tab else -1
            self._use(self._scopes[(self._scopes.index(self._scope) + step) % len(self._scopes)])
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if event.reason() not in {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}:
            self.hide()
            self._canvas.scene.show_split(None)
        super().focusOutEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
            self._place_bar()
        return super().eventFilter(watched, event)

    def _follow_pointer(self, event: QMouseEvent) -> None:
        self.move_to(round(self._view.fine_pitch_at(event.position().y()) + 0.5))

    def _follow(self, aspects: frozenset[str]) -> None:
        """What was to be parted may be gone: the line does not outlive a change of the notes."""
        if aspects & {"notes", "layers", "recording"}:
            self.leave()


def count_of(number: int) -> str:
    return "no notes" if number == 0 else "1 note" if number == 1 else count(number, "note")
