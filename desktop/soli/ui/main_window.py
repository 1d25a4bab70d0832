"""The window: lays out the parts and ties the actions to them."""

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
)

from soli.playback.player import PlayerStatus
from soli.project import commands
from soli.project.document import Document
from soli.project.outlook import Outlook
from soli.settings import Settings
from soli.ui import outlook
from soli.ui.action_state import enable
from soli.ui.actions import Actions
from soli.ui.audition import Audition
from soli.ui.beside import Beside
from soli.ui.clicks import COUNT_INS, LEVELS_DB
from soli.ui.corner_title import CornerTitle
from soli.ui.drawer import Drawer
from soli.ui.drop_zone import DropZone
from soli.ui.export_questions import ExportQuestions
from soli.ui.keymap import FIXED
from soli.ui.layout import central, side_bar, status_bar
from soli.ui.listening import Listening
from soli.ui.loop_popover import LoopPopover
from soli.ui.menus import build_menus, menu_keys
from soli.ui.mixer.mixer_panel import MixerPanel
from soli.ui.note_requests import NoteRequests
from soli.ui.panels.decomposition import DecompositionPanel
from soli.ui.panels.doubtful import DoubtfulPanel
from soli.ui.panels.history import HistoryPanel
from soli.ui.panels.model_view import ModelView
from soli.ui.panels.note_table import NoteTable
from soli.ui.panels.template import TemplatePanel
from soli.ui.panels.template_editor import TemplateEditor
from soli.ui.panels.tempo import TempoPanel
from soli.ui.popups import PopupMenus
from soli.ui.questions import Questions
from soli.ui.requests import Requests
from soli.ui.roll.roll import Roll
from soli.ui.selection import Selection
from soli.ui.session import Session
from soli.ui.theme import THEMES, Theme
from soli.ui.tool_rail import ToolRail
from soli.ui.transport_bar import EDITED, LEAST_WIDTH_FOR_TITLE, TransportBar
from soli.ui.wiring import connect_actions, connect_parts
from soli.ui.worker import Job

LEAST_HEIGHT_FOR_TEMPLATE = 840
LEAST_HEIGHT_FOR_CAPTIONS = 700
LEAST_HEIGHT_FOR_LOSSES = 640
DRAWERS = ("drawer_model", "drawer_tempo", "drawer_doubtful", "drawer_history", "drawer_template")


