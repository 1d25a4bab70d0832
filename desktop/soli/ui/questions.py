"""What the window asks the user: which file, where to, which settings, and what becomes of unsaved work."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from soli import __version__
from soli.project import commands, export
from soli.project.document import Document
from soli.project.storage import SUFFIX
from soli.settings import Settings
from soli.signal.audio import READABLE
from soli.ui.dialogs.model_dialog import ModelDialog
from soli.ui.dialogs.open_files import asked_files
from soli.ui.inquiry import folder_to_begin
from soli.ui.plain import plain
from soli.ui.saving import Wait
from soli.ui.session import SCORES, Session

ENCODERS = "Soli encoder (*.npz)"


class Questions(QObject):
    """Asks in dialogs over `window`, and hands the answers on. Turning away leaves everything as it was."""

    opened = Signal(list)  # paths to open
    presets_changed = Signal()

    def __init__(self, window: QWidget, document: Document, session: Session, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._document, self._session, self._settings = window, document, session, settings

    def open(self, what: str = "") -> None:
        sounds = " ".join(f"*{suffix}" for suffix in READABLE)
        scores = " ".join(f"*{suffix}" for suffix in SCORES)
        filters = {
            "": f"Recordings, scores and projects ({sounds} {scores} *{SUFFIX});;All files (*)",
            "recording": f"Recordings ({sounds});;All files (*)",
            "score": f"Scores ({scores});;All files (*)",
        }[what]
        title = f"Open {what or 'a recording, its score, or a project'}"
        paths = asked_files(self._window, title, folder_to_begin(self._settings.folder), filters)
        if paths:
            self.opened.emit(paths)

    def save(self, *, ask: bool = False, done: Callable[[bool], None] = lambda _: None) -> bool:
        """Begin to save the project; False when the user turned away. `done` is called with whether it is safe."""
        path = self._document.path
        if ask or path is None or self._session.keeper.read_only:
            start = str(Path(folder_to_begin(self._settings.folder)) / f"{export.file_name(self._document.title)}{SUFFIX}")
            name, _ = QFileDialog.getSaveFileName(self._window, "Save project", start, f"Soli project (*{SUFFIX})")
            if not name:
                return False
            path = Path(name)
            if path.suffix.lower() != SUFFIX:
                path = path.with_name(path.name + SUFFIX)
        self._session.save(path, done)
        return True

    def export_notes(self) -> None:
        start = str(Path(folder_to_begin(self._settings.folder)) / f"{export.file_name(self._document.title)} aligned.mid")
        forms = {f"{what} (*{suffix})": form for form, (suffix, what) in reversed(export.NOTE_FORMS.items())}
        name, chosen = QFileDialog.getSaveFileName(self._window, "Export notes", start, ";;".join(forms))
        if not name:
            return
        form, path = forms.get(chosen, "midi"), Path(name)
        wanted = export.NOTE_FORMS[form][0]
        if path.suffix.lower() not in {suffix for suffix, _ in export.NOTE_FORMS.values()}:
            path = path.with_name(path.name + wanted)
        # Where the name was typed with the suffix of another kind, that is what is meant.
        self._session.exports.notes(path, form=form if path.suffix.lower() == wanted else "")

    def model(self) -> None:
        dialog = ModelDialog(self._window, self._document.state.settings, self._settings)
        dialog.presets.changed.connect(self.presets_changed)
        if dialog.exec():
            chosen = dialog.settings()
            if chosen != self._document.state.settings:
                self._document.do(commands.set_settings(self._document.state, chosen))
        dialog.deleteLater()

    def save_encoder(self) -> None:
        start = str(Path(folder_to_begin(self._settings.folder)) / f"{export.file_name(self._document.title)} encoder.npz")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the encoder", start, ENCODERS)
        if name:
            self._session.save_encoder(Path(name) if Path(name).suffix else Path(f"{name}.npz"))

    def apply_encoder(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Apply an encoder", folder_to_begin(self._settings.folder), ENCODERS)
        if name:
            self._session.decompose(encoder=Path(name))

    def may_lose(self) -> bool:
        if not self._saved():
            return False
        if not self._document.edited:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Unsaved changes",
            plain(f"Save the changes to {self._document.title} first?"),
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        if answer != buttons.Save:
            return answer == buttons.Discard
        safe: list[bool] = []
        return self.save(done=safe.append) and self._saved() and safe == [True]

    def _saved(self) -> bool:
        """Wait for what is being saved; False where the user would not."""
        wait = Wait(self._window, self._session.keeper.saving)
        try:
            return wait.run()
        finally:
            wait.deleteLater()

    def about(self) -> None:
        text = (
            f"<b>Soli {__version__}</b><p>Hear any notes of a recording on their own.</p>"
            "<p>Score-informed decomposition after Ewert and Müller (ICASSP 2012) and Özer et al. (EUSIPCO 2022).</p>"
            "<p>MIT licence. Type face: Inter, SIL Open Font License.</p>"
        )
        QMessageBox.about(self._window, "About Soli", text)
