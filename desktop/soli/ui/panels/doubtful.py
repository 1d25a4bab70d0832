"""The notes that the sound does not bear out, in order, each one click away."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from soli.project import commands
from soli.project.document import Document
from soli.score.doubts import Doubt, doubts
from soli.ui.beats import Beats
from soli.ui.selection import Selection
from soli.ui.theme import Theme

COLUMNS = ("Note", "Bar", "Time", "Layer", "Sure", "What it may be")
ROWS_LOOKED_AT = 100  # for the widths of the columns


class DoubtfulPanel(QWidget):
    """A row a doubtful note. Choosing rows selects the notes on the roll; `revealed` asks to scroll there."""

    revealed = Signal(int)

    def __init__(self, document: Document, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._document, self._selection, self._theme = document, selection, theme
        self._doubts: tuple[Doubt, ...] = ()
        self._dirty = True
        self.says = QLabel()
        self.says.setObjectName("quiet")
        self.leave_out = QPushButton("Leave out")
        self.leave_out.clicked.connect(lambda: self._set(absent=True))
        self.bring_back = QPushButton("Bring back")
        self.bring_back.clicked.connect(lambda: self._set(absent=False))
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Doubtful notes")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(ROWS_LOOKED_AT)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(40)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.itemSelectionChanged.connect(self._choose)
        head = QHBoxLayout()
        head.addWidget(self.says, 1)
        head.addWidget(self.leave_out)
        head.addWidget(self.bring_back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        document.subscribe(self._follow)
        selection.changed.connect(self._show_buttons)
        theme.changed.connect(self._mark)
        self._show_buttons()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if self._dirty:
            self._fill()

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"notes", "absent", "alignment", "layers", "recording"}:
            self._mark()

    def _mark(self) -> None:
        self._dirty = True
        if self.isVisible():
            self._fill()

    def _fill(self) -> None:
        self._dirty = False
        state = self._document.state
        confidence = {}
        if state.alignment is not None:
            confidence = dict(zip((n.id for n in state.alignment.notes), state.alignment.confidence.tolist(), strict=True))
        self._doubts = doubts(tuple(state.notes.values()), confidence, state.absent)
        beats = Beats(state)
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._doubts))
        for row, doubt in enumerate(self._doubts):
            note = state.notes[doubt.note]
            layer, bar = state.layer(note.layer), beats.bar_at(note.onset_s)
            texts = (
                state.pitch_name(note.pitch, note.onset_s),
                "" if bar is None else str(bar),
                f"{note.onset_s:.2f} s",
                layer.name if layer else "",
                f"{doubt.confidence:.2f}",
                doubt.reason.value,
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text if column == len(texts) - 1 else "")
                item.setFont(self._theme.font(9, figures=True))
                self.table.setItem(row, column, item)
        self.table.blockSignals(False)
        total = len(confidence)
        if not total:
            self.says.setText("No score has been aligned yet")
        elif not self._doubts:
            self.says.setText(f"The sound bears out all {total} notes")
        else:
            self.says.setText(f"{len(self._doubts)} of {total} notes are doubtful; choose one to go there")
        self._show_buttons()

    def _choose(self) -> None:
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        ids = [self._doubts[row].note for row in rows]
        if ids:
            self._selection.set(ids)
            self.revealed.emit(ids[0])

    def _show_buttons(self) -> None:
        chosen, absent = self._chosen(), self._document.state.absent
        self.leave_out.setEnabled(bool(chosen - absent))
        self.bring_back.setEnabled(bool(chosen & absent))

    def _set(self, *, absent: bool) -> None:
        self._document.do(commands.set_absent(self._document.state, self._chosen(), absent=absent))

    def _chosen(self) -> frozenset[int]:
        """The selected notes of this list that may be edited. What stands on its rows is doubtful; else there is no reason."""
        mine = {doubt.note for doubt in self._doubts}
        return frozenset(self._document.state.editable(self._selection.ids & mine))
