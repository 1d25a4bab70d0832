"""Which template may sound when: bodies in seconds become components, the support of H, and each layer's share of it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from soli.decompose.bodies import Bodies, BoolArray, IntArray, MaskEdit, Part, Times, bodies, parts
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid

__all__ = ["Bodies", "Components", "Constraint", "Entries", "Kind", "MaskEdit", "Part", "bodies", "build", "parts"]

FLOOR = 1e-3
_RISE_S, _RELEASE_S, _ATTACK_S = 0.1, 0.12, 0.06
# What a phantom has of a voice that a layer may sound too: nothing to be heard (-120 dB).
_PHANTOM_WEIGHT = np.float32(1e-6)


class Kind(IntEnum):
    """What of a note a component stands for."""

    SUSTAIN = 0
    ATTACK = 1
    DRUM = 2


@dataclass(frozen=True, eq=False)
class Components:
    """The R components as columns (int64, shape (R,)): part, pitch, kind, copy (several templates of one kind) and voice.

    Components of one part, pitch and kind are a voice: they sound in the same bodies.
    """

    part: IntArray
    pitch: IntArray
    kind: IntArray
    copy: IntArray
    voice: IntArray
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(self.pitch)


@dataclass(frozen=True, eq=False)
class Entries:
    """Which body lets which voice sound in which frame, ordered by frame; frame n owns entries first[n] to first[n + 1].

    voice, frame, body: int64, one an entry; first: int64, (N + 1,). weight: float32, what the body claims where several share
    a voice, by its velocity and how much of it is left.
    """

    voice: IntArray
    frame: IntArray
    body: IntArray
    weight: FloatArray
    first: IntArray


@dataclass(frozen=True, eq=False)
class Constraint:
    """What the score knows: components, H to begin with (float32, (R, N), zero where nothing may sound), and who sounds where."""

    grid: Grid
    bodies: Bodies
    components: Components
    entries: Entries
    H: FloatArray

    def shares(self, selected: BoolArray, start: int = 0, stop: int | None = None) -> FloatArray:
        """The share that some bodies have in each component's activation, float32 in [0, 1], shape (R, stop - start).

        `selected` says which bodies (see Bodies.of_layers and of_notes). Over all layers the shares sum to one on the
        support. A pitch that several bodies of one part hold at once is shared by velocity and how much of each is left;
        a phantom yields to all others.
        """
        stop = self.grid.frames if stop is None else stop
        frames, voices = stop - start, int(self.components.voice.max(initial=-1)) + 1
        rows = slice(self.entries.first[start], self.entries.first[stop])
        cell = self.entries.voice[rows] * frames + (self.entries.frame[rows] - start)
        weight, mine = self.entries.weight[rows], selected[self.entries.body[rows]]
        total = np.bincount(cell, weight, minlength=voices * frames)
        part = np.bincount(cell[mine], weight[mine], minlength=voices * frames)
        share = np.divide(part, total, out=np.zeros(voices * frames), where=total > 0).reshape(voices, frames)
        result: FloatArray = share[self.components.voice].astype(np.float32)
        return result


def build(
    stretches: Bodies, grid: Grid, settings: ModelSettings | None = None, *, rng: np.random.Generator | None = None
) -> Constraint:
    """Quantise bodies to the frames of `grid`: components, initial H and shares.

    H starts as the recipe of the instrument's family: rising towards the onset, decaying from it, released after the
    offset, 1 for attacks. With the initialisations `random` and `templates` H is random and free in every frame instead.
    Raises InputError when nothing may sound anywhere in the recording.
    """
    settings = settings or ModelSettings()
    rows = np.flatnonzero(audible(stretches, grid))
    key, row, kind, first, last = occurrences(stretches, rows, grid, settings)
    voices, voice = np.unique(key, axis=0, return_inverse=True)
    entries, envelope = entered(stretches, grid, row=row, kind=kind, voice=voice.reshape(-1), first=first, last=last)
    components = of_voices(voices, stretches.parts, settings.sustain_templates)
    H = np.zeros((len(voices), grid.frames), np.float32)
    np.maximum.at(H, (entries.voice, entries.frame), envelope)
    H = H[components.voice]
    if settings.initialisation in ("random", "templates"):
        rng = rng or np.random.default_rng(settings.seed)
        H = rng.random(H.shape, np.float32) + np.float32(FLOOR)
        entries = _everywhere(entries, len(voices), grid)
    return Constraint(grid, stretches, components, entries, H)


def audible(stretches: Bodies, grid: Grid) -> BoolArray:
    """Which bodies lie in the recording, at least in part; bool, one a body. Raises InputError when none of a layer does."""
    inside = (stretches.end_s >= 0) & (stretches.start_s <= grid.length / grid.rate) & (stretches.end_s >= stretches.start_s)
    if not (inside & stretches.wanted).any():
        raise InputError("no note may sound anywhere in the recording; draw or allow notes, or move them to where the music is")
    return inside


def frames_of(stretches: Bodies, rows: IntArray, grid: Grid) -> tuple[IntArray, IntArray]:
    """First and last frame of the bodies numbered by `rows`, (n,); both int64, (n,)."""
    return _frames(stretches.start_s[rows], grid), _frames(stretches.end_s[rows], grid)


def _frames(time_s: Times, grid: Grid) -> IntArray:
    return np.clip(np.rint(time_s / grid.hop_s), 0, grid.frames - 1).astype(np.int64)


def occurrences(
    stretches: Bodies, rows: IntArray, grid: Grid, settings: ModelSettings
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """One occurrence a body and kind: (part, pitch, kind) keys, body rows, kinds, first and last frames."""
    drum = np.array([group.is_drum for group in stretches.parts], bool)[stretches.part[rows]]
    kinds = np.where(drum, int(Kind.DRUM), int(Kind.SUSTAIN))
    start, end = stretches.start_s[rows], stretches.end_s[rows]
    if settings.initialisation == "onsets":
        families = [group.family for group in stretches.parts]
        early = np.array([f.attack_before_s if settings.attack_before_s is None else settings.attack_before_s for f in families])
        late = np.array([f.attack_after_s if settings.attack_after_s is None else settings.attack_after_s for f in families])
        onset, part = stretches.onset_s[rows], stretches.part[rows]
        attack_start, attack_end = np.maximum(start, onset - early[part]), np.minimum(end, onset + late[part])
        struck = ~drum & (attack_end >= attack_start)
        start, end = np.append(start, attack_start[struck]), np.append(end, attack_end[struck])
        kinds = np.append(kinds, np.full(int(struck.sum()), int(Kind.ATTACK)))
        rows = np.append(rows, rows[struck])
    key = np.stack([stretches.part[rows], stretches.pitch[rows], kinds], axis=1)
    return key, rows, kinds, _frames(start, grid), _frames(end, grid)


def entered(
    stretches: Bodies, grid: Grid, *, row: IntArray, kind: IntArray, voice: IntArray, first: IntArray, last: IntArray
) -> tuple[Entries, FloatArray]:
    """The entries of occurrences, and what of H each begins with (float32)."""
    counts = last - first + 1
    index = np.repeat(np.arange(len(row)), counts)
    frame = first[index] + np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    time, body = frame * grid.hop_s, row[index]
    onset, offset = stretches.onset_s[body], stretches.offset_s[body]
    decay = np.array([group.family.decay_s for group in stretches.parts])[stretches.part[body]]
    before = np.maximum(0.1, 1.0 - (onset - time) / _RISE_S)
    after = np.exp(-np.maximum(time - onset, 0.0) / decay - np.maximum(time - np.maximum(offset, onset), 0.0) / _RELEASE_S)
    # A drum is not damped at its offset, which says nothing.
    after = np.where(kind[index] == Kind.DRUM, np.exp(-np.maximum(time - onset, 0.0) / decay), after)
    envelope = np.where(time < onset, before, after)
    attack = kind[index] == Kind.ATTACK
    share = np.where(attack, np.exp(-np.abs(time - onset) / _ATTACK_S), envelope)
    envelope = np.where(attack, 1.0, np.maximum(envelope, FLOOR))
    weight = np.maximum(share, FLOOR) * np.maximum(stretches.velocity[body], 1)
    weight *= np.where(stretches.wanted[body], 1, _PHANTOM_WEIGHT)
    order = np.argsort(frame, kind="stable")
    ptr = np.searchsorted(frame[order], np.arange(grid.frames + 1))
    entries = Entries(voice[index][order], frame[order], body[order], weight[order].astype(np.float32), ptr.astype(np.int64))
    return entries, envelope[order].astype(np.float32)


def of_voices(voices: IntArray, groups: tuple[Part, ...], copies: int) -> Components:
    """The components of voices, given as rows (part, pitch, kind)."""
    repeats = np.where(voices[:, 2] == Kind.ATTACK, 1, copies)
    voice = np.repeat(np.arange(len(voices)), repeats)
    copy = np.arange(len(voice)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    part, pitch, kind = voices[voice].T
    return Components(part, pitch, kind, copy, voice, groups)


def _everywhere(entries: Entries, voices: int, grid: Grid) -> Entries:
    """Every voice free in every frame: where no body holds it, its bodies share it as they do over the whole piece."""
    held = np.zeros((voices, grid.frames), bool)
    held[entries.voice, entries.frame] = True
    bodies_of = np.unique(np.stack([entries.voice, entries.body]), axis=1)
    weight = np.bincount(np.unique(entries.body, return_inverse=True)[1], entries.weight)
    mean = dict(zip(np.unique(entries.body).tolist(), weight.tolist(), strict=True))
    free_voice, free_frame = np.nonzero(~held)
    # One stand-in body a voice is enough: the one that sounds most of it.
    loudest = np.zeros(voices, np.int64)
    best = np.full(voices, -1.0)
    for voice, body in bodies_of.T.tolist():
        if mean[body] > best[voice]:
            best[voice], loudest[voice] = mean[body], body
    frame = np.append(entries.frame, free_frame)
    order = np.argsort(frame, kind="stable")
    return Entries(
        np.append(entries.voice, free_voice)[order],
        frame[order],
        np.append(entries.body, loudest[free_voice])[order],
        np.append(entries.weight, np.ones(len(free_voice), np.float32))[order],
        np.searchsorted(frame[order], np.arange(grid.frames + 1)).astype(np.int64),
    )
