"""The demo that ships with Soli: what a first session, the README's figures and the journeys rest on."""

import sys
from collections import Counter
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from soli.assets import asset

PACKAGING = Path(__file__).resolve().parents[1] / "packaging"
RIGHT, LEFT = "Right hand", "Left hand"


def hands(name: str) -> dict[str, list[tuple[float, float, int, int]]]:
    """(onset_s, offset_s, pitch, velocity) of each named track with notes, read without Soli's own reader."""
    midi = mido.MidiFile(asset("demo", name))
    (tempo,) = (message.tempo for track in midi.tracks for message in track if message.type == "set_tempo")
    notes: dict[str, list[tuple[float, float, int, int]]] = {}
    for track in midi.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            time_s = mido.tick2second(now, midi.ticks_per_beat, tempo)
            if message.type == "note_on":
                assert message.note not in sounding, "a key is struck again while it is down"
                sounding[message.note] = (time_s, message.velocity)
            elif message.type == "note_off":
                onset_s, velocity = sounding.pop(message.note)
                notes.setdefault(track.name, []).append((onset_s, time_s, message.note, velocity))
        assert not sounding
    return notes


@pytest.fixture(scope="module")
def sounds() -> dict[str, np.ndarray]:
    return {
        name: soundfile.read(asset("demo", f"{name}.flac"), dtype="int16", always_2d=True)[0]
        for name in ("recording", "stem_right", "stem_left")
    }


def test_the_recording_is_stereo_at_44100_hz_in_16_bit_and_35_to_50_s():
    for name in ("recording", "stem_right", "stem_left"):
        info = soundfile.info(asset("demo", f"{name}.flac"))
        assert (info.samplerate, info.channels, info.subtype, info.format) == (44100, 2, "PCM_16", "FLAC")
        assert 35 <= info.duration <= 50


def test_the_true_stems_sum_to_the_recording_sample_by_sample(sounds):
    total = sounds["stem_right"].astype(np.int32) + sounds["stem_left"]
    np.testing.assert_array_equal(total, sounds["recording"])


def test_nothing_clips_and_both_hands_are_heard(sounds):
    for sound in sounds.values():
        assert 1000 < np.abs(sound.astype(np.int32)).max() < 32767
    right, left = (20 * np.log10(np.std(sounds[name])) for name in ("stem_right", "stem_left"))
    assert abs(right - left) < 6


def test_the_recording_begins_and_ends_in_silence(sounds):
    assert not sounds["recording"][:4410].any()
    assert not sounds["recording"][-10:].any()


@pytest.mark.parametrize("name", ["score.mid", "performance.mid"])
def test_the_tracks_are_the_two_hands(name):
    assert list(hands(name)) == [RIGHT, LEFT]


def test_the_performance_plays_every_note_of_the_score_in_its_order():
    score, performance = hands("score.mid"), hands("performance.mid")
    for hand in (RIGHT, LEFT):
        assert Counter(note[2] for note in score[hand]) == Counter(note[2] for note in performance[hand])
    # The right hand is one line, so its order is the score's; the left hand's chords may be rolled either way.
    assert [note[2] for note in sorted(score[RIGHT])] == [note[2] for note in sorted(performance[RIGHT])]


def test_the_performance_is_no_clock_but_never_far_from_the_score():
    score, performance = hands("score.mid"), hands("performance.mid")
    beat_s = 0.25
    stretch = []
    for hand in (RIGHT, LEFT):
        for pitch in {note[2] for note in score[hand]}:
            written = [note[0] for note in sorted(score[hand]) if note[2] == pitch]
            played = [note[0] for note in sorted(performance[hand]) if note[2] == pitch]
            for a, b, c, d in zip(written, written[1:], played, played[1:], strict=False):
                if b - a >= beat_s:
                    stretch.append((d - c) / (b - a))
    assert 0.8 < min(stretch) < max(stretch) < 1.9
    assert np.std(stretch) > 0.03


def test_the_hands_are_10_to_30_ms_apart():
    score, performance = hands("score.mid"), hands("performance.mid")
    played = dict(zip([note[0] for note in sorted(score[RIGHT])], [n[0] for n in sorted(performance[RIGHT])], strict=True))
    left = {}
    for pitch in {note[2] for note in score[LEFT]}:
        pairs = zip(
            sorted(note[0] for note in score[LEFT] if note[2] == pitch),
            sorted(note[0] for note in performance[LEFT] if note[2] == pitch),
            strict=True,
        )
        for written, struck in pairs:
            left[written] = min(struck, left.get(written, np.inf))
    lags = [left[written] - played[written] for written in left if written in played]
    assert len(lags) > 100
    assert 0.010 < np.median(lags) < 0.030


def test_each_hand_is_first_heard_where_the_performance_says(sounds):
    performance = hands("performance.mid")
    for hand, name in ((RIGHT, "stem_right"), (LEFT, "stem_left")):
        onset_s = min(note[0] for note in performance[hand])
        sound = np.abs(sounds[name].astype(np.int32)).max(axis=1)
        heard_s = np.argmax(sound > 30) / 44100
        assert 0 <= heard_s - onset_s < 0.010


def test_the_pedal_is_pressed_about_once_a_bar():
    midi = mido.MidiFile(asset("demo", "performance.mid"))
    for track in midi.tracks[1:]:
        values = [message.value for message in track if message.is_cc(64)]
        assert values == [127, 0] * (len(values) // 2)
        assert 30 <= len(values) // 2 <= 52


def test_the_score_is_what_a_notation_program_writes():
    midi = mido.MidiFile(asset("demo", "score.mid"))
    assert midi.type == 1
    meta = {message.type: message for message in midi.tracks[0]}
    assert (meta["time_signature"].numerator, meta["time_signature"].denominator) == (3, 4)
    assert meta["key_signature"].key == "Db"
    assert mido.tempo2bpm(meta["set_tempo"].tempo) == 240
    assert midi.length == pytest.approx(52 * 3 / 4)


def test_the_script_writes_these_very_midi_files(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(PACKAGING)
    for module in ("render_demo", "demo_score"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    import render_demo

    for name, midi in (
        ("score.mid", render_demo.score_file()),
        ("performance.mid", render_demo.performance_file(render_demo.play())),
    ):
        midi.save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == asset("demo", name).read_bytes()


def test_the_notation_refuses_a_bar_that_does_not_add_up(monkeypatch):
    monkeypatch.syspath_prepend(PACKAGING)
    import demo_score

    bars = demo_score.RIGHT.replace("Ab4*2", "Ab4", 1)
    with pytest.raises(ValueError, match=r"lasts 2\.5 quarter notes"):
        demo_score._notes(bars, demo_score.TICKS_PER_QUARTER // 2)


def test_the_demo_says_whose_sound_it_is_and_stays_small():
    text = asset("demo", "README.md").read_text(encoding="utf-8")
    for words in ("Op. 64 No. 1", "public domain", "FluidR3", "Frank Wen", "MIT", "Permission is hereby granted"):
        assert words in text
    assert sum(path.stat().st_size for path in asset("demo").iterdir()) < 9_000_000
