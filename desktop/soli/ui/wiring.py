"""Ties actions and the signals of the parts of the window to what they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from soli.ui.clicks import COUNT_INS, LEVELS_DB
from soli.ui.mixer.layer_menu import move, toggle_hidden, toggle_locked
from soli.ui.mixer.note_drop import NoteDrop
from soli.ui.patience import Waiting
from soli.ui.roll.snapping import MODES

SPEED_STEP = 0.05

if TYPE_CHECKING:
    from soli.ui.main_window import MainWindow


def connect_actions(window: MainWindow) -> None:
    """Say what each action does."""
    asked = window.requests
    acts: dict[str, Callable[[], object]] = {
        "new": asked.new,
        "open": window.questions.open,
        "open_recording": lambda: window.questions.open("recording"),
        "open_score": lambda: window.questions.open("score"),
        "save": window.questions.save,
        "save_as": lambda: window.questions.save(ask=True),
        "embed": lambda: window.document.set_embeds(window.actions_["embed"].isChecked()),
        "export": window.exports.layers,
        "export_picture": window.exports.picture,
        "export_factors": window.exports.factors,
        "export_notes": window.questions.export_notes,
        "demo": asked.open_demo,
        "quit": window.close,
        "undo": window.document.undo,
        "redo": window.document.redo,
        "select_all": window.notes.select_all,
        "select_none": lambda: window.selection.set(()),
        "select_pitch": lambda: asked.select_alike("pitch"),
        "select_pitch_class": lambda: asked.select_alike("pitch_class"),
        "select_layer": lambda: asked.select_alike("layer"),
        "select_voice": lambda: asked.select_alike("voice"),
        "select_unsure": asked.select_unsure,
        "find_notes": asked.find_notes,
        "note_table": asked.toggle_note_table,
        "invert_selection": window.notes.invert,
        "cut": window.notes.cut,
        "copy": window.notes.copy,
        "paste": window.notes.paste,
        "repeat_notes": window.notes.repeat,
        "split_notes": window.notes.split_at_playhead,
        "snap_notes": window.notes.snap,
        "snap_next": window.roll.canvas.snapping.cycle,
        "snap_previous": lambda: window.roll.canvas.snapping.cycle(-1),
        "delete": asked.delete,
        "leave_out": lambda: asked.set_absent(absent=True),
        "bring_back": lambda: asked.set_absent(absent=False),
        "zoom_in": lambda: window.roll.view.zoom_time(1.4),
        "zoom_out": lambda: window.roll.view.zoom_time(1 / 1.4),
        "zoom_selection": window.roll.zoom_to_selection,
        "fit": window.roll.fit,
        "follow": asked.toggle_follow,
        "drawer_model": lambda: window.drawer.toggle(0),
        "drawer_tempo": lambda: window.drawer.toggle(1),
        "drawer_doubtful": lambda: window.drawer.toggle(2),
        "drawer_history": lambda: window.drawer.toggle(3),
        "drawer_template": lambda: window.drawer.toggle(4),
        "dark": lambda: asked.use_theme("dark"),
        "light": lambda: asked.use_theme("light"),
        "system": lambda: asked.use_theme("system"),
        "next_pane": asked.next_pane,
        "play": window.listening.toggle_play,
        "return": lambda: asked.go(0.0),
        "play_selection": asked.play_selection,
        "stop": window.listening.stop,
        "loop_exact": window.loop_popover.toggle,
        "slower": lambda: window.listening.speed.set(window.listening.speed.wanted - SPEED_STEP),
        "faster": lambda: window.listening.speed.set(window.listening.speed.wanted + SPEED_STEP),
        "full_speed": lambda: window.listening.speed.set(1.0),
        "metronome": asked.toggle_metronome,
        "end": lambda: asked.go(window.document.state.duration_s),
        "loop": window.listening.toggle_loop,
        "hear": lambda: window.audition.note(window.selection.ids),
        "loop_selection": asked.loop_selection,
        "compare": lambda: window.listening.compare(not window.listening.comparing),
        "decompose": asked.decompose,
        "decompose_anew": lambda: asked.decompose(from_scratch=True),
        "model": window.questions.model,
        "save_encoder": window.questions.save_encoder,
        "apply_encoder": window.questions.apply_encoder,
        "align": window.session.align_again,
        "layers_track": lambda: window.session.split_layers("track"),
        "layers_channel": lambda: window.session.split_layers("channel"),
        "layers_hand": lambda: window.session.split_layers("hand"),
        "layers_pitch": window.roll.split_line.begin,
        "layers_one": lambda: window.session.split_layers("one"),
        "new_layer": window.mixer.new_layer,
        "rename_layer": lambda: window.mixer.rename(window.selection.layer),
        "hide_layer": lambda: toggle_hidden(window.document, window.selection.layer),
        "lock_layer": lambda: toggle_locked(window.document, window.selection.layer),
        "solo": lambda: window.mixer.toggle(window.selection.layer, solo=True),
        "mute": lambda: window.mixer.toggle(window.selection.layer, mute=True),
        "solo_only": lambda: window.mixer.solo_only(window.selection.layer),
        "all_but": lambda: window.mixer.all_but(window.selection.layer),
        "layer_above": lambda: asked.walk_layers(-1),
        "layer_below": lambda: asked.walk_layers(1),
        "move_layer_up": lambda: move(window.document, window.selection.layer, -1),
        "move_layer_down": lambda: move(window.document, window.selection.layer, 1),
        "preferences": asked.preferences,
        "keys": lambda: asked.preferences("Keys"),
        "about": window.questions.about,
    }
    for mode in MODES:
        acts[f"snap_{mode.key}"] = partial(window.roll.canvas.snapping.use, mode.key)
    for level in LEVELS_DB:
        acts[f"click_{level}"] = partial(window.listening.clicks.set_level, level)
    for bars in range(len(COUNT_INS)):
        acts[f"count_in_{bars}"] = partial(window.listening.clicks.set_bars, bars)
    for key, act in acts.items():
        window.actions_.on(key, act)
    for index, action in enumerate(window.actions_.tools):
        action.triggered.connect(lambda _=False, i=index: window.roll.canvas.use_tool(i))
    for index, action in enumerate(window.actions_.assign):
        action.triggered.connect(lambda _=False, i=index: asked.assign(i))


def connect_parts(window: MainWindow) -> None:
    """Let the parts hear of each other.

    What the window does not own calls bound methods only: a function connected to it would keep the window for ever.
    """
    asked = window.requests
    canvas, listening, session = window.roll.canvas, window.listening, window.session
    window.questions.opened.connect(asked.open_paths)
    window.actions_.explain(window.doubtful.leave_out, "leave_out", "What sounds of the selected notes goes to the residual")
    window.actions_.explain(window.doubtful.bring_back, "bring_back", "The selected notes take part again")
    session.may_replace = window.questions.may_lose
    window.questions.presets_changed.connect(window.preferences_changed)
    canvas.hint_changed.connect(window.hint.setText)
    canvas.menu_requested.connect(lambda at: window.popups.open_roll(canvas, at))
    window.popups.opened.connect(asked.open_paths)
    window.popups.layer_chosen.connect(window.mixer.assign)
    window.roll.keyboard.menu_requested.connect(window.popups.open_key)
    window.popups.pitch_chosen.connect(lambda pitch: window.roll.select_pitch(pitch, adds=False))
    window.popups.template_asked.connect(asked.show_template)
    window.popups.template_freed.connect(asked.free_template)
    window.template.bars.double_clicked.connect(lambda: window.drawer.open_page(window.template_editor))
    window.selection.changed.connect(window.update_actions)
    window.selection.layer_changed.connect(window.update_actions)
    canvas.note_pressed.connect(lambda note: window.audition.expect({note}))
    window.selection.changed.connect(window.expect_selected)
    canvas.note_clicked.connect(lambda note: window.audition.note({note}))
    window.audition.said.connect(window.hint.setText)
    window.model.component_pointed.connect(window.audition.expect_component)
    window.model.component_clicked.connect(window.audition.component)
    window.notes.said.connect(window.hint.setText)
    canvas.snapping.changed.connect(window.remember_snapping)
    canvas.snapping.onsets_wanted.connect(session.onsets.find)
    session.onsets.found.connect(canvas.snapping.set_onsets)
    canvas.snapping.use(window.settings.snap)
    canvas.escaped.connect(asked.escape)
    window.mixer.left.connect(canvas.setFocus)
    NoteDrop(canvas, window.mixer).said.connect(window.hint.setText)
    window.drawer.page_changed.connect(window.show_drawer)
    window.drawer.left.connect(lambda: canvas.setFocus(Qt.FocusReason.OtherFocusReason))
    window.tempo.limits_set.connect(session.set_limits)
    window.tempo.curve.anchor_set.connect(session.set_anchor)
    window.tempo.curve.anchor_removed.connect(session.remove_anchor)
    canvas.anchor_set.connect(session.set_anchor)
    window.doubtful.revealed.connect(canvas.reveal)
    window.roll.ruler.seek_requested.connect(listening.seek)
    window.roll.ruler.loop_requested.connect(lambda start, end: _loop(window, start, end))
    window.roll.ruler.loop_moved.connect(lambda start: _move_loop(window, start))
    window.roll.ruler.scrubbed.connect(listening.scrub)
    window.roll.ruler.exact_requested.connect(window.loop_popover.open)
    window.loop_popover.chosen.connect(lambda start, end: listening.set_loop((start, end)))
    window.loop_popover.ended.connect(lambda: listening.set_loop(None))
    window.transport.speed.chosen.connect(listening.speed.set)
    window.transport.speed.left.connect(lambda: canvas.setFocus(Qt.FocusReason.OtherFocusReason))
    listening.speed.changed.connect(window.show_speed)
    listening.clicks.changed.connect(window.show_clicks)
    window.roll.minimap.seek_requested.connect(listening.seek)
    # Who points at a time goes on with the keys of the roll.
    for pointed in (window.roll.ruler.seek_requested, window.roll.ruler.loop_requested, window.roll.minimap.seek_requested):
        pointed.connect(lambda *_: canvas.setFocus(Qt.FocusReason.MouseFocusReason))
    window.mixer.silent_changed.connect(canvas.set_audible)
    window.mixer.silent_changed.connect(window.note_table.set_silent)
    window.note_table.revealed.connect(canvas.reveal)
    window.note_table.hint_changed.connect(window.hint.setText)
    window.note_table.hear_requested.connect(window.audition.note)
    window.note_table.menu_requested.connect(lambda at: window.popups.open_rows(window.note_table, at))
    window.note_table.closed.connect(asked.toggle_note_table)
    window.beside.shown_changed.connect(window.actions_["note_table"].setChecked)
    window.jobs.settings_requested.connect(window.questions.model)
    listening.ticked.connect(window.tick)
    listening.loop_changed.connect(window.show_loop)
    listening.comparing_changed.connect(window.actions_["compare"].setChecked)
    listening.said.connect(window.warn)
    listening.unsaid.connect(window.roll.banner.take_back)
    listening.told.connect(window.inform)
    session.said.connect(window.roll.banner.say)
    session.started.connect(window.watch)
    session.busy_changed.connect(window.update_actions)
    session.busy_changed.connect(window.show_opening)
    session.keeper.saving.changed.connect(window.update_actions)
    session.keeper.holding.changed.connect(window.show_title)
    for patience in (session.patience, session.keeper.saving.patience):
        Waiting(window, patience, window.roll.banner)
    session.opened.connect(window.remember)


def _move_loop(window: MainWindow, start_s: float) -> None:
    """Move the loop, as long as it is, to where times snap."""
    canvas, loop = window.roll.canvas, window.listening.loop
    if loop is None:
        return
    bypass = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier)
    length_s = loop[1] - loop[0]
    start_s = max(0.0, min(canvas.snap(start_s, bypass=bypass), window.document.state.duration_s - length_s))
    canvas.snapping.let_go()
    window.listening.set_loop((start_s, start_s + length_s), on=window.listening.loop_on)


def _loop(window: MainWindow, start_s: float, end_s: float) -> None:
    """Loop what was drawn on the ruler, from and to where times snap."""
    canvas, bypass = window.roll.canvas, bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier)
    low, high = sorted(canvas.snap(time_s, bypass=bypass) for time_s in (start_s, end_s))
    canvas.snapping.let_go()
    if high > low:
        window.listening.set_loop((low, high))
