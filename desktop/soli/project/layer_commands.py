"""Edits of layers and of their strips in the mixer."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from soli.playback.mixer import Strip
from soli.project.edits import Edit, FieldChange, NotesChange, alter, count
from soli.project.layering import Layering, unique
from soli.project.mask_commands import inherited
from soli.project.state import ORIGINAL, RESIDUAL, Layer, State, free_colour


def assign_layer(state: State, ids: Collection[int], layer: int) -> Edit:
    """Put notes into a layer; nothing moves out of a locked one or into one."""
    name = getattr(state.layer(layer), "name", "")
    ids = state.editable(ids) if layer not in state.locked_layers else ()
    edit = alter(state, "assign", ids, lambda note: replace(note, layer=layer))
    return replace(edit, name=f"{edit.name} to {name}".removesuffix(" to "))


def set_layers(state: State, layering: Layering, name: str) -> Edit:
    """Sort notes into new layers; locked layers stay with what is in them.

    Strips of the former layers go, strokes follow where most notes of their layer went.
    """
    stay = tuple(layer for layer in state.layers if layer.locked)
    if {layer.id for layer in stay} & {layer.id for layer in layering.layers}:
        layering = layering.numbered_from(state.next_layer_id())
    first, locked = layering.layers[0].id, state.locked_layers
    target = {n.id: layering.layer_of.get(n.id, first) for n in state.notes.values() if n.layer not in locked}
    taken = {*target.values()}
    new = _beside(stay, [layer for layer in layering.layers if layer.id in taken]) if stay else layering.layers
    before = tuple(n for n in state.notes.values() if target.get(n.id, n.layer) != n.layer)
    after = tuple(replace(n, layer=target[n.id]) for n in before)
    kept = {i: s for i, s in state.strips.items() if i in {RESIDUAL, ORIGINAL} | {layer.id for layer in stay}}
    ways: dict[int, Counter[int]] = defaultdict(Counter)
    for i, layer in target.items():
        ways[state.notes[i].layer][layer] += 1
    heirs = {
        former.id: ways[former.id].most_common(1)[0][0] if ways[former.id] else None
        for former in state.layers
        if former not in stay
    }
    return Edit(
        name,
        (
            NotesChange(before, after),
            FieldChange("mask", state.mask, inherited(state.mask, heirs)),
            FieldChange("layers", state.layers, (*stay, *new)),
            FieldChange("strips", state.strips, MappingProxyType(kept)),
        ),
    )


def _beside(stay: tuple[Layer, ...], new: Sequence[Layer]) -> tuple[Layer, ...]:
    """New layers with names and colours that those which stay do not have."""
    names = unique([layer.name for layer in (*stay, *new)])[len(stay) :]
    layers = stay
    for layer, name in zip(new, names, strict=True):
        layers = (*layers, replace(layer, name=name, colour=free_colour(layers)))
    return layers[len(stay) :]


def set_program(state: State, layer: int, program: int, name: str) -> Edit:
    """Say which instrument (a General MIDI program from 0) plays the pitched notes of a layer."""
    ids = [n.id for n in state.notes.values() if n.layer == layer and not n.is_drum]
    return replace(alter(state, "", ids, lambda note: replace(note, program=program)), name=f"set instrument to {name}")


def add_layer(state: State, name: str, ids: Collection[int] = (), *, layer_id: int | None = None) -> Edit:
    """A new layer, of the notes named (none: an empty one)."""
    layer = Layer(state.next_layer_id() if layer_id is None else layer_id, name.strip() or "Layer", free_colour(state.layers))
    notes = alter(state, "", state.editable(ids), lambda note: replace(note, layer=layer.id)).changes
    return Edit(f"add layer {layer.name}", (FieldChange("layers", state.layers, (*state.layers, layer)), *notes))


def split_at_pitch(state: State, ids: Collection[int], pitch: int, *, first_id: int | None = None) -> Edit:
    """Two new layers of the notes `ids`: those of `pitch` and above, and those below it. Layers that are left empty go.

    What was the whole of one layer keeps its strip, templates and place in both of them. Where all of the notes lie on one
    side nothing changes.
    """
    name = f"split at {state.pitch_name(pitch)}"
    ids = state.editable(ids)
    above = {i for i in ids if state.notes[i].pitch >= pitch}
    if not above or len(above) == len(ids):
        return Edit(name, ())
    upper, lower = halves(state, ids, pitch, first_id=first_id)
    moved = alter(state, "", ids, lambda note: replace(note, layer=(upper if note.id in above else lower).id))
    gone = _emptied(state, ids)
    place = min((n for n, layer in enumerate(state.layers) if layer.id in gone), default=len(state.layers))
    before = [layer for layer in state.layers[:place] if layer.id not in gone]
    after = [layer for layer in state.layers[place:] if layer.id not in gone]
    strips = {i: strip for i, strip in state.strips.items() if i not in gone}
    if len(gone) == 1 and gone <= state.strips.keys():
        strips |= dict.fromkeys((upper.id, lower.id), state.strips[min(gone)])
    counts = {former: Counter(state.notes[i].pitch >= pitch for i in ids if state.notes[i].layer == former) for former in gone}
    heirs = {former: (upper if highs[True] >= highs[False] else lower).id for former, highs in counts.items()}
    return Edit(
        name,
        (
            *moved.changes,
            FieldChange("mask", state.mask, inherited(state.mask, heirs)),
            FieldChange("layers", state.layers, (*before, upper, lower, *after)),
            FieldChange("strips", state.strips, MappingProxyType(strips)),
        ),
    )


def halves(state: State, ids: Collection[int], pitch: int, *, first_id: int | None = None) -> tuple[Layer, Layer]:
    """The two layers, upper and lower, that `split_at_pitch` makes."""
    first_id = state.next_layer_id() if first_id is None else first_id
    sources, gone = {state.notes[i].layer for i in ids}, _emptied(state, ids)
    source = state.layer(min(sources)) if len(sources) == 1 else None
    others = tuple(layer for layer in state.layers if layer.id not in gone)
    at = state.pitch_name(pitch)
    words = (
        (f"{source.name} from {at}", f"{source.name} below {at}") if source is not None else (f"{at} and above", f"Below {at}")
    )
    names = unique([*(layer.name for layer in others), *words])[len(others) :]
    colour = source.colour if source is not None and gone else free_colour(others)
    upper = Layer(first_id, names[0], colour, templates=source.templates if source is not None else None)
    return upper, replace(upper, id=first_id + 1, name=names[1], colour=free_colour((*others, upper)))


def _emptied(state: State, ids: Collection[int]) -> set[int]:
    """Layers that have notes now, and would have none without `ids`."""
    chosen = set(ids)
    return {state.notes[i].layer for i in chosen} - {n.layer for n in state.notes.values() if n.id not in chosen}


def alter_layer(state: State, layer_id: int, *, name: str | None = None, colour: str | None = None) -> Edit:
    """Rename a layer or colour it ("#rrggbb"); an empty name leaves what it has."""
    name = (name or "").strip()

    def altered(layer: Layer) -> Layer:
        return replace(layer, name=name or layer.name, colour=colour or layer.colour) if layer.id == layer_id else layer

    former = getattr(state.layer(layer_id), "name", "layer").strip() or "layer"
    what = f"rename {former} to {name}" if name else f"colour {former}"
    return Edit(what, (FieldChange("layers", state.layers, tuple(map(altered, state.layers))),))


def remove_layer(state: State, layer_id: int, into: int) -> Edit:
    """Merge a layer into another: its notes and strokes go there."""
    return merge_layers(state, [layer_id], into)


def merge_layers(state: State, ids: Collection[int], into: int) -> Edit:
    """Merge layers into another: their notes and strokes go there."""
    gone = [layer for layer in state.layers if layer.id in ids and layer.id != into]
    heir = state.layer(into)
    name = f"merge {gone[0].name if len(gone) == 1 else count(len(gone), 'layer')}"
    if not gone or heir is None:
        return Edit(name, ())
    name = f"{name} into {heir.name}"
    heirs = dict.fromkeys((layer.id for layer in gone), into)
    moved = [n.id for n in state.notes.values() if n.layer in heirs]
    layers = tuple(layer for layer in state.layers if layer.id not in heirs)
    strips = MappingProxyType({i: s for i, s in state.strips.items() if i not in heirs})
    return Edit(
        name,
        (
            *alter(state, "", moved, lambda note: replace(note, layer=into)).changes,
            FieldChange("mask", state.mask, inherited(state.mask, heirs)),
            FieldChange("layers", state.layers, layers),
            FieldChange("strips", state.strips, strips),
        ),
    )


def move_layer(state: State, layer_id: int, position: int) -> Edit:
    """Put a layer at another place among the layers, 0 for the first."""
    others = [layer for layer in state.layers if layer.id != layer_id]
    mine = [layer for layer in state.layers if layer.id == layer_id]
    position = min(max(0, position), len(others))
    layers = (*others[:position], *mine, *others[position:])
    return Edit(f"move layer {mine[0].name if mine else ''}".strip(), (FieldChange("layers", state.layers, layers),))


def set_layer_flags(state: State, layer_id: int, *, hidden: bool | None = None, locked: bool | None = None) -> Edit:
    """Hide a layer on the roll or show it, lock its notes or let them be edited; None leaves that as it is."""
    words = [
        word
        for flag, word in ((hidden, "hide" if hidden else "show"), (locked, "lock" if locked else "unlock"))
        if flag is not None
    ]

    def flagged(layer: Layer) -> Layer:
        if layer.id != layer_id:
            return layer
        return replace(
            layer,
            hidden=layer.hidden if hidden is None else hidden,
            locked=layer.locked if locked is None else locked,
        )

    name = f"{' and '.join(words) or 'leave'} {getattr(state.layer(layer_id), 'name', 'layer')}".strip()
    return Edit(name, (FieldChange("layers", state.layers, tuple(map(flagged, state.layers))),))


def set_layer_templates(state: State, layer_ids: Collection[int], group: int | None) -> Edit:
    """Let layers share the set of templates `group` (see `State.next_template_group`); None goes by their instruments."""
    layers = tuple(replace(layer, templates=group) if layer.id in layer_ids else layer for layer in state.layers)
    names = [layer.name for layer in layers if layer.id in layer_ids]
    whose = names[0] if len(names) == 1 else count(len(names), "layer")
    sharing = group is not None and sum(layer.templates == group for layer in layers) > 1
    what = f"share templates of {whose}" if sharing else f"separate templates of {whose}"
    if group is None:
        what = f"group templates of {whose} by instrument"
    return Edit(what, (FieldChange("layers", state.layers, layers),))


def set_strip(state: State, strip_id: int, strip: Strip, *, gesture: str = "") -> Edit:
    """Gain, pan, mute or solo of one strip."""
    old, whose = state.strip(strip_id), strip_name(state, strip_id)
    if old.muted != strip.muted:
        what = f"{'mute' if strip.muted else 'unmute'} {whose}"
    elif old.soloed != strip.soloed:
        what = f"{'solo' if strip.soloed else 'unsolo'} {whose}"
    else:
        what = f"set {'pan' if old.pan != strip.pan else 'gain'} of {whose}"
    return replace(set_strips(state, {strip_id: strip}, what), gesture=gesture)


def strip_name(state: State, strip_id: int) -> str:
    """What the name of an edit calls a strip."""
    others = {RESIDUAL: "the residual", ORIGINAL: "the original"}
    layer = state.layer(strip_id)
    return layer.name if layer is not None else others.get(strip_id, "a layer")


def set_strips(state: State, strips: Mapping[int, Strip], name: str) -> Edit:
    # A strip that was never touched is at its defaults: to write them down would be no change.
    """The step `name` that gives strips, by layer or RESIDUAL, other settings."""
    altered = {i: strip for i, strip in strips.items() if strip != state.strip(i)}
    return Edit(name, (FieldChange("strips", state.strips, MappingProxyType({**state.strips, **altered})),))
