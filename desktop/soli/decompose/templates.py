"""Initial templates W: what the spectrum of a pitch looks like before the recording is heard.

Sustained tones are combs of partials, attacks a comb under pink noise, drums broad bands.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from soli.decompose.bodies import NO_LIMITS, BoolArray, IntArray, Part, Times
from soli.decompose.constraints import Components, Kind
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.score.notes import frequency_hz
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid

_WIDTH_BINS, _WIDTH_CENTS = 0.72, 12.0
_ROLL_OFF = 1.5
_FLOOR = 1e-4
_TILT = 0.125
_DRUMS = {  # General MIDI drum pitches: centre frequency in hertz and width in octaves of a broad band
    **dict.fromkeys((35, 36), (70.0, 1.2)),
    **dict.fromkeys((37, 38, 39, 40), (900.0, 2.5)),
    **dict.fromkeys((41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64, 65, 66), (180.0, 1.2)),
    **dict.fromkeys((42, 44, 46, 69, 70, 82), (9000.0, 1.0)),
    **dict.fromkeys((49, 51, 52, 53, 55, 57, 59), (7000.0, 1.5)),
}
_OTHER_DRUM = (2000.0, 2.0)


def initial(
    components: Components,
    grid: Grid,
    settings: ModelSettings | None = None,
    *,
    limits: Mapping[int, TemplateLimit] = NO_LIMITS,
    rng: np.random.Generator | None = None,
) -> FloatArray:
    """Templates to begin with, float32, shape (K, R), frame order in memory, nonnegative; every column sums to one.

    With the initialisations `random` and `activations` they are random, and nothing but H tells them apart. Where `limits`, by
    pitch, allow nothing of a tone its template is zero, whatever it begins with.
    """
    settings = settings or ModelSettings()
    if settings.initialisation in ("random", "activations"):
        rng = rng or np.random.default_rng(settings.seed)
        rows = rng.random((len(components), grid.bins), np.float32) + np.float32(_FLOOR)
        for r, allowed in limited(components, grid, settings, limits).items():
            rows[r, ~allowed] = 0
        return _normalised(rows).T
    rows = np.empty((len(components), grid.bins), np.float32)
    frequencies = grid.frequencies_hz().astype(np.float64)
    tilt = (np.arange(grid.bins) + 1.0) ** _TILT
    combs: dict[tuple[int, int], FloatArray] = {}
    for r, (part, pitch, kind, copy) in enumerate(
        zip(*(column.tolist() for column in (components.part, components.pitch, components.kind, components.copy)), strict=True)
    ):
        if kind == Kind.DRUM:
            row = drum(pitch, frequencies)
        else:
            if (part, pitch) not in combs:
                combs[part, pitch] = sustain(pitch, components.parts[part], grid, settings, limit=limits.get(pitch))
            row = combs[part, pitch]
            if kind == Kind.ATTACK:
                row = 0.3 * row + 0.7 * _pink(frequency_hz(pitch), frequencies)
        copies = settings.sustain_templates if kind != Kind.ATTACK else 1
        rows[r] = row * tilt ** (2.0 * copy - copies + 1) if copies > 1 else row
    return _normalised(rows).T


def limited(
    components: Components, grid: Grid, settings: ModelSettings, limits: Mapping[int, TemplateLimit]
) -> dict[int, BoolArray]:
    """Which bins the template of each tone under a limit may use, bool, shape (K,), by the number of its component."""
    found, known = {}, dict[tuple[int, int], BoolArray]()
    for r in np.flatnonzero(np.isin(components.pitch, [*limits]) & (components.kind == Kind.SUSTAIN)).tolist():
        part, pitch = int(components.part[r]), int(components.pitch[r])
        if (part, pitch) not in known:
            known[part, pitch] = sustain(pitch, components.parts[part], grid, settings, limit=limits[pitch]) > 0
        found[r] = known[part, pitch]
    return found


def sustain(pitch: int, part: Part, grid: Grid, settings: ModelSettings, *, limit: TemplateLimit | None = None) -> FloatArray:
    """A comb of partials at m f0 sqrt(1 + B m^2), float32, shape (K,), summing to one; soft, or a hard one on request.

    `limit` goes before the settings; above the partials that it allows the comb is zero.
    """
    if limit is not None:
        harmonics = settings.harmonics if limit.harmonics is None else limit.harmonics
        cents = settings.template_tolerance_cents if limit.tolerance_cents is None else limit.tolerance_cents
        settings = replace(settings, harmonics=harmonics, template_tolerance_cents=cents)
    bin_hz = grid.rate / grid.window_length
    fundamental = float(partials_hz(np.array(1.0), pitch, part, settings))
    m = np.arange(1, max(1, int(grid.rate / 2 / fundamental)) + 1)[: settings.harmonics]
    centre = partials_hz(m, pitch, part, settings)
    height = m**-_ROLL_OFF
    keep = centre < grid.rate / 2
    centre, height = centre[keep], height[keep]
    hard = settings.template_tolerance_cents
    if hard is not None:
        low, high = bands_hz(centre, hard, grid)
        reach, width = (high - low) / 2, None
    else:
        width = np.hypot(_WIDTH_BINS * bin_hz, centre * (2 ** (_WIDTH_CENTS / 1200) - 1))
        reach = 5 * width
    comb = np.full(grid.bins, 0.0 if hard is not None else _FLOOR)
    if len(centre):
        owner, bins = _around(centre, reach, bin_hz)
        inside = (bins >= 0) & (bins < grid.bins)
        owner, bins = owner[inside], bins[inside]
        values = height[owner]
        if width is not None:
            values = values * np.exp(-0.5 * ((bins * bin_hz - centre[owner]) / width[owner]) ** 2)
            comb += np.bincount(bins, values, minlength=grid.bins)
        else:
            np.maximum.at(comb, bins, values)
    if limit is not None and limit.harmonics is not None:
        comb[grid.frequencies_hz() > partials_hz(np.array(limit.harmonics + 0.5), pitch, part, settings)] = 0
    row: FloatArray = _normalised(comb[None].astype(np.float32))[0]
    return row


def partials_hz(numbers: Times | IntArray, pitch: int, part: Part, settings: ModelSettings) -> Times:
    """Where partials lie, float64, by their numbers from 1 on: tuning and the stiffness of the strings taken into account."""
    f0 = frequency_hz(pitch + settings.tuning_cents / 100)
    stiffness = part.family.inharmonicity if settings.inharmonicity is None else settings.inharmonicity
    return np.asarray(numbers * f0 * np.sqrt(1 + stiffness * numbers**2), np.float64)


def bands_hz(centre: Times, cents: float, grid: Grid) -> tuple[Times, Times]:
    """From where to where partials around `centre` reach with a half-width in cents: never less than the window's main lobe."""
    lobe_hz = 1.5 * grid.rate / grid.window_length
    ratio = 2.0 ** (cents / 1200)
    return np.minimum(centre / ratio, centre - lobe_hz), np.maximum(centre * ratio, centre + lobe_hz)


