"""The words that filter the note table: each says exactly which notes stay."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.project.state import Layer, State
from soli.score.alignment import unaligned
from soli.score.notes import Beat, Note, Score
from soli.ui.beats import NO_BAR, Beats, places, time_of
from soli.ui.panels import note_filter
from soli.ui.panels.note_columns import NoteColumns

PITCHES = (36, 48, 49, 60, 61, 73, 84, 59)
NAMES = {0: "Right hand", 1: "Left hand", 2: "E flat clarinet"}


def the_state() -> State:
    notes = tuple(
        Note(i, 0.5 * i, 0.5 * i + 0.1 * (i + 1), pitch, 20 * i, layer=i % 3, before_s=0.06 if i == 2 else None)
        for i, pitch in enumerate(PITCHES)
    )
    score = Score(notes, beats=tuple(Beat(0.5 * i, 1 + i // 3, 1 + i % 3) for i in range(9)))
    alignment = replace(unaligned(score), confidence=np.linspace(0, 1, len(notes), dtype=np.float32))
    return State(
        score=score,
        alignment=alignment,
        notes=MappingProxyType({n.id: n for n in notes}),
        absent=frozenset({3}),
        layers=tuple(Layer(i, name, "#000000") for i, name in NAMES.items()),
    )


def kept(text: str) -> list[int]:
    columns = NoteColumns(the_state())
    return columns.id[note_filter.parse(text)(columns, NAMES)].tolist()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", range(8)),
        ("C#4", [4]),
        ("c♯4", [4]),
        ("Db4", [4]),
        ("Db", [2, 4, 5]),
        ("C4-C#5", [3, 4, 5]),
        ("c#5–c4", [3, 4, 5]),
        ("pitch 60", [3]),
        ("pitch 48-60", [1, 2, 3, 7]),
        ("pitch > C5", [5, 6]),
        ("left", [1, 4, 7]),
        ("LEFT hand", [1, 4, 7]),
        ('"right hand"', [0, 3, 6]),
        ("hand", [0, 1, 3, 4, 6, 7]),
        ("e", [2, 5]),
        ("bar 2", [3, 4, 5]),
        ("bar 2-3", [3, 4, 5, 6, 7]),
        ("bar > 1 left", [4, 7]),
        ("beat 2", [1, 4, 7]),
        ("velocity > 90", [5, 6, 7]),
        ("vel>=100", [5, 6, 7]),
        ("velocity 40-80", [2, 3, 4]),
        ("velocity != 40", [0, 1, 3, 4, 5, 6, 7]),
        ("conf < 0.3", [0, 1, 2]),
        ("sure ≥ 0.86", [6, 7]),
        ("onset 1-1.5", [2, 3]),
        ("length = 0.3", [2]),
        ("before 60", [2]),
        ("before < 1000", [2]),
        ("after > 0", []),
        ("absent", [3]),
        ("present right", [0, 6]),
        ("not hand", [2, 5]),
        ("not left not right", [2, 5]),
        ("C#4 or B3", [4, 7]),
        ("left velocity > 90 or absent", [3, 7]),
        ("nobody", []),
    ],
)
def test_a_filter_keeps_exactly_what_it_says(text, ids):
    assert kept(text) == list(ids)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("velocity >", "of what"),
        ("bar", "of what"),
        ("left velo", "velocity of what"),
        ("bar twelve", "number"),
        ("bar 1,5", "number"),
        ("> 3", "compares what"),
        ("velocity > 1-3", "one value"),
        ("pitch H4", "pitch"),
        ("or left", "or"),
        ("left or", "or"),
        ("not", "not"),
        ("not or left", "not"),
        ('"left', "quotation"),
        ("!", "says nothing"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(text, says):
    with pytest.raises(InputError, match=says) as error:
        note_filter.parse(text)
    assert "\n" not in str(error.value)


@given(st.text(alphabet='c#4bar 12-<>="notrvelocity.≤ü5', max_size=24))
def test_any_text_is_a_filter_or_a_sentence(text):
    columns = NoteColumns(the_state())
    try:
        mask = note_filter.parse(text)(columns, NAMES)
    except InputError:
        return
    assert mask.shape == (len(columns),)
    assert mask.dtype == bool


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=12).map(lambda steps: np.cumsum(steps) / 10),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 10),
)
def test_a_place_in_the_score_and_its_time_are_each_others_inverse(times, part, index):
    beats = Beats(State(score=Score((), beats=tuple(Beat(float(t), 1 + i // 2, 1 + i % 2) for i, t in enumerate(times)))))
    index %= len(times) - 1
    time_s = float(times[index] + part * (times[index + 1] - times[index]))
    bar, beat = places(beats, np.array([time_s]))
    # Within half a hundredth of a beat a note belongs to the beat that comes.
    step = float(np.diff(times).max())
    assert time_of(beats, int(bar[0]), float(beat[0])) == pytest.approx(time_s, abs=0.0051 * step)


def test_before_the_first_beat_there_is_no_bar():
    beats = Beats(the_state())
    bar, beat = places(beats, np.array([-0.3]))
    assert bar[0] == NO_BAR
    assert np.isnan(beat[0])
    assert time_of(beats, 1, 4.0) is None
    assert places(Beats(), np.array([1.0]))[0].tolist() == [NO_BAR]
