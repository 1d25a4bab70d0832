"""Standard MIDI Files: whatever a file holds, no note is lost and every time is honoured."""

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.score import midi
from soli.score.notes import Note, Pedal


def write_file(path: Path, *tracks: list, ticks_per_beat: int = 480, kind: int = 1) -> Path:
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat)
    for events in tracks:
        track, before = mido.MidiTrack(), 0
        for tick, message in events:
            track.append(message.copy(time=tick - before))
            before = tick
        file.tracks.append(track)
    file.save(path)
    return path


def on(pitch, velocity=80, channel=0):
    return mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(pitch, channel=0):
    return mido.Message("note_off", note=pitch, channel=channel)


def pedal(value, channel=0):
    return mido.Message("control_change", control=64, value=value, channel=channel)


def test_tempo_changes_in_any_track_move_every_note(tmp_path):
    tempo = [(0, mido.MetaMessage("set_tempo", tempo=1_000_000)), (480, mido.MetaMessage("set_tempo", tempo=250_000))]
    path = write_file(tmp_path / "a.mid", tempo, [(0, on(60)), (480, off(60)), (960, on(62)), (1440, off(62))])
    first, second = midi.read(path).notes
    assert (first.onset_s, first.offset_s) == (0.0, 1.0)
    assert (second.onset_s, second.offset_s) == pytest.approx((1.25, 1.5))


def test_a_pitch_struck_again_before_its_note_off_ends_the_older_note(tmp_path):
    path = write_file(tmp_path / "a.mid", [(0, on(60)), (480, on(60)), (600, off(60)), (960, off(60))])
    first, second = midi.read(path).notes
    assert (first.onset_s, first.offset_s) == (0.0, 0.5)
    assert (second.onset_s, second.offset_s) == (0.5, 1.0)


def test_a_missing_note_off_does_not_stretch_the_next_note(tmp_path):
    path = write_file(tmp_path / "a.mid", [(0, on(60)), (480, on(60)), (600, off(60)), (9600, on(61)), (9700, off(61))])
    assert [n.offset_s for n in midi.read(path).notes[:2]] == [0.5, 0.625]


def test_a_unison_struck_at_one_tick_stays_two_notes(tmp_path):
    path = write_file(tmp_path / "a.mid", [(0, on(60)), (0, on(60)), (240, off(60)), (480, off(60))])
    assert sorted(n.offset_s for n in midi.read(path).notes) == [0.25, 0.5]


def test_a_note_never_ended_is_held_to_the_end_of_the_file(tmp_path):
    path = write_file(tmp_path / "a.mid", [(0, on(60)), (480, on(64)), (960, off(64))])
    assert midi.read(path).notes[0].offset_s == 1.0


def test_the_pedal_holds_a_note_until_it_rises_or_the_pitch_is_struck_again(tmp_path):
    events = [
        (0, pedal(127)),
        (0, on(60)),
        (0, on(64)),
        (240, off(60)),
        (240, off(64)),
        (480, on(60)),
        (500, off(60)),
        (960, pedal(0)),
    ]
    notes = midi.read(write_file(tmp_path / "a.mid", events)).notes
    assert [(n.pitch, n.pedal_s) for n in notes] == [(60, 0.5), (64, 1.0), (60, 1.0)]
    assert midi.read(tmp_path / "a.mid").pedals == (Pedal(0, 0.0, 1.0),)


def test_programs_and_drums_are_told_by_channel(tmp_path):
    events = [
        (0, mido.Message("program_change", channel=3, program=71)),
        (0, on(60, channel=3)),
        (0, on(36, channel=9)),
        (9, off(60, 3)),
        (9, off(36, 9)),
    ]
    notes = {n.channel: n for n in midi.read(write_file(tmp_path / "a.mid", events, kind=0)).notes}
    assert notes[3].program == 71
    assert notes[9].is_drum
    assert not notes[3].is_drum


