"""Edits of the mask: what may sound beyond what the notes say, and what may not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from soli.decompose.constraints import MaskEdit
from soli.project.edits import Edit, MaskChange, first_layer
from soli.project.state import State


def paint_mask(state: State, strokes: Sequence[MaskEdit]) -> Edit:
    """One drag of the mask brush: strokes in the order they were painted."""
    layer = next((stroke.layer for stroke in strokes if stroke.allow and stroke.layer is not None), None)
    before = first_layer(state, layer) if layer is not None else ()
    return Edit("allow" if strokes and strokes[0].allow else "forbid", (*before, MaskChange(tuple(strokes))))


def inherited(mask: tuple[MaskEdit, ...], heirs: Mapping[int, int | None]) -> tuple[MaskEdit, ...]:
    """Strokes whose layer has an heir, in that one; None means in the layer of the nearest note."""
    return tuple(
        stroke if stroke.layer is None else replace(stroke, layer=heirs.get(stroke.layer, stroke.layer)) for stroke in mask
    )
