"""Note lists: what is written is read, what others write is read, and what is no list ends in one sentence."""

import codecs
import csv
import itertools
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from soli.errors import InputError
from soli.score import midi, note_lists
from soli.score.note_lists import read_note_list, write_note_list
from soli.score.notes import DRUM_CHANNEL, Note
from soli.score.reading import SUFFIXES, read_score

SECONDS = st.integers(0, 10**9).map(lambda us: us / 1e6)
LABELS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=12) | st.sampled_from(
    ["left hand", 'say "x"', "a;b", "a,b", "#1", "7", "0,5", "nan", "start"]
)


@st.composite
def note_rows(draw: st.DrawFn) -> tuple[list[Note], dict[int, str]]:
    count = draw(st.integers(1, 12))
    notes = []
    for i in range(count):
        onset_s = draw(SECONDS)
        offset_s = round(onset_s + draw(SECONDS), 6)
        notes.append(Note(i, onset_s, offset_s, draw(st.integers(0, 127)), draw(st.integers(0, 127))))
    return notes, {note.id: draw(LABELS) for note in notes}


def listed(folder: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(path: Path) -> list[tuple[float, float, int, int, str]]:
    score = read_note_list(path)
    return [(n.onset_s, round(n.offset_s, 6), n.pitch, n.velocity, score.track_names[n.track]) for n in score.notes]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=note_rows(), style=st.sampled_from(["fmp", "sonic-visualiser"]))
@example(some=([Note(0, 0.0, 1.0, 60, 0)], {0: "a;b;c;d;e;f;g"}), style="sonic-visualiser")
def test_what_is_written_is_read(tmp_path, some, style):
    notes, labels = some
    path = tmp_path / "list.csv"
    write_note_list(path, notes, labels=labels, style=style)
    read = read_note_list(path)
    found = sorted((n.onset_s, n.offset_s, n.pitch, n.velocity, read.track_names[n.track]) for n in read.notes)
    asked = sorted((n.onset_s, n.offset_s, n.pitch, n.velocity, labels[n.id]) for n in notes)
    for mine, theirs in zip(found, asked, strict=True):
        assert mine[:2] == pytest.approx(theirs[:2], abs=2e-6)
        assert mine[2:] == theirs[2:]
    assert [n.id for n in read.notes] == list(range(len(notes)))
    assert [n.onset_s for n in read.notes] == sorted(n.onset_s for n in read.notes)


FMP = 'start;duration;pitch;velocity;label\n0.5;1.0;60;0.5;"piano"\n1.5;0.25;64;1.0;"violin"\n'
BOTH = [(0.5, 1.5, 60, 64, "piano"), (1.5, 1.75, 64, 127, "violin")]


@pytest.mark.parametrize(
    "text",
    [
        FMP,
        FMP.replace("\n", "\r\n"),
        FMP.replace("\n", "\r"),
        FMP.replace(";", ","),
        FMP.replace(";", "\t"),
        FMP.replace(";", " ; "),
        FMP.rstrip("\n"),
        "\n\n" + FMP.replace("\n", "\n\n"),
        "# made by hand; with care\n" + FMP + "# the end\n",
        '"Start";"Duration";"Pitch";"Velocity";"Instrument"\n0.5;1.0;60.0;0.5;"piano"\n1.5;0.25;64.0;1.0;"violin"\n',
        "start;end;pitch;velocity;label\n0.5;1.5;60;0.5;piano\n1.5;1.75;64;1.0;violin\n",
        "label;pitch;end;start;velocity\nviolin;E4;1.75;1.5;127\npiano;C4;1.5;0.5;64\n",
        ";onset_s;offset_s;note;vel;part;confidence\n0;0.5;1.5;60;64;piano;1\n1;1.5;1.75;64;127;violin;0.2\n",
        "Start (s),Duration (s),Frequency (Hz),Velocity,Label\n.5,1e0,261.63,64,piano\n1.5,0.25,329.6,127,violin\n",
        "0.5,60,1.0,0.5039,piano\n1.5,64,0.25,1,violin\n",
        "0.500000000,261.6,1.0,64,piano\n1.500000000,329.6,0.25,127,violin\n",
        "TIME,VALUE,DURATION,LEVEL,LABEL\n0.5,60,1.0,0.5039,piano\n1.5,64,0.25,1,violin\n",
        "#TIME,VALUE,DURATION,LEVEL,LABEL\n0.5,60,1.0,0.5039,piano\n1.5,64,0.25,1,violin\n",
        "# Notes of a layer\n# time, pitch, duration, level, label\n0.5,60,1.0,0.5039,piano\n1.5,64,0.25,1,violin\n",
    ],
)
def test_lists_of_every_hand_hold_the_same_notes(tmp_path, text):
    assert rows(listed(tmp_path, text)) == BOTH


