"""Edits of the mask: what may sound beyond what the notes say, and what may not; and of the templates of a pitch.

The strokes of a locked layer stay, and none comes to them.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from soli.decompose.constraints import MaskEdit
from soli.decompose.template_limit import TemplateLimit
from soli.project.edits import Edit, FieldChange, MaskChange, Splice, count, first_layer
from soli.project.state import State


def paint_mask(state: State, strokes: Sequence[MaskEdit]) -> Edit:
    """One drag of the mask brush or one rectangle: strokes in the order they were painted."""
    mine = tuple(piece for stroke in strokes for piece in _open(state, stroke))
    layer = next((stroke.layer for stroke in mine if stroke.allow and stroke.layer is not None), None)
    before = first_layer(state, layer) if layer is not None else ()
    verb = "allow" if strokes and strokes[0].allow else "forbid"
    name = f"{verb} {_pitches(state, strokes)}".rstrip()
    return Edit(name, (*before, *_spliced([Splice(len(state.mask), (), mine)] if mine else [])))


def erase_mask(state: State, strokes: Sequence[MaskEdit]) -> Edit:
    """Take away what was painted at the pitches and times of `strokes`, so that the notes alone say what may sound there.

    A stroke that reaches out of them is cut at their edges. Where one of `strokes` names a layer, only what was painted for
    that layer goes.
    """
    locked = state.locked_layers
    erased: dict[int, list[MaskEdit]] = {}
    for stroke in strokes:
        erased.setdefault(stroke.pitch, []).append(stroke)
    splices = []
    for at, painted in enumerate(state.mask):
        if painted.layer in locked or painted.pitch not in erased:
            continue
        left = [painted]
        for stroke in erased[painted.pitch]:
            if stroke.layer is None or stroke.layer == painted.layer:
                left = [piece for part in left for piece in _cut(part, stroke)]
        if left != [painted]:
            splices.append(Splice(at, (painted,), tuple(left)))
    return Edit("erase mask", _spliced(splices))


def limit_template(state: State, pitches: Collection[int], limit: TemplateLimit | None) -> Edit:
    """Limit the templates of some pitches, or leave them to the settings again (None)."""
    mine = sorted(pitch for pitch in {*pitches} if 0 <= pitch <= 127)
    free = limit is None or limit == TemplateLimit()
    kept = {pitch: other for pitch, other in state.template_limits.items() if pitch not in mine}
    after = kept if limit is None or free else kept | dict.fromkeys(mine, limit)
    what = f"template of {state.pitch_name(mine[0])}" if len(mine) == 1 else count(len(mine), "template")
    change = FieldChange("template_limits", state.template_limits, MappingProxyType(dict(sorted(after.items()))))
    return Edit(f"{'free' if free else 'limit'} {what}", (change,))


def inherited(mask: tuple[MaskEdit, ...], heirs: Mapping[int, int | None]) -> tuple[MaskEdit, ...]:
    """Strokes whose layer has an heir, in that one; None means in the layer of the nearest note."""
    return tuple(
        stroke if stroke.layer is None else replace(stroke, layer=heirs.get(stroke.layer, stroke.layer)) for stroke in mask
    )


def _open(state: State, stroke: MaskEdit) -> tuple[MaskEdit, ...]:
    """A stroke as it acts on the layers that are not locked: one that forbids a pitch to all is then one for each of these."""
    locked = state.locked_layers
    if stroke.layer in locked:
        return ()
    if stroke.allow or stroke.layer is not None or not locked:
        return (stroke,)
    return tuple(replace(stroke, layer=layer.id) for layer in state.layers if layer.id not in locked)


def _pitches(state: State, strokes: Sequence[MaskEdit]) -> str:
    """From the lowest to the highest, by name."""
    if not strokes:
        return ""
    low, high = min(stroke.pitch for stroke in strokes), max(stroke.pitch for stroke in strokes)
    names = [state.pitch_name(pitch, strokes[0].start_s) for pitch in (low, high)]
    return names[0] if low == high else " to ".join(names)


def _spliced(splices: Sequence[Splice]) -> tuple[MaskChange, ...]:
    return (MaskChange(tuple(splices)),) if splices else ()


def _cut(stroke: MaskEdit, erased: MaskEdit) -> list[MaskEdit]:
    """What is left of a stroke outside the times of another."""
    # What is painted or erased from the very beginning on reaches to before it.
    start_s = -math.inf if erased.start_s <= 0 else erased.start_s
    if erased.end_s <= stroke.start_s or start_s >= stroke.end_s or not erased.end_s > start_s:
        return [stroke]
    pieces = []
    if start_s > stroke.start_s:
        pieces.append(replace(stroke, end_s=start_s))
    if erased.end_s < stroke.end_s:
        pieces.append(replace(stroke, start_s=erased.end_s))
    return pieces
