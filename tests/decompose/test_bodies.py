"""What may sound: tolerances, parts, and the strokes of the mask brush in their order."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from soli.decompose.bodies import PAINTED, MaskEdit, bodies, parts
from soli.decompose.settings import ModelSettings
from soli.score.notes import Note

C4 = Note(7, 1.0, 2.0, 60, layer=3)


def sounding(rows, pitch: int, layer: int, times: np.ndarray) -> np.ndarray:
    mine = (rows.pitch == pitch) & (rows.layer == layer)
    inside = (times >= rows.start_s[mine][:, None]) & (times < rows.end_s[mine][:, None])
    return inside.any(axis=0)


def test_a_note_may_sound_from_before_its_onset_until_after_its_pedal_is_lifted() -> None:
    rows = bodies([replace(C4, pedal_s=3.0)])
    assert rows.start_s[0] < 1.0
    assert rows.end_s[0] > 3.0
    assert (rows.note[0], rows.layer[0], rows.pitch[0]) == (7, 3, 60)


def test_tolerances_can_be_chosen() -> None:
    rows = bodies([C4], settings=ModelSettings(before_s=0.5, after_s=0.25))
    assert (rows.start_s[0], rows.end_s[0]) == (0.5, 2.25)


OWN = st.none() | st.floats(0, 5)


@settings(max_examples=50, deadline=None)
@given(own=st.lists(st.tuples(OWN, OWN, st.sampled_from([0, 40])), max_size=6), usual=st.tuples(OWN, OWN))
def test_a_notes_own_tolerances_go_before_those_of_the_settings(own, usual):
    chosen = ModelSettings(before_s=usual[0], after_s=usual[1])
    notes = [replace(C4, id=i, program=program) for i, (_, _, program) in enumerate(own)]
    mine = [replace(note, before_s=before, after_s=after) for note, (before, after, _) in zip(notes, own, strict=True)]
    plain, rows = bodies(notes, settings=chosen), bodies(mine, settings=chosen)
    for i, (before, after, _) in enumerate(own):
        assert rows.start_s[i] == (plain.start_s[i] if before is None else C4.onset_s - before)
        assert rows.end_s[i] == (plain.end_s[i] if after is None else C4.offset_s + after)


def test_the_hands_of_a_piano_share_templates_and_two_violins_do_not() -> None:
    hands = [Note(0, 0, 1, 60, track=0, channel=0), Note(1, 0, 1, 50, track=1, channel=1)]
    violins = [replace(note, program=40) for note in hands]
    drums = [Note(2, 0, 1, 36, track=2, channel=9), Note(3, 0, 1, 38, track=3, channel=9)]
    index, groups = parts([*hands, *violins, *drums])
    assert index[0] == index[1]
    assert len({int(i) for i in index[:4]}) == 3
    assert index[4] == index[5]
    assert groups[index[4]].is_drum
    assert len(parts([*hands, *violins], grouping="one")[1]) == 1
    assert len(parts(hands, grouping="track")[1]) == 2


def test_no_notes_give_no_bodies() -> None:
    assert len(bodies([])) == 0
    assert len(bodies([], [MaskEdit(60, 0, 1, allow=False)])) == 0


def test_a_stroke_without_any_note_still_sounds() -> None:
    rows = bodies([], [MaskEdit(60, 0.5, 1.0, allow=True, layer=2)])
    assert (len(rows), rows.note[0], rows.layer[0], len(rows.parts)) == (1, PAINTED, 2, 1)


def test_a_stroke_takes_the_templates_of_its_layer() -> None:
    notes = [Note(0, 0, 1, 60, layer=0), Note(1, 5, 6, 72, program=40, track=1, channel=1, layer=1)]
    rows = bodies(notes, [MaskEdit(65, 0.2, 0.4, allow=True, layer=1), MaskEdit(65, 5.2, 5.4, allow=True)])
    assert rows.part[2] == rows.part[1] != rows.part[0]
    assert rows.layer[3] == 1


strokes = st.builds(
    MaskEdit,
    pitch=st.sampled_from([60, 61]),
    start_s=st.floats(0, 4),
    end_s=st.floats(0, 4),
    allow=st.booleans(),
    layer=st.sampled_from([0, 1]),
)
notes_strategy = st.lists(
    st.builds(
        Note,
        id=st.just(0),
        onset_s=st.floats(0, 3),
        offset_s=st.floats(0, 4),
        pitch=st.sampled_from([60, 61]),
        layer=st.integers(0, 1),
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(notes=notes_strategy, edits=st.lists(strokes, max_size=6), everywhere=st.booleans())
def test_later_strokes_win(notes: list[Note], edits: list[MaskEdit], everywhere: bool) -> None:
    """Against a naive painter: a grid of times for each pitch and layer, painted stroke after stroke."""
    if everywhere:
        edits = [replace(edit, layer=None) if not edit.allow else edit for edit in edits]
    # Within the recording; a stroke from its very beginning reaches before it too.
    times = np.linspace(0.0, 5.0, 301) + 1e-3
    rows, before = bodies(notes, edits), bodies(notes)
    for pitch in (60, 61):
        for layer in (0, 1):
            expected = sounding(before, pitch, layer, times)
            for edit in edits:
                if edit.pitch == pitch and edit.layer in (layer, None) and edit.end_s > edit.start_s:
                    expected = np.where((times >= edit.start_s) & (times < edit.end_s), edit.allow, expected)
            np.testing.assert_array_equal(sounding(rows, pitch, layer, times), expected)
    assert (rows.end_s >= rows.start_s).all()
