"""Pitches are called as the key signature of the score has them, wherever they are named."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from soli.decompose.constraints import MaskEdit
from soli.project import commands
from soli.project.pipeline import Loaded
from soli.score.notes import KeySignature, TimeMap
from soli.ui.panels.note_cells import INDEX


@pytest.fixture
def flats(piece):
    """The small piece in B flat major, from 2.1 s of its score on in E major."""
    state = piece.document.state
    score = replace(state.score, keys=(KeySignature(0.0, -2), KeySignature(2.1, 4)))
    piece.document.restore(Loaded(replace(state, score=score)))
    piece.document.do(commands.alter_notes(piece.document.state, {0: {"pitch": 70}, 4: {"pitch": 70}}, "edit notes"))
    return piece


def test_a_note_has_the_name_that_its_key_gives_it(flats):
    canvas = flats.window.roll.canvas
    assert canvas.describe(0)[0].startswith("B♭4")
    assert canvas.describe(4)[0].startswith("A♯4")
    roll = QAccessible.queryAccessibleInterface(canvas)
    said = [roll.child(i).text(QAccessible.Text.Name) for i in range(roll.childCount())]
    assert sum(name.startswith("B flat 4") for name in said) == 1
    assert sum(name.startswith("A sharp 4") for name in said) == 1


def test_the_table_names_and_finds_a_pitch_by_any_spelling(flats, qtbot):
    table = flats.window.note_table
    flats.window.actions_["note_table"].trigger()
    qtbot.waitUntil(table.isVisible)
    column = INDEX["pitch"]

    def shown() -> list[str]:
        return sorted(table.model.index(row, column).data() for row in range(table.model.rowCount()))

    assert {"A♯4", "B♭4"} <= set(shown())
    QTest.keyClicks(table.filter, "a#4")
    qtbot.waitUntil(lambda: shown() == ["A♯4", "B♭4"])


def test_the_key_and_the_steps_are_named_alike(flats):
    keyboard, view = flats.window.roll.keyboard, flats.window.roll.view
    view.show(0.0, 1.0, 44, 72)
    assert keyboard.spell(70) == "B♭4"
    view.show(3.0, 4.0, 44, 72)
    assert keyboard.spell(70) == "A♯4"
    state = flats.document.state
    assert commands.paint_mask(state, [MaskEdit(70, 0.5, 1.0, allow=True)]).name == "allow B♭4"
    assert commands.paint_mask(state, [MaskEdit(70, 3.0, 3.5, allow=True)]).name == "allow A♯4"


def test_a_key_holds_from_its_place_in_the_recording_on(flats):
    state = flats.document.state
    slower = replace(state.alignment, time_map=TimeMap(np.array([0.0, 1.0]), np.array([1.0, 3.0])))
    state = replace(state, alignment=slower)
    assert state.pitch_name(70, 5.1) == "B♭4"
    assert state.pitch_name(70, 5.3) == "A♯4"
    assert state.pitch_name(70, 0.0) == "B♭4", "before the score begins its first key holds"