class MainWindow(QMainWindow):
    """Shows the document; what the user asks for goes to session, listening or the document itself."""

    preferences_changed = Signal()

    def __init__(
        self,
        document: Document,
        session: Session,
        listening: Listening,
        audition: Audition,
        selection: Selection,
        theme: Theme,
        settings: Settings,
    ) -> None:
        super().__init__()
        self.document, self.session, self.listening = document, session, listening
        self.selection, self.theme, self.settings = selection, theme, settings
        self.audition = audition
        self.setWindowTitle("Soli")
        self.setAcceptDrops(True)
        self.actions_ = Actions(self, theme, stored=settings.keys, fixed={**FIXED, **menu_keys()})
        self.questions = Questions(self, document, session, settings)
        self.exports = ExportQuestions(self)
        self.roll = Roll(document, selection, theme, self.actions_.by_key)
        self.transport = TransportBar(theme, self.actions_.by_key)
        self.rail = ToolRail(theme, self.actions_, self.roll.canvas.snapping)
        self.mixer = MixerPanel(document, selection, listening, theme)
        self.jobs = DecompositionPanel(document, theme)
        self.template = TemplatePanel(document, selection, theme)
        self.tempo = TempoPanel(document, self.roll.view, theme)
        self.doubtful = DoubtfulPanel(document, selection, theme)
        self.template_editor = TemplateEditor(document, selection, theme)
        self.model = ModelView(document, self.roll.view, theme)
        self.history = HistoryPanel(document, theme)
        pages = {"Decomposition": self.model, "Tempo": self.tempo, "Doubtful notes": self.doubtful, "History": self.history}
        pages["Template"] = self.template_editor
        self.drawer = Drawer(list(pages.items()), theme)
        self.note_table = NoteTable(document, selection, theme)
        self.beside = Beside(self.roll, self.note_table, settings)
        self.drop_zone = DropZone(theme, self.roll)
        self.loop_popover = LoopPopover(theme, self.roll.canvas, lambda: self.roll.canvas.beats, lambda: listening.loop)
        self.hint = QLabel()
        self.summary = QLabel()
        for words in (self.hint, self.summary):
            words.setTextFormat(Qt.TextFormat.PlainText)
        self.requests = Requests(self)
        self.notes = NoteRequests(self.roll.canvas, lambda: listening.status.position_s)
        self.setCentralWidget(
            central(
                transport=self.transport,
                rail=self.rail,
                roll=self.beside,
                drawer=self.drawer,
                side=side_bar(self.mixer, self.jobs, self.template),
                status=status_bar(self.hint, self.summary),
            )
        )
        self.setMinimumSize(900, 560)
        self.popups = PopupMenus(self, self.actions_, document, settings)
        self.corner_title = CornerTitle(self.menuBar(), theme)
        build_menus(self.menuBar(), self.actions_, self.popups.fill_recent, self.popups.fill_layers)
        connect_actions(self)
        connect_parts(self)
        document.subscribe(self._follow)
        theme.changed.connect(self._retheme)
        self._retheme()
        self.update_actions()
        self.show_clicks()
        self.show_title()
        self.roll.canvas.use_tool(0)
        self.actions_["note_table"].setChecked(self.beside.is_open)
        self.roll.welcome.buttons[0].setFocus()

    def open_paths(self, paths: list[Path]) -> None:
        """Open files from the command line, a drop or a dialog."""
        self.requests.open_paths(paths)

    # What the user sees

    def tick(self, status: PlayerStatus) -> None:
        has_sound = self.document.state.audio is not None
        position = status.position_s if has_sound else None
        self.roll.set_playhead(position, follow=status.playing and self.settings.follow_playhead)
        self.roll.show_sounding(position if status.playing else None)
        self.transport.show_status(status, self.roll.canvas.beats)
        self.actions_.show_playing(status.playing)

    def show_clicks(self) -> None:
        """Check what is chosen of the metronome and the count-in."""
        clicks = self.listening.clicks
        self.actions_["metronome"].setChecked(clicks.on)
        for level in LEVELS_DB:
            self.actions_[f"click_{level}"].setChecked(level == clicks.level)
        for bars in range(len(COUNT_INS)):
            self.actions_[f"count_in_{bars}"].setChecked(bars == clicks.bars)

    def show_loop(self) -> None:
        self.roll.set_loop(self.listening.loop, on=self.listening.loop_on)
        self.actions_["loop"].setChecked(self.listening.loop_on)

    def show_speed(self) -> None:
        self.transport.show_speed(self.listening.speed.wanted, busy=self.listening.speed.busy)

    def show_opening(self) -> None:
        self.roll.welcome.show_opening(self.session.opening)

    def show_outlook(self, found: Outlook) -> None:
        outlook.show(self, found)

    def warn(self, text: str) -> None:
        self.roll.banner.say("warning", text)

    def inform(self, text: str) -> None:
        self.roll.banner.say("information", text)

    def show_drawer(self, page: int) -> None:
        for index, key in enumerate(DRAWERS):
            self.actions_[key].setChecked(index == page)

    def watch(self, job: Job, curve: bool) -> None:
        self.jobs.watch(job, curve=curve)
        if curve:
            job.progressed.connect(lambda _: self.model.show_factors(job.model))
            job.ended.connect(self.model.show_separation)

    def remember(self, path: Path) -> None:
        self.settings.remember(path)
        self.settings.folder = str(path.absolute().parent)

    def remember_snapping(self) -> None:
        self.settings.snap = self.roll.canvas.snapping.mode.key

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"recording", "score", "path", "history"}:
            self.show_title()
        if "recording" in aspects:
            self.roll.banner.clear()
            self.roll.canvas.setFocus()
        self.update_actions()

    def show_title(self) -> None:
        state = self.document.state
        empty = state.audio is None and state.score is None
        title = "" if empty else self.document.title + (" (read-only)" if self.session.keeper.read_only else "")
        edited = self.document.edited
        self.transport.show_title(title, edited=edited)
        self.corner_title.show_words(title, EDITED if edited and title else "")
        self.setWindowTitle(f"{'*' if edited else ''}{title} – Soli" if title else "Soli")

    def _show_summary(self) -> None:
        state = self.document.state
        parts = []
        if state.notes:
            parts.append(f"{len(state.notes)} notes")
        if state.layers:
            parts.append(commands.count(len(state.layers), "layer") if len(state.layers) > 1 else "1 layer")
        if self.document.stale:
            parts.append(f"edits not heard yet: {'the layers follow' if self.session.following else 'decompose again'}")
        if (doing := self.session.doing).decomposes_next:
            parts.append(f"decomposes as soon as {doing.awaited}")
        if saving := self.session.keeper.saving.path:
            parts.append(f"saving {saving.name}…")
        self.summary.setText("  ·  ".join(parts))

    def update_actions(self) -> None:
        enable(self.actions_, self.document, self.selection, self.session.doing)
        separated = self.document.separation is not None
        self.transport.show_stale(separated=separated, stale=self.document.stale and not self.session.following)
        self._show_summary()

    def expect_selected(self) -> None:
        """Have the sound of the one note that is chosen, should it be asked for."""
        self.audition.expect(self.selection.ids)

    def _retheme(self) -> None:
        for name in THEMES:
            self.actions_[name].setChecked(self.theme.name == name)
        self.actions_["follow"].setChecked(self.settings.follow_playhead)
        for label in (self.hint, self.summary):
            label.setFont(self.theme.font(8.5, figures=True))

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        paths = _files(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.drop_zone.welcome(paths)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_zone.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_zone.hide()
        paths = _files(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.questions.may_lose():
            event.ignore()
            return
        self.remember_place()
        event.accept()

    def remember_place(self) -> None:
        """Be at the same place of the screen the next time."""
        box = self.normalGeometry()
        self.settings.window = [box.x(), box.y(), box.width(), box.height()]
        self.settings.maximised = self.isMaximized()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.corner_title.use(event.size().width() < LEAST_WIDTH_FOR_TITLE)
        self.template.setVisible(event.size().height() >= LEAST_HEIGHT_FOR_TEMPLATE)
        self.mixer.set_compact(event.size().height() < LEAST_HEIGHT_FOR_CAPTIONS)
        self.jobs.plot.setVisible(event.size().height() >= LEAST_HEIGHT_FOR_LOSSES)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.requests.escape()
        elif why := self.actions_.refusal_of(event.keyCombination()):
            self.hint.setText(why)
        else:
            super().keyPressEvent(event)


def _files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
