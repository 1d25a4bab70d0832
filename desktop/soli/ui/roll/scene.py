"""All that lies under the tools: spectrogram, grid, loop, what may sound, notes, and what is forbidden."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, QRect, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QPainter

from soli.project.document import Document
from soli.signal.picture import Picture
from soli.ui.beats import Beats
from soli.ui.roll import painting
from soli.ui.roll.backdrop import Backdrop, draw_part
from soli.ui.roll.figures import Style, draw_figures, style_of
from soli.ui.roll.note_field import NoteField
from soli.ui.roll.sound_image import SoundImage
from soli.ui.roll.view import Axis, View
from soli.ui.theme import Theme

REST_MS = 120  # after the last change of scale
SILENT_PART = 0.6  # of the way from a layer's colour to the ground
LOOP_EDGE_PX = 2
MANY_PX = 3_000_000  # of a screen of fine pixels: to scale a whole spectrogram smoothly takes too long for a frame

Split = tuple[NoteField, Mapping[int, QColor]]


@dataclass(frozen=True)
class Audible:
    """Which layers are heard now: the others are drawn dim."""

    silent: frozenset[int] = frozenset()


class Scene(QObject):
    """Paints a view of the document. While its scale changes the spectrogram is painted coarsely; `rested`: that is over.

    `changed` carries the part of the view (pixels) that looks different.
    """

    changed = Signal(QRect)
    rested = Signal()

    def __init__(self, document: Document, view: View, theme: Theme) -> None:
        super().__init__()
        self._document, self._view, self._theme = document, view, theme
        self.field = NoteField(document.state)
        self.beats = Beats(document.state)
        self.audible = Audible()
        self.brightness, self.contrast = 0.0, 1.0
        self.images: dict[Axis, SoundImage] = {}
        self._loop: tuple[tuple[float, float] | None, bool] = (None, False)
        self._split: Split | None = None
        self._hidden: frozenset[int] = frozenset()
        self._style = Style.ROUNDED
        self._style_of: tuple[object, ...] = ()
        self._backdrop = Backdrop(self._draw)
        self._scale: tuple[object, ...] = ()  # and
        self._corner = (0.0, 0.0)  # of what was painted last
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.rested)

    @property
    def moving(self) -> bool:
        """Whether all of it has changed a moment ago."""
        return self._rest.isActive()

    @property
    def split(self) -> Split | None:
        return self._split

    def set_picture(self, axis: Axis, picture: Picture | None) -> None:
        """The spectrogram to show on an axis; it may still be growing."""
        self.images.pop(axis, None)
        if picture is not None:
            self.images[axis] = SoundImage(picture)
        self.recolour()

    def picture_grew(self, axis: Axis) -> None:
        image, view = self.images.get(axis), self._view
        for start_s, end_s in image.grow() if image is not None else ():
            if axis == view.axis and end_s >= view.start_s and start_s <= view.end_s:
                self._changed(self._columns(start_s, end_s, around_px=3))

    def set_light(self, brightness: float, contrast: float) -> None:
        self.brightness, self.contrast = brightness, contrast
        self.recolour()

    def recolour(self) -> None:
        for image in self.images.values():
            image.colour(self._theme.colours, brightness=self.brightness, contrast=self.contrast)
            image.grow()
        self._changed()

    def rest_others(self) -> None:
        """Let go of what the axes that are not shown keep for painting."""
        for axis, image in self.images.items():
            if axis != self._view.axis:
                image.rest()

    def set_field(self, field: NoteField, box: QRect | None = None) -> None:
        """Show other notes; only what lies in `box` (pixels) differs, if it is given."""
        self.field = field
        self._changed(box)

    def show_split(self, split: Split | None, *, between: tuple[float, float] | None = None) -> None:
        """Show a field in place of the document's own, with the colours of layers that are only in it; None: its own again.

        Only pitches `between` these two differ from what was shown before, if they are given.
        """
        self._split = split
        if between is None:
            self._changed()
            return
        top, bottom = self._view.edge_of(max(between)), self._view.edge_of(min(between))
        self._changed(QRect(0, round(top) - 3, self._view.width, round(bottom - top) + 6))

    def set_loop(self, loop: tuple[float, float] | None, *, on: bool) -> None:
        former, self._loop = self._loop, (loop, on)
        if self._loop == former:
            return
        if loop is None or former[0] is None or on != former[1]:
            for stretch in (former[0], loop):
                if stretch is not None:
                    self._changed(self._columns(*stretch, around_px=LOOP_EDGE_PX))
            return
        for before_s, after_s in zip(former[0], loop, strict=True):
            if before_s != after_s:
                self._changed(self._columns(*sorted((before_s, after_s)), around_px=LOOP_EDGE_PX))

    def layer_colour(self, layer: int) -> QColor:
        known = self._document.state.layer(layer)
        colour = QColor(known.colour if known else self._theme.colours.dim)
        if layer in self.audible.silent:
            # Towards the ground rather than seen through: a veil over the spectrogram would be mud.
            colour = painting.between(colour, self._theme.colour("canvas"), SILENT_PART)
            colour.setAlphaF(0.75)
        return colour

    def paint(self, painter: QPainter, exposed: QRect, ratio: float, *, hidden: frozenset[int] = frozenset()) -> None:
        """Paint what is exposed, to which the painter is clipped: all but the `hidden` notes."""
        view = self._view
        self._hidden = hidden
        self._choose_style()
        if view.scale != self._scale or (view.width * view.height * ratio**2 > MANY_PX and self._leaps()):
            self._rest.start()
        self._scale, self._corner = view.scale, view.corner
        if self.moving:
            # Nothing of a picture could be used again.
            self._backdrop.forget()
            draw_part(painter, view, QRectF(exposed), self._draw)
            return
        colours = tuple((i, colour.rgba()) for i, colour in self._colours().items())
        audio = self._document.state.audio
        looks = (hidden, self._style, colours, self.beats, self._theme.colours, audio and audio.duration_s)
        self._backdrop.paint(painter, view, exposed, ratio, *looks)

    def _draw(self, painter: QPainter, view: View) -> None:
        """Paint a part of what the view shows."""
        theme, audio = self._theme, self._document.state.audio
        image = self.images.get(view.axis)
        if image is None or not image.covers(view):
            painter.fillRect(0, 0, view.width, view.height, theme.colour("canvas"))
        if image is not None:
            image.paint(painter, view, painter.device().devicePixelRatioF(), smooth=not self.moving)
        painting.draw_beyond(painter, view, theme, audio.duration_s if audio is not None else None)
        painting.draw_grid(painter, view, theme, self.beats)
        loop, loop_on = self._loop
        if loop is not None:
            painting.draw_loop(painter, view, theme, loop, on=loop_on)
        field, _ = self._split or (self.field, {})
        bright = theme.colours.name == "light"
        draw_figures(painter, view, field, self._colours(), self._style, hidden=self._hidden, bright=bright)
        for stroke in self.field.forbidden_within(view.start_s, view.end_s):
            box = painting.rectangle(view, stroke.pitch, stroke.start_s, stroke.end_s)
            painting.draw_forbidden(painter, view, box, theme)

    def _colours(self) -> dict[int, QColor]:
        own = {layer.id: self.layer_colour(layer.id) for layer in self._document.state.layers}
        return {**own, **(self._split[1] if self._split is not None else {})}

    def _choose_style(self) -> None:
        of = (self.field, self._view.scale, self._view.corner)
        if of != self._style_of:
            self._style, self._style_of = style_of(self._view, self.field), of

    def _leaps(self) -> bool:
        """Whether little of what was painted last is still to be seen."""
        across, down = self._view.way_from(*self._corner)
        return abs(across) > self._view.width / 2 or abs(down) > self._view.height / 2

    def _columns(self, start_s: float, end_s: float, *, around_px: int) -> QRect:
        view = self._view
        left, right = (round(min(max(view.x_of(t), -9.0), view.width + 9.0)) for t in (start_s, end_s))
        return QRect(left - around_px, 0, right - left + 2 * around_px + 1, view.height)

    def _changed(self, box: QRect | None = None) -> None:
        if box is None:
            self._backdrop.forget()
        else:
            self._backdrop.spoil(self._view, box)
        self.changed.emit(QRect(0, 0, self._view.width, self._view.height) if box is None else box)
