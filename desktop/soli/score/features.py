"""What the alignment listens to: spectra and onsets in semitone bands, and the same drawn from the score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.progress import Progress, Steps
from soli.score.notes import Note, Times
from soli.score.pooling import pooled_rows
from soli.signal import maps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid, analyse

RATE = 22050
SPECTRA_WINDOW, SPECTRA_HOP = 4096, 441
FLUX_WINDOW, FLUX_HOP = 2048, 128
LOWEST, HIGHEST = 28, 119  # the semitone bands; below, bins are wider than the bands, above there is little but hiss
BANDS = HIGHEST - LOWEST + 1
SILENCE = BANDS + 12  # the column that is positive where nothing sounds
COLUMNS = SILENCE + 1
SPECTRA_S = SPECTRA_HOP / RATE
FLUX_S = FLUX_HOP / RATE

# How strongly the harmonics of a note show in the spectra, as semitones above it and weight.
_HARMONICS = ((0, 1.0), (12, 0.6), (19, 0.45), (24, 0.35), (28, 0.3), (31, 0.25), (34, 0.2), (36, 0.2))
_CHROMA_WEIGHT = 0.25  # for scores written an octave off, and timbres without a fundamental
_SILENT_DB = -60.0
_FADE_S = 0.16  # of an onset, in the onset features
_RELEASE_S = 0.15  # of a tone after its end: strings, rooms
_REST_WEIGHT = 0.7  # that both are silent says less than that both sound alike
_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class Hearing:
    """What was heard in a recording.

    spectra: (N, COLUMNS) float32, a frame each SPECTRA_S: semitone bands from LOWEST on, freed of what neighbouring bands
        share, then 12 pitch classes, then silence; rows of unit length where anything sounds.
    flux: (T, BANDS) float32, a frame each FLUX_S: the rise of each semitone band, 0..1 against its surroundings.
    onsets: (T, 13) float32: the peaks of the flux in 12 pitch classes, and in all together.
    """

    spectra: FloatArray
    flux: FloatArray
    onsets: FloatArray
    tuning_cents: float
    duration_s: float


def hear_steps(audio: Audio, *, tuning: float | None = None) -> Steps[Hearing]:
    """Analyse a recording block by block; what is linear in its length lies in maps where it is long.

    tuning: cents from A4 = 440 Hz, estimated where it is None.
    """
    signal = yield from _mono_steps(audio)
    peak = float(max(signal.max(initial=0.0), -signal.min(initial=0.0)))
    coarse = Grid(RATE, len(signal), SPECTRA_WINDOW, SPECTRA_HOP)
    fine = Grid(RATE, len(signal), FLUX_WINDOW, FLUX_HOP)
    blocks = -(-coarse.frames // _BLOCK) + -(-fine.frames // _BLOCK)
    step = 0
    yield Progress(step, blocks, "Listening")
    tuning = tuning_cents(signal) if tuning is None else tuning
    yield Progress(step, blocks, "Listening")

    filters = band_filters(coarse, tuning)
    spectra = maps.zeros((coarse.frames, COLUMNS))
    for start in range(0, coarse.frames, _BLOCK):
        stop = min(start + _BLOCK, coarse.frames)
        bands = filters @ np.abs(analyse(signal, coarse, start, stop))
        spectra[start:stop] = _spectra(bands.T, peak * SPECTRA_WINDOW / 4)
        maps.release(signal[start * SPECTRA_HOP : stop * SPECTRA_HOP])
        step += 1
        yield Progress(step, blocks, "Listening")

    filters = band_filters(fine, tuning)
    level = maps.zeros((fine.frames, BANDS))
    for start in range(0, fine.frames, _BLOCK):
        stop = min(start + _BLOCK, fine.frames)
        bands = filters @ np.abs(analyse(signal, fine, start, stop))
        level[start:stop] = np.sqrt(bands.T / max(peak * FLUX_WINDOW / 4, 1e-9))
        for used in (level[start:stop], signal[start * FLUX_HOP : stop * FLUX_HOP]):
            maps.release(used)
        step += 1
        yield Progress(step, blocks, "Listening")
    flux = yield from onset_flux_steps(level)
    del level
    onsets = yield from _folded_steps(flux)
    return Hearing(spectra, flux, onsets, tuning, len(signal) / RATE)


def _mono_steps(audio: Audio) -> Steps[FloatArray]:
    """The mean of the channels at RATE, never holding another whole copy of the recording."""
    import soxr

    stream = soxr.ResampleStream(audio.rate, RATE, 1, dtype="float32", quality="HQ")
    chunk = 2**20
    signal, there = maps.zeros((audio.length * RATE // audio.rate + chunk,)), 0
    for start in range(0, audio.length, chunk):
        mixed = audio.samples[start : start + chunk].mean(axis=1, dtype=np.float32)
        last = start + chunk >= audio.length
        part = mixed if audio.rate == RATE else stream.resample_chunk(mixed, last=last)
        signal[there : there + len(part)] = part
        for used in (audio.samples[start : start + chunk], signal[there : there + len(part)]):
            maps.release(used)
        there += len(part)
        yield Progress(0, audio.length, "Listening")
    return signal[: max(1, there)]


def _folded_steps(flux: FloatArray) -> Steps[FloatArray]:
    """The local peaks of the flux, summed over octaves, and half the sum of those besides; float32, shape (T, 13)."""
    folded = maps.zeros((len(flux), 13))
    block, margin = 8192, 3
    for start in range(0, len(flux), block):
        low, high = max(0, start - margin), min(len(flux), start + block + margin)
        near = flux[low:high]
        peak = near > 0
        for shift in range(1, margin + 1):
            peak[shift:] &= near[shift:] >= near[:-shift]
            peak[:-shift] &= near[:-shift] >= near[shift:]
        peaks = (near * peak)[start - low : start - low + block]
        part = folded[start : start + block]
        for band in range(BANDS):
            part[:, (LOWEST + band) % 12] += peaks[: len(part), band]
        part[:, 12] = 0.5 * part[:, :12].sum(axis=1)
        maps.release(flux[low:high])
        yield Progress(start, len(flux), "Listening")
    return folded


def tuning_cents(signal: FloatArray) -> float:
    """How far a recording, float32 (length,) at RATE, lies from A4 = 440 Hz, in cents within -50..50.

    The circular mean of its spectral peaks.
    """
    grid = Grid(RATE, len(signal), 8192, 4096)
    picked = np.unique(np.linspace(0, grid.frames - 1, 240).astype(int))
    total = 0.0 + 0.0j
    low, high = 30, 750  # 80 Hz to 2 kHz
    for frame in picked:
        magnitude = np.abs(analyse(signal, grid, int(frame), int(frame) + 1))[:high, 0]
        centre = magnitude[low : high - 1]
        peaks = low + np.flatnonzero(
            (centre > magnitude[low - 1 : high - 2])
            & (centre >= magnitude[low + 1 : high])
            & (centre > 0.05 * centre.max(initial=0))
        )
        if not len(peaks) or magnitude.max() <= 1e-6:
            continue
        left, top, right = (np.log(magnitude[peaks + d] + 1e-12) for d in (-1, 0, 1))
        offset = 0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-9)
        pitch = 69 + 12 * np.log2((peaks + np.clip(offset, -0.5, 0.5)) * RATE / grid.window_length / 440)
        total += complex(np.sum(np.sqrt(magnitude[peaks]) * np.exp(2j * np.pi * pitch)))
    return float(np.angle(total) / (2 * np.pi) * 100) if abs(total) > 0 else 0.0


def band_filters(grid: Grid, tuning: float) -> Any:
    """Weights that gather the bins of a spectrum into semitone bands: a sparse array of float32, shape (BANDS, K)."""
    from scipy.sparse import csr_array

    pitches = np.arange(LOWEST, HIGHEST + 1)
    centre_hz = 440.0 * 2 ** ((pitches - 69 + tuning / 100) / 12)
    # Never narrower than a bin and a half, or low bands would fall between the bins.
    half_hz = np.maximum(centre_hz * (2 ** (0.9 / 12) - 1), 1.5 * grid.rate / grid.window_length)
    distance = np.abs(grid.frequencies_hz()[None, :] - centre_hz[:, None]) / half_hz[:, None]
    return csr_array(np.maximum(0, 1 - distance).astype(np.float32))


def onset_flux_steps(level: FloatArray) -> Steps[FloatArray]:
    """The rise of each band, against the strongest rise and level within a second; float32, shape of `level`, 0..1."""
    from scipy.ndimage import maximum_filter1d

    rise = maps.zeros(level.shape)
    block = 4096
    for start in range(2, len(level) - 2, block):
        stop = min(start + block, len(level) - 2)
        part = rise[start:stop]
        np.subtract(level[start + 2 : stop + 2], level[start - 2 : stop - 2], out=part)
        np.maximum(part, 0, out=part)
        yield Progress(start, len(level), "Listening")
    pool = 16
    starts = np.arange(0, len(level), pool)
    around = round(1.0 / (pool * FLUX_S))
    highest, strongest = (maximum_filter1d(pooled_rows(np.maximum, a, starts), 2 * around + 1, axis=0) for a in (level, rise))
    ceiling = np.maximum(np.maximum(strongest, 0.15 * highest), 0.02)
    block = 256
    for start in range(0, len(ceiling), block):
        part = rise[start * pool : (start + block) * pool]
        part /= np.repeat(ceiling[start : start + block], pool, axis=0)[: len(part)]
        maps.release(part)
        yield Progress(start, len(ceiling), "Listening")
    return rise


def drawn_spectra(notes: Sequence[Note], placed: Times, frames: int, rate: float) -> FloatArray:
    """Spectra of notes whose onsets and sounding ends are `placed` (n, 2) in seconds; (frames, COLUMNS), as Hearing.spectra."""
    roll = np.zeros((frames, 128), np.float32)
    tonal, pitch, struck = _tonal(notes), pitches(notes), _struck(notes)
    for fading in (True, False):
        chosen = tonal & (struck == fading)
        if not chosen.any():
            continue
        start, stop = (np.clip(np.round(placed[chosen, i] * rate).astype(int), 0, frames) for i in (0, 1))
        stop = np.minimum(np.maximum(stop, start + 1), frames)
        pole, released_pole = (float(np.exp(-1 / (s * rate))) for s in (decay_s(fading), _RELEASE_S))
        sounding, released = np.zeros((2, frames + 1, 128), np.float32)
        left = pole ** (stop - start)
        np.add.at(sounding, (start, pitch[chosen]), 1.0)
        np.add.at(sounding, (stop, pitch[chosen]), -left)
        np.add.at(released, (stop, pitch[chosen]), left)
        roll += np.maximum(_faded(sounding[:frames], pole), 0)
        roll += np.maximum(_faded(released[:frames], released_pole), 0)
    return spectra_of(roll)


def _faded(impulses: FloatArray, pole: float) -> FloatArray:
    """The impulses (frames, n), each followed by powers of `pole`, in place; every pass doubles how far they reach."""
    reach = 1
    while reach < len(impulses) and pole > 1e-9:
        impulses[reach:] += np.float32(pole) * impulses[:-reach]
        reach, pole = 2 * reach, pole * pole
    return impulses


def spectra_of(roll: FloatArray) -> FloatArray:
    """Spectra of pitches with the given strengths, float32 (frames, 128); (frames, COLUMNS), as Hearing.spectra."""
    silent = roll.max(axis=1, initial=0) < 1e-3
    bands = np.zeros((len(roll), BANDS), np.float32)
    for semitones, weight in _HARMONICS:
        low = max(0, LOWEST - semitones)  # the lowest pitch whose harmonic lies in the bands
        high = min(127, HIGHEST - semitones)
        bands[:, low + semitones - LOWEST : high + semitones - LOWEST + 1] += weight * roll[:, low : high + 1]
    return _rows(np.sqrt(bands), silent)


def drawn_onsets(notes: Sequence[Note], onset_s: Times, frames: int, rate: float) -> FloatArray:
    """Decaying onsets in 12 pitch classes and one row of any onset at all; float32, shape (frames, 13)."""
    impulses = np.zeros((frames, 13), np.float32)
    at = np.floor(onset_s * rate).astype(int)
    inside = (at >= 0) & (at < frames)
    for column, chosen in ((pitches(notes) % 12, inside & _tonal(notes)), (np.full(len(notes), 12), inside)):
        np.maximum.at(impulses, (at[chosen], column[chosen]), 1.0)
    return decaying(impulses, length=max(1, round(_FADE_S * rate)))


def heard_onsets(hearing: Hearing, first: int, stop: int, rate: float) -> FloatArray:
    """Decaying, locally normalised onsets of a recording, to compare with drawn_onsets; float32, shape (stop - first, 13).

    They are those of frames `first` to `stop`, at `rate` frames a second.
    """
    from scipy.ndimage import maximum_filter1d

    if stop <= first:
        return np.zeros((0, 13), np.float32)
    fade, around = max(1, round(_FADE_S * rate)), max(1, round(0.5 * rate))
    low = max(0, first - fade - around)
    edges = np.minimum((np.arange(low, stop + 1) / rate / FLUX_S).astype(int), len(hearing.onsets) - 1)
    pooled: FloatArray = pooled_rows(np.maximum, hearing.onsets[: edges[-1] + 1], edges[:-1])
    ceiling = maximum_filter1d(np.linalg.norm(pooled[:, :12], axis=1), 2 * around + 1)[:, None]
    total = maximum_filter1d(pooled[:, 12], 2 * around + 1)
    pooled[:, :12] /= np.maximum(ceiling, 0.3)
    pooled[:, 12] /= np.maximum(total, 0.3)
    return decaying(pooled, length=fade)[first - low :]


def decaying(onsets: FloatArray, *, length: int) -> FloatArray:
    """Onsets (frames, n), each lasting `length` frames and fading like a square root, so that near misses still meet; a copy."""
    faded = onsets.copy()
    for shift in range(1, length):
        weight = np.float32(np.sqrt(1 - shift / length))
        np.maximum(faded[shift:], weight * onsets[:-shift], out=faded[shift:])
    return faded


def is_struck(program: int) -> bool:
    """Whether the General MIDI program fades by itself: pianos, mallets, plucked strings, harp."""
    return program < 16 or 24 <= program < 40 or program in (45, 46, 47) or 104 <= program < 120


def is_bell(program: int) -> bool:
    """Whether the partials of the General MIDI program are no harmonics: bars, plates, forks, drums that are tuned.

    Not tubular bells, which are tuned by partials that lie like the harmonics of the note, nor the strings of the dulcimer.
    """
    return 8 <= program <= 13 or program in (47, 108) or 112 <= program < 120


def speaking_s(note: Note) -> float:
    """How long after its onset the flux of a note is highest.

    Strings, pipes, reeds and voices take a while to speak; a hammer or a plectrum does not, and its noise comes first. The
    burst of a drum is shorter than the window, which it fills best before its middle.
    """
    if note.is_drum:
        return -0.02
    if is_struck(note.program):
        return -0.004
    return 0.03 if 40 <= note.program < 56 else 0.02


def decay_s(struck: bool) -> float:
    """How long a tone takes to fade to a third: one that is blown or bowed stays."""
    return 1.5 if struck else 60.0


def pitches(notes: Sequence[Note]) -> NDArray[np.int64]:
    """MIDI numbers, int64, (n,)."""
    return np.array([note.pitch for note in notes], np.int64)


def _tonal(notes: Sequence[Note]) -> NDArray[np.bool_]:
    return np.array([not note.is_drum for note in notes], bool)


def _struck(notes: Sequence[Note]) -> NDArray[np.bool_]:
    return np.array([is_struck(note.program) for note in notes], bool)


def _spectra(bands: FloatArray, full_scale: float) -> FloatArray:
    from scipy.ndimage import uniform_filter1d

    scaled = bands / max(full_scale, 1e-9)
    compressed = np.log1p(100 * scaled)
    # What a band shares with its neighbours is noise, reverberation and the slope of the timbre.
    own = np.maximum(compressed - uniform_filter1d(compressed, 13, axis=1, mode="constant"), 0)
    return _rows(own, scaled.max(axis=1) < 10 ** (_SILENT_DB / 20))


def _rows(bands: FloatArray, silent: NDArray[np.bool_]) -> FloatArray:
    full = np.zeros((len(bands), COLUMNS), np.float32)
    chroma = np.zeros((len(bands), 12), np.float32)
    for band in range(BANDS):
        chroma[:, (LOWEST + band) % 12] += bands[:, band]
    for part, columns, weight in ((bands, slice(BANDS), 1 - _CHROMA_WEIGHT), (chroma, slice(BANDS, SILENCE), _CHROMA_WEIGHT)):
        full[:, columns] = np.sqrt(weight) * part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9)
    full[silent] = 0
    full[silent, SILENCE] = _REST_WEIGHT
    return full
