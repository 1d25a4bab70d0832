"""What the roll draws while notes are dragged is what the edit makes of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from project.states import SECONDS, states

from soli.decompose.constraints import bodies
from soli.project import commands
from soli.ui.roll.ghost import Ghost


def agree(ghost_of, state, ids, edit, **way):
    """The ghost of `ids` under `way` lies where `edit` puts the notes and their bodies."""
    after = edit.apply(state)
    notes = [after.notes[i] for i in state.editable(ids)]
    shown, spread = ghost_of.placed(**way)
    assert sorted(shown.id.tolist()) == [note.id for note in notes]
    for note in notes:
        (row,) = np.flatnonzero(shown.id == note.id)
        assert shown.pitch[row] == note.pitch
        assert shown.layer[row] == note.layer
        np.testing.assert_allclose([shown.start_s[row], shown.end_s[row]], [note.onset_s, note.sounding_offset_s], atol=1e-9)
    rows = bodies([note for note in notes if note.id not in after.absent], (), after.settings)
    assert sorted(spread.id.tolist()) == sorted(rows.note.tolist())
    for index, note_id in enumerate(rows.note.tolist()):
        (row,) = np.flatnonzero(spread.id == note_id)
        np.testing.assert_allclose([spread.start_s[row], spread.end_s[row]], [rows.start_s[index], rows.end_s[index]], atol=1e-9)


@given(states(), st.data(), SECONDS, st.integers(-140, 140))
def test_notes_move_as_their_ghosts_do(state, data, seconds, semitones):
    ids = data.draw(st.sets(st.sampled_from(sorted(state.notes)))) if state.notes else set()
    edit = commands.move_notes(state, ids, seconds=seconds, semitones=semitones)
    agree(Ghost.of(state, ids), state, ids, edit, seconds=seconds, semitones=semitones)


@given(states(), st.data(), SECONDS, st.booleans())
def test_notes_stretch_as_their_ghosts_do(state, data, seconds, at_the_end):
    ids = data.draw(st.sets(st.sampled_from(sorted(state.notes)))) if state.notes else set()
    way = {"offset_s": seconds} if at_the_end else {"onset_s": seconds}
    agree(Ghost.of(state, ids), state, ids, commands.stretch_notes(state, ids, **way), **way)


@given(states(), st.data(), st.floats(0, 8), st.booleans())
def test_tolerances_are_what_their_ghosts_show(state, data, seconds, before):
    ids = data.draw(st.sets(st.sampled_from(sorted(state.notes)))) if state.notes else set()
    way = {"before_s": seconds} if before else {"after_s": seconds}
    agree(Ghost.of(state, ids), state, ids, commands.set_tolerances(state, ids, **way), **way)
