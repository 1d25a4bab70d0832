"""Make resources/demo: the score, a performance of it with a pianist's liberties, and its recording in two stems.

Needs fluidsynth and the FluidR3 sound font (Debian: apt-get install fluidsynth fluid-soundfont-gm), and Soli's own packages:
    .venv/bin/python packaging/render_demo.py
The same seed, sound font and fluidsynth give the same files.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import demo_score
import mido
import numpy as np
import soundfile

TICKS_PER_QUARTER = demo_score.TICKS_PER_QUARTER
TICKS_PER_BAR = TICKS_PER_QUARTER * demo_score.QUARTERS_PER_BAR
SCORE_BPM = 240
PLAYED_BPM = 226
# A pianist's file counts in milliseconds: 500 ticks a quarter note of 500 ms.
PERFORMANCE_TICKS_PER_QUARTER = 500

SAMPLE_RATE_HZ = 44100
LEAD_IN_S = 0.4
TAIL_S = 2.5
PEAK = 0.6
SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")

# As printed: one pedal a bar from bar 5 on, none under the right hand's close runs of bars 29 to 32 and 35.
UNPEDALLED_BARS = {1, 2, 3, 4, 29, 30, 31, 32, 35}
# Hairpins and accents as (bar, dynamic), joined by straight lines; the dynamic is the right hand's MIDI velocity.
DYNAMICS = ((1, 62), (5, 66), (7, 68), (9, 84), (11, 80), (13, 64), (15, 66), (17, 86), (19, 80), (21, 76), (25, 84))
DYNAMICS_LATER = ((28, 62), (29, 74), (32, 80), (33, 92), (35, 66), (36, 62), (37, 60))


# From ticks of the score to seconds of the recording.
Clock = Callable[[float], float]


@dataclass(frozen=True)
class PlayedNote:
    """A note as played: MIDI pitch and velocity, onset and offset in seconds of the recording."""

    pitch: int
    velocity: int
    onset_s: float
    offset_s: float


@dataclass(frozen=True)
class Performance:
    """Both hands in seconds, and the pedal as (time_s, down) pairs."""

    right: list[PlayedNote]
    left: list[PlayedNote]
    pedal: list[tuple[float, bool]]
    duration_s: float


def score_file() -> mido.MidiFile:
    """The score as notation programs write it: even, one tempo, a track for each hand."""
    ends = len(demo_score.PLAYED_BARS) * TICKS_PER_BAR
    conductor = [
        (0, mido.MetaMessage("track_name", name="Waltz in D flat major, Op. 64 No. 1")),
        (0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(SCORE_BPM))),
        (0, mido.MetaMessage("time_signature", numerator=3, denominator=4)),
        (0, mido.MetaMessage("key_signature", key="Db")),
    ]
    tracks = [_track(conductor, ends)]
    for channel, (name, notes) in enumerate((("Right hand", demo_score.right_hand()), ("Left hand", demo_score.left_hand()))):
        spans = [(note.onset_ticks, note.onset_ticks + note.duration_ticks, note.pitch, 80) for note in notes]
        tracks.append(_track([*_head(name, channel), *_note_events(spans, channel)], ends))
    return _midi_file(tracks, TICKS_PER_QUARTER)


def performance_file(performance: Performance) -> mido.MidiFile:
    """The performance, a tick a millisecond: the true time of every note in the recording."""
    ends = _milliseconds(performance.duration_s)
    tracks = [_track([(0, mido.MetaMessage("set_tempo", tempo=1000 * PERFORMANCE_TICKS_PER_QUARTER))], ends)]
    for channel, (name, notes) in enumerate((("Right hand", performance.right), ("Left hand", performance.left))):
        spans = [(_milliseconds(n.onset_s), _milliseconds(n.offset_s), n.pitch, n.velocity) for n in notes]
        pedal = [
            (_milliseconds(time_s), mido.Message("control_change", channel=channel, control=64, value=127 * down))
            for time_s, down in performance.pedal
        ]
        tracks.append(_track([*_head(name, channel), *pedal, *_note_events(spans, channel)], ends))
    return _midi_file(tracks, PERFORMANCE_TICKS_PER_QUARTER)


def play(seed: int = 64) -> Performance:
    """Play the score: rubato, hands a little apart, dynamics and pedal. Deterministic for a seed."""
    rng = np.random.default_rng(seed)
    beats, times_s = _tempo(rng)

    def at(ticks: float) -> float:
        return float(np.interp(ticks / TICKS_PER_QUARTER, beats, times_s))

    right = _play_right(rng, at)
    left = _play_left(rng, at)
    pedal = _pedal(rng, at)
    duration_s = max(note.offset_s for note in right + left) + TAIL_S
    return Performance(right, left, pedal, round(duration_s, 3))


def _tempo(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Beat numbers and their times in seconds: every eighth-note step stretched by the place it has in its phrase."""
    steps = 2 * demo_score.QUARTERS_PER_BAR * len(demo_score.PLAYED_BARS)
    stretch = np.ones(steps)
    for index, bar in enumerate(demo_score.PLAYED_BARS):
        here = slice(6 * index, 6 * index + 6)
        if bar <= 4:  # the whirl gathers speed
            stretch[here] *= np.linspace(1.28 - 0.07 * (bar - 1), 1.21 - 0.07 * (bar - 1), 6)
        if bar in (12, 20, 28, 36):  # a phrase ends
            stretch[here] *= np.array([1.0, 1.02, 1.05, 1.09, 1.14, 1.18])
        if bar in (5, 13, 21, 29):  # and the next one leans on its first beat
            stretch[here] *= np.array([1.08, 1.06, 1.03, 1.01, 1.0, 1.0])
        if bar in (9, 17):  # the high B flat is held
            stretch[here] *= np.array([1.10, 1.08, 1.05, 1.0, 0.97, 0.97])
        if bar == 32:  # taking time to reach the highest note
            stretch[here] *= np.array([1.0, 1.0, 1.03, 1.07, 1.15, 1.22])
        if bar in (33, 34):
            stretch[here] *= 0.96
    stretch[-18:] *= np.linspace(1.0, 1.45, 18)  # the last three bars broaden
    # A hand is no clock: a slow drift, and a little unevenness at each step.
    drift = np.convolve(rng.normal(size=steps + 23), np.hanning(24) / np.sqrt(np.sum(np.hanning(24) ** 2)), "valid")
    stretch *= 1 + 0.02 * drift + 0.012 * rng.normal(size=steps)
    times_s = LEAD_IN_S + np.concatenate(([0.0], np.cumsum(stretch * 30 / PLAYED_BPM)))
    return np.arange(steps + 1) / 2, times_s


