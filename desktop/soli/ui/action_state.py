"""Which actions can do something now, and what undo and redo would do."""

from soli.project.document import Document
from soli.ui.actions import Actions
from soli.ui.selection import Selection

SPLITS = ("layers_track", "layers_channel", "layers_hand", "layers_pitch", "layers_one")
STRIPS = ("solo", "mute", "solo_only", "all_but")


def enable(actions: Actions, document: Document, selection: Selection, *, busy: bool) -> None:
    """Enable what makes sense for the document and the selection; `busy` while a run or an alignment goes on."""
    state = document.state
    has_sound, has_notes, chosen = state.audio is not None, bool(state.notes), bool(selection.ids)
    separated, has_layers = document.separation is not None, bool(state.layers)
    enabled = {
        "save": has_sound or has_notes,
        "save_as": has_sound or has_notes,
        "embed": has_sound,
        "export": separated,
        "export_notes": has_notes,
        "export_picture": has_sound,
        "export_factors": separated,
        "undo": document.history.last is not None,
        "redo": document.history.next is not None,
        "select_all": has_notes,
        "select_none": chosen,
        "select_pitch": chosen,
        "select_pitch_class": chosen,
        "select_layer": chosen,
        "select_voice": chosen,
        "select_unsure": has_notes and state.alignment is not None,
        "find_notes": has_notes,
        "invert_selection": has_notes,
        "cut": chosen,
        "copy": chosen,
        "paste": has_sound or has_notes,
        "repeat_notes": chosen,
        "split_notes": has_notes,
        "snap_notes": chosen,
        "delete": chosen,
        "leave_out": bool(selection.ids - state.absent),
        "bring_back": bool(selection.ids & state.absent),
        "zoom_selection": chosen,
        "loop_selection": chosen and has_sound,
        "hear": chosen and has_sound,
        "play": has_sound,
        "play_selection": has_sound,
        "stop": has_sound,
        "slower": has_sound,
        "faster": has_sound,
        "full_speed": has_sound,
        "loop_exact": has_sound,
        "return": has_sound,
        "end": has_sound,
        "loop": has_sound,
        "compare": separated,
        "decompose": has_sound and (has_notes or bool(state.mask)) and not busy,
        "decompose_anew": separated and has_sound and (has_notes or bool(state.mask)) and not busy,
        "save_encoder": document.separation is not None and document.separation.factors.encoder is not None,
        "apply_encoder": has_sound and has_notes and not busy,
        "align": has_sound and state.score is not None and not busy,
        "new_layer": has_sound or has_notes,
        "rename_layer": has_layers,
        "hide_layer": has_layers,
        "lock_layer": has_layers,
        "layer_above": has_layers,
        "layer_below": has_layers,
        "move_layer_up": has_layers and selection.layer != state.layers[0].id,
        "move_layer_down": has_layers and selection.layer != state.layers[-1].id,
    }
    enabled |= dict.fromkeys(SPLITS, has_notes)
    enabled |= dict.fromkeys(STRIPS, separated and has_layers)
    for key, on in enabled.items():
        actions[key].setEnabled(on)
    actions["embed"].setChecked(document.embeds)
    for key, edit in (("undo", document.history.last), ("redo", document.history.next)):
        verb = key.capitalize()
        actions[key].setText(f"&{verb} {edit.name}" if edit else f"&{verb}")
    actions["new_layer"].setText("&New layer of the selection" if chosen else "&New layer")
    for index, action in enumerate(actions.assign):
        action.setEnabled(chosen and index < len(state.layers))
