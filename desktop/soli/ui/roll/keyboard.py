"""The pitch axis at the left of the roll: piano keys with their names, or hertz where the axis is linear in them."""

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from soli.score.notes import frequency_hz, pitch_name
from soli.signal.log_spectrogram import HIGHEST_PITCH, LOWEST_PITCH
from soli.ui.roll import wheel
from soli.ui.roll.painting import BLACK_KEYS
from soli.ui.roll.view import View
from soli.ui.theme import Theme

WIDTH = 58
BLACK_WIDTH = 0.62
STEPS_HZ = (10, 20, 50, 100, 200, 500, 1000, 2000)
LEAST_STEP_PX = 34
TAG_HEIGHT = 17.0
NAMES_FROM_PX = 13.0  # from this height of a key on, all white keys bear their names
LEAST_OCTAVE_PX = 14.0  # from one name of a C to the next


class Keyboard(QWidget):
    """In line with the roll's pitches; a click on one asks for all of its notes. The pitch under the pointer has its name."""

    pitch_clicked = Signal(int, bool)
    menu_requested = Signal(int, QPoint)  # a pitch, and a point of the screen

    def __init__(self, view: View, theme: Theme) -> None:
        super().__init__()
        self._view, self._theme = view, theme
        self._sounding: dict[int, str] = {}
        self._limited: frozenset[int] = frozenset()
        self._pointed: int | None = None
        self.spell: Callable[[int], str] = pitch_name
        self._shown: tuple[object, ...] = ()  # axis, pitches and height that were painted last
        self.setFixedWidth(WIDTH)
        self.setMouseTracking(True)
        self.setAccessibleName("Piano keys")
        self.setToolTip("Click a key to select all notes of its pitch, Ctrl adds them; right-click for its template")
        view.changed.connect(self._follow_view)
        theme.changed.connect(self.update)

    def set_sounding(self, pitches: Mapping[int, str]) -> None:
        """Light up keys: pitch -> colour of the layer that sounds it now."""
        if pitches != self._sounding:
            self._sounding = dict(pitches)
            self.update()

    def set_limited(self, pitches: Iterable[int]) -> None:
        """Mark the keys of pitches whose templates are limited."""
        self._limited = frozenset(pitches)
        self.update()

    def set_pointed(self, pitch: int | None) -> None:
        """Name the pitch that somebody points at."""
        if pitch != self._pointed:
            self._pointed = pitch
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        view = self._view
        pitches = range(max(LOWEST_PITCH, int(view.bottom)), min(HIGHEST_PITCH, int(view.top) + 1) + 1)
        with QPainter(self) as painter:
            painter.setFont(self._theme.font(7.5, weight=self._theme.font().Weight.DemiBold, figures=True))
            if view.axis == "linear":
                self._paint_hertz(painter, pitches)
            else:
                self._paint_keys(painter, pitches)
            self._paint_limited(painter)
            if self._pointed is not None:
                self._paint_tag(painter, self._pointed)

    def _follow_view(self) -> None:
        shown = (self._view.axis, self._view.extent, self._view.height)
        if shown != self._shown:
            self._shown = shown
            self.update()

    def _paint_keys(self, painter: QPainter, pitches: range) -> None:
        view, theme, height = self._view, self._theme, self._view.px_per_semitone
        painter.fillRect(self.rect(), theme.colour("key_white"))
        for pitch in pitches:
            y = view.y_of(pitch)
            if pitch in self._sounding and pitch % 12 not in BLACK_KEYS:
                painter.fillRect(QRectF(0, y, self.width(), height), theme.colour(self._sounding[pitch]))
            if pitch % 12 in {0, 5}:  # no black key lies below C and F
                painter.setPen(QPen(theme.colour("key_black", 90), 1))
                painter.drawLine(0, round(y + height), self.width(), round(y + height))
        for pitch in pitches:
            if pitch % 12 in BLACK_KEYS:
                box = QRectF(0, view.y_of(pitch), self.width() * BLACK_WIDTH, height)
                painter.fillRect(box, theme.colour(self._sounding.get(pitch, "key_black")))
                painter.setPen(QPen(theme.colour("key_black", 70), 1))
                middle = round(box.center().y())
                painter.drawLine(round(box.right()), middle, self.width(), middle)
        for pitch in pitches:
            is_c = pitch % 12 == 0
            if (is_c and 12 * height >= LEAST_OCTAVE_PX) or (height >= NAMES_FROM_PX and pitch % 12 not in BLACK_KEYS):
                painter.setPen(theme.colour("key_black", 255 if is_c else 130))
                box = QRectF(0, view.y_of(pitch) - 4, self.width() - 5, height + 8)
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, pitch_name(pitch))

    def _paint_hertz(self, painter: QPainter, pitches: range) -> None:
        view, theme = self._view, self._theme
        painter.fillRect(self.rect(), theme.colour("surface"))
        for pitch in pitches:
            if pitch in self._sounding:
                box = QRectF(self.width() - 9, view.y_of(pitch), 9, max(2.0, view.height_of(pitch)))
                painter.fillRect(box, theme.colour(self._sounding[pitch]))
        low, high = view.extent
        px_per_hz = view.height / (high - low)
        step = next((s for s in STEPS_HZ if s * px_per_hz >= LEAST_STEP_PX), STEPS_HZ[-1])
        for hertz in range(max(step, step * int(low // step)), int(high) + 1, step):
            y = (high - hertz) * px_per_hz
            painter.setPen(QPen(theme.colour("faint"), 1))
            painter.drawLine(self.width() - 6, round(y), self.width() - 1, round(y))
            painter.setPen(theme.colour("dim"))
            box = QRectF(0, y - 8, self.width() - 10, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{hertz} Hz")

    def _paint_limited(self, painter: QPainter) -> None:
        """A dot on each key whose template is limited."""
        view = self._view
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("canvas"), 1))
        painter.setBrush(self._theme.colour("accent"))
        for pitch in self._limited:
            if view.bottom - 0.5 < pitch < view.top + 0.5:
                radius = min(3.5, max(2.0, view.height_of(pitch) / 3))
                painter.drawEllipse(QPointF(7.0, view.edge_of(float(pitch))), radius, radius)

    def _paint_tag(self, painter: QPainter, pitch: int) -> None:
        """The name of a pitch beside it, and its frequency where the axis counts in hertz."""
        view, theme = self._view, self._theme
        middle = (view.y_of(pitch) + view.y_of(pitch - 1)) / 2
        text = self.spell(pitch)
        if view.axis == "linear":
            text += f" {frequency_hz(pitch):.0f}"
        width = min(painter.fontMetrics().horizontalAdvance(text) + 11.0, self.width() - 2.0)
        top = min(max(middle - TAG_HEIGHT / 2, 1.0), self.height() - TAG_HEIGHT - 1.0)
        box = QRectF(self.width() - width - 1, top, width, TAG_HEIGHT)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.colour("on_accent"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.pitch_clicked.emit(self._view.pitch_at(event.position().y()), adds)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_requested.emit(self._view.pitch_at(event.pos().y()), event.globalPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.set_pointed(self._view.pitch_at(event.position().y()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel.over_keys(self._view, event)
        self.set_pointed(self._view.pitch_at(event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        self.set_pointed(None)
        super().leaveEvent(event)