@pytest.mark.parametrize(
    "raw",
    [
        codecs.BOM_UTF8 + FMP.encode(),
        codecs.BOM_UTF16_LE + FMP.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + FMP.encode("utf-16-be"),
    ],
)
def test_marks_of_byte_order_are_no_part_of_the_list(tmp_path, raw):
    assert rows(listed(tmp_path, raw)) == BOTH


def test_labels_in_latin_1_are_read(tmp_path):
    score = read_note_list(listed(tmp_path, FMP.replace("piano", "Flöte").encode("latin-1")))
    assert score.track_names == ("Flöte", "violin")


def test_what_a_list_does_not_say_is_as_usual(tmp_path):
    score = read_note_list(listed(tmp_path, "start;duration;pitch\n1;1;60\n0;0;62\n", "Étude.csv"))
    first, second = score.notes
    assert (first.onset_s, first.offset_s, first.pitch) == (0.0, 0.0, 62)
    assert (second.velocity, second.program, second.layer, second.pedal_s) == (80, 0, 0, 0.0)
    assert score.track_names == ("Notes",)
    assert score.title == "Étude"
    assert score.beats == ()


def test_velocities_of_whole_numbers_are_taken_as_they_are(tmp_path):
    assert [r[3] for r in rows(listed(tmp_path, "0,60,1,1\n1,60,1,2\n"))] == [1, 2]
    assert [r[3] for r in rows(listed(tmp_path, "0,60,1,1\n1,60,1,0\n"))] == [127, 0]


def test_many_labels_are_many_tracks_and_no_drums(tmp_path):
    lines = "".join(f"{i},60,1,1,voice {i}\n" for i in range(40))
    score = read_note_list(listed(tmp_path, lines))
    assert [note.track for note in score.notes] == list(range(40))
    assert len(score.track_names) == 40
    assert not any(note.channel == DRUM_CHANNEL for note in score.notes)
    midi.write(tmp_path / "list.mid", score.notes, track_names=score.track_names)
    assert len(midi.read(tmp_path / "list.mid").notes) == 40


BAD = {
    "": "no notes in it",
    "start;duration;pitch\n": "no notes in it",
    "# nothing\n\n": "no notes in it",
    "start;duration;pitch\n0;1;60\n0;x;60\n": "line 3: 'x' is no duration",
    "start;duration;pitch\n0;1;60\n\n0;-1;60\n": "line 4: the note ends before it begins",
    "start;duration;pitch\n43000;300;60\n": "line 2: a note from 43000 to 43300 s cannot be",
    "start;end;pitch\n2;1;60\n": "line 2: the note ends before it begins",
    "start;duration;pitch\n-1;1;60\n": "line 2: a note from -1 to 0 s cannot be",
    "start;duration;pitch\nnan;1;60\n": "line 2: a start of nan cannot be",
    "start;duration;pitch\n0;inf;60\n": "line 2: a duration of inf cannot be",
    "start;duration;pitch\n0;1e300;60\n": "line 2: a note from 0 to 1e\\+300 s cannot be",
    "start;duration;pitch\n0;1;nan\n": "line 2: a pitch of nan cannot be",
    "start;duration;pitch\n0;1;128\n": "line 2: a pitch of 128 is outside",
    "start;duration;pitch\n0;1;-3\n": "line 2: a pitch of -3 is outside",
    "start;duration;pitch\n0;1;H2\n": "line 2: 'H2' is no pitch",
    "start;duration;frequency\n0;1;0\n": "line 2: 0 Hz is outside",
    "start;duration;frequency\n0;1;90000\n": "line 2: 90000 Hz is outside",
    "start;duration;pitch;velocity\n0;1;60;128\n": "line 2: a velocity of 128 cannot be",
    "start;duration;pitch;velocity\n0;1;60;-0.5\n": "line 2: a velocity of -0.5 cannot be",
    "start;duration;pitch;velocity\n0;1;60;loud\n": "line 2: 'loud' is no velocity",
    "start;duration;pitch\n0,5;1,25;60\n": "line 2: 0,5 has a decimal comma",
    "0,5;60;1,25;0,8;x\n": "line 1: 0,5 has a decimal comma",
    f"start;duration;pitch\n{'9' * 300},5;1;60\n": "line 2: 9+ has a decimal comma",
    "start;pitch;velocity\n0;60;1\n": "no column is called duration or end",
    "start;duration;label\n0;60;1\n": "no column is called pitch",
    "pitch;duration;label\n0;60;1\n": "no column is called start",
    "FRAME,VALUE,DURATION,LEVEL,LABEL\n44100,60,100,1,\n": "counted in samples",
    "0.5,60\n": "line 1: no duration is given",
    "Dear all,\nplease find attached\n": "line 1: 'Dear all' is no start",
    '0,60,1\n0,60,1,1,"open\n' + "x" * 140_000 + "\n": "too long for a note",
    '0,60,1\n0,60,1,1,"open\n' + "x\n" * 140_000: "line \\d+: no line of a list",
    "1_000,60,1\n": "line 1: '1_000' is no start",
    "٣,60,1\n": "line 1: '٣' is no start",
}