def _play_right(rng: np.random.Generator, at: Clock) -> list[PlayedNote]:
    notes = demo_score.right_hand()
    mean_pitch = sum(note.pitch for note in notes) / len(notes)
    played = []
    for note in notes:
        velocity = _dynamic(note.onset_ticks) + 0.35 * (note.pitch - mean_pitch) + rng.normal(0, 2.5)
        velocity += 5 if note.onset_ticks % TICKS_PER_BAR == 0 else 0
        velocity -= 8 if note.duration_ticks < 100 else 0
        onset_s = at(note.onset_ticks) + rng.normal(0, 0.003)
        # Legato: a finger leaves its key about when the next one falls.
        offset_s = max(at(note.onset_ticks + note.duration_ticks) + rng.uniform(-0.012, 0.012), onset_s + 0.03)
        played.append(PlayedNote(note.pitch, _velocity(velocity), onset_s, offset_s))
    return _lift_before_repeats(played)


def _play_left(rng: np.random.Generator, at: Clock) -> list[PlayedNote]:
    notes = demo_score.left_hand()
    delays_s: dict[int, float] = {}
    played = []
    for note in notes:
        # The melody leads by 10 to 30 ms; within a chord the fingers are 4 ms apart.
        delay_s = delays_s.setdefault(note.onset_ticks, rng.uniform(0.010, 0.030))
        on_first_beat = note.onset_ticks % TICKS_PER_BAR == 0
        velocity = 0.72 * _dynamic(note.onset_ticks) + (8 if on_first_beat else -2) + rng.normal(0, 2)
        onset_s = at(note.onset_ticks) + delay_s + abs(rng.normal(0, 0.004))
        held = 0.92 if on_first_beat else 0.7  # the bass is placed, the chords are light
        offset_s = max(at(note.onset_ticks + held * note.duration_ticks), onset_s + 0.05)
        played.append(PlayedNote(note.pitch, _velocity(velocity), onset_s, offset_s))
    return _lift_before_repeats(played)


def _lift_before_repeats(notes: list[PlayedNote]) -> list[PlayedNote]:
    """A key must come up before it can be struck again: 20 ms at the least."""
    ends_s = {}
    by_pitch: dict[int, list[PlayedNote]] = {}
    for note in sorted(notes, key=lambda note: note.onset_s):
        by_pitch.setdefault(note.pitch, []).append(note)
    for same in by_pitch.values():
        for note, following in pairwise(same):
            ends_s[note] = min(note.offset_s, following.onset_s - 0.02)
    return [PlayedNote(n.pitch, n.velocity, n.onset_s, ends_s.get(n, n.offset_s)) for n in notes]


def _pedal(rng: np.random.Generator, at: Clock) -> list[tuple[float, bool]]:
    changes = []
    for index, bar in enumerate(demo_score.PLAYED_BARS):
        if bar in UNPEDALLED_BARS:
            continue
        start = index * TICKS_PER_BAR
        up_beat = 2.0 if bar in (24, 25, 26, 28, 33, 34, 36) else 2.7
        if index == len(demo_score.PLAYED_BARS) - 1:
            up_beat = 3.5  # the last chord rings on
        # The foot follows the bass and goes down when it sounds.
        changes.append((at(start) + rng.uniform(0.06, 0.10), True))
        changes.append((at(start + up_beat * TICKS_PER_QUARTER) + rng.uniform(-0.02, 0.02), False))
    return changes


