"""The document tells truly what changed, whether work would be lost, and whether the layers sound what the roll shows."""

from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project.states import an_edit, content, states

from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.playback.mixer import Strip
from soli.project import commands
from soli.project.document import EVERYTHING, Document
from soli.project.pipeline import Loaded, Separation
from soli.project.signals import Signals
from soli.project.state import RESIDUAL, Layer, State
from soli.score.notes import Note, Score
from soli.signal.audio import Audio

PLACE = Path("song.soli")


def piece() -> State:
    notes = {0: Note(0, 0.0, 1.0, 60), 1: Note(1, 1.0, 2.0, 64)}
    recording = Audio(np.zeros((100, 1), np.float32), 8000)
    return State(Path("song.wav"), recording, notes=MappingProxyType(notes), layers=(Layer(0, "Notes", "#5ABBF8"),))


def separation_of(state: State) -> Separation:
    return Separation(state, None, Signals({RESIDUAL: state.audio.samples}), -240.0, {})


@pytest.fixture
def document() -> Document:
    document = Document()
    document.restore(Loaded(piece()))
    return document


@pytest.fixture
def told(document) -> list[frozenset[str]]:
    heard: list[frozenset[str]] = []
    document.subscribe(heard.append)
    return heard


def test_listeners_hear_the_aspects_of_each_change(document, told):
    document.do(commands.delete_notes(document.state, [0]))
    document.undo()
    document.redo()
    document.do(commands.set_strip(document.state, 0, Strip(muted=True)))
    document.publish(separation_of(document.state))
    document.saved(PLACE, document.state)
    document.restore(Loaded(State()))
    notes = frozenset({"notes", "history"})
    strips = frozenset({"strips", "history"})
    assert told == [notes, notes, notes, strips, frozenset({"separation"}), frozenset({"path", "history"}), EVERYTHING]


def test_everything_names_every_field_that_an_edit_can_change():
    assert {f.name for f in fields(State)} - {"recording_path", "audio", "score_path"} <= EVERYTHING


def test_nothing_to_do_undo_or_redo_is_not_told(document, told):
    document.do(commands.delete_notes(document.state, []))
    document.do(commands.set_settings(document.state, document.state.settings))
    document.undo()
    document.redo()
    assert told == []
    assert document.history.last is None


def test_a_listener_may_subscribe_another_while_it_is_told(document):
    heard = []
    document.subscribe(lambda _: document.subscribe(heard.append))
    document.do(commands.delete_notes(document.state, [0]))
    document.undo()
    assert len(heard) == 1


@settings(max_examples=40, deadline=None)
@given(state=states(), data=st.data())
def test_edited_means_different_from_what_was_saved(state, data):
    document = Document()
    document.restore(Loaded(state))
    saved = content(state)
    for _ in range(data.draw(st.integers(1, 8))):
        step = data.draw(st.sampled_from(["do", "do", "undo", "redo", "save"]))
        if step == "do":
            document.do(data.draw(an_edit(document.state)))
        elif step == "save":
            document.saved(PLACE, document.state)
            saved = content(document.state)
        else:
            getattr(document, step)()
        assert document.edited == (content(document.state) != saved)


def test_a_save_that_ends_after_a_further_edit_leaves_that_edit_unsaved(document):
    document.do(commands.delete_notes(document.state, [0]))
    snapshot = document.state
    document.do(commands.delete_notes(document.state, [1]))
    document.saved(PLACE, snapshot)
    assert document.edited
    document.undo()
    assert not document.edited


def test_layers_are_stale_until_the_edit_is_undone(document):
    assert not document.stale
    document.publish(separation_of(document.state))
    assert not document.stale
    document.do(commands.move_notes(document.state, [0], semitones=1))
    assert document.stale
    document.undo()
    assert not document.stale
    document.redo()
    assert document.stale
    document.publish(separation_of(document.state))
    assert not document.stale
    document.undo()
    assert document.stale


def test_what_is_not_heard_in_the_layers_does_not_make_them_stale(document):
    document.publish(separation_of(document.state))
    document.do(commands.set_strip(document.state, 0, Strip(gain_db=-6)))
    document.do(commands.alter_layer(document.state, 0, name="Piano", colour="#000000"))
    assert not document.stale
    document.do(commands.set_settings(document.state, ModelSettings(iterations=3)))
    assert document.stale


def test_restoring_begins_anew(document):
    document.do(commands.delete_notes(document.state, [0]))
    document.publish(separation_of(document.state))
    document.restore(Loaded(piece()), path=PLACE)
    assert not document.edited
    assert not document.stale
    assert document.separation is None
    assert document.path == PLACE
    assert (document.history.last, document.history.next) == (None, None)


def test_a_score_placed_on_a_fresh_recording_is_no_unsaved_edit(document):
    document.place(commands.place_score(document.state, score=Score(()), notes={}))
    assert not document.edited
    assert document.history.last is None
    document.do(commands.draw_note(document.state, pitch=60, onset_s=0, offset_s=1, layer=0))
    document.place(commands.place_score(document.state, score=Score((), title="other"), notes={}))
    assert document.edited
    assert document.history.last.name == "place score"
    document.undo()
    assert len(document.state.notes) == 1


def test_what_was_undone_before_a_score_was_placed_cannot_be_redone_onto_it(document):
    document.do(commands.delete_notes(document.state, [0, 1]))
    document.undo()
    document.place(commands.place_score(document.state, score=Score(()), notes={}))
    document.redo()
    assert document.history.next is None
    assert not document.edited


def test_a_recording_that_joins_a_piece_leaves_all_of_it_as_it_was(document):
    recording, bare = document.state.audio, replace(document.state, audio=None)
    document.restore(Loaded(bare))
    document.do(commands.move_notes(document.state, list(document.state.notes)[:1], seconds=0.5))
    before = content(document.state)
    document.attach(Path("elsewhere/song.wav"), recording)
    assert content(document.state) == {**before, "audio": recording, "recording_path": Path("elsewhere/song.wav")}
    assert document.history.last is not None


def test_the_title_is_the_project_then_the_score_then_the_recording(document):
    assert Document().title == "Untitled"
    assert document.title == "song"
    document.restore(Loaded(replace(piece(), score=Score((), title="Waltz"))))
    assert document.title == "Waltz"
    document.saved(Path("my waltz.soli"), document.state)
    assert document.title == "my waltz"


def test_going_to_a_step_is_told_once_with_all_that_changed(document, told):
    first = content(document.state)
    document.do(commands.delete_notes(document.state, [0]))
    document.do(commands.set_strip(document.state, 0, Strip(muted=True)))
    document.do(commands.limit_template(document.state, [60], TemplateLimit(harmonics=2)))
    last = content(document.state)
    told.clear()
    document.go_to(0)
    assert content(document.state) == first
    assert told == [frozenset({"notes", "strips", "template_limits", "history"})]
    document.go_to(0)
    document.go_to(-5)
    assert len(told) == 1, "nothing to do is not told"
    document.go_to(99)
    assert content(document.state) == last
    assert len(document.history.done) == 3
    document.go_to(1)
    assert [edit.name for edit in document.history.undone] == ["mute Notes", "limit template of C4"]


def test_layers_are_stale_once_a_template_is_limited(document):
    document.publish(separation_of(document.state))
    document.do(commands.limit_template(document.state, [60], TemplateLimit(harmonics=2)))
    assert document.stale
    document.undo()
    assert not document.stale
    document.do(commands.set_layer_flags(document.state, 0, hidden=True, locked=True))
    assert not document.stale
