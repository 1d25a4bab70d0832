"""Lists of notes in the window: dropped as a score, and written where the user asks for one."""

import pytest
from PySide6.QtWidgets import QFileDialog

from soli.score import midi
from soli.score.note_lists import read_note_list, write_note_list
from soli.signal import audio

from .conftest import small_piece


def idle(qtbot, app):
    qtbot.waitUntil(lambda: not app.worker.busy and not app.session.opening, timeout=30_000)


def test_a_list_of_notes_is_opened_beside_its_recording(application, tmp_path, qtbot):
    piece = small_piece()
    audio.write(tmp_path / "piece.wav", piece.audio)
    labels = {note.id: piece.layer(note.layer).name for note in piece.score.notes}
    write_note_list(tmp_path / "piece.csv", piece.score.notes, labels=labels)
    application.window.open_paths([tmp_path / "piece.wav", tmp_path / "piece.csv"])
    idle(qtbot, application)
    state = application.document.state
    assert len(state.notes) == 9
    assert sorted(layer.name for layer in state.layers) == ["Left hand", "Right hand"]
    assert not application.document.edited


def test_a_list_with_a_bad_line_is_told_by_file_and_line(piece, tmp_path, qtbot):
    said = []
    piece.session.said.connect(lambda kind, text: said.append((kind, text)))
    before = piece.document.state
    (tmp_path / "bad.csv").write_text("start;duration;pitch\n0;1;60\n1;x;62\n")
    piece.window.open_paths([tmp_path / "bad.csv"])
    idle(qtbot, piece)
    assert piece.document.state is before
    assert said == [("error", "bad.csv: line 3: 'x' is no duration; give a number")]


@pytest.mark.parametrize(
    ("typed", "chosen", "written"),
    [
        ("a", "MIDI (*.mid)", "a.mid"),
        ("a", "List of notes, FMP notebooks (*.csv)", "a.csv"),
        ("a", "List of notes, Sonic Visualiser (*.csv)", "a.csv"),
        ("Op. 10", "List of notes, FMP notebooks (*.csv)", "Op. 10.csv"),
        ("a.csv", "MIDI (*.mid)", "a.csv"),
        ("a.mid", "List of notes, FMP notebooks (*.csv)", "a.mid"),
    ],
)
def test_notes_are_written_as_what_was_chosen_or_typed(piece, tmp_path, qtbot, monkeypatch, typed, chosen, written):
    offered = []

    def ask(_parent, _title, _start, filters):
        offered.extend(filters.split(";;"))
        return str(tmp_path / typed), chosen

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    piece.window.actions_["export_notes"].trigger()
    idle(qtbot, piece)
    assert chosen in offered
    assert offered[0] == "MIDI (*.mid)"
    assert [path.name for path in tmp_path.iterdir()] == [written]
    read = midi.read if written.endswith(".mid") else read_note_list
    assert len(read(tmp_path / written).notes) == 9


def test_turning_away_writes_nothing(piece, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    piece.window.actions_["export_notes"].trigger()
    assert not [*tmp_path.iterdir()]
    assert not piece.worker.busy