@pytest.mark.parametrize(("text", "sentence"), BAD.items(), ids=range(len(BAD)))
def test_what_is_no_list_ends_in_a_sentence_that_names_file_and_line(tmp_path, text, sentence):
    with pytest.raises(InputError, match=rf"^list\.csv.*{sentence}") as told:
        read_note_list(listed(tmp_path, text))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize(
    "raw", [b"\0\1\2\3" * 100, b"RIFF\x24\0\0\0WAVEfmt ", bytes(range(256)), b"\xff\xfe\0", b"\xff\xfe\0\xd8,,"]
)
def test_bytes_that_are_no_text_are_refused(tmp_path, raw):
    with pytest.raises(InputError, match=r"^list\.csv"):
        read_note_list(listed(tmp_path, raw))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('0123456789.,;\t\n"#-eE nanstartpichduo'), max_size=80) | st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path, text):
    path = listed(tmp_path, text.encode("utf-8", "surrogatepass"))
    try:
        score = read_note_list(path)
    except InputError:
        return
    for note in score.notes:
        assert 0 <= note.onset_s <= note.offset_s
        assert 0 <= note.pitch <= 127
        assert 0 <= note.velocity <= 127
        assert note.track < len(score.track_names)


@pytest.mark.parametrize("line", ["0,60,1\n", "\n", "# x\n", "," * 50 + "\n"])
def test_a_list_without_end_is_left_in_time(tmp_path, monkeypatch, line):
    monkeypatch.setattr(note_lists, "MOST_NOTES", 2_000)
    monkeypatch.setattr(note_lists, "MOST_LINES", 10_000)
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.writelines(itertools.repeat(line, 400_000))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^long\.csv: more than"):
            read_note_list(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_no_file_and_a_folder_are_told(tmp_path):
    for path, what in ((tmp_path / "none.csv", "no such file"), (tmp_path, "this is a folder")):
        with pytest.raises(InputError, match=what):
            read_note_list(path)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_note_list(tmp_path / "none" / "list.csv", [Note(0, 0, 1, 60)])
    with pytest.raises(InputError, match="style 'xml' is not known"):
        write_note_list(tmp_path / "list.csv", [Note(0, 0, 1, 60)], style="xml")
    assert not [*tmp_path.iterdir()]


def test_a_list_for_libfmp_is_as_it_reads_them(tmp_path):
    notes = [Note(1, 1.0, 1.5, 62, 127), Note(0, -0.25, 0.5, 60, 64)]
    write_note_list(tmp_path / "list.csv", notes, labels={0: "left", 1: "a\nb"})
    text = (tmp_path / "list.csv").read_text()
    assert text.splitlines() == [
        '"start";"duration";"pitch";"velocity";"label"',
        '0.0;0.5;60;0.5;"left"',
        '1.0;0.5;62;0.992188;"a b"',
    ]
    with (tmp_path / "list.csv").open(newline="") as file:
        assert [row["pitch"] for row in csv.DictReader(file, delimiter=";")] == ["60", "62"]


def test_a_list_for_sonic_visualiser_is_time_value_duration_level_label(tmp_path):
    write_note_list(tmp_path / "list.csv", [Note(0, 0.5, 1.75, 60, 127)], labels={0: "x, y"}, style="sonic-visualiser")
    assert (tmp_path / "list.csv").read_text() == '0.5,60,1.25,1.0,"x, y"\n'


def test_labels_that_only_name_the_pitch_are_no_parts(tmp_path):
    listed(tmp_path, "0.5,67,0.2,0.8,G4\n1.0,69,0.5,0.8,A4\n1.5,70,0.5,0.8,Bb4\n")
    score = read_note_list(tmp_path / "list.csv")
    assert score.track_names == ("Notes",)
    assert {note.track for note in score.notes} == {0}
    listed(tmp_path, "0.5,67,0.2,0.8,G4\n1.0,69,0.5,0.8,C4\n")
    assert read_note_list(tmp_path / "list.csv").track_names == ("G4", "C4"), "a part may be called so"


def test_a_score_is_read_as_its_suffix_says(tmp_path):
    assert read_score(listed(tmp_path, FMP, "list.CSV")).track_names == ("piano", "violin")
    midi.write(tmp_path / "score.mid", [Note(0, 0.0, 1.0, 60)])
    assert len(read_score(tmp_path / "score.mid").notes) == 1
    assert ".csv" in SUFFIXES
    with pytest.raises(InputError, match="not a MIDI file"):
        read_score(listed(tmp_path, FMP, "list.mid"))
