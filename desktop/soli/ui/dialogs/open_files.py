"""Asks which files to open."""

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget


def asked_files(window: QWidget, title: str, folder: str, filters: str) -> list[Path]:
    """The files that the user chooses in a dialog over `window`; none where it is turned away."""
    dialog = QFileDialog(window, title, folder, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    try:
        if not dialog.exec():
            return []
        field = dialog.findChild(QLineEdit, "fileNameEdit")  # where the dialog is Qt's own
        chosen = [Path(name) for name in dialog.selectedFiles()]
        return typed_files(field.text() if field is not None else "") or chosen
    finally:
        dialog.deleteLater()


def typed_files(text: str) -> list[Path]:
    """The files of several absolute paths in quotes; none where that is not what was typed.

    Qt's own dialog goes by what it has marked in its list meanwhile: of two such paths to one folder that is the last alone.
    """
    paths = [Path(name) for name in re.findall(r'"([^"]+)"', text)]
    return paths if len(paths) > 1 and all(path.is_absolute() for path in paths) else []
