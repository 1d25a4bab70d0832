"""Names that look like HTML are names: nothing that they refer to is opened."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as Text
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QMessageBox

from soli.project.autosave import Autosave, Snapshot
from soli.project.pipeline import Loaded
from soli.ui.plain import plain

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

PICTURE = '<img src="file:////server/share/picture.png">'


def shown(text: str) -> str:
    """What a tooltip or a question makes of `text`."""
    if not Text.mightBeRichText(text):
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


@given(st.text("<>&;/\"'= aimgsrcb\u00e9", min_size=1, max_size=40))
def test_words_are_shown_as_they_are(text):
    words = " ".join(text.split())  # HTML does not tell one space from two
    assert shown(plain(words)) == words


@pytest.fixture
def named(piece):
    """A piece with a layer named after a picture."""
    state = piece.document.state
    layers = (replace(state.layers[0], name=PICTURE, locked=True), *state.layers[1:])
    piece.document.restore(Loaded(replace(state, layers=layers)))
    return piece


def test_the_name_of_a_layer_is_no_html_in_tooltips(named):
    strip = named.window.mixer.strip_widget(named.document.state.layers[0].id)
    assert PICTURE in shown(strip.name.toolTip())


def test_nor_is_what_a_message_quotes(piece):
    banner = piece.window.roll.banner
    banner.say("warning", f"The project names a recording outside of its folder ({PICTURE})")
    assert PICTURE in banner.text.text()
    for label in (banner.text, piece.window.hint, piece.window.summary):
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_nor_the_title_in_the_question_whether_to_save(piece, monkeypatch):
    score = replace(piece.document.state.score, title=PICTURE)
    piece.document.restore(Loaded(replace(piece.document.state, score=score)), saved=False)
    asked: list[str] = []

    def question(_parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        asked.append(shown(text))
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", question)
    assert not piece.window.questions.may_lose()
    assert asked == [f"Save the changes to {PICTURE} first?"]


def test_nor_that_of_work_that_is_offered_again(piece, tmp_path):
    keeper = Autosave(tmp_path / "place")
    keeper.keep(Snapshot(piece.document.state, title=PICTURE))
    keeper.close(discard=False)
    piece.recovering.offer(tmp_path / "place")
    box = piece.recovering.box
    assert PICTURE in box.text()
    assert box.textFormat() == Qt.TextFormat.PlainText
    box.reject()
    piece.recovering.close()
