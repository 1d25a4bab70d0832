from dataclasses import replace

import numpy as np
import pytest
from performances import assert_sound, errors, performed, piece
from synth import melody, render

from soli.errors import InputError
from soli.progress import finish
from soli.score.alignment import align, align_steps, unaligned
from soli.score.features import hear_steps
from soli.score.notes import Note, Score, TimeMap, warped
from soli.signal.audio import Audio


@pytest.mark.parametrize(
    ("tempo", "detune_cents", "noise_db", "rate"),
    [(1.0, 0, None, 22050), (0.4, 30, None, 22050), (2.9, -45, -50, 22050), (1.3, 0, -40, 44100)],
)
def test_every_note_is_found(tempo, detune_cents, noise_db, rate):
    score = piece()
    truth = performed(score, tempo=tempo, spread_s=0.02)
    audio = render(truth, rate, detune_cents=detune_cents, noise_db=noise_db)
    alignment = align(audio, score)
    assert_sound(alignment, score)
    off = errors(alignment, truth)
    assert off.mean() < 0.02
    assert (off > 0.05).mean() < 0.05
    assert alignment.sure > 0.8
    assert alignment.warning == ""
    assert alignment.absent == frozenset()
    assert alignment.tuning_cents == pytest.approx(detune_cents, abs=12)


def test_notes_of_a_chord_get_their_own_places():
    score = piece(3)
    early = {note.id: (-0.03 if note.track == 0 else 0.03) for note in score.notes}
    truth = tuple(replace(n, onset_s=n.onset_s + early[n.id]) for n in performed(score))
    off = errors(align(render(truth), score), truth)
    assert np.median(off) < 0.012


def test_silence_and_noise_around_the_music_change_nothing():
    score = piece(4)
    truth = performed(score, lead_s=6.0)
    rng = np.random.default_rng(0)
    samples = np.array(render(truth, duration_s=truth[-1].offset_s + 8).samples)
    applause = (0.1 * rng.standard_normal(22050 * 4)).astype(np.float32)
    samples[: len(applause), 0] += applause
    samples[-len(applause) :, 0] += applause
    off = errors(align(Audio(samples, 22050), score), truth)
    assert (off > 0.05).mean() < 0.05


def test_the_same_input_gives_the_same_alignment():
    score = piece(5, bars=4)
    audio = render(performed(score))
    first, second = align(audio, score), align(audio, score)
    assert first.notes == second.notes
    assert np.array_equal(first.confidence, second.confidence)
    assert np.array_equal(first.time_map.recording_s, second.time_map.recording_s)


def test_what_was_heard_before_gives_the_same_alignment():
    score = piece(5, bars=3)
    audio = render(performed(score))
    again = align(audio, score, hearing=finish(hear_steps(audio)))
    assert again.notes == align(audio, score).notes


def test_repeated_notes_never_change_places():
    notes = melody([60] * 12 + [64] * 12 + [60] * 12, step_s=0.12, length_s=0.1)
    score = Score(notes)
    truth = performed(score, rubato=0.3, spread_s=0.03)
    alignment = align(render(sorted(truth, key=lambda n: n.onset_s)), score)
    assert_sound(alignment, score)
    for pitch in (60, 64):
        assert (np.diff([n.onset_s for n in alignment.notes if n.pitch == pitch]) > 0).all()


def test_a_cut_is_said_and_not_smeared():
    score = piece(6, bars=16)
    middle = {note.id for note in score.notes if 10 <= note.onset_s < 20}
    kept = tuple(
        replace(n, onset_s=n.onset_s - 10 * (n.onset_s >= 20), offset_s=n.offset_s - 10 * (n.onset_s >= 20))
        for n in score.notes
        if n.id not in middle
    )
    alignment = align(render(kept), score)
    assert_sound(alignment, score)
    assert len(alignment.absent ^ middle) <= 0.15 * len(middle)
    truth = {n.id: n.onset_s for n in kept}
    off = [abs(n.onset_s - truth[n.id]) for n in alignment.notes if n.id in truth and n.id not in alignment.absent]
    assert np.mean(np.array(off) > 0.05) < 0.05
    assert all(alignment.confidence[i] == 0 for i, n in enumerate(alignment.notes) if n.id in alignment.absent)


def test_a_wrong_note_is_doubted():
    score = piece(7)
    audio = render(performed(score))
    rng = np.random.default_rng(2)
    wrong = {int(i) for i in rng.choice(len(score.notes), 8, replace=False)}
    changed = Score(tuple(replace(n, pitch=n.pitch + 1) if n.id in wrong else n for n in score.notes))
    confidence = align(audio, changed).confidence
    right = np.array([n.id not in wrong for n in changed.notes])
    assert np.median(confidence[right]) > 2 * np.median(confidence[~right])