def _dynamic(ticks: int) -> float:
    index, within = divmod(ticks, TICKS_PER_BAR)
    bars, velocities = zip(*DYNAMICS, *DYNAMICS_LATER, strict=True)
    return float(np.interp(demo_score.PLAYED_BARS[index] + within / TICKS_PER_BAR, bars, velocities))


def _velocity(value: float) -> int:
    return int(np.clip(round(value), 20, 120))


def _milliseconds(time_s: float) -> int:
    return round(1000 * time_s)


def _head(name: str, channel: int) -> list[tuple[int, mido.Message | mido.MetaMessage]]:
    return [
        (0, mido.MetaMessage("track_name", name=name)),
        (0, mido.Message("program_change", channel=channel, program=0)),
    ]


def _note_events(spans: list[tuple[int, int, int, int]], channel: int) -> list[tuple[int, mido.Message]]:
    events = []
    for start, end, pitch, velocity in spans:
        events.append((start, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((end, mido.Message("note_off", channel=channel, note=pitch, velocity=64)))
    # A key struck again at the very tick of its release must be released first.
    return sorted(events, key=lambda event: (event[0], event[1].type == "note_on"))


def _track(events: list[tuple[int, mido.Message | mido.MetaMessage]], ends: int) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for ticks, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=ticks - now))
        now = ticks
    track.append(mido.MetaMessage("end_of_track", time=max(ends - now, 0)))
    return track


def _midi_file(tracks: list[mido.MidiTrack], ticks_per_quarter: int) -> mido.MidiFile:
    return mido.MidiFile(type=1, ticks_per_beat=ticks_per_quarter, tracks=tracks)


def render_stems(performance: Performance, sound_font: Path) -> tuple[np.ndarray, np.ndarray]:
    """Right and left hand as int16 (samples, 2); both scaled alike, so that their sum peaks at PEAK and never clips."""
    stems = [_synthesize(performance_file(performance), keep, performance.duration_s, sound_font) for keep in (1, 2)]
    scale = PEAK * 32767 / np.max(np.abs(stems[0] + stems[1]))
    right, left = (np.round(stem * scale).astype(np.int16) for stem in stems)
    return right, left


def _synthesize(midi: mido.MidiFile, keep: int, duration_s: float, sound_font: Path) -> np.ndarray:
    """One hand alone, with a little of the room, as float64 (samples, 2)."""
    midi.tracks[:] = [midi.tracks[0], midi.tracks[keep]]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "hand.mid"), Path(folder, "hand.wav")
        midi.save(source)
        settings = {
            "synth.chorus.active": 0,
            "synth.reverb.active": 1,
            "synth.reverb.room-size": 0.3,
            "synth.reverb.damp": 0.4,
            "synth.reverb.width": 0.6,
            "synth.reverb.level": 0.3,
            "synth.gain": 0.5,
            "synth.sample-rate": SAMPLE_RATE_HZ,
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        command = ["fluidsynth", "-ni", "-q", *options, "-O", "float", "-T", "wav", "-F", str(target)]
        subprocess.run([*command, str(sound_font), str(source)], check=True, capture_output=True)
        sound, sample_rate_hz = soundfile.read(target, always_2d=True)
    if sample_rate_hz != SAMPLE_RATE_HZ or not np.any(sound):
        raise RuntimeError("fluidsynth gave no sound at the demo's sample rate")
    length = round(duration_s * SAMPLE_RATE_HZ)
    sound = np.pad(sound[:length], ((0, max(length - len(sound), 0)), (0, 0)))
    fade = round(0.3 * SAMPLE_RATE_HZ)
    sound[-fade:] *= np.linspace(1, 0, fade)[:, None] ** 2  # the room's last trace ends in silence
    return sound


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Make the demo's score, performance, recording and true stems.")
    parser.add_argument("--sound-font", type=Path, default=SOUND_FONT)
    parser.add_argument("--seed", type=int, default=64)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[1] / "resources" / "demo")
    chosen = parser.parse_args(arguments)
    if shutil.which("fluidsynth") is None or not chosen.sound_font.exists():
        parser.exit(1, "fluidsynth or its sound font is missing: apt-get install fluidsynth fluid-soundfont-gm\n")

    performance = play(chosen.seed)
    right, left = render_stems(performance, chosen.sound_font)
    recording = (right.astype(np.int32) + left).astype(np.int16)
    chosen.output.mkdir(parents=True, exist_ok=True)
    score_file().save(chosen.output / "score.mid")
    performance_file(performance).save(chosen.output / "performance.mid")
    for name, sound in (("recording", recording), ("stem_right", right), ("stem_left", left)):
        buffer = io.BytesIO()
        soundfile.write(buffer, sound, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16", compression_level=1.0)
        (chosen.output / f"{name}.flac").write_bytes(buffer.getvalue())
    print(f"{chosen.output}: {len(recording) / SAMPLE_RATE_HZ:.1f} s, peak {np.max(np.abs(recording)) / 32767:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
