"""The left of the export dialog: which layers, mixes and notes are to be files."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from soli.project.export import Stem
from soli.project.state import RESIDUAL, State

SELECTED, OF_LAYERS = "selected", "layers"
DOT = 11


class What(QWidget):
    """Check boxes for all that can be a file. `changed` with every choice.

    state: whose layers; stems: those that can be exported; selected: ids of the notes that are selected on the roll.
    """

    changed = Signal()

    def __init__(self, state: State, stems: Sequence[Stem], selected: Collection[int]) -> None:
        super().__init__()
        self._state, self._selected = state, tuple(sorted(selected))
        self._stems = {stem.id: self._stem_box(stem) for stem in stems}
        every, none = (self._link(name, ticked=ticked) for name, ticked in (("All", True), ("None", False)))
        heading = QHBoxLayout()
        heading.setSpacing(0)
        heading.addWidget(titled("LAYERS"))
        heading.addStretch()
        heading.addWidget(every)
        heading.addWidget(none)

        self.mix = QCheckBox("The mix as it is heard now")
        self.mix.setToolTip("Layers, residual and original with their gains, pans, solos and mutes, as one file")
        self.all_but = QCheckBox("Everything but")
        self.all_but.setToolTip("The recording without one layer, as one file: to play along with")
        self.all_but_layer = QComboBox()
        self.all_but_layer.setAccessibleName("Layer to leave out")
        for layer in state.layers:
            if layer.id in self._stems:
                self.all_but_layer.addItem(dot(layer.colour), layer.name, layer.id)
        self.all_but.setEnabled(self.all_but_layer.count() > 0)
        self.notes = QCheckBox("Single notes:")
        self.notes.setToolTip("A file for each note, named after its pitch and its time")
        self.which_notes = QComboBox()
        self.which_notes.setAccessibleName("Which notes")
        if self._selected:
            count = len(self._selected)
            self.which_notes.addItem(f"the {count} selected" if count > 1 else "the selected one", SELECTED)
        self.which_notes.addItem("of the ticked layers", OF_LAYERS)
        self.in_place = QCheckBox("Each at its place in the recording")
        self.in_place.setToolTip("Files as long as the others, silent but for the note; otherwise trimmed to its sound")
        for box in (self.mix, self.all_but, self.notes, self.in_place):
            box.toggled.connect(self._follow)
        for choice in (self.all_but_layer, self.which_notes):
            choice.currentIndexChanged.connect(self._follow)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(heading)
        layout.addWidget(self._list(), 1)
        layout.addSpacing(6)
        layout.addWidget(titled("ALSO"))
        layout.addWidget(self.mix)
        layout.addLayout(_row(self.all_but, self.all_but_layer))
        layout.addLayout(_row(self.notes, self.which_notes))
        indented = QHBoxLayout()
        indented.addSpacing(22)
        indented.addWidget(self.in_place)
        layout.addLayout(indented)
        self._follow()

    @property
    def stems(self) -> tuple[int, ...]:
        """Ids of the layers that are ticked, and RESIDUAL."""
        return tuple(i for i, box in self._stems.items() if box.isChecked())

    @property
    def left_out(self) -> tuple[int, ...]:
        """Ids of the layers that everything else is wanted of."""
        return (int(self.all_but_layer.currentData()),) if self.all_but.isChecked() else ()

    @property
    def note_ids(self) -> tuple[int, ...]:
        """Ids of the notes that are to be files of their own."""
        if not self.notes.isChecked():
            return ()
        if self.which_notes.currentData() == SELECTED:
            return self._selected
        ticked = self.stems
        return tuple(note.id for note in self._state.present_notes() if note.layer in ticked)

    def take_focus(self) -> None:
        """Put the keyboard on the first layer."""
        next(iter(self._stems.values())).setFocus()

    def tick(self, stem: int, *, ticked: bool) -> None:
        """Tick the box of a layer or of RESIDUAL, or clear it; nothing where there is none."""
        if stem in self._stems:
            self._stems[stem].setChecked(ticked)

    def _tick_all(self, *, ticked: bool) -> None:
        for box in self._stems.values():
            box.setChecked(ticked)

    def _follow(self) -> None:
        self.all_but_layer.setEnabled(self.all_but.isChecked())
        self.which_notes.setEnabled(self.notes.isChecked())
        self.in_place.setEnabled(self.notes.isChecked())
        self.changed.emit()

    def _stem_box(self, stem: Stem) -> QCheckBox:
        layer = self._state.layer(stem.id)
        box = QCheckBox("Residual" if stem.id == RESIDUAL or layer is None else layer.name.replace("&", "&&"))
        box.setToolTip("What is in no layer" if stem.id == RESIDUAL else f"The layer as it was separated, as {stem.name}")
        if layer is not None:
            box.setIcon(dot(layer.colour))
        box.setChecked(True)
        box.toggled.connect(self.changed)
        return box

    def _list(self) -> QScrollArea:
        listed = QWidget()
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        for box in self._stems.values():
            column.addWidget(box)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setObjectName("sideScroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(listed)
        return scroll

    def _link(self, name: str, *, ticked: bool) -> QPushButton:
        button = QPushButton(name)
        button.setObjectName("link")
        button.setAutoDefault(False)
        button.setAccessibleName(f"{name} of the layers")
        button.setToolTip("Tick all layers and the residual" if ticked else "Tick no layer")
        button.clicked.connect(lambda: self._tick_all(ticked=ticked))
        return button


def titled(text: str) -> QLabel:
    """A small heading."""
    label = QLabel(text)
    label.setObjectName("heading")
    return label


def dot(colour: str) -> QIcon:
    """A disc in the colour of a layer."""
    pixmap = QPixmap(2 * DOT, 2 * DOT)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(1, 1, DOT - 2, DOT - 2)
    painter.end()
    return QIcon(pixmap)


def _row(box: QCheckBox, choice: QComboBox) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(box)
    row.addWidget(choice, 1)
    return row
