"""The bytes of MIDI files: the same events as mido reads, at once where the bytes lie, and one sentence for the rest."""

import struct

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.score import midi, midi_events
from soli.score.midi_events import Division, parse

END = b"\0\xff\x2f\0"
NOTE = b"\0\x90\x3c\x50\x83\x60\x3c\0"  # half a second at 480 ticks a beat

seven, channel = st.integers(0, 126), st.integers(0, 15)
messages = st.one_of(
    st.builds(lambda n, v, c: mido.Message("note_on", note=n, velocity=v, channel=c), seven, seven, channel),
    st.builds(lambda n, v, c: mido.Message("note_off", note=n, velocity=v, channel=c), seven, seven, channel),
    st.builds(lambda n, v, c: mido.Message("control_change", control=n, value=v, channel=c), st.just(64) | seven, seven, channel),
    st.builds(lambda p, c: mido.Message("program_change", program=p, channel=c), seven, channel),
    st.builds(lambda v, c: mido.Message("aftertouch", value=v, channel=c), seven, channel),
    st.builds(lambda v, c: mido.Message("pitchwheel", pitch=v, channel=c), st.integers(-8192, 8191), channel),
    st.builds(lambda data: mido.Message("sysex", data=data), st.lists(seven, max_size=5)),
    st.builds(lambda tempo: mido.MetaMessage("set_tempo", tempo=tempo), st.integers(0, 2**24 - 1)),
    st.builds(
        lambda n, d: mido.MetaMessage("time_signature", numerator=n, denominator=2**d), st.integers(1, 255), st.integers(0, 7)
    ),
    st.builds(lambda name: mido.MetaMessage("track_name", name=name), st.text("Flöte 1", max_size=9)),
    st.builds(lambda text: mido.MetaMessage("lyrics", text=text), st.text("la", max_size=200)),
)
timed = st.builds(lambda m, t: m.copy(time=t), messages, st.integers(0, 300) | st.integers(0, 2**28 - 1))


def whole(*tracks: bytes, kind: int = 1, count: int | None = None, division: int = 480, header: bytes = b"") -> bytes:
    head = struct.pack(">HHH", kind, len(tracks) if count is None else count, division) + header
    chunks = b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    return b"MThd" + struct.pack(">I", len(head)) + head + chunks


@given(st.lists(st.lists(timed, max_size=25), min_size=1, max_size=4))
def test_every_event_is_as_mido_reads_it(tmp_path_factory, tracks):
    path = tmp_path_factory.mktemp("events") / "a.mid"
    mido.MidiFile(tracks=[mido.MidiTrack(track) for track in tracks]).save(path)
    division, found = parse(path.read_bytes(), "a.mid")
    assert division == Division(ticks_per_beat=480)
    for track, theirs in zip(found, mido.MidiFile(path).tracks, strict=True):
        tick, rows = 0, {"strikes": [], "pedals": [], "programs": [], "tempos": [], "meters": []}
        for m in theirs:
            tick += m.time
            if m.type in {"note_on", "note_off"}:
                rows["strikes"].append((tick, m.channel, m.note, m.velocity if m.type == "note_on" else 0))
            elif m.type == "control_change" and m.control == 64:
                rows["pedals"].append((tick, m.channel, m.value))
            elif m.type == "program_change":
                rows["programs"].append((tick, m.channel, m.program))
            elif m.type == "set_tempo":
                rows["tempos"].append((tick, m.tempo))
            elif m.type == "time_signature":
                rows["meters"].append((tick, m.numerator, m.denominator))
        assert {name: getattr(track, name) for name in rows} == rows
        assert (track.end_tick, track.name) == (tick, theirs.name.strip())


