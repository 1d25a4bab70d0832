"""Names of pitches by the key signature, and key signatures in MIDI files."""

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.score import midi
from soli.score.notes import KeySignature, Note, parse_pitch, pitch_name

MAJOR = (0, 2, 4, 5, 7, 9, 11)


@given(pitch=st.integers(0, 127), fifths=st.none() | st.integers(-7, 7))
def test_any_spelling_is_read_as_its_pitch(pitch, fifths):
    name = pitch_name(pitch, fifths)
    if 12 <= pitch <= 126:
        assert parse_pitch(name) == pitch
    assert sum(sign in "♯♭" for sign in name) <= 1


@given(st.integers(-7, 7))
def test_the_scale_of_a_key_has_each_letter_once_and_the_signs_of_its_signature(fifths):
    tonic = 60 + 7 * fifths % 12
    names = [pitch_name(tonic + step, fifths) for step in MAJOR]
    assert sorted(name[0] for name in names) == list("ABCDEFG")
    assert sum("♯" in name for name in names) == max(fifths, 0)
    assert sum("♭" in name for name in names) == max(-fifths, 0)


@pytest.mark.parametrize(
    ("pitch", "fifths", "name"),
    [
        (58, -2, "B♭3"),
        (58, 4, "A♯3"),
        (61, -5, "D♭4"),
        (59, -7, "C♭4"),
        (60, 7, "B♯3"),
        (100, -5, "E7"),
        (64, -7, "F♭4"),
        (60, 4, "B♯3"),
        (66, 0, "F♯4"),
        (66, -2, "F♯4"),
        (70, None, "B♭4"),
    ],
)
def test_well_known_names(pitch, fifths, name):
    assert pitch_name(pitch, fifths) == name


def test_key_signatures_survive_a_midi_file(tmp_path):
    keys = (KeySignature(0.0, -2), KeySignature(1.5, 4), KeySignature(2.0, -7), KeySignature(2.5, 7))
    midi.write(tmp_path / "a.mid", [Note(0, 0.0, 3.0, 60)], keys=keys)
    found = midi.read(tmp_path / "a.mid").keys
    assert [key.fifths for key in found] == [-2, 4, -7, 7]
    assert [key.time_s for key in found] == pytest.approx([0.0, 1.5, 2.0, 2.5], abs=1e-3)


def test_a_minor_key_counts_by_its_signature_and_a_repeated_one_once(tmp_path):
    file = mido.MidiFile(type=1)
    for _ in range(2):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("key_signature", key="Gm"))
        track.append(mido.Message("note_on", note=60, velocity=64))
        track.append(mido.Message("note_off", note=60, time=480))
        file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    assert midi.read(tmp_path / "a.mid").keys == (KeySignature(0.0, -2),)


def test_a_signature_of_eight_sharps_is_none(tmp_path):
    midi.write(tmp_path / "a.mid", [Note(0, 0.0, 3.0, 60)], keys=(KeySignature(0.0, 3),))
    data = (tmp_path / "a.mid").read_bytes()
    assert data.count(b"\xff\x59\x02\x03") == 1
    (tmp_path / "a.mid").write_bytes(data.replace(b"\xff\x59\x02\x03", b"\xff\x59\x02\x08"))
    assert midi.read(tmp_path / "a.mid").keys == ()
