"""What the user asks for where it takes more than one part of the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from soli.assets import asset
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.project.presets import from_table
from soli.project.state import State
from soli.ui.alike import alike, unsure

if TYPE_CHECKING:
    from soli.ui.main_window import MainWindow


class Requests:
    """Carries out what `window` is asked for; `wiring` ties actions and gestures to it."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def open_demo(self) -> None:
        self._window.session.open_files([asset("demo", "recording.flac"), asset("demo", "score.mid")])

    def open_paths(self, paths: list[Path]) -> None:
        """Open files from the command line, a drop or a dialog."""
        self._window.session.open_files(paths)

    def new(self) -> None:
        def begin() -> None:
            self._window.session.cancel()
            self._window.document.restore(Loaded(State(settings=self._window.session.defaults)))

        self.when_safe(begin)

    def delete(self) -> None:
        if self._window.selection.ids:
            self._window.document.do(commands.delete_notes(self._window.document.state, self._window.selection.ids))

    def select_alike(self, what: str) -> None:
        """Add all notes that share `what` with one that is selected; see `alike.COMMON`."""
        selection = self._window.selection
        found = alike(self._window.document.state, selection.ids, what)
        if found == selection.ids:
            self._window.hint.setText(f"No other note is of the same {what.replace('_', ' ')}")
        selection.set(found)

    def select_unsure(self) -> None:
        """Select the notes that the sound does not bear out."""
        ids = unsure(self._window.document.state)
        self._window.selection.set(ids)
        if not ids:
            self._window.hint.setText("The sound bears out all notes")

    def decompose(self, *, from_scratch: bool = False) -> None:
        session = self._window.session
        session.decompose(from_scratch=from_scratch)
        if session.doing.decomposes_next:
            self._window.hint.setText(f"Decomposes as soon as {session.doing.awaited}; Esc stops both")

    def toggle_metronome(self) -> None:
        window = self._window
        window.listening.clicks.toggle()
        if window.listening.clicks.on and not len(window.roll.canvas.beats):
            window.hint.setText("The metronome clicks on the beats of a score: open one to hear it")

    def toggle_note_table(self) -> None:
        """Show the note table and go there, or hide it."""
        window = self._window
        inside = window.note_table.isAncestorOf(window.focusWidget() or window)
        window.beside.toggle()
        if window.beside.is_open:
            window.note_table.take_focus()
        elif inside:
            window.roll.canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def find_notes(self) -> None:
        self._window.beside.show_panel(True)
        self._window.note_table.focus_filter()

    def set_absent(self, *, absent: bool) -> None:
        self._window.document.do(commands.set_absent(self._window.document.state, self._window.selection.ids, absent=absent))

    def assign(self, index: int) -> None:
        layers = self._window.document.state.layers
        if index < len(layers):
            self._window.mixer.assign(layers[index].id)

    def go(self, time_s: float) -> None:
        self._window.listening.seek(time_s)
        self._window.roll.view.bring_into_view(time_s)

    def walk_layers(self, step: int) -> None:
        ids = [layer.id for layer in self._window.document.state.layers]
        if self._window.selection.layer in ids:
            self._window.selection.set_layer(ids[(ids.index(self._window.selection.layer) + step) % len(ids)])

    def escape(self) -> None:
        """Stop the run that goes on; without one, let go of the selection."""
        if self._window.session.decomposing or self._window.session.opening:
            self._window.session.cancel()
        elif self._window.audition.ids:
            self._window.audition.stop()
        else:
            self._window.selection.set(())

    def loop_selection(self) -> None:
        notes = [self._window.document.state.notes[i] for i in self._window.selection.ids]
        if notes:
            self._window.listening.set_loop((min(n.onset_s for n in notes), max(n.sounding_offset_s for n in notes)))

    def play_selection(self) -> None:
        """Play from the first to the last of the selected notes once; without any, the loop."""
        window = self._window
        notes = [window.document.state.notes[i] for i in window.selection.ids]
        if notes:
            window.listening.play_range(min(n.onset_s for n in notes), max(n.sounding_offset_s for n in notes))
        elif window.listening.loop is not None:
            window.listening.play_range(*window.listening.loop)
        else:
            window.hint.setText("Select notes, or draw a loop on the ruler, to play them once")

    def toggle_follow(self) -> None:
        self._window.settings.follow_playhead = self._window.actions_["follow"].isChecked()

    def use_theme(self, name: str) -> None:
        self._window.settings.theme = name
        self._window.theme.use(name)

    def preferences(self, page: str = "Audio") -> None:
        """Open the preferences at a page; what is chosen there holds at once."""
        from soli.ui.dialogs.preferences_dialog import PreferencesDialog

        window = self._window
        dialog = PreferencesDialog(window, window.settings, window.actions_, window.theme)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show_page(page)
        dialog.changed.connect(self.apply_preferences)
        window.listening.ticked.connect(dialog.audio.tell_status)
        dialog.open()

    def apply_preferences(self, page: str) -> None:
        """Let the choices of a page of the preferences take effect."""
        window, settings = self._window, self._window.settings
        if page == "Audio":
            window.listening.use_device(settings.device, settings.latency_s, max(0, settings.first_channel))
        elif page == "Appearance":
            window.actions_["follow"].setChecked(settings.follow_playhead)
            window.theme.use(settings.theme)
        elif page == "Keys":
            settings.keys = window.actions_.keymap.changes()
            window.actions_.show_keys()
        else:
            window.session.begin_with(from_table(settings.decomposition))
        window.preferences_changed.emit()

    def show_template(self, pitch: int) -> None:
        """Open the template of a pitch, with the keys on its limits."""
        editor = self._window.template_editor
        self._window.drawer.open_page(editor)
        editor.show_pitch(pitch)
        editor.harmonics.setFocus(Qt.FocusReason.OtherFocusReason)

    def free_template(self, pitch: int) -> None:
        document = self._window.document
        document.do(commands.limit_template(document.state, [pitch], None))

    def next_pane(self) -> None:
        """Walk the keyboard through roll, note table, strips and decomposition, past what cannot take it now."""
        window, why = self._window, Qt.FocusReason.ShortcutFocusReason
        panes: list[tuple[QWidget, Callable[[], object]]] = [
            (window.roll.canvas, lambda: window.roll.canvas.setFocus(why)),
            (window.note_table, window.note_table.take_focus),
            (window.mixer, window.mixer.focus_active),
            (window.jobs, lambda: window.jobs.method.setFocus(why)),
        ]

        def is_in(pane: QWidget) -> bool:
            here = window.focusWidget()
            return here is not None and (here is pane or pane.isAncestorOf(here))

        place = next((i for i, (pane, _) in enumerate(panes) if is_in(pane)), -1)
        for pane, enter in (*panes[place + 1 :], *panes[: place + 1]):
            if pane.isVisible():
                enter()
                if is_in(pane):
                    return

    def when_safe(self, then: Callable[[], object]) -> None:
        """Do something that would lose unsaved work, after asking what becomes of it."""
        if self._window.questions.may_lose():
            then()
