"""Edits of what all the rest is made from: the score, where it lies in the recording, and the settings of a run."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from soli.decompose.settings import ModelSettings
from soli.project.edits import Edit, FieldChange, NotesChange
from soli.project.state import State
from soli.score.alignment import Alignment
from soli.score.limits import Limits


def set_settings(state: State, settings: ModelSettings) -> Edit:
    return Edit("change decomposition settings", (FieldChange("settings", state.settings, settings),))


def realign(
    state: State,
    alignment: Alignment,
    anchors: tuple[tuple[float, float], ...],
    name: str,
    *,
    limits: Limits | None = None,
) -> Edit:
    """Take over a new alignment under `anchors`. Notes that the user has placed by hand stay where they are."""
    former = {n.id: n for n in state.alignment.notes} if state.alignment else {}
    before, after = [], []
    for note in alignment.notes:
        mine, was = state.notes.get(note.id), former.get(note.id)
        if mine is None or was is None or (mine.onset_s, mine.offset_s, mine.pedal_s) != (was.onset_s, was.offset_s, was.pedal_s):
            continue
        moved = replace(mine, onset_s=note.onset_s, offset_s=note.offset_s, pedal_s=note.pedal_s)
        if moved != mine:
            before.append(mine)
            after.append(moved)
    newly_absent = alignment.absent - (state.alignment.absent if state.alignment else frozenset())
    newly_there = (state.alignment.absent if state.alignment else frozenset()) - alignment.absent
    return Edit(
        name,
        (
            NotesChange(tuple(before), tuple(after)),
            FieldChange("alignment", state.alignment, alignment),
            FieldChange("anchors", state.anchors, anchors),
            FieldChange("limits", state.limits, limits or state.limits),
            FieldChange("absent", state.absent, ((state.absent | newly_absent) - newly_there) & state.notes.keys()),
        ),
    )


def place_score(state: State, **fields: Any) -> Edit:
    """Put a score onto the recording: its notes replace all, mask strokes, limits of templates and layers begin anew.

    `fields` are score_path, score, alignment, notes (mapping), absent and layers of the new state.
    """
    fields = {
        "mask": (),
        "template_limits": MappingProxyType({}),
        "absent": frozenset(),
        "anchors": (),
        "strips": MappingProxyType({i: s for i, s in state.strips.items() if i < 0}),
        **fields,
    }
    return Edit("place score", tuple(FieldChange(name, getattr(state, name), value) for name, value in fields.items()))
