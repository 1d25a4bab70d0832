"""Why a command can do nothing now: one sentence each, or none."""

from dataclasses import dataclass

from soli.project.document import Document
from soli.project.state import State
from soli.ui.selection import Selection

LAYER_KEYS = 9


@dataclass(frozen=True)
class Doing:
    """What goes on in the background.

    decomposing: whether a run goes on. awaited: what is being opened or aligned, as "the score is aligned"; "" for nothing.
    decomposes_next: whether a run is to follow that.
    """

    decomposing: bool = False
    awaited: str = ""
    decomposes_next: bool = False


def refusals(document: Document, selection: Selection, doing: Doing) -> dict[str, str]:
    """By the keys of the commands: "" where they can do something, else what to do first. Those that always can are left out."""
    state, separation = document.state, document.separation
    audio = state.audio is not None
    wait = f"Wait until {doing.awaited}" if doing.awaited else ""
    sound = "" if audio else wait or "Open a recording first"
    notes = "" if state.notes else wait or "Open a score or draw notes first"
    piece = "" if audio or state.notes else wait or "Open a recording or a score first"
    chosen = notes or ("" if selection.ids else "Select notes first")
    editable = chosen or _locked(state, selection)
    separated = "" if separation is not None else sound or notes or "Decompose first"
    idle = wait or ("Wait until the decomposition is done" if doing.decomposing else "")
    found = {
        **dict.fromkeys(("save", "save_as", "paste", "new_layer"), piece),
        **dict.fromkeys(("zoom_in", "zoom_out", "fit", "linear"), piece),
        **dict.fromkeys(("embed", "export_picture"), sound),
        **dict.fromkeys(("brighter", "darker", "more_contrast", "less_contrast", "sound_light"), sound),
        **dict.fromkeys(("play", "play_selection", "stop", "return", "end", "loop", "loop_exact"), sound),
        **dict.fromkeys(("slower", "faster", "full_speed"), sound),
        **dict.fromkeys(("loop_selection", "hear"), sound or chosen),
        **dict.fromkeys(("export", "export_factors", "compare"), separated),
        **dict.fromkeys(("export_notes", "select_all", "find_notes", "invert_selection", "split_notes"), notes),
        **dict.fromkeys(("layers_track", "layers_channel", "layers_hand", "layers_pitch", "layers_one"), notes),
        **dict.fromkeys(("select_none", "select_pitch", "select_pitch_class", "select_layer", "select_voice"), chosen),
        **dict.fromkeys(("copy", "zoom_selection"), chosen),
        **dict.fromkeys(("cut", "repeat_notes", "snap_notes", "delete"), editable),
        "undo": "" if document.history.last is not None else "There is nothing to undo",
        "redo": "" if document.history.next is not None else "There is nothing to redo",
        "select_unsure": notes or ("" if state.alignment is not None else "Open a score first: no note has been aligned yet"),
        "leave_out": chosen or _unless(selection.ids - state.absent, "The selected notes are left out already"),
        "bring_back": chosen or _unless(selection.ids & state.absent, "The selected notes take part already"),
        "decompose": _decompose(state, doing, sound),
        "decompose_anew": separated or _decompose(state, doing, sound),
        "save_encoder": separated or _encoder(document),
        "apply_encoder": sound or notes or idle,
        "align": sound or ("" if state.score is not None else wait or "Open a score first") or idle,
        **_of_layers(state, selection, piece),
    }
    heard = separation is not None and selection.layer in separation.layers
    unheard = separated or found["rename_layer"] or _unless(heard, "This layer has no sound yet: decompose again")
    found |= dict.fromkeys(("solo", "mute", "solo_only", "all_but"), unheard)
    for number in range(1, LAYER_KEYS + 1):
        there = _unless(number <= len(state.layers), f"There is no layer {number}")
        found[f"assign_{number}"] = editable or there
    return found


def _unless(holds: object, why: str) -> str:
    return "" if holds else why


def _locked(state: State, selection: Selection) -> str:
    locked = state.locked_layers
    if not locked or any(state.notes[i].layer not in locked for i in selection.ids if i in state.notes):
        return ""
    return "The layer of these notes is locked: unlock it first"


def _decompose(state: State, doing: Doing, sound: str) -> str:
    if doing.decomposing:
        return "It is being decomposed already; Esc stops that"
    if doing.decomposes_next:
        return f"Decomposes as soon as {doing.awaited}; Esc stops both"
    if doing.awaited:
        return ""  # it will follow
    return sound or _unless(state.notes or state.mask, "Open a score or draw notes first: Soli decomposes by them")


def _encoder(document: Document) -> str:
    separation = document.separation
    learnt = separation is not None and separation.factors.encoder is not None
    return _unless(learnt, "Decompose by the autoencoder first: only that learns an encoder")


def _of_layers(state: State, selection: Selection, piece: str) -> dict[str, str]:
    ids = [layer.id for layer in state.layers]
    none = piece or _unless(ids, "There are no layers yet")
    active = none or _unless(selection.layer in ids, "Choose a layer first")
    several = none or _unless(len(ids) > 1, "There is only one layer")
    return {
        **dict.fromkeys(("rename_layer", "hide_layer", "lock_layer"), active),
        **dict.fromkeys(("layer_above", "layer_below"), several),
        "move_layer_up": several or active or _unless(selection.layer != ids[0], "The active layer is the first already"),
        "move_layer_down": several or active or _unless(selection.layer != ids[-1], "The active layer is the last already"),
    }
