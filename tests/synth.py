"""A small synthesiser for the tests: decaying harmonic tones, so that no test needs a sound font."""

from collections.abc import Sequence

import numpy as np

from soli.score.notes import Note, frequency_hz
from soli.signal.audio import Audio


def render(
    notes: Sequence[Note],
    rate: int = 22050,
    seed: int = 0,
    *,
    duration_s: float | None = None,
    channels: int = 1,
    detune_cents: float = 0.0,
    noise_db: float | None = None,
    sustained: bool = False,
) -> Audio:
    """Render notes, placed in the recording's seconds, as sums of harmonics; peak at 0.8.

    A tone decays like a piano string (low ones longer), or holds its level where `sustained`; its phases and the
    weights of its harmonics are drawn from `seed`. A drum note is a short burst of noise. `noise_db` adds white
    noise at that level. The length is that of the last sounding note and half a second, or `duration_s`.
    """
    rng = np.random.default_rng(seed)
    end_s = max((note.sounding_offset_s for note in notes), default=0.0) + 0.5
    length = round((end_s if duration_s is None else duration_s) * rate)
    signal = np.zeros(length, np.float32)
    for note in sorted(notes, key=lambda note: (note.onset_s, note.pitch, note.id)):
        start = round(note.onset_s * rate)
        tone = _tone(note, rate, rng, detune_cents, sustained)[max(0, -start) : max(0, length - start)]
        signal[max(0, start) : max(0, start) + len(tone)] += tone
    peak = float(np.abs(signal).max(initial=0.0))
    if peak > 0:
        signal *= 0.8 / peak
    if noise_db is not None:
        signal += (10 ** (noise_db / 20) * rng.standard_normal(length)).astype(np.float32)
    return Audio(np.repeat(signal[:, None], channels, axis=1), rate)


def melody(
    pitches: Sequence[int], *, step_s: float = 0.5, length_s: float = 0.45, first_id: int = 0, track: int = 0
) -> tuple[Note, ...]:
    """One note after the other, `step_s` apart."""
    return tuple(
        Note(first_id + i, i * step_s, i * step_s + length_s, pitch, track=track, channel=track)
        for i, pitch in enumerate(pitches)
    )


def _tone(note: Note, rate: int, rng: np.random.Generator, detune_cents: float, sustained: bool) -> np.ndarray:
    release_s = 0.08
    sounding_s = max(0.02, note.sounding_offset_s - note.onset_s)
    time = np.arange(round((sounding_s + release_s) * rate)) / rate
    gate = np.clip((sounding_s + release_s - time) / release_s, 0, 1) * np.clip(time / 0.004, 0, 1)
    level = note.velocity / 127
    if note.is_drum:
        return (level * gate * np.exp(-time / 0.05) * rng.standard_normal(len(time))).astype(np.float32)
    base_hz = frequency_hz(note.pitch + detune_cents / 100)
    decay_s = 1.2 * 2 ** ((60 - note.pitch) / 24)
    tone = np.zeros(len(time))
    for harmonic in range(1, 16):
        if harmonic * base_hz > 0.45 * rate:
            break
        weight = harmonic**-1.2 * rng.uniform(0.6, 1.4)
        envelope = 1.0 if sustained else np.exp(-time * harmonic**0.5 / decay_s)
        tone += weight * envelope * np.sin(2 * np.pi * harmonic * base_hz * time + rng.uniform(0, 2 * np.pi))
    return (level * gate * tone).astype(np.float32)