def drum(pitch: int, frequencies: Times) -> FloatArray:
    """A broad band around where a General MIDI drum has its sound, float32, shape (K,)."""
    centre, octaves = _DRUMS.get(pitch, _OTHER_DRUM)
    distance = np.log2(np.maximum(frequencies, 20.0) / centre) / octaves
    band: FloatArray = _normalised((np.exp(-0.5 * distance**2) + 1e-2)[None].astype(np.float32))[0]
    return band


def _pink(f0: float, frequencies: Times) -> FloatArray:
    noise = f0 / np.maximum(frequencies, f0) * np.where(frequencies < 0.6 * f0, 0.3, 1.0)
    row: FloatArray = _normalised(noise[None].astype(np.float32))[0]
    return row


def _around(centre: Times, reach: Times, bin_hz: float) -> tuple[IntArray, IntArray]:
    """Every (partial, bin) pair that lies within reach."""
    first = np.ceil((centre - reach) / bin_hz).astype(np.int64)
    counts = np.maximum(np.floor((centre + reach) / bin_hz).astype(np.int64) - first + 1, 1)
    owner = np.repeat(np.arange(len(centre)), counts)
    return owner, first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _normalised(rows: FloatArray) -> FloatArray:
    total = rows.sum(axis=1, keepdims=True, dtype=np.float64)
    result: FloatArray = np.divide(rows, total, out=np.zeros_like(rows), where=total > 0, casting="unsafe")
    return result
