"""What is asked before an export: which layers and how, or the name of one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from soli.project import export
from soli.ui.dialogs.export_dialog import ExportDialog, Piece
from soli.ui.inquiry import folder_to_begin

if TYPE_CHECKING:
    from soli.ui.main_window import MainWindow

PICTURES = {"Picture (*.png)": ".png", "Drawing (*.svg)": ".svg"}
FACTORS = {"NumPy arrays (*.npz)": ".npz"}


class ExportQuestions:
    """Asks in dialogs over `window`, and lets its session write. Turning away leaves everything as it was."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def layers(self) -> None:
        """Ask for layers, mixes and notes, and for all that they are to be."""
        window, settings = self._window, self._window.settings
        separation, state = window.document.separation, window.document.state
        if separation is None:
            return
        title = window.document.title
        place = Path(settings.export_folder or settings.folder or Path.home())
        piece = Piece(
            separation,
            state,
            title,
            selected=window.selection.ids,
            loop=window.listening.loop,
            stale=window.document.stale,
        )
        folder = place / f"{export.file_name(title)} layers"
        dialog = ExportDialog(window, piece, folder, settings.export_format, settings.export, window.session.exports.peaks)
        if dialog.exec():
            settings.export_folder, settings.export_format = str(dialog.folder.parent), dialog.order.form
            settings.export = dialog.choices()
            window.session.exports.layers(dialog.folder, dialog.order)
        dialog.deleteLater()

    def picture(self) -> None:
        """Ask where to write the roll as a picture."""
        path = self._path("Export picture", "roll", PICTURES)
        if path is not None:
            self._window.session.exports.picture(path)

    def factors(self) -> None:
        """Ask where to write W and H."""
        path = self._path("Export templates and activations", "factors", FACTORS)
        if path is not None:
            self._window.session.exports.factors(path)

    def _path(self, title: str, what: str, kinds: dict[str, str]) -> Path | None:
        window = self._window
        suffixes = list(kinds.values())
        folder = Path(folder_to_begin(window.settings.folder))
        start = folder / f"{export.file_name(window.document.title)} {what}{suffixes[0]}"
        name, chosen = QFileDialog.getSaveFileName(window, title, str(start), ";;".join(kinds))
        if not name:
            return None
        path = Path(name)
        return path if path.suffix.lower() in suffixes else path.with_name(path.name + kinds.get(chosen, suffixes[0]))
