"""Runs Soli as `python -m soli` does, and tells a journey what a person would see: where each control is, what is going on.

It only looks: every 150 ms a line of JSON goes to stdout. `python eyes.py ARGUMENTS`.
"""

import json
import sys
import zlib

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox, QWidget

from soli import app, cli
from soli.project.state import State


def controls(window: QWidget) -> dict[str, list[int]]:
    """Visible controls by the name a screen reader says, with x, y, width and height on the screen."""
    found = {}
    for widget in window.findChildren(QWidget):
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        if name and widget.isVisible():
            corner = widget.mapToGlobal(QPoint(0, 0))
            found.setdefault(name, [corner.x(), corner.y(), widget.width(), widget.height()])
    return found


def content(state: State) -> list[object]:
    """All that edits change: equal where two documents are."""
    notes, strips = sorted(state.notes.items()), sorted(state.strips.items())
    return [notes, sorted(state.absent), state.mask, state.layers, strips, sorted(state.template_limits.items()), state.settings]


def sight(application: app.Application) -> dict[str, object]:
    document, window, status = application.document, application.window, application.listening.status
    state, view = document.state, window.roll.view
    dialog = QApplication.activeModalWidget()
    return {
        "title": window.windowTitle(),
        "busy": application.session.opening or application.session.decomposing or application.worker.busy,
        "notes": {note.id: [note.pitch, note.onset_s, note.sounding_offset_s] for note in state.notes.values()},
        "layer_of": {note.id: note.layer for note in state.notes.values()},
        "tolerances": {note.id: [note.before_s, note.after_s] for note in state.notes.values()},
        "content": zlib.crc32(repr(content(state)).encode()),
        "mask": [[stroke.pitch, stroke.start_s, stroke.end_s, stroke.allow] for stroke in state.mask],
        "layers": [layer.name for layer in state.layers],
        "soloed": [layer.name for layer in state.layers if state.strip(layer.id).soloed],
        "separated": document.separation is not None,
        "stale": document.stale,
        "done": [edit.name for edit in document.history.done],
        "selected": sorted(application.selection.ids),
        "playing": status.playing,
        "position_s": status.position_s,
        "peaks": list(status.peaks),
        "message": window.roll.banner.text.text() if window.roll.banner.isVisible() else "",
        "view": [view.start_s, view.px_per_s, view.top, view.px_per_semitone],
        "dialog": dialog.windowTitle() if dialog else "",
        "asked": dialog.text() if isinstance(dialog, QMessageBox) else "",
        "controls": controls(dialog or window),
    }


def main() -> int:
    show = app.Application.show

    def show_and_tell(self: app.Application) -> None:
        show(self)
        timer = QTimer(self.window, interval=150)
        timer.timeout.connect(lambda: print(json.dumps(sight(self)), flush=True))
        timer.start()

    app.Application.show = show_and_tell
    arguments = cli.parse(sys.argv[1:])
    return app.run(arguments.files, demo=arguments.command == "demo")


if __name__ == "__main__":
    sys.exit(main())
