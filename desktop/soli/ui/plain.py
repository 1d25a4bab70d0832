"""Words that come from files, shown as they are: Qt takes for HTML what looks like it, and opens the files that it names."""

from html import escape

from PySide6.QtGui import Qt


def plain(text: str) -> str:
    """`text` for a tooltip or a question; a label is better told that its format is plain text."""
    return f"<qt>{escape(text)}</qt>" if Qt.mightBeRichText(text) else text
