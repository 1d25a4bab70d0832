"""What the window shows of a piece, read from it and given back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soli.project.outlook import Outlook

if TYPE_CHECKING:
    from soli.ui.main_window import MainWindow


def look(window: MainWindow) -> Outlook:
    """What is shown now."""
    view, listening = window.roll.view, window.listening
    start_s, end_s = listening.loop or (0.0, 0.0)
    return Outlook(
        view.start_s,
        view.end_s,
        view.bottom,
        view.top,
        listening.status.position_s,
        start_s,
        end_s,
        float(listening.loop_on),
    )


def show(window: MainWindow, outlook: Outlook) -> None:
    """Show what was shown then, as far as the piece reaches."""
    duration_s = window.document.state.duration_s
    if outlook.end_s > outlook.start_s and outlook.highest > outlook.lowest:
        window.roll.view.go_to(outlook.start_s, outlook.end_s, outlook.lowest, outlook.highest)
    if outlook.loop is not None and outlook.loop[0] < duration_s:
        window.listening.set_loop((max(0.0, outlook.loop[0]), min(outlook.loop[1], duration_s)), on=bool(outlook.loop_on))
    window.listening.seek(outlook.playhead_s)
