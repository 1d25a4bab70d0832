"""Which layers share one set of templates: by their instruments, or as the user joined and separated them."""

from dataclasses import replace

from soli.decompose.bodies import parts
from soli.project.edits import Edit
from soli.project.layer_commands import set_layer_templates
from soli.project.state import State


def template_sets(state: State) -> dict[int, int]:
    """Which set each layer has that does not go by its instruments: layer id -> number, from 0 in the order of their ids."""
    chosen = [(layer.id, layer.templates) for layer in state.layers if layer.templates is not None]
    numbers = {group: n for n, group in enumerate(dict.fromkeys(group for _, group in sorted(chosen)))}
    return {layer: numbers[group] for layer, group in chosen}


def sharing(state: State, layer_id: int) -> frozenset[int]:
    """The other layers that share templates with a layer, by choice or because they are one instrument."""
    notes = list(state.notes.values())
    index, _ = parts(notes, grouping=state.settings.grouping, sets=template_sets(state))
    mine = {part for note, part in zip(notes, index.tolist(), strict=True) if note.layer == layer_id}
    others = {note.layer for note, part in zip(notes, index.tolist(), strict=True) if part in mine}
    group = {layer.id: layer.templates for layer in state.layers}.get(layer_id)
    # Layers that hold no notes yet go by their numbers alone.
    chosen = {layer.id for layer in state.layers if group is not None and layer.templates == group}
    return frozenset((others | chosen) - {layer_id})


def has_own(state: State, layer_id: int) -> bool:
    """Whether the user gave a layer templates of its own."""
    layer = state.layer(layer_id)
    return layer is not None and layer.templates is not None and not sharing(state, layer_id)


def separate_templates(state: State, layer_id: int) -> Edit:
    """Give a layer templates of its own; those that it shared some with go on sharing theirs."""
    if has_own(state, layer_id):
        return Edit("separate templates", ())
    return set_layer_templates(state, [layer_id], state.next_template_group())


def join_templates(state: State, layer_id: int, other_id: int) -> Edit:
    """Let a layer share the templates of another one, and of all that share them."""
    layer, other = state.layer(layer_id), state.layer(other_id)
    if layer is None or other is None or other_id in sharing(state, layer_id):
        return Edit("share templates", ())
    group = state.next_template_group() if other.templates is None else other.templates
    joined = {layer_id, other_id, *sharing(state, other_id)}
    return replace(set_layer_templates(state, joined, group), name=f"share templates of {layer.name} with {other.name}")


def templates_by_instrument(state: State, layer_id: int) -> Edit:
    """Let the instruments of a layer say again what it shares templates with."""
    return set_layer_templates(state, [layer_id], None)
