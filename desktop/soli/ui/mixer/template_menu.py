"""The part of a strip's menu that says which templates its layer has: by instrument, its own, or those of another."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu

from soli.project.document import Document
from soli.project.edits import Edit
from soli.project.state import State
from soli.project.template_sets import has_own, join_templates, separate_templates, sharing, templates_by_instrument
from soli.ui.plain import plain


def add_template_menu(menu: QMenu, document: Document, layer_id: int) -> None:
    """Add it to `menu`. What is chosen is one step of the document's history."""
    state = document.state
    layer = state.layer(layer_id)
    if layer is None:
        return
    templates = menu.addMenu("Templates")
    templates.setToolTipsVisible(True)
    tip = "Layers that share templates are heard as one instrument; those with their own can be told apart in unison"
    templates.menuAction().setToolTip(tip)

    def add(to: QMenu, text: str, tip: str, edit: Callable[[State], Edit], *, chosen: bool) -> None:
        action = to.addAction(text, lambda: document.do(edit(document.state)))
        action.setToolTip(plain(tip))
        action.setCheckable(True)
        action.setChecked(chosen)

    add(
        templates,
        "By instrument",
        "Hands of one piano share theirs, two violins do not",
        partial(templates_by_instrument, layer_id=layer_id),
        chosen=layer.templates is None,
    )
    add(
        templates,
        "Its own",
        "Learn what this layer sounds like from its own notes alone",
        partial(separate_templates, layer_id=layer_id),
        chosen=has_own(state, layer_id),
    )
    shared = templates.addMenu("Shared with")
    shared.setToolTipsVisible(True)
    others, along = [other for other in state.layers if other.id != layer_id], sharing(state, layer_id)
    shared.setEnabled(bool(others))
    for other in others:
        add(
            shared,
            other.name,
            f"Learn one set of templates from this layer and {other.name}",
            partial(join_templates, layer_id=layer_id, other_id=other.id),
            chosen=other.id in along,
        )