@pytest.mark.parametrize(
    "content",
    [
        whole(NOTE + END + b"\0\x90\x3d\x50"),  # after its end
        whole(NOTE),  # without one
        whole(NOTE + END) + b"XFIH" + struct.pack(">I", 4) + b"junk",
        whole(NOTE + END, header=b"more"),
        whole(NOTE + END) + b"\0",
        whole(NOTE + END, kind=0, count=0),
        whole(NOTE + END).replace(struct.pack(">I", len(NOTE + END)), b"\x7f\xff\xff\xff"),
        whole(b"\0\x90\x3c\x50\0\xf0\x02\1\xf7\x83\x60\x3c\0" + END),
        whole(b"\0\x90\x3c\x50\0\xfe\0\xf2\1\2\x83\x60\x3c\0" + END),
        whole(b"\0\x90\x3c\x50\0\xff\x51\x01\x05\0\xff\x58\x04\4\xff\x18\x08\x83\x60\x3c\0" + END),
    ],
)
def test_what_players_forgive_is_forgiven(tmp_path, content):
    (tmp_path / "a.mid").write_bytes(content)
    assert [(n.pitch, n.onset_s, n.offset_s) for n in midi.read(tmp_path / "a.mid").notes] == [(60, 0.0, 0.5)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (whole(NOTE + END)[:-6], "track 1: ends in the middle"),
        (whole(NOTE + END, b"\0\x90\x3c"), "track 2: ends in the middle"),
        (whole(NOTE + b"\0\xff\x01\x20" + END), "track 1: ends in the middle"),
        (whole(NOTE + END, count=3), "tells of 3 tracks and holds 1"),
        (whole(b"\0\x3c\x50" + END), "begins with a byte that is no event"),
        (whole(b"\0\xf4" + END), r"a byte that is no event \(0xf4\)"),
        (whole(NOTE + END, kind=2), "type 2 holds independent patterns"),
        (whole(NOTE + END, kind=9), "type 9 is not known"),
        (whole(NOTE + END, division=0), "no time division"),
        (whole(NOTE + END, division=0xE800), "counts 0 ticks in 24 frames"),
        (whole(NOTE + END, division=0x8001), "counts 1 ticks in 128 frames"),
        (whole(b"\0\x90\x3c\x50" + b"\xff\xff\xff\x7f\x3c\0" + END), "ends after 78 hours"),
        (whole(b"\0\x90\x3c\x50" + b"\xff" * 1_000_000 + END), "a number that is too long"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, content, sentence):
    (tmp_path / "a.mid").write_bytes(content)
    with pytest.raises(InputError, match=rf"^a\.mid: .*{sentence}.*; [a-z ]+") as told:
        midi.read(tmp_path / "a.mid")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("division", "per_second"), [(0xE728, 1000), (0xE250, 2400), (0xE808, 192), (0xE364, 3_000_000 / 1001)])
def test_ticks_of_film_frames_are_honoured(tmp_path, division, per_second):
    (tmp_path / "a.mid").write_bytes(whole(b"\0\x90\x3c\x50\x60\x3c\0" + END, division=division))
    score = midi.read(tmp_path / "a.mid")
    assert score.notes[0].offset_s == pytest.approx(0x60 / per_second)
    assert score.beats == ()


def test_floods_are_left_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(midi_events, "MOST_EVENTS", 2000)
    monkeypatch.setattr(midi, "MOST_NOTES", 1000)
    monkeypatch.setattr(midi_events, "MOST_TRACKS", 50)
    floods = {
        "goes beyond 2,000 events": whole(b"\0\x90\x3c\x50" + b"\0\x3c\0" * 3_000_000),
        "more than 1,000 notes": whole(b"\0\x90\x3c\x50" + b"\0\x3c\x50" * 1500 + END),
        "track 20: goes beyond 2,000 events": whole(*[NOTE * 50 + END] * 40),
        "more than 50 tracks": whole(*[b""] * 60_000),
    }
    for sentence, content in floods.items():
        (tmp_path / "a.mid").write_bytes(content)
        with pytest.raises(InputError, match=sentence):
            midi.read(tmp_path / "a.mid")
    monkeypatch.setattr(midi, "LARGEST_BYTES", 1000)
    with pytest.raises(InputError, match="larger than 0 MB"):
        midi.read(tmp_path / "a.mid")


def test_names_are_one_line_of_a_sensible_length(tmp_path):
    name = b"a\nb\0" + b"x" * 100_000
    length = bytes([0x80 | len(name) >> 14, 0x80 | len(name) >> 7 & 0x7F, len(name) & 0x7F])
    (tmp_path / "a.mid").write_bytes(whole(b"\0\xff\x03" + length + name + NOTE + END))
    (found,) = midi.read(tmp_path / "a.mid").track_names
    assert found.startswith("a b xx")
    assert len(found) <= 200