def test_another_piece_is_said_with_a_number():
    alignment = align(render(performed(piece(8))), Score(warped(piece(9).notes, TimeMap())))
    chromatic = Score(melody([61, 66, 63, 70, 68] * 8, step_s=0.37))
    other = align(render(performed(piece(8))), chromatic)
    assert_sound(other, chromatic)
    assert other.sure < min(0.3, alignment.sure + 0.3)
    assert "%" in other.warning


def test_drums_take_part_by_their_onsets():
    times = np.cumsum(np.random.default_rng(3).choice([0.25, 0.5, 0.75], 40))
    score = Score(tuple(Note(i, t, t + 0.1, 38, channel=9) for i, t in enumerate(times.tolist())))
    truth = performed(score, rubato=0.05)
    alignment = align(render(truth), score)
    assert_sound(alignment, score)
    assert np.median(errors(alignment, truth)) < 0.02


def test_the_pedal_moves_with_its_note():
    score = Score(tuple(replace(n, pedal_s=n.offset_s + 0.5) for n in piece(10, bars=3).notes))
    alignment = align(render(performed(score, tempo=1.5)), score)
    assert_sound(alignment, score)
    assert all(n.pedal_s >= n.offset_s for n in alignment.notes)


def test_anchors_hold():
    score = piece(11)
    truth = performed(score)
    begin_s = score.notes[0].onset_s
    middle_s = next(n.onset_s for n in score.notes if n.onset_s >= 10)
    at_s = next(n.onset_s for n in truth if n.id == next(m.id for m in score.notes if m.onset_s == middle_s))
    anchors = [(middle_s, at_s + 0.2), (begin_s, truth[0].onset_s)]
    alignment = align(render(truth), score, anchors=anchors)
    assert_sound(alignment, score)
    for score_s, recording_s in anchors:
        assert float(alignment.time_map.to_recording(score_s)) == pytest.approx(recording_s, abs=1e-6)
    assert {n.onset_s for n, m in zip(alignment.notes, score.notes, strict=True) if m.onset_s == middle_s} == {at_s + 0.2}
    assert np.median(errors(alignment, truth)) < 0.02


@pytest.mark.parametrize("anchors", [[(1, 5), (2, 4)], [(1, 2), (1, 3)], [(1, 2), (3, 2)], [(1, 99)], [(float("nan"), 2)]])
def test_anchors_that_contradict_each_other_are_refused(anchors):
    score = piece(12, bars=2)
    with pytest.raises(InputError):
        align(render(score.notes), score, anchors=anchors)


silence = Audio(np.zeros((22050 * 3, 2), np.float32), 22050)
noise = Audio((0.1 * np.random.default_rng(0).standard_normal((22050 * 3, 1))).astype(np.float32), 22050)
short = render(piece(13, bars=1).notes, duration_s=0.2)


@pytest.mark.parametrize(
    "score",
    [
        Score(()),
        Score((Note(7, 2.0, 3.0, 60),)),
        Score((Note(0, 0.0, 0.0, 0), Note(1, 0.0, 0.0, 127))),
        Score(tuple(Note(i, 0.0, 1.0, 60) for i in range(5))),
        piece(14, bars=30),
        Score(tuple(Note(i, i * 100.0, i * 100.0 + 50, 60) for i in range(5))),
    ],
    ids=["empty", "one note", "extremes", "unison", "long", "huge gaps"],
)
@pytest.mark.parametrize("audio", [silence, noise, short, Audio(np.full((1, 1), 0.5, np.float32), 8000)])
def test_no_input_is_too_bad(audio, score):
    alignment = align(audio, score)
    assert_sound(alignment, score)
    if not score.notes or audio is silence:
        assert alignment.sure == 0
        assert alignment.warning.endswith(".")


def test_work_is_reported_and_can_be_cancelled():
    score = piece(15, bars=4)
    steps = align_steps(render(score.notes), score)
    reported = [next(steps) for _ in range(5)]
    assert all(0 <= progress.fraction <= 1 for progress in reported)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def test_the_score_as_it_is():
    score = piece(16, bars=1)
    alignment = unaligned(score)
    assert alignment.notes == score.notes
    assert (alignment.confidence == 1).all()
    assert float(alignment.time_map.to_recording(3.25)) == 3.25


@pytest.mark.parametrize("cents", [-50, -47, 47, 50])
def test_a_recording_half_way_between_two_semitones_is_taken_for_the_right_one(cents):
    from soli.score.alignment import best_tuned_steps
    from soli.score.features import hear_steps

    notes = melody((60, 64, 67, 72, 71, 67, 65, 62, 59, 60, 64, 60), step_s=0.5)
    audio = render(notes, detune_cents=cents)
    hearing, alignment = finish(best_tuned_steps(audio, Score(notes), finish(hear_steps(audio))))
    assert alignment.sure > 0.5
    assert abs(hearing.tuning_cents - cents) < 6
    assert np.abs([n.onset_s - m.onset_s for n, m in zip(alignment.notes, notes, strict=True)]).max() < 0.05
