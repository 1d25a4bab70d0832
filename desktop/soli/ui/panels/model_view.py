"""V ≈ WH to look at: templates, activations, the recording and the model side by side, also while it runs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from soli.decompose.constraints import Kind
from soli.decompose.model import Factors
from soli.project.document import Document
from soli.ui.panels.model_picture import ModelPicture
from soli.ui.roll.sound_image import shades
from soli.ui.roll.view import View
from soli.ui.theme import Theme

TITLES = ("W   templates", "H   activations", "V   recording", "WH   model")
ENCODER_TITLES = ("W_D   decoder", "H   activations", "W_E   encoder", "pseudo-inverse of W_D")
WIDTHS = (0.16, 0.34, 0.25, 0.25)
GAP, HEAD, FOOT = 12, 22, 20
REDRAW_MS = 120
REST_MS = 50
MOST_COLUMNS = 600


class ModelView(QWidget):
    """Shows the stretch of time that the roll shows. Hovering names a component, a click on it asks to hear it."""

    component_pointed = Signal(int, float)  # as the pointer rests on it
    component_clicked = Signal(int, float)  # component, and the time in seconds or -1 where W was clicked

    def __init__(self, document: Document, view: View, theme: Theme) -> None:
        super().__init__()
        self._document, self._view, self._theme = document, view, theme
        self._picture: ModelPicture | None = None
        self._images: list[QImage] = []
        self._buffers: list[NDArray[np.uint32]] = []
        self._pointer: QPointF | None = None
        self._titles = TITLES
        self.swap = QToolButton(self)
        self.swap.setObjectName("tab")
        self.swap.setText("Encoder")
        self.swap.setCheckable(True)
        self.swap.setToolTip("The encoder beside the pseudo-inverse of the decoder, in place of recording and model")
        self.swap.toggled.connect(lambda _: self._later())
        self.swap.hide()
        self.setMouseTracking(True)
        self.setAccessibleName("Decomposition: templates, activations, recording and model")
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._redraw.timeout.connect(self._draw)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(lambda: self._tell(self.component_pointed))
        document.subscribe(self._follow)
        view.changed.connect(self._later)
        theme.changed.connect(self._later)

    def show_factors(self, factors: object) -> None:
        """Take over the factors of a run that goes on, if it has any yet."""
        audio = self._document.state.audio
        if not isinstance(factors, Factors) or audio is None or not self.isVisible():
            return
        if (audio.rate, audio.length) == (factors.grid.rate, factors.grid.length):
            self._picture = ModelPicture(audio, factors)
            if not self._redraw.isActive():
                self._redraw.start()

    def showEvent(self, event: QEvent) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.show_separation()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.swap.adjustSize()
        self.swap.move(self.width() - self.swap.width() - GAP, -2)
        self._later()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.colour("ground"))
            if self._picture is None or not self._images:
                painter.setFont(theme.font(9.5))
                painter.setPen(theme.colour("dim"))
                painter.drawText(
                    self.rect(), Qt.AlignmentFlag.AlignCenter, "Decompose to see templates, activations and the model"
                )
                return
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            for box, image, title in zip(self._boxes(), self._images, self._titles, strict=True):
                painter.setFont(theme.font(8, weight=QFont.Weight.DemiBold))
                painter.setPen(theme.colour("dim"))
                painter.drawText(QRectF(box.left(), 2, box.width(), HEAD - 4), Qt.AlignmentFlag.AlignVCenter, title)
                painter.drawImage(box, image)
                painter.setPen(QPen(theme.colour("border"), 1))
                painter.drawRect(box)
            self._paint_pointed(painter)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        component = self._component_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if component is not None else Qt.CursorShape.ArrowCursor)
        self._rest.start()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self._rest.stop()
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pointer = event.position()
            self._tell(self.component_clicked)

    def _tell(self, signal: SignalInstance) -> None:
        """Emit which component is under the pointer and at what time, if one is."""
        at = self._pointer
        component = self._component_at(at) if at is not None else None
        if at is not None and component is not None:
            box = self._boxes()[1]
            time_s = (
                self._view.start_s + (at.x() - box.left()) / box.width() * self._view.span_s if at.x() >= box.left() else -1.0
            )
            signal.emit(component, time_s)

    def _boxes(self) -> list[QRectF]:
        width = self.width() - 2 * GAP - GAP * (len(WIDTHS) - 1)
        boxes, left = [], float(GAP)
        for share in WIDTHS:
            boxes.append(QRectF(left, HEAD, share * width, max(10, self.height() - HEAD - FOOT)))
            left += share * width + GAP
        return boxes

    def _component_at(self, at: QPointF) -> int | None:
        """The component under a point of W or H."""
        if self._picture is None or not self._images:
            return None
        count = len(self._picture.order)
        w, h = self._boxes()[:2]
        if w.contains(at):
            row = int((at.x() - w.left()) / w.width() * count)
        elif h.contains(at):
            row = count - 1 - int((at.y() - h.top()) / h.height() * count)
        else:
            return None
        return int(self._picture.order[min(max(row, 0), count - 1)])

    def _paint_pointed(self, painter: QPainter) -> None:
        """Name the component under the pointer, and mark it in W and H."""
        picture = self._picture
        component = self._component_at(self._pointer) if self._pointer is not None else None
        if picture is None or component is None:
            return
        row, count = int(np.flatnonzero(picture.order == component)[0]), len(picture.order)
        w, h = self._boxes()[:2]
        painter.setPen(QPen(self._theme.colour("accent"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(w.left() + row / count * w.width(), w.top(), max(1.5, w.width() / count), w.height()))
        painter.drawRect(QRectF(h.left(), h.bottom() - (row + 1) / count * h.height(), h.width(), max(1.5, h.height() / count)))
        painter.setFont(self._theme.font(8.5, figures=True))
        painter.setPen(self._theme.colour("ink"))
        text = f"{picture.component_at(row, self._document.state.pitch_name)}{self._layers_of(component)}   ·   click to hear it"
        painter.drawText(QRectF(GAP, self.height() - FOOT, self.width(), FOOT), Qt.AlignmentFlag.AlignVCenter, text)

    def _layers_of(self, component: int) -> str:
        """The layers whose notes sound in a component; what no layer holds goes to the residual."""
        assert self._picture is not None
        parts, bodies = self._picture.factors.components, self._picture.factors.constraint.bodies
        mine = (bodies.pitch == parts.pitch[component]) & (bodies.part == parts.part[component])
        names = [layer.name for layer in self._document.state.layers if layer.id in set(bodies.layer[mine].tolist())]
        return f" · {', '.join(names) or 'residual'}"

    def _follow(self, aspects: frozenset[str]) -> None:
        if "recording" in aspects:
            self._picture, self._images = None, []
            self.update()
        if "separation" in aspects:
            self.show_separation()

    def show_separation(self) -> None:
        """Show the last whole run, whatever a later one had begun."""
        separation, audio = self._document.separation, self._document.state.audio
        if separation is not None and audio is not None:
            if self._picture is None or self._picture.factors is not separation.factors:
                self._picture = ModelPicture(audio, separation.factors)
            self._later()

    def _later(self) -> None:
        if self._picture is not None and self.isVisible() and not self._redraw.isActive():
            self._redraw.start()

    def _draw(self) -> None:
        """Make the images of what is in view; the work grows with the window, not with the piece."""
        picture, view = self._picture, self._view
        if picture is None or not self.isVisible():
            return
        W = picture.templates()
        H = picture.activations(view.start_s, view.end_s, MOST_COLUMNS)
        encoders = picture.encoders() if self.swap.isChecked() else None
        self._titles = TITLES if encoders is None else ENCODER_TITLES
        self.swap.setVisible(picture.factors.encoder is not None)
        V, model = encoders or picture.sound(view.start_s, view.end_s)
        sound = shades(self._theme.colours)
        painted = (sound[W[::-1]], self._coloured(H, picture)[::-1], sound[V[::-1]], sound[model[::-1]])
        self._buffers = [np.ascontiguousarray(pixels) for pixels in painted]
        self._images = [QImage(b.data, b.shape[1], b.shape[0], b.shape[1] * 4, QImage.Format.Format_RGB32) for b in self._buffers]
        self.update()

    def _coloured(self, H: NDArray[np.uint8], picture: ModelPicture) -> NDArray[np.uint32]:
        """Activations in the colour of the layer that has most notes of the component."""
        ground = QColor(self._theme.colours.canvas)
        bodies, parts = picture.factors.constraint.bodies, picture.factors.components
        colours = {layer.id: QColor(layer.colour) for layer in self._document.state.layers}
        result = np.empty(H.shape, np.uint32)
        for row, component in enumerate(picture.order.tolist()):
            mine = bodies.layer[(bodies.pitch == parts.pitch[component]) & (bodies.part == parts.part[component])]
            mine = mine[mine >= 0]  # no layer holds what is forbidden
            layer = int(np.bincount(mine).argmax()) if len(mine) else -1
            colour = colours.get(layer, QColor(self._theme.colours.ink))
            if parts.kind[component] == Kind.ATTACK:
                colour = colour.lighter(130)
            result[row] = _ramp(ground, colour)[H[row]]
        return result


def _ramp(low: QColor, high: QColor) -> NDArray[np.uint32]:
    """256 colours from one to another, 0xffRRGGBB."""
    channels: list[Callable[[QColor], int]] = [QColor.red, QColor.green, QColor.blue]
    mixed = [np.linspace(get(low), get(high), 256).astype(np.uint32) for get in channels]
    return np.asarray(0xFF000000 | (mixed[0] << 16) | (mixed[1] << 8) | mixed[2], np.uint32)
