"""The window: lays out the parts and ties the actions to them."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from soli.assets import asset
from soli.playback.player import PlayerStatus
from soli.project import commands
from soli.project.document import Document
from soli.project.storage import SUFFIX
from soli.settings import Settings
from soli.ui.action_state import enable
from soli.ui.actions import Actions
from soli.ui.audition import Audition
from soli.ui.dialogs.keys_dialog import KeysDialog
from soli.ui.drawer import Drawer
from soli.ui.listening import Listening
from soli.ui.menus import build_menus
from soli.ui.mixer.mixer_panel import MixerPanel
from soli.ui.panels.decomposition import DecompositionPanel
from soli.ui.panels.doubtful import DoubtfulPanel
from soli.ui.panels.model_view import ModelView
from soli.ui.panels.template import TemplatePanel
from soli.ui.panels.tempo import TempoPanel
from soli.ui.popups import PopupMenus
from soli.ui.questions import Questions
from soli.ui.roll.roll import Roll
from soli.ui.selection import Selection
from soli.ui.session import SCORES, Session
from soli.ui.theme import Theme
from soli.ui.transport_bar import ToolRail, TransportBar
from soli.ui.worker import Job

SIDE_WIDTH = 296
LEAST_HEIGHT_FOR_TEMPLATE = 840
DRAWERS = ("drawer_model", "drawer_tempo", "drawer_doubtful")
BRIGHTNESS_STEP = 0.1


class MainWindow(QMainWindow):
    """Shows the document; what the user asks for goes to session, listening or the document itself."""

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
        self.actions_ = Actions(self, theme)
        self.questions = Questions(self, document, session, settings)
        self.roll = Roll(document, selection, theme, self.actions_.by_key)
        self.transport = TransportBar(theme, self.actions_.by_key)
        self.rail = ToolRail(theme, self.actions_.tools)
        self.mixer = MixerPanel(document, selection, listening, theme)
        self.jobs = DecompositionPanel(document, theme)
        self.template = TemplatePanel(document, selection, theme)
        self.tempo = TempoPanel(document, self.roll.view, theme)
        self.doubtful = DoubtfulPanel(document, selection, theme)
        self.model = ModelView(document, self.roll.view, theme)
        self.drawer = Drawer([("Decomposition", self.model), ("Tempo", self.tempo), ("Doubtful notes", self.doubtful)], theme)
        self.hint = QLabel()
        self.summary = QLabel()
        self._lay_out()
        self.popups = PopupMenus(self, self.actions_, document, settings)
        build_menus(self.menuBar(), self.actions_, self.popups.fill_recent, self.popups.fill_layers)
        self._connect()
        document.subscribe(self._follow)
        theme.changed.connect(self._retheme)
        self._retheme()
        self._update_actions()
        self._show_title()
        self.roll.canvas.use_tool(0)

    def _lay_out(self) -> None:
        side = QWidget()
        side.setObjectName("side")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inner = QWidget()
        strips = QVBoxLayout(inner)
        strips.setContentsMargins(12, 12, 12, 4)
        strips.addWidget(self.mixer)
        strips.addStretch()
        scroll = QScrollArea()
        scroll.setObjectName("sideScroll")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        # Strips scroll; what a run does stays in sight.
        pinned = QVBoxLayout()
        pinned.setContentsMargins(12, 8, 12, 12)
        pinned.setSpacing(12)
        pinned.addWidget(self.jobs)
        pinned.addWidget(self.template)
        around = QVBoxLayout(side)
        around.setContentsMargins(1, 0, 0, 0)
        around.setSpacing(0)
        around.addWidget(scroll, 1)
        around.addLayout(pinned)
        self.mixer.shown.connect(lambda strip: scroll.ensureWidgetVisible(strip, 0, 12))
        side.setFixedWidth(SIDE_WIDTH)

        status = QWidget()
        status.setObjectName("statusbar")
        status.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        status.setFixedHeight(26)
        line = QHBoxLayout(status)
        line.setContentsMargins(14, 0, 14, 0)
        self.hint.setObjectName("quiet")
        self.hint.setMinimumWidth(80)
        self.summary.setObjectName("quiet")
        line.addWidget(self.hint, 1)
        line.addWidget(self.summary)

        body = QHBoxLayout()
        body.setSpacing(0)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.roll, 1)
        middle.addWidget(self.drawer)
        body.addWidget(self.rail)
        body.addLayout(middle, 1)
        body.addWidget(side)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.transport)
        layout.addLayout(body, 1)
        layout.addWidget(status)
        self.setCentralWidget(central)
        self.setMinimumSize(900, 560)

    def _connect(self) -> None:
        acts: dict[str, Callable[[], object]] = {
            "new": self._new,
            "open": self.questions.open,
            "open_recording": lambda: self.questions.open("recording"),
            "open_score": lambda: self.questions.open("score"),
            "save": self.questions.save,
            "save_as": lambda: self.questions.save(ask=True),
            "export": self.questions.export,
            "export_notes": self.questions.export_notes,
            "demo": self.open_demo,
            "quit": self.close,
            "undo": self.document.undo,
            "redo": self.document.redo,
            "select_all": lambda: self.selection.set(self.document.state.notes),
            "select_none": lambda: self.selection.set(()),
            "delete": self._delete,
            "leave_out": lambda: self._set_absent(absent=True),
            "bring_back": lambda: self._set_absent(absent=False),
            "zoom_in": lambda: self.roll.view.zoom_time(1.4),
            "zoom_out": lambda: self.roll.view.zoom_time(1 / 1.4),
            "zoom_selection": self.roll.zoom_to_selection,
            "fit": self.roll.fit,
            "follow": self._toggle_follow,
            "drawer_model": lambda: self.drawer.toggle(0),
            "drawer_tempo": lambda: self.drawer.toggle(1),
            "drawer_doubtful": lambda: self.drawer.toggle(2),
            "brighter": lambda: self._light(BRIGHTNESS_STEP),
            "darker": lambda: self._light(-BRIGHTNESS_STEP),
            "dark": lambda: self._use_theme("dark"),
            "light": lambda: self._use_theme("light"),
            "next_pane": self._next_pane,
            "play": self.listening.toggle_play,
            "return": lambda: self._go(0.0),
            "end": lambda: self._go(self.document.state.duration_s),
            "loop": self.listening.toggle_loop,
            "hear": lambda: self.audition.note(self.selection.ids),
            "loop_selection": self._loop_selection,
            "compare": lambda: self.listening.compare(not self.listening.comparing),
            "decompose": self.session.decompose,
            "model": self.questions.model,
            "save_encoder": self.questions.save_encoder,
            "apply_encoder": self.questions.apply_encoder,
            "align": self.session.align_again,
            "layers_track": lambda: self.session.split_layers("track"),
            "layers_channel": lambda: self.session.split_layers("channel"),
            "layers_hand": lambda: self.session.split_layers("hand"),
            "layers_pitch": self.questions.split,
            "layers_one": lambda: self.session.split_layers("one"),
            "new_layer": self.mixer.new_layer,
            "rename_layer": lambda: self.mixer.rename(self.selection.layer),
            "solo": lambda: self.mixer.toggle(self.selection.layer, solo=True),
            "mute": lambda: self.mixer.toggle(self.selection.layer, mute=True),
            "solo_only": lambda: self.mixer.solo_only(self.selection.layer),
            "all_but": lambda: self.mixer.all_but(self.selection.layer),
            "layer_above": lambda: self._walk_layers(-1),
            "layer_below": lambda: self._walk_layers(1),
            "keys": lambda: KeysDialog(self, self.actions_.table()).exec(),
            "about": self.questions.about,
        }
        for key, act in acts.items():
            self.actions_.on(key, act)
        for index, action in enumerate(self.actions_.tools):
            action.triggered.connect(lambda _=False, i=index: self.roll.canvas.use_tool(i))
        for index, action in enumerate(self.actions_.assign):
            action.triggered.connect(lambda _=False, i=index: self._assign(i))
        canvas, listening, session = self.roll.canvas, self.listening, self.session
        self.questions.opened.connect(self.open_paths)
        canvas.hint_changed.connect(self.hint.setText)
        canvas.menu_requested.connect(lambda at: self.popups.open_roll(canvas, at))
        self.popups.opened.connect(self.open_paths)
        self.popups.layer_chosen.connect(self.mixer.assign)
        self.selection.changed.connect(self._update_actions)
        canvas.note_clicked.connect(lambda note: self.audition.note({note}))
        self.audition.said.connect(self.hint.setText)
        self.model.component_clicked.connect(self.audition.component)
        canvas.escaped.connect(self._escape)
        self.mixer.left.connect(canvas.setFocus)
        self.drawer.page_changed.connect(self._show_drawer)
        self.tempo.limits_set.connect(session.set_limits)
        self.tempo.curve.anchor_set.connect(session.set_anchor)
        self.tempo.curve.anchor_removed.connect(session.remove_anchor)
        canvas.anchor_set.connect(session.set_anchor)
        self.doubtful.revealed.connect(canvas.reveal)
        self.roll.ruler.seek_requested.connect(listening.seek)
        self.roll.ruler.loop_requested.connect(lambda start, end: listening.set_loop((start, end)))
        self.roll.minimap.seek_requested.connect(listening.seek)
        # Who points at a time goes on with the keys of the roll.
        for pointed in (self.roll.ruler.seek_requested, self.roll.ruler.loop_requested, self.roll.minimap.seek_requested):
            pointed.connect(lambda *_: canvas.setFocus(Qt.FocusReason.MouseFocusReason))
        self.mixer.silent_changed.connect(canvas.set_audible)
        self.jobs.settings_requested.connect(self.questions.model)
        listening.ticked.connect(self._tick)
        listening.loop_changed.connect(self._show_loop)
        listening.comparing_changed.connect(self.actions_["compare"].setChecked)
        listening.said.connect(lambda text: self.roll.banner.say("warning", text))
        session.said.connect(self.roll.banner.say)
        session.started.connect(self._watch)
        session.busy_changed.connect(self._update_actions)
        session.opened.connect(self._remember)
        session.picture_ready.connect(canvas.set_picture)
        session.picture_grew.connect(canvas.picture_grew)
        session.loudness_ready.connect(self.roll.minimap.set_loudness)

    # What the user asks for

    def open_demo(self) -> None:
        self._when_safe(lambda: self.session.open_files([asset("demo", "recording.flac"), asset("demo", "score.mid")]))

    def open_paths(self, paths: list[Path]) -> None:
        """Open files from the command line, a drop or a dialog."""
        # A score is placed by an undoable step, and a recording joins notes that wait for one: nothing is lost by either.
        scores = [p.suffix.lower() in SCORES for p in paths]
        joins = self.document.state.audio is None and SUFFIX not in {p.suffix.lower() for p in paths} and not any(scores)
        if not all(scores) and not joins:
            self._when_safe(lambda: self.session.open_files(paths))
        else:
            self.session.open_files(paths)

    def _new(self) -> None:
        from soli.project.pipeline import Loaded
        from soli.project.state import State

        def begin() -> None:
            self.session.cancel()
            self.document.restore(Loaded(State()))

        self._when_safe(begin)

    def _delete(self) -> None:
        if self.selection.ids:
            self.document.do(commands.delete_notes(self.document.state, self.selection.ids))

    def _set_absent(self, *, absent: bool) -> None:
        self.document.do(commands.set_absent(self.document.state, self.selection.ids, absent=absent))

    def _assign(self, index: int) -> None:
        layers = self.document.state.layers
        if index < len(layers):
            self.mixer.assign(layers[index].id)

    def _go(self, time_s: float) -> None:
        self.listening.seek(time_s)
        self.roll.view.bring_into_view(time_s)

    def _walk_layers(self, step: int) -> None:
        ids = [layer.id for layer in self.document.state.layers]
        if self.selection.layer in ids:
            self.selection.set_layer(ids[(ids.index(self.selection.layer) + step) % len(ids)])

    def _escape(self) -> None:
        """Stop the run that goes on; without one, let go of the selection."""
        if self.session.decomposing or self.session.opening:
            self.session.cancel()
        elif self.audition.ids:
            self.audition.stop()
        else:
            self.selection.set(())

    def _loop_selection(self) -> None:
        notes = [self.document.state.notes[i] for i in self.selection.ids]
        if notes:
            self.listening.set_loop((min(n.onset_s for n in notes), max(n.sounding_offset_s for n in notes)))

    def _toggle_follow(self) -> None:
        self.settings.follow_playhead = self.actions_["follow"].isChecked()

    def _light(self, step: float) -> None:
        canvas = self.roll.canvas
        canvas.set_light(min(1.0, max(-1.0, canvas.brightness + step)), canvas.contrast)

    def _use_theme(self, name: str) -> None:
        self.settings.theme = name
        self.theme.use(name)

    def _next_pane(self) -> None:
        """Walk the keyboard through roll, strips and decomposition."""
        here = self.focusWidget()
        if here is not None and self.mixer.isAncestorOf(here):
            self.jobs.method.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif here is self.roll.canvas and self.document.state.audio is not None:
            self.mixer.focus_active()
        else:
            self.roll.canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _when_safe(self, then: Callable[[], object]) -> None:
        """Do something that would lose unsaved work, after asking what becomes of it."""
        if self.questions.may_lose():
            then()

    # What the user sees

    def _tick(self, status: PlayerStatus) -> None:
        has_sound = self.document.state.audio is not None
        position = status.position_s if has_sound else None
        self.roll.set_playhead(position, follow=status.playing and self.settings.follow_playhead)
        self.roll.show_sounding(position if status.playing else None)
        self.transport.show_status(status, self.roll.canvas.beats)
        self.actions_.show_playing(status.playing)

    def _show_loop(self) -> None:
        self.roll.ruler.set_loop(self.listening.loop, on=self.listening.loop_on)
        self.actions_["loop"].setChecked(self.listening.loop_on)

    def _show_drawer(self, page: int) -> None:
        for index, key in enumerate(DRAWERS):
            self.actions_[key].setChecked(index == page)

    def _watch(self, job: Job, curve: bool) -> None:
        self.jobs.watch(job, curve=curve)
        if curve:
            job.progressed.connect(lambda _: self.model.show_factors(job.model))
            job.ended.connect(self.model.show_separation)

    def _remember(self, path: Path) -> None:
        self.settings.remember(path)
        self.settings.folder = str(path.resolve().parent)

    def _follow(self, aspects: frozenset[str]) -> None:
        if aspects & {"recording", "score", "path", "history"}:
            self._show_title()
        if "recording" in aspects:
            self.roll.banner.clear()
            self.roll.canvas.setFocus()
        self._update_actions()
        self._show_summary()

    def _show_title(self) -> None:
        state = self.document.state
        empty = state.audio is None and state.score is None
        title = "" if empty else self.document.title
        edited = self.document.edited
        self.transport.show_title(title, edited=edited)
        self.setWindowTitle(f"{'*' if edited else ''}{title} – Soli" if title else "Soli")

    def _show_summary(self) -> None:
        state = self.document.state
        parts = []
        if state.notes:
            parts.append(f"{len(state.notes)} notes")
        if state.layers:
            parts.append(commands.count(len(state.layers), "layer") if len(state.layers) > 1 else "1 layer")
        if self.document.stale:
            parts.append("edits not heard yet: decompose again")
        self.summary.setText("  ·  ".join(parts))

    def _update_actions(self) -> None:
        enable(self.actions_, self.document, self.selection, busy=self.session.decomposing or self.session.opening)
        separated = self.document.separation is not None
        self.transport.show_stale(separated=separated, stale=self.document.stale)

    def _retheme(self) -> None:
        self.actions_["dark"].setChecked(self.theme.colours.name == "dark")
        self.actions_["light"].setChecked(self.theme.colours.name == "light")
        self.actions_["follow"].setChecked(self.settings.follow_playhead)
        for label in (self.hint, self.summary):
            label.setFont(self.theme.font(8.5, figures=True))

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.questions.may_lose():
            event.ignore()
            return
        box = self.normalGeometry()
        self.settings.window = [box.x(), box.y(), box.width(), box.height()]
        self.settings.maximised = self.isMaximized()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.template.setVisible(event.size().height() >= LEAST_HEIGHT_FOR_TEMPLATE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        else:
            super().keyPressEvent(event)
