"""Another speed at the same pitch, as a linear operation: what is made from the recording stretches every layer alike.

The method is time-scale modification by harmonic-percussive separation (Driedger, Müller and Ewert, "Improving Time-Scale
Modification of Music Signals Using Harmonic-Percussive Separation", IEEE Signal Processing Letters 21(1), 2014): a phase
vocoder with locked phases (Laroche and Dolson, IEEE Trans. Speech and Audio Processing 7(3), 1999) for what is
harmonic, overlap-add of short windows for the rest. What it decides (which bins are percussive, by how much each
region of a spectrum is rotated) it decides on the recording and applies to any part of it. So the stretched layers
and the stretched residual sum to the stretched recording, faders work after the stretching, and the channels of a
layer keep their phases to each other. Stretching each layer by itself would give none of that.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray

SLOWEST, FASTEST = 0.25, 2.0

_CELL_S = 2.0  # of the recording; in each of them the strongest onset may begin the phases anew
_LONGEST_CHAIN = 6  # cells without an onset worth the name before the phases begin anew all the same
_ONSET_RISE = 0.3  # share of a spectrum that is new at such an onset
_STEADY_S, _BROAD_HZ = 0.2, 500.0  # how long a partial lasts and how wide a click is, at least

Spectra: TypeAlias = NDArray[np.complex64]
# Samples [first, end) of a signal, float32 (end - first, channels), zero where there are none.
Read: TypeAlias = Callable[[int, int], FloatArray]


def reader(signal: FloatArray) -> Read:
    """Reads `signal`, float32 (length, channels), with silence around it."""

    def read(first: int, end: int) -> FloatArray:
        part = signal[max(0, first) : max(0, end)]
        before = min(max(0, -first), end - first)
        return np.pad(part, ((before, end - first - before - len(part)), (0, 0)))

    return read


def stretched_length(length: int, speed: float) -> int:
    """How many samples `length` of them become."""
    return int(np.ceil(length / speed - 1e-9))


class Stretcher:
    """Plays `reference` (read by `Read`) and all its parts at `speed`, which is 0.25 to 2 times its own.

    Sample n of what is stretched sounds as sample n * speed of the recording does. Any stretch of the result can be
    had on its own: it is the same however the whole is cut, and in whichever order. Not for several threads at once.
    """

    def __init__(self, reference: Read, *, rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"a speed is from {SLOWEST} to {FASTEST}, not {speed}")
        self._reference, self.speed = reference, speed
        self._frame = _power_of_two(0.093 * rate)  # resolves the lowest octaves, as wide as the paper's
        self._hop = self._frame // 4
        self._short = self._frame // 2
        self._short_hop = self._short // 4
        self._grain = self._frame // 8
        self._cell = max(self._short_hop, round(_CELL_S * rate))
        self._steady = 2 * round(_STEADY_S * rate / self._short_hop / 2) + 1
        self._broad = 2 * round(_BROAD_HZ * self._short / rate / 2) + 1
        self._resets: dict[int, int | None] = {}
        self._last: tuple[int, Spectra] | None = None  # a frame and its phasors, where the next stretch goes on

    def stretch(self, first: int, end: int) -> "Stretch":
        """What is to be done for samples [first, end) of the result."""
        frames = self._frames(first, end)
        rotations = self._rotations(frames)
        centres = self._places(frames, self._hop)
        # The grains of the percussive part reach less far than the frames do.
        low, high = int(centres[0]) - self._frame // 2, int(centres[-1]) + self._frame // 2
        percussive = self._percussive(low, high)
        return Stretch(self, first, end, frames, rotations, (low, high), percussive)

    def _frames(self, first: int, end: int) -> NDArray[np.int64]:
        half = self._frame // 2
        return np.arange((first - half) // self._hop + 1, -(-(end + half) // self._hop), dtype=np.int64)

    def _places(self, frames: NDArray[np.int64], hop: int) -> NDArray[np.int64]:
        """Samples of the recording on which frames, `hop` apart in the result, are centred."""
        places: NDArray[np.int64] = np.rint(frames * (hop * self.speed)).astype(np.int64)
        return places

    def _rotations(self, frames: NDArray[np.int64]) -> Spectra:
        """Phasors by which the spectra at `frames` are turned, complex64 (frames, bins).

        A frame follows the one before it as, in the recording, it follows what lies one hop of the result before it:
        the product of that spectrum and the frame before says by how much they are apart. One phasor holds for the whole
        region around a peak, which locks its phases.
        """
        begin, phasor = self._reset_before(int(frames[0])), np.ones(self._frame // 2 + 1, np.complex64)
        if self._last is not None and begin <= self._last[0] <= frames[0]:
            begin, phasor = self._last
        chain = np.arange(begin, int(frames[-1]) + 1, dtype=np.int64)
        rotations = np.empty((len(frames), len(phasor)), np.complex64)
        block, before = 64, np.zeros((0, 0, 0), np.complex64)
        for start in range(0, len(chain), block):
            part = chain[start : start + block]
            spectra = _spectra(self._reference, self._places(part, self._hop), self._frame)
            power = _power(spectra)
            if start:
                spectra = np.concatenate([before, spectra])
            earlier = _spectra(self._reference, self._places(part[0 if start else 1 :], self._hop) - self._hop, self._frame)
            steps = np.einsum("fkc,fkc->fk", spectra[:-1], earlier.conj()) if len(spectra) > 1 else spectra[:0, :, 0]
            for index, frame in enumerate(part.tolist()):
                row = index if start else index - 1
                if row >= 0:
                    phasor = _follow(phasor, steps[row], power[index], anew=frame == self._reset_before(frame))
                if frame >= frames[0]:
                    rotations[frame - frames[0]] = phasor
            before = spectra[-1:]
        self._last = (int(frames[-1]), phasor)
        return rotations

    def _reset_before(self, frame: int) -> int:
        """The newest frame up to `frame` at which the phases are those of the recording."""
        place = frame * self._hop * self.speed
        for cell in range(int(place // self._cell), -1, -1):
            reset = self._reset(cell)
            if reset is not None and reset <= frame:
                return reset
        return min(frame, -self._frame // 2 // self._hop)

    def _reset(self, cell: int) -> int | None:
        if cell not in self._resets:
            hop, start = self._short_hop, cell * self._cell // self._short_hop
            count = max(1, self._cell // hop)
            places = (start + np.arange(-1, count)) * hop
            size = np.sqrt(_power(_spectra(self._reference, places, self._short)))
            rise = np.maximum(size[1:] - size[:-1], 0.0).sum(axis=1) / np.maximum(size[1:].sum(axis=1), 1e-9)
            best = int(rise.argmax())
            worth = rise[best] >= _ONSET_RISE or cell % _LONGEST_CHAIN == 0
            self._resets[cell] = round((start + best) * hop / (self._hop * self.speed)) if worth else None
        return self._resets[cell]

    def _grid(self, low: int, high: int) -> NDArray[np.int64]:
        """The short frames of the recording that samples [low, high) are made of."""
        return np.arange((low - self._short // 2) // self._short_hop, -(-(high + self._short // 2) // self._short_hop) + 1)

    def _percussive(self, low: int, high: int) -> NDArray[np.bool_]:
        """Which bins of the short frames are percussive: more like what is alike in frequency than like what is in time."""
        from scipy.ndimage import median_filter

        reach = self._steady // 2
        grid = self._grid(low, high)
        wide = np.arange(grid[0] - reach, grid[-1] + reach + 1)
        size = np.sqrt(_power(_spectra(self._reference, wide * self._short_hop, self._short)))
        lasting = median_filter(size, size=(self._steady, 1), mode="nearest")
        sudden = median_filter(size, size=(1, self._broad), mode="nearest")
        return np.asarray(sudden > lasting, np.bool_)[reach : len(wide) - reach]


class Stretch:
    """Samples [first, end) of what is stretched, for any part of the recording."""

    def __init__(
        self,
        stretcher: Stretcher,
        first: int,
        end: int,
        frames: NDArray[np.int64],
        rotations: Spectra,
        span: tuple[int, int],
        percussive: NDArray[np.bool_],
    ) -> None:
        self._by, self._first, self._end = stretcher, first, end
        self._frames, self._rotations, self._span, self._percussive = frames, rotations, span, percussive

    def of(self, part: Read) -> FloatArray:
        """The same samples of a part of the recording, float32 (end - first, its channels); linear in it."""
        low, high = self._span
        by = self._by
        sound = part(low, high)
        sudden = self._sudden(part)
        lasting = _window_reader(sound - sudden, low)
        spectra = _spectra(lasting, by._places(self._frames, by._hop), by._frame)
        spectra *= self._rotations[:, :, None]
        out = _overlap_add(spectra, self._frames * by._hop - by._frame // 2, by._hop, self._first, self._end)
        grain, half = by._grain, by._grain // 2
        grains = np.arange((self._first - half) // half, -(-(self._end + half) // half) + 1, dtype=np.int64)
        cut = _cut(_window_reader(sudden, low), by._places(grains, half) - half, grain)
        out += _put(cut * _hann(grain)[None, :, None], grains * half - half, half, self._first, self._end)
        return out

    def _sudden(self, part: Read) -> FloatArray:
        """The percussive part of the recording's samples that the span holds."""
        by, (low, high) = self._by, self._span
        grid = by._grid(low, high)
        spectra = _spectra(part, grid * by._short_hop, by._short)
        spectra *= self._percussive[:, :, None]
        return _overlap_add(spectra, grid * by._short_hop - by._short // 2, by._short_hop, low, high)


def _follow(phasor: Spectra, step: Spectra, power: FloatArray, *, anew: bool) -> Spectra:
    """The phasors of a frame, from those of the frame before, the products with it, and its own power (bins,)."""
    if anew:
        return np.ones_like(phasor)
    inner = power[1:-1]
    peaks = 1 + np.flatnonzero((inner > power[:-2]) & (inner >= power[2:]))
    if not len(peaks):
        return np.ones_like(phasor)
    starts = np.concatenate([[0], (peaks[1:] + peaks[:-1] + 1) // 2])
    apart = np.add.reduceat(phasor * step, starts)
    size = np.abs(apart)
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.where(size > 0, apart / size, 1.0).astype(np.complex64)
    return np.repeat(turned, np.diff(np.append(starts, len(phasor))))


def _spectra(read: Read, centres: NDArray[np.int64], length: int) -> Spectra:
    """Spectra of Hann windows around samples of a signal, complex64 (centres, bins, channels)."""
    from scipy.fft import rfft

    cut = _cut(read, centres - length // 2, length)
    cut *= _hann(length)[None, :, None]
    return np.asarray(rfft(cut, axis=1), np.complex64)


def _cut(read: Read, starts: NDArray[np.int64], length: int) -> FloatArray:
    """Stretches of `length` samples that begin at `starts`, which rise, float32 (starts, length, channels), a copy."""
    if not len(starts):
        return np.zeros((0, length, read(0, 0).shape[1]), np.float32)
    low = int(starts.min())
    sound = read(low, int(starts.max()) + length)
    windows = np.lib.stride_tricks.sliding_window_view(sound, length, axis=0)
    return np.ascontiguousarray(windows[starts - low].transpose(0, 2, 1))


def _window_reader(sound: FloatArray, low: int) -> Read:
    """Reads a signal of which only the samples from `low` on are at hand."""
    read = reader(sound)
    return lambda first, end: read(first - low, end - low)


def _power(spectra: Spectra) -> FloatArray:
    return np.asarray((spectra.real**2 + spectra.imag**2).sum(axis=2), np.float32)


def _overlap_add(spectra: Spectra, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """Samples [first, end) of frames with a Hann window that begin at `starts`, a quarter of their length apart."""
    from scipy.fft import irfft

    length = 4 * hop
    frames = irfft(spectra, n=length, axis=1)
    # The squares of Hann windows a quarter apart sum to three halves.
    frames *= (_hann(length) / np.float32(1.5))[None, :, None]
    return _put(np.asarray(frames, np.float32), starts, hop, first, end)


def _put(frames: FloatArray, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """The sum of frames that begin at `starts`, `hop` after one another, in samples [first, end)."""
    count, length, channels = frames.shape
    overlap = length // hop
    whole = np.zeros((count + overlap - 1, hop, channels), np.float32)
    for part in range(overlap):
        whole[part : part + count] += frames[:, part * hop : (part + 1) * hop]
    flat = whole.reshape(-1, channels)
    return reader(flat)(first - int(starts[0]), end - int(starts[0]))


def _hann(length: int) -> FloatArray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def _power_of_two(samples: float) -> int:
    return max(64, int(2 ** round(np.log2(samples))))
