"""Beats of a performance as a tempo map."""

from itertools import pairwise

import mido
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soli.score import midi
from soli.score.notes import Beat, Note
from soli.score.tempo_map import LONGEST_S, SHORTEST_S, tempo_map

TICK_S = 2e-4  # more than a tick of any tempo up to a beat in two seconds


def beats_of(times_s, bar=3, pickup=0):
    return [Beat(t, 1 + (i + pickup) // bar, 1 + (i + pickup) % bar) for i, t in enumerate(times_s)]


def performed(rng, count=60, begin_s=1.3):
    return begin_s + np.cumsum(rng.uniform(0.3, 0.9, count))


def written(tmp_path, notes, beats):
    midi.write(tmp_path / "a.mid", notes, beats=beats)
    return midi.read(tmp_path / "a.mid")


def test_notes_stay_at_their_times_and_beats_lie_where_they_are_heard(tmp_path):
    rng = np.random.default_rng(5)
    times_s = performed(rng)
    beats = beats_of(times_s.tolist())
    onset_s = np.sort(rng.uniform(0, times_s[-1] + 3, 200))
    notes = [Note(i, t, t + 0.2, 40 + i % 50) for i, t in enumerate(onset_s.tolist())]
    again = written(tmp_path, notes, beats)
    np.testing.assert_allclose([n.onset_s for n in again.notes], onset_s, atol=TICK_S)
    np.testing.assert_allclose([n.offset_s for n in again.notes], onset_s + 0.2, atol=TICK_S)
    there = np.array([beat.time_s for beat in again.beats])
    nearest = np.abs(there[:, None] - times_s).min(axis=0)
    assert nearest.max() < 2e-6, "a beat is a beat of the file, to the microsecond that it can say"
    first = {round(beat.time_s, 5) for beat in again.beats if beat.beat == 1}
    assert {round(beat.time_s, 5) for beat in beats if beat.beat == 1} <= {
        round(t + d, 5) for t in first for d in (-1e-5, 0, 1e-5)
    }


def test_rounded_tempos_do_not_add_up(tmp_path):
    times_s = np.arange(20_000) / 3.0
    found = tempo_map(beats_of(times_s.tolist()))
    np.testing.assert_allclose(found.time_s, times_s, atol=1e-6)
    assert found.ticks(float(times_s[-1]), 9600) == 9600 * (len(times_s) - 1)


def test_a_score_in_its_own_time_keeps_its_tempo(tmp_path):
    beats = beats_of((np.arange(24) * 0.4).tolist(), bar=4)
    again = written(tmp_path, [Note(0, 0.4, 9.2, 60)], beats)
    messages = [m for track in mido.MidiFile(tmp_path / "a.mid").tracks for m in track]
    assert [m.tempo for m in messages if m.type == "set_tempo"] == [400_000]
    assert [m.numerator for m in messages if m.type == "time_signature"] == [4]
    assert [(b.bar, b.beat) for b in again.beats] == [(b.bar, b.beat) for b in beats[: len(again.beats)]]


@pytest.mark.parametrize("beats", [[], [Beat(3.0, 1, 1)]])
def test_without_beats_there_are_120_a_minute(tmp_path, beats):
    written(tmp_path, [Note(0, 0.4, 1.2, 60)], beats)
    assert [m.tempo for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "set_tempo"] == [500_000]


def test_others_lead_in_so_that_bars_begin_where_they_do():
    found = tempo_map(beats_of((2.0 + 0.5 * np.arange(12)).tolist(), bar=3))
    np.testing.assert_allclose(found.time_s[:5], [0, 0.5, 1, 1.5, 2])
    assert found.meters == ((0, 1), (1, 3)), "four beats lead in: one, and a bar"
    upbeat = tempo_map(beats_of((2.0 + 0.5 * np.arange(12)).tolist(), bar=3, pickup=2))
    assert upbeat.meters == ((0, 2), (2, 3))


def test_what_is_left_out_has_no_beats_and_where_it_waits_there_are_more():
    times_s = [0.5, 1.0, 1.5, 1.501, 1.502, 1.503, 2.0, 2.5, 42.5, 43.0, 43.5]
    found = tempo_map(beats_of(times_s, bar=3))
    assert (np.diff(found.time_s) >= SHORTEST_S).all()
    assert found.tempo_us.max() < 2**24
    for time_s in (0.5, 1.0, 1.5, 2.0, 2.5, 42.5, 43.0):
        assert np.abs(found.time_s - time_s).min() < 2e-6


@given(
    st.lists(st.floats(-20, 500, allow_nan=False), max_size=60),
    st.integers(1, 7),
    st.integers(0, 6),
    st.lists(st.floats(0, 600), max_size=20),
)
@example([0.0, 0.005, 0.02], 1, 0, [0.01])
def test_any_beats_make_a_map_that_notes_keep_their_times_in(times_s, bar, pickup, asked_s):
    found = tempo_map(beats_of(sorted(times_s), bar, pickup))
    assert found.time_s[0] == 0
    assert ((found.tempo_us > 0) & (found.tempo_us < 2**24)).all()
    assert (np.diff(found.time_s) > 0).all()
    np.testing.assert_allclose(np.diff(found.time_s), found.tempo_us[:-1] / 1e6, rtol=1e-9)
    assert not found.meters or found.meters[0][0] == 0
    assert all(b > a for (a, _), (b, _) in pairwise(found.meters))
    assert all(1 <= length <= 255 for _, length in found.meters)
    ticks = [found.ticks(t, 9600) for t in sorted(asked_s)]
    assert ticks == sorted(ticks)
    for time_s, tick in zip(sorted(asked_s), ticks, strict=True):
        beat = min(tick // 9600, len(found.time_s) - 1)
        back = found.time_s[beat] + (tick / 9600 - beat) * found.tempo_us[beat] / 1e6
        assert abs(back - time_s) <= 0.51 * LONGEST_S / 9600 * 1.1
