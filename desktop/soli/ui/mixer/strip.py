"""One strip of the mixer: name, solo, mute, fader, pan and meter of a layer, of the residual or of the original."""

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from soli.playback.mixer import Strip
from soli.ui.mixer.fader import Fader, spoken_gain
from soli.ui.mixer.keys import wants_return
from soli.ui.mixer.meter import Meter
from soli.ui.mixer.name_edit import NameEdit
from soli.ui.mixer.pan_knob import PanKnob, spoken_pan
from soli.ui.mixer.value_field import ValueField, gain_of, pan_of
from soli.ui.plain import plain
from soli.ui.theme import Theme

BUTTON = QSize(26, 22)
FLAG = QSize(22, 20)
FLAG_ICON = QSize(14, 14)


class StripButton(QToolButton):
    """Return presses it (Space plays); up and down lead to the other strips."""

    walked = Signal(int)

    def event(self, event: QEvent) -> bool:
        return wants_return(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        elif event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.walked.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)


class StripWidget(QWidget):
    """Shows one strip and says what the user does with it. `id` is the layer's, RESIDUAL or ORIGINAL."""

    chosen = Signal(int)
    renamed = Signal(int, str)
    strip_moved = Signal(int, object, bool)  # id, Strip, whether a drag goes on
    gesture_ended = Signal()
    exclusive_solo = Signal(int)
    all_but = Signal(int)
    flags_changed = Signal(int, bool, bool)  # id, hidden, locked
    header_dragged = Signal(int, QPointF)  # id, and where on the screen the pointer is
    header_dropped = Signal(int, bool)  # id, False where Escape took it back
    menu_requested = Signal(int, QPoint)
    done = Signal()  # a name was typed, a drag is over: the keyboard belongs to the roll again
    neighbour_requested = Signal(int, int)  # id, and -1 for the strip above or 1 for the one below

    def __init__(self, strip_id: int, theme: Theme) -> None:
        super().__init__()
        self.id = strip_id
        self._theme = theme
        self._strip = Strip()
        self._colour = QColor(theme.colours.dim)
        self._active = False
        self._welcoming = False
        self._compact = False
        self._pressed: QPointF | None = None
        self._dragged = False
        self.setObjectName("stripCard")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: self.menu_requested.emit(self.id, self.mapToGlobal(at)))

        self.name = NameEdit()
        self.name.setEnabled(strip_id >= 0)
        self.name.named.connect(lambda text: self.renamed.emit(self.id, text))
        self.name.left.connect(self.done)
        self.caption = QLabel()
        self.caption.setObjectName("quiet")
        self.solo = self._button("S", "solo", "Solo: hear this alone, or with other soloed strips; Ctrl-click: only this")
        self.mute = self._button("M", "mute", "Mute: silence this; Ctrl-click: hear all but this")
        self.eye = self._flag("Its notes on the roll: shown or hidden; they are heard all the same")
        self.lock = self._flag("Lock: no edit reaches the notes of a locked layer")
        self.menu_button = StripButton()
        self.menu_button.walked.connect(lambda step: self.neighbour_requested.emit(self.id, step))
        self.menu_button.setObjectName("strip")
        self.menu_button.setProperty("role", "menu")
        self.menu_button.setFixedSize(20, 22)
        self.menu_button.setToolTip("More for this layer")
        self.menu_button.clicked.connect(self._open_menu)
        self.fader = Fader(theme)
        self.gain = ValueField(gain_of, 58, "Gain in dB: type another, such as −3 or −∞")
        self.gain.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.pan = PanKnob(theme)
        self.side = ValueField(pan_of, 40, "Pan in percent: type another, such as L 30 or C")
        self.meter = Meter(theme, about="A click clears the clip light")

        self._head = head = QHBoxLayout()
        head.setSpacing(5)
        for widget, stretch in ((self.name, 1), (self.solo, 0), (self.mute, 0), (self.menu_button, 0)):
            head.addWidget(widget, stretch)
        self._flags = flags = QHBoxLayout()
        flags.setSpacing(5)
        flags.addWidget(self.caption, 1)
        flags.addWidget(self.eye)
        flags.addWidget(self.lock)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.fader, 1)
        for small in (self.gain, self.pan, self.side):
            row.addWidget(small)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(15, 6, 8, 9)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addLayout(flags)
        layout.addLayout(row)
        layout.addWidget(self.meter)

        # Only then does it take the focus, and has a place in the order.
        self.meter.lit.connect(lambda: QWidget.setTabOrder(self.side, self.meter))
        self.solo.clicked.connect(self._solo_clicked)
        self.mute.clicked.connect(self._mute_clicked)
        self.fader.gain_moved.connect(lambda gain: self._change(replace(self._strip, gain_db=gain), dragging=True))
        self.fader.let_go.connect(self.gesture_ended)
        self.pan.pan_moved.connect(lambda pan: self._change(replace(self._strip, pan=pan), dragging=True))
        self.pan.let_go.connect(self.gesture_ended)
        self.gain.typed.connect(lambda gain: self._change(replace(self._strip, gain_db=gain)))
        self.side.typed.connect(lambda pan: self._change(replace(self._strip, pan=pan)))
        for field in (self.gain, self.side):
            field.left.connect(self.done)
        for flag in (self.eye, self.lock):
            flag.setVisible(strip_id >= 0)
            flag.clicked.connect(lambda: self.flags_changed.emit(self.id, self.eye.isChecked(), self.lock.isChecked()))
        theme.changed.connect(self._retheme)
        self._retheme()

    @property
    def controls(self) -> list[QWidget]:
        """What the keyboard reaches, in its order."""
        flags = [self.eye, self.lock] if self.id >= 0 else []
        return [self.solo, self.mute, self.menu_button, *flags, self.fader, self.gain, self.pan, self.side]

    def show_layer(self, name: str, caption: str, colour: str, *, active: bool) -> None:
        if self.name.isReadOnly() and self.name.text() != name:
            self.name.setText(name)
            self.name.setCursorPosition(0)
        about = f"{name}: {caption}"
        self.name.setToolTip(plain(f"{about}   (double-click to rename)" if self.id >= 0 else about))
        self.caption.setText(caption)
        self._colour, self._active = QColor(colour), active
        self.fader.set_colour(self._colour)
        names = {
            self.solo: "Solo",
            self.mute: "Mute",
            self.fader: "Gain of",
            self.pan: "Pan of",
            self.menu_button: "More for",
            self.eye: "Hide",
            self.lock: "Lock",
        }
        for widget, what in names.items():
            widget.setAccessibleName(f"{what} {name}")
        self.name.setAccessibleName(f"Name of {name}")
        self.gain.setAccessibleName(f"Gain of {name} in decibels")
        self.side.setAccessibleName(f"Pan of {name} in percent")
        self.meter.setAccessibleName(f"Level of {name}")
        self.setAccessibleName(name)
        self.update()

    def show_flags(self, *, hidden: bool, locked: bool) -> None:
        """Whether the layer is hidden on the roll, and whether its notes are locked."""
        for button, on, off, shown in ((self.eye, hidden, "eye", "eye-off"), (self.lock, locked, "unlock", "lock")):
            button.setChecked(on)
            button.setIcon(self._theme.icon(shown if on else off))

    def set_compact(self, compact: bool) -> None:
        """Without the line under the name, whose buttons go beside it, where there is little room."""
        if compact != self._compact:
            self._compact = compact
            self.caption.setHidden(compact)
            for place, flag in enumerate((self.eye, self.lock), start=1):
                (self._flags if compact else self._head).removeWidget(flag)
                if compact:
                    self._head.insertWidget(place, flag)
                else:
                    self._flags.addWidget(flag)

    def welcome(self, welcoming: bool) -> None:
        """Whether notes that are dragged over it would be taken."""
        if welcoming != self._welcoming:
            self._welcoming = welcoming
            self.update()

    def show_strip(self, strip: Strip, *, audible: bool) -> None:
        """Take over what the document says; `audible` is false where mutes and solos of others silence it."""
        self._strip = strip
        self.solo.setChecked(strip.soloed)
        self.mute.setChecked(strip.muted)
        self.fader.show_gain(strip.gain_db)
        self.pan.show_pan(strip.pan)
        self.gain.show_value(spoken_gain(strip.gain_db), silent=not audible)
        self.side.show_value(spoken_pan(strip.pan), silent=not audible)

    def set_available(self, available: bool) -> None:
        """Whether there is a signal to hear."""
        for widget in (self.solo, self.mute, self.fader, self.gain, self.pan, self.side, self.meter):
            widget.setEnabled(available)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edge = "accent" if self._strip.soloed or self._welcoming else "dim" if self._active else "border"
            painter.setPen(QPen(theme.colour(edge), 2.0 if self._welcoming else 1.2 if edge != "border" else 1))
            painter.setBrush(theme.colour("accent_ground" if self._welcoming else "surface"))
            painter.drawRoundedRect(box, 7, 7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colour)
            painter.drawRoundedRect(box.adjusted(0, 9, -(box.width() - 3.5), -9), 1.7, 1.7)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.id)
        if event.button() == Qt.MouseButton.LeftButton and self.id >= 0:
            self._pressed = event.globalPosition()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        way = event.globalPosition() - self._pressed
        if not self._dragged and way.manhattanLength() >= QApplication.startDragDistance():
            self._dragged = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.setFocus(Qt.FocusReason.MouseFocusReason)  # for Escape
        if self._dragged:
            self.header_dragged.emit(self.id, event.globalPosition())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._end_drag(keep=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._dragged and event.key() == Qt.Key.Key_Escape:
            self._end_drag(keep=False)
        else:
            super().keyPressEvent(event)

    def _end_drag(self, *, keep: bool) -> None:
        dragged, self._pressed, self._dragged = self._dragged, None, False
        if dragged:
            self.unsetCursor()
            self.header_dropped.emit(self.id, keep)
            self.done.emit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._set_fonts()
        super().changeEvent(event)

    def _button(self, text: str, role: str, tip: str) -> QToolButton:
        button = StripButton()
        button.walked.connect(lambda step: self.neighbour_requested.emit(self.id, step))
        button.setObjectName("strip")
        button.setProperty("role", role)
        button.setText(text)
        button.setCheckable(True)
        button.setFixedSize(BUTTON)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _flag(self, tip: str) -> QToolButton:
        button = self._button("", "flag", tip)
        button.setFixedSize(FLAG)
        button.setIconSize(FLAG_ICON)
        return button

    def _solo_clicked(self, on: bool) -> None:
        if _with_ctrl():
            self.exclusive_solo.emit(self.id)
        else:
            self._change(replace(self._strip, soloed=on))

    def _mute_clicked(self, on: bool) -> None:
        if _with_ctrl():
            self.all_but.emit(self.id)
        else:
            self._change(replace(self._strip, muted=on))

    def _change(self, strip: Strip, *, dragging: bool = False) -> None:
        if strip != self._strip:
            self.strip_moved.emit(self.id, strip, dragging)

    def _open_menu(self) -> None:
        self.menu_requested.emit(self.id, self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))

    def _retheme(self) -> None:
        self.menu_button.setIcon(self._theme.icon("more"))
        self.caption.setFont(self._theme.font(8.3))
        self.show_flags(hidden=self.eye.isChecked(), locked=self.lock.isChecked())
        self._set_fonts()
        self.update()

    def _set_fonts(self) -> None:
        self.gain.setFont(self._theme.font(9, figures=True))
        self.side.setFont(self._theme.font(8.3, figures=True))


def _with_ctrl() -> bool:
    return bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
