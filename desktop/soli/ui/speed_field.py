"""How fast the music plays, as a field of percent in the transport bar."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QMenu, QSpinBox

from soli.playback.stretch import FASTEST, SLOWEST
from soli.ui.theme import Theme

PRESETS = (25, 50, 60, 70, 80, 90, 100, 125, 150, 200)
STEP = 5
SWEEP_MS = 40
TIP = (
    "How fast it plays, at the same pitch: type a number, or use the wheel or the arrow keys (with Ctrl by 1 %); "
    "double-click for 100 %, right-click for more. Another speed takes 1 to 2 % of a processor a layer, and 70 MB. "
    "Notes alone and scrubbing sound as they were played"
)


class SpeedField(QSpinBox):
    """Percent from 25 to 200. `chosen` carries the speed (1 is that of the recording) that the user asks for."""

    chosen = Signal(float)
    left = Signal()  # Enter or Escape gives the keys back

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._busy = False
        self._swept = 0.0
        self.setRange(round(100 * SLOWEST), round(100 * FASTEST))
        self.setSuffix(" %")
        self.setValue(100)
        self.setSingleStep(STEP)
        self.setKeyboardTracking(False)
        self.setFixedSize(82, 36)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus | Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Speed in percent")
        self.setToolTip(TIP)
        self.lineEdit().setTextMargins(6, 0, 0, 0)
        self.lineEdit().installEventFilter(self)
        self.lineEdit().setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # that of the field comes instead
        self.valueChanged.connect(lambda percent: self.chosen.emit(percent / 100))
        self._timer = QTimer(self, interval=SWEEP_MS)
        self._timer.timeout.connect(self._sweep)
        theme.changed.connect(self._retheme)
        self._retheme()

    @property
    def speed(self) -> float:
        """The speed that is shown."""
        return self.value() / 100

    @property
    def busy(self) -> bool:
        """Whether a line runs along the field: what it says is not heard yet."""
        return self._busy

    def show_speed(self, speed: float, *, busy: bool) -> None:
        self.blockSignals(True)
        self.setValue(round(100 * speed))
        self.blockSignals(False)
        if busy != self._busy:
            self._busy = busy
            self.setAccessibleDescription("Being prepared" if busy else "")
            self.setToolTip("Being prepared: it plays at this speed as soon as it can" if busy else TIP)
            (self._timer.start if busy else self._timer.stop)()
        self._retheme()
        self.update()

    def menu(self) -> QMenu:
        """The usual speeds."""
        menu = QMenu(self)
        group = QActionGroup(menu)
        for percent in PRESETS:
            action = QAction(f"{percent} %", group)
            action.setCheckable(True)
            action.setChecked(percent == self.value())
            action.triggered.connect(lambda _=False, p=percent: self.setValue(p))
            menu.addAction(action)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.setValue(100)
            self.selectAll()
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the number over, Escape leaves it as it was; both give the keys back, so that Space plays."""
        if event.key() == Qt.Key.Key_Escape:
            self.setValue(self.value())  # forgets what was typed
            self.left.emit()
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A notch is 5 %, with Ctrl 1 %; over a field that has not the keys too, for there is nothing to scroll there."""
        notches = event.angleDelta().y() / 120
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.setValue(round(self.value() + notches * (1 if fine else STEP)))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._busy:
            with QPainter(self) as painter:
                width = self.width() - 12
                part = 0.35 * width
                left = 6 + (width - part) * (1.0 - abs(2.0 * self._swept - 1.0))
                painter.fillRect(QRectF(left, self.height() - 4, part, 2), self._theme.colour("accent"))

    def _sweep(self) -> None:
        self._swept = (self._swept + SWEEP_MS / 1600) % 1.0
        self.update()

    def _retheme(self) -> None:
        self.setFont(self._theme.font(9.5, figures=True))
        role = "" if self.value() == 100 else "changed"
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)
