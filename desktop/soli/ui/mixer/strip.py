"""One strip of the mixer: name, solo, mute, fader and meter of a layer, of the residual or of the original."""

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from soli.playback.mixer import Strip
from soli.ui.mixer.fader import Fader, spoken_gain
from soli.ui.mixer.meter import Meter
from soli.ui.theme import Theme

BUTTON = QSize(26, 22)


class NameEdit(QLineEdit):
    """A name that reads as a label until it is double-clicked or reached by F2."""

    named = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("name")
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrame(False)
        self._former = ""
        self.editingFinished.connect(self._finish)

    def edit(self) -> None:
        """Let the name be typed; Escape gives the former one back."""
        self._former = self.text()
        self.setReadOnly(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.selectAll()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly() and self.isEnabled():
            self.edit()
        else:
            super().mouseDoubleClickEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly():
            event.ignore()
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.isReadOnly():
            self.setText(self._former)
            self._finish()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isReadOnly():
            return
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.deselect()
        self.setCursorPosition(0)
        if self.text().strip() != self._former:
            self.named.emit(self.text().strip())
        self.clearFocus()
        self.left.emit()


class StripButton(QToolButton):
    """Return presses it (Space plays); up and down lead to the other strips."""

    walked = Signal(int)

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
    menu_requested = Signal(int, QPoint)
    done = Signal()  # a name was typed: the keyboard belongs to the roll again
    neighbour_requested = Signal(int, int)  # id, and -1 for the strip above or 1 for the one below

    def __init__(self, strip_id: int, theme: Theme) -> None:
        super().__init__()
        self.id = strip_id
        self._theme = theme
        self._strip = Strip()
        self._colour = QColor(theme.colours.dim)
        self._active = False
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
        self.mute = self._button("M", "mute", "Mute: silence this")
        self.menu_button = QToolButton()
        self.menu_button.setObjectName("strip")
        self.menu_button.setProperty("role", "menu")
        self.menu_button.setFixedSize(20, 22)
        self.menu_button.setToolTip("More for this layer")
        self.menu_button.clicked.connect(self._open_menu)
        self.fader = Fader(theme)
        self.gain = QLabel("0.0 dB")
        self.gain.setObjectName("quiet")
        self.gain.setFixedWidth(62)
        self.gain.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.meter = Meter(theme)

        head = QHBoxLayout()
        head.setSpacing(5)
        title = QVBoxLayout()
        title.setSpacing(1)
        title.addWidget(self.name)
        title.addWidget(self.caption)
        head.addLayout(title, 1)
        head.addWidget(self.solo)
        head.addWidget(self.mute)
        head.addWidget(self.menu_button)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.fader, 1)
        row.addWidget(self.gain)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(15, 6, 8, 9)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addLayout(row)
        layout.addWidget(self.meter)

        self.solo.clicked.connect(self._solo_clicked)
        self.mute.clicked.connect(lambda on: self._change(replace(self._strip, muted=on)))
        self.fader.gain_moved.connect(lambda gain: self._change(replace(self._strip, gain_db=gain), dragging=True))
        self.fader.let_go.connect(self.gesture_ended)
        theme.changed.connect(self._retheme)
        self._retheme()

    def show_layer(self, name: str, caption: str, colour: str, *, active: bool) -> None:
        if self.name.isReadOnly() and self.name.text() != name:
            self.name.setText(name)
            self.name.setCursorPosition(0)
        self.name.setToolTip(f"{name}   (double-click to rename)" if self.id >= 0 else name)
        self.caption.setText(caption)
        self._colour, self._active = QColor(colour), active
        self.fader.set_colour(self._colour)
        for widget, what in ((self.solo, "Solo"), (self.mute, "Mute"), (self.fader, "Gain of"), (self.menu_button, "More for")):
            widget.setAccessibleName(f"{what} {name}")
        self.meter.setAccessibleName(f"Level of {name}")
        self.setAccessibleName(name)
        self.update()

    def show_strip(self, strip: Strip, *, audible: bool) -> None:
        """Take over what the document says; `audible` is false where mutes and solos of others silence it."""
        self._strip = strip
        self.solo.setChecked(strip.soloed)
        self.mute.setChecked(strip.muted)
        self.fader.show_gain(strip.gain_db)
        self.gain.setText(spoken_gain(strip.gain_db))
        self.gain.setEnabled(audible)

    def set_available(self, available: bool) -> None:
        """Whether there is a signal to hear."""
        for widget in (self.solo, self.mute, self.fader, self.meter):
            widget.setEnabled(available)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edge = "accent" if self._strip.soloed else "dim" if self._active else "border"
            painter.setPen(QPen(theme.colour(edge), 1.2 if edge != "border" else 1))
            painter.setBrush(theme.colour("surface"))
            painter.drawRoundedRect(box, 7, 7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colour)
            painter.drawRoundedRect(box.adjusted(0, 9, -(box.width() - 3.5), -9), 1.7, 1.7)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.id)
        super().mousePressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.gain.setFont(self._theme.font(9, figures=True))
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

    def _solo_clicked(self, on: bool) -> None:
        from PySide6.QtWidgets import QApplication

        if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier:
            self.exclusive_solo.emit(self.id)
        else:
            self._change(replace(self._strip, soloed=on))

    def _change(self, strip: Strip, *, dragging: bool = False) -> None:
        self.strip_moved.emit(self.id, strip, dragging)

    def _open_menu(self) -> None:
        self.menu_requested.emit(self.id, self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))

    def _retheme(self) -> None:
        self.menu_button.setIcon(self._theme.icon("more"))
        self.gain.setFont(self._theme.font(9, figures=True))
        self.caption.setFont(self._theme.font(8.3))
        self.update()
