"""Which actions can do something now, and what undo and redo would do."""

from soli.project.document import Document
from soli.ui.actions import Actions
from soli.ui.refusals import Doing, refusals
from soli.ui.selection import Selection


def enable(actions: Actions, document: Document, selection: Selection, doing: Doing) -> None:
    """Enable what can do something for the document and the selection; the others say why not."""
    for key, why in refusals(document, selection, doing).items():
        actions.refuse(key, why)
    actions["embed"].setChecked(document.embeds)
    for key, edit in (("undo", document.history.last), ("redo", document.history.next)):
        verb = key.capitalize()
        actions[key].setText(f"&{verb} {edit.name}" if edit else f"&{verb}")
    actions["new_layer"].setText("&New layer of the selection" if selection.ids else "&New layer")
