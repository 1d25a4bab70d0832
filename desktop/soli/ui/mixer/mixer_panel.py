"""The column of strips: one a layer, the residual, the original; and how well they add up."""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from soli.playback.mixer import Strip
from soli.playback.player import PlayerStatus
from soli.project import commands
from soli.project.commands import count
from soli.project.document import Document
from soli.project.state import ORIGINAL, RESIDUAL
from soli.ui.listening import Listening
from soli.ui.mixer.strip import StripButton, StripWidget
from soli.ui.mixer.strip_menu import StripMenu
from soli.ui.mixer.strip_order import StripOrder
from soli.ui.selection import Selection
from soli.ui.theme import Theme

NEW_LAYER = -3  # where notes may be dropped beside the layers


class MixerPanel(QWidget):
    """Strips in step with the document. `silent_changed` names the layers that are not heard."""

    silent_changed = Signal(object)
    left = Signal()  # a name was typed
    shown = Signal(object)  # a strip that should be in sight
    drag_held = Signal(object)  # where on the screen something is dragged, None when it was let go

    def __init__(self, document: Document, selection: Selection, listening: Listening, theme: Theme) -> None:
        super().__init__()
        self._document, self._selection, self._listening, self._theme = document, selection, listening, theme
        self._strips: dict[int, StripWidget] = {}
        self._compact = False
        self._order = StripOrder(self, document)
        self._dragged: int | None = None  # the layer whose strip is on its way to another place
        self.menus = StripMenu(document, selection, theme)
        heading = QLabel("LAYERS")
        heading.setObjectName("heading")
        self.null = QLabel()
        self.null.setObjectName("good")
        self.null.setToolTip("Peak of layers + residual − original: how exactly the layers add up to the recording")
        self.add = StripButton()
        self.add.setText("+")
        self.add.setFixedSize(24, 22)
        self.add.setToolTip("New layer of the selected notes; notes can be dragged here, or onto a strip")
        self.add.setAccessibleName("New layer")
        self.add.clicked.connect(self.new_layer)
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch()
        head.addWidget(self.null)
        head.addWidget(self.add)
        self._column = QVBoxLayout()
        self._column.setSpacing(7)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        layout.addLayout(head)
        layout.addLayout(self._column)
        document.subscribe(self._follow)
        selection.layer_changed.connect(self._show)
        selection.changed.connect(self._show_add)
        listening.ticked.connect(self._meter)
        listening.ready.connect(self._show)
        theme.changed.connect(self._retheme)
        self._rebuild()
        self._retheme()

    def new_layer(self) -> None:
        state = self._document.state
        name = f"Layer {len(state.layers) + 1}"
        layer = self._document.next_layer_id()
        self._document.do(commands.add_layer(state, name, self._selection.ids, layer_id=layer))
        self._selection.set_layer(layer)
        self.rename(layer)

    def rename(self, layer: int) -> None:
        if layer in self._strips and layer >= 0:
            self._strips[layer].name.edit()
            self.shown.emit(self._strips[layer])

    def focus_active(self) -> None:
        """Give the keyboard to the strip of the active layer, or to the first one."""
        strip = self._strips.get(self._selection.layer) or next(iter(self._strips.values()), None)
        if strip is not None:
            strip.solo.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.shown.emit(strip)

    def _walk(self, strip_id: int, step: int) -> None:
        ids = list(self._strips)
        other = self._strips[ids[(ids.index(strip_id) + step) % len(ids)]]
        other.solo.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._choose(other.id)
        self.shown.emit(other)

    def strip_widget(self, strip_id: int) -> StripWidget:
        return self._strips[strip_id]

    def set_compact(self, compact: bool) -> None:
        """Lower strips, for a low window."""
        self._compact = compact
        for strip in self._strips.values():
            strip.set_compact(compact)

    def covers(self, at: QPointF) -> bool:
        """Whether a point of the screen is on the panel, where it can be seen."""
        return self.visibleRegion().contains(self.mapFromGlobal(at).toPoint())

    def target_at(self, at: QPointF) -> int | None:
        """The layer that notes dropped at a point of the screen would go to, NEW_LAYER, or None."""
        strips = {strip.id: strip for strip in self.layer_strips}
        widgets: Mapping[int, QWidget] = {NEW_LAYER: self.add, **strips}
        for target, widget in widgets.items():
            if widget.visibleRegion().contains(widget.mapFromGlobal(at).toPoint()):
                return None if target in self._document.state.locked_layers else target
        return None

    def welcome(self, target: int | None) -> None:
        """Light up where notes that are dragged would go."""
        for strip in self.layer_strips:
            strip.welcome(strip.id == target)
        self.add.setDown(target == NEW_LAYER)

    def name_of(self, target: int) -> str:
        layer = self._document.state.layer(target)
        return layer.name if layer is not None else "a new layer"

    def take(self, ids: Collection[int], target: int) -> None:
        """Move notes to a layer, or to a new one."""
        if target == NEW_LAYER:
            self._selection.set(ids)
            self.new_layer()
        else:
            self._document.do(commands.assign_layer(self._document.state, ids, target))

    @property
    def layer_strips(self) -> list[StripWidget]:
        """The strips of the layers, from top to bottom."""
        return [widget for strip_id, widget in self._strips.items() if strip_id >= 0]

    def toggle(self, strip_id: int, *, solo: bool = False, mute: bool = False) -> None:
        """Solo or mute a strip by the keyboard."""
        strip = self._document.state.strip(strip_id)
        self._set(strip_id, replace(strip, soloed=strip.soloed ^ solo, muted=strip.muted ^ mute), dragging=False)

    def solo_only(self, strip_id: int) -> None:
        """Solo one strip and no other; again: none."""
        state = self._document.state
        alone = [i for i in self._strips if state.strip(i).soloed] == [strip_id]
        strips = {i: replace(state.strip(i), soloed=i == strip_id and not alone) for i in self._strips}
        if strip_id in strips and strip_id != ORIGINAL and strips[strip_id].muted and not alone:
            strips[strip_id] = replace(strips[strip_id], muted=False)
        whose = commands.strip_name(state, strip_id)
        name = f"end solo of {whose}" if alone else f"solo only {whose}"
        self._document.do(commands.set_strips(state, strips, name))

    def all_but(self, strip_id: int) -> None:
        """Hear everything but one strip."""
        state = self._document.state
        others = [i for i in self._strips if i != ORIGINAL]
        strips = {i: replace(state.strip(i), soloed=False, muted=i == strip_id) for i in others}
        strips[ORIGINAL] = replace(state.strip(ORIGINAL), soloed=False, muted=True)
        self._document.do(commands.set_strips(state, strips, f"hear all but {commands.strip_name(state, strip_id)}"))

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"layers", "recording", "separation"}:
            self._rebuild()
        elif aspects & {"notes", "strips"}:
            self._show()

    def _rebuild(self) -> None:
        state = self._document.state
        wanted = [layer.id for layer in state.layers]
        if state.audio is not None:
            wanted += [RESIDUAL, ORIGINAL] if self._document.separation is not None else [ORIGINAL]
        if list(self._strips) != wanted:
            while (item := self._column.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None and getattr(widget, "id", None) not in wanted:
                    widget.hide()
                    widget.deleteLater()
            self._strips = {i: self._strips.get(i) or self._new_strip(i) for i in wanted}
            controls: list[QWidget] = [self.add]
            for widget in self._strips.values():
                self._column.addWidget(widget)
                widget.raise_()  # so that they are read from top to bottom
                controls += widget.controls
            for former, following in pairwise(controls):
                QWidget.setTabOrder(former, following)
        self._show()

    def _new_strip(self, strip_id: int) -> StripWidget:
        strip = StripWidget(strip_id, self._theme)
        strip.set_compact(self._compact)
        strip.chosen.connect(self._choose)
        strip.renamed.connect(self._rename)
        strip.strip_moved.connect(lambda i, value, dragging: self._set(i, value, dragging=dragging))
        strip.gesture_ended.connect(self._document.end_gesture)
        strip.exclusive_solo.connect(self.solo_only)
        strip.all_but.connect(self.all_but)
        strip.flags_changed.connect(self._flag)
        strip.header_dragged.connect(self._drag)
        strip.header_dropped.connect(self._drop)
        strip.menu_requested.connect(self._menu)
        strip.done.connect(self.left)
        strip.neighbour_requested.connect(self._walk)
        return strip

    def _show(self) -> None:
        state, separation = self._document.state, self._document.separation
        counts = Counter(map(attrgetter("layer"), state.notes.values()))
        soloing = any(state.strip(i).soloed for i in self._strips)
        silent = set()
        for i, widget in self._strips.items():
            strip = state.strip(i)
            layer = state.layer(i)
            if i == ORIGINAL and separation is None:
                strip, audible = replace(strip, muted=False), True
            else:
                audible = not state.heard_strip(i).muted and (strip.soloed or not soloing)
            if layer is not None:
                number = counts.get(i, 0)
                caption = "no notes" if number == 0 else f"{count(number, 'note') if number > 1 else '1 note'}"
                heard = separation is not None and i in separation.layers
                caption += "" if heard or separation is None else " · not separated yet"
                widget.show_flags(hidden=layer.hidden, locked=layer.locked)
                widget.show_layer(layer.name, caption, layer.colour, active=i == self._selection.layer)
                widget.set_available(heard)
                if not audible:
                    silent.add(i)
            elif i == RESIDUAL:
                widget.show_layer("Residual", "what no layer holds", self._theme.colours.faint, active=False)
            else:
                widget.show_layer("Original", "the recording itself", self._theme.colours.ink, active=False)
                widget.set_available(True)
                for button in (widget.mute, widget.solo, widget.menu_button):
                    button.setEnabled(separation is not None)
            widget.show_strip(strip, audible=audible)
            widget.update()
        null = separation.null_dbfs if separation is not None else math.nan
        self.null.setVisible(separation is not None)
        self.null.setText(("null −∞ dBFS" if null <= -200 else f"null {null:.0f} dBFS").replace("-", "−"))
        self._show_add()
        self.silent_changed.emit(frozenset(silent))

    def _show_add(self) -> None:
        self.add.setEnabled(bool(self._document.state.layers) or self._document.state.audio is not None)

    def _choose(self, strip_id: int) -> None:
        if strip_id >= 0:
            self._selection.set_layer(strip_id)

    def _flag(self, layer_id: int, hidden: bool, locked: bool) -> None:
        layer = self._document.state.layer(layer_id)
        if layer is not None:
            changed = {name: on for name, on in (("hidden", hidden), ("locked", locked)) if on != getattr(layer, name)}
            self._document.do(commands.set_layer_flags(self._document.state, layer_id, **changed))

    def drag_on(self, at: QPointF) -> None:
        """The strips have moved under a pointer that drags."""
        if self._dragged is not None:
            self._order.drag(self._dragged, at)
        else:
            self.welcome(self.target_at(at))

    def _drag(self, strip_id: int, at: QPointF) -> None:
        self._dragged = strip_id
        self._order.drag(strip_id, at)
        self.drag_held.emit(at)

    def _drop(self, strip_id: int, keep: bool) -> None:
        self._dragged = None
        self.drag_held.emit(None)
        self._order.drop(strip_id, keep)

    def _rename(self, strip_id: int, name: str) -> None:
        layer = self._document.state.layer(strip_id)
        if layer is not None and name and name != layer.name:
            self._document.do(commands.alter_layer(self._document.state, strip_id, name=name))
        self._show()

    def _set(self, strip_id: int, strip: Strip, *, dragging: bool) -> None:
        former = self._document.state.strip(strip_id)
        if strip_id == ORIGINAL and self._document.separation is None:
            strip = replace(strip, muted=former.muted)  # which is not shown as long as there is nothing else to hear
        what = "pan" if strip.pan != former.pan else "gain"
        gesture = f"{what} {strip_id}" if dragging else ""
        self._document.do(commands.set_strip(self._document.state, strip_id, strip, gesture=gesture))

    def _menu(self, strip_id: int, at: QPoint) -> None:
        menu = QMenu(self)
        self.menus.fill(menu, strip_id, self)
        if not menu.isEmpty():
            menu.exec(at)
        menu.deleteLater()

    def assign(self, layer: int) -> None:
        """Move the selected notes to a layer."""
        if self._selection.ids:
            self._document.do(commands.assign_layer(self._document.state, self._selection.ids, layer))

    def _meter(self, status: PlayerStatus) -> None:
        levels = dict(zip(self._listening.channels, zip(status.peaks, status.rms, strict=True), strict=False))
        for i, widget in self._strips.items():
            peak, rms = levels.get(i, (0.0, 0.0))
            widget.meter.show_levels([peak], [rms])

    def _retheme(self) -> None:
        self.null.setFont(self._theme.font(8.3, figures=True))
        self.null.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._show()
