"""`soli align` and the document's own way of aligning again, from end to end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from performances import performed, piece
from synth import render

from soli import cli
from soli.progress import finish
from soli.project import pipeline
from soli.project.state import State
from soli.score import midi
from soli.signal import audio

score = piece(40, bars=4)
recording = render(performed(score))


def test_align_keeps_every_note_once_and_writes_the_same_bytes_each_time(tmp_path: Path):
    audio.write(tmp_path / "song.wav", recording, "wav24")
    midi.write(tmp_path / "song.mid", score.notes)
    written = []
    for name in ("first.mid", "second.mid"):
        arguments = ("align", tmp_path / "song.wav", tmp_path / "song.mid", "-o", tmp_path / name)
        assert cli.run(cli.parse([str(a) for a in arguments])) == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    found = midi.read(tmp_path / "first.mid").notes
    assert sorted((n.track, n.channel, n.pitch, n.velocity) for n in found) == sorted(
        (n.track, n.channel, n.pitch, n.velocity) for n in score.notes
    )


def test_an_anchor_leaves_what_lies_behind_another_alone():
    ear = pipeline.Ear()
    loaded = finish(pipeline.align_score_steps(State(audio=recording), score, None, ear=ear))
    assert loaded.warning == ""
    first = (4.0, float(loaded.state.alignment.time_map.to_recording(4.0)))
    one = finish(pipeline.realign_steps(loaded.state, (first,), ear))
    state = replace(loaded.state, alignment=one, anchors=(first,), absent=one.absent)
    second = (6.0, float(one.time_map.to_recording(6.0)) + 0.1)
    two = finish(pipeline.realign_steps(state, (first, second), ear))
    before = [i for i, note in enumerate(score.notes) if note.onset_s <= 4.0]
    assert [two.notes[i].onset_s for i in before] == [one.notes[i].onset_s for i in before]
    assert np.array_equal(two.confidence[before], one.confidence[before])
    assert {two.notes[i].onset_s for i, note in enumerate(score.notes) if note.onset_s == 6.0} == {second[1]}
