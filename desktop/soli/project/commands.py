"""Reversible edits. A function here looks at a State and returns an Edit; `Edit.apply` and `Edit.revert` undo each other."""

from soli.project.edits import Edit, count
from soli.project.layer_commands import (
    add_layer,
    alter_layer,
    assign_layer,
    remove_layer,
    set_layers,
    set_program,
    set_strip,
    set_strips,
)
from soli.project.mask_commands import paint_mask
from soli.project.note_commands import (
    SHORTEST_NOTE_S,
    delete_notes,
    draw_note,
    move_notes,
    set_absent,
    stretch_notes,
)
from soli.project.score_commands import place_score, realign, set_settings

__all__ = [
    "SHORTEST_NOTE_S",
    "Edit",
    "add_layer",
    "alter_layer",
    "assign_layer",
    "count",
    "delete_notes",
    "draw_note",
    "move_notes",
    "paint_mask",
    "place_score",
    "realign",
    "remove_layer",
    "set_absent",
    "set_layers",
    "set_program",
    "set_settings",
    "set_strip",
    "set_strips",
    "stretch_notes",
]