def test_running_status_is_read(tmp_path):
    body = bytes([0, 0x90, 60, 80, 0x83, 0x60, 60, 0, 0, 62, 80, 0x83, 0x60, 62, 0, 0, 0xFF, 0x2F, 0])
    path = tmp_path / "a.mid"
    path.write_bytes(b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(body).to_bytes(4, "big") + body)
    assert [(n.pitch, n.onset_s, n.offset_s) for n in midi.read(path).notes] == [(60, 0.0, 0.5), (62, 0.5, 1.0)]


def test_bars_follow_the_time_signatures(tmp_path):
    meta = [
        (0, mido.MetaMessage("time_signature", numerator=3, denominator=4)),
        (1440, mido.MetaMessage("time_signature", numerator=6, denominator=8)),
    ]
    beats = midi.read(write_file(tmp_path / "a.mid", meta, [(0, on(60)), (2880, off(60))])).beats
    assert [(b.bar, b.beat) for b in beats] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (2, 6)]
    assert beats[3].time_s == 1.5
    assert beats[4].time_s == 1.75


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"MThd",
        b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0",
        b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\0\0\0\4\0\xff\x2f\0",
    ],
)
def test_a_file_without_notes_is_told_in_one_sentence(tmp_path, content):
    path = tmp_path / "broken.mid"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^broken\.mid: .*[a-z1]$"):
        midi.read(path)


strikes = st.tuples(
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(60, 62),
    st.integers(0, 2000),
    st.integers(1, 800),
    st.integers(1, 127),
)


@given(st.lists(strikes, min_size=1, max_size=40))
def test_no_note_is_lost_however_they_overlap(tmp_path_factory, notes):
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    tracks: list[list] = [[], [], []]
    for track, channel, pitch, tick, length, velocity in notes:
        tracks[track] += [(tick, on(pitch, velocity, channel)), (tick + length, off(pitch, channel))]
    for events in tracks:
        events.sort(key=lambda e: (e[0], e[1].type == "note_on"))
    read = midi.read(write_file(path, *tracks)).notes
    assert sorted((n.track, n.channel, n.pitch, round(n.onset_s * 960), n.velocity) for n in read) == sorted(
        (t, c, p, k, v) for t, c, p, k, _, v in notes
    )
    assert all(n.offset_s >= n.onset_s for n in read)
    assert [n.id for n in read] == list(range(len(read)))


@given(st.lists(strikes, min_size=1, max_size=30))
def test_what_is_written_is_read_again(tmp_path_factory, notes):
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    written = [Note(i, k / 1000, (k + n) / 1000, p, v, t, c, program=c * 8) for i, (t, c, p, k, n, v) in enumerate(notes)]
    midi.write(path, written, track_names=["one", "zwö", "三"])
    read = midi.read(path)
    key = [(n.track, n.channel, n.program, n.pitch, n.velocity, round(n.onset_s, 3)) for n in read.notes]
    assert sorted(key) == sorted((n.track, n.channel, n.program, n.pitch, n.velocity, n.onset_s) for n in written)
    assert read.track_names == ("one", "zwö", "?")


def test_a_pause_of_hours_is_written_in_numbers_that_every_player_reads(tmp_path):
    """The standard ends a number after four bytes, at 2^28 ticks."""
    notes = [Note(0, 0.0, 1.0, 60, 64, 0, 0, 0), Note(1, 40_000.0, 40_001.0, 60, 64, 0, 0, 0)]
    midi.write(tmp_path / "a.mid", notes)
    assert all(message.time < 2**28 for track in mido.MidiFile(tmp_path / "a.mid").tracks for message in track)
    assert [note.onset_s for note in midi.read(tmp_path / "a.mid").notes] == [0.0, 40_000.0]


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        midi.write(tmp_path / "missing" / "a.mid", [Note(0, 0, 1, 60)])
    assert list(tmp_path.iterdir()) == []
